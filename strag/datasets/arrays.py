"""npz and npy files: anyone's own arrays."""

import tokenize
import zipfile
import zlib

import numpy as np

from strag.errors import StragError

# The names that people use, in the order in which they are looked for.
_KEYS = {
    "x": ("x", "X", "x_train", "X_train", "train_x", "images", "train_images", "data", "arr_0"),
    "y": ("y", "Y", "y_train", "Y_train", "train_y", "labels", "train_labels", "target", "arr_1"),
    "x_test": ("x_test", "X_test", "test_x", "test_images", "arr_2"),
    "y_test": ("y_test", "Y_test", "test_y", "test_labels", "arr_3"),
}
# What numpy and zipfile raise for a broken, encrypted or lying file.
_BROKEN = (
    ValueError,
    EOFError,
    MemoryError,
    RuntimeError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_npy(path):
    """The array in an npy file."""
    return _load(path)


def read_npz(path):
    """Examples and labels in an npz file: dict of x, y and, if they are there, x_test, y_test.

    `path` may be a binary stream. Raises StragError where examples or labels are missing, listing
    the names that are there.
    """
    archive = _load(path)
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise StragError("is not an npz file", "save arrays x and y with numpy.savez")
    with archive:
        chosen = {key: next((n for n in names if n in archive), None) for key, names in _KEYS.items()}
        for key, what in (("x", "examples"), ("y", "labels")):
            if chosen[key] is None:
                raise StragError(
                    f"has no array of {what} (it holds {', '.join(archive.files) or 'nothing'})",
                    "call the arrays x, y, x_test, y_test",
                )
        if (chosen["x_test"] is None) != (chosen["y_test"] is None):
            raise StragError("has test examples or test labels but not both", "call them x_test and y_test")
        return {key: _array(archive, name) for key, name in chosen.items() if name is not None}


def _load(path):
    try:
        return np.load(path, allow_pickle=False)
    except _BROKEN as error:
        raise _unreadable(error) from None


def _array(archive, name):
    try:
        array = archive[name]
    except _BROKEN as error:
        raise _unreadable(error, f"array '{name}' ") from None
    if not isinstance(array, np.ndarray):
        raise StragError(f"'{name}' in it is no array", "save arrays x and y with numpy.savez")
    return array


def _unreadable(error, what=""):
    if "allow_pickle" in str(error) or "Object arrays" in str(error):
        return StragError(f"{what}holds Python objects", "save arrays of numbers")
    reason = " ".join(str(error).split())[:80] or type(error).__name__
    return StragError(f"{what}cannot be read ({reason})", "save it again with numpy")
