"""Predictions in npz files: the same as a Recorder and as strag's own training; faults in one line."""

import io
import shlex

import numpy as np
import pytest

import strag
from strag.bits import unpack
from strag.cli import main
from tests.conftest import made_up
from tests.shell import shell

T, R, P, C, N = 4, 3, 13, 3, 5


def logged(seed=0):
    """Logits [T, R, P, C], activations [T, R, P, N] and labels [P]."""
    random = np.random.default_rng(seed)
    labels = np.arange(P) % C
    logits = random.normal(size=(T, R, P, C)) + np.eye(C)[labels] * np.arange(T)[:, None, None, None]
    return logits, random.normal(size=(T, R, P, N)) + 2 * np.eye(N)[labels], labels


def arrays(**changed):
    """Arrays as a user may save them; None leaves one out."""
    logits, h, labels = logged()
    known = {"predictions": logits.argmax(axis=3), "labels": labels, "logits": logits, "activations.fc": h}
    known |= {
        "updates": np.array([0, 5, 6, 90]),
        **{name.replace("__", "."): v for name, v in changed.items()},
    }
    return {name: values for name, values in known.items() if values is not None}


def imported(tmp_path, name="p.npz", **changed):
    np.savez(tmp_path / name, **arrays(**changed))
    return strag.history(str(tmp_path / name))


def assert_same(history, other, atol=0.0):
    for name in ("updates", "train_error", "misclassified", "index", "group"):
        np.testing.assert_array_equal(getattr(history, name), getattr(other, name))
    for name in ("train_loss", "margin", "margin_deviation"):
        np.testing.assert_allclose(getattr(history, name), getattr(other, name), rtol=1e-6, atol=1e-6)
    assert history.measures.keys() == other.measures.keys()
    for name, values in history.measures.items():
        np.testing.assert_allclose(values, other.measures[name], rtol=0, atol=atol)


def test_a_recorder_that_is_fed_the_same_writes_the_same(tmp_path):
    logits, h, labels = logged()
    history = imported(tmp_path)
    for run in range(R):
        recorder = strag.Recorder(examples=P, classes=C)
        for update, z, x in zip((0, 5, 6, 90), logits[:, run], h[:, run], strict=True):
            recorder.update(list(range(P)), z, labels, {"fc": x})
            recorder.record(update)
        other = strag.read(recorder.save(str(tmp_path / f"{run}")))
        np.testing.assert_array_equal(history.misclassified[:, [run]], other.misclassified)
        for name in ("radius", "distance", "mean_norm2"):
            np.testing.assert_allclose(history.measures[name][:, [run]], other.measures[name], atol=1e-7)
        np.testing.assert_allclose(history.train_loss[:, [run]], other.train_loss, rtol=1e-6)
        np.testing.assert_allclose(history.margin[[run]], other.margin, rtol=1e-6)
        assert history.meta["origin"] == other.meta["origin"]
        assert (history.layers, history.classes) == (other.layers, other.classes)


def test_the_history_that_strag_wrote_comes_back(tmp_path):
    data = made_up(P=120, Q=20, overlap=2.0, labels="classes")
    written = strag.train(
        data, runs=2, epochs=9, width=6, lr=0.4, weights=str(tmp_path / "w"), weights_at="log"
    )
    with strag.read(str(tmp_path / "w")) as weights, strag.dump(weights, data) as dump:
        both = [(u, r) for u in range(len(dump.updates)) for r in range(2)]
        shape = (len(dump.updates), 2)
        saved = {
            "predictions": np.stack([dump.prediction(u, r) for u, r in both]).reshape(*shape, -1),
            "activations.1": np.stack([dump.hidden(1, u, r, slice(None)) for u, r in both]).reshape(
                *shape, 120, 6
            ),
            "updates": dump.updates,
            "labels": dump.group,
            "classes": np.array(dump.classes),
        }
    np.savez(tmp_path / "p.npz", **saved)
    history = strag.history(str(tmp_path / "p.npz"))
    records = np.isin(written.updates, history.updates)
    assert records.sum() == len(history.updates) > 5
    np.testing.assert_array_equal(history.misclassified, written.misclassified[records])
    np.testing.assert_array_equal(history.train_error, written.train_error[records])
    for name in ("radius", "distance", "mean_norm2"):
        np.testing.assert_allclose(history.measures[name], written.measures[name][records], atol=1e-6)
    assert (history.classes, history.layers, history.train_loss) == (written.classes, ("1",), None)


def test_one_run_needs_no_axis(tmp_path):
    logits, h, _ = logged()
    flat = {"predictions": logits[:, 0].argmax(axis=2), "logits": logits[:, 0], "activations__fc": h[:, 0]}
    one = {"predictions": logits[:, :1].argmax(axis=3), "logits": logits[:, :1], "activations__fc": h[:, :1]}
    assert_same(imported(tmp_path, **flat), imported(tmp_path, **one))


