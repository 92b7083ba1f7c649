"""Recorder: the histories of trainings that are loops of one's own, in any framework."""

import os

import numpy as np

from strag import kinds
from strag.errors import bad_usage, warn_caller
from strag.files.dataset import described_classes
from strag.files.recorded import write_recorded
from strag.files.recording import Spool, write_recording
from strag.files.streams import STANDARD
from strag.recording.batch import batch_of, require_layers
from strag.recording.due import Due
from strag.recording.examples import Examples, Origin
from strag.recording.ids import some_ids
from strag.recording.recorded import KINDS
from strag.recording.sums import OpenRecord
from strag.recording.tape import Tape, closed_record, figures
from strag.values import LARGEST, LARGEST_UPDATE, checked_fields, choice, optional, refused, several, whole
from strag.values import path as path_check
from strag.values import text as text_check
from strag.words import Brief, number_of, some_of

ONLINE = "online"
RANKS = ("RANK", "WORLD_SIZE")  # of torchrun
NUMBER = "%p"
_COMPLETE = "pass every example once per record, without `drop_last`"


def _refuse_pull(**given):
    """Raise StragError for arguments that only the pull form has."""
    for name, value in given.items():
        if value is not None and not (isinstance(value, (list, tuple)) and not value):
            raise bad_usage(f"`{name}` needs `model`", f"remove `{name}`, or pass `model`")


def _require_origin(origin, examples, classes):
    """Raise StragError for a number of examples or classes other than those of an Origin."""
    if examples not in (None, len(origin.index)):
        problem = f"`examples` is {examples}, but `origin` has {number_of(len(origin.index), 'example')}"
        raise bad_usage(problem, "remove `examples`, or pass the data set that the network is trained on")
    numbered = tuple(map(str, range(len(origin.classes))))
    if classes is not None and tuple(classes) not in (origin.classes, numbered):
        problem = f"`classes` are {some_of(classes)}, but `origin` has the groups {some_of(origin.classes)}"
        raise bad_usage(problem, "remove `classes`")


def _part_of(text):
    """The Part of a text, see `strag.api.part.read_part`, or of torchrun; None for the whole."""
    size = os.environ.get(RANKS[1], "")
    rank = os.environ.get(RANKS[0], "")
    if text is None and not (rank.isdecimal() and size.isdecimal() and int(size) > 1):
        return None
    from strag.api.part import read_part
    from strag.training.parts import Part

    part = Part(int(rank) + 1, int(size)) if text is None else read_part(text)[0]
    return part if part.of > 1 else None


def _number_of(part):
    """What `%p` stands for in the name of a file: the number of a Part, or of a task in an array, or 1."""
    if part is not None:
        return part.number
    from strag.api.part import ARRAYS

    indices = [os.environ[name] for name in ARRAYS if os.environ.get(name, "").isdecimal()]
    return indices[0] if indices else 1


def _classes(value, name):
    """The check of `classes`: a number, or a list of names."""
    if isinstance(value, (list, tuple)):
        names = several(text_check("the name of a class"), "a number, or names of classes", 2)(value, name)
        if len(set(names)) < len(names):
            raise refused(value, name, "each name once")
        return names
    return tuple(str(number) for number in range(whole(2, 10**6)(value, name)))


def _origin(value, name):
    """The check of `origin`: a Dataset, or the path of its file; it becomes an Origin."""
    from strag.datasets.dataset import Dataset

    if not isinstance(value, (Dataset, str, os.PathLike)):
        raise refused(value, name, "a Dataset, or the path of its file")
    data = value if isinstance(value, Dataset) else kinds.read(path_check(value, name), "dataset")
    described = {"labels": data.labels, "title": data.title, "command": data.command}
    described |= {"origin_size": data.origin_size, **described_classes(data)}
    own = (data.origin, data.index, data.groups, data.y, tuple(data.grouping.names), data.names)
    return Origin(*own, described)


