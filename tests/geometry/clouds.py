"""Representations of one network in one layer, measured as `strag geometry` measures a dump of them."""

import numpy as np

from strag.geometry.further import Further, choose
from strag.geometry.measure import Grid, measure
from strag.geometry.measures import FURTHER
from tests.geometry.test_measure import Part


def head_of(classes, width):
    """The weights of a head, the same for every test: [C, N]."""
    return np.random.default_rng(9).normal(size=(classes, width))


class OnePart(Part):
    """A Part of one network, at one update, with a linear head."""

    head_layer = 1

    def head(self, update, run):
        return self.weight


def part_of(h, labels, weight=None, kept=None):
    """A Part with the representations h [P, N], and with the decisions of the head weight [C, N]."""
    classes = int(labels.max()) + 1 if weight is None else len(weight)
    weight = head_of(classes, h.shape[1]) if weight is None else weight
    P = len(labels)
    part = OnePart(
        h=h[None, None],
        predicted=(np.nan_to_num(h, posinf=0) @ weight.T).argmax(axis=1)[None, None],
        losses=np.zeros((1, 1, P)),
        kept=np.ones((1, P), dtype=bool) if kept is None else kept[None],
        index=np.arange(P),
        group=labels,
        updates=np.array([0]),
        runs=(0,),
        classes=tuple(map(str, range(classes))),
    )
    part.weight = weight
    return part


def values_in(h, labels, names, weight=None, kept=None, tile=4096, examples=None):
    """The values of recorded or optional measures: dict of name to float64 [axis]."""
    grid = Grid([part_of(h, labels, weight, kept)])
    further = Further(tuple(one for one in FURTHER if one.name in names), examples)
    (record,) = measure(grid, tile, further)
    return {name: record.measures[name][0, 0] for name in names if name in record.measures}


def chosen_in(h, labels, *names, **options):
    """The values of the measures that a user chooses, and of those that come along."""
    further = choose(Grid([part_of(h, labels, options.get("weight"))]), names, options.get("examples"))
    return values_in(h, labels, [one.name for one in further.recorded], **options)
