"""strag merge: parts in any order become the bytes of the training that was not split, or it is refused."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from strag import kinds
from strag.cli import main
from strag.files.dataset import write_dataset
from strag.files.history import SPEC
from tests.conftest import made_up
from tests.files.makers import complaint, forge
from tests.files.makers import parts as parts_of
from tests.shell import in_this_process, strag

TRAIN = "strag train d --width 320 --epochs 4 --lr 0.3 --threads 1 -q"  # two runs make a group
SEVEN = "--runs 7"  # in four groups
DECIDED = "strag train d --width 320 --runs 7 --epochs 300 --until decided --lr 0.4 --threads 1 -q"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a data set and sets of it, and four parts of a training: histories and weights."""
    folder = tmp_path_factory.mktemp("merge")
    write_dataset(str(folder / "d"), made_up(P=100, Q=30, overlap=1.5), {})
    in_this_process(
        f"""
        {TRAIN} --runs 3 -o h.few --weights w.few
        strag sets h.few --at 2 --dose 0.5,1 -q -o sets
        """,
        folder,
    )
    for number in range(1, 5):
        line = f"{TRAIN} {SEVEN} --part {number}/4 -o h.%p --weights w.%p --weights-at 0,4"
        in_this_process(line, folder)
    return folder


@pytest.fixture
def folder(trained, tmp_path, monkeypatch):
    """A copy of that folder, to work in."""
    monkeypatch.chdir(shutil.copytree(trained, tmp_path / "here"))
    return Path.cwd()


def split_and_merge(line, of, weights=""):
    """Train a job whole and in parts, and assert that the merged parts have the bytes of the whole."""
    both = "--weights whole.w" if weights else ""
    in_this_process(f"{line} -o whole {both} {weights}", ".")
    names = []
    for number in range(of, 0, -1):
        names.append(f"p.{number}")
        both = "--weights v.%p" if weights else ""
        in_this_process(f"{line} --part {number}/{of} -o p.%p {both} {weights}", ".")
    in_this_process(f"strag merge -q {' '.join(names)} -o merged", ".")
    assert Path("merged").read_bytes() == Path("whole").read_bytes()
    if weights:
        names = " ".join(name.replace("p", "v") for name in names)
        in_this_process(f"strag merge -q {names} -o merged.w", ".")
        assert Path("merged.w").read_bytes() == Path("whole.w").read_bytes()
    return kinds.read("merged", "history")


@pytest.mark.parametrize(
    ("options", "of", "weights"),
    [
        ("--runs 7", 3, "--weights-at 0,4"),
        ("--runs 7 --first-run 1", 4, "--weights-at last"),
        ("--runs 6 --first-run 3 --batch-size 16 --own-order --noise 0.5", 4, ""),
        ("--runs 5 --batch-size 30 --optimizer adam --test-every never", 2, ""),
        ("--runs 4 --depth 3 --layers all --momentum 0.5 --weight-decay 0.01", 2, "--weights-at log"),
        ("--runs 3 --init w.few", 2, ""),
        ("--runs 5 --standardise channel", 2, "--weights-at 0,4"),
        ("--without sets", 3, "--weights-at last"),
        ("--without sets --batch-size 16", 4, ""),
    ],
    ids=str,
)
def test_merged_parts_are_the_bytes_of_the_whole(folder, options, of, weights):
    split_and_merge(f"{TRAIN} {options}", of, weights)


def test_a_stragglers_file_and_standardising_again(folder):
    in_this_process("strag find-stragglers h.few --at 2 -q -o s.json", ".")
    split_and_merge(f"{TRAIN} {SEVEN} --without s.json --restandardise", 3, "--weights-at last")


@pytest.mark.parametrize(
    "more",
    [
        "",
        *(
            pytest.param(more, marks=pytest.mark.slow)
            for more in ("--test-every never", "--batch-size 20 --record-every 3")
        ),
    ],
)
def test_runs_that_end_on_their_own_are_padded_as_in_the_whole(folder, more):
    write_dataset("hard", made_up(P=400, overlap=2.0), {})  # runs end when few examples are left to learn
    history = split_and_merge(f"{DECIDED.replace(' d ', ' hard ')} {more}", 4, "--weights-at last")
    own = [kinds.read(f"p.{number}", "history") for number in range(1, 5)]
    assert len({len(part.updates) for part in own}) > 1  # or nothing would have been padded
    assert history.last_record.max() == len(history.updates) - 1
    for name, values in {"train_error": history.train_error, **history.measures}.items():
        for run, last in enumerate(history.last_record):
            assert np.isnan(values[last + 1 :, run]).all(), name
            assert not np.isnan(values[: last + 1, run]).any(), name
    if "never" not in more:
        assert len({tuple(part.test_updates) for part in own}) > 1
        assert np.isnan(history.test_error).any()
    weights = parts_of("merged.w")[2]
    assert weights["updates"].tolist() == [weights["last_update"].max()]


