"""Parquet and Arrow files, and the data sets that Hugging Face's library keeps in them; by pyarrow."""

import numpy as np

from strag.datasets.columns import joined, narrow, notes_on_ids
from strag.datasets.imported import Form, Imported, one_of, starts_with
from strag.datasets.known import recognise
from strag.datasets.pictures import Pictures
from strag.datasets.schema import IMAGE, NUMBER, VECTOR, is_list, kind_of, plan_of
from strag.datasets.splits import SUFFIXES, find_splits, parts_of, train_and_test
from strag.errors import StragError, bad_usage
from strag.words import reason_of

_ROWS = 1024  # read at a time from parquet
_PICTURES = ("background", "skip_broken")  # options that mean nothing for other inputs


def is_arrow(path):
    """Whether a file is parquet or Arrow, by its first bytes or its name."""
    if not path.is_file():
        return False
    magic = any(starts_with(path, start) for start in (b"PAR1", b"ARROW1", b"FEA1"))
    return magic or path.suffix.lower() in SUFFIXES


def read_file(path, reading):
    """The Imported of one parquet or Arrow file."""
    parts = parts_of(path)
    notes = [f"is one of {parts} files of a data set: give their folder for all"] if parts > 1 else []
    return _imported([path], [], notes, reading)


def read_folder(folder, reading):
    """The Imported of a folder of such files, with a test set if one of its splits is called so."""
    splits = find_splits(folder)
    train, test, notes = train_and_test(splits, folder)
    return _imported(splits[train], splits.get(test, []), notes, reading)


def _imported(files, test_files, notes, reading):
    _need_pyarrow(files[0])
    part = _Part(files, reading)
    test = _Part(test_files, reading, part.plan) if test_files else None
    notes = [*part.plan.notes, *notes, *part.notes("training")]
    notes += notes_on_ids(part.plan.inputs, part.x) if part.plan.kind == NUMBER else []
    if test and test.hidden:
        notes.append(f"the test set is left out, as its labels are hidden (-1), {test_files[0].name}")
        test = None
    notes += test.notes("test") if test else []
    x, x_test = _in_one_form(part.x, test and test.x)
    return Imported(
        x=x,
        y=part.y,
        x_test=x_test,
        y_test=test and test.y,
        class_names=part.plan.class_names,
        names=part.names,
        columns=part.plan.inputs if part.plan.kind == NUMBER else None,
        notes=notes,
        sources={"x_test": test_files[0], "y_test": test_files[0]} if test else {},
    )


def _need_pyarrow(path):
    try:
        import pyarrow.ipc
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise StragError("needs pyarrow", "pip install 'strag[tables]'", path) from None


def _in_one_form(x, x_test):
    """Training and test inputs as arrays of one type, both in colour if one of them is."""
    parts = [part for part in (x, x_test) if part is not None]
    if isinstance(x, Pictures):
        parts = [part.array() for part in parts]
        axes = max(part.ndim for part in parts)
        parts = [part if part.ndim == axes else np.repeat(part[..., None], 3, axis=3) for part in parts]
    kind = np.result_type(*parts)
    parts = [part.astype(kind, copy=False) for part in parts]
    return parts[0], parts[1] if len(parts) > 1 else None


