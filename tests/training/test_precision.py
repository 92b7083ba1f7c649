"""bfloat16 operands: where they are cast, and how near the numbers stay to float32."""

import numpy as np
import pytest
import torch

from strag.training import precision
from strag.training.perceptron import tile_size
from strag.training.precision import exact, is_native, operand_dtypes
from strag.training.products import add_product, product
from tests.conftest import made_up
from tests.training.runs import recorded


def test_the_readout_and_small_layers_stay_float32():
    half, full = torch.bfloat16, torch.float32
    assert operand_dtypes("bfloat16", [784, 20, 2]) == [half, full]
    assert operand_dtypes("bfloat16", [784, 100, 20, 20, 2]) == [half, half, full, full]
    assert operand_dtypes("bfloat16", [784, 2]) == [full]
    assert operand_dtypes("float32", [784, 100, 2]) == [full, full]


@pytest.mark.parametrize("batch", [(), (3,)])
def test_products_sum_in_float32(batch):
    a, b = (torch.randn(*batch, *shape).bfloat16().float() for shape in ((5, 300), (300, 7)))
    exact, out = a.double() @ b.double(), torch.empty(*batch, 5, 7)
    product(a.bfloat16(), b, out)
    assert out.dtype == torch.float32
    np.testing.assert_allclose(out, exact, rtol=2**-8)  # rounded once, at the end
    total = torch.ones(*batch, 5, 7)
    add_product(torch.bfloat16, a, b, total)
    np.testing.assert_allclose(total - 1, exact, rtol=2**-8, atol=1e-5)


@pytest.mark.parametrize("options", [{}, {"depth": 3, "width": 64, "layers": (1, 2)}, {"batch_size": 64}])
def test_a_training_in_bfloat16_stays_near_that_in_float32(options):
    data = made_up(P=600, shape=(10, 10))
    exact, _ = recorded(data, record_every="1", **options)
    near, _ = recorded(data, record_every="1", precision="bfloat16", **options)
    assert (near["train_loss"] != exact["train_loss"]).any()
    np.testing.assert_allclose(near["train_loss"], exact["train_loss"], rtol=0.02, atol=2e-3)
    np.testing.assert_allclose(near["radius"], exact["radius"], atol=0.01)


def test_a_linear_classifier_is_all_readout():
    data = made_up(P=300, shape=(10, 10))
    exact, _ = recorded(data, depth=1, layers=(0,))
    same, _ = recorded(data, depth=1, layers=(0,), precision="bfloat16")
    np.testing.assert_array_equal(same["train_loss"], exact["train_loss"])


def test_a_processor_without_bfloat16_is_told_apart(monkeypatch):
    assert is_native("float32", "cpu")
    for able, native in (({"avx512_bf16": True}, True), ({"avx2": True, "bf16": False}, False)):
        monkeypatch.setattr(precision.torch.cpu, "get_capabilities", lambda able=able: able, raising=False)
        assert is_native("bfloat16", "cpu") is native


def test_tiles_keep_activations_in_the_cache():
    assert tile_size(1, 20) == 8192
    assert tile_size(32, 20) == 1024
    assert tile_size(1, 1000) == 1024
    assert tile_size(1, 100_000) == 256


def test_convolutions_on_graphics_cards_are_those_of_float32():
    before = torch.backends.cudnn.allow_tf32
    with exact("cuda:0"):
        assert not torch.backends.cudnn.allow_tf32
        assert torch.backends.cudnn.enabled
    assert torch.backends.cudnn.allow_tf32 is before
    with exact("cpu"):
        assert torch.backends.cudnn.allow_tf32 is before
