"""Shell commands that convert a file that strag cannot read into one that it can read, for error messages."""

import os
import shlex
from pathlib import Path

_NPZ = (
    'd = d if isinstance(d, dict) else dict(zip(("x", "y", "x_test", "y_test"), d)); '
    "np.savez(sys.argv[2], **{str(k): np.asarray(v) for k, v in d.items()})"
)
_PICKLE = (
    f'import pickle, sys, numpy as np; d = pickle.load(open(sys.argv[1], "rb"), encoding="latin1"); {_NPZ}'
)
_GZIPPED = _PICKLE.replace("import pickle", "import gzip, pickle").replace("(open(", "(gzip.open(")
_JOBLIB = f"import joblib, sys, numpy as np; d = joblib.load(sys.argv[1]); {_NPZ}"
_TORCH = f"import sys, torch, numpy as np; d = torch.load(sys.argv[1], weights_only=True); {_NPZ}"
_MAT = (
    "import sys, numpy as np, scipy.io; d = scipy.io.loadmat(sys.argv[1]); "
    "np.savez(sys.argv[2], **{k: v.ravel() if v.ndim == 2 and 1 in v.shape else v for k, v in d.items() "
    'if k[0] != "_"})'
)
_SVHN = (
    "import sys, numpy as np, scipy.io; d = scipy.io.loadmat(sys.argv[1]); "
    'np.savez(sys.argv[2], x=np.moveaxis(d["X"], -1, 0), y=d["y"].ravel() % 10)'
)
_EMNIST = (
    "import sys, numpy as np, scipy.io; d = scipy.io.loadmat(sys.argv[1], simplify_cells=True)"
    '["dataset"]; np.savez(sys.argv[2], x=d["train"]["images"], y=d["train"]["labels"], '
    'x_test=d["test"]["images"], y_test=d["test"]["labels"])'
)
_HDF5 = (
    "import h5py, sys, numpy as np; d = h5py.File(sys.argv[1]); "
    'np.savez(sys.argv[2], **{k: d[k][()] for k in d if hasattr(d[k], "shape")})'
)
_MAT73 = _HDF5.replace("d[k][()]", "d[k][()].T")
_ARRAYS = "np.savez(sys.argv[2], **{k: np.array([i[k] for i in r]) for k in r[0]})"
_CELLS = 'w = csv.DictWriter(open(sys.argv[2], "w", newline=""), r[0]); w.writeheader(); w.writerows(r)'
_JSON = "import csv, json, sys, numpy as np; r = json.load(open(sys.argv[1])); "
_JSONL = "import csv, json, sys, numpy as np; r = [json.loads(i) for i in open(sys.argv[1]) if i.strip()]; "
_COLUMNS = "np.savez(sys.argv[2], **{k: np.array(v) for k, v in r.items()})"
_EXCEL = "import pandas, sys; pandas.read_excel(sys.argv[1]).to_csv(sys.argv[2], index=False)"
_ARFF = (
    "import csv, sys; from scipy.io import arff; d, m = arff.loadarff(sys.argv[1]); "
    'w = csv.writer(open(sys.argv[2], "w", newline="")); w.writerow(m.names()); '
    "w.writerows([v.decode() if isinstance(v, bytes) else v for v in r] for r in d)"
)
_SVM = (
    "import sys, numpy as np; from sklearn.datasets import load_svmlight_file; "
    "x, y = load_svmlight_file(sys.argv[1]); "
    "np.savez(sys.argv[2], x=x.toarray(), y=np.unique(y, return_inverse=True)[1])"
)
_SQLITE = (
    "import csv, sqlite3, sys; r = sqlite3.connect(sys.argv[1]).execute(sys.argv[3]); "
    'w = csv.writer(open(sys.argv[2], "w", newline="")); '
    "w.writerow([c[0] for c in r.description]); w.writerows(r)"
)
_TFRECORD = (
    "import sys, numpy as np, tensorflow as tf; r = [tf.train.Example.FromString(e.numpy()).features.feature "
    "for e in tf.data.TFRecordDataset(sys.argv[1])]; np.savez(sys.argv[2], "
    'x=[tf.io.decode_image(e["image"].bytes_list.value[0]).numpy() for e in r], '
    'y=[e["label"].int64_list.value[0] for e in r])'
)
_WEBDATASET = (
    "import pathlib, sys, tarfile; t = tarfile.open(sys.argv[1]); "
    "m = {i.name: t.extractfile(i).read() for i in t if i.isfile()}; "
    "P = pathlib.PurePosixPath; f = lambda n: pathlib.Path(sys.argv[2], "
    'm[str(P(n).with_suffix(".cls"))].decode().strip().replace("/", "_")); '
    "[(f(n).mkdir(parents=True, exist_ok=True), (f(n) / P(n).name).write_bytes(m[n])) for n in m "
    'if P(n).suffix in (".png", ".jpg", ".jpeg", ".webp")]'
)
_CIFAR = (
    "import glob, pickle, sys, numpy as np; "
    'b = lambda p: [pickle.load(open(f, "rb"), encoding="latin1") '
    'for f in sorted(glob.glob(glob.escape(sys.argv[1]) + "/" + p))]; '
    'x = lambda p: np.concatenate([d["data"] for d in b(p)]).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1); '
    'y = lambda p: np.concatenate([d.get("labels", d.get("fine_labels")) for d in b(p)]); '
)

