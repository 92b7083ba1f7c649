"""Bytes for networks that were trained on other numbers, and the reverse."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file

from strag.cli import main
from strag.files.dataset import write_dataset
from tests.conftest import made_up

TRAIN = ["--runs", "1", "--epochs", "3", "--width", "4", "--lr", "0.1", "-q", "-o", "h"]
DIVIDED = "float32, but the networks were trained on uint8; its numbers are divided by 255 as well"
WHOLE = "uint8, but the networks were trained on float32; its numbers are not divided by 255"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with the same images as `bytes`, as `floats` from 0 to 255 and as `shares` from 0 to 1."""
    folder, data = tmp_path_factory.mktemp("made"), made_up(P=60)
    images = np.random.default_rng(0).integers(256, size=data.x.shape, dtype=np.uint8)
    forms = {
        "bytes": images,
        "floats": images.astype(np.float32),
        "shares": images / np.float32(255),
    }
    for name, x in forms.items():
        write_dataset(str(folder / name), replace(data, x=x, x_test=None, y_test=None), {})
    for name in ("bytes", "shares"):
        for way in ("none", "pixel"):
            line = ["train", str(folder / name), *TRAIN[:-1], str(folder / "h"), "--standardise", way]
            assert main([*line, "--weights", str(folder / f"{name}.{way}")]) == 0
    return folder


def dumped(weights, data, capsys):
    """The lines of a dump on stderr."""
    assert main(["dump", weights, data, "--layers", "0", "-q", "-o", "a"]) == 0
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("weights", "data", "said"),
    [
        ("bytes.none", "bytes", None),
        ("shares.none", "shares", None),
        ("bytes.pixel", "floats", None),
        ("bytes.none", "floats", DIVIDED),
        ("bytes.none", "shares", DIVIDED),
        (
            "shares.none",
            "bytes",
            WHOLE,
        ),
    ],
)
def test_another_kind_of_numbers_is_warned_of(made, monkeypatch, capsys, weights, data, said):
    monkeypatch.chdir(made)
    lines = dumped(weights, data, capsys)
    if said is None:
        assert lines == []
        return
    assert lines == [f"strag: warning: {data}: holds {said}"]


def test_only_bytes_are_divided_by_255(made, monkeypatch, capsys):
    monkeypatch.chdir(made)
    dumped("bytes.none", "bytes", capsys)
    of_bytes = load_file("a")["layer0"]
    dumped("shares.none", "shares", capsys)
    np.testing.assert_allclose(of_bytes, load_file("a")["layer0"], atol=1e-7)
    assert 0.9 < of_bytes.max() <= 1
