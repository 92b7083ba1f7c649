"""Data maps: the history holds what their lines say; every fault names file, line and guid."""

import json

import numpy as np
import pytest

import strag
from strag.bits import unpack
from strag.cli import main

P, C, T = 11, 3, 4
INTEGERS = [1600000000000 + 7 * n for n in range(P)]
TEXTS = ["07", "7", "b", "a/1", "é", "#", "10", "9", "x y", "A", "007"]


def logged(seed=0, P=P):
    """Logits [T, P, C] that grow for the label, and labels [P]."""
    random = np.random.default_rng(seed)
    gold = np.arange(P) % C
    return random.normal(size=(T, P, C)) + 1.5 * np.eye(C)[gold] * np.arange(T)[:, None, None], gold


def write(folder, logits, gold, guids, key="logits_epoch_{}", seed=1, suffix="jsonl"):
    """A folder as data maps log it, with the lines of every epoch in another order."""
    inner, random = folder / "training_dynamics", np.random.default_rng(seed)
    inner.mkdir(parents=True)
    for epoch, values in enumerate(logits):
        lines = [
            json.dumps({"guid": guids[row], key.format(epoch): values[row].tolist(), "gold": int(gold[row])})
            for row in random.permutation(len(gold))
        ]
        (inner / f"dynamics_epoch_{epoch}.{suffix}").write_text("\n".join(lines) + "\n")
    return str(folder)


