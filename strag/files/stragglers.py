"""The kind `stragglers`: JSON, what find-stragglers found."""

import csv
import io
from collections import Counter
from dataclasses import asdict, dataclass

import numpy as np

from strag.datasets.dataset import identity_of
from strag.errors import StragError
from strag.files.jsonfile import numbers, read_json
from strag.files.stamp import check_fields, stamp
from strag.files.straggler_runs import run_entry
from strag.stragglers.examples import CORE, FRINGE
from strag.stragglers.inversion import FEWEST, INVERSION, OPEN
from strag.stragglers.original_classes import OriginalClass, original_classes
from strag.stragglers.recipe import step_size
from strag.stragglers.shortfall import shortfall_of

# Of the examples; `name` where they have names.
COLUMNS = ("index", "class", "label", "name", "count", "runs", "probability", "low", "high", "status")


@dataclass(frozen=True)
class StragglerList:
    """The part of a stragglers file that other commands use.

    indices : int64, rows of the origin. origin : its identity. examples : dict of columns.
    verdict : over all runs. meta : the object under `strag`. source : the file's name.
    original_classes : as in the file, see `original_classes_of`.
    """

    indices: np.ndarray
    origin: str
    examples: dict
    verdict: str
    meta: dict
    source: str
    original_classes: object = None

    @property
    def identity(self):
        """sha256 of the indices and their origin."""
        return identity_of({"indices": np.sort(self.indices), self.origin: np.zeros(0)})


def stragglers_object(history, found, recipe, core=False, profile=None, reference=None):
    """The JSON object for what was found in a history.

    found : Stragglers. core : whether `indices` are the core. profile : dict of layer to Stragglers, which
    adds `layers`. reference : the Reference beside its networks, which adds one to each of `runs`.
    """
    inputs = {"history": history.meta.get("inputs", {}), "training": history.recipe}
    if reference is not None:
        inputs["reference"] = reference.history.meta.get("inputs", {})
    counterparts = reference.counterparts if reference else (None,) * len(history.runs)
    chosen = found.core if core else found.consensus
    chosen = chosen & (found.counts > 0)
    return {
        "strag": stamp(
            "stragglers",
            recipe=recipe,
            inputs=inputs,
            origin=history.meta["origin"],
            origin_size=history.meta.get("origin_size"),
            classes=list(history.classes),
            title=history.meta.get("title"),
            command=history.meta.get("command"),
            **({"sets": history.meta["sets"]} if history.meta.get("sets") else {}),
        ),
        "verdict": found.verdict,
        "summary": _summary(history, found, chosen, recipe.get("min_misclassified", FEWEST)),
        "runs": [run_entry(history, found, run, beside) for run, beside in enumerate(counterparts)],
        **({"layers": layer_profile(history, profile, recipe)} if profile else {}),
        **({"classes_without": classes_without(history, found)} if found.by_class else {}),
        **({"classes_absent": classes_absent(history, found)} if found.by_class else {}),
        "model": _model(found),
        "model_unknown": found.unknown or None,
        "indices": np.sort(history.index[chosen]),
        "examples": example_table(history, found),
        "original_classes": [_told_class(one) for one in original_classes(history, found, chosen)],
        "hard_direction": "a larger count or probability is a harder example",
        "index_space": "row of the training set whose identity is strag.origin, counted from 0",
    }


def layer_profile(history, profile, recipe):
    """What each layer says: list of dict from a dict of layer to Stragglers.

    `lr_update_mean` is lr * t*, which compares learning rates; null without one, see `step_size`.
    """
    step, told = step_size(history.recipe), []
    for layer, found in profile.items():
        summary = _summary(history, found, found.consensus, recipe.get("min_misclassified", FEWEST))
        kept = ("inverting_runs", "runs", "verdicts", "update_mean", "update_std", "train_error_mean")
        kept += ("train_error_std", "excluded_below", "train_until", "shortfall")
        mean = summary["update_mean"]
        told.append(
            {
                "layer": layer,
                "verdict": found.verdict,
                **{key: summary[key] for key in kept},
                "lr_update_mean": None if mean is None or step is None else step * mean,
                **{f"{name}_mean": _mean_of(found, name) for name in ("depth", "horizon", "depth_at_4")},
            }
        )
    return told


def _mean_of(found, name):
    """Mean over the runs, or of what is about inversions over the inverting ones; None where not known."""
    inversions = found.inversions if name == "depth" else found.inverting
    values = [getattr(inversion, name) for inversion in inversions]
    if name != "depth" and None in values:
        return None  # not those alone that invert early
    known = [value for value in values if value is not None and np.isfinite(value)]
    return float(np.mean(known)) if known else None


def classes_without(history, found):
    """Classes in which no run has an inversion of its own: list of names; empty unless per class.

    Classes without a trained example are not among them, see `classes_absent`.
    """
    columns = _columns_by_class(history, found)
    return [
        name
        for name, column in columns.items()
        if column and not any(one.verdict == INVERSION for one in column)
    ]


def classes_absent(history, found):
    """Classes of which no run trains on an example: list of names; empty unless per class."""
    return [name for name, column in _columns_by_class(history, found).items() if not column]


def _columns_by_class(history, found):
    """The Inversions of every class, in the runs that train on it: dict of name to list."""
    if found.by_class is None:
        return {}
    columns = zip(history.classes, zip(*found.by_class, strict=True), strict=True)
    return {name: [one for one in column if one is not None] for name, column in columns}


