"""What the sets of a comparison hold, in words."""

import contextlib
from itertools import groupby

from strag.stragglers.comparison import CORE, FLIPPED, RUN, RUNS
from strag.stragglers.find import MOST
from strag.stragglers.unknown import in_brief
from strag.views.captions import one_line
from strag.words import number_of


def what(kind):
    """Return what a SetKind stands for in words, such as "majority of 10 runs"; None if it is not known."""
    if kind is None:
        return None
    if kind.holds == FLIPPED:
        return "flipped labels"
    runs = number_of(kind.runs, "run")
    if kind.holds in (RUN, RUNS):
        words = number_of(kind.runs, "single run")
    elif kind.holds == CORE:
        words = f"core of {runs}"
    elif kind.quorum == MOST:
        words = f"majority of {runs}"
    else:
        words = f"examples of {f'more than {kind.quorum:.0%} of' if kind.quorum else 'any of'} {runs}"
    recorded = in_brief(kind.recording)
    return words + _moment(kind.at) + (f" ({recorded})" if recorded else "")


def _moment(at):
    """Return the words that follow those of a set that was not taken at the inversion."""
    if at == "inversion":
        return ""
    error = at.removeprefix("error:")
    if error == at:
        return f" at update {one_line(at)}"
    with contextlib.suppress(ValueError):
        error = f"{float(error):.4g}"
    return f" at training error {one_line(error)}"


def holding(comparison):
    """Return what each set of a Comparison holds: list of one line, or of none if no set says it."""
    names = [what(kind) or "not known" for kind in comparison.kinds or ()]
    if not any(comparison.kinds or ()):
        return []
    if len(set(names)) == 1:
        return [f"each set: {names[0]}"]
    groups = [
        (name, [number for number, _ in members])
        for name, members in groupby(enumerate(names, 1), key=lambda numbered: numbered[1])
    ]
    spans = (", ".join(map(str, n)) if len(n) < 3 else f"{n[0]} to {n[-1]}" for _, n in groups)
    return ["sets " + ", ".join(f"{span}: {name}" for span, (name, _) in zip(spans, groups, strict=True))]