def test_logits_are_predictions(tmp_path):
    assert_same(imported(tmp_path, predictions=None), imported(tmp_path))


def test_the_order_of_examples_does_not_matter(tmp_path):
    logits, h, labels = logged()
    ids = np.array([f"{n:02}.png" for n in range(P)])
    sorted_ = imported(tmp_path, ids=ids)
    turned = np.random.default_rng(4).permutation(P)
    parts = {"ids": ids[turned], "labels": labels[turned], "predictions": logits.argmax(axis=3)[:, :, turned]}
    mixed = imported(tmp_path, **parts, logits=logits[:, :, turned], activations__fc=h[:, :, turned])
    assert_same(sorted_, mixed, atol=1e-6)
    assert [mixed.names[row] for row in range(P)] == ids.tolist()
    assert sorted_.meta["origin"] == mixed.meta["origin"]


def test_class_means_are_enough_if_no_activation_is_zero(tmp_path):
    _, h, labels = logged()
    x = h / np.linalg.norm(h, axis=3, keepdims=True)
    means = np.stack([x[:, :, labels == c].mean(axis=2) for c in range(C)], axis=2)
    assert_same(
        imported(tmp_path, activations__fc=None, class_means__fc=means), imported(tmp_path), atol=1e-6
    )
    few = imported(tmp_path, activations__fc=None, class_means__fc=means, labels=labels * 0, logits=None)
    assert np.isnan(few.measures["radius"][..., 1:]).all()
    assert np.isfinite(few.measures["radius"][..., 0]).all()


def test_further_axes_of_activations_are_flattened_and_layers_are_in_order(tmp_path):
    _, h, _ = logged()
    maps = np.stack([h, 2 * h], axis=-1).reshape(T, R, P, N, 1, 2)
    history = imported(
        tmp_path, activations__fc=None, activations__b=maps, activations__a=h.astype(np.float16)
    )
    assert history.layers == ("b", "a")
    radius = history.measures["radius"]
    np.testing.assert_allclose(radius[:, :, 0], radius[:, :, 1], atol=1e-3)


def test_a_zero_activation_is_kept(tmp_path):
    _, h, _ = logged()
    h[:, :, 0] = 0
    norm2 = imported(tmp_path, activations__fc=h).measures["mean_norm2"]
    np.testing.assert_allclose(norm2[..., 0], 1 - 1 / np.ceil(P / C))


def test_arrays_are_read_in_parts_or_stored_by_columns(tmp_path):
    plain = imported(tmp_path)
    turned = {name: np.asfortranarray(values) for name, values in arrays().items()}
    np.savez_compressed(tmp_path / "p.npz", **turned)
    assert_same(strag.history(str(tmp_path / "p.npz")), plain)


def test_names_and_updates_and_the_recording_are_those_of_the_file(tmp_path):
    history = imported(tmp_path, classes=np.array(["ant", "bee", "cat"]), updates=None)
    assert (history.classes, history.updates.tolist()) == (("ant", "bee", "cat"), [0, 1, 2, 3])
    assert (history.meta["recording"], history.meta["title"]) == ("snapshot", "p")
    online = {"activations__fc": None, "recording": np.array("online")}
    assert imported(tmp_path, **online).meta["recording"] == "online"
    assert strag.history(str(tmp_path / "p.npz"), snapshot=True).meta["recording"] == "snapshot"
    assert strag.history(str(tmp_path / "p.npz"), updates="3,4,5,6").updates.tolist() == [3, 4, 5, 6]


def test_predictions_alone_have_no_loss_and_no_layers(tmp_path):
    history = imported(tmp_path, logits=None, activations__fc=None)
    assert (history.train_loss, history.margin, history.layers) == (None, None, ())
    logits, _, labels = logged()
    wrong = logits.argmax(axis=3) != labels
    np.testing.assert_array_equal(unpack(history.misclassified, P), wrong)


