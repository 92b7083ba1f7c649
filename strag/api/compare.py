"""`strag.compare`: how far sets of examples overlap."""

from collections import Counter
from dataclasses import dataclass

from strag.api import arguments
from strag.api.arguments import destination, labels_for, refuse_overwriting
from strag.api.outputs import write_answer
from strag.datasets.dataset import Dataset
from strag.datasets.flips import flipped_examples
from strag.errors import StragError, bad_usage
from strag.files.comparison import comparison_object
from strag.files.sets import StoredSets
from strag.stragglers import comparison as science
from strag.stragglers.comparison import FLIPPED, RUN, RUNS, SetKind
from strag.stragglers.sets import CONTROLS, NO_CONTROL, OWN
from strag.values import checked, optional


@dataclass(frozen=True)
class Compared:
    """What a comparison uses of one of its inputs.

    members : int64, the indices of a set, or a list of such arrays, the sets of several runs. kind : SetKind,
    or None. origin, size : identity and number of rows of the origin. identity : of the input. meta : dict
    with the `title` and `command` of the data. source : name of the file.
    """

    members: object
    kind: SetKind | None
    origin: str
    size: object
    identity: str
    meta: dict
    source: str


@checked(stragglers=arguments.comparable, labels=optional(arguments.labels), output=optional(destination))
def compare(stragglers, labels=None, output=None):
    """The overlap of every two of several sets of examples of one data set.

    Parameters
    ----------
    stragglers : two or more of: Findings of `find_stragglers`; a Dataset made with `flip_labels`, which
        counts as the set of its examples with a flipped label; StoredSets of `sets` with the own set of each
        run, which are compared run by run.
    labels : names of the sets, by default the names of their files.
    output : where to also write the file of `strag compare`: a path, or an open Output.

    Returns
    -------
    Comparison: sizes, common and expected numbers, Jaccard index, kappa, and the share of one set that is in
    the other, see `strag.stragglers.comparison`.

    Raises StragError for fewer than two sets, for sets of different data sets, for a data set without flipped
    labels, and for StoredSets with several sets of one run.
    """
    refuse_overwriting(stragglers, output=output)
    if len(stragglers) < 2:
        raise bad_usage(
            "a comparison needs at least two sets of stragglers", "pass them as `stragglers`, a list"
        )
    compared = [_compared(thing) for thing in stragglers]
    names = [one.source for one in compared]
    names = names if labels is None else labels_for(stragglers, labels, "labels")
    examples, title = _examples(compared), compared[0].meta.get("title")
    sets, kinds = [one.members for one in compared], [one.kind for one in compared]
    comparison = science.compare(sets, examples, names, title, kinds)
    write_answer(comparison_object(comparison, compared), output)
    return comparison


def _compared(thing):
    """The Compared of a Finding, a Dataset or StoredSets."""
    if isinstance(thing, Dataset):
        meta = {"title": thing.title, "command": thing.command}
        whole = (thing.origin, thing.origin_size, thing.identity, meta, thing.source)
        return Compared(flipped_examples(thing), SetKind(FLIPPED), *whole)
    whole = (thing.origin, thing.meta.get("origin_size"), thing.identity, thing.meta, thing.source)
    if isinstance(thing, StoredSets):
        return _of_runs(thing, whole)
    return Compared(thing.indices, science.kind_of(thing), *whole)


def _of_runs(stored, whole):
    """The Compared of StoredSets, which must hold exactly one set of each run, its own."""
    stored.require_some()
    sets, fault = stored.sets, None
    if (sets.control != CONTROLS.index(NO_CONTROL)).any() or (sets.dose != OWN).any():
        fault = "holds controls or doses"
    elif max(Counter(sets.run.tolist()).values()) > 1:
        fault = "holds several sets of one run"
    if fault:
        remedy = "create it again with 'strag sets', without `controls`, `dose` and `at` log"
        raise StragError(fault, remedy, stored.source)
    runs, at = len(sets.run), (stored.meta.get("recipe") or {}).get("at")
    holds = RUN if runs == 1 else RUNS
    kind = SetKind(holds, runs, at=at, recording=stored.recording) if isinstance(at, str) else None
    members = [stored.removed(number) for number in range(runs)]
    return Compared(members if runs > 1 else members[0], kind, *whole)


def _examples(compared):
    """The number of examples of the origin, which must be the same for all that is compared."""
    first = compared[0]
    remedy = "compare stragglers of the same data set"
    if any(one.kind == SetKind(FLIPPED) for one in compared):
        remedy = "compare flipped labels with the stragglers of a training on the data set that has them"
    for one in compared:
        if type(one.size) is not int or not 0 < one.size < 2**53:
            raise StragError(
                "does not say how many examples its data set has",
                "create it again with the command that made it",
                one.source,
            )
        if (one.origin, one.size) != (first.origin, first.size):
            raise StragError(
                f"has indices of another data set than {first.source}",
                remedy,
                one.source,
            )
    return first.size
