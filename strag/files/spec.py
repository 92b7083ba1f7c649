"""What a kind of file holds, said once: its tensors or keys, with named axes and laws.

From the SPEC of a kind follow the layout that a writer needs, the checks of its reader, and its table in
FORMATS.md.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from strag.errors import StragError
from strag.files.header import DTYPES
from strag.files.stamp import check_fields
from strag.kinds import maker_of, remake


@dataclass(frozen=True)
class Axis:
    """A named axis of tensors.

    name : the same name is the same length in every tensor of a file. letter : what FORMATS.md and messages
    call the length. stamped : key of the stamp that names the items, in a list of this length; dotted where
    it lies deeper. length : from the dict of lengths by name, where it follows from other axes. problem :
    said where a length does not follow or is not named. step : for an axis of numbered tensors, whose
    length is that of the units of layer K + step.
    """

    name: str
    letter: str
    stamped: str | None = None
    length: Callable | None = None
    problem: str | None = None
    step: int | None = None

    def numbered(self, number):
        """This axis in the tensor of one number, or layer."""
        if self.step is None:
            return self
        return replace(self, name=units(number + self.step if self.step else number), step=None)


def units(layer):
    """The name of the axis over the units of a layer; 0 is the input."""
    return f"units of layer {layer}"


@dataclass(frozen=True)
class Law:
    """What must be true of the values of a tensor.

    name : as FORMATS.md says it. problem : what is said of a tensor that breaks it, after its name.
    holds : of an array and the dict of lengths by axis; None where the object that is read holds it itself.
    """

    name: str
    problem: str = ""
    holds: Callable | None = None

    @property
    def stated(self):
        """The same law where the object that is read holds it itself."""
        return replace(self, holds=None)


@dataclass(frozen=True)
class Tensor:
    """A tensor of a kind of file.

    name : with K for a number, or layer, where there is one per layer. dtypes : 'F32', or those it may have,
    the first of which is written. axes : tuple of Axis, and perhaps `...` at the end. meaning : for
    FORMATS.md. required : whether a file must have it. beside : a tensor without which it is not there, nor
    the other way round.
    """

    name: str
    dtypes: str
    axes: tuple
    meaning: str
    laws: tuple = ()
    required: bool = True
    beside: str | None = None

    @property
    def is_numbered(self):
        return "K" in self.name

    def numbered(self, number):
        """The tensor of one number, or layer."""
        axes = tuple(axis.numbered(number) for axis in self.axes)
        return replace(self, name=self.name.replace("K", str(number)), axes=axes)

    def lengths(self, shape):
        """Dict of axis name to length in a tensor of this shape."""
        return {axis.name: length for axis, length in zip(self.axes, shape, strict=False) if axis is not ...}


@dataclass(frozen=True)
class Spec:
    """A binary kind: its tensors, and what its stamp must say.

    named : axes whose items the stamp must name. filled : axes that must not be empty. says : keys of the
    stamp that must hold a text. free : further tensors, whose names each file chooses.
    """

    kind: str
    tensors: tuple
    named: tuple = ()
    filled: tuple = ()
    says: tuple = ()
    free: Tensor | None = None
    _axes: tuple = field(init=False, repr=False)

    def __post_init__(self):
        axes = [axis for tensor in self.tensors for axis in tensor.axes if axis is not ...]
        object.__setattr__(self, "_axes", tuple(dict.fromkeys([*self.named, *axes])))

    def __getitem__(self, name):
        return next(tensor for tensor in self.tensors if tensor.name == name)

    @property
    def names(self):
        """The names of the tensors."""
        return tuple(tensor.name for tensor in self.tensors)

    def numbered(self, numbers, dtypes=None):
        """This Spec with a tensor of each of these numbers, or layers, where it has K.

        dtypes : dict of the name with K to the dtype of a file, where it is not the first.
        """
        kept = [tensor for tensor in self.tensors if not tensor.is_numbered]
        wanted = [tensor for tensor in self.tensors if tensor.is_numbered]
        wanted = [replace(one, dtypes=(dtypes or {}).get(one.name, one.dtypes)) for one in wanted]
        numbered = [tensor.numbered(number) for number in numbers for tensor in wanted]
        return replace(self, tensors=(*kept, *numbered))

    def without(self, names):
        """This Spec without the tensors of these names."""
        return replace(self, tensors=tuple(one for one in self.tensors if one.name not in names))

    def followed(self, lengths):
        """The dict of lengths by axis with those that follow from others."""
        found = dict(lengths)
        for axis in self._axes:
            if axis.length is not None and axis.name not in found:
                length = axis.length(found)
                found |= {} if length is None else {axis.name: length}
        return found

    def layout(self, lengths, given=()):
        """Dict of tensor name to (numpy dtype, shape), from a dict of lengths by axis.

        given : names of tensors to lay out although no file must have them; those beside them come too.
        """
        lengths, layout = self.followed(lengths), {}
        for tensor in self.tensors:
            if tensor.required or tensor.name in given or tensor.beside in given:
                shape = tuple(lengths[axis.name] for axis in tensor.axes)
                layout[tensor.name] = (DTYPES[tensor.dtypes.split("|")[0]], shape)
        return layout

    def check(self, container):
        """Check the stamp, and dtypes, shapes and names of the axes of an open container, whose tensors stay
        unread: dict of lengths by axis.
        """
        check_fields(container.meta, container.name)
        layout, lengths = container.layout(), {}
        for tensor in self.tensors:
            if tensor.name in layout:
                self._fit(tensor, layout[tensor.name], lengths, container.name)
            elif tensor.required and not _is_unmeasured(tensor, container.meta):
                remedy = f"make it with '{maker_of(self.kind)}'"
                raise StragError(f"has no tensor '{tensor.name}'", remedy, container.name)
            if tensor.beside and (tensor.name in layout) != (tensor.beside in layout):
                pair = " and ".join(f"'{name}'" for name in sorted((tensor.name, tensor.beside)))
                raise self.fault(f"has only one of {pair}", container.name)
        return self._checked_axes(lengths, container)

    def _fit(self, tensor, found, lengths, source):
        dtype, shape = found
        if dtype not in tensor.dtypes.split("|"):
            wanted = tensor.dtypes.replace("|", " or ")
            raise self.fault(f"tensor '{tensor.name}' is {dtype}, not {wanted}", source)
        axes = [axis for axis in tensor.axes if axis is not ...]
        fits = len(shape) >= len(axes) if ... in tensor.axes else len(shape) == len(axes)
        for axis, length in zip(axes, shape, strict=False):
            fits = lengths.setdefault(axis.name, length) == length and fits
        if not fits:
            known = ", ".join(str(lengths.get(axis.name, axis.letter)) for axis in axes)
            known += ", ..." if ... in tensor.axes else ""
            raise self.fault(f"tensor '{tensor.name}' has shape {list(shape)}, not [{known}]", source)

    def _checked_axes(self, lengths, container):
        for axis in self._axes:
            names = _named(container.meta, axis.stamped) if axis.stamped else None
            if isinstance(names, list) and (names or axis in self.named):
                fits = lengths.setdefault(axis.name, len(names)) == len(names)
            else:
                fits = axis not in self.named
            if not fits:
                size = f"{lengths[axis.name]} " if axis.name in lengths else ""
                raise self.fault(axis.problem or f"does not name its {size}{axis.stamped}", container.name)
        for axis in self.filled:
            if not lengths.get(axis.name):
                raise self.fault(f"has no {axis.name}s", container.name)
        for axis in self._axes:
            follows = None if axis.length is None else axis.length(lengths)
            if follows is not None and lengths.setdefault(axis.name, follows) != follows:
                raise self.fault(axis.problem, container.name)
        for key in self.says:
            if not isinstance(container.meta.get(key), str):
                raise self.fault(f"does not state its {key}", container.name)
        return lengths

    def read(self, container, names=None):
        """The tensors of an open container that are there, checked with all else: dict of name to array.

        names : those to read; all of them by default.
        """
        return self.checked(container, names)[0]

    def checked(self, container, names=None):
        """What `read` gives, and the dict of lengths by axis."""
        lengths, layout, tensors = self.check(container), container.layout(), {}
        for tensor in self.tensors:
            if tensor.name in layout and (names is None or tensor.name in names):
                array = tensors[tensor.name] = container.read(tensor.name)
                for law in tensor.laws:
                    if law.holds is not None and not law.holds(array, lengths):
                        raise self.fault(f"'{tensor.name}' {law.problem}", container.name)
        return tensors, lengths

    def fault(self, problem, source):
        """The StragError for a file of this kind that cannot be read."""
        return StragError(problem, remake(self.kind), source)


def _named(meta, key):
    """What stands under a dotted key of a stamp, or None."""
    for part in key.split("."):
        meta = meta.get(part) if isinstance(meta, dict) else None
    return meta


def _is_unmeasured(tensor, meta):
    """Whether the stamp says that an axis of a tensor has no items, so that it may be absent."""
    return any(axis is not ... and axis.stamped and meta.get(axis.stamped) == [] for axis in tensor.axes)


@dataclass(frozen=True)
class Keys:
    """Keys of a JSON object that belong together.

    names : of the keys. meaning : for FORMATS.md. of : Keys of the object, or of each of the objects, under
    the first of them. holds : of the value of each key, and problem : said where it does not hold, after the
    name of the key.
    """

    names: tuple
    meaning: str
    of: tuple = ()
    holds: Callable | None = None
    problem: str = ""


@dataclass(frozen=True)
class JsonSpec:
    """A JSON kind: the keys beside the stamp."""

    kind: str
    keys: tuple

    @property
    def names(self):
        """The names of the keys of the object."""
        return tuple(name for keys in self.keys for name in keys.names)

    def check(self, opened):
        """Check the stamp, and each value alone, of an open Document; return the object."""
        check_fields(opened.meta, opened.name)
        for keys in self.keys:
            for name in keys.names if keys.holds else ():
                if not keys.holds(opened.value.get(name)):
                    raise self.fault(f"'{name}' {keys.problem}", opened.name)
        return opened.value

    def fault(self, problem, source):
        """The StragError for a file of this kind that cannot be read."""
        return StragError(problem, remake(self.kind), source)


def markdown(spec):
    """The table of a kind in FORMATS.md."""
    if isinstance(spec, JsonSpec):
        return "\n".join(["| key | meaning |", "|---|---|", *_key_rows(spec.keys)])
    tensors = (*spec.tensors, *([spec.free] if spec.free else []))
    rows = ["| tensor | dtype | shape | meaning | must be |", "|---|---|---|---|---|"]
    return "\n".join([*rows, *(f"| {' | '.join(_cells(tensor))} |" for tensor in tensors)])


def _cells(tensor):
    axes = ["..." if axis is ... else axis.letter for axis in tensor.axes]
    bits = any(axis is not ... and axis.letter.startswith("ceil") for axis in tensor.axes)
    dtypes = tensor.dtypes.replace("|", " or ") + (" bits" if bits else "")
    absent = () if tensor.required else ("may be absent",) if tensor.beside is None else (
        f"together with `{tensor.beside}`",
    )  # fmt: skip
    laws = ", ".join([*absent, *(law.name for law in tensor.laws)])
    return f"`{tensor.name}`", dtypes, f"[{', '.join(axes)}]", tensor.meaning, laws


def _key_rows(keys):
    for one in keys:
        yield f"| {', '.join(f'`{name}`' for name in one.names)} | {one.meaning} |"
        yield from _key_rows(one.of)


def table_under(text, title):
    """The first table under a heading `## title` of a Markdown text."""
    section = text.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return re.search(r"(?:^\|.*\n)+", section, flags=re.M)[0].rstrip("\n")
