"""From the outside world's files to a Dataset."""

import shlex
from pathlib import Path

import numpy as np

from strag.datasets.arrays import read_npy, read_npz
from strag.datasets.cifar import find_cifar, is_archive, read_cifar_archive, read_cifar_folder
from strag.datasets.dataset import Dataset
from strag.datasets.idx import find_idx, is_idx, read_idx
from strag.datasets.images import class_folders, read_image_folder
from strag.errors import StragError, bad_usage

ORDER = ("x", "y", "x_test", "y_test")


def import_files(paths):
    """A Dataset from a folder (IDX, CIFAR-10 batches, images), one file (npz, tar archive of CIFAR-10), or
    IDX and npy files (x y [x_test y_test])."""
    if len(paths) > 1 and "-" in paths:
        raise bad_usage("is one of several files", "name files, or pipe a single dataset in", "stdin")
    for path in paths:
        if not path or not Path(path).exists():
            raise StragError("no such file", "check the path", path or "''")
    paths = [Path(path) for path in paths]
    if len(paths) == 1:
        return _import_one(paths[0])
    if len(paths) not in (2, 4):
        raise bad_usage(
            f"cannot tell {len(paths)} files apart",
            "give examples, labels [test examples, test labels]",
        )
    arrays = {key: read_array(path) for key, path in zip(ORDER, paths, strict=False)}
    return dataset_of(arrays, paths[0], names=[path.name for path in paths])


def _import_one(path):
    if path.is_dir():
        return _import_folder(path)
    if _starts_with(path, b"PK"):
        try:
            return dataset_of(read_npz(path), path)
        except StragError as error:
            raise error.about(path) from None
    if _starts_with(path, b"\x93NUMPY") or is_idx(path):
        raise bad_usage("holds one array only", f"give two files: strag data {path.name} LABELS", path)
    if _starts_with(path, b"BZh") or _starts_with(path, b"\xfd7zXZ"):
        raise StragError("is packed with bzip2 or xz", "unpack it, or pack it with gzip", path)
    if is_archive(path):
        arrays, class_names = read_cifar_archive(path)
        title = path.name.partition(".tar")[0]
        return dataset_of(arrays, path, title=title, class_names=class_names, names=[path.name])
    raise StragError(
        "is of no kind that strag can import",
        "give a folder (IDX, CIFAR-10, images), its tar.gz (CIFAR-10), or npz, npy, IDX or strag files",
        path,
    )


def _import_folder(folder):
    found = find_idx(folder)
    if found:
        return dataset_of({key: read_idx(file) for key, file in found.items()}, folder)
    batches = find_cifar(folder)
    if batches:
        arrays, class_names = read_cifar_folder(batches)
    elif class_folders(folder):
        arrays, class_names = read_image_folder(folder)
    else:
        raise StragError(
            "holds no IDX files, CIFAR-10 batches or folders of images under their usual names",
            "it needs train-images-idx3-ubyte and train-labels-idx1-ubyte, gzipped or not, or "
            "data_batch_1.bin, or one folder of images per class",
            folder,
        )
    return dataset_of(arrays, folder, class_names=class_names)


def read_array(path):
    """The array in an npy or IDX file."""
    if not _starts_with(path, b"\x93NUMPY"):
        if not is_idx(path) and not _starts_with(path, b"\x1f\x8b"):
            raise StragError("is neither an IDX nor an npy file", "give one array of each file", path)
        return read_idx(path)
    try:
        return read_npy(path)
    except StragError as error:
        raise error.about(path) from None


def _starts_with(path, magic):
    with open(path, "rb") as stream:
        return stream.read(len(magic)) == magic


def dataset_of(arrays, source, labels="classes", title=None, class_names=None, names=None):
    """A Dataset from arrays x, y and, if there are any, x_test, y_test.

    `source` is for errors and, without a `title`, names the data set; `names` are what `strag data`
    was given to make it, by default the title or the source's name.
    """
    source = Path(source)
    name = source.name or source.resolve().name
    given = f"{name}/" if source.is_dir() else name  # never the name of a data set in the catalogue
    try:
        tensors = {}
        for key, array in arrays.items():
            tensors[key] = examples(array, key) if key.startswith("x") else classes(array, key)
        return Dataset(
            **tensors,
            index=np.arange(len(tensors["y"]), dtype=np.int64),
            labels=labels,
            class_names=class_names,
            title=title or Path(name).stem,
            command=f"strag data {shlex.join(names or [title or given])}",
        )
    except StragError as error:
        raise error.about(source) from None


def examples(array, name):
    """Examples as they are stored: uint8 stays, all other numbers become float32, if they can."""
    if array.ndim < 2:
        raise StragError(f"'{name}' has {array.ndim} axes", "give one row per example")
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype.kind not in "biuf":
        raise StragError(f"'{name}' holds {array.dtype}, not numbers", "give integers or floats")
    with np.errstate(over="ignore"):
        stored = np.ascontiguousarray(array, dtype=np.float32)
    if array.dtype.kind == "f" and (np.isinf(stored) & np.isfinite(array)).any():
        raise StragError(f"'{name}' holds numbers too large for float32", "scale its inputs")
    return stored


def classes(array, name):
    """Labels as int64, from integers or from floats that are whole numbers; a column may be 2-d."""
    flat = array.reshape(-1) if array.ndim == 2 and array.shape[1] == 1 else array
    if flat.ndim != 1:
        raise StragError(f"'{name}' has shape {list(array.shape)}", "give one class number per example")
    if flat.dtype.kind == "f":
        whole = np.floor(flat.astype(np.float64))
        flat = whole.astype(np.int64) if (flat == whole).all() and (np.abs(whole) < 2**53).all() else flat
    if flat.dtype.kind not in "biu":
        raise StragError(
            f"labels '{name}' are {array.dtype} and no whole numbers", "number the classes from 0"
        )
    return np.ascontiguousarray(flat, dtype=np.int64)
