"""Comparison: how far sets of examples from different trainings on the same data set overlap."""

from dataclasses import dataclass

import numpy as np

from strag.bits import pack
from strag.stragglers.overlap import Overlap, count, quotient, words
from strag.words import Brief, some_of

MAJORITY, CORE, RUN, RUNS, FLIPPED = "majority", "core", "run", "runs", "flipped"
KINDS = (MAJORITY, CORE, RUN, RUNS, FLIPPED)
MEASURES = ("common", "expected", "jaccard", "kappa", "contained")


@dataclass(frozen=True)
class SetKind:
    """What a set of a comparison holds.

    holds : `majority` for the examples that straggle in more than a share of several runs, `core` for those
        that almost surely straggle in most of several runs, `run` for the set of a single run, `runs` for the
        sets of several single runs, each compared by itself, and `flipped` for the examples with a flipped
        label.
    runs : number of runs that have a set; None for `flipped`.
    quorum : the share of the runs, for `majority`; else None.
    at : when the sets were taken, such as "inversion" or "error:0.09"; None for `flipped`.
    recording : how networks that strag did not train were recorded; None for others, and for `flipped`.
    """

    holds: str
    runs: int | None = None
    quorum: float | None = None
    at: str | None = None
    recording: str | None = None


@dataclass(frozen=True, repr=False)
class Comparison(Brief):
    """How far S sets of examples of one origin overlap.

    Where a set is `runs`, it stands for the sets of several runs. All values are then means over the pairs of
    a set of the row and a set of the column. On the diagonal these are the pairs of two different runs.

    names : names of the sets. sizes : int or float [S].
    common : [S, S], number of common examples of two sets.
    expected, kappa, jaccard : float [S, S], see `strag.stragglers.overlap`; NaN between empty sets.
    contained : float [S, S], the share |A and B| / |A| of the examples of the set A in the row that are in
        the set B of the column; NaN if A is empty. If A is the examples with a flipped label, this is the
        recall of B; if B is, it is the precision of A.
    examples : P, the number of examples of the data set, from which random sets would be drawn.
    title : of the data set. source : a file's name, for messages.
    kinds : S SetKinds, each None if it is not known.
    pairs : int [S, S], number of pairs that a value is the mean of.
    kappa_std, jaccard_std : float [S, S], standard deviations over these pairs, NaN for a single pair.
    """

    names: tuple
    sizes: np.ndarray
    common: np.ndarray
    expected: np.ndarray
    kappa: np.ndarray
    jaccard: np.ndarray
    contained: np.ndarray
    examples: int
    title: str | None = None
    source: str = "comparison"
    kinds: tuple | None = None
    pairs: np.ndarray | None = None
    kappa_std: np.ndarray | None = None
    jaccard_std: np.ndarray | None = None

    @property
    def brief(self):
        """The content in one line, for `repr`."""
        sizes = (f"{size:.6g}" for size in self.sizes)
        return f"{len(self.sizes)} sets of {some_of(sizes)} stragglers, of {self.examples} examples"

    @property
    def jaccard_by_chance(self):
        """Jaccard index E / (|A| + |B| - E) of random sets of these sizes: float [S, S]."""
        return quotient(self.expected, self.sizes[:, None] + self.sizes - self.expected)

    def holds(self, number):
        """What set number `number` holds, such as `majority`; None if it is not known."""
        known = self.kinds and self.kinds[number]
        return known.holds if known else None

    @property
    def flipped(self):
        """Numbers of the sets of examples with a flipped label: list of int."""
        return [number for number in range(len(self.names)) if self.holds(number) == FLIPPED]


def kind_of(finding):
    """The SetKind of the indices of a Finding, or None if the Finding does not say it, as in older files."""
    runs, recipe = finding.summary.runs_with_a_set, finding.recipe
    at, quorum = recipe.get("at"), recipe.get("quorum")
    if not runs or not isinstance(at, str) or finding.is_of_sets:
        return None
    if recipe.get("core"):
        return SetKind(CORE, runs, at=at, recording=finding.recording)
    if runs == 1:
        return SetKind(RUN, 1, at=at, recording=finding.recording)
    known = isinstance(quorum, (int, float))
    return SetKind(MAJORITY, runs, quorum, at, finding.recording) if known else None


def compare(sets, examples, names, title=None, kinds=None):
    """Compare sets of examples.

    Parameters
    ----------
    sets : list of S sets: an int array of the indices of the set, which are different from each other and
        below `examples`, or a list of such arrays, the sets of several runs.
    examples : P, number of examples of the origin, from which random sets would be drawn.
    names : S names of the sets. title : title of the data set. kinds : S SetKinds, None where not known.

    Returns
    -------
    Comparison
    """
    S, groups = len(sets), [members if isinstance(members, list) else [members] for members in sets]
    single = [members for group in groups for members in group]
    places = np.split(np.arange(len(single)), np.cumsum([len(group) for group in groups])[:-1])
    union = np.unique(np.concatenate(single))
    bits = words(pack(np.stack([np.isin(union, members) for members in single])))
    sizes = np.array([len(members) for members in single])
    overlap = Overlap(
        np.stack([count(bits & row) for row in bits]), sizes[:, None], sizes[None], np.array([[examples]])
    )
    values = {name: getattr(overlap, name) for name in MEASURES if name != "contained"}
    values["contained"] = quotient(overlap.common, sizes[:, None])
    means = _over_pairs(values, [[_pairs(places, a, b) for b in range(S)] for a in range(S)])
    sizes = np.array([sizes[place].mean() for place in places])
    if len(single) == S:
        sizes, means["common"] = sizes.astype(np.int64), means["common"].astype(np.int64)
    kinds = None if kinds is None else tuple(kinds)
    return Comparison(tuple(names), sizes, **means, examples=examples, title=title, kinds=kinds)


def _pairs(places, a, b):
    """The pairs of a set of group a and a set of group b: tuple of two int arrays.

    places : positions of the sets of each group. Within a group of several sets, no set is its own partner.
    """
    first, second = np.meshgrid(places[a], places[b], indexing="ij")
    different = first != second if a == b and len(places[a]) > 1 else np.ones(first.shape, dtype=bool)
    return first[different], second[different]


def _over_pairs(values, pairs):
    """The attributes of a Comparison that are means or deviations over pairs: dict of [S, S] arrays.

    values : dict of measure to its values for all sets [T, T]. pairs : [S][S] pairs of their positions.
    """
    numbers = np.array([[len(first) for first, _ in row] for row in pairs])
    numbers -= np.diag(np.diag(numbers) // 2)  # within a group each pair occurs in both orders

    def each(name, function):
        return np.array([[function(values[name][pair]) for pair in row] for row in pairs])

    found = {name: each(name, np.mean) for name in values}
    if (numbers == 1).all():
        return found
    unbiased = np.sqrt(quotient(numbers, numbers - 1))
    deviations = {f"{name}_std": each(name, np.std) * unbiased for name in ("kappa", "jaccard")}
    return {**found, "pairs": numbers, **deviations}
