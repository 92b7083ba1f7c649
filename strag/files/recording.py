"""The kind `recording`: what one process recorded of a training whose examples several processes share."""

import itertools
import tempfile
import weakref

import numpy as np

from strag.bits import pack, unpack
from strag.files.dataset import names_of
from strag.files.history import RECORD
from strag.files.laws import BITS, CLASS, EXAMPLE, GROUP, INDEX, LAYER, NAMES, NOT_NEGATIVE, RISING, Y
from strag.files.recorded import named
from strag.files.spec import Axis, Law, Spec, Tensor
from strag.files.stamp import stamp
from strag.files.streams import no_room
from strag.files.writer import Writer
from strag.identity import identity_of_examples
from strag.recording.ids import order_of
from strag.recording.sums import One, Sums
from strag.words import Brief, number_of

UNITS = Axis("units", "N", step=0)
WITHIN_EXAMPLES = Law(
    *("below P", "does not fit its examples"), lambda array, lengths: not (array >= lengths["example"]).any()
)
SPEC = Spec(
    "recording",
    (
        Tensor("updates", "I64", (RECORD,), "number of updates before each record", (RISING,)),
        Tensor("seen", "U8", (RECORD, BITS), "examples that the process recorded"),
        Tensor("misclassified", "U8", (RECORD, BITS), "those of them that are misclassified"),
        Tensor("loss", "F64", (RECORD,), "sum of their cross-entropies in nats, without the final example"),
        Tensor(
            *("square", "F64", (RECORD, LAYER, CLASS)),
            r"sum of \|x\|^2 over each group, without the final example",
        ),
        Tensor(
            *("totalK", "F64", (RECORD, CLASS, UNITS)),
            "sum of the normalised representations x of layer K over each group, without the final example; "
            "the tensor is `total.NAME`",
        ),
        Tensor(
            *("final", "I64", (RECORD,)),
            "position of the final example: the last one that was seen for the first time",
            (NOT_NEGATIVE, WITHIN_EXAMPLES),
        ),
        Tensor("final_loss", "F64", (RECORD,), "its cross-entropy in nats"),
        Tensor("final_margin", "F64", (RECORD,), "its margin, see `margin` of a history"),
        Tensor(*("finalK", "F64", (RECORD, UNITS)), "its x in layer K; the tensor is `final.NAME`"),
        Tensor(
            *("margins", "F64", (EXAMPLE,)), "sum of the margins over records, where not the final example"
        ),
        Tensor("margin_squares", "F64", (EXAMPLE,), "sum of their squares", (NOT_NEGATIVE,)),
        Tensor(*("index", "I64", (EXAMPLE,), INDEX.meaning, INDEX.laws), required=False),
        *(Y, GROUP),
        *NAMES,
    ),
    named=(LAYER, CLASS),
    filled=(RECORD, EXAMPLE),
    says=("origin",),
)
INTEGER, TEXT = "integer", "text"  # of the ids
_DESCRIBED = ("labels", "title", "command", "origin_size", "class_names", "class_numbers")


class Spool:
    """The class sums of closed records, in a temporary file that disappears with this object.

    classes : number of classes C. widths : dict of layer to its number of units N.
    """

    def __init__(self, classes, widths):
        self._classes, self._widths, self._end = classes, widths, 0
        self._file = None

    def put(self, record):
        """Write the sums of an OpenRecord, and the x of its last example. Returns their place.

        Raises StragError if the temporary folder is full. The place is then free for the next record.
        """
        place = self._end
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="strag-")  # noqa: SIM115
                weakref.finalize(self, self._file.close)
            self._file.seek(place)
            for layer, sums in record.layers.items():
                for array in (sums.total, sums.norm2, record.last.x[layer]):
                    self._file.write(np.ascontiguousarray(array).data)
            self._file.flush()
            self._end = self._file.tell()
        except OSError as error:
            raise no_room(error, "the record of class sums") from None
        return place

    def get(self, place):
        """Yield (layer, Sums, x of the last example) of the record at a place."""
        self._file.seek(place)
        for layer, N in self._widths.items():
            total = self._read(self._classes * N).reshape(self._classes, N)
            yield layer, Sums(total, self._read(self._classes)), self._read(N)

    def _read(self, numbers):
        """Read the next float64 numbers."""
        return np.frombuffer(self._file.read(8 * numbers))