class _Part:
    """The training or the test examples: x (an array, or Pictures), y, names (or None) and the plan."""

    def __init__(self, files, reading, plan=None):
        self.plan, self._reading = plan, reading
        self._pictures, self._x, self._y, self._names = Pictures(reading), [], [], []
        for path in files:
            try:
                self._take(path)
            except StragError as error:
                raise error.about(path) from None
        if not self._y:
            raise StragError("holds no examples", "give one row per example", files[0])
        is_image = self.plan.kind == IMAGE
        self.x = self._pictures if is_image else joined(self._x)
        self.y, names = _labels(self._y), [name for part in self._names for name in part]
        if is_image:
            kept = np.array(self._pictures.kept, dtype=bool)
            self.y = self.y[kept]
            names = [name for name, here in zip(names, kept, strict=True) if here] if names else names
        self.names = [name or "" for name in names] if any(names) else None

    def notes(self, what):
        """What was done to the images of this set."""
        return self._pictures.notes(f" of the {what} set", lambda called: called.rpartition("/")[2])

    @property
    def hidden(self):
        """Whether all labels are -1, as Hugging Face writes those that are not known."""
        return self.y.dtype.kind in "if" and self.y.ndim == 1 and bool((self.y == -1).all())

    def _take(self, path):
        schema, batches = _open(path)
        wanted = self._reading.label_column if self.plan is None else self.plan.label
        try:
            plan = plan_of(schema, wanted)
        except UnicodeDecodeError as error:  # a name of a column
            raise _broken(error, path) from None
        self.plan = self.plan or plan
        kinds = {(one.kind, frozenset(one.inputs), one.label, one.name) for one in (plan, self.plan)}
        if len(kinds) > 1:  # whatever their order
            raise StragError("has other columns than the file before it", "give all files the same")
        if plan.class_names != self.plan.class_names:
            raise StragError("has other class names than the file before it", "give all files the same")
        given = [name for name in _PICTURES if name in self._reading.given]
        if plan.kind != IMAGE and given:
            option = f"--{given[0].replace('_', '-')}"
            raise bad_usage(f"holds {plan.kind}, to which {option} means nothing", "leave it out")
        row = 0
        for batch in batches(self.plan.columns):
            self._take_batch(batch, row, path)
            row += batch.num_rows

    def _take_batch(self, batch, row, path):
        def column(name):
            array = _plain(batch.column(batch.schema.get_field_index(name)))
            if name != plan.name:
                _refuse_nulls(array, name, row)
            return array

        plan, paths = self.plan, None
        if not batch.num_rows:
            return
        arrays = [column(name) for name in plan.inputs]
        if plan.kind == IMAGE:
            paths = self._take_images(arrays[0], row, path)
        elif plan.kind == VECTOR:
            self._x.append(narrow(_vectors(arrays[0], plan.inputs[0], row)))
        else:
            self._x.append(narrow(_side_by_side(arrays, plan.inputs, row)))
        if self._x and self._x[-1].shape[1:] != self._x[0].shape[1:]:
            shapes = f"{list(self._x[0].shape[1:])} and, from row {row} on, {list(self._x[-1].shape[1:])}"
            problem = f"column '{plan.inputs[0]}' holds lists of shapes {shapes}"
            raise StragError(problem, "give all of them one shape")
        labels = column(plan.label)
        is_vector = kind_of(labels.type) == VECTOR
        self._y.append(_vectors(labels, plan.label, row) if is_vector else _values(labels))
        paths = (
            paths
            if plan.name is None
            else ["" if one is None else str(one) for one in column(plan.name).to_pylist()]
        )
        self._names += [] if paths is None else [paths]

    def _take_images(self, array, row, path):
        """Read the images of a batch; their paths, or None for those without."""
        paths = []
        for at, value in enumerate(array.to_pylist(), row):
            content, called = (value, None) if isinstance(value, bytes) else _content(value)
            if content is None:
                problem = f"column '{self.plan.inputs[0]}' has no bytes of an image in row {at}"
                raise StragError(problem, "save the data set with its images in it")
            self._pictures.add(f"{path}, row {at}", content)
            paths.append(called or None)
        return paths


def _content(value):
    return value.get("bytes"), value.get("path")


def _open(path):
    """Schema of a file, and a function of columns that gives its record batches, rows of these alone."""
    import pyarrow as pa
    from pyarrow import ipc, parquet

    try:
        if starts_with(path, b"PAR1"):
            file = parquet.ParquetFile(path)
            return file.schema_arrow, lambda names: _sound(file.iter_batches(_ROWS, columns=names), path)
        stream = pa.memory_map(str(path))
        if starts_with(path, b"ARROW1"):
            file = ipc.open_file(stream)
            batches = (file.get_batch(place) for place in range(file.num_record_batches))
        else:
            file = batches = ipc.open_stream(stream)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _broken(error, path) from None
    return file.schema, lambda names: _sound((batch.select(names) for batch in batches), path)