def test_the_order_of_the_parts_does_not_matter_and_one_may_be_stdin(folder):
    in_this_process("strag merge -q h.1 h.2 h.3 h.4 -o a", ".")
    in_this_process("strag merge -q h.3 h.1 h.4 h.2 -o b", ".")
    piped = strag("merge", "-q", "h.3", "h.1", "-", "h.2", stdin=Path("h.4").read_bytes())
    assert (piped.returncode, piped.stderr) == (0, b"")
    assert Path("a").read_bytes() == Path("b").read_bytes() == piped.stdout


def test_the_merged_file_is_one_as_any_other(folder):
    in_this_process("strag merge -q h.2 h.1 h.3 h.4 -o h", ".")
    assert "part" not in kinds.read("h", "history").meta
    assert kinds.read("h.2", "history").meta["part"] == {"number": 2, "of": 4}
    assert kinds.read("h", "history").runs == tuple(range(7))


def test_a_note_says_how_many(folder, capsys):
    assert main(["merge", "h.1", "h.2", "h.3", "h.4", "-o", "h"]) == 0
    assert capsys.readouterr().err == "strag: 4 parts of 4\n"


def forged(name, target, **changed):
    """A part with another stamp."""
    return forge(name, target, changed)


REFUSED = {
    "h.1 h.2 h.4": (1, ["h.1: is one of 4 parts, of which 3 is missing; train the missing parts first"]),
    "h.3": (1, ["h.3: is one of 4 parts, of which 1,2,4 are missing"]),
    "h.1 h.2 h.2": (1, ["h.2: is part 2 of 4, as h.2 is; pass each part once"]),
    "h.1 h.few": (1, ["h.few: is not a part of a training; pass files written by 'strag train --part'"]),
    "h.few": (1, ["h.few: is not a part of a training"]),
    "h.1 w.2": (1, ["w.2: is a weights file, but h.1 is a history file; merge each kind on its own"]),
    "w.1 h.2": (1, ["h.2: is a history file, but w.1 is a weights file"]),
    "h.1 d": (1, ["d: is a dataset file, not a history file"]),
    "h.1 nowhere": (1, ["nowhere"]),
    "h.1 half": (1, ["half: is a part of 2, but h.1 is one of 4; pass the parts of one training"]),
    "h.1 faster": (1, ["faster: belongs to another training than h.1: its recipe.lr is 0.5, not 0.3"]),
    "h.1 other": (1, ["other: belongs to another training than h.1: its inputs.data is "]),
    "h.1 older": (1, ["older: belongs to another training than h.1: its version is 0.1.9, not "]),
    "h.1 h.2 h.3 cut": (1, ["cut: is cut short"]),
    "h.1 stopped": (1, ["stopped: is an unfinished part 2 of 4; train this part again"]),
    "h.1 killed": (1, ["killed: is an unfinished part 2 of 4"]),
    "h.1 h.2 h.3 moved": (1, ["moved: belongs to another training than h.1: its tensor 'index' differs"]),
    "h.1 odd": (1, ["odd: is not a part of a training"]),
    "- -": (2, ["only one input can be stdin"]),
}


@pytest.fixture
def wrong(folder):
    """The folder with parts that do not fit."""
    write_dataset("e", made_up(P=100, Q=30, seed=1), {})
    in_this_process(
        f"""
        {TRAIN} {SEVEN} --part 2/2 -o half
        {TRAIN.replace("0.3", "0.5")} {SEVEN} --part 2/4 -o faster
        {TRAIN.replace(" d ", " e ")} {SEVEN} --part 2/4 -o other
        """,
        ".",
    )
    forged("h.2", "older", version="0.1.9")
    forged("h.2", "stopped", interrupted=2)
    forged("h.2", "killed", unfinished=True)
    forged("h.2", "odd", part={"number": 2, "of": "4"})
    forge("h.4", "moved", index=np.arange(100) + 1)
    Path("cut").write_bytes(Path("h.4").read_bytes()[:-1])
    return folder


def test_what_does_not_fit_is_refused(wrong, capsys):
    for line, (status, words) in REFUSED.items():
        complaint(capsys, status, words, "merge", *line.split(), "-o", "merged")
        assert not Path("merged").exists(), line


def test_an_input_is_not_overwritten(folder, capsys):
    before = Path("h.2").read_bytes()
    names = ["h.1", "h.2", "h.3", "h.4"]
    complaint(capsys, 2, ["h.2: is read, and -o would overwrite it"], "merge", *names, "-o", "./h.2")
    assert Path("h.2").read_bytes() == before


