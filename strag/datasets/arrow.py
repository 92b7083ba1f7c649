"""Import of parquet and Arrow files, and of the data sets that Hugging Face's library saves, by pyarrow."""

import numpy as np

from strag.datasets.columns import joined, narrow, notes_on_ids
from strag.datasets.imported import Form, Imported, one_of, starts_with
from strag.datasets.known import recognise
from strag.datasets.pictures import Pictures
from strag.datasets.schema import IMAGE, NUMBER, VECTOR, is_list, kind_of, plan_of
from strag.datasets.splits import SUFFIXES, find_splits, parts_of, train_and_test
from strag.errors import StragError, bad_usage
from strag.words import reason_of

_ROWS = 1024  # rows read at a time from parquet
_PICTURES = ("background", "skip_broken")  # options that only images use


def is_arrow(path):
    """Whether a file is parquet or Arrow, by its first bytes or its suffix."""
    if not path.is_file():
        return False
    magic = any(starts_with(path, start) for start in (b"PAR1", b"ARROW1", b"FEA1"))
    return magic or path.suffix.lower() in SUFFIXES


def read_file(path, reading):
    """The Imported of one parquet or Arrow file."""
    parts = parts_of(path)
    notes = [f"is one of {parts} files of a data set; pass their folder to use all"] if parts > 1 else []
    return _imported([path], [], notes, reading)


def read_folder(folder, reading):
    """The Imported of a folder of parquet or Arrow files, with a test set if it has a split for it."""
    splits = find_splits(folder)
    train, test, notes = train_and_test(splits, folder)
    return _imported(splits[train], splits.get(test, []), notes, reading)


def _imported(files, test_files, notes, reading):
    """The Imported of the files of the training set and of the test set. notes : notes so far."""
    _need_pyarrow(files[0])
    part = _Part(files, reading)
    test = _Part(test_files, reading, part.plan) if test_files else None
    notes = [*part.plan.notes, *notes, *part.notes("training")]
    notes += notes_on_ids(part.plan.inputs, part.x) if part.plan.kind == NUMBER else []
    if test and test.hidden:
        notes.append(f"left out the test set ({test_files[0].name}), as all its labels are unknown (-1)")
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
    """Raise StragError if pyarrow is not installed."""
    try:
        import pyarrow.ipc
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        remedy = "install it: pip install 'strag[tables]'"
        raise StragError("needs the package pyarrow", remedy, path) from None


def _in_one_form(x, x_test):
    """Training and test inputs as arrays of the same type. Both are in colour if one of them is."""
    parts = [part for part in (x, x_test) if part is not None]
    if isinstance(x, Pictures):
        parts = [part.array() for part in parts]
        axes = max(part.ndim for part in parts)
        parts = [part if part.ndim == axes else np.repeat(part[..., None], 3, axis=3) for part in parts]
    kind = np.result_type(*parts)
    parts = [part.astype(kind, copy=False) for part in parts]
    return parts[0], parts[1] if len(parts) > 1 else None


class _Part:
    """The training set or the test set: x (array or Pictures), y, names (or None), and the Plan of columns.

    plan : for the test set, the Plan of the training set, which its files must fit.
    """

    def __init__(self, files, reading, plan=None):
        self.plan, self._reading = plan, reading
        self._pictures, self._x, self._y, self._names = Pictures(reading), [], [], []
        for path in files:
            try:
                self._take(path)
            except StragError as error:
                raise error.about(path) from None
        if not self._y:
            raise StragError("holds no examples", "provide one row per example", files[0])
        is_image = self.plan.kind == IMAGE
        self.x = self._pictures if is_image else joined(self._x)
        self.y, names = _labels(self._y), [name for part in self._names for name in part]
        if is_image:
            kept = np.array(self._pictures.kept, dtype=bool)
            self.y = self.y[kept]
            names = [name for name, is_kept in zip(names, kept, strict=True) if is_kept] if names else names
        self.names = [name or "" for name in names] if any(names) else None

    def notes(self, what):
        """Notes on changed or left out images. what : 'training' or 'test'."""
        return self._pictures.notes(f" of the {what} set", lambda path: path.rpartition("/")[2])

    @property
    def hidden(self):
        """Whether all labels are -1, which is how Hugging Face marks unknown labels."""
        return self.y.dtype.kind in "if" and self.y.ndim == 1 and bool((self.y == -1).all())

    def _take(self, path):
        """Read one file and add its rows to the part."""
        schema, batches = _open(path)
        wanted = self._reading.label_column if self.plan is None else self.plan.label
        try:
            plan = plan_of(schema, wanted)
        except UnicodeDecodeError as error:  # in the name of a column
            raise _broken(error, path) from None
        self.plan = self.plan or plan
        if plan.uses != self.plan.uses:
            problem = "has different columns from the file before it"
            raise StragError(problem, "use the same columns in all files")
        if plan.class_names != self.plan.class_names:
            problem = "has different class names from the file before it"
            raise StragError(problem, "use the same class names in all files")
        given = [name for name in _PICTURES if name in self._reading.given]
        if plan.kind != IMAGE and given:
            option = f"--{given[0].replace('_', '-')}"
            raise bad_usage(f"holds {plan.kind} and does not use {option}", f"remove {option}")
        row = 0
        for batch in batches(self.plan.columns):
            self._take_batch(batch, row, path)
            row += batch.num_rows

    def _take_batch(self, batch, row, path):
        """Read one batch of a file. row : the row of the file that the batch begins with."""

        def column(name):
            """A column of the batch, without nulls unless it holds the names of the examples."""
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
            raise StragError(problem, "use lists of one shape")
        labels = column(plan.label)
        is_vector = kind_of(labels.type) == VECTOR
        self._y.append(_vectors(labels, plan.label, row) if is_vector else _values(labels))
        names = paths
        if plan.name is not None:
            names = ["" if value is None else str(value) for value in column(plan.name).to_pylist()]
        self._names += [] if names is None else [names]

    def _take_images(self, array, row, path):
        """Read the images of a batch. Returns the path that is stored with each image, or None."""
        paths = []
        for at, value in enumerate(array.to_pylist(), row):
            content, stored_path = (value, None) if isinstance(value, bytes) else _content(value)
            if content is None:
                problem = f"column '{self.plan.inputs[0]}' has no image in row {at}"
                raise StragError(problem, "save the data set with the bytes of its images")
            self._pictures.add(f"{path}, row {at}", content)
            paths.append(stored_path or None)
        return paths


