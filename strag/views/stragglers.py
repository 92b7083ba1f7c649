"""The stragglers as tables, a line, and words."""

from strag.errors import bad_usage
from strag.stragglers.inversion import SMALLEST_DEPTH
from strag.stragglers.shortfall import Shortfall
from strag.views.table import Table, as_cell
from strag.words import some_of

HARDEST = 10  # examples shown at a terminal
OPTIONS = ("data", "number", "by_class")  # of `picture`

_MEANING = {
    "inversion": "inversion",
    "none": "no inversion: training has finished without one",
    "open": "no inversion so far, and training has not finished",
    "unresolved": "unresolved",
    "unstable": "unstable: the loss rises, which makes false valleys; lower --lr",
    "diverged": "no verdict, since runs diverged; lower --lr",
}
_REMEDY = {  # by the condition that failed
    "records": "record more often, or lower --lr",
    "noise": "more records, or larger batches, would tell",
    "misclassified": "--min-misclassified asks for so many",
}


def verdict_line(verdict):
    """What a verdict means."""
    return _MEANING[verdict]


def counted(verdicts):
    """How many runs invert, and what the others do, such as `3 of 10 runs, 7 open`.

    verdicts : dict of verdict to number of runs.
    """
    total = sum(verdicts.values())
    others = [f"{number} {verdict}" for verdict, number in verdicts.items() if verdict != "inversion"]
    return ", ".join([f"{verdicts.get('inversion', 0)} of {total} runs", *others])


def sentence(value):
    """One line for stderr."""
    summary, at = value["summary"], value["strag"]["recipe"]["at"]
    some = f"{summary['indices']} stragglers of {summary['examples']}"
    if at != "inversion":
        some = "sets" if value["strag"].get("sets") else some
        return f"{some}, misclassified at {_moment(at)} ({_taken(summary)})"
    line = f"{verdict_line(value['verdict'])} ({counted(summary['verdicts'])})"
    if summary["train_error_mean"] is not None:
        line += f", eps* = {_with_std(summary, 'train_error', 4)} at t* = {_with_std(summary, 'update', 1)}"
    line += f"; {some}" if summary["runs_with_a_set"] and not value["strag"].get("sets") else ""
    line += _why(value["verdict"], summary)
    for key, words in (("classes_without", "no inversion in"), ("classes_absent", "no trained example of")):
        if value.get(key):
            line += f"; {words} class {some_of(value[key])}"
    return line


def _taken(summary):
    return f"{summary['runs_with_a_set']} of {summary['runs']} runs"


def _why(verdict, summary):
    """Which condition failed and how near it was, and what to do about it: clauses."""
    if verdict in ("inversion", "unstable", "diverged"):
        return ""
    told, shortfall = "", summary["shortfall"]
    if shortfall:
        told += f"; {Shortfall(**shortfall).words}"
        remedy = _REMEDY.get(shortfall["condition"])
        if shortfall["condition"] == "records" and shortfall["update"] is None:
            remedy = "record more often, or train for longer"
        if shortfall["condition"] == "misclassified" and (shortfall["depth"] or 0) < SMALLEST_DEPTH:
            remedy = None  # fewer would not do
        told += f" ({remedy})" if remedy else ""
    excluded, until = summary["excluded_below"], summary["train_until"]
    told += f"; only t* below {excluded:g} is excluded" if excluded is not None else ""
    told += f"; train for {until} updates to tell more" if until is not None else ""
    if verdict in ("none", "open"):
        told += "; --at error:X takes those misclassified at a training error instead"
    return told


def _moment(at):
    """The moment that `--at` chose, in words."""
    error = at.removeprefix("error:")
    return f"update {at}" if error == at else f"training error {float(error):.4g}"


