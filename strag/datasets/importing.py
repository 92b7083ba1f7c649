"""Import of the user's files as a Dataset: the choice of the importer, and the steps common to all."""

import shlex
from pathlib import Path

import numpy as np

from strag.datasets import arrays, arrow, cifar, idx, images, known, tables
from strag.datasets.dataset import Dataset, check_part
from strag.datasets.imported import Reading, starts_with
from strag.datasets.labels import read_labels
from strag.datasets.names import Names
from strag.datasets.numbers import stored
from strag.errors import StragError, bad_usage, warn_of
from strag.words import some_of

# The first Form in this order that knows the files reads them.
FORMS = (
    *(idx.FOLDER, cifar.FOLDER, arrow.FOLDER, known.FOLDER, arrays.FOLDER, images.FOLDER),
    *(known.FILE, arrow.FILE, cifar.ARCHIVE, arrays.ARCHIVE, tables.FORM, arrays.SEVERAL),
)


def import_files(paths, reading=None, note=None, unused=None, labels="classes"):
    """The Dataset in a folder, in a file, or in files of examples and labels.

    paths : list of str. reading : a Reading. note : function that is called with one line on each thing that
    was left out or ambiguous. unused : set of names of options in `reading`, or None. Options that the form
    of the data uses are removed from the set. labels : how classes form groups.

    Raises StragError if the form of the data is unknown. If `unused` is None, it also raises StragError for
    an option that the form does not use.
    """
    reading = reading or Reading()
    if len(paths) > 1 and "-" in paths:
        raise bad_usage("is one of several inputs", "pass only files, or only '-' for a dataset", "stdin")
    for path in paths:
        if not path or not Path(path).exists():
            raise StragError("no such file", "check the path", path or "''")
    paths = [Path(path) for path in paths]
    form = _form_of(paths)
    for option in reading.given:
        if option in form.options and unused is not None:
            unused.discard(option)
        if option not in ("resize", *form.options) and unused is None:
            problem = f"is {form.what} and does not use `{option}`"
            raise bad_usage(problem, f"remove `{option}`", paths[0])
    try:
        imported = form.read(paths, reading)
    except StragError as error:
        raise error.about(paths[0]) from None
    words = [shlex.quote(_name_of(path)) for path in paths]
    source = imported.sources.get("x", paths[0]) if len(paths) > 1 else paths[0]
    return dataset_of(imported, source, labels, words=[*words, *reading.words()], note=note)


def _form_of(paths):
    """The Form of the data. Raises StragError if it is unknown."""
    form = next((form for form in FORMS if form.knows(paths)), None)
    if form:
        return form
    if paths[0].is_dir():
        raise StragError(
            "holds no IDX files, arrays, CIFAR batches, tables or folders of images with the usual names",
            "provide train-images-idx3-ubyte and train-labels-idx1-ubyte (gzipped or not), x.npy and y.npy, "
            "data_batch_1.bin, train.parquet, or one folder of images or one npy file per class",
            paths[0],
        )
    if starts_with(paths[0], b"BZh") or starts_with(paths[0], b"\xfd7zXZ"):
        remedy = "decompress it, or compress it with gzip"
        raise StragError("is compressed with bzip2 or xz", remedy, paths[0])
    raise StragError(
        "is not a type of file that strag can import",
        "pass a folder (IDX, CIFAR, arrays, images), or npz, npy, IDX, CSV, parquet, Arrow or strag files, "
        "or the tar.gz of CIFAR",
        paths[0],
    )


def _name_of(path):
    """A path without its folders. The name of a folder ends in '/', which no name in the catalogue does."""
    name = path.name or path.resolve().name
    return f"{name}/" if path.is_dir() else name


def _title_of(name):
    """The title of a data set that is imported from a file or folder of this name."""
    unpacked = Path(name.rstrip("/")).name.removesuffix(".gz").removesuffix(".tar")
    return Path(unpacked).stem or name


def dataset_of(imported, source, labels="classes", title=None, words=(), note=None):
    """The Dataset of an Imported.

    source : the file or folder that errors are about. labels : how classes form groups. title : name in
    figures, by default from `source`. words : words of the command line that imports the data, after
    `strag data`; by default the title. note : see `import_files`.
    """
    name = title if title is not None and note is None else _name_of(Path(source))
    try:
        classes = read_labels(imported.y, imported.y_test, imported.class_names, imported.sources)
        data = Dataset(
            x=_stored(imported, "", classes.y),
            x_test=_stored(imported, "_test", classes.y_test),
            y=classes.y,
            y_test=classes.y_test,
            index=np.arange(len(classes.y), dtype=np.int64),
            labels=labels,
            class_names=classes.names,
            class_numbers=classes.numbers,
            columns=imported.columns,
            names=None if imported.names is None else Names.of(imported.names),
            title=title or _title_of(name),
            command=f"strag data {' '.join(words) or shlex.quote(title)}",
        )
    except StragError as error:
        raise error.about(source) from None
    if note:
        for line in imported.notes:
            note(f"{name}: {line}")
        for key, line in classes.notes:
            note(f"{_name_of(Path(imported.sources.get(key, source)))}: {line}")
    _warn_unseen(data, imported.sources.get("y_test", source))
    return data


def _warn_unseen(data, source):
    """Warn of classes that only test examples have. source : the file that the warning is about."""
    unseen = [data.class_name(c) for c in np.setdiff1d(data.y_test, data.y)] if data.has_test else []
    if unseen:
        classes = f"class {unseen[0]}" if len(unseen) == 1 else f"classes {some_of(unseen)}"
        warn_of(source, f"no training example has {classes} of the test set")


def _stored(imported, suffix, y):
    """The checked inputs of the training set or test set in the stored type, or None if there are none.

    suffix : '' or '_test'. y : their class numbers.
    """
    key = f"x{suffix}"
    array = getattr(imported, key)
    if array is None or y is None:  # Dataset reports examples without labels, and labels without examples
        return array
    try:
        inputs = stored(array, key, imported.x)
        check_part(inputs, y, suffix, imported.x.shape[1:])
    except StragError as error:
        raise error.about(imported.sources[key]) if key in imported.sources else error from None
    return inputs
