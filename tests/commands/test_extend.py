"""strag train --keep-state and --extend: going on has the bytes of a longer training from the start."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import strag as library
from strag import kinds
from strag.api import resume
from strag.api import train as training
from strag.cli import main
from strag.files.dataset import write_dataset
from strag.files.history import HistoryWriter
from strag.files.opening import open_file
from strag.files.reading import Container
from strag.training.records import Checkpoint, Record
from tests.conftest import made_up
from tests.files.makers import forge
from tests.shell import complains, files_in, strag

SMALL = ["--runs", "3", "--width", "7", "--lr", "0.3", "--threads", "1", "-q"]
QUIET = ["--threads", "1", "-q"]
UNTIL = ["--until", "decided", "--lr", "1.5", "--runs", "4"]
# what is trained, the epochs of the shorter and of the longer training
LAW = {
    "full batch": ([], 7, 12),
    "log records": (["--record-every", "log", "--test-every", "5"], 33, 47),
    "every third": (["--record-every", "3", "--test-every", "4", "--layers", "all", "--depth", "3"], 7, 11),
    "mini-batches": (["--batch-size", "50"], 3, 7),
    "own order": (["--batch-size", "50", "--own-order", "--first-run", "2", "--seed", "4"], 3, 5),
    "Adam": (["--optimizer", "adam", "--lr", "0.01"], 5, 9),
    "Adam in mini-batches": (["--optimizer", "adam", "--lr", "0.01", "--batch-size", "64"], 2, 4),
    "momentum": (["--momentum", "0.9", "--weight-decay", "0.01"], 6, 10),
    "noise": (["--noise", "0.5", "--noise", "0"], 6, 10),
    "linear": (["--runs", "3", "--depth", "1", "--lr", "0.3"], 6, 10),
    "no tests": (["--test-every", "never"], 6, 10),
    "sets": (["--without", "sets", "--width", "6"], 6, 10),
    "stragglers": (["--without", "some", "--batch-size", "40", "--restandardise"], 3, 5),
    "init": (["--init", "w", "--first-run", "1"], 6, 10),
    "channel": (["--standardise", "channel", "--batch-size", "40"], 3, 5),
    "two groups": (["--runs", "5", "--first-run", "30", "--width", "20"], 4, 7),
    "diverged": (["--lr", "1e30"], 4, 7),
    "until decided": (UNTIL, 25, 60),
    "until decided at once": (UNTIL, 400, 500),
    "until decided, sets": ([*UNTIL[:4], "--without", "sets", "--width", "6"], 25, 60),
    "until decided, two groups": ([*UNTIL[:4], "--runs", "6", "--first-run", "29", "--width", "20"], 30, 70),
    "until decided, Adam": ([*UNTIL[:2], "--optimizer", "adam", "--lr", "0.03", "--runs", "5"], 40, 90),
    "until decided, own order": ([*UNTIL, "--batch-size", "50", "--own-order", "--momentum", "0.5"], 6, 20),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with data sets, sets and stragglers to leave out, and weights."""
    folder = tmp_path_factory.mktemp("extend")
    write_dataset(str(folder / "d"), made_up(overlap=2.0), {})
    write_dataset(str(folder / "other"), made_up(overlap=2.0, seed=1), {})
    write_dataset(str(folder / "classes"), made_up(overlap=2.0, labels="classes"), {})
    data, history, sets = (str(folder / name) for name in ("d", "h", "sets"))
    small = ["--width", "6", "-q", "--epochs", "12"]
    assert main(["train", data, "--runs", "2", *small, "-o", history]) == 0
    assert main(["sets", history, "--at", "3", "--controls", "random", "-q", "-o", sets]) == 0
    assert (
        main(["find-stragglers", history, "--at", "3", "--any-verdict", "-q", "-o", str(folder / "some")])
        == 0
    )
    first = [*SMALL, "--runs", "6", "--epochs", "3", "--weights", str(folder / "w"), "-o", str(folder / "x")]
    assert main(["train", data, *first]) == 0
    before = [*SMALL, "--epochs", "5"]
    assert main(["train", data, *before, "--keep-state", "-o", str(folder / "short")]) == 0
    assert main(["train", data, *before, "-o", str(folder / "stateless")]) == 0
    return folder


@pytest.fixture
def folder(made, monkeypatch):
    monkeypatch.chdir(made)
    return made


def options_of(options):
    """The options of a training of the law, in which later ones count."""
    small = SMALL[2:] if "sets" in options else QUIET if "--depth" in options[:3] else SMALL
    return [*small, *options]