# Python code that converts each form of data, and the suffix of the file that it writes.
CODE = {
    "pickle": (_PICKLE, ".npz"),
    "pickle.gz": (_GZIPPED, ".npz"),
    "joblib": (_JOBLIB, ".npz"),
    "torch": (_TORCH, ".npz"),
    "mat": (_MAT, ".npz"),
    "svhn": (_SVHN, ".npz"),
    "emnist": (_EMNIST, ".npz"),
    "mat 7.3": (_MAT73, ".npz"),
    "hdf5": (_HDF5, ".npz"),
    "json of arrays": (_JSON + _ARRAYS, ".npz"),
    "json of cells": (_JSON + _CELLS, ".csv"),
    "json of columns": (_JSON + _COLUMNS, ".npz"),
    "jsonl of arrays": (_JSONL + _ARRAYS, ".npz"),
    "jsonl of cells": (_JSONL + _CELLS, ".csv"),
    "spreadsheet": (_EXCEL, ".csv"),
    "arff": (_ARFF, ".csv"),
    "libsvm": (_SVM, ".npz"),
    "sqlite": (_SQLITE, ".csv"),
    "tfrecord": (_TFRECORD, ".npz"),
    "webdataset": (_WEBDATASET, ""),
}
RISKY = ("pickle", "pickle.gz", "joblib")  # forms that can run any code when they are opened


def conversion(form, path, *more):
    """The remedy for a file of a form in CODE: the command that converts it. more : its further arguments."""
    code, suffix = CODE[form]
    trust = "if you trust it, " if form in RISKY else ""
    return f"{trust}convert it: {_line(code, str(path), _new(path, suffix), *more)}"


def unpacking(path, module):
    """The remedy for an archive: the command that unpacks it. module : `zipfile` or `tarfile`."""
    return f"unpack it: python3 -m {module} -e {shlex.quote(str(path))} {shlex.quote(_new(path))}"


def conversion_of_cifar(folder, train, test):
    """The remedy for a folder of CIFAR's Python version: the command that converts it.

    train, test : patterns of the names of its files; test is None if there is no test batch.
    """
    parts = [("x", "x", train), ("y", "y", train), ("x_test", "x", test), ("y_test", "y", test)]
    arrays = ", ".join(f'{key}={call}("{name}")' for key, call, name in parts if name)
    line = _line(f"{_CIFAR}np.savez(sys.argv[2], {arrays})", str(folder), _new(folder, ".npz"))
    return f"if you trust it, convert it: {line}"


def _new(path, suffix=""):
    """A new file name for the current folder: the name of `path` with another suffix."""
    name = path.resolve().name
    stem = name if path.is_dir() else Path(name.removesuffix(".gz").removesuffix(".tar")).stem
    return f"{stem}-converted{suffix}" if os.path.lexists(stem + suffix) else stem + suffix


def _line(code, *words):
    """The shell command that runs Python code with these arguments."""
    return " ".join(["python3", "-c", *map(shlex.quote, (code, *words))])
