"""Laws of workers: who trains a group, and with how many others, changes no byte."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import strag as strag_package
from strag.api import workers
from strag.api.crew import Crew, crew_for
from strag.api.workers import train_by
from strag.errors import StragError, StragNote
from strag.files.dataset import write_dataset
from strag.training.architecture import Ends
from strag.training.prepare import prepare
from strag.training.recipe import Recipe
from strag.training.records import STATE, STOP, Checkpoint
from tests.conftest import made_up
from tests.shell import files_in
from tests.test_signals import heard
from tests.training.test_checkpoint import trained, values

# Groups of two runs, since 640 units fill a group.
OPTIONS = {"runs": 7, "first_run": 1, "epochs": 6, "width": 320, "lr": 0.3, "test_every": "1"}
TRAIN = ["train", "d", "--runs", "7", "--width", "320", "--epochs", "40", "--threads", "1"]


def by_workers(recipe, task, number, **options):
    """Train by workers: dict of (runs, update) to values, and the Checkpoints."""
    records, checkpoints = {}, []
    for event in train_by(Crew(("cpu",) * number, 1), recipe, task, (0, 5), **options):
        if isinstance(event, Checkpoint):
            checkpoints.append(event)
        else:
            records[event.runs.start, event.update] = values(event)
    return records, checkpoints


@pytest.mark.parametrize(
    ("number", "options"),
    [(2, {}), pytest.param(3, {"batch_size": 50, "optimizer": "adam"}, marks=pytest.mark.slow)],
)
def test_workers_yield_what_one_process_yields(number, options):
    recipe = Recipe.of(**{**OPTIONS, **options})
    task, _, _ = prepare(recipe, made_up())
    alone, _ = trained(recipe, task)
    together, checkpoints = by_workers(recipe, task, number)
    assert checkpoints == []
    assert together.keys() == alone.keys()
    for key, expected in alone.items():
        for name, value in expected.items():
            np.testing.assert_array_equal(together[key][name], value, err_msg=f"{key} {name}")


@pytest.mark.slow
def test_workers_go_on_from_checkpoints():
    recipe = Recipe.of(**OPTIONS)
    task, _, _ = prepare(recipe, made_up())
    whole, _ = trained(recipe, task)
    before, begun = trained(recipe, task, due=lambda: STATE, stop=4)
    after, ends = by_workers(recipe, task, 2, begun=begun, due=lambda: None, every=1e9)
    assert sorted(checkpoint.runs.start for checkpoint in ends) == [0, 1, 3, 5]
    assert {**before, **after}.keys() == whole.keys()


def test_an_error_in_a_worker_is_raised_here():
    recipe = Recipe.of(**OPTIONS)
    task, _, _ = prepare(recipe, made_up())
    task.x = task.x[:, :-1]
    with pytest.raises(RuntimeError):
        by_workers(recipe, task, 2)


def test_a_worker_that_was_killed_is_said(monkeypatch):
    class Killed(workers._Worker):
        def send(self, group):
            super().send(group)
            self.process.kill()

    monkeypatch.setattr(workers, "_Worker", Killed)
    recipe = Recipe.of(**OPTIONS)
    task, _, _ = prepare(recipe, made_up())
    with pytest.raises(StragError, match="a worker of the training was killed by SIGKILL"):
        by_workers(recipe, task, 2)


@pytest.mark.parametrize(
    ("asked", "runs", "cores", "crew"),
    [
        (None, 64, 2, None),
        ("auto", 64, 2, Crew(("cpu", "cpu"), 1)),
        ("auto", 96, 2, None),  # three groups on two cores: one core would wait
        ("auto", 32, 2, None),
        ("auto", 7 * 32, 8, None),
        (3, 64, 2, Crew(("cpu", "cpu"), 1)),
        (2, 64, 8, Crew(("cpu", "cpu"), 4)),
        (1, 64, 8, None),
    ],
)
def test_a_group_has_one_worker(asked, runs, cores, crew, monkeypatch, recwarn):
    monkeypatch.setattr("strag.api.crew.cores", lambda: cores)
    assert crew_for(asked, Recipe.of(runs=runs), Ends((20,), 19, 2), "cpu") == crew
    asked_for = cores if asked == "auto" else asked or 1
    assert len(recwarn) == (asked_for > (len(crew.devices) if crew else 1))


@pytest.mark.parametrize(
    ("threads", "crew"), [(None, None), (1, Crew(("cpu", "cpu"), 1)), (2, None)], ids=["all", "one", "two"]
)
def test_few_threads_are_used_by_more_workers(threads, crew, monkeypatch, recwarn):
    """Three groups on two cores: one process is faster only if it uses both."""
    monkeypatch.setattr("strag.api.crew.cores", lambda: 2)
    assert crew_for("auto", Recipe.of(runs=96), Ends((20,), 19, 2), "cpu", threads) == crew
    assert [warning.category for warning in recwarn] == [StragNote] * (crew is None)


@pytest.mark.slow
@pytest.mark.parametrize("keeps", [True, False])
def test_a_worker_that_something_else_stops_is_no_end_of_its_group(keeps, monkeypatch):
    class Stopped(workers._Worker):
        def send(self, group):
            super().send(group)
            time.sleep(3)
            self.process.terminate()

    monkeypatch.setattr(workers, "_Worker", Stopped)
    recipe = Recipe.of(**{**OPTIONS, "runs": 2, "epochs": 200000, "test_every": "never"})
    task, _, _ = prepare(recipe, made_up())
    options = {"due": lambda: None, "every": 1e9} if keeps else {}
    with pytest.raises(StragError, match=r"a worker of the training (was terminated|ended with status 1)"):
        by_workers(recipe, task, 1, **options)


@pytest.mark.slow
def test_all_workers_send_their_state_at_a_stop():
    """However long one of them needs for its step; the others have ended by then."""
    recipe = Recipe.of(**{**OPTIONS, "epochs": 200000, "test_every": "never", "record_every": "log"})
    task, _, _ = prepare(recipe, made_up())
    start = time.monotonic()
    due = lambda: STOP if time.monotonic() - start > 6 else None  # noqa: E731
    _, checkpoints = by_workers(recipe, task, 2, due=due, every=1e9)
    assert sorted(checkpoint.runs.start for checkpoint in checkpoints) == [0, 1]
    assert not any(checkpoint.is_last for checkpoint in checkpoints)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_dataset(str(tmp_path / "d"), made_up(), {})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def strag(*arguments, **options):
    return subprocess.Popen([sys.executable, "-m", "strag", *arguments], **options)


def children(process):
    """The workers of a process: list of int."""
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(child) for child in path.read_text().split()]


@pytest.mark.slow
def test_a_command_with_workers_writes_the_same_bytes(folder):
    assert strag(*TRAIN, "-o", "one", "--weights", "w1").wait() == 0
    assert strag(*TRAIN, "--workers", "2", "-o", "two", "--weights", "w2").wait() == 0
    assert Path("one").read_bytes() == Path("two").read_bytes()
    assert Path("w1").read_bytes() == Path("w2").read_bytes()


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="needs /proc")
@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_worker_outlives_its_parent(folder, how):
    long = [*TRAIN[:-4], "--epochs", "1000000", "--record-every", "10000", "--test-every", "never"]
    process = strag(*long, "--workers", "2", "-o", "h", stderr=subprocess.DEVNULL, preexec_fn=heard)
    deadline = time.monotonic() + 60
    while len(found := children(process)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(how)
    assert process.wait() == -how
    while any(os.path.exists(f"/proc/{child}") for child in found) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [child for child in found if os.path.exists(f"/proc/{child}")]
    if how != signal.SIGKILL:
        assert [name for name in files_in(folder) if name not in ("d", "h.partial")] == []


@pytest.mark.slow
def test_python_trains_by_workers_too(folder):
    data, options = strag_package.read("d"), {"runs": 4, "width": 320, "epochs": 5, "threads": 1}
    strag_package.train(data, output="one", **options)
    strag_package.train(data, output="two", workers=2, **options)
    assert Path("one").read_bytes() == Path("two").read_bytes()
    with pytest.raises(StragError, match="`workers`"):
        strag_package.train(data, workers=0, **options)


@pytest.mark.slow
def test_workers_that_do_not_fit_into_memory_are_refused(folder):
    command = [*TRAIN, "--runs", "40", "--workers", "20", "--memory", "1.5", "-o", "h"]
    process = strag(*command, stderr=subprocess.PIPE, text=True)
    assert "more than the limit --memory 1.5; use fewer --workers" in process.communicate()[1]
    assert process.returncode == 2
    assert files_in(folder) == ["d"]
