"""Forms of data that strag recognises but cannot read. The errors say how to convert them."""

import json
import re
import shlex
import sqlite3
import tarfile
import warnings
import zipfile
from dataclasses import fields

from strag.datasets.conversions import conversion, conversion_of_cifar, unpacking
from strag.datasets.imported import Form, Reading, starts_with
from strag.datasets.pixels import SUFFIXES as IMAGES
from strag.datasets.rows import BROKEN_GZIP, opened
from strag.datasets.tables import suffix_of
from strag.errors import StragError
from strag.words import some_of

_HEAD = 1 << 14  # bytes of a file that are examined
_MEMBERS = 16  # files of a tar archive that are examined
_FAR = 1 << 26  # largest size in bytes of a file that is skipped to reach the next one
_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the start of files of torch.save before version 1.6
_RISK = "which can run any code when it is opened"
_PYTHON = "the Python version of CIFAR"
_BINARY = "download the binary version (cifar-10-binary.tar.gz or cifar-100-binary.tar.gz), or,"


def recognise(path):
    """The description and the remedy, two texts, for a known form that strag cannot read; else None.

    The form is recognised by the content, or else by the suffix. Nothing is unpickled.
    """
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        return None
    with open(path, "rb") as stream:
        head = stream.read(_HEAD)
    for form_of in (_by_magic, _pickled, _zipped, _gzipped, _taped, _by_suffix, _by_text):
        form_and_remedy = form_of(path, head)
        if form_and_remedy:
            return form_and_remedy
    return None


def _by_magic(path, head):
    """The form of a file by its first bytes; see `recognise`."""
    if head.startswith(b"MATLAB 7.3") or head[512:520] == b"\x89HDF\r\n\x1a\n":
        return "a MATLAB file of version 7.3", conversion("mat 7.3", path)
    if head.startswith(b"MATLAB 5.0"):
        return "a MATLAB file", conversion(_kind_of_mat(path), path)
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "an HDF5 file", conversion("hdf5", path)
    if head.startswith(b"SQLite format 3\0"):
        return "an SQLite database", _from_sqlite(path)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "an old Excel file", conversion("spreadsheet", path)
    if head[16:20] in (b"\xde\xc0\xef\xbe", b"\xbe\xef\xc0\xde"):
        return "an LMDB database", "save its images in one folder per class"
    for magic, what, remedy in (
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it: 7z x"),
        (b"Rar!\x1a\x07", "a RAR archive", "unpack it: unrar x"),
        (b"\x28\xb5\x2f\xfd", "compressed with zstd", "decompress it: zstd -d"),
    ):
        if head.startswith(magic):
            return what, f"{remedy} {shlex.quote(str(path))}"
    if head.startswith(b"version https://git-lfs.github.com"):
        return "a Git LFS pointer, not the file itself", "fetch it with git lfs pull, or download it"
    if head.lstrip()[:9].lower() in (b"<!doctype", b"<html>\n<h") or head.lstrip()[:5].lower() == b"<html":
        return "a web page, not a file of data", "download the file that the page links to"
    return None


def _kind_of_mat(path):
    """The key in CODE of the conversion that a MATLAB file needs, by the names and shapes of its arrays."""
    from scipy.io import whosmat

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shapes = {name: shape for name, shape, _ in whosmat(path)}
    except Exception:  # scipy raises many kinds of errors for a broken file
        return "mat"
    if len(shapes.get("X", ())) == 4 and "y" in shapes:
        return "svhn"
    return "emnist" if "dataset" in shapes else "mat"


def _from_sqlite(path):
    """The remedy for a database: the conversion of its first table, and the names of all if several."""
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        connection.close()
    except (sqlite3.Error, ValueError):
        names = []
    table = names[0].replace('"', '""') if names else "TABLE"
    more = f" (one of its tables: {some_of(names)})" if len(names) > 1 else ""
    return conversion("sqlite", path, f'SELECT * FROM "{table}"') + more


def _pickled(path, head):
    """The form of pickles and older files of torch.save; see `recognise`."""
    suffix = suffix_of(path)
    if head.startswith(_TORCH):
        return "a file of torch.save", conversion("torch", path)
    if suffix == ".joblib":
        return f"a file of joblib, {_RISK}", conversion("joblib", path)
    binary = head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5") and head[-1:]
    if binary or (suffix in (".pkl", ".pickle", ".p") and head[:2] != b"\x1f\x8b"):
        return f"a pickle, {_RISK}", conversion("pickle", path)
    return None


def _zipped(path, head):
    """The form of a zip file that is not an npz file; see `recognise`."""
    if not head.startswith(b"PK"):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return None
    if any(name.rpartition("/")[2] == "data.pkl" for name in names):
        return "a file of torch.save", conversion("torch", path)
    if "xl/workbook.xml" in names or "content.xml" in names:
        return "a spreadsheet", conversion("spreadsheet", path)
    if not names or any(name.endswith(".npy") for name in names):
        return None
    more = " and others" if len(names) > 1 else ""
    return f"a zip archive (of {names[0]}{more})", unpacking(path, "zipfile")


