"""Arrays of any framework as arrays of numpy, without importing the framework."""

import numpy as np

from strag.errors import bad_usage
from strag.words import reason_of


def as_array(values, name):
    """Return an array of any framework, or a list, as an array of numpy, which may share its memory.

    Tensors of torch are detached and moved to the CPU; bfloat16 becomes float32. Other arrays are read by
    `__array__`, or by `__dlpack__`. name : name of the argument in messages.

    Raises StragError for an object that cannot be read, and for masked entries.
    """
    if np.ma.is_masked(values):
        raise bad_usage(f"`{name}` has masked entries", "fill them in, or remove their examples")
    try:
        array = _read(values)
    except Exception as error:  # of the other library, or of rows of different lengths
        problem = f"cannot read `{name}` as an array: {reason_of(error)}"
        raise bad_usage(problem, "pass an array of numpy or torch, or numpy.asarray of it") from None
    if array.dtype.kind == "V":  # a float of another library, such as bfloat16 of ml_dtypes
        array = array.astype(np.float32)
    return array


def _read(values):
    """Return an array of numpy. It raises whatever the other library raises."""
    if hasattr(values, "detach"):
        values = values.detach()
        if str(values.dtype) == "torch.bfloat16":
            values = values.float()
        return values.cpu().numpy()
    if isinstance(values, (np.ndarray, list, tuple)) or hasattr(values, "__array__"):
        return np.asarray(values)
    if hasattr(values, "__dlpack__"):
        return np.from_dlpack(values)
    raise TypeError(f"an object of type {type(values).__name__}")
