"""A sweep as a figure, a table and lines of text."""

import numpy as np

from strag.errors import bad_usage
from strag.stragglers.intervals import mean_of
from strag.stragglers.inversion import FEWEST, INVERSION
from strag.stragglers.sets import NO_CONTROL
from strag.stragglers.sweep import DOSE, baseline_of, sweep_of
from strag.stragglers.unknown import NO_REFERENCE, require_recipe
from strag.views.captions import table_title
from strag.views.dynamics import UPDATES
from strag.views.picture import Picture
from strag.views.sweep_figure import inverting_of, sweep_figure
from strag.views.sweep_panels import NAMES
from strag.views.table import Table, as_cell
from strag.words import number_of

OPTIONS = ("x", "layer", "noise", "reference", "fewest")  # of a picture of a sweep

_QUANTITIES = {  # headings of the table: (attribute of a SweepCondition, digits)
    "t*": ("update", 1),
    "to 4 t*": ("depth_at_4", 3),
    "T / t*": ("horizon", 1),
    "test error": ("test_error", 4),
}
MINUS = "S(t) - control"  # heading of the difference from a control
_AT_T = "S(t)"  # sets of a sweep over updates: the stragglers only at t*


def _left_out(sweep, control):
    """Return the name of what networks of a Sweep left out."""
    return _AT_T if sweep.by != DOSE and control == NO_CONTROL else NAMES[control]


def lines(sweep, baseline=None):
    """Yield one line for every condition, with the number of networks that invert, and one for a Baseline."""
    for condition in sweep.conditions:
        where = "each run's own" if sweep.is_own else f"{sweep.by} {condition.place:g}"
        yield (
            f"without {number_of(round(condition.removed), 'example')} "
            f"({_left_out(sweep, condition.control)}, {where}): {inverting_of(condition)}{_others(condition)}"
        )
    if baseline:
        yield _with_all_examples(baseline)


def _others(condition):
    """Return the verdicts on the networks that do not invert, in words; empty if all invert."""
    verdicts = [
        f"{number} {verdict}" for verdict, number in condition.verdicts.items() if verdict != INVERSION
    ]
    return f", {', '.join(verdicts)}" if verdicts else ""


def _with_all_examples(baseline):
    """Return one line: the test errors of training on all examples."""
    line = f"with all examples: test error {baseline.test_error:.4f}"
    if baseline.stopped_test_error is not None:
        line += f", {baseline.stopped_test_error:.4f} when stopped at t* = {baseline.update:.1f}"
    return line


def tables(sweep, baseline=None):
    """Return a Sweep as a list of one Table, with a Baseline in its caption."""
    quantities = (
        ("t*", "to 4 t*", "T / t*", "test error") if sweep.by == DOSE else ("t*", "test error", MINUS)
    )
    headings = [
        ("left out", "left"),
        ("dose" if sweep.by == DOSE else "t", "right"),
        *((name, "right") for name in ("size", "invert", *quantities)),
        ("other verdicts", "left"),
    ]
    rows = [
        (
            _left_out(sweep, condition.control),
            "own" if sweep.is_own else f"{condition.place:g}",
            f"{condition.removed:.0f}",
            f"{condition.inverting} of {condition.networks}",
            *(_quantity(sweep, condition, name) for name in quantities),
            _others(condition).removeprefix(", ") or "-",
        )
        for condition in sweep.conditions
    ]
    caption = f"{', '.join(quantities[:-1])} and {quantities[-1]}: means over networks"
    if MINUS in quantities:
        caption += f"\n{MINUS}: test error without S(t) minus that without the control, by run"
    if sweep.noise:
        caption += f"; noise {sweep.noise:g} on the test inputs"
    if baseline:
        caption += f"\n{_with_all_examples(baseline)}"
    title = table_title(sweep.history.meta.get("title"), sweep.history.classes)
    return [Table(title, headings, rows, caption)]


def _quantity(sweep, condition, name):
    """Return the mean of a quantity over the networks of a SweepCondition, as the text of a cell."""
    if name == MINUS:
        own = [c for c in sweep.conditions if (c.control, c.place) == (NO_CONTROL, condition.place)]
        values = own[0].differences.get(condition.control) if own else None
        mean = np.nan if values is None else mean_of(values)
        return "-" if np.isnan(mean) else f"{mean:+.4f}"
    attribute, digits = _QUANTITIES[name]
    return as_cell(mean_of(getattr(condition, attribute)), digits)


def picture(history, x=None, layer=None, noise=None, reference=None, fewest=FEWEST):
    """Return the Picture of a sweep: a History whose networks left out different sets of examples.

    x, layer, noise : see `sweep_figure` and `sweep_of`. reference : History of a training of the same runs on
    all examples, or None. fewest : as for `find_stragglers`.

    Raises StragError if the History is not a sweep, and if `x` is given for a sweep over doses.
    """
    sweep, baseline = sweep_of(history, layer, noise, fewest), None
    if x is not None and sweep.by == DOSE:
        problem = "holds a sweep over doses, but `x` is for a sweep over updates"
        raise bad_usage(problem, "remove `x`", history.source)
    if reference is not None:
        require_recipe(reference, NO_REFERENCE)
        reference.require_layers("remove `reference`")
        baseline = baseline_of(sweep, reference, fewest)
    return Picture(
        lambda: sweep_figure(sweep, x or UPDATES, baseline),
        lambda: tables(sweep, baseline),
        notes=tuple(f"{history.source}: {line}" for line in lines(sweep, baseline)),
    )