def _gzipped(path, head):
    """The form of a gzipped file by its decompressed bytes; see `recognise`."""
    if not head.startswith(b"\x1f\x8b"):
        return None
    try:
        with opened(path) as stream:
            head = stream.read(64)
    except (OSError, *BROKEN_GZIP):
        return None
    if head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5"):
        return f"a gzipped pickle, {_RISK}", conversion("pickle.gz", path)
    if head[:4] in (b"RDX2", b"RDX3") or head[:2] == b"X\n":
        return "a file of R", "save its data with write.csv(..., row.names = FALSE) in R"
    return None


def _members(path):
    """Names of the first files in a tar archive, gzipped or not."""
    names = []
    try:
        with opened(path) as stream:
            while len(names) < _MEMBERS and (block := stream.read(tarfile.BLOCKSIZE)):
                member = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
                names.append(member.name)
                if not 0 <= member.size <= _FAR:
                    break
                stream.seek(-(-member.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE, 1)
    except (tarfile.HeaderError, OSError, *BROKEN_GZIP):
        pass
    return names


def _taped(path, head):
    """The form of a tar archive; see `recognise`."""
    names = _members(path)
    for name in names:
        if "cifar-10-batches-py" in name or "cifar-100-python" in name:
            folder = name.strip("/").partition("/")[0]
            line = f"tar -xf {shlex.quote(str(path))} && strag data {shlex.quote(folder)}"
            return _PYTHON, f"{_BINARY} to convert this one: {line}"
    if any(name.lower().endswith(".cls") for name in names):
        return "a webdataset archive", conversion("webdataset", path)
    if any(name.lower().endswith(IMAGES) for name in names):
        return "a tar archive of images", unpacking(path, "tarfile")
    return None


def _by_suffix(path, _):
    """The form of a file by its suffix; see `recognise`."""
    suffix = suffix_of(path)
    if suffix == ".mat":
        return "a MATLAB file", conversion("mat", path)
    if ".tfrecord" in path.name.lower():
        return "a TFRecord file", conversion("tfrecord", path)
    if suffix == ".arff":
        return "an ARFF file", conversion("arff", path)
    if suffix in (".svm", ".libsvm", ".svmlight"):
        return "a file of libsvm", conversion("libsvm", path)
    return None


def _by_text(path, head):
    """The form of a text file; see `recognise`."""
    if suffix_of(path) in (".csv", ".tsv", ".tab"):
        return None
    text = head.decode("utf-8-sig", "ignore").lstrip()
    if re.search(r"\A(%.*\n|\s)*@relation\b", text, re.IGNORECASE):
        return "an ARFF file", conversion("arff", path)
    if re.match(r"[+-]?\d+(\.\d+)?( +\d+:[+-]?[\d.eE+-]+)+ *(#.*)?\r?\n", text):
        return "a file of libsvm", conversion("libsvm", path)
    lines = suffix_of(path) in (".jsonl", ".ndjson")
    if lines or re.match(r'\{\s*"|\[\s*[\[{]', text):
        return ("a file of JSON lines" if lines else "a JSON file"), _from_json(path, text, lines)
    return None


def _from_json(path, text, lines):
    """The remedy for a JSON file, by its first record. lines : whether each line is a record."""
    try:
        start, end = json.JSONDecoder().raw_decode(text, text.find("{"))
    except ValueError:
        start, end = {}, len(text)
    lines = lines or (text.startswith("{") and text[end:].lstrip().startswith("{"))
    if text.startswith("{") and not lines:
        return conversion("json of columns", path)
    arrays = any(isinstance(value, list) for value in start.values())
    return conversion(f"{'jsonl' if lines else 'json'} of {'arrays' if arrays else 'cells'}", path)


def _folder(folder):
    """The form of a folder; see `recognise`."""
    for place in (folder, *sorted(path for path in folder.iterdir() if path.is_dir())):
        names = {path.name for path in place.iterdir()} if place == folder or _is_python(place) else set()
        if any(re.fullmatch(r"data_batch_\d+", name) for name in names) or "batches.meta" in names:
            test = "test_batch" if "test_batch" in names else None
            return _PYTHON, f"{_BINARY} {conversion_of_cifar(place, 'data_batch_*', test)}"
        if {"train", "meta"} <= names and starts_with(place / "train", b"\x80"):
            test = "test" if "test" in names else None
            return _PYTHON, f"{_BINARY} {conversion_of_cifar(place, 'train', test)}"
    if (folder / "data.mdb").is_file():
        return recognise(folder / "data.mdb")
    records = sorted(path for path in folder.iterdir() if ".tfrecord" in path.name.lower())
    return ("a folder of TFRecord files", conversion("tfrecord", records[0])) if records else None


def _is_python(folder):
    """Whether a folder has the name of a folder of the Python version of CIFAR."""
    return folder.name in ("cifar-10-batches-py", "cifar-100-python")


def _refuse(paths, _):
    """Raise the StragError for a known form."""
    path = next(path for path in paths if recognise(path))
    what, remedy = recognise(path)
    raise StragError(f"is {what}", remedy, path)


_OPTIONS = tuple(option.name for option in fields(Reading))  # all, so that the form is the error
FILE = Form(
    "a known form", lambda paths: any(not p.is_dir() and recognise(p) for p in paths), _refuse, _OPTIONS
)
FOLDER = Form(
    "a known form", lambda paths: paths[0].is_dir() and bool(recognise(paths[0])), _refuse, _OPTIONS
)