def _content(value):
    """The bytes and the path of an image as Hugging Face stores it."""
    return value.get("bytes"), value.get("path")


def _open(path):
    """The schema of a file, and a function of column names that yields record batches of these columns."""
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
    """Yield the same batches, checked; errors of pyarrow become StragErrors."""
    import pyarrow as pa

    try:
        for batch in batches:
            batch.validate(full=True)  # lengths and offsets may be wrong
            yield batch
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _broken(error, path) from None


def _broken(error, path):
    """The StragError for a file that pyarrow cannot read. error : pyarrow's."""
    recognised = recognise(path)
    if recognised:
        form, remedy = recognised
        return StragError(f"is {form}", remedy)
    if starts_with(path, b"FEA1"):
        return StragError("is a Feather file of version 1", "save it again as version 2 or as parquet")
    return StragError(f"cannot be read as parquet or Arrow ({reason_of(error)})", "copy or create it again")


def _plain(array):
    """An array without dictionaries and extension types, except tensors."""
    import pyarrow as pa

    while True:
        if isinstance(array, pa.ExtensionArray) and not isinstance(array, pa.FixedShapeTensorArray):
            array = array.storage
        elif isinstance(array, pa.DictionaryArray):
            array = array.dictionary_decode()
        else:
            return array


def _refuse_nulls(array, column, row, size=1):
    """Raise StragError if a column has a null. row : its first row in the file. size : values per row."""
    if array.null_count:
        at = row + int(array.is_null().to_numpy(zero_copy_only=False).argmax()) // size
        raise StragError(f"column '{column}' has no value in row {at}", "fill it in or remove the row")


def _values(array):
    """An Arrow array of numbers or text as a numpy array."""
    import pyarrow as pa

    if pa.types.is_decimal(array.type):
        array = array.cast(pa.float64())
    if kind_of(array.type) == NUMBER:
        return array.to_numpy(zero_copy_only=False)
    return np.array([str(value) for value in array.to_pylist()])


def _vectors(array, column, row):
    """Lists of numbers, nested or not, as one numpy array [rows, ...]. row : the first row, for errors."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(array, pa.FixedShapeTensorArray):
        kind, values = array.type, array.storage.flatten()
        _refuse_nulls(values, column, row, kind.storage_type.list_size)
        if kind.permutation not in (None, sorted(kind.permutation or ())):  # writers disagree on its meaning
            problem = f"column '{column}' holds tensors with permuted axes"
            raise StragError(problem, "save them in the order of their axes")
        return _values(values).reshape(-1, *kind.shape)
    shape = [len(array)]
    while is_list(array.type):
        lengths = np.unique(pc.list_value_length(array).to_numpy(zero_copy_only=False))
        if len(lengths) > 1:
            problem = f"column '{column}' holds lists of {lengths[0]} and of {lengths[-1]} numbers"
            raise StragError(f"{problem}, from row {row} on", "use lists of one length")
        if not lengths.size or not lengths[0]:
            problem = f"column '{column}' holds empty lists, from row {row} on"
            raise StragError(problem, "remove the column")
        shape.append(int(lengths[0]))
        array = _plain(array.flatten())
        _refuse_nulls(array, column, row, int(np.prod(shape[1:])))
    return _values(array).reshape(shape)


def _side_by_side(arrays, columns, row):
    """Columns of numbers as one array [rows, d]. Raises StragError if a number is not finite."""
    numbers = [_values(array) for array in arrays]
    for name, values in zip(columns, numbers, strict=True):
        wrong = ~np.isfinite(values)
        if wrong.any():
            at = int(wrong.argmax())
            problem = f"column '{name}' holds {values[at]} in row {row + at}"
            raise StragError(problem, "correct it or remove the row")
    return np.stack(numbers, axis=1)


def _labels(parts):
    """The labels of all batches as one array. Raises StragError if they are of several kinds."""
    kinds = {part.dtype.kind in "US" for part in parts}
    shapes = {part.shape[1:] for part in parts}
    if len(kinds) > 1 or len(shapes) > 1:
        raise StragError("has labels of several kinds", "use labels of one kind")
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