def _sound(batches, path):
    """The same batches, with pyarrow's errors as one of strag's."""
    import pyarrow as pa

    try:
        for batch in batches:
            batch.validate(full=True)  # lengths and offsets may lie
            yield batch
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _broken(error, path) from None


def _broken(error, path):
    found = recognise(path)
    if found:
        return StragError(f"is {found[0]}", found[1])
    if starts_with(path, b"FEA1"):
        return StragError("is a Feather file of version 1", "write it again, as version 2 or parquet")
    return StragError(f"cannot be read as parquet or Arrow ({reason_of(error)})", "copy or write it again")


def _plain(array):
    """An array without dictionaries and extension types, but for tensors."""
    import pyarrow as pa

    while True:
        if isinstance(array, pa.ExtensionArray) and not isinstance(array, pa.FixedShapeTensorArray):
            array = array.storage
        elif isinstance(array, pa.DictionaryArray):
            array = array.dictionary_decode()
        else:
            return array


def _refuse_nulls(array, column, row, size=1):
    """Raise StragError for a null; rows have `size` values each."""
    if array.null_count:
        at = row + int(array.is_null().to_numpy(zero_copy_only=False).argmax()) // size
        raise StragError(f"column '{column}' has no value in row {at}", "fill it in, or leave the row out")


def _values(array):
    """Numbers or text as a numpy array."""
    import pyarrow as pa

    if pa.types.is_decimal(array.type):
        array = array.cast(pa.float64())
    if kind_of(array.type) == NUMBER:
        return array.to_numpy(zero_copy_only=False)
    return np.array([str(value) for value in array.to_pylist()])


def _vectors(array, column, row):
    """Lists of numbers, nested or not, as one array of numbers [rows, ...]."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(array, pa.FixedShapeTensorArray):
        kind, values = array.type, array.storage.flatten()
        _refuse_nulls(values, column, row, kind.storage_type.list_size)
        if kind.permutation not in (None, sorted(kind.permutation or ())):  # writers differ in what it means
            problem = f"column '{column}' holds tensors whose axes are permuted"
            raise StragError(problem, "write them in the order of their axes")
        return _values(values).reshape(-1, *kind.shape)
    shape = [len(array)]
    while is_list(array.type):
        lengths = np.unique(pc.list_value_length(array).to_numpy(zero_copy_only=False))
        if len(lengths) > 1:
            problem = f"column '{column}' holds lists of {lengths[0]} and of {lengths[-1]} numbers"
            raise StragError(f"{problem}, from row {row} on", "give all of them one length")
        if not lengths.size or not lengths[0]:
            raise StragError(f"column '{column}' holds empty lists, from row {row} on", "leave it out")
        shape.append(int(lengths[0]))
        array = _plain(array.flatten())
        _refuse_nulls(array, column, row, int(np.prod(shape[1:])))
    return _values(array).reshape(shape)


def _side_by_side(arrays, columns, row):
    """Columns of numbers as one array [rows, d], all finite."""
    found = [_values(array) for array in arrays]
    for name, values in zip(columns, found, strict=True):
        wrong = ~np.isfinite(values)
        if wrong.any():
            at = int(wrong.argmax())
            problem = f"column '{name}' holds {values[at]} in row {row + at}"
            raise StragError(problem, "mend it, or leave the row out")
    return np.stack(found, axis=1)


def _labels(parts):
    kinds = {part.dtype.kind in "US" for part in parts}
    shapes = {part.shape[1:] for part in parts}
    if len(kinds) > 1 or len(shapes) > 1:
        raise StragError("has labels of several kinds", "give all of them one kind")
    return np.concatenate(parts)


FILE = Form(
    "a parquet or Arrow file",
    lambda paths: any(map(is_arrow, paths)),
    lambda paths, reading: read_file(one_of(paths, is_arrow), reading),
    ("label_column", "resize", *_PICTURES),
)
FOLDER = Form(
    "a data set of parquet or Arrow files",
    lambda paths: len(paths) == 1 and paths[0].is_dir() and bool(find_splits(paths[0])),
    lambda paths, reading: read_folder(paths[0], reading),
    ("label_column", "resize", *_PICTURES),
)
