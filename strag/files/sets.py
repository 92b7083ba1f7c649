"""The kind `sets`: many sets of examples, for as many networks."""

from dataclasses import dataclass

import numpy as np

from strag.bits import pack, unpack
from strag.errors import StragError
from strag.files.laws import BITS, FROM_0, INDEX, no_more_than
from strag.files.spec import Axis, Spec, Tensor
from strag.files.stamp import stamp
from strag.files.writer import write
from strag.identity import identity_of
from strag.stragglers.sets import CONTROLS, Sets

SET = Axis("set", "S")
SPEC = Spec(
    "sets",
    (
        Tensor("members", "U8", (SET, BITS), "examples of the set"),
        Tensor("run", "I64", (SET,), "run whose initial weights the set belongs to", (FROM_0,)),
        Tensor(
            *("update", "I64", (SET,)),
            "when the set was taken: at the inversion, at the update of `--at`, with `--at log` at every "
            "record at which ln t has grown by 0.1, with `--at log:N` at N records evenly spaced in ln t; of "
            "a dose, when its run's own set was taken",
        ),
        Tensor(
            *("control", "I64", (SET,)),
            "0: the set itself, 1: as many at random, 2: as many of each original class, 3: as many of those "
            "that the network misclassified at the record nearest to half of `update` (stamp: `controls`)",
            (FROM_0, no_more_than(len(CONTROLS) - 1)),
        ),
        Tensor(
            *("dose", "F64", (SET,)),
            "0: the run's own set; above 0: share of the examples in most of the runs' sets, most frequent "
            "first, 1 for all of them",
        ),
        Tensor(
            *("network", "I64", (SET,), "position of the network on axis R of the history"), required=False
        ),
        INDEX,
    ),
    says=("origin",),
)


@dataclass(frozen=True)
class StoredSets:
    """Sets in a file.

    sets : Sets, whose members are rows of `index`, int64 [P], rows of the origin. meta, source : as in the
    file.
    """

    sets: Sets
    index: np.ndarray
    meta: dict
    source: str

    @property
    def origin(self):
        return self.meta["origin"]

    @property
    def identity(self):
        """sha256 of the sets, their runs and their origin."""
        tensors = {"members": pack(self.sets.members), "run": self.sets.run, "index": self.index}
        return identity_of({**tensors, self.origin: np.zeros(0)})

    def removed(self, number):
        """Rows of the origin that one set holds: int64."""
        return self.index[self.sets.members[number]]

    def require_some(self):
        """Refuse to train without sets of which there are none."""
        if not len(self.sets.run):
            raise StragError(
                "holds no sets, since no run had an inversion, so that there is nothing to train without",
                "take them at another moment with 'strag sets --at'",
                self.source,
            )


def read(opened):
    """The StoredSets in an open container; where it does not name the networks, they are the runs."""
    tensors = SPEC.read(opened)
    index, tensors = tensors.pop("index"), {"network": tensors["run"], **tensors}
    members = unpack(tensors.pop("members"), len(index))
    return StoredSets(Sets(members=members, **tensors), index, opened.meta, opened.name)


def write_sets(output, sets, history, recipe):
    """Write Sets found in a History into an open Output."""
    tensors = {name: getattr(sets, name) for name in ("run", "update", "control", "dose", "network")}
    tensors |= {"members": pack(sets.members), "index": history.index}
    write(output, SPEC, sets_meta(history, recipe), tensors)


def sets_meta(history, recipe):
    """The stamp of a file of sets found in a History."""
    kept = ("origin", "origin_size", "title", "command", "labels", "classes")
    return stamp(
        "sets",
        recipe=recipe,
        inputs={"history": history.meta.get("inputs", {}), "training": history.recipe},
        controls=list(CONTROLS),
        **{key: history.meta.get(key) for key in kept},
    )
