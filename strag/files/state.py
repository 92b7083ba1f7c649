"""The state of the runs in a history, from which a longer training goes on."""

from collections.abc import Mapping

import numpy as np

from strag.errors import StragError
from strag.files.laws import NOT_NEGATIVE, RUN
from strag.files.opening import open_file
from strag.files.spec import Tensor

HEAD = "state."  # of the names of the tensors
REACHED = Tensor(
    *("state.update", "I64", (RUN,)),
    "number of updates before the state of each run, which is that at the end of the runs trained together "
    "with it; present if the history was written with `--keep-state`",
    (NOT_NEGATIVE,),
    required=False,
)
STATE = Tensor(
    *("state.WHAT.NAME", "F32", (RUN, ...)),
    "the state of each run, from which `--extend` goes on. WHAT is `parameter`, and `momentum`, or `first`, "
    "`second` and `steps` of Adam, for what the optimiser keeps of the parameter NAME. The axes after the "
    "first are those of the training: in perceptrons, the first weight has only the inputs that are used, "
    "and a bias has shape [R, outputs, 1]",
    required=False,
)


class Stored(Mapping):
    """The state in a file, as a mapping of name to array. Every array is read from the file when it is used.

    source : path of the file. names : names of the arrays.
    """

    def __init__(self, source, names):
        self.source, self._names = source, names

    def __getitem__(self, name):
        if name not in self._names:
            raise KeyError(name)
        if self.source == "stdin":
            raise StragError("was read from stdin, so its state is gone", "write it to a file", self.source)
        with open_file(self.source, "history") as opened:
            return opened.read(HEAD + name)

    def __iter__(self):
        return iter(self._names)

    def __len__(self):
        return len(self._names)


def state_of(opened, now=False):
    """The state in an open container of a history: mapping of name to array [R, ...], None if it has none.

    now : whether to read it at once. Raises StragError for tensors that cannot be a state.
    """
    layout, runs = opened.layout(), len(opened.meta["runs"])
    names = [name[len(HEAD) :] for name in layout if name.startswith(HEAD)]
    if not names:
        return None
    for name in names:
        dtype, shape = layout[HEAD + name]
        wanted = REACHED.dtypes if HEAD + name == REACHED.name else STATE.dtypes
        if dtype != wanted or shape[:1] != (runs,):
            problem = (
                f"tensor '{HEAD + name}' is {dtype} of shape {list(shape)}, not {wanted} of [{runs}, ...]"
            )
            raise StragError(problem, "create it again with 'strag train --keep-state'", opened.name)
    if now or not hasattr(opened, "_entries"):
        return {name: np.asarray(opened.read(HEAD + name)) for name in names}
    return Stored(opened.name, names)
