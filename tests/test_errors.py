"""Errors name parameters; the command line spells them as options."""

import pytest

from strag.errors import StragError, bad_usage, with_options


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("`own_order` needs `batch_size`", "--own-order needs --batch-size"),
        ("cannot read `record_every` 'x'", "cannot read --record-every 'x'"),
        ("a smaller `lr` may help", "a smaller --lr may help"),
        (
            "no parameter 'layer1.weight' of test and record",
            "no parameter 'layer1.weight' of test and record",
        ),
    ],
)
def test_names_in_backticks_are_options(text, spelled):
    assert with_options(text) == spelled


def test_an_error_keeps_all_else():
    error = bad_usage("has no `noise` error", "leave `noise_level` out").about("`lr`.safetensors")
    spelled = error.as_options()
    assert str(spelled) == "`lr`.safetensors: has no --noise error; leave --noise-level out"
    assert (spelled.status, error.problem) == (2, "has no `noise` error")
    assert str(StragError("failed").as_options()) == "failed"
