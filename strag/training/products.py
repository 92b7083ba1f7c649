"""Products of matrices or of batches of matrices: operands in float32 or bfloat16, sums in float32.

These functions choose the memory layout of the operands themselves, so the layout in which a caller passes
an array does not change the result.
"""

import torch

_onednn = (
    getattr(torch.ops.mkldnn, "_linear_pointwise", None) if torch.backends.mkldnn.is_available() else None
)


def product(a, b, out):
    """Set out = a b, float32. a, b : matrices or batches of matrices; b is cast to the dtype of a."""
    if a.dim() == 3 and a.dtype == out.dtype:
        torch.bmm(a, b, out=out)
    elif a.dtype == out.dtype and not _by_onednn(a):
        torch.mm(a, b, out=out)
    else:
        out.copy_(_multiply(a, b.to(a.dtype)))


def add_product(dtype, a, b, total):
    """Add a b to `total`, float32. a, b : matrices or batches of matrices, which are cast to `dtype`."""
    if a.dim() == 3 and dtype == total.dtype:
        total.baddbmm_(a, b)
    elif dtype == total.dtype and not _by_onednn(a):
        total.addmm_(a, b)
    else:
        total.add_(_multiply(a.to(dtype), b.to(dtype)))


def _multiply(a, b):
    """Return a b, for matrices or batches of matrices of the same dtype."""
    if a.dim() == 3:
        return torch.bmm(a, b)
    return _onednn(a, _packed(b).t(), None, "none", [], "") if _by_onednn(a) else torch.mm(a, b)


def _packed(matrix):
    """Return the matrix without gaps in memory; with gaps, oneDNN takes a thousand times as long."""
    is_packed = matrix.is_contiguous() or matrix.t().is_contiguous()
    return matrix if is_packed else matrix.contiguous()


def _by_onednn(a):
    """Whether to multiply with oneDNN, which is faster than torch's BLAS, most of all for few rows."""
    return _onednn is not None and a.dtype == torch.float32 and a.device.type == "cpu"
