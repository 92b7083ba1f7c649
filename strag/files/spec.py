"""The specification of a kind of file: its tensors or keys, with named axes and laws.

The SPEC of a kind determines the layout for its writer, the checks of its reader, and its table in
FORMATS.md.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from strag.errors import StragError
from strag.files.header import DTYPES
from strag.files.stamp import check_fields
from strag.kinds import maker_of, remake
from strag.words import as_text


@dataclass(frozen=True)
class Axis:
    """A named axis of tensors.

    name : name of the axis; axes of the same name have the same length in all tensors of a file. letter :
    symbol of the length in FORMATS.md and in messages. stamped : key of the stamp that lists the items of the
    axis, dotted if it is nested. length : if the length follows from other axes, the function that returns it
    for a dict of axis name to length. problem : the message for a length that contradicts `length` or
    `stamped`. step : for an axis of a numbered tensor whose length is the number of units of layer K + step.
    """

    name: str
    letter: str
    stamped: str | None = None
    length: Callable | None = None
    problem: str | None = None
    step: int | None = None

    def numbered(self, number):
        """Return this axis in the tensor for one number or layer."""
        if self.step is None:
            return self
        return replace(self, name=units(number + self.step if self.step else number), step=None)


def units(layer):
    """Return the name of the axis over the units of a layer; layer 0 is the input."""
    return f"units of layer{_suffix(layer)}"


def _suffix(number):
    """Return what K stands for in the name of a tensor: `1` for layer 1, and `.1` for a module called 1."""
    return f".{as_text(number)}" if isinstance(number, str) else str(number)


@dataclass(frozen=True)
class Law:
    """A condition on the values of a tensor.

    name : the condition in FORMATS.md. problem : the message for a tensor that violates it, after its name.
    holds : function of an array and the dict of axis name to length that says whether the condition holds;
    None if the object that is read checks the condition itself.
    """

    name: str
    problem: str = ""
    holds: Callable | None = None

    @property
    def stated(self):
        """The same law without `holds`, for an object that checks it itself."""
        return replace(self, holds=None)


@dataclass(frozen=True)
class Tensor:
    """A tensor of a kind of file.

    name : the name, with K if there is one tensor per run or layer. K stands for a number, or for a dot and
    the name of a layer.
    dtypes : such as 'F32', or alternatives separated by '|'; the first one is written.
    axes : tuple of Axis, with `...` at the end for any further axes. meaning : description in FORMATS.md.
    laws : the conditions on its values. required : whether every file must have this tensor. beside : name of
    an optional tensor that a file has if and only if it has this one.
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
        """Whether a file has one such tensor per number or layer."""
        return "K" in self.name

    def numbered(self, number):
        """Return this tensor for one number or layer."""
        axes = tuple(axis.numbered(number) for axis in self.axes)
        return replace(self, name=self.name.replace("K", _suffix(number)), axes=axes)

    def lengths(self, shape):
        """Return the dict of axis name to length for a tensor of this shape."""
        return {axis.name: length for axis, length in zip(self.axes, shape, strict=False) if axis is not ...}