@pytest.mark.parametrize("guids", [INTEGERS, TEXTS], ids=["integers", "texts"])
def test_a_history_holds_what_the_lines_say(tmp_path, guids):
    logits, gold = logged()
    history = strag.history(write(tmp_path / "a", logits, gold, guids))
    order = np.argsort(np.array(guids, dtype=object), kind="stable")
    assert [history.names[row] for row in range(P)] == [str(guids[row]) for row in order]
    assert (history.updates.tolist(), history.layers, history.runs) == ([0, 1, 2, 3], (), (0,))
    assert (history.classes, history.meta["recording"]) == (("0", "1", "2"), "online")
    assert history.meta["title"] == "a"
    np.testing.assert_array_equal(history.group, gold[order])
    wrong = logits.argmax(axis=2) != gold
    np.testing.assert_array_equal(unpack(history.misclassified, P)[:, 0], wrong[:, order])
    np.testing.assert_array_equal(history.train_error[:, 0], wrong.mean(axis=1).astype(np.float32))
    own = np.take_along_axis(logits, gold[None, :, None], axis=2)[..., 0]
    loss = np.log(np.exp(logits).sum(axis=2)) - own
    np.testing.assert_allclose(history.train_loss[:, 0], loss.mean(axis=1), rtol=1e-6)
    margin = own - np.where(np.eye(C, dtype=bool)[gold], -np.inf, logits).max(axis=2)
    np.testing.assert_allclose(history.margin[0], margin.mean(axis=0)[order], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(history.margin_deviation[0], margin.std(axis=0)[order], rtol=1e-5, atol=1e-6)


def test_neither_the_order_nor_the_spelling_of_lines_matters(tmp_path):
    logits, gold = logged()
    first = write(tmp_path / "1" / "a", logits, gold, TEXTS)
    other = write(tmp_path / "2" / "a", logits, gold, TEXTS, key="logits", seed=5, suffix="json")
    outputs = []
    for name, folder in (("x", first), ("y", other), ("z", f"{first}/training_dynamics")):
        strag.history(folder, output=str(tmp_path / name))
        outputs.append((tmp_path / name).read_bytes())
    assert outputs[0] == outputs[1] == outputs[2]


def test_guids_of_both_types_are_texts(tmp_path):
    logits, gold = logged()
    guids = [7, "07", 12, "x", 5, "a", "b", 100, "c", "d", "e"]
    history = strag.history(write(tmp_path / "a", logits, gold, guids))
    assert list(map(history.names.__getitem__, range(P))) == sorted(map(str, guids))


def test_folders_are_runs(tmp_path):
    folders = [write(tmp_path / name, *logged(seed), INTEGERS) for seed, name in enumerate("abc")]
    history, alone = strag.history(folders), [strag.history(folder) for folder in folders]
    assert history.runs == (0, 1, 2)
    for name in ("train_error", "train_loss", "misclassified"):
        each = np.concatenate([getattr(one, name) for one in alone], axis=1)
        np.testing.assert_array_equal(getattr(history, name), each)
    np.testing.assert_array_equal(history.margin, np.concatenate([one.margin for one in alone]))
    assert {one.meta["origin"] for one in alone} == {history.meta["origin"]}


def test_back_to_a_data_map(tmp_path):
    """The metrics are those that data maps compute from the same logs."""
    logits, gold = logged()
    logits[:, 4, gold[4]] = -9  # never learned
    folder = write(tmp_path / "a", logits, gold, INTEGERS)
    with pytest.warns(strag.errors.StragWarning, match="holds no probabilities"):
        table = strag.export(strag.history(folder), datamaps=True)
    right = logits.argmax(axis=2) == gold
    assert table["guid"].tolist() == INTEGERS
    assert table["correctness"].tolist() == right.sum(axis=0).tolist()
    assert table["forgetfulness"].tolist() == [forgetfulness(trend) for trend in right.T]
    assert 1000 in table["forgetfulness"]


def forgetfulness(trend):
    """How often an example is forgotten, as Swayamdipta et al. count it: 1000 if it is never learned."""
    if not any(trend):
        return 1000
    learnt, times = False, 0
    for correct in trend:
        times += learnt and not correct
        learnt = correct
    return int(times)


def test_a_logit_that_is_not_finite_is_misclassified(tmp_path):
    logits, gold = logged()
    logits[1, 0] = [np.nan, 9, 9]
    history = strag.history(write(tmp_path / "a", logits, gold, INTEGERS))
    text = (tmp_path / "a" / "training_dynamics" / "dynamics_epoch_1.jsonl").read_text()
    assert unpack(history.misclassified, P)[1, 0, 0]
    assert np.isnan(history.train_loss[1, 0])
    (tmp_path / "a" / "training_dynamics" / "dynamics_epoch_1.jsonl").write_text(text.replace("NaN", "null"))
    again = strag.history(str(tmp_path / "a"))
    np.testing.assert_array_equal(again.misclassified, history.misclassified)


def test_updates_and_the_recording_are_those_that_are_given(tmp_path):
    folder = write(tmp_path / "a", *logged(), INTEGERS)
    (tmp_path / "a" / "training_dynamics" / "dynamics_epoch_2.jsonl").unlink()
    history = strag.history(folder, updates=[100, 200, 400], snapshot=True)
    assert (history.updates.tolist(), history.meta["recording"]) == ([100, 200, 400], "snapshot")


def line(path, number, change):
    """Change one line of a file, from 1. change : a dict of keys, or a function of the text."""
    lines = path.read_text().split("\n")
    if isinstance(change, dict):
        changed = {**json.loads(lines[number - 1]), **change}
        lines[number - 1] = json.dumps({key: value for key, value in changed.items() if value is not ...})
    else:
        lines[number - 1] = change(lines[number - 1])
    path.write_text("\n".join(lines).rstrip("\n"))


ONE, TWO = "dynamics_epoch_1.jsonl", "dynamics_epoch_2.jsonl"
FAULTS = {
    "a line that is cut short": (ONE, P, lambda text: text[:9], "line 11: the line is cut short"),
    "no JSON": (ONE, 3, lambda text: "{" + text, "line 3: the line is not JSON"),
    "an empty line": (ONE, 3, lambda text: "", "line 3: the line is not JSON"),
    "no guid": (ONE, 2, {"guid": ...}, "line 2: the line has no 'guid', a number or a text"),
    "a guid that is no id": (ONE, 2, {"guid": 1.5}, "line 2: the line has no 'guid'"),
    "no label": (TWO, 1, {"gold": ...}, "has no 'gold', a whole number"),
    "a label that is no number": (TWO, 1, {"gold": "cat"}, "has no 'gold', a whole number"),
    "a label that is too large": (TWO, 1, {"gold": 3}, "has 3 logits and label 3; log 3 logits, and a label"),
    "no logits": (TWO, 1, {"logits_epoch_2": ...}, "has no 'logits_epoch_2' or 'logits', a list of two"),
    "texts as logits": (TWO, 1, {"logits_epoch_2": ["1", "2", "3"]}, "has no 'logits_epoch_2' or 'logits'"),
    "huge logits": (TWO, 1, {"logits_epoch_2": [10**400, 1, 2]}, "has no 'logits_epoch_2' or 'logits'"),
    "another number of logits": (TWO, 2, {"logits_epoch_2": [1, 2]}, "has 2 logits and label"),
    "a new guid": (TWO, 4, {"guid": "new"}, "line 4: guid 'new' is not in "),
    "another label": (
        TWO,
        4,
        lambda text: text.replace('"gold": 0', '"gold": 1'),
        "has the label 1, but 0 in ",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_names_file_and_line(tmp_path, fault):
    name, number, change, words = FAULTS[fault]
    logits, gold = logged()
    folder = write(tmp_path / "a", logits, gold if fault != "another label" else gold * 0, INTEGERS)
    line(tmp_path / "a" / "training_dynamics" / name, number, change)
    with pytest.raises(strag.StragError) as caught:
        strag.history(folder)
    text = str(caught.value)
    assert text.startswith(f"{folder}/training_dynamics/{name}: line {number}: ")
    assert words in text
    assert "\n" not in text


def test_a_folder_that_is_given_twice_is_not_two_runs(tmp_path, capsys):
    folder = write(tmp_path / "a", *logged(), INTEGERS)
    with pytest.raises(strag.StragError, match="a/: is given twice; pass each folder once"):
        strag.history([folder, f"{folder}/"])
    other = write(tmp_path / "b", *logged(), INTEGERS)
    assert main(["history", folder, other, "-o", str(tmp_path / "h")]) == 0
    assert (
        capsys.readouterr().err == "strag: 2 data maps: 2 runs, 4 records, 11 examples, 3 groups, no layers\n"
    )


def test_missing_and_repeated_examples_are_named(tmp_path):
    folder = write(tmp_path / "a", *logged(), INTEGERS)
    path = tmp_path / "a" / "training_dynamics" / ONE
    whole = path.read_text()
    lines = whole.splitlines()
    guid = json.loads(lines[4])["guid"]
    path.write_text("\n".join([*lines[:4], *lines[5:]]))
    with pytest.raises(
        strag.StragError, match=f"{ONE}: lacks 1 example of .*_0.jsonl, such as guid {guid}; log"
    ):
        strag.history(folder)
    path.write_text(whole + lines[4])
    with pytest.raises(
        strag.StragError, match=f"{ONE}: line 12: guid {guid} is that of line 5, too; log every"
    ):
        strag.history(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: (a / ONE).unlink(), "a: has no dynamics_epoch_1.jsonl, but later epochs; add it, or pass"),
        (
            lambda a: [path.unlink() for path in a.iterdir()],
            "a: holds no dynamics_epoch_X.jsonl, and no folder",
        ),
        (lambda a: (a / ONE).write_text(""), f"{ONE}: has no lines"),
        (
            lambda a: (a / "dynamics_epoch_01.jsonl").touch(),
            "a: holds dynamics_epoch_01.jsonl, dynamics_epoch_1",
        ),
        (
            lambda a: (a / "dynamics_epoch_4.jsonl").touch(),
            "b: has no epoch 4, which .*a has; pass runs of the",
        ),
    ],
)
def test_epochs_that_do_not_fit_are_named(tmp_path, change, words):
    folders = [write(tmp_path / name, *logged(), INTEGERS) for name in "ab"]
    change(tmp_path / "a" / "training_dynamics")
    with pytest.raises(strag.StragError, match=words):
        strag.history(folders)


def test_other_examples_in_another_run_are_named(tmp_path):
    folders = [write(tmp_path / "a", *logged(), INTEGERS), write(tmp_path / "b", *logged(), TEXTS)]
    with pytest.raises(strag.StragError, match=r"b/.*_0.jsonl: line 1: guid '.*' is not in .*a/.*_0.jsonl"):
        strag.history(folders)


def test_the_command_writes_the_file_of_the_verb(tmp_path, capfd, monkeypatch):
    write(tmp_path / "a", *logged(), INTEGERS)
    (tmp_path / "a" / "training_dynamics" / "notes.txt").touch()
    monkeypatch.chdir(tmp_path)
    assert main(["history", "a", "-o", "h"]) == 0
    assert capfd.readouterr().err.splitlines() == [
        "strag: a: left out notes.txt",
        "strag: a: 1 run, 4 records, 11 examples, 3 groups, no layers",
    ]
    strag.history("a", output="g")
    assert (tmp_path / "h").read_bytes() == (tmp_path / "g").read_bytes()
    log = "a/training_dynamics/dynamics_epoch_0.jsonl"
    for status, arguments, words in (
        (2, "a -", "a: is a folder, and other logs are not"),
        (2, "a --updates 0,1", "a: --updates has 2 updates for 4 epochs; pass one per epoch, in order"),
        (2, "a --updates 3,2,1,0", "cannot use '3,2,1,0' as --updates; pass updates such as"),
        (2, "a --updates x", "invalid value for '--updates': cannot read 'x'"),
        (2, f"a -o {log}", f"{log}: is read, and -o would overwrite it"),
        (1, "none", "none: no such file; check the path"),
        (
            1,
            "a/training_dynamics/notes.txt",
            "a/training_dynamics/notes.txt: is not an npz file; pass an npz",
        ),
        (2, "x y", "cannot import x, y together; import each of them, and join the histories with"),
    ):
        assert main(["history", "-o", "n", *arguments.split()]) == status
        said = capfd.readouterr().err
        assert said.startswith(f"strag: {words}")
        assert said.count("\n") == 1
    assert not (tmp_path / "n").exists()
