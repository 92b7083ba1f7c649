"""The precision of the matrix products: operands in float32 or bfloat16, sums in float32.

bfloat16 keeps 8 of the 24 significant bits of float32. A processor with bfloat16 arithmetic multiplies it
two to four times faster. strag casts only the operands of the large products: the weights that training
changes, activations, losses, radii and the readout stay float32, and a product is summed in float32 before
it is rounded. (torch's global switch for matrix products is a different mechanism; it is slower on CPUs.)
"""

import contextlib

import torch

FLOAT32, BFLOAT16 = "float32", "bfloat16"
PRECISIONS = (FLOAT32, BFLOAT16)
FEWEST_INPUTS = 64  # of a layer whose products are cast; with fewer, casting costs more than it saves


def operand_dtypes(precision, sizes):
    """Return the dtype of the operands of each layer of a perceptron: list of torch dtypes.

    sizes : d, N, ..., C. The readout is always float32 because the largest logit decides the prediction.
    """
    cast = [precision == BFLOAT16 and inputs >= FEWEST_INPUTS for inputs in sizes[:-2]]
    return [torch.bfloat16 if is_cast else torch.float32 for is_cast in (*cast, False)]


def is_effective(precision, dtypes):
    """Whether `precision` has an effect: it is float32, or at least one of the dtypes is bfloat16."""
    return precision == FLOAT32 or torch.bfloat16 in dtypes


def is_native(precision, device):
    """Whether the device has arithmetic for this precision and does not emulate it."""
    if precision == FLOAT32 or device == "mps":
        return True
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def exact(device):
    """A context in which the convolutions on a device multiply in float32.

    By default, torch rounds their operands to the 10 bits of TF32 on graphics cards.
    """
    if torch.device(device).type != "cuda":
        return contextlib.nullcontext()
    return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
