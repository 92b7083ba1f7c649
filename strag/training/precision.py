"""The arithmetic of the products: operands in float32 or bfloat16, sums in float32.

bfloat16 keeps 8 of float32's 24 bits, and a processor with bfloat16 arithmetic multiplies it two to four
times faster. strag casts the operands of the large products and nothing else: the weights that training
moves, activations, losses, radii and the readout stay float32, and a product sums in float32 before it is
rounded. (torch's global switch for matrix products is another mechanism, and slower on processors.)
"""

import torch

FLOAT32, BFLOAT16 = "float32", "bfloat16"
PRECISIONS = (FLOAT32, BFLOAT16)
FEWEST_INPUTS = 64  # of a layer whose products are cast: below, casting costs more than it saves


def operand_dtypes(precision, sizes):
    """The dtype of the operands of each layer of a perceptron: list of torch dtypes.

    sizes : d, N, ..., C. The readout, whose largest logit decides, is always float32.
    """
    cast = [precision == BFLOAT16 and inputs >= FEWEST_INPUTS for inputs in sizes[:-2]]
    return [torch.bfloat16 if is_cast else torch.float32 for is_cast in (*cast, False)]


def is_effective(precision, dtypes):
    """Whether the precision changes a product whose operands get these dtypes."""
    return precision == FLOAT32 or torch.bfloat16 in dtypes


def is_native(precision, device):
    """Whether the device has arithmetic for this precision, rather than imitating it."""
    if precision == FLOAT32 or device == "mps":
        return True
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