def write_recording(output, tape, spool, part, examples, classes, widths, recording):
    """Write the records of one process.

    output : an open Output, or a destination. tape : Tape. spool : Spool with its sums. part : the Part of
    this process. examples : Examples. classes : names. widths : dict of layer to its number of units.
    recording : "snapshot" or "online".
    """
    ids, size = examples.ids, len(examples.ids)
    seen = [_known(closed.seen, size) for closed in tape.records]
    present = np.flatnonzero(np.any(seen, axis=0))
    kept = present[order_of([ids[number] for number in present])]
    position = np.full(size, -1)
    position[kept] = np.arange(len(kept))
    finals = [closed.last for closed in tape.records]
    whole = {
        "updates": [closed.update for closed in tape.records],
        "seen": pack(np.stack(seen)[:, kept]),
        "misclassified": pack(np.stack([unpack(c.wrong, examples.size)[kept] for c in tape.records])),
        "loss": [closed.loss for closed in tape.records],
        "final": [position[final.number] for final in finals],
        "final_loss": [final.loss for final in finals],
        "final_margin": [final.margin for final in finals],
        "margins": tape.margins[kept],
        "margin_squares": tape.squares[kept],
        **_per_example(examples, [ids[number] for number in kept], kept),
    }
    meta = _meta(part, examples, [ids[number] for number in kept], kept, classes, widths, recording)
    spec = SPEC.numbered(widths)
    lengths = {axis.name: N for layer, N in widths.items() for axis in [UNITS.numbered(layer)]}
    with Writer(output, spec, meta, whole, lengths) as writer:
        for at, closed in enumerate(tape.records):
            for number, (layer, sums, x) in enumerate(spool.get(closed.place)):
                writer.put(_tensor("totalK", layer), at, sums.total)
                writer.put("square", (at, number), sums.norm2)
                writer.put(_tensor("finalK", layer), at, x)
        writer.commit()


def _known(seen, size):
    """The examples that were seen at a record, bool [size], from bits or None for all."""
    return np.ones(size, bool) if seen is None else unpack(seen, None)[:size]


def _tensor(form, layer):
    """The name of the tensor of a layer."""
    return SPEC[form].numbered(layer).name


def _per_example(examples, ids, kept):
    """The tensors of the examples with these ids and numbers."""
    labels, origin = examples.labels[kept], examples.origin
    if origin is None:
        return {"y": labels, "group": labels, **named(ids)}
    names = {} if origin.names is None else origin.names.take(kept).tensors
    return {"index": origin.index[kept], "y": origin.y[kept], "group": labels, **names}


def _meta(part, examples, ids, kept, classes, widths, recording):
    """The stamp of the recording of a process."""
    origin = examples.origin
    identity = identity_of_examples(ids, examples.labels[kept]) if origin is None else origin.identity
    return stamp(
        "recording",
        recording=recording,
        part={"number": part.number, "of": part.of},
        examples=examples.size,
        ids=INTEGER if isinstance(ids[0], int) else TEXT,
        layers=list(widths),
        classes=list(classes),
        origin=identity,
        **({"labels": "classes"} if origin is None else origin.described),
    )


