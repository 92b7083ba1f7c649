"""Leave a set of a sets file out of a data set, for networks of another kind than those that the set is from.

python leave_out.py SETS DATA OUT --control hard leaves out the control of the majority's set; `none`, the set
itself. Networks of the same kind need no such file: `strag train --without SETS` trains one network per set.
"""

import argparse

import numpy as np

import strag
from strag.datasets.pruning import without_rows
from strag.files.dataset import write_dataset
from strag.stragglers.sets import CONTROLS

WHOLE = 1.0  # the dose of the whole set of the majority


def main():
    """Read the arguments, choose the set of the first run, write the dataset file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets")
    parser.add_argument("data")
    parser.add_argument("output")
    parser.add_argument("--control", choices=CONTROLS, default="none")
    given = parser.parse_args()
    stored, data = strag.read(given.sets, "sets"), strag.read(given.data, "dataset")
    sets = stored.sets
    chosen = np.flatnonzero((sets.dose == WHOLE) & (sets.control == CONTROLS.index(given.control)))
    if not chosen.size:
        raise SystemExit(f"{given.sets}: has no set of dose {WHOLE:g} with the control '{given.control}'")
    rows = data.positions(stored.index[sets.members[chosen[0]]])
    recipe = {"control": given.control, "dose": WHOLE}
    write_dataset(
        given.output, without_rows(data, rows), recipe, {"data": data.identity, "sets": stored.identity}
    )


if __name__ == "__main__":
    main()
