"""Work shared among processes: the same results in the same order, and no process is left."""

import json
import multiprocessing
import os
import signal

import numpy as np
import pytest

from strag.api.sharing import shared_by
from strag.cli import main
from strag.errors import StragError

WORKERS = [None, 1, 2, 3, 7]


@pytest.mark.parametrize("workers", WORKERS)
def test_results_come_in_order(workers):
    offset = np.arange(5)
    found = list(shared_by(workers)(lambda item: (item**2 + offset).tolist(), range(5)))
    assert found == [(item**2 + offset).tolist() for item in range(5)]
    assert list(shared_by(workers)(str, [])) == []
    assert not multiprocessing.active_children()


def test_the_work_is_shared():
    assert len(set(shared_by(3)(lambda _: os.getpid(), range(9)))) == 3
    assert set(shared_by(1)(lambda _: os.getpid(), range(9))) == {os.getpid()}


def test_an_error_is_that_of_the_function_and_ends_the_work():
    def fail(item):
        if item == 3:
            raise StragError("is broken", "repair it", "file")
        return item

    found = []
    with pytest.raises(StragError, match="file: is broken; repair it"):
        found.extend(shared_by(2)(fail, range(6)))
    assert not multiprocessing.active_children()


def test_a_killed_worker_is_one_line():
    def die(item):
        if item == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    with pytest.raises(StragError, match="a worker was killed by SIGKILL; use fewer `workers`"):
        list(shared_by(2)(die, range(4)))


def test_a_reader_that_stops_leaves_no_process():
    results = shared_by(2)(lambda item: bytes(1 << 20), range(50))
    next(results)
    results.close()
    assert not multiprocessing.active_children()


def test_a_system_that_cannot_fork_uses_one_process(monkeypatch):
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    with pytest.warns(Warning, match="cannot fork 2 workers, so one is used"):
        assert shared_by(2) is map


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_geometry_by_any_number_of_workers_writes_the_same_bytes(tmp_path, monkeypatch, save):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for number in range(3):
        labels, h = random.integers(3, size=50), random.normal(size=(2, 50, 6))
        save(f"{number}.npz", y=labels, updates=[0, 4], a=h, b=h[..., :2] ** 3)
    outputs = set()
    for workers in ("1", "2", "3"):
        files = ["0.npz", "1.npz", "2.npz", "--measure", "all", "--workers", workers]
        assert main(["geometry", *files, "-q", "-o", "g.json"]) == 0
        outputs.add((tmp_path / "g.json").read_bytes())
    assert len(outputs) == 1
    assert len(json.loads(outputs.pop())["records"]) == 4
