"""The kind `history`: the recorded dynamics of R runs, update by update."""

from dataclasses import replace

import numpy as np

from strag.bits import pack, unpack
from strag.files.container import TensorWriter, bytes_of
from strag.files.dataset import names_of
from strag.files.ended import Ended
from strag.files.laws import (
    BITS,
    CLASS,
    EXAMPLE,
    GROUP,
    INDEX,
    LAYER,
    NAMES,
    NOT_NEGATIVE,
    PAIR,
    RISING,
    RUN,
    SHARE,
    TEST_BITS,
    TEST_EXAMPLE,
    Y,
)
from strag.files.spec import Axis, Law, Spec, Tensor
from strag.files.state import HEAD, REACHED, STATE, state_of
from strag.files.writer import Writer, write
from strag.geometry.measures import FURTHER, RECORDED
from strag.signals import held
from strag.stragglers.history import History
from strag.stragglers.sets import described_at

RECORD = Axis("record", "T")
TEST_RECORD = Axis("test record", "K")
NOISE_LEVEL = Axis(
    *("noise level", "S", "recipe.noise"), problem="has test errors at other noise levels than its recipe"
)
EVERY_RUN = Law(
    *("not empty for any run", "has a run that trains on no example"),
    lambda bits, lengths: unpack(bits, lengths["example"]).any(axis=1).all(),
)
WITHIN_RECORDS = Law(
    *("below T", "does not fit its records"), lambda array, lengths: not (array >= lengths["record"]).any()
)
_ALWAYS = (
    "radius",
    "distance",
    "mean_norm2",
)  # in every history with a layer; older files lack the other measures
_AXES = {"class": (CLASS,), "pair": (PAIR,), None: ()}
_OPTIONAL = tuple(measure for measure in FURTHER if not measure.parts)
SPEC = Spec(
    "history",
    (
        Tensor(
            *(
                "updates",
                "I64",
                (RECORD,),
                "number of updates before each record; 0 is the initialisation",
                (RISING,),
            )
        ),
        Tensor(
            *("train_error", "F32", (RECORD, RUN), "share of trained examples misclassified", (SHARE,)),
        ),
        Tensor(
            *("train_loss", "F32", (RECORD, RUN), "mean cross-entropy over trained examples, in nats"),
            (NOT_NEGATIVE,),
            required=False,
        ),
        *(
            Tensor(
                *(measure.name, "F32", (RECORD, RUN, LAYER, *_AXES[measure.axis]), measure.meaning),
                required=measure.name in _ALWAYS,
            )
            for measure in (*RECORDED, *_OPTIONAL)
        ),
        Tensor("misclassified", "U8", (RECORD, RUN, BITS), "misclassified examples, trained or not"),
        Tensor(
            *("trained", "U8", (RUN, BITS)),
            "examples that the run trains on; S(t) holds the trained examples that are misclassified at t",
            (EVERY_RUN,),
        ),
        Tensor(
            *("last_record", "I64", (RUN,)),
            "position on axis T of the last record of each run, after which it has NaN and bits 0; absent if "
            "all runs end at the last record",
            (NOT_NEGATIVE, WITHIN_RECORDS),
            required=False,
        ),
        *(INDEX, Y, GROUP),
        *NAMES,
        Tensor(
            *("margin", "F32", (RUN, EXAMPLE)),
            "mean over the records of the margin, the logit of the group minus the largest other logit; NaN "
            "where a logit was not finite",
            required=False,
            beside="margin_deviation",
        ),
        Tensor(
            *("margin_deviation", "F32", (RUN, EXAMPLE)),
            "population standard deviation of the margin over the records",
            (NOT_NEGATIVE,),
            required=False,
            beside="margin",
        ),
        Tensor(
            *("test_updates", "I64", (TEST_RECORD,)),
            "updates of the test records, which need not be in `updates`; absent without a test set or with "
            "`--test-every never`",
            (RISING,),
            required=False,
            beside="test_error",
        ),
        Tensor(
            *("test_error", "F32", (TEST_RECORD, RUN, NOISE_LEVEL)),
            "share of test examples misclassified, for each noise level in `recipe.noise`",
            required=False,
            beside="test_updates",
        ),
        Tensor(
            *(
                "test_misclassified",
                "U8",
                (TEST_RECORD, RUN, NOISE_LEVEL, TEST_BITS),
                "test examples misclassified",
            ),
            required=False,
            beside="test_updates",
        ),
        Tensor(
            *("y_test", "I64", (TEST_EXAMPLE,)),
            "original class of the test examples; absent without test records, and in older files",
            required=False,
        ),
        REACHED,
    ),
    named=(RUN, LAYER, CLASS),
    filled=(RECORD, RUN, EXAMPLE),
    says=("origin",),
    free=STATE,
)
_RECORDED = tuple(measure.name for measure in RECORDED)
_PER_LAYER = (*_RECORDED, *(measure.name for measure in _OPTIONAL))