def same_files(path, other):
    """Whether two files have the same bytes; a difference is shown by tensor."""
    if Path(path).read_bytes() == Path(other).read_bytes():
        return True
    with open_file(str(path)) as one, open_file(str(other)) as two:
        assert one.meta == two.meta
        assert one.layout() == two.layout()
        for name in one.layout():
            np.testing.assert_array_equal(one.read(name), two.read(name), err_msg=name)
    return False


@pytest.mark.parametrize("name", LAW)
def test_a_training_that_goes_on_has_the_bytes_of_one_from_the_start(folder, tmp_path, name):
    options, short, long = LAW[name]
    a, b, whole, plain = (str(tmp_path / letter) for letter in "abwp")
    fixed = ["train", "d", *options_of(options)]
    assert main([*fixed, "--epochs", str(short), "--keep-state", "-o", a]) == 0
    assert main([*fixed, "--epochs", str(long), "--keep-state", "-o", whole]) == 0
    extended = ["train", "d", "--extend", a, *QUIET, "--epochs"]
    assert main([*extended, str(long), "--keep-state", "-o", b]) == 0
    assert same_files(b, whole)
    assert main([*fixed, "--epochs", str(long), "-o", plain]) == 0
    assert main([*extended, str(long), "-o", b]) == 0
    assert same_files(b, plain)
    steps = ["train", "d", "--extend", a, *QUIET, "--keep-state"]
    assert main([*steps, "--epochs", str((short + long) // 2), "-o", b]) == 0
    assert main(["train", "d", "--extend", b, *QUIET, "--epochs", str(long), "-o", a]) == 0
    assert same_files(a, plain)


def test_the_law_covers_runs_that_end_before_and_after(folder, tmp_path):
    """The trainings until decided in the law have decided and undecided runs at their first limit."""
    out = str(tmp_path / "x")
    seen = set()
    for name in LAW:
        options, short, long = LAW[name]
        if "--until" in options:
            lasts = []
            for epochs in (short, long):
                assert main(["train", "d", *options_of(options), "--epochs", str(epochs), "-o", out]) == 0
                lasts.append(kinds.read(out).last_updates)
            seen.add((bool((lasts[0] < lasts[0].max()).any()), bool((lasts[1] > lasts[0]).any())))
    assert (True, True) in seen
    assert any(not longer for _, longer in seen)


def test_records_before_the_end_are_copied_not_computed(folder, tmp_path, monkeypatch):
    updates, train = [], training.science.train

    def watched(*arguments, **options):
        for event in train(*arguments, **options):
            updates.append(event.update)
            yield event

    monkeypatch.setattr(training.science, "train", watched)
    assert main(["train", "d", "--extend", "short", "--epochs", "7", *QUIET, "-o", str(tmp_path / "x")]) == 0
    assert updates == [5, 6, 7]


def test_a_history_does_not_read_its_state_until_it_is_used(folder, monkeypatch):
    history = kinds.read("short")
    assert set(history.state) == {
        "update",
        *(f"parameter.layer{k}.{part}" for k in (1, 2) for part in ("weight", "bias")),
    }
    assert kinds.read("stateless").state is None
    assert history.state["update"].tolist() == [5, 5, 5]
    assert history.state["parameter.layer2.weight"].shape == (3, 2, 7)
    names = []
    monkeypatch.setattr(Container, "read", lambda self, name: names.append(name) or self.part(name))
    kinds.read("short")
    assert "train_loss" in names
    assert [name for name in names if name.startswith("state.")] == ["state.update"]  # of R numbers


def test_weights_of_the_longer_training(folder, tmp_path):
    fixed = ["train", "d", *SMALL, "--epochs", "8", "--weights-at", "5,8"]
    w, v, x = (str(tmp_path / name) for name in "wvx")
    assert main([*fixed, "--weights", w, "-o", x]) == 0
    extended = ["train", "d", "--extend", "short", *QUIET, "--epochs", "8", "--weights-at", "5,8"]
    assert main([*extended, "--weights", v, "-o", x]) == 0
    assert same_files(v, w)


@pytest.mark.slow
def test_parts_with_states_are_merged_and_extended(folder, tmp_path):
    fixed = ["train", "d", *SMALL, "--runs", "5", "--first-run", "30", "--width", "20"]
    name = {key: str(tmp_path / key) for key in ("a", "b", "whole", "merged", "1", "2", "long1", "long2")}
    assert main([*fixed, "--epochs", "8", "--keep-state", "-o", name["whole"]]) == 0
    for part in "12":
        short = [*fixed, "--epochs", "5", "--keep-state", "--part", f"{part}/2"]
        assert main([*short, "-o", name[part]]) == 0
    assert main(["merge", name["1"], name["2"], "-q", "-o", name["a"]]) == 0
    long = ["train", "d", *QUIET, "--epochs", "8", "--keep-state", "--extend"]
    assert main([*long, name["a"], "-o", name["b"]]) == 0
    assert same_files(name["b"], name["whole"])
    for part in "12":  # each part on its own
        assert main([*long, name[part], "-o", name[f"long{part}"]]) == 0
    assert main(["merge", name["long1"], name["long2"], "-q", "-o", name["merged"]]) == 0
    assert same_files(name["merged"], name["whole"])
    complains(strag(*long, name["1"], "--part", "1/2", "-o", name["b"]), 2, "is part 1 of 2 already")
    bare = str(tmp_path / "bare")
    assert main([*fixed, "--epochs", "5", "--part", "1/2", "-o", bare]) == 0
    complains(strag("merge", bare, name["2"], "-o", name["a"]), 1, "has no tensor 'state.", "which")
    complains(
        strag(*fixed, "--epochs", "5", "--part", "1/2", "--keep-state", "-o", bare),
        1,
        "its state is missing",
    )


def test_parts_of_a_longer_training(folder, tmp_path):
    fixed = ["train", "d", *SMALL, "--runs", "5", "--first-run", "30", "--width", "20"]
    short, whole, merged = (str(tmp_path / name) for name in ("short", "whole", "merged"))
    assert main([*fixed, "--epochs", "5", "--keep-state", "-o", short]) == 0
    assert main([*fixed, "--epochs", "8", "-o", whole]) == 0
    for part in "12":
        long = ["train", "d", *QUIET, "--epochs", "8", "--extend", short, "--part", f"{part}/2"]
        assert main([*long, "-o", str(tmp_path / f"part{part}")]) == 0
    assert main(["merge", *(str(tmp_path / f"part{p}") for p in "12"), "-q", "-o", merged]) == 0
    assert same_files(merged, whole)


@pytest.mark.slow
def test_workers_train_longer_with_the_same_bytes(folder, tmp_path):
    options, short, long = LAW["until decided, two groups"]
    fixed = ["train", "d", *options_of(options), "--keep-state"]
    a, b, whole = (str(tmp_path / letter) for letter in "abw")
    assert main([*fixed, "--epochs", str(long), "-o", whole]) == 0
    assert main([*fixed, "--epochs", str(short), "--workers", "2", "-o", a]) == 0
    extended = ["train", "d", "--extend", a, *QUIET, "--epochs", str(long), "--keep-state"]
    assert main([*extended, "--workers", "2", "-o", b]) == 0
    assert same_files(b, whole)


class Killed(BaseException):
    """The end of a process that cannot clean up."""


@pytest.mark.parametrize("name", ["momentum", "two groups", "until decided", "Adam in mini-batches"])
@pytest.mark.parametrize("states", [1, 2, 4])
def test_a_longer_training_resumes(folder, tmp_path, monkeypatch, name, states):
    """It is stopped after a number of states, at first in the short training and then in the long one."""
    options, short, long = LAW[name]
    a, b, whole = (str(tmp_path / letter) for letter in "abw")
    fixed = ["train", "d", *options_of(options), "--keep-state"]
    assert main([*fixed, "--epochs", str(long), "-o", whole]) == 0
    monkeypatch.setattr(resume, "EVERY", 0.0)
    save = resume.Resumption.save

    def interrupted(script):
        left = [states]

        def failing(self):
            save(self)
            left[0] -= 1
            if left[0] == 0:
                raise Killed

        monkeypatch.setattr(resume.Resumption, "save", failing)
        with pytest.raises(Killed):
            main(script)
        monkeypatch.setattr(resume.Resumption, "save", save)
        assert main(script) == 0

    interrupted([*fixed, "--resume", "--epochs", str(short), "-o", a])
    interrupted(
        ["train", "d", "--extend", a, *QUIET, "--keep-state", "--resume", "--epochs", str(long), "-o", b]
    )
    assert same_files(b, whole)


def test_an_interrupted_training_has_no_state(folder, tmp_path):
    with open_file("short") as opened:
        whole = {
            name: opened.read(name)
            for name in ("updates", "trained", "index", "y", "group", "y_test", "test_updates")
        }
        meta, bias = opened.meta, opened.read("state.parameter.layer1.bias")
    with HistoryWriter(
        str(tmp_path / "x"), meta, whole, 1, state={"parameter.layer1.bias": (7, 1)}
    ) as writer:
        writer.add_state(Checkpoint(slice(0, 3), 5, {"parameter.layer1.bias": bias}))
        writer.add(Record(slice(0, 3), 5))
        path, *_ = writer.commit_partial()
    with pytest.warns(UserWarning, match="finished part"):
        history = kinds.read(path)
    assert history.state is None
    assert history.runs == (0, 1, 2)


EXTEND = ["d", "--extend", "short", "--epochs", "7"]
WRONG = {
    "no state": (
        ["d", "--extend", "stateless", "--epochs", "7"],
        1,
        ["stateless: has no state", "train with --keep-state"],
    ),
    "not longer": (
        [*EXTEND[:3], "--epochs", "5"],
        2,
        ["short: was trained for 5 epochs", "pass --epochs above 5"],
    ),
    "no epochs": (EXTEND[:3], 2, ["--extend needs --epochs; pass more than 5"]),
    "other data": (["other", *EXTEND[1:]], 2, ["other: is not the data set that short was trained on"]),
    "other groups": (
        ["classes", *EXTEND[1:]],
        2,
        ["classes: has other groups than short", "use the same --labels"],
    ),
    "weights before": (
        [*EXTEND, "--weights", "v", "--weights-at", "0,7"],
        2,
        ["no weights at update 0", "--weights-at from 5 to 7"],
    ),
    "plan": ([*EXTEND, "--plan"], 2, ["--extend contradicts --plan"]),
    "not a history": (
        ["d", "--extend", "w", "--epochs", "7"],
        1,
        ["w: is a weights file, not a history file"],
    ),
    "no such file": (["d", "--extend", "nowhere", "--epochs", "7"], 1, ["nowhere: "]),
    "overwritten": ([*EXTEND, "-o", "short"], 2, ["short: is read, and -o would overwrite it"]),
    "both stdin": (["-", "--extend", "-", "--epochs", "7"], 2, ["cannot both be stdin"]),
    **{
        option: ([*EXTEND, option, *value], 2, [f"{option} contradicts --extend", f"remove {option}"])
        for option, *value in (
            *(("--lr", "0.2"), ("--runs", "4"), ("--seed", "1"), ("--batch-size", "9"), ("--own-order",)),
            *(("--record-every", "2"), ("--test-every", "2"), ("--layers", "1"), ("--noise", "1")),
            *(("--without", "some"), ("--init", "w"), ("--restandardise",), ("--precision", "bfloat16")),
            *(("--until", "decided"), ("--depth", "3"), ("--optimizer", "adam"), ("--first-run", "1")),
            ("--standardise", "channel"),
        )
    },
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_extended_is_refused(folder, name, capfd):
    arguments, status, words = WRONG[name]
    before = files_in(folder)
    arguments = arguments if "-o" in arguments else [*arguments, "-o", "out"]
    assert main(["train", *arguments]) == status
    text = capfd.readouterr().err
    assert text.splitlines()[0].startswith("strag: ")
    assert len(text.splitlines()) == 1, text
    for word in words:
        assert word in text
    assert files_in(folder) == before


def test_the_limit_of_runs_is_raised_without_their_weights(folder, tmp_path, capfd):
    a, v, x = (str(tmp_path / name) for name in "avx")
    assert main(["train", "d", *SMALL, *UNTIL, "--epochs", "400", "--keep-state", "-o", a]) == 0
    extended = ["train", "d", "--extend", a, "--epochs", "500", *QUIET]
    assert main([*extended, "--weights", v, "-o", x]) == 2
    assert (
        "does not hold the weights of runs that have ended on their own; remove --weights"
        in capfd.readouterr().err
    )


BROKEN = {
    "recipe": ({"recipe": {"epochs": 5}}, "does not say the --"),
    "runs": ({"runs": [0, 1, 3]}, "has other runs than its recipe"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_history_is_refused(folder, tmp_path, name, capfd):
    changed, words = BROKEN[name]
    forge("short", str(tmp_path / "a"), changed)
    extended = ["train", "d", "--extend", str(tmp_path / "a"), "--epochs", "7", *QUIET]
    assert main([*extended, "-o", str(tmp_path / "x")]) in (1, 2)
    assert words in capfd.readouterr().err


def test_another_environment_is_noted(folder, tmp_path, capfd):
    with open_file("short") as opened:
        environment = opened.meta["environment"]
    forge("short", str(tmp_path / "a"), {"environment": {**environment, "torch": "1.0"}})
    out = str(tmp_path / "x")
    extended = ["train", "d", "--extend", str(tmp_path / "a"), "--epochs", "7", "--threads", "1", "-o", out]
    assert main(extended) == 0
    assert capfd.readouterr().err.count("was trained with other torch") == 1
    assert kinds.read(out).meta["environment"]["torch"] == ["1.0", environment["torch"]]


def test_the_library_extends_histories_in_memory_and_in_files(folder, tmp_path):
    data = kinds.read("d")
    options = {"runs": 2, "width": 7, "optimizer": "adam", "lr": 0.01}
    whole = library.train(data, epochs=9, keep_state=True, **options)
    short = library.train(data, epochs=5, keep_state=True, **options)
    path = str(tmp_path / "a")
    library.train(data, epochs=5, keep_state=True, output=path, **options)
    for extend in (short, path, kinds.read(path), Path(path)):
        longer = library.train(data, extend=extend, epochs=9, keep_state=True)
        assert longer.meta == whole.meta
        np.testing.assert_array_equal(longer.train_loss, whole.train_loss)
        np.testing.assert_array_equal(longer.misclassified, whole.misclassified)
        assert {*longer.state} == {*whole.state}
        for name in whole.state:
            np.testing.assert_array_equal(longer.state[name], whole.state[name])
    stateless = library.train(data, epochs=5, **options)
    for wrong, words in (
        ({"extend": short, "epochs": 9, "lr": 0.3}, "`lr` contradicts `extend`"),
        ({"extend": short, "epochs": 9, "recipe": library.Recipe()}, "`recipe` contradicts `extend`"),
        ({"extend": short}, "`extend` needs `epochs`"),
        ({"extend": stateless, "epochs": 9}, "train with `keep_state`"),
        ({"extend": 5, "epochs": 9}, "`extend` must be a History, but it is an int"),
        ({"extend": path, "epochs": 9, "output": path}, "`output` would overwrite it"),
        ({"keep_state": 1}, "as `keep_state`"),
    ):
        with pytest.raises(library.StragError) as caught:
            library.train(data, **wrong)
        assert words in str(caught.value)
    shutil.move(path, f"{path}.gone")
    with pytest.raises(library.StragError):
        library.train(data, extend=path, epochs=9)


@pytest.mark.parametrize(("batches", "epochs"), [([], 30), (["--batch-size", "50"], 8)])
def test_open_runs_are_cured_by_extending(folder, tmp_path, capfd, batches, epochs):
    """find-stragglers says with which epochs to extend a history that has a state."""
    for keep in ([], ["--keep-state"]):
        path = str(tmp_path / "a")
        short = [*SMALL, "--lr", "0.01", *batches, "--record-every", "1", "--epochs", str(epochs), *keep]
        assert main(["train", "d", *short, "-o", path]) == 0
        capfd.readouterr()
        assert main(["find-stragglers", path, "-o", str(tmp_path / "s")]) == 3
        said = capfd.readouterr().err
        assert ("--extend" in said) == bool(keep)
    until = kinds.read(str(tmp_path / "s")).summary.train_until
    needed = -(-until // 4) if batches else until
    assert f"'strag train DATA --extend {path} --epochs {needed} -o NEW' goes on with its runs" in said
    long = ["train", "d", "--extend", path, "--epochs", str(needed), *QUIET, "-o", str(tmp_path / "b")]
    assert main(long) == 0
    assert kinds.read(str(tmp_path / "b")).updates[-1] >= until


FROZEN = """
from torch import nn

def make(shape, classes):
    first = nn.Linear(shape[0] * shape[1] * shape[2], 5).requires_grad_(False)
    return nn.Sequential(nn.Flatten(), first, nn.Tanh(), nn.Linear(5, classes))
"""


def test_parameters_that_are_not_trained_come_from_init_in_a_longer_training_too(folder, tmp_path):
    (tmp_path / "net.py").write_text(FROZEN)
    model, paths = ["--model", f"{tmp_path}/net.py:make"], [str(tmp_path / name) for name in "wxabcde"]
    w, x, a, b, whole, b_weights, whole_weights = paths
    fixed = ["train", "d", *model, "--runs", "2", "--lr", "0.3", "-q"]
    assert main([*fixed, "--seed", "5", "--epochs", "2", "--weights", w, "-o", x]) == 0
    fixed += ["--init", w]
    assert main([*fixed, "--epochs", "3", "--keep-state", "-o", a]) == 0
    assert main([*fixed, "--epochs", "6", "--keep-state", "--weights", whole_weights, "-o", whole]) == 0
    longer = ["train", "d", *model, "--extend", a, "-q", "--epochs", "6", "--keep-state"]
    assert main([*longer, "--weights", b_weights, "-o", b]) == 0
    assert same_files(b, whole)
    assert same_files(b_weights, whole_weights)
