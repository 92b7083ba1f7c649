"""Expansion: the exact share of each example in the change of the squared class radii between two states.

With x_i the normalised activations of example i of class c, m_c the mean of x over the class, and P_c its
number of examples,

    share_i = (|x_i(t2)|^2 - |x_i(t1)|^2) / P_c - (x_i(t2) - x_i(t1)) . (m_c(t1) + m_c(t2)) / P_c.

Since R_c^2 = mean |x|^2 - |m_c|^2, and |m_c(t2)|^2 - |m_c(t1)|^2 is the product of the sum and the difference
of the means, the shares of a class sum to R_c^2(t2) - R_c^2(t1). Other exact shares exist, such as the change
of |x_i - m_c|^2 / P_c. In this one, the share of an example that does not move is 0, although the mean moves.
"""

from dataclasses import dataclass

import numpy as np

from strag.errors import StragError
from strag.geometry.moments import ClassMoments, normalise


@dataclass(frozen=True)
class Expansion:
    """The shares of P examples in the change of R_c^2 between two states of R networks.

    Attributes
    ----------
    share : float64 [R, P], positive for an example that expands its class; NaN for an example that the
        network was not trained on.
    radius2 : float64 [2, R, C], R_c^2 in the first and in the second state; NaN for a class without examples.
    count : int64 [R, C], P_c, the number of examples of each class that the network was trained on.
    """

    share: np.ndarray
    radius2: np.ndarray
    count: np.ndarray

    @property
    def classes(self):
        """Number of classes with examples: int64 [R]."""
        return (self.count > 0).sum(axis=-1)

    @property
    def sums(self):
        """Changes of R_c^2: float64 [R, C]; NaN for a class without examples."""
        return self.radius2[1] - self.radius2[0]

    @property
    def change(self):
        """Change of R^2, the mean of R_c^2 over the classes with examples: float64 [R]."""
        return np.nansum(self.sums, axis=-1) / self.classes

    def part(self, members):
        """The part of some examples in the change of R^2, which is the sum of their shares over C: [R].

        members : bool [R, P] or [P].
        """
        return np.nansum(np.where(members, self.share, 0), axis=-1) / self.classes

    def mean(self):
        """Mean share of each example over the networks that were trained on it: float64 [P].

        NaN for an example that no network was trained on.
        """
        trained = ~np.isnan(self.share)
        with np.errstate(invalid="ignore"):
            return np.where(trained, self.share, 0).sum(axis=0) / trained.sum(axis=0)


def expansion(visit, group, trained, classes):
    """The Expansion of R networks between two states.

    Parameters
    ----------
    visit : function that returns an iterator over all networks and examples. Its items are (runs, rows, h1,
        h2): the positions of some networks, a slice of the examples, and the activations in both states,
        float [., B, N]. It is called twice: for the class means, then for the shares.
    group : int [P], the class of each example. trained : bool [R, P]. classes : C.

    Raises StragError for activations that are not finite.
    """
    moments = _moments(visit, group, trained, classes)
    radius2 = np.stack([[of_run.radii() ** 2 for of_run in moments[state]] for state in (0, 1)])
    middle = [first.means() + second.means() for first, second in zip(*moments, strict=True)]
    count = np.stack([of_run.count for of_run in moments[0]]).astype(np.int64)
    share = np.full(trained.shape, np.nan)
    for run, rows, kept, labels, (x1, x2) in _normalised(visit, group, trained):
        moved = np.einsum("bn,bn->b", x2 - x1, middle[run][labels])
        longer = np.square(x2).sum(axis=-1) - np.square(x1).sum(axis=-1)
        share[run, rows][kept] = (longer - moved) / count[run][labels]
    return Expansion(share, radius2, count)


def _moments(visit, group, trained, classes):
    """The ClassMoments of both states: lists [2][R]."""
    moments = [[None] * len(trained), [None] * len(trained)]
    for run, _, _, labels, states in _normalised(visit, group, trained):
        for state, x in enumerate(states):
            known = moments[state][run] or ClassMoments.zeros((), classes, x.shape[-1])
            moments[state][run] = known.merge(ClassMoments.of(x, labels, classes))
    for of_run in (*moments[0], *moments[1]):
        if not np.isfinite(of_run.norm2).all():
            raise StragError("has activations that are not finite", "choose `runs` that did not diverge")
    return moments


def _normalised(visit, group, trained):
    """Yield the trained examples of a tile, one network at a time.

    The items are (run, rows, kept, labels, states): the position of the network, the slice of the examples,
    which of these are trained, bool [B], their classes, and x in both states, float64 [kept, N].
    """
    for runs, rows, *states in visit():
        for position, run in enumerate(runs):
            kept = trained[run, rows]
            x = [normalise(h[position][kept].astype(np.float64)) for h in states]
            yield run, rows, kept, group[rows][kept], x


def summarised(values):
    """The mean, the smallest and the largest of the values of the runs: dict of float."""
    values = np.asarray(values, dtype=np.float64)
    return {
        "mean": float(values.mean()),
        "smallest": float(values.min()),
        "largest": float(values.max()),
    }


def divided(whole, members, trained):
    """How the change of R^2 divides between the stragglers and the others: dict of `summarised` values.

    whole : Expansion. members : bool [R, P] or [P], the stragglers. trained : bool [R, P].

    `examples` is the number of stragglers that a run trains on, and `share_of_examples` their share of all
    examples that it trains on. `stragglers` and `others` are the parts of both in the change of R^2.
    `share_of_change` is the mean part of the stragglers divided by the mean change; None if that is 0.
    """
    members = np.broadcast_to(members, trained.shape) & trained
    examples, part = members.sum(axis=-1), whole.part(members)
    change = whole.change.mean()
    return {
        "examples": summarised(examples),
        "share_of_examples": summarised(examples / trained.sum(axis=-1)),
        "stragglers": summarised(part),
        "others": summarised(whole.part(trained & ~members)),
        "share_of_change": float(part.mean() / change) if change else None,
    }
