"""The kind `sets`: sets of examples, each of which one network leaves out."""

from dataclasses import dataclass

import numpy as np

from strag.bits import pack, unpack
from strag.errors import StragError
from strag.files.laws import BITS, INDEX, NOT_NEGATIVE, no_more_than
from strag.files.spec import Axis, Spec, Tensor
from strag.files.stamp import stamp
from strag.files.writer import write
from strag.identity import identity_of
from strag.stragglers.sets import CONTROLS, Sets
from strag.stragglers.unknown import carried
from strag.words import Brief, number_of

SET = Axis("set", "S")
SPEC = Spec(
    "sets",
    (
        Tensor("members", "U8", (SET, BITS), "examples of the set"),
        Tensor("run", "I64", (SET,), "run whose initial weights the set belongs to", (NOT_NEGATIVE,)),
        Tensor(
            *("update", "I64", (SET,)),
            "update at which the set was taken; for a dose, the update at which the run's own set was taken",
        ),
        Tensor(
            *("control", "I64", (SET,)),
            "kind of set: 0 is the set itself, 1 to 4 are controls of the same size, listed below",
            (NOT_NEGATIVE, no_more_than(len(CONTROLS) - 1)),
        ),
        Tensor(
            *("dose", "F64", (SET,)),
            "0: the run's own set; above 0: share of the consensus that the set holds, most frequent "
            "examples first, 1 for the whole consensus",
        ),
        Tensor(
            *(
                "network",
                "I64",
                (SET,),
                "position of the network on axis R of the history; if absent, equal to `run`",
            ),
            required=False,
        ),
        INDEX,
    ),
    says=("origin",),
)


@dataclass(frozen=True, repr=False)
class StoredSets(Brief):
    """The sets in a file.

    sets : Sets, whose members are positions in `index`. index : int64 [P], rows of the origin. meta, source :
    stamp and name of the file.
    """

    sets: Sets
    index: np.ndarray
    meta: dict
    source: str

    @property
    def brief(self):
        """The content in one line, for `repr`."""
        networks = self.sets.network
        sets, runs = number_of(len(networks), "set"), number_of(len(set(networks.tolist())), "run")
        return f"{sets} of {runs}, of {number_of(len(self.index), 'example')}"

    @property
    def recording(self):
        """How networks that strag did not train were recorded: `snapshot` or `online`; None for others."""
        return self.meta.get("recording")

    @property
    def origin(self):
        """Identity of the data set in whose rows `index` counts."""
        return self.meta["origin"]

    @property
    def identity(self):
        """The sha256 of the sets, their runs and their origin, in hexadecimal."""
        tensors = {"members": pack(self.sets.members), "run": self.sets.run, "index": self.index}
        return identity_of({**tensors, self.origin: np.zeros(0)})

    def removed(self, number):
        """Return the rows of the origin in set number `number`, from 0 on: int64."""
        return self.index[self.sets.members[number]]

    def require_some(self):
        """Raise StragError if there are no sets."""
        if not len(self.sets.run):
            raise StragError(
                "holds no sets because no run had an inversion",
                "choose another moment with `at`",
                self.source,
            )


def read(opened):
    """Return the StoredSets in an open container. Without the tensor `network`, it equals `run`."""
    tensors = SPEC.read(opened)
    index, tensors = tensors.pop("index"), {"network": tensors["run"], **tensors}
    members = unpack(tensors.pop("members"), len(index))
    return StoredSets(Sets(members=members, **tensors), index, opened.meta, opened.name)


def write_sets(output, sets, history, recipe):
    """Write Sets found in a History into an open Output. recipe : dict of the options of the search."""
    tensors = {name: getattr(sets, name) for name in ("run", "update", "control", "dose", "network")}
    tensors |= {"members": pack(sets.members), "index": history.index}
    write(output, SPEC, sets_meta(history, recipe), tensors)


def sets_meta(history, recipe):
    """Return the stamp of a file of sets found in a History."""
    kept = ("origin", "origin_size", "title", "command", "labels", "classes")
    return stamp(
        "sets",
        recipe=recipe,
        inputs={"history": history.meta.get("inputs", {}), "training": history.recipe},
        controls=list(CONTROLS),
        **{key: history.meta.get(key) for key in kept},
        **carried(history),
    )