def test_another_torch_is_noted(folder, capsys):
    environment = kinds.read("h.2", "history").meta["environment"]
    forged("h.2", "newer", environment={**environment, "torch": "99.0"})
    assert main(["merge", "h.1", "newer", "h.3", "h.4", "-o", "h"]) == 0
    text = capsys.readouterr().err
    assert "parts differ in torch, so that the bytes may not be those of one job" in text
    merged = kinds.read("h", "history").meta["environment"]
    assert merged == {**environment, "torch": [environment["torch"], "99.0"]}
    assert strag("info", "h").returncode == 0


def missing(capfdbinary, *names):
    capfdbinary.readouterr()
    assert main(["merge", "--missing", *names]) == 0
    return tuple(text.decode() for text in capfdbinary.readouterr())


def test_missing_parts_are_listed(wrong, capfdbinary):
    assert missing(capfdbinary, "h.4", "h.2") == ("1,3\n", "strag: 2 parts of 4; missing 1,3\n")
    assert missing(capfdbinary, "w.1", "w.2", "w.4", "-q") == ("3\n", "")
    assert missing(capfdbinary, "h.1", "h.2", "h.3", "h.4") == ("\n", "strag: 4 parts of 4\n")
    for name in ("stopped", "killed"):
        out, err = missing(capfdbinary, "h.4", "h.1", name, "-q")
        assert out == "2,3\n"
        assert err == f"strag: warning: {name}: is an unfinished part 2 of 4, which counts as missing\n"
    assert missing(capfdbinary, "killed", "h.1")[0] == "2,3,4\n"
    assert missing(capfdbinary, "stopped", "-q")[0] == "1,2,3,4\n"
    assert missing(capfdbinary, "h.2", "stopped", "-q")[0] == "1,3,4\n"


def test_names_without_a_file_count_as_missing(wrong, capfd):
    assert main(["merge", "--missing", "-q", "h.1", "h.no", "h.3"]) == 0
    out, err = capfd.readouterr()
    assert out == "2,4\n"
    assert err == "strag: warning: h.no: does not exist, and counts as missing\n"
    complaint(capfd, 1, ["h.no: no such file"], "merge", "--missing", "h.no")


def test_missing_parts_of_several_trainings_are_not_listed(wrong, capsys):
    complaint(capsys, 1, ["faster: belongs to another training"], "merge", "--missing", "h.1", "faster")
    complaint(capsys, 1, ["is not a part"], "merge", "--missing", "h.few")
    complaint(capsys, 2, ["--missing writes no file; remove -o"], "merge", "--missing", "h.1", "-o", "x")
    complaint(capsys, 2, ["missing argument 'FILE...'"], "merge", "--missing")


@pytest.mark.slow
def test_a_work_file_counts_as_missing(folder):
    """What a killed `train --resume` leaves is named by the shell's pattern too."""
    line = f"{TRAIN.replace('--epochs 4', '--epochs 100000')} {SEVEN} --part 1/4 --resume -o r.1"
    job = subprocess.Popen([sys.executable, "-m", *line.split()])
    try:
        while not Path("r.1.resume").exists() or b"unfinished" not in Path("r.1.resume").read_bytes():
            assert job.poll() is None
    finally:
        job.kill()
        job.wait()
    found = strag("merge", "--missing", "r.1.resume")
    assert (found.returncode, found.stdout) == (0, b"1,2,3,4\n"), found.stderr


def test_python_does_the_same(folder):
    import strag as package

    files = [f"h.{number}" for number in (2, 1, 4, 3)]
    merged = package.merge(files, "python")
    in_this_process("strag merge -q h.1 h.2 h.3 h.4 -o shell", ".")
    assert Path("python").read_bytes() == Path("shell").read_bytes()
    assert merged.runs == tuple(range(7))
    with package.merge([Path(f"w.{number}") for number in range(1, 5)], Path("w")) as weights:
        assert weights.updates.tolist() == [0, 4]
    with pytest.raises(package.StragError, match=r"h\.2: is read, and `output` would overwrite it"):
        package.merge(files, "h.2")
    with pytest.raises(package.StragError, match="of which 1,3,4 are missing"):
        package.merge("h.2", "python")


def test_more_parts_than_a_process_may_have_open_at_first(folder):
    """The limit on open files is raised where it can be."""
    names = [f"h.{number}" for number in range(1, 5)]
    script = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (len(sys.argv) + 3, 4096))\n"
        "from strag.api import merge\n"
        "merge.SPARE = 100\n"
        "from strag.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-c", script, "merge", "-q", *names, "-o", "h"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert kinds.read("h", "history").runs == tuple(range(7))


def test_every_tensor_of_a_history_has_runs_or_is_shared():
    """A tensor that has neither is a new case for merging."""
    from strag.files.merging import _TIMES

    names = {tensor.name for tensor in SPEC.tensors if "run" not in {axis.name for axis in tensor.axes}}
    records = {tensor.name for tensor in SPEC.tensors if tensor.axes[0].name in ("record", "test record")}
    assert names & records == set(_TIMES)
