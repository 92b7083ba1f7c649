"""Change the inputs of a dataset file, and with them the spectrum of their covariance.

python inputs.py IN OUT --scale 2 multiplies the standardised inputs by 2; --one-std divides all inputs by one
standard deviation instead of each by its own; --power 0.5 raises every eigenvalue of the covariance to this
power and keeps their sum.
"""

import argparse
from dataclasses import replace

import numpy as np

import strag
from strag.datasets.dataset import standardise
from strag.files.dataset import write_dataset

SMALLEST = 1e-6  # eigenvalues below this share of the largest are noise of rounding, and become 0


def scaled(data, factor):
    """Return the Dataset whose standardised inputs are `factor` times those of `data`."""
    mean, std = data.standardisation()
    return replace(data, mean=mean, std=std / factor)


def with_one_std(data):
    """Divide all inputs of the Dataset by one number that keeps the trace of the covariance."""
    mean, std = data.standardisation()
    varies = std > 0
    return replace(data, mean=mean, std=np.where(varies, np.sqrt(np.mean(std[varies] ** 2)), 0.0))


def with_power(data, power):
    """Give the covariance the eigenvalues a lambda^power, and leave its modes and trace as they are."""
    mean, std = data.standardisation()
    varies = np.flatnonzero(std > 0)
    x = standardise(data.x, mean, std).astype(np.float64)
    values, modes = np.linalg.eigh(x.T @ x / len(x))
    kept = values > SMALLEST * values[-1]
    powers = np.where(kept, np.where(kept, values, 1.0) ** power, 0.0)
    gain = np.where(kept, np.sqrt(powers * values.sum() / powers.sum() / np.where(kept, values, 1.0)), 0.0)
    change = (modes * gain) @ modes.T

    def changed(raw):
        out = np.zeros((len(raw), len(std)), dtype=np.float32)
        out[:, varies] = standardise(raw, mean, std) @ change
        return out.reshape(raw.shape)

    tests = {"x_test": changed(data.x_test)} if data.has_test else {}
    x = changed(data.x)
    return replace(data, x=x, **tests, mean=np.zeros_like(mean), std=(std > 0).astype(np.float64))


def main():
    """Read the arguments, change the inputs, write the dataset file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source")
    parser.add_argument("output")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--scale", type=float)
    how.add_argument("--one-std", action="store_true")
    how.add_argument("--power", type=float)
    chosen = parser.parse_args()
    data = strag.read(chosen.source, "dataset")
    if chosen.scale:
        data = scaled(data, chosen.scale)
    else:
        data = with_one_std(data) if chosen.one_std else with_power(data, chosen.power)
    recipe = {"scale": chosen.scale, "one_std": chosen.one_std, "power": chosen.power}
    # The rows are those of the source, but the inputs are not: stragglers count in this file.
    write_dataset(chosen.output, replace(data, origin=None, origin_size=0), recipe)


if __name__ == "__main__":
    main()