@dataclass(frozen=True)
class Spec:
    """A binary kind: its tensors, and the required content of its stamp.

    named : axes whose items the stamp must list. filled : axes that must not be empty. says : keys of the
    stamp that must hold a text. free : the form of further tensors, whose names are not fixed.
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
        """Return the Tensor of this name."""
        return next(tensor for tensor in self.tensors if tensor.name == name)

    def axes_of(self, name):
        """Return the names of the axes of a tensor, None for `...`: list. It may be a further tensor."""
        tensor = self[name] if name in self.names else self.free
        return [None if axis is ... else axis.name for axis in tensor.axes]

    @property
    def names(self):
        """The names of the tensors."""
        return tuple(tensor.name for tensor in self.tensors)

    def numbered(self, numbers, dtypes=None):
        """Return this Spec with one tensor per number or layer in place of each tensor with K in its name.

        dtypes : dict of the name with K to the dtype to use instead of the alternatives.
        """
        dtypes = dtypes or {}
        kept = [tensor for tensor in self.tensors if not tensor.is_numbered]
        forms = [tensor for tensor in self.tensors if tensor.is_numbered]
        forms = [replace(form, dtypes=dtypes.get(form.name, form.dtypes)) for form in forms]
        numbered = [form.numbered(number) for number in numbers for form in forms]
        return replace(self, tensors=(*kept, *numbered))

    def without(self, names):
        """Return this Spec without the tensors of these names."""
        return replace(self, tensors=tuple(tensor for tensor in self.tensors if tensor.name not in names))

    def followed(self, lengths):
        """Return the dict of axis name to length, completed by the lengths that follow from others."""
        complete = dict(lengths)
        for axis in self._axes:
            if axis.length is not None and axis.name not in complete:
                length = axis.length(complete)
                complete |= {} if length is None else {axis.name: length}
        return complete

    def layout(self, lengths, given=()):
        """Return the dict of tensor name to (numpy dtype, shape). lengths : dict of axis name to length.

        given : names of optional tensors to include, together with the tensors that accompany them.
        """
        lengths, layout = self.followed(lengths), {}
        for tensor in self.tensors:
            if tensor.required or tensor.name in given or tensor.beside in given:
                shape = tuple(lengths[axis.name] for axis in tensor.axes)
                layout[tensor.name] = (DTYPES[tensor.dtypes.split("|")[0]], shape)
        return layout

    def check(self, container):
        """Check the stamp, dtypes, shapes and axis names of an open container without reading its tensors.

        Returns the dict of axis name to length. Raises StragError for a file that does not fit.
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

    def _fit(self, tensor, entry, lengths, source):
        """Check the dtype and shape of one tensor, and add the lengths of its axes to `lengths`."""
        dtype, shape = entry
        if dtype not in tensor.dtypes.split("|"):
            dtypes = tensor.dtypes.replace("|", " or ")
            raise self.fault(f"tensor '{tensor.name}' is {dtype}, not {dtypes}", source)
        axes = [axis for axis in tensor.axes if axis is not ...]
        fits = len(shape) >= len(axes) if ... in tensor.axes else len(shape) == len(axes)
        for axis, length in zip(axes, shape, strict=False):
            fits = lengths.setdefault(axis.name, length) == length and fits
        if not fits:
            known = ", ".join(str(lengths.get(axis.name, axis.letter)) for axis in axes)
            known += ", ..." if ... in tensor.axes else ""
            raise self.fault(f"tensor '{tensor.name}' has shape {list(shape)}, not [{known}]", source)

    def _checked_axes(self, lengths, container):
        """Check the axes against the stamp and each other. Returns the dict of all axes to their lengths."""
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
        """Read and check the tensors of an open container: dict of tensor name to array.

        names : the tensors to read if the file has them; by default all. Raises StragError for a file that
        does not fit.
        """
        return self.checked(container, names)[0]

    def checked(self, container, names=None):
        """Return the result of `read`, and the dict of axis name to length."""
        lengths, layout, tensors = self.check(container), container.layout(), {}
        for tensor in self.tensors:
            if tensor.name in layout and (names is None or tensor.name in names):
                array = tensors[tensor.name] = container.read(tensor.name)
                for law in tensor.laws:
                    if law.holds is not None and not law.holds(array, lengths):
                        raise self.fault(f"'{tensor.name}' {law.problem}", container.name)
        return tensors, lengths

    def fault(self, problem, source):
        """Return the StragError for a file of this kind that cannot be read."""
        return StragError(problem, remake(self.kind), source)


def _named(meta, key):
    """Return the value under a dotted key of a stamp, or None."""
    for part in key.split("."):
        meta = meta.get(part) if isinstance(meta, dict) else None
    return meta


def _is_unmeasured(tensor, meta):
    """Whether the stamp lists no items for an axis of a tensor, so that the tensor may be absent."""
    return any(axis is not ... and axis.stamped and meta.get(axis.stamped) == [] for axis in tensor.axes)


@dataclass(frozen=True)
class Keys:
    """Keys of a JSON object that belong together.

    names : names of the keys. meaning : description in FORMATS.md. of : Keys of the object, or of each object
    in the list, under the first of these keys. holds : function that says whether a value is valid. problem :
    the message for an invalid value, after the name of the key.
    """

    names: tuple
    meaning: str
    of: tuple = ()
    holds: Callable | None = None
    problem: str = ""


@dataclass(frozen=True)
class JsonSpec:
    """A JSON kind and its keys, without that of the stamp."""

    kind: str
    keys: tuple

    @property
    def names(self):
        """The names of the keys of the object."""
        return tuple(name for keys in self.keys for name in keys.names)

    def check(self, opened):
        """Check the stamp and the values of an open Document, and return its object. Raises StragError."""
        check_fields(opened.meta, opened.name)
        for keys in self.keys:
            for name in keys.names if keys.holds else ():
                if not keys.holds(opened.value.get(name)):
                    raise self.fault(f"'{name}' {keys.problem}", opened.name)
        return opened.value

    def fault(self, problem, source):
        """Return the StragError for a file of this kind that cannot be read."""
        return StragError(problem, remake(self.kind), source)