def tables(value):
    """The runs, or the layers of a profile, the summary, and the hardest examples below it."""
    chosen = value["strag"]["recipe"]["at"] != "inversion"
    columns, rows = _layers(value["layers"]) if "layers" in value else _runs(value["runs"], chosen)
    caption = sentence(value)
    if value["model"] is not None:
        summary = value["summary"]
        caption += (
            f"\n{summary['core']} core, {summary['fringe']} fringe; "
            f"{value['model']['share_of_examples']:.0%} of the variance of membership belongs to the examples"
        )
    elif value["summary"]["runs_with_a_set"] > 1:
        caption += f"\nno probabilities: {value['model_unknown']}"
    first = Table(value["strag"].get("title"), columns, rows, caption)
    hardest = bool(value["examples"]["index"]) and not value["strag"].get("sets")
    return [first, _hardest(value)] if hardest else [first]


def _hardest(value):
    """The examples that straggle most often."""
    table, number = value["examples"], len(value["examples"]["index"])
    names = {one["class"]: one["name"] for one in value["original_classes"]}
    headings = ("index", "label", "runs", "probability", "95 % interval")
    columns = [(name, "right") for name in headings] + [("name", "left")] * ("name" in table)
    rows = [
        (
            str(table["index"][at]),
            str(names.get(table["class"][at], table["class"][at])),
            f"{table['count'][at]} of {table['runs'][at]}",
            as_cell(table["probability"][at], 3),
            f"{as_cell(table['low'][at], 3)} to {as_cell(table['high'][at], 3)}",
            *([table["name"][at]] if "name" in table else []),
        )
        for at in range(min(HARDEST, number))
    ]
    shown = (
        f"the {len(rows)} hardest of {number} examples that straggle in a run" if number > len(rows) else None
    )
    return Table("hardest examples", columns, rows, shown and f"{shown}; --csv writes all")


def _layers(layers):
    headings = ("layer", "invert", "t*", "lr t*", "eps*", "depth", "to 4 t*", "T / t*")
    rows = [
        (
            str(layer["layer"]),
            f"{layer['inverting_runs']} of {layer['runs']}",
            as_cell(layer["update_mean"], 1),
            as_cell(layer["lr_update_mean"], 2),
            as_cell(layer["train_error_mean"], 4),
            as_cell(layer["depth_mean"], 3),
            as_cell(layer["depth_at_4_mean"], 3),
            as_cell(layer["horizon_mean"], 1),
            ", ".join(f"{number} {verdict}" for verdict, number in layer["verdicts"].items()),
        )
        for layer in layers
    ]
    return [*((heading, "right") for heading in headings), ("verdicts", "left")], rows


def _runs(runs, chosen):
    """The runs, with the inversion of each or, if the moment was `chosen`, with where its set was taken."""
    refined = "" if chosen else "refined_"
    columns = [("run", "right"), ("verdict", "left")]
    headings = ("t" if chosen else "t*", "training error" if chosen else "eps*", "depth", "to 4 t*", "T / t*")
    columns += [(heading, "right") for heading in (*headings, "stragglers")]
    rows = [
        (
            str(run["run"]),
            run["verdict"],
            as_cell(run[f"{refined}update"], 1),
            as_cell(run[f"{refined}train_error"], 4),
            as_cell(run["depth"], 3),
            as_cell(run["depth_at_4"], 3),
            as_cell(run["horizon"], 1),
            as_cell(run["stragglers"], 0),
        )
        for run in runs
    ]
    return columns, rows


def _with_std(summary, name, digits):
    mean, std = summary[f"{name}_mean"], summary[f"{name}_std"]
    return f"{mean:.{digits}f}" + ("" if std is None else f" +- {std:.{digits}f}")


def picture(stragglers, data=None, number=None, by_class=False):
    """The Picture of stragglers: a gallery of images, or their original classes.

    data : the Dataset of the training, for the gallery. number : how many images.
    """
    if by_class:
        from strag.views.original_classes import picture as classes

        return classes(stragglers)
    from strag.views.gallery import picture as images

    if data is None:
        raise bad_usage(
            "holds stragglers, but no images",
            "add --data DATA, the dataset of the training, or --by-class",
            stragglers.source,
        )
    return images(data, stragglers, number)
