"""State dicts of networks that other programs trained: safetensors without a stamp, and files of torch.

This is the only module outside of training that imports torch, and only to read torch's own files. It reads
them with `weights_only=True`, so that no code in a file runs.
"""

import os
import re
import warnings
import zipfile
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from strag.errors import StragError, bad_usage
from strag.files.header import LARGEST, read_entries
from strag.files.reading import check_size, read_header
from strag.files.streams import is_regular, open_input, read_exactly
from strag.identity import identity_of
from strag.words import as_text, some_of

OLDEST_TORCH = (2, 6)  # from which on weights_only=True runs no code, see CVE-2025-32434
WELL_KNOWN = ("state_dict", "model_state_dict", "model")  # keys of state dicts in checkpoints
_FLOATS = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "BF16": "<u2"}  # BF16 is the upper half of a float32
_UNSIGNED = {"BOOL": "?", "U8": "u1", "U16": "<u2", "U32": "<u4", "U64": "<u8"}
_SIGNED = {"I8": "i1", "I16": "<i2", "I32": "<i4", "I64": "<i8"}
_DTYPES = {**_FLOATS, **_UNSIGNED, **_SIGNED}  # of safetensors, as far as they are read
CONVERT = "convert it to safetensors, see 'Checkpoints of other people' in the README"


@dataclass(frozen=True)
class StateDict:
    """The parameters and buffers of one network.

    tensors : dict of name to array: float32 where the file has floating-point numbers, else the file's dtype.
    source : name of the file. under : the key under which the state dict was found without being asked for,
    or None.
    """

    tensors: dict
    source: str
    under: str | None = None

    @property
    def identity(self):
        """The sha256 of the tensors, see `identity_of`; it does not depend on the form of the file."""
        return identity_of(self.tensors)

    @property
    def shapes(self):
        """Shape of every tensor: dict of name to tuple."""
        return {name: array.shape for name, array in self.tensors.items()}


def form_of(path):
    """The form of a file, from its first bytes: `strag`, `safetensors`, `torch` or None for another form.

    A file that cannot be read at any position, such as a pipe, is not opened and has the form None.
    """
    if os.path.isfile(path):
        with suppress(StragError), open_input(path) as stream:
            return _form(stream, path)
    return None


def _form(stream, path):
    """The form of an open file, see `form_of`. Raises StragError for a broken header of safetensors."""
    head = read_exactly(stream, 8)
    if read_exactly(stream, 1) == b"{" and 2 <= int.from_bytes(head, "little") <= LARGEST:
        stream.seek(len(head))
        metadata, _, _ = read_entries(read_header(stream, head, path, ()), path)
        return "strag" if "strag" in metadata else "safetensors"
    if head.startswith(b"PK\x03\x04"):
        return None if _is_npz(path) else "torch"
    return "torch" if head.startswith(b"\x80") else None  # a pickle


def require_checkpoint(path):
    """The form of a checkpoint: `safetensors` or `torch`. Raises StragError for any other file."""
    with open_input(path) as stream:
        form = _form(stream, path) if is_regular(stream) else None
    if form == "strag":
        problem = "is a file of strag, not a checkpoint of another program"
        raise StragError(problem, "pass one weights file alone, or only checkpoints", path)
    if form is None:
        remedy = "pass a state dict that torch.save or safetensors wrote to a file"
        raise StragError("is not a checkpoint", remedy, path)
    return form


def _is_npz(path):
    """Whether a zip file is one of numpy."""
    with suppress(zipfile.BadZipFile, OSError), zipfile.ZipFile(path) as archive:
        return any(name.endswith(".npy") for name in archive.namelist())
    return False


def read_state(path, key=None):
    """Read the state dict in a checkpoint: StateDict.

    key : where the state dict is in the file, with dots between nested keys. The first part of the names of
    its tensors counts as a key too. None stands for the whole file, or for the only one of WELL_KNOWN in it.

    Raises StragError for a file that is not a checkpoint, for one that only a pickle that runs code could
    read, for a key that does not exist, and for tensors that are not finite or not real numbers.
    """
    form = require_checkpoint(path)
    content = _from_safetensors(path) if form == "safetensors" else _from_torch(path)
    found, under = _under(content, key, path) if key is not None else _whole(content, path)
    tensors = {name: _as_array(found[name], name, path) for name in found}
    for name, array in tensors.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            remedy = "leave out the checkpoints of a training that diverged"
            raise StragError(f"its '{as_text(name)}' is not finite", remedy, path)
    return StateDict(tensors, path, under)


def _from_safetensors(path):
    """The tensors of a safetensors file: dict of name to array, in the dtypes of the file or float32."""
    with open_input(path) as stream:
        header = read_header(stream, read_exactly(stream, 8), path, ())
        _, entries, size = read_entries(header, path)
        check_size(stream, size, path)
        return {name: _stored(stream, name, entry, path) for name, entry in sorted(entries.items())}


def _stored(stream, name, entry, path):
    """Read a tensor of a safetensors file. entry : its Entry."""
    dtype = _DTYPES.get(entry.dtype)
    if dtype is None:
        problem = f"its '{as_text(name)}' is {entry.dtype}, which strag does not read"
        raise StragError(problem, "save it as float32", path)
    count = int(np.prod(entry.shape, dtype=np.int64))
    stream.seek(entry.start)
    array = np.fromfile(stream, dtype, count) if count else np.zeros(0, dtype)
    if entry.dtype == "BF16":
        array = (array.astype("<u4") << 16).view("<f4")
    return array.reshape(entry.shape)