Z, H, Y = logged()
FAULTS = {
    "no predictions": ({"predictions": None, "logits": None}, "has no array 'predictions'; save predictions"),
    "no labels": ({"labels": None}, "has no array 'labels'"),
    "floats": (
        {"predictions": Z.argmax(axis=3) * 1.0},
        "'predictions' holds float64, not whole numbers; save",
    ),
    "labels of floats": ({"labels": Y * 1.0}, "'labels' holds float64, not whole numbers"),
    "labels of another length": ({"labels": Y[1:]}, r"'predictions' has shape [4, 3, 13], not [T, 12] or"),
    "labels in columns": ({"labels": Y[:, None]}, "'labels' has shape [13, 1], not 1 axis"),
    "turned": (
        {"predictions": Z[:, 0].argmax(axis=2).T},
        "has shape [13, 4], not [T, 13] or [T, R, 13]; transpose",
    ),
    "out of range": ({"predictions": Z.argmax(axis=3) + 1}, "but the classes are 0 to 2; save the numbers"),
    "negative": ({"labels": Y - 1}, "'labels' has -1 for example 0, but the classes are 0 to 2"),
    "logits of other runs": ({"logits": Z[:, :2]}, "'logits' has shape [4, 2, 13, 3], not [4, 3, 13, N]"),
    "huge labels": (
        {"labels": Y << 40, "logits": None},
        "classes, but a history has at most 4096 with layers",
    ),
    "other logits": ({"logits": -Z}, "at update 0, where another of its 'logits' is larger; save logits and"),
    "whole logits": ({"logits": Z.astype(int)}, "'logits' holds int64, not floating-point numbers"),
    "other records": (
        {"activations__fc": H[1:]},
        "'activations.fc' has shape [3, 3, 13, 5], not [4, 3, 13, N]",
    ),
    "two forms": (
        {"class_means__fc": H[:, :, :3]},
        "has 'activations.fc' and 'class_means.fc'; save one array",
    ),
    "long means": (
        {"activations__fc": None, "class_means__fc": 9 + H[:, :, :3]},
        "'class_means.fc' has a mean of",
    ),
    "other classes": ({"classes": np.array(["a", "b"])}, "has 3 classes in 'logits', 2 classes in 'classes'"),
    "a name twice": ({"classes": np.array(["a", "b", "a"])}, "'classes' has a name twice"),
    "few updates": ({"updates": np.arange(3)}, "'updates' has 3 updates for 4 records"),
    "falling updates": ({"updates": np.array([0, 5, 5, 6])}, "'updates' does not rise from 0 on"),
    "huge updates": ({"updates": np.array([0, 1, 2, 2**63], np.uint64)}, "'updates' does not rise from 0 on"),
    "few ids": ({"ids": np.arange(12)}, "'ids' has 12 ids for 13 labels"),
    "an id twice": ({"ids": np.arange(13) // 2}, "'ids' lists 0 twice; save one id per example"),
    "objects": ({"ids": np.array([1, "a", *range(11)], dtype=object)}, "array 'ids' holds Python objects"),
    "online": (
        {"recording": np.array("online")},
        "is an online recording, and has 'activations.fc'; remove it",
    ),
    "another recording": ({"recording": np.array("live")}, "'recording' is 'live'; save snapshot or online"),
    "a layer without a name": ({"activations__": H}, "'activations.' has no name of a layer"),
    "no records": (
        {"predictions": np.zeros((0, P), int)},
        "'predictions' has shape [0, 13], and so no values",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_arrays_that_do_not_fit_are_one_line(tmp_path, fault):
    changed, words = FAULTS[fault]
    with pytest.raises(strag.StragError) as caught:
        imported(tmp_path, **changed)
    text = str(caught.value)
    assert text.startswith(f"{tmp_path / 'p.npz'}: ")
    assert words in text
    assert "\n" not in text


@pytest.mark.parametrize("cut", [1, 60, 2000])
def test_a_broken_file_is_one_line(tmp_path, cut):
    imported(tmp_path)
    path = tmp_path / "p.npz"
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(strag.StragError, match=r"p.npz: .*; save it again with numpy"):
        strag.history(str(path))


def test_through_a_pipe_and_what_is_left_out(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "p.npz", **arrays(extra=np.zeros(3), activations__fc=None))
    assert main(shlex.split("history p.npz -o h")) == 0
    assert capfd.readouterr().err.splitlines() == [
        "strag: p.npz: left out extra",
        "strag: p.npz: 3 runs, 4 records, 13 examples, 3 groups, no layers",
    ]
    script = "cat p.npz | strag history -q | strag export --format jsonl -q 2> said | head -n 1"
    result = shell(script, tmp_path)
    assert result.returncode == 0, result.stderr.decode()
    assert result.stdout.startswith(
        b'{"index": 0, "name": "0", "class": 0, "label": "0", "group": "0", "correctness"'
    )
    assert main(shlex.split("history p.npz -o p.npz")) == 2
    assert "is read, and -o would overwrite it" in capfd.readouterr().err
    assert np.load(io.BytesIO((tmp_path / "p.npz").read_bytes()))["labels"].tolist() == Y.tolist()


def test_the_scale_of_activations_does_not_matter_even_where_their_squares_overflow(tmp_path):
    _, h, _ = logged()
    plain = imported(tmp_path, "a.npz")
    for name, scaled in {"b.npz": h * 1e200, "c.npz": h * 1e-200}.items():
        assert_same(imported(tmp_path, name, activations__fc=scaled), plain, atol=1e-6)
