"""The stragglers as a table, a line, and words."""

_MEANING = {
    "inversion": "inversion",
    "none": "no inversion: training has finished without one",
    "open": "no inversion so far, and training has not finished; train for longer to tell",
    "unresolved": "the deepest valley has fewer than 5 records before it; record more often or lower --lr",
    "unstable": "the loss rises, which makes false valleys; lower --lr",
    "diverged": "no verdict, since runs diverged; lower --lr",
}


def verdict_line(verdict):
    """What a verdict means, and what to do about it."""
    return _MEANING[verdict]


def summary_line(value):
    """One line for stderr."""
    summary, at = value["summary"], value["strag"]["recipe"]["at"]
    some = f"{summary['indices']} stragglers of {summary['examples']}"
    if at != "inversion":
        taken = f"{summary['runs_with_a_set']} of {summary['runs']} runs"
        return f"{some}, misclassified at {_moment(at)} ({taken}){_warnings(value['runs'])}"
    line = f"{verdict_line(value['verdict'])} ({summary['inverting_runs']} of {summary['runs']} runs)"
    if summary["train_error_mean"] is not None:
        line += f", eps* = {_with_std(summary, 'train_error', 4)} at t* = {_with_std(summary, 'update', 1)}"
    line += f"; {some}"
    if value["verdict"] in ("none", "open"):
        line += "; --at error:X takes those misclassified at a training error instead"
    for key, words in (("classes_without", "no inversion in"), ("classes_absent", "no trained example of")):
        if value.get(key):
            line += f"; {words} class {', '.join(value[key])}"
    return line if value["verdict"] in ("unstable", "diverged") else line + _warnings(value["runs"])


def _warnings(runs):
    """What a lower learning rate would mend, in words; empty if nothing."""
    rising = sum(run["unstable_from"] is not None for run in runs)
    diverged = sum(run["verdict"] == "diverged" for run in runs)
    told = [f"the loss rises in {rising} of the runs"] if rising else []
    told += [f"{diverged} of the runs diverged"] if diverged else []
    return f"; {' and '.join(told)}, which a lower --lr would mend" if told else ""


def _moment(at):
    """The moment that `--at` chose, in words."""
    error = at.removeprefix("error:")
    return f"update {at}" if error == at else f"training error {float(error):.4g}"


def show(value):
    """Print the runs, or the layers of a profile, as a table, and the summary below it."""
    from strag.console import print_table

    chosen = value["strag"]["recipe"]["at"] != "inversion"
    columns, rows = _layers(value["layers"]) if "layers" in value else _runs(value["runs"], chosen)
    caption = summary_line(value)
    if value["model"] is not None:
        summary = value["summary"]
        caption += (
            f"\n{summary['core']} core, {summary['fringe']} fringe; "
            f"{value['model']['share_of_examples']:.0%} of the variance of membership belongs to the examples"
        )
    print_table(value["strag"].get("title"), columns, rows, caption)


def _layers(layers):
    from strag.console import as_cell

    headings = ("layer", "runs", "t*", "lr t*", "eps*", "valley depth")
    rows = [
        (
            str(layer["layer"]),
            f"{layer['inverting_runs']} of {layer['runs']}",
            as_cell(layer["update_mean"], 1),
            as_cell(layer["lr_update_mean"], 2),
            as_cell(layer["train_error_mean"], 4),
            as_cell(layer["depth_mean"], 3),
            layer["verdict"],
        )
        for layer in layers
    ]
    return [*((heading, "right") for heading in headings), ("verdict", "left")], rows


def _runs(runs, chosen):
    """The runs, with the inversion of each or, if the moment was `chosen`, with where its set was taken."""
    from strag.console import as_cell

    refined = "" if chosen else "refined_"
    columns = [
        ("run", "right"),
        ("verdict", "left"),
        ("t" if chosen else "t*", "right"),
        ("training error" if chosen else "eps*", "right"),
        ("valley depth", "right"),
        ("stragglers", "right"),
    ]
    rows = [
        (
            str(run["run"]),
            run["verdict"],
            as_cell(run[f"{refined}update"], 1),
            as_cell(run[f"{refined}train_error"], 4),
            as_cell(run["depth"], 3),
            as_cell(run["stragglers"], 0),
        )
        for run in runs
    ]
    return columns, rows


def _with_std(summary, name, digits):
    mean, std = summary[f"{name}_mean"], summary[f"{name}_std"]
    return f"{mean:.{digits}f}" + ("" if std is None else f" +- {std:.{digits}f}")
