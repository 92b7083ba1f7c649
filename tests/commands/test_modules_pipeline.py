"""Laws of the whole pipeline for networks that are modules, through the command line."""

import numpy as np
import pytest

from strag import kinds
from strag.bits import unpack
from tests.networks import EXAMPLES
from tests.shell import in_this_process

TRAIN = "train d --runs 2 --epochs 12 --lr 0.2 --weights-at log --weights w -q -o h"


@pytest.fixture
def folder(tmp_path):
    in_this_process("strag data mnist8k --size 300 -q -o d", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("model", "layers"),
    [
        ("--model cnn --channels 2,3", "conv1,conv1:mean,conv2:mean"),
        (f"--model {EXAMPLES}:perceptron --model-args '{{\"depth\": 3}}'", "act1,act2"),
    ],
)
def test_what_is_measured_from_weights_is_what_was_recorded(folder, model, layers):
    """Streamed = whole: dump and geometry, tile by tile from files, give the radii and errors of training."""
    named = f"--model {EXAMPLES}:perceptron" if "perceptron" in model else ""
    in_this_process(
        f"""strag {TRAIN} {model} --layers {layers}
        strag dump w d {named or ""} --layers {layers} -q -o a
        strag geometry a -q -o g.safetensors""",
        folder,
    )
    recorded, measured = kinds.read(str(folder / "h")), kinds.read(str(folder / "g.safetensors"))
    assert measured.layers == recorded.layers == tuple(layers.split(","))
    at = np.searchsorted(recorded.updates, measured.updates)
    assert len(at) > 4
    for name in ("radius", "distance", "mean_norm2"):
        np.testing.assert_allclose(measured.measures[name], recorded.measures[name][at], atol=2e-5)
    np.testing.assert_allclose(measured.train_error, recorded.train_error[at], atol=1e-6)
    P = len(recorded.index)
    wrong = [unpack(bits, P) for bits in (measured.misclassified, recorded.misclassified[at])]
    np.testing.assert_array_equal(*wrong)


@pytest.mark.slow
def test_the_perceptron_of_a_file_inverts_where_mlp_does(folder):
    """t* within one record, and the sets at mlp's t* differ in at most 3 examples, on 2048 images."""
    options = "--runs 3 --until decided --epochs 400 --lr 0.2 --record-every 1 --test-every never -q"
    in_this_process(
        f"""strag data mnist8k --size 2048 -q -o d2
        strag train d2 {options} -o mlp
        strag train d2 {options} --model {EXAMPLES}:perceptron -o module
        strag find-stragglers mlp -q -o s""",
        folder,
    )
    mlp, module = (kinds.read(str(folder / name)) for name in ("mlp", "module"))
    found = kinds.read(str(folder / "s"))
    assert [run.inversion.verdict for run in found.runs] == ["inversion"] * 3
    in_this_process("strag find-stragglers module -q -o sm", folder)
    same = kinds.read(str(folder / "sm"))
    P = len(mlp.index)
    np.testing.assert_array_equal(mlp.misclassified[:13], module.misclassified[:13])
    for run, (ours, theirs) in enumerate(zip(found.runs, same.runs, strict=True)):
        assert abs(ours.update - theirs.update) <= 1
        at = int(np.searchsorted(mlp.updates, ours.update))
        sets = [unpack(history.misclassified[at, run], P) for history in (mlp, module)]
        assert (sets[0] != sets[1]).sum() <= 3


def test_how_linear_they_are_and_who_expands_is_measured_with_the_same_model(folder):
    model = f"--model {EXAMPLES}:perceptron"
    in_this_process(
        f"""strag {TRAIN} {model}
        strag {TRAIN.replace(" w ", " w0 ").replace(" -o h", " -o h0")}
        strag linearity w d {model} --updates 12 -q -o l.json
        strag linearity w0 d --updates 12 -q -o l0.json
        strag expansion w d {model} --from 0 --to 12 -q -o e
        strag expansion w0 d --from 0 --to 12 -q -o e0""",
        folder,
    )
    one, other = (kinds.read(str(folder / name)) for name in ("l.json", "l0.json"))
    np.testing.assert_array_equal(one.train_error, other.train_error)
    one, other = (kinds.read(str(folder / name)) for name in ("e", "e0"))
    np.testing.assert_allclose(one.expansion, other.expansion, atol=1e-6)
