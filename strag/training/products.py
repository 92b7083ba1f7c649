"""Products of matrices, or of batches of them: operands in float32 or bfloat16, sums in float32.

They own the layout of their operands: how an array lies in memory changes no number.
"""

import torch

_onednn = (
    getattr(torch.ops.mkldnn, "_linear_pointwise", None) if torch.backends.mkldnn.is_available() else None
)


def product(a, b, out):
    """out = a b, float32, of matrices or batches of them; b gets the dtype of a."""
    if a.dim() == 3 and a.dtype == out.dtype:
        torch.bmm(a, b, out=out)
    elif a.dtype == out.dtype and not _by_onednn(a):
        torch.mm(a, b, out=out)
    else:
        out.copy_(_multiply(a, b.to(a.dtype)))


def add_product(dtype, a, b, total):
    """total += a b, float32, of matrices or batches of them, whose operands are cast to `dtype`."""
    if a.dim() == 3 and dtype == total.dtype:
        total.baddbmm_(a, b)
    elif dtype == total.dtype and not _by_onednn(a):
        total.addmm_(a, b)
    else:
        total.add_(_multiply(a.to(dtype), b.to(dtype)))


def _multiply(a, b):
    """a b, of matrices or batches of them of one dtype."""
    if a.dim() == 3:
        return torch.bmm(a, b)
    return _onednn(a, _packed(b).t(), None, "none", [], "") if _by_onednn(a) else torch.mm(a, b)


def _packed(matrix):
    """The matrix, row by row or column by column without gaps: oneDNN takes a thousand times as long else."""
    is_packed = matrix.is_contiguous() or matrix.t().is_contiguous()
    return matrix if is_packed else matrix.contiguous()


def _by_onednn(a):
    """Whether oneDNN multiplies this float32 matrix: faster than torch's BLAS, most so for few rows."""
    return _onednn is not None and a.dtype == torch.float32 and a.device.type == "cpu"
