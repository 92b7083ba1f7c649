"""strag train --resume: whatever ends a training, and when, the next command ends with the same bytes."""

import contextlib
import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections import namedtuple

import numpy as np
import pytest

from strag import kinds, signals
from strag.api import resume
from strag.cli import main
from strag.errors import StragWarning
from strag.files import beside, container, output
from strag.files.dataset import write_dataset
from strag.files.header import DTYPES
from strag.files.history import HistoryWriter
from strag.files.slots import HEAD, Slots
from tests.conftest import made_up
from tests.files.makers import complaint
from tests.shell import files_in, in_this_process

BASE = "train d --runs 5 --first-run 30 --width 20 --lr 0.3 --threads 1"  # groups of 2 and of 3 runs
KINDS = {
    "full batch": "--epochs {0}",
    "mini-batches": "--epochs {0} --batch-size 100 --record-every 3",
    "own order": "--epochs {0} --batch-size 100 --own-order --record-every 7",
    "Adam": "--epochs {0} --optimizer adam --lr 0.01 --batch-size 100",
    "momentum": "--epochs {0} --momentum 0.9 --lr 0.05 --weight-decay 0.01",
    "left out": "--epochs {0} --without s.json --restandardise --weights w",
    "sets": "--epochs {0} --without sets --weights w",
    "weights": "--epochs {0} --batch-size 100 --weights w --weights-at log",
    "until": "--epochs {1} --until decided --weights w",
    "none": "--epochs {0} --standardise none --weights w",
    "part": "--epochs {0} --part 2/2 --weights w --weights-at 0,10",
}
DRIVER = """
import sys
from strag.api import resume
from strag.cli import main
resume.EVERY = 0.03
sys.exit(main(sys.argv[1:]))
"""
STATUS = {name: 128 + getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")}


Usage = namedtuple("Usage", "total used free")


class Killed(BaseException):
    """Stands for SIGKILL: nothing in strag handles it."""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A folder with a data set, stragglers of it, and sets of four networks."""
    folder = tmp_path_factory.mktemp("inputs")
    write_dataset(str(folder / "d"), made_up(), {})
    lines = """
strag train d --runs 4 --width 20 --lr 0.3 --epochs 12 -q -o t
strag find-stragglers t --at 6 -q -o s.json
strag sets t --at 6 -q -o sets
"""
    in_this_process(lines, folder)
    return folder


@pytest.fixture
def folder(inputs, tmp_path, monkeypatch):
    """A folder with links to the inputs, as working directory. A state is written before every update.

    Nothing waits for the disk, because commands are killed here, and not the machine.
    """
    for name in ("d", "s.json", "sets"):
        (tmp_path / name).symlink_to(inputs / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(resume, "EVERY", 0)
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr(container.TensorWriter, "flush", lambda _: None)
    return tmp_path


def line_of(kind, output="h", epochs=(20, 400)):
    """The arguments of a training of a kind."""
    line = f"{BASE} {KINDS[kind].format(*epochs)} -o {output}"
    if kind == "sets":
        line = line.replace("--runs 5 --first-run 30 ", "")
    return line.replace("--weights w ", f"--weights w{output} ").split()


def results(output="h"):
    """The bytes of the history and of the weights at the end of a training."""
    return [open(name, "rb").read() for name in (output, f"w{output}") if os.path.exists(name)]


def whole(kind, **options):
    """The results of a training that nothing interrupted, without --resume."""
    assert main([*line_of(kind, "whole", **options), "-q"]) == 0
    return results("whole")


def killed_at(monkeypatch, number, what=HistoryWriter, name="add"):
    """Let the call of this number of a function be the last thing that strag does before it is killed."""
    calls, function = [], getattr(what, name)

    def call(*arguments, **options):
        calls.append(name)
        if len(calls) == number:
            raise Killed
        return function(*arguments, **options)

    monkeypatch.setattr(what, name, call)


def killed(monkeypatch, line, number, what=HistoryWriter, name="add"):
    """Run a command that is killed as `killed_at` says; whether it was."""
    with monkeypatch.context() as patch:
        killed_at(patch, number, what, name)
        try:
            assert main([*line, "--resume", "-q"]) == 0
        except Killed:
            return True
    return False


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_that_was_killed_ends_with_the_same_bytes(folder, monkeypatch, kind):
    expected, draw, kills = whole(kind), random.Random(kind), 0
    while kills < 50 and killed(monkeypatch, line_of(kind), draw.randint(2, 12)):
        kills += 1
        assert not (folder / "h").exists()
    assert 2 <= kills < 50
    assert results() == expected
    assert not [name for name in files_in(folder) if name.endswith((".resume", ".tmp", ".partial"))]


def test_the_ends_of_runs_that_are_compared_differ(folder):
    assert main([*line_of("until"), "-q"]) == 0
    with contextlib.closing(container_of("h")) as opened:
        assert len(set(opened.read("last_record").tolist())) > 1


def container_of(name, unfinished=False):
    from strag.files.opening import open_file

    return open_file(name, unfinished=unfinished)


def test_it_goes_on_and_does_not_start_again(folder, monkeypatch, capsys):
    line = line_of("full batch")
    assert killed(monkeypatch, line, 9)
    updates, add = [], HistoryWriter.add
    monkeypatch.setattr(HistoryWriter, "add", lambda *of: (updates.append(of[1].update), add(*of)))
    assert main([*line, "--resume"]) == 0
    assert updates[0] == 8
    text = capsys.readouterr().err
    assert "strag: h.resume: the training goes on after 0 complete runs, update 8 of runs 30 to 31\n" in text


def started(line, folder):
    """A process that trains with --resume and writes its state every 30 ms."""
    command = [sys.executable, "-c", DRIVER, *line, "--resume"]
    roots = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": roots}, stderr=subprocess.PIPE
    )


def wait_until_begun(process, work_file="h.resume"):
    """Wait until a process writes its work file, or ends."""
    deadline = time.monotonic() + 60
    while process.poll() is None and not (os.path.exists(work_file) and os.path.getsize(work_file)):
        assert time.monotonic() < deadline
        time.sleep(0.002)


def kill_until_it_ends(line, folder, draw, most):
    """Start a training until it ends, and kill it with SIGKILL at random moments, at most so often.

    Returns how often it was killed, and how often it went on from a state.
    """
    kills = times = 0
    while True:
        process = started(line, folder)
        wait_until_begun(process)
        if kills < most:
            time.sleep(draw.uniform(0, 0.5))
            process.kill()
        _, text = process.communicate(timeout=60)
        times += b"goes on" in text
        if process.returncode == 0:
            return kills, times
        assert process.returncode == -signal.SIGKILL, text
        kills += 1


@pytest.mark.parametrize("kind", ["own order", pytest.param("weights", marks=pytest.mark.slow)])
def test_kill_9_at_a_random_moment(folder, kind):
    long = {"epochs": (200, 100000)}
    expected = whole(kind, **long)
    assert kill_until_it_ends(line_of(kind, **long), folder, random.Random(kind), most=2)[0] > 0
    assert results() == expected


@pytest.mark.slow
def test_twenty_kills_at_random_moments(folder):
    draw, counts, long = random.Random(13), [], {"epochs": (600, 100000)}
    for kind in KINDS:
        for name in ("h", "wh", "whole", "wwhole"):
            (folder / name).unlink(missing_ok=True)
        expected = whole(kind, **long)
        counts.append(kill_until_it_ends(line_of(kind, **long), folder, draw, most=3))
        assert results() == expected, kind
    kills, times = np.sum(counts, axis=0)
    print(f"{kills} kills; {times} times it went on from a state")
    assert kills >= 20
    assert times >= 5  # the other kills came before the first state


@pytest.mark.parametrize("name", STATUS)
def test_a_signal_ends_it_with_a_state(folder, monkeypatch, capsys, name):
    number = getattr(signal, name)
    before = signal.signal(number, signal.SIG_DFL)
    expected, line = whole("weights"), line_of("weights")
    monkeypatch.setattr(resume, "EVERY", 1e9)
    with monkeypatch.context() as patch:
        add = HistoryWriter.add

        def hears(self, record):
            if record.update == 12:
                signal.raise_signal(number)
            add(self, record)

        patch.setattr(HistoryWriter, "add", hears)
        capsys.readouterr()
        assert main([*line, "--resume"]) == STATUS[name]
    signal.signal(number, before)
    out, text = capsys.readouterr()
    assert text.startswith(
        "strag: h.resume: holds the training so far; run the same command again to go on\n"
    )
    assert (out, text.count("\n")) == ("", 2)
    assert not (folder / "h").exists()
    assert not (folder / "h.partial").exists()
    assert main([*line, "--resume"]) == 0
    assert "update 13 of runs 30 to 31" in capsys.readouterr().err
    assert results() == expected


def test_without_it_the_finished_part_of_runs_that_end_on_their_own_can_be_read(folder, monkeypatch):
    line, add = line_of("until"), HistoryWriter.add
    assert main([*line_of("until", "whole"), "-q"]) == 0
    full = kinds.read("whole")
    last = np.sort(full.updates[full.last_record[:2]])  # of the runs of the first group

    def hears(self, record):
        add(self, record)
        if record.update == last[0]:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(HistoryWriter, "add", hears)
    assert last[0] < last[1]
    assert main([*line, "-q"]) == 128 + signal.SIGTERM
    with pytest.warns(StragWarning, match="finished part"):
        part = kinds.read("h.partial")
    assert part.runs == (30, 31)
    assert part.updates[part.last_record].tolist() == [last[0]] * 2
    np.testing.assert_array_equal(part.train_error, full.train_error[: len(part.updates), :2])


@pytest.mark.slow
def test_terminated_from_outside(folder):
    long = {"epochs": (200, 100000)}
    expected, line = whole("mini-batches", **long), line_of("mini-batches", **long)
    process = started(line, folder)
    wait_until_begun(process)
    time.sleep(0.1)
    process.terminate()
    _, text = process.communicate(timeout=60)
    assert process.returncode in (128 + signal.SIGTERM, -signal.SIGTERM)
    assert b"h.resume: holds the training so far" in text
    assert kill_until_it_ends(line, folder, random, most=0) == (0, 1)
    assert results() == expected


def test_a_signal_while_the_files_take_their_places(folder, monkeypatch, capsys):
    expected, line, replace = whole("weights"), line_of("weights"), os.replace

    def hears(*paths):
        signal.raise_signal(signal.SIGTERM)
        replace(*paths)

    with monkeypatch.context() as patch:
        patch.setattr(beside.os, "replace", hears)
        capsys.readouterr()
        assert main([*line, "--resume", "-q"]) == 128 + signal.SIGTERM
    assert capsys.readouterr().err == "strag: terminated\n"
    assert results() == expected
    assert main([*line, "--resume"]) == 0
    assert capsys.readouterr().err == "strag: h: is complete already, so it is left as it is\n"
    assert "h.resume" not in files_in(folder)


def test_two_jobs_of_one_output(folder, monkeypatch, capsys):
    expected, line, refusals = whole("weights"), line_of("weights"), []
    add = HistoryWriter.add

    def competes(self, record):
        if record.update == 5 and not refusals:
            monkeypatch.setattr(signals, "listen", dict)
            refusals.append(main([*line, "--resume", "-q"]))
        add(self, record)

    monkeypatch.setattr(HistoryWriter, "add", competes)
    assert main([*line, "--resume", "-q"]) == 0
    problem = "h.resume: is being written by another command; wait until it ends, or write to another file"
    assert capsys.readouterr().err == f"strag: {problem}\n"
    assert refusals == [1]
    assert results() == expected


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class FullFile:
    """A file on a disk that is full when half of a slot is written."""

    def __init__(self, file):
        self.file = file

    def write(self, content):
        self.file.write(content[: len(content) // 2])
        full()

    def __getattr__(self, name):
        return getattr(self.file, name)


@pytest.mark.parametrize("number", [1, 2, 7])
def test_a_full_disk_while_a_state_is_written(folder, monkeypatch, capsys, number):
    expected, line, save, calls = whole("weights"), line_of("weights"), Slots.save, []

    def saves(self, *state):
        calls.append(state)
        if len(calls) == number:
            self.file = FullFile(self.file)
        save(self, *state)

    with monkeypatch.context() as patch:
        patch.setattr(Slots, "save", saves)
        words = ["h.resume: cannot be written: No space left on device; free some space"]
        complaint(capsys, 1, words, *line, "--resume", "-q")
    assert main([*line, "--resume"]) == 0
    text = capsys.readouterr().err
    assert ("goes on" in text) == (number > 1)
    assert number == 1 or f"update {number - 2} of" in text
    assert results() == expected


def test_a_disk_without_room_for_the_work_file(folder, monkeypatch, capsys):
    monkeypatch.setattr(container.os, "posix_fallocate", full)
    complaint(capsys, 1, "h: cannot be written: No space left", *line_of("full batch"), "--resume", "-q")
    assert not [name for name in files_in(folder) if name.startswith("h")]


def test_a_work_file_needs_no_room_that_it_has(folder, monkeypatch, capsys):
    expected, line = whole("weights"), line_of("weights")
    assert killed(monkeypatch, line, 9)
    monkeypatch.setattr(output.shutil, "disk_usage", lambda _: Usage(1000, 999, 1))
    complaint(capsys, 1, "free", *line_of("weights", "other"), "--resume", "-q")
    assert main([*line, "--resume", "-q"]) == 0
    assert results() == expected


@pytest.mark.parametrize("torn", [(0,), (1,), (0, 1)])
def test_slots_that_are_torn(folder, monkeypatch, capsys, torn):
    expected, line = whole("Adam"), line_of("Adam")
    opened, load = [], Slots.load
    monkeypatch.setattr(Slots, "load", lambda self: (opened.append(self), load(self))[1])
    assert killed(monkeypatch, line, 8)
    with open("h.resume", "r+b") as file:
        for number in torn:
            file.seek(opened[0].start + number * opened[0].size + HEAD)
            file.write(random.Random(number).randbytes(300))
    assert main([*line, "--resume"]) == 0
    assert ("goes on" in capsys.readouterr().err) == (len(torn) == 1)
    assert results() == expected


@pytest.mark.parametrize("name", ["h.resume", "wh.resume"])
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_work_file_that_was_cut(folder, monkeypatch, capsys, name, share):
    expected, line = whole("weights"), line_of("weights")
    assert killed(monkeypatch, line, 12)
    with container_of(name, unfinished=True) as opened:
        last = max(opened._entries.values(), key=lambda entry: entry.start)
    end = last.start + DTYPES[last.dtype].itemsize * np.prod(last.shape)
    length = int(share * os.path.getsize(name))
    os.truncate(name, length)
    if length > end:  # it is cut in its slots, as if it was begun with fewer workers
        complaint(capsys, 1, f"{name}: was begun with fewer workers, or is cut", *line, "--resume", "-q")
    else:
        assert killed(monkeypatch, line, 3)
        assert main([*line, "--resume", "-q"]) == 0
        assert results() == expected


@pytest.mark.parametrize("of", [(Slots, "clear"), (container.TensorWriter, "reopen"), (HistoryWriter, "add")])
def test_a_work_file_of_weights_that_was_removed(folder, monkeypatch, of):
    """The training starts again; if it is killed at once, the old state must not count any more."""
    expected, line = whole("weights"), line_of("weights")
    assert killed(monkeypatch, line, 20)
    os.unlink("wh.resume")
    assert killed(monkeypatch, line, 1, *of)
    assert main([*line, "--resume", "-q"]) == 0
    assert results() == expected


REFUSED = {
    "--lr 0.2": "its recipe.lr is 0.3, not 0.2",
    "--seed 3": "its recipe.seed is 0, not 3",
    "--runs 6": "its recipe.runs is 5, not 6",
    "--epochs 21": "its recipe.epochs is 20, not 21",
    "--threads 2": "its environment.threads is 1, not 2",
    "--weights-at 0,5": "wh.resume: belongs to another training: its tensors differ",
    f"--weights-at {','.join(map(str, range(22)))}": "with other --weights-at",
}


@pytest.mark.parametrize("change", REFUSED)
def test_a_work_file_of_another_training_is_refused(folder, monkeypatch, capsys, change):
    line = line_of("weights")
    assert killed(monkeypatch, line, 9)
    before = [(folder / name).read_bytes() for name in ("h.resume", "wh.resume")]
    text = complaint(capsys, 1, [REFUSED[change], "remove"], *line, *change.split(), "--resume", "-q")
    assert ".resume: " in text
    assert [(folder / name).read_bytes() for name in ("h.resume", "wh.resume")] == before
    assert main([*line, "--resume", "-q"]) == 0


def test_a_work_file_of_other_data_torch_or_strag_is_refused(folder, monkeypatch, capsys):
    line = line_of("full batch")
    assert killed(monkeypatch, line, 9)
    with monkeypatch.context() as patch:
        patch.setattr("strag.training.device.torch.__version__", "9.9")
        complaint(
            capsys, 1, "h.resume: belongs to another training: its environment.torch", *line, "--resume"
        )
    with monkeypatch.context() as patch:
        patch.setattr("strag.files.stamp.__version__", "9.9.9")
        complaint(capsys, 1, "h.resume: was begun by another version of strag", *line, "--resume")
    os.unlink("d")
    write_dataset("d", made_up(seed=1), {})
    complaint(capsys, 1, "h.resume: belongs to another training: its inputs.data", *line, "--resume")


def test_weights_that_were_not_asked_for_at_first(folder, monkeypatch, capsys):
    line = line_of("full batch")
    assert killed(monkeypatch, line, 9)
    complaint(capsys, 1, "h.resume: was begun without --weights", *line, "--weights", "wh", "--resume")
    assert "wh.resume" not in files_in(folder)


@pytest.mark.parametrize("thing", ["text", "short", "folder", "link", "pipe", "history"])
def test_something_else_in_the_place_of_the_work_file(folder, capsys, thing):
    line, path = line_of("full batch"), folder / "h.resume"
    expected = whole("full batch")
    if thing in ("text", "short"):
        path.write_text("precious" * (1 if thing == "short" else 100_000))
    elif thing == "folder":
        path.mkdir()
    elif thing == "link":
        (folder / "precious").write_text("precious")
        path.symlink_to(folder / "precious")
    elif thing == "pipe":
        os.mkfifo(path)
    else:
        path.write_bytes((folder / "d").read_bytes())
    names, problem = files_in(folder), "is not a work file that strag began"
    problem = "belongs to another training: its" if thing == "history" else problem
    complaint(capsys, 1, [f"h.resume: {problem}", "remove it"], *line, "--resume")
    assert files_in(folder) == names
    if thing in ("text", "short"):
        assert path.read_text().startswith("precious")
    assert main([*line, "-q"]) == 0  # without --resume, it is nothing to strag
    assert results() == expected


def test_an_empty_work_file_is_a_new_one(folder):
    (folder / "h.resume").touch()
    expected = whole("full batch")
    assert main([*line_of("full batch"), "--resume", "-q"]) == 0
    assert results() == expected
    assert "h.resume" not in files_in(folder)


PLACES = {
    "before the weights take their place": (beside.os, "replace", 1),
    "between the weights and the history": (beside.os, "replace", 2),
    "as the folder is written": (beside, "_sync_folder", 1),
    "once all are in their places": (beside, "_sync_folder", 2),
    "before the bytes of the history are on the disk": (beside, "_sync", 2),
    "before a state": (resume.Resumption, "save", 12),
}


@pytest.mark.parametrize("kind", ["weights", "until"])
@pytest.mark.parametrize("place", PLACES)
def test_killed_as_the_files_take_their_places(folder, monkeypatch, capsys, kind, place):
    expected, line = whole(kind), line_of(kind)
    what, name, number = PLACES[place]
    assert killed(monkeypatch, line, number, what, name)
    with monkeypatch.context() as patch:
        if place != "before a state":  # nothing is trained again
            patch.setattr(HistoryWriter, "add", full)
        assert main([*line, "--resume"]) == 0, capsys.readouterr().err
    assert results() == expected
    assert main([*line, "--resume", "-q"]) == 0
    assert results() == expected
    assert not [name for name in files_in(folder) if name.endswith((".resume", ".tmp", ".partial"))]


@pytest.mark.parametrize("part", ["nothing", "a part", "all", "all, and the slots are cut"])
def test_killed_as_the_last_header_is_written(folder, monkeypatch, part):
    """The system may have written a part of the header before it kills."""
    expected, line = whole("weights"), line_of("weights")
    for name in ("wh", "h"):
        commit = container.TensorWriter.commit

        def stops(self, name=name, commit=commit):
            if self.output.path == name:
                differ = (a != b for a, b in zip(self._header, self._unfinished, strict=True))
                ends = {"nothing": 0, "a part": 2 + next(at for at, d in enumerate(differ) if d)}
                self.output.file.seek(0)
                self.output.file.write(self._header[: ends.get(part)])
                if "cut" in part:
                    self.output.file.truncate(self.end)
                raise Killed
            commit(self)

        with monkeypatch.context() as patch:
            patch.setattr(container.TensorWriter, "commit", stops)
            with pytest.raises(Killed):
                main([*line, "--resume", "-q"])
    assert main([*line, "--resume", "-q"]) == 0
    assert results() == expected


def test_info_shows_the_work_file_and_no_other_command_reads_it(folder, monkeypatch, capfd):
    assert killed(monkeypatch, line_of("weights"), 9)
    capfd.readouterr()
    problem = "h.resume: is unfinished: its training was stopped, or still runs"
    assert main(["info", "h.resume", "--get", "unfinished"]) == 0
    assert capfd.readouterr() == ("true\n", f"strag: warning: {problem}\n")
    assert main(["info", "wh.resume", "--get", "kind"]) == 0
    for command in (
        "find-stragglers h.resume",
        "sets h.resume --at 6 -o x",
        "stability h.resume",
        "plot h.resume -o x.png",
        "dump wh.resume d -o x",
        "train d --init wh.resume -o x",
    ):
        complaint(capfd, 1, f"{problem}; run the same command with --resume again", *command.split())


@pytest.mark.parametrize("output", ["-", "/dev/stdout", "pipe", "/dev/null"])
def test_an_output_that_cannot_stay_is_refused_before_any_work(folder, monkeypatch, capsys, output):
    os.mkfifo("pipe")
    monkeypatch.setattr("strag.api.job.prepare_job", full)
    line = [*line_of("full batch")[:-1], output, "--resume"]
    complaint(capsys, 2, "is not a file, so its training cannot resume; name a file", *line)
    line = [*line_of("full batch"), "--weights", output, "--resume"]
    complaint(capsys, 2, "is not a file, so its training cannot resume; name a file", *line)
    assert "h.resume" not in files_in(folder)


def test_a_plan_of_it_writes_nothing(folder, capfd):
    names = files_in(folder)
    assert main([*line_of("full batch"), "--resume", "--plan"]) == 0
    assert capfd.readouterr().err == ""
    assert files_in(folder) == names