def _summary(history, found, chosen, fewest):
    inverting, inversions = found.inverting, found.inversions
    errors = np.array([run.train_error for run in inverting])
    updates = np.array([run.update for run in inverting])
    sizes, status = found.sets.sum(axis=1), found.status
    shortfall = shortfall_of(inversions, len(history.updates), fewest)
    excluded = [run.excluded_below for run in inversions if run.verdict == OPEN]
    until = [run.train_until for run in inversions if run.train_until is not None]
    return {
        "runs": len(history.runs),
        "inverting_runs": len(inverting),
        "verdicts": dict(Counter(run.verdict for run in inversions)),
        "runs_with_a_set": len(sizes),
        "examples": history.examples,
        "test_examples": history.test_examples,
        "train_error_mean": errors.mean() if errors.size else None,
        "train_error_std": errors.std(ddof=1) if errors.size > 1 else None,
        "update_mean": updates.mean() if updates.size else None,
        "update_std": updates.std(ddof=1) if updates.size > 1 else None,
        "set_size_mean": sizes.mean() if sizes.size else None,
        "set_size_std": sizes.std(ddof=1) if sizes.size > 1 else None,
        "shortfall": asdict(shortfall) if shortfall else None,
        "excluded_below": min(excluded) if excluded and None not in excluded else None,
        "train_until": max(until) if until else None,
        "indices": int(chosen.sum()),
        "core": int((status == CORE).sum()) if found.model else None,
        "fringe": int((status == FRINGE).sum()) if found.model else None,
    }


def _told_class(one):
    told = asdict(one)
    return {"class": told.pop("number"), **told}


def _model(found):
    if found.model is None:
        return None
    return {"a": found.model.a, "b": found.model.b, "share_of_examples": found.model.share}


def example_table(history, found):
    """Columns over the examples called at least once, most frequent first: dict of lists."""
    called = np.flatnonzero(found.counts > 0)
    called = called[np.lexsort((history.index[called], -found.counts[called] / found.seen[called]))]
    counts, seen = found.counts[called], found.seen[called]
    table = {"index": history.index[called], "class": history.y[called], "count": counts, "runs": seen}
    table["label"] = [history.class_name(int(number)) for number in table["class"]]
    if history.names is not None:
        table["name"] = [history.names[row] for row in called]
    if found.model is None:
        unknown = [None] * len(called)
        table |= {"probability": unknown, "low": unknown, "high": unknown, "status": unknown}
    else:
        low, high = found.model.interval(counts, seen)
        table["probability"] = found.model.probability(counts, seen)
        table |= {"low": low, "high": high, "status": found.status[called]}
        for name in ("probability", "low", "high"):
            table[name] = np.round(table[name], 6)
    return {name: np.asarray(table[name]).tolist() for name in COLUMNS if name in table}


def write_csv(output, table):
    """Write the example table as CSV into an open Output, which is yet to be put in its place."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    with output.writing():
        output.file.write(text.getvalue().encode())
        output.file.flush()


def read_stragglers(path):
    """Read a stragglers file, or stdin for '-'.

    Raises StragError for indices that are no whole numbers, negative, or named twice.
    """
    value = read_json(path, "stragglers")
    return stragglers_from(value, "stdin" if path == "-" else str(path))


def stragglers_from(value, source):
    """The StragglerList in a JSON object."""
    check_fields(value["strag"], source)
    indices = value.get("indices")
    remedy = "make it again with 'strag find-stragglers'"
    if not isinstance(indices, list) or not all(type(i) is int for i in indices):
        raise StragError("'indices' is no list of whole numbers", remedy, source)
    size = value["strag"].get("origin_size")
    size = size if isinstance(size, int) else np.iinfo(np.int64).max
    if indices and (min(indices) < 0 or max(indices) >= size):
        raise StragError("'indices' leave the range of the data set", remedy, source)
    if len(set(indices)) != len(indices):
        raise StragError("'indices' name an example twice", remedy, source)
    if not isinstance(value["strag"].get("origin"), str):
        raise StragError("does not say in which data set its indices count", remedy, source)
    examples = value.get("examples")
    return StragglerList(
        np.asarray(indices, dtype=np.int64),
        value["strag"]["origin"],
        examples if isinstance(examples, dict) else {},
        str(value.get("verdict")),
        value["strag"],
        source,
        value.get("original_classes"),
    )


def original_classes_of(stragglers):
    """The OriginalClasses in a StragglerList, by number.

    Raises StragError where its file does not say them, or what cannot be read.
    """
    told, remedy = stragglers.original_classes, "make it again with 'strag find-stragglers'"
    if not told:
        raise StragError("does not tell its original classes apart", remedy, stragglers.source)
    whole, shares = ("class", "examples", "stragglers"), ("straggler_share", "test_error")
    shares += ("test_error_at_inversion",)
    try:
        columns = {name: numbers([one[name] for one in told], whole=True) for name in whole}
        columns |= {name: numbers([one[name] for one in told]) for name in shares}
        columns["name"] = [str(one["name"]) for one in told]
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return tuple(OriginalClass(number=row.pop("class"), **row) for row in rows)
    except (KeyError, TypeError):
        raise StragError("has original classes that cannot be read", remedy, stragglers.source) from None


def read(opened):
    """The StragglerList in an open Document."""
    return stragglers_from(opened.value, opened.name)
