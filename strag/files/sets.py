"""The kind `sets`: many sets of examples, for as many networks."""

import numpy as np

from strag.datasets.dataset import identity_of
from strag.errors import StragError
from strag.files.container import write_tensors
from strag.files.stamp import stamp
from strag.stragglers.history import pack, unpack
from strag.stragglers.sets import CONTROLS, Sets

SPEC = {
    "members": ("U8", "S B", True),
    "run": ("I64", "S", True),
    "update": ("I64", "S", True),
    "control": ("I64", "S", True),
    "dose": ("F64", "S", True),
    "network": ("I64", "S", False),
    "index": ("I64", "P", True),
}


def write_sets(output, sets, history, recipe):
    """Write Sets found in a History into an open Output."""
    kept = ("origin", "origin_size", "title", "command", "labels", "classes")
    meta = stamp(
        "sets",
        recipe=recipe,
        inputs={"history": history.meta.get("inputs", {}), "training": history.recipe},
        controls=list(CONTROLS),
        **{key: history.meta.get(key) for key in kept},
    )
    tensors = {name: getattr(sets, name) for name in ("run", "update", "control", "dose", "network")}
    tensors |= {"members": pack(sets.members), "index": history.index}
    write_tensors(output.path, meta, tensors, output)


class SetsFile:
    """What `train --without` uses of a sets file, which it refuses if it holds none.

    sets : Sets, whose members are rows of `index`, int64 [P], rows of the origin.
    origin, meta, source : as in the file.
    """

    def __init__(self, container):
        tensors, self.meta, self.source = container.read_all(SPEC), container.meta, container.name
        P = len(tensors["index"])
        tensors.setdefault("network", tensors["run"])
        for problem, wrong in (
            ("has bits that do not fit its examples", tensors["members"].shape[1] != -(-P // 8)),
            ("has an index that names an example twice", np.unique(tensors["index"]).size != P),
            ("has runs or controls that do not exist", not _exist(tensors)),
            ("does not say its origin", not isinstance(self.meta.get("origin"), str)),
        ):
            if wrong:
                raise StragError(problem, "make it again with 'strag sets'", self.source)
        if not len(tensors["run"]):
            raise StragError(
                "holds no sets, since no run had an inversion, so that there is nothing to train without",
                "take them at another moment with 'strag sets --at'",
                self.source,
            )
        self.origin, self.index = self.meta["origin"], tensors.pop("index")
        self.sets = Sets(**{**tensors, "members": unpack(tensors["members"], P)})

    @property
    def identity(self):
        """sha256 of the sets, their runs and their origin."""
        tensors = {"members": pack(self.sets.members), "run": self.sets.run, "index": self.index}
        return identity_of({**tensors, self.origin: np.zeros(0)})

    def removed(self, number):
        """Rows of the origin that one set holds: int64."""
        return self.index[self.sets.members[number]]


def _exist(tensors):
    control = tensors["control"]
    return (tensors["run"] >= 0).all() and ((control >= 0) & (control < len(CONTROLS))).all()