@checked_fields(
    layers=lambda value, name: [value] if isinstance(value, str) else value,
    examples=optional(whole(1, LARGEST)),
    classes=optional(_classes),
    recording=choice(*KINDS),
    origin=optional(_origin),
    part=optional(text_check("text such as '3/8', 'auto/8' or 'auto'")),
)
class Recorder(Brief):
    """Records the training of a network by a loop of one's own, and writes its history.

    In the *push* form, which needs no model and no torch, the loop passes the outputs of every batch of a
    pass over the training set to `update`, and closes the record with `record`. In the *pull* form, with a
    `model`, `record` makes the pass itself.

    Parameters
    ----------
    model : of the pull form: the torch module that is trained. Compiled and parallel ones are looked into.
    layers : names of submodules that are each called once in a forward pass, such as "layer3", whose output
        is flattened, or "layer3:mean", its mean over positions.
    data : all training examples, without augmentation: a DataLoader that reads them in order, or in any order
        over `strag.with_index(dataset)`; a map-style data set; arrays (x, y); or a Dataset of strag, which is
        standardised as `strag.train` does. Batches are (x, y), (x, y, ids) or dicts.
    examples : number of examples P of the whole training set; by default those of `origin` or of `data`.
    classes : number of classes C, or their names in the order of the logits; by default numbers.
    recording : "snapshot" if all examples of a record are run with the same parameters and in evaluation
        mode; "online" if the outputs are those of the training itself. Then there are no activations, since
        radii need one network: the file has errors, misclassified examples and margins.
    origin : the Dataset of strag that is the training set, or the path of its file. The ids are then its
        `index`. Otherwise the origin of the history is a sha256 over the sorted ids and labels.
    pool : of the pull form: what is measured of a layer [B, T, D]: "mean", "first" or "last" over the tokens,
        padding included, or "flatten"; or a dict of layer to one of these.
    part : where several processes share the examples, the part K/N of this one, such as "2/4"; by default
        that of torchrun, or the whole.

    Raises StragError for values that cannot be used.

    Examples
    --------
    >>> import numpy as np, os, strag, tempfile
    >>> random = np.random.default_rng(0)
    >>> x, labels = random.normal(size=(60, 4)), np.arange(60) % 2
    >>> x[labels == 1] += 1
    >>> w, recorder = np.zeros((4, 2)), strag.Recorder(examples=60, classes=["a", "b"])
    >>> for update in range(4):
    ...     recorder.update(np.arange(60), x @ w, labels, {"input": x})
    ...     recorder.record(update)
    ...     p = np.exp(x @ w) / np.exp(x @ w).sum(axis=1, keepdims=True)
    ...     w -= x.T @ (p - np.eye(2)[labels]) / 60
    >>> file = recorder.save(os.path.join(tempfile.mkdtemp(), "h.safetensors"))
    >>> strag.read(file)
    History: 1 run, 4 records, 60 examples, 2 groups, layers input
    """

    def __init__(
        self,
        model=None,
        layers=(),
        data=None,
        *,
        examples=None,
        classes=None,
        recording="snapshot",
        origin=None,
        pool=None,
        part=None,
    ):
        self._observer = None
        if model is not None:
            from strag.training.observing import Observer

            if recording == ONLINE:
                raise bad_usage("a pass of `model` is a snapshot", "remove `recording`")
            self._observer = Observer(model, layers, data, pool)
            given = self._observer.origin
            origin = _origin(given, "data") if origin is None and given is not None else origin
            examples = self._observer.examples if examples is None else examples
            classes = self._observer.classes if classes is None else classes
        else:
            _refuse_pull(layers=layers, data=data, pool=pool)
        if origin is not None:
            _require_origin(origin, examples, classes)
            examples, classes = len(origin.index), origin.classes
        if examples is None:
            raise bad_usage("Recorder needs `examples`", "pass the number of examples of the training set")
        self._part, self._part_is_of_ranks = _part_of(part), part is None
        self._examples, self._classes = Examples(examples, origin), classes and tuple(classes)
        self._recording, self._widths, self._spool = recording, None, None
        self._tape, self._open, self._last, self._due = Tape.of(examples), None, {}, {}
        self._has_warned = False

    @property
    def brief(self):
        """The content in one line, for `repr`."""
        size, layers = self._examples.size, f", layers {some_of(self._widths)}" if self._widths else ""
        return f"{number_of(len(self._tape.records), 'record')}, {number_of(size, 'example')}{layers}"

    def update(self, ids, logits, labels, activations=None):
        """Add a batch of examples to the record that `record` closes.

        Parameters
        ----------
        ids : B ids, integers or texts, which name the same examples at every record. An id that occurs again
            before `record` is not counted again.
        logits : float [B, C], an array of torch, numpy, or any library with `__dlpack__` or `__array__`.
        labels : int [B], positions of the logits, 0 to C - 1.
        activations : dict of the name of a layer to float [B, ...], not normalised; further axes are joined.

        Raises StragError for values that do not fit each other or earlier ones, and then adds nothing.
        """
        if self._observer is not None:
            problem = "this Recorder has a `model` and makes the pass itself in `record`"
            raise bad_usage(problem, "use Recorder(examples=P) to pass batches")
        self._add(ids, logits, labels, {} if activations is None else activations)

    def _add(self, ids, logits, labels, activations):
        """Check a batch, and count it as a whole or not at all."""
        batch = batch_of(ids, logits, labels, activations, self._classes and len(self._classes))
        if self._recording == ONLINE and batch.activations:
            problem = "activations of an online recording belong to different parameters"
            raise bad_usage(problem, "remove `activations`, or record a snapshot in evaluation mode")
        widths = {name: h.shape[1] for name, h in batch.activations.items()}
        if self._widths is not None:
            require_layers(batch, self._widths)
            widths = self._widths  # in the order of the first batch
        numbers, new = self._examples.numbers(batch.ids, batch.labels)
        classes = self._classes or tuple(map(str, range(batch.logits.shape[1])))
        record = self._open or OpenRecord(self._examples.size, len(classes), widths)
        counted = record.counted(batch, numbers)
        try:
            self._examples.take(new, numbers, batch.labels)
            record.take(counted)
            self._classes, self._widths, self._open = classes, widths, record
        except BaseException:  # such as Ctrl-C: nothing of a record that is half counted may stay
            self._open = None
            raise

    def record(self, update):
        """Close a record of the network after `update` updates, which rise from record to record.

        With a `model`, the pass over the data is made first. Raises StragError for an update that does not
        rise, and, unless several processes share the examples, for examples that are missing.
        """
        update = whole(0, LARGEST_UPDATE)(update, "update")
        if self._tape.records and update <= self._tape.records[-1].update:
            problem = f"cannot record update {update} after update {self._tape.records[-1].update}"
            raise bad_usage(problem, "pass updates that rise")
        if self._observer is not None:
            self._open = None
            try:
                self._observer.observe(self._add)
            except BaseException:
                self._open = None
                raise
        record = self._open
        if record is None or record.last is None:
            remedy = "call `update` before `record`" if self._observer is None else "pass examples as `data`"
            raise bad_usage(f"the record of update {update} has no examples", remedy)
        seen = int(record.seen.sum())
        if seen < self._examples.size and self._part is None:
            raise self._incomplete(update, record)
        self._warn_of_repeated(update, record)
        members = np.bincount(self._examples.labels[record.seen], minlength=len(self._classes))
        place = None
        if self._part is not None:
            self._spool = self._spool or Spool(len(self._classes), self._widths)
            place = self._spool.put(record)
        closed = closed_record(update, record, members, place)
        last = figures(closed, list(self._widths), members)
        self._open, self._tape, self._last = None, self._tape.with_record(closed, record), last

    def _incomplete(self, update, record):
        """The error for a record without some examples."""
        missing, size = self._examples.missing(record.seen), self._examples.size
        problem = f"the record of update {update} has {record.seen.sum()} of {number_of(size, 'example')}"
        problem += f"; missing are {some_ids(missing)}" if missing else ""
        return bad_usage(problem, _COMPLETE)

    def _warn_of_repeated(self, update, record):
        """Warn once of outputs of other parameters, such as those of a pass that was stopped before `record`.

        Processes that share the examples repeat some, and so does a training that draws examples at random.
        """
        if record.repeated and self._recording != ONLINE and self._part is None and not self._has_warned:
            self._has_warned = True
            problem = (
                f"the record of update {update} has {number_of(record.repeated, 'example')} again, whose"
            )
            problem += " first outputs count"
            warn_caller(f"{problem}; close a record before the parameters change, and pass each example once")

    def due(self, when):
        """The updates at which a record is due, as a container: `if update in recorder.due("log")`.

        when : "log" for 0, 1 and then each update at which ln t has grown by 0.1, as `strag.train` records
        them, or N for every N-th update. `strag.train` also records the last update.
        """
        due = Due(when)
        return self._due.setdefault(due.when, due)

    @property
    def last(self):
        """The figures of the last record for a logger: dict, empty before the first record.

        `update`, `train_error`, `train_loss`, and of every layer `radius/LAYER`, `distance/LAYER` and
        `separation/LAYER`, over the examples that this process recorded.
        """
        return dict(self._last)

    def save(self, path):
        """Write the history of all records so far, and return the path. Recording can go on afterwards.

        path : name of the file. `%p` in it becomes the number of this process: its rank plus 1, the index of
        a task in an array of jobs, or 1.

        Raises StragError without records, and for a file that cannot be written.
        """
        if not self._tape.records:
            raise bad_usage("there is no record to save", "call `record` first")
        name = path_check(path, "path")
        if name == STANDARD:
            raise refused(path, "path", "the path of a file")
        if self._tape.is_complete:
            name = name.replace(NUMBER, str(_number_of(self._part)))
            own = (self._examples, self._classes, tuple(self._widths), self._recording)
            write_recorded(name, self._tape.recorded(*own))
            return name
        if self._part_is_of_ranks and NUMBER not in name:
            problem = "every process needs its own file, but the name has no %p for the number of the process"
            raise bad_usage(problem, "name the file such as h.%p.safetensors", name)
        name = name.replace(NUMBER, str(self._part.number))
        own = (self._examples, self._classes, self._widths, self._recording)
        write_recording(name, self._tape, self._spool, self._part, *own)
        return name