def _from_torch(path):
    """The content of a file of torch: a dict of tensors, and whatever else plain pickles hold."""
    import torch

    version = re.match(r"(\d+)\.(\d+)", torch.__version__)
    if tuple(map(int, version.groups())) < OLDEST_TORCH:
        problem = f"is a pickle, which torch {torch.__version__} does not read safely"
        newer = ".".join(map(str, OLDEST_TORCH))
        raise StragError(problem, f"install torch {newer} or newer, or {CONVERT}", path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise StragError(f"cannot be read: {error.strerror}", "check the path", path) from None
    except MemoryError:
        raise
    except Exception as error:  # whatever a broken or hostile pickle makes of torch
        text = str(error)
        needed = re.search(r"GLOBAL (\S+)", text)
        if needed or "TorchScript" in text or "Weights only load failed" in text:
            what = f"holds {as_text(needed[1])}" if needed else "is a whole model"
            problem = f"{what}, not only tensors, and to load it could run code"
            raise StragError(problem, CONVERT, path) from None
        raise StragError("is not a complete checkpoint of torch", "save or copy it again", path) from None


def _is_tensor(value):
    """Whether a value in a checkpoint is a tensor of torch or an array."""
    return hasattr(value, "dtype") and hasattr(value, "shape")


def _is_state(value):
    """Whether a value in a checkpoint is a dict of tensors by their names."""
    is_named = isinstance(value, dict) and all(isinstance(name, str) for name in value)
    return is_named and bool(value) and all(map(_is_tensor, value.values()))


def _whole(content, path):
    """The state dict in a checkpoint, and the key under which it was found, or None."""
    if _is_state(content):
        return content, None
    if not isinstance(content, dict) or not content:
        remedy = "save the state dict of the network"
        raise StragError(f"holds {_described(content)}, not a state dict", remedy, path)
    known = [name for name in WELL_KNOWN if _is_state(content.get(name))]
    if len(known) == 1:
        return content[known[0]], known[0]
    raise _not_one(content, path)


def _not_one(content, path):
    """The error for a dict that is not a state dict, and does not hold just one of a known name."""
    states = [name for name, value in content.items() if isinstance(value, dict)]
    if states:
        problem = f"holds {some_of(map(as_text, content))}, so that its state dict is not known"
        return bad_usage(problem, "pass `key` with the name of the state dict", path)
    loose = [name for name, value in content.items() if not (isinstance(name, str) and _is_tensor(value))]
    problem = f"its '{as_text(loose[0])}' is {_described(content[loose[0]])}, not a tensor with a name"
    return StragError(problem, "save the state dict of the network alone", path)


def _described(value):
    """The type of a value in a checkpoint, with its article."""
    if isinstance(value, dict) and not value:
        return "an empty dict"
    name = "tensor" if _is_tensor(value) else type(value).__name__
    return f"an {name}" if name[:1] in "aeiouAEIOU" else f"a {name}"


def _under(content, key, path):
    """The state dict under a key, see `read_state`, and None."""
    if not key:
        raise bad_usage("`key` is empty", "remove it, or pass the name of the state dict", path)
    found, rest = content, key
    while rest and isinstance(found, dict):
        if rest in found:
            found, rest = found[rest], ""
            continue
        heads = [name for name in found if isinstance(name, str) and rest.startswith(f"{name}.")]
        if heads:
            head = max(heads, key=len)
            found, rest = found[head], rest[len(head) + 1 :]
            continue
        start = f"{rest}."
        within = {name[len(start) :]: found[name] for name in map(str, found) if name.startswith(start)}
        if not within:
            remedy = f"use one of {some_of(_keys(found))}"
            raise bad_usage(f"has no `key` '{as_text(key)}'", remedy, path)
        found, rest = within, ""
    if rest or not _is_state(found):
        problem = f"`key` '{as_text(key)}' is {_described(found)}, not a state dict"
        remedy = f"use a key below it: {some_of(_keys(found))}" if found and isinstance(found, dict) else None
        raise bad_usage(problem, remedy or "use the key of a dict of tensors", path)
    return found, None


def _keys(content):
    """The keys of a dict in a checkpoint, or the first parts of the names if it is a dict of tensors."""
    names = map(str, content)
    return list(
        dict.fromkeys(as_text(name.partition(".")[0] if _is_state(content) else name) for name in names)
    )


def _as_array(value, name, path):
    """A tensor of a checkpoint as an array: float32 for floating-point numbers, else in its own dtype."""
    if not isinstance(value, np.ndarray):
        import torch

        plain = value.layout == torch.strided and not value.is_quantized and not value.is_meta
        if not plain or value.is_complex():
            problem = f"its '{as_text(name)}' is {value.dtype} of a form that strag does not read"
            raise StragError(problem, "save it as a plain float32 tensor", path)
        value = value.detach()
        value = (value.float() if value.is_floating_point() else value).contiguous().numpy()
    with np.errstate(over="ignore"):
        return value.astype(np.float32) if value.dtype.kind == "f" else value