class Recording(Brief):
    """An open recording of one process, read record by record.

    Attributes
    ----------
    updates : int64 [T]. ids : list of int or of str, in increasing order. y, group : int64 [P].
    index : int64 [P], rows of the origin, which are the ids, or None. names : Names of the examples, or
    None. classes, layers : names. recording : "snapshot" or "online". number, of : the process, from 1, and
    how many there are. size : number of examples of the whole training set. margins, margin_squares :
    float64 [P], sums over the records. origin, meta, source : identity of the data set, stamp and name of the
    file.
    """

    def __init__(self, container):
        self._container, self.meta, self.source = container, container.meta, container.name
        layers = self.meta.get("layers")
        spec = SPEC.numbered(layers if isinstance(layers, list) else ())
        tensors = spec.read(container, [name for name in SPEC.names if "K" not in name])
        self.names = names_of(tensors)
        self.index = tensors.pop("index", None)
        for name, values in tensors.items():
            setattr(self, name if name != "seen" else "_seen", values)
        self.layers, self.classes = tuple(self.meta["layers"]), tuple(self.meta["classes"])
        self.recording, self.origin = self.meta.get("recording"), self.meta["origin"]
        part = self.meta.get("part")
        numbers = [part.get(key) for key in ("number", "of")] if isinstance(part, dict) else []
        numbers.append(self.meta.get("examples"))
        if not all(type(number) is int and number >= 1 for number in numbers) or len(numbers) != 3:
            raise SPEC.fault("does not state its part and the number of all examples", self.source)
        self.number, self.of, self.size = numbers
        self.ids = self._ids()
        if not np.take_along_axis(self._bits(self._seen), self.final[:, None], axis=1).all():
            raise SPEC.fault("'final' has examples that were not seen", self.source)

    def _ids(self):
        """The ids of the examples: list of int, or of str."""
        if self.index is not None:
            return self.index.tolist()
        if self.names is None:
            raise SPEC.fault("has no ids", self.source)
        starts = [0, *self.names.ends[:-1].tolist()]
        text = self.names.text.tobytes()
        ends = zip(starts, self.names.ends.tolist(), strict=True)
        ids = [text[start:end].decode("utf-8", "surrogateescape") for start, end in ends]
        try:
            ids = list(map(int, ids)) if self.meta.get("ids") == INTEGER else ids
        except ValueError:
            raise SPEC.fault("has ids that are not integers", self.source) from None
        if any(one >= after for one, after in itertools.pairwise(ids)):
            raise SPEC.fault("has ids that do not rise", self.source)
        return ids

    @property
    def id_type(self):
        """What the ids are: "integer" or "text"."""
        return INTEGER if isinstance(self.ids[0], int) else TEXT

    @property
    def has_origin(self):
        """Whether the ids are rows of a data set of strag."""
        return self.index is not None

    @property
    def described(self):
        """The entries of the stamp about the data set: dict."""
        return {key: self.meta[key] for key in _DESCRIBED if key in self.meta}

    def _bits(self, bits):
        """Convert bits over the examples to booleans [..., P]."""
        return unpack(bits, len(self.ids))

    @property
    def brief(self):
        """The content in one line, for `repr`."""
        sizes = f"{number_of(len(self.updates), 'record')}, {number_of(len(self.ids), 'example')}"
        return f"part {self.number} of {self.of}, {sizes} of {self.size}"

    def seen(self, record):
        """The examples that were seen at a record: bool [P]."""
        return self._bits(self._seen[record])

    def wrong(self, record):
        """Those of them that are misclassified: bool [P]."""
        return self._bits(self.misclassified[record])

    def last(self, record):
        """The One that is kept apart at a record; its `number` is its position."""
        number = int(self.final[record])
        x = {layer: self._container.part(_tensor("finalK", layer), record) for layer in self.layers}
        own = (float(self.final_loss[record]), float(self.final_margin[record]), x)
        return One(number, int(self.group[number]), *own)

    def sums(self, record, layer):
        """The Sums of a layer at a record, without the last example."""
        norm2 = self.square[record, self.layers.index(layer)].copy()
        return Sums(self._container.part(_tensor("totalK", layer), record), norm2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._container.close()


def read(opened):
    """Return the Recording in an open container, which stays open until it is closed."""
    return Recording(opened)