def _written(further=()):
    """The SPEC of a history that is written with these measures, in addition to those of every history."""
    names = {"train_loss", *_RECORDED, *further}
    tensors = [replace(tensor, required=tensor.required or tensor.name in names) for tensor in SPEC.tensors]
    return replace(SPEC, tensors=tuple(tensors))


_WRITTEN = _written()
_PER_RECORD = ("train_error", "train_loss", *_PER_LAYER, "misclassified")
_PER_TEST = ("test_error", "test_misclassified")
_OF_TESTS = ("test_updates", *_PER_TEST, "y_test")
_BITS = ("misclassified", "test_misclassified")


def read(opened, tests=True, state=False):
    """Return the History in an open container.

    tests : whether to read its test records. state : whether to read the state of its runs into memory, which
    otherwise is read from the file when it is used. The tensors of measures may be absent if no layer was
    measured.
    """
    spec, meta = SPEC if tests else SPEC.without(_OF_TESTS), opened.meta
    tensors, lengths = spec.checked(opened)
    tensors.pop(REACHED.name, None)  # a part of the state
    for name in _ALWAYS:  # absent where no layer was measured
        shape = tuple(lengths[axis.name] for axis in SPEC[name].axes)
        tensors.setdefault(name, np.zeros(shape, np.float32))
    axes = {axis.stamped: tuple(meta[axis.stamped]) for axis in SPEC.named}
    names = names_of(tensors)
    tensors.setdefault("train_loss", None)
    measures = {name: tensors.pop(name) for name in _PER_LAYER if name in tensors}
    own = {"meta": meta, "source": opened.name, "state": state_of(opened, state)}
    return History(**tensors, **axes, measures=measures, names=names, **own)


def history_bytes(lengths, named=()):
    """Return the bytes of all tensors of a history: int.

    lengths : dict of axis name to length; the history has test records if their number is in it.
    named : arrays that hold the names of the examples.
    """
    given = ("test_updates", "y_test") if lengths.get("test record") else ()
    return bytes_of(_WRITTEN.layout(lengths, given)) + sum(array.nbytes for array in named)


