"""What sets t*? Predict lr t* from the spectrum of the inputs, the Hessian at the start, and linear models.

python spectrum.py point DATA STRAGGLERS -o OUT computes the candidates of one data set, and
python spectrum.py together POINTS... -o OUT --picture PNG compares them with the measured lr t*. A candidate
without a constant is a time as it stands. The constant of the others, a factor or a level, is set on the
first point alone.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import spectrum_flows as flows
import spectrum_modes as modes

import strag
from strag.datasets.dataset import standardise

WITHIN = 1.2  # a prediction is good if it is off by less than this factor
FLOWS = ("lazy", "network")
LOWEST = (
    "unnormalised radius",
    "radius of linear units",
    "radius of tanh units",
    "spread of logits",
    "test loss",
    "test error",
)  # observables whose minimum is a candidate
LEVELS = {  # levels chosen before any comparison
    "loss learned": modes.SHARES,
    "gradient": (0.5, 0.1),
    "hidden": (2.0,),
    "output weights": (2.0,),
    "pre-activation": (1.0,),
    "logits": (1.0,),
    "error over eps*": (1.0,),
}
CORE = 8  # the first points: four sets, and their inputs doubled
CHANGED = 20  # the points before this one have the groups of the first four and other inputs


def measured(finding):
    """What a stragglers file, as JSON, says: dict of lr t*, eps* and of what belongs to them."""
    summary, training = finding["summary"], finding["strag"]["inputs"]["training"]
    lr, runs = training["lr"], summary["inverting_runs"]
    return {
        "lr": lr,
        "width": training["width"],
        "runs": summary["runs"],
        "inverting": runs,
        "verdicts": summary["verdicts"],
        "eps": summary["train_error_mean"],
        "lr_update": lr * summary["update_mean"] if runs else None,
        "lr_update_std": lr * summary["update_std"] if runs > 1 else None,
    }


def computed(data, seen):
    """All candidates of a Dataset whose inversion was measured: dict of times, curves and spectrum."""
    mean, std = data.standardisation()
    x, groups, classes = standardise(data.x, mean, std), data.groups, len(data.grouping.names)
    size = {"classes": classes, "features": data.features, "width": seen["width"]}
    spectrum = modes.Modes(x, groups, **size)
    hessian = modes.times_of_hessian(x, groups, **size, columns=np.flatnonzero(std > 0))
    last = int(np.ceil(flows.HORIZON * seen["lr_update"] / seen["lr"]))
    tests = (standardise(data.x_test, mean, std), data.test_groups)
    least = flows.least_loss(x, groups, classes)
    curves = {}
    for name in FLOWS:
        found = flows.flow(
            x,
            groups,
            **size,
            slope=spectrum.slope,
            lr=seen["lr"],
            last=last,
            rich=name == "network",
            tests=tests,
        )
        found["loss learned"] = (found["loss"][0] - found["loss"]) / (found["loss"][0] - least)
        found["error over eps*"] = found["error"] / seen["eps"]
        curves[name] = {key: values.tolist() for key, values in found.items()}
    return {
        "examples": len(x),
        "groups": list(data.grouping.names),
        "slope_squared": spectrum.slope,
        "least_loss": least,
        "label_r2": float(spectrum.shares.sum()),
        "times": modes.times_of_modes(spectrum) | hessian,
        "rates": spectrum.rates.tolist(),
        "values": spectrum.values.tolist(),
        "shares": spectrum.shares.tolist(),
        "curves": curves,
    }


def by_quantile(points):
    """Times 1 / rate at a quantile of the spectrum that is set on the first point: dict of name to list."""
    found = {}
    for name, column in (("rank", None), ("variance", "values"), ("labels", "shares")):
        grown = []
        for point in points:
            weights = np.ones(len(point["rates"])) if column is None else np.array(point[column])
            grown.append(np.cumsum(weights) / weights.sum())
        level = np.interp(1 / points[0]["lr_update"], points[0]["rates"][::-1], grown[0][::-1])
        times = [
            1 / np.interp(level, share, each["rates"]) for share, each in zip(grown, points, strict=True)
        ]
        found[f"1 / rate at a quantile of {name}"] = level, times
    learned = [_least_squares(point) for point in points]
    level = learned[0](points[0]["lr_update"])
    grid = np.geomspace(1e-3, 1e4, 2000)
    found["share that least squares learned"] = (
        level,
        [flows.reaches(grid, np.array([each(t) for t in grid]), level) for each in learned],
    )
    return found


def _least_squares(point):
    """The function of lr t: share of the learnable variance that least squares has learned."""
    rates, shares = np.array(point["rates"]), np.array(point["shares"])
    return lambda time: 1 - float(shares @ np.exp(-2 * rates * time) / shares.sum())


def candidates(points):
    """Every candidate: list of dict of name, constants (0 or 1), constant, `times` (lr t of each point)."""
    same = points[0]["lr_update"]
    everywhere = np.full(len(points), same)
    found = [{"name": "the same everywhere", "constants": 1, "constant": same, "times": everywhere}]
    for name in points[0]["times"]:
        times = np.array([point["times"][name] for point in points])
        found.append({"name": name, "constants": 0, "constant": None, "times": times})
        factor = points[0]["lr_update"] / times[0]
        found.append({"name": name, "constants": 1, "constant": factor, "times": factor * times})
    for name, (level, times) in by_quantile(points).items():
        found.append({"name": name, "constants": 1, "constant": level, "times": np.array(times)})
    grid = np.geomspace(1e-3, 1e4, 2000)
    for share in modes.SHARES:
        times = [
            flows.reaches(grid, np.array([each(t) for t in grid]), share)
            for each in map(_least_squares, points)
        ]
        found.append(
            {"name": f"least squares learned {share:.0%}", "constants": 0, "constant": None, "times": times}
        )
    for flow in FLOWS:
        found += _of_flow(flow, [point["curves"][flow] for point in points], points[0]["lr_update"])
    return found


def _of_flow(flow, curves, first):
    """The candidates of a flow: minima, chosen levels, and levels at lr t = `first` of the first point."""
    found = []

    def add(name, constants, constant, function):
        times = np.array([function(np.array(each["time"]), each) for each in curves])
        found.append(
            {"name": f"{flow}: {name}", "constants": constants, "constant": constant, "times": times}
        )

    for name in [each for each in LOWEST if each in curves[0]]:
        add(f"least {name}", 0, None, lambda time, each, name=name: flows.lowest(time, np.array(each[name])))
        times = found[-1]["times"]
        factor = first / times[0]
        found.append(
            {"name": f"{flow}: least {name}", "constants": 1, "constant": factor, "times": factor * times}
        )
    for name in [key for key in curves[0] if key != "time"]:

        def at(level, name=name):
            return lambda time, each: flows.reaches(time, np.array(each[name]), level)

        for level in LEVELS.get(name, ()):
            add(f"{name} = {level:g}", 0, None, at(level))
        level = float(np.interp(first, curves[0]["time"], curves[0][name]))
        add(f"{name} as on the first point", 1, level, at(level))
    return found


def judged(candidate, points):
    """The candidate, its ratios to the measured lr t*, and their goodness on each part of the points."""
    ratios = np.array(candidate["times"]) / np.array([point["lr_update"] for point in points])
    skip = candidate["constants"]  # the point that the constant was set on says nothing
    parts = {"core": ratios[skip:CORE], "inputs": ratios[CORE:CHANGED], "tasks": ratios[CHANGED:]}
    return {
        **{key: candidate[key] for key in ("name", "constants", "constant")},
        **{name: _goodness(part) for name, part in parts.items()},
        "ratios": {point["label"]: _number(ratio) for point, ratio in zip(points, ratios, strict=True)},
    }


def _number(value):
    """A float of four digits for JSON: null if it is not finite."""
    return float(f"{value:.4g}") if np.isfinite(value) else None


def _goodness(ratios):
    """Number of ratios, of those within WITHIN, rms of ln(ratio) and largest factor: dict.

    A time that is not reached counts as the HORIZON.
    """
    if not len(ratios):
        return {"n": 0, "within": 0, "rms_log": None, "worst_factor": None}
    off = np.abs(np.log(np.where(np.isfinite(ratios) & (ratios > 0), ratios, flows.HORIZON)))
    return {
        "n": len(off),
        "within": int((off <= np.log(WITHIN) + 1e-12).sum()),
        "rms_log": _number(np.sqrt(np.mean(off**2))),
        "worst_factor": _number(np.exp(off.max())),
    }


def together(paths):
    """Compare all candidates on all points that invert: dict, candidates best first on the core."""
    points = [json.loads(Path(path).read_text()) for path in paths]
    left_out = [point["label"] for point in points if "curves" not in point]
    if missing := [point["label"] for point in points[:CHANGED] if "curves" not in point]:
        raise SystemExit(f"no inversion at {', '.join(missing)}, but CORE and CHANGED count these points")
    points = [point for point in points if "curves" in point]
    found = [judged(each, points) for each in candidates(points)]
    found.sort(key=lambda each: each["core"]["rms_log"])
    kept = ("curves", "rates", "values", "shares", "times")
    return {
        "within": WITHIN,
        "core": CORE,
        "changed": CHANGED,
        "without_inversion": left_out,
        "points": [{key: point[key] for key in point if key not in kept} for point in points],
        "candidates": found,
    }


def written(result):
    """JSON with one line per key, and per item of a list of dicts."""
    lines = []
    for key, value in result.items():
        items = isinstance(value, list) and value and isinstance(value[0], dict)
        text = "[\n  " + ",\n  ".join(map(json.dumps, value)) + "\n ]" if items else json.dumps(value)
        lines.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main():
    """Read the arguments, do one of the two jobs, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    jobs = parser.add_subparsers(dest="job", required=True)
    one = jobs.add_parser("point")
    one.add_argument("data")
    one.add_argument("stragglers")
    both = jobs.add_parser("together")
    both.add_argument("points", nargs="+")
    both.add_argument("--picture")
    for each in (one, both):
        each.add_argument("-o", "--output", required=True)
    chosen = parser.parse_args()
    if chosen.job == "point":
        result = measured(json.loads(Path(chosen.stragglers).read_text()))
        result = {"label": Path(chosen.stragglers).stem} | result
        if result["inverting"] > result["runs"] / 2:
            result |= computed(strag.read(chosen.data, "dataset"), result)
    else:
        result = together(chosen.points)
    Path(chosen.output).write_text(written(result))
    if chosen.job == "together" and chosen.picture:
        from spectrum_picture import picture

        Path(chosen.picture).write_bytes(picture(result))


if __name__ == "__main__":
    main()
