"""import strag: a warning names the line of the user's code that made strag warn."""

import contextlib
import warnings
from pathlib import Path

import numpy as np
import pytest

import strag
from strag.errors import StragWarning
from tests.conftest import made_up
from tests.files.makers import forge

PACKAGE = Path(strag.__file__).parent


def warned_at(call):
    """The files in which the warnings of a call are placed."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", StragWarning)
        call()
    return [warning.filename for warning in caught if issubclass(warning.category, StragWarning)]


def test_a_training_that_diverges_warns_at_its_caller():
    data = made_up(P=300, Q=60)
    train = {"runs": 2, "epochs": 40, "width": 4, "lr": 1e38, "activation": "relu"}
    assert set(warned_at(lambda: strag.train(data, **train))) == {__file__}


def test_a_file_that_is_read_or_measured_warns_at_its_caller(tmp_path):
    data = made_up(P=300, Q=60)
    paths = {"output": tmp_path / "h", "weights": tmp_path / "w", "weights_at": "0"}
    strag.train(data, runs=2, epochs=3, width=4, **paths)
    with strag.read(tmp_path / "w") as weights:
        activations = strag.dump(weights, data)
    hidden = activations.hidden
    activations.hidden = lambda *place: hidden(*place) * np.float32(np.nan)
    assert warned_at(lambda: strag.measure(activations)) == [__file__]
    forge(str(tmp_path / "h"), str(tmp_path / "p"), {"interrupted": 3})
    assert warned_at(lambda: strag.read(tmp_path / "p")) == [__file__]


def test_frames_of_contexts_are_not_taken_for_the_caller():
    from strag.errors import warn_caller

    @contextlib.contextmanager
    def context():
        warn_caller("x")
        yield

    def enter():
        with context():
            pass

    assert warned_at(enter) == [__file__]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_the_package_warns_in_one_way(path):
    if path != PACKAGE / "errors.py":
        assert "warnings.warn(" not in path.read_text()