class HistoryWriter(Writer):
    """A history file that is laid out first and filled during training; see `Writer`.

    whole : dict of name to array: `updates`, `trained` and the tensors of the examples; with tests also
    `test_updates` and `y_test`. noise_levels : number of noise levels S. scheduled : updates of the tests
    that every run makes, if runs end on their own, else None. Such a file is cut where the last run ends.
    state : shapes of the arrays of the state of one run, by name, or None if it is not kept. further : names
    of optional measures.
    """

    measures = _RECORDED

    def __init__(self, output, meta, whole, noise_levels=0, spare=0, scheduled=None, state=None, further=()):
        runs = len(meta["runs"])
        free = {} if scheduled is None else {"last_record": (np.int64, (runs,))}
        if state is not None:
            free |= {HEAD + name: (np.float32, (runs, *shape)) for name, shape in state.items()}
            free[REACHED.name] = (np.int64, (runs,))
        spec = _written(further)
        super().__init__(output, spec, meta, whole, {"noise level": noise_levels}, free, spare)
        places = [name for name in ("updates", "test_updates") if name in whole]
        self.places = {name: {int(t): at for at, t in enumerate(whole[name])} for name in places}
        self._committed, self._scheduled = False, scheduled
        self.last_updates = None  # int64 [R], once complete, of runs that end on their own
        self._done = {}  # runs (first, end) -> last update that was finished

    def add(self, record):
        """Write the values of a Record, see `strag.training.records`, at its update and runs."""
        for updates, names in (("updates", _PER_RECORD), ("test_updates", _PER_TEST)):
            at = self.places.get(updates, {}).get(record.update)
            for name in names if at is not None else ():
                value = record.measures.get(name) if name in _PER_LAYER else getattr(record, name)
                if value is not None:
                    self.put(name, (at, record.runs), pack(value) if name in _BITS else value)
        ended = record.ended if "last_record" in self.arrays else None
        if ended is not None and ended.any():
            runs = np.flatnonzero(ended) + record.runs.start
            self.put("last_record", runs, self.places["updates"][record.update])
        has_ended = ended is not None and self.arrays["last_record"][record.runs].all()
        group = (record.runs.start, record.runs.stop)
        self._done[group] = int(self.arrays["updates"][-1]) if has_ended else record.update

    def add_state(self, checkpoint):
        """Write the state of a Checkpoint, see `strag.training.records`, that is the last one of its runs."""
        for name, array in checkpoint.arrays.items():
            self.put(HEAD + name, checkpoint.runs, array)
        self.put(REACHED.name, checkpoint.runs, checkpoint.update)

    def commit(self):
        """Move the finished history to its destination."""
        if "last_record" in self.arrays:
            self._commit_ended()
        else:
            super().commit()
        self._committed = True

    def _commit_ended(self):
        """Write the history anew, cut where its last run ended, and remove the work file."""
        ended = Ended(self.arrays, SPEC, self._scheduled)
        self.last_updates = ended.own
        with TensorWriter(self.output.path, self.meta, ended.layout()) as writer:
            for name in self.arrays:
                for place, values in ended.parts(name):
                    writer.put(name, place, values)
            with held():
                writer.commit()
                self.output.drop()

    def as_container(self, name):
        """The history in memory, cut where its last run ended."""
        if "last_record" in self.arrays:
            self.arrays = Ended(self.arrays, SPEC, self._scheduled).cut()
        return super().as_container(name)

    def commit_partial(self):
        """Write the finished part of the history to PATH.partial.

        Returns (path, number of runs, last update), or None if nothing was written. The file holds the
        finished runs if any run has finished, else the finished records of the first runs. It has no
        state. No file is written if the output is a pipe or the history is complete.
        """
        if self.is_direct or self._committed or not self._done:
            return None
        last = int(self.arrays["updates"][-1])
        runs = _complete_to([group for group, update in self._done.items() if update >= last])
        until = last
        if not runs:  # the first group of runs, as far as it was trained
            first = min(self._done)
            if first[0] > 0:
                return None
            runs, until = first[1], self._done[first]
        ends = {"run": runs, "record": self._number("updates", until)}
        ends["test record"] = self._number("test_updates", until)
        kept = [name for name in self.arrays if not name.startswith(HEAD)]
        kept = [name for name in kept if ends["test record"] or name not in _OF_TESTS]
        arrays = {name: _cut(SPEC[name].axes, self.arrays[name], ends) for name in kept}
        if "last_record" in arrays:  # where a run has not ended, it is 0
            last = arrays["last_record"]
            arrays["last_record"] = np.where(last > 0, last, ends["record"] - 1)
            arrays = Ended(arrays, SPEC, self._scheduled).cut()
            until = int(arrays["updates"][-1])
        meta = {**self.meta, "runs": self.meta["runs"][:runs], "interrupted": until}
        if meta.get("sets"):
            meta["sets"] = described_at(meta["sets"], range(runs))
        path = f"{self.output.path}.partial"
        write(path, SPEC, meta, arrays)
        return path, runs, until

    def _number(self, name, until):
        """Return how many updates in the tensor `name` are at most `until`; 0 without such a tensor."""
        return int(np.searchsorted(self.arrays[name], until, "right")) if name in self.arrays else 0


def _complete_to(groups):
    """The number of runs up to which all are in these groups, a list of (first, end)."""
    stop = 0
    for first, end in sorted(groups):
        stop = end if first == stop else stop
    return stop


def _cut(axes, array, ends):
    """Return an array cut at the ends of its axes. ends : dict of axis name to its new length."""
    return array[tuple(slice(ends.get(axis.name)) for axis in axes)]
