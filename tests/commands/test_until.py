"""`train --until decided`: each run ends on its own, as it would alone, and nothing after its end counts."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import strag
from strag.api import job as strag_job
from strag.api import train
from strag.cli import main
from strag.files.output import Output
from strag.training.recipe import Recipe
from tests.files.makers import complaint
from tests.shell import files_in

OPTIONS = {"lr": 0.5, "until": "decided", "noise": (0.0, 0.5)}


@pytest.fixture(scope="module")
def data():
    return strag.data("mnist8k", size=1000)


@pytest.fixture(scope="module")
def folder(data, tmp_path_factory):
    """A training whose runs end at different updates (h, w), and a whole one that is longer (long)."""
    folder = tmp_path_factory.mktemp("until")
    strag.train(data, runs=6, output=folder / "h", weights=folder / "w", threads=1, **OPTIONS)
    whole = {**OPTIONS, "until": None}
    strag.train(data, runs=6, epochs=400, record_every="log", output=folder / "long", threads=1, **whole)
    return folder


@pytest.fixture(scope="module")
def history(folder):
    return strag.read(folder / "h")


def test_runs_end_at_different_updates_and_the_last_of_them_ends_the_axes(history):
    ends = history.updates[history.last_record]
    assert len(set(ends.tolist())) > 1
    assert history.updates[-1] == ends.max() == history.test_updates[-1]
    assert (history.meta["format"], history.meta["recipe"]["until"]) == (2, "decided")
    assert (history.meta["recipe"]["epochs"], history.meta["recipe"]["record"]) == (100000, "log")


def test_the_records_are_those_of_a_longer_training_and_nothing_follows_them(history, folder):
    whole = strag.read(folder / "long")
    for run, last in enumerate(history.last_record):
        end = last + 1
        np.testing.assert_array_equal(history.updates[:end], whole.updates[:end])
        for name in ("train_error", "train_loss", "misclassified"):
            values, expected = getattr(history, name)[:, run], getattr(whole, name)[:, run]
            np.testing.assert_array_equal(values[:end], expected[:end], err_msg=name)
            after = np.isnan(values[end:]) if values.dtype.kind == "f" else values[end:] == 0
            assert after.all(), name
        for name, values in history.measures.items():
            np.testing.assert_array_equal(values[:end, run], whole.measures[name][:end, run])
            assert np.isnan(values[end:, run]).all()


def test_a_run_is_tested_until_its_end_and_there(history, folder):
    whole = strag.read(folder / "long")
    for run, last in enumerate(history.last_record):
        tested = history.test_updates <= history.updates[last]
        assert np.isnan(history.test_error[~tested, run]).all()
        assert (history.test_misclassified[~tested, run] == 0).all()
        np.testing.assert_array_equal(history.test_error[tested, run], whole.test_error[: tested.sum(), run])


def test_a_run_alone_ends_where_it_ends_among_others(data, history):
    alone = strag.train(data, runs=1, first_run=4, threads=1, **OPTIONS)
    end = history.last_record[4] + 1
    assert alone.last_record.tolist() == [end - 1]
    np.testing.assert_allclose(alone.train_loss[:, 0], history.train_loss[:end, 4], atol=1e-6)


def test_the_weights_are_each_runs_own_last_ones(data, folder, history):
    with strag.read(folder / "w") as weights:
        ends = history.updates[history.last_record]
        assert weights.updates.tolist() == [ends.max()]
        run = int(ends.argmin())
        last = weights.parameters(-1)
    updates = f"0,{ends[run]}"
    options = {"runs": 6, "epochs": int(ends.max()), "lr": 0.5, "threads": 1}
    strag.train(data, weights=folder / "w2", weights_at=updates, output=folder / "h2", **options)
    with strag.read(folder / "w2") as weights:
        for name, values in weights.parameters(-1).items():
            np.testing.assert_array_equal(last[name][run], values[run])


def test_the_inversion_is_that_of_the_longer_training(folder):
    found, expected = (strag.find_stragglers(strag.read(folder / name)) for name in ("h", "long"))
    assert found.verdict == expected.verdict == "inversion"
    ours, theirs = ([run.inversion.update for run in one.runs] for one in (found, expected))
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(found.indices, expected.indices)


def test_tests_at_other_updates_than_records(data):
    options = {**OPTIONS, "test_every": "1000"}
    history = strag.train(data, runs=6, threads=1, **options)
    ends = history.updates[history.last_record]
    assert history.test_updates.tolist() == sorted({0, *ends.tolist()})
    for run, end in enumerate(ends):
        is_tested = (history.test_updates == 0) | (history.test_updates == end)
        assert (np.isnan(history.test_error[:, run, 0]) == ~is_tested).all()
    never = strag.train(data, runs=2, threads=1, lr=0.5, until="decided", test_every="never")
    assert never.test_updates is None


def test_at_the_limit_every_run_ends(data):
    history = strag.train(data, runs=3, epochs=12, threads=1, **OPTIONS)
    assert history.updates[history.last_record].tolist() == [12] * 3
    assert strag.find_stragglers(history).verdict == "open"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--until", "later"], "'--until': 'later' is not"),
        (["--until", "decided", "--weights", "w", "--weights-at", "0"], "--weights-at must be last"),
    ],
)
def test_wrong_input(arguments, words, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    complaint(capfd, 2, words, "train", "mnist8k", "--runs", "2", *arguments, "-o", "h")
    assert files_in(tmp_path) == []


@pytest.mark.slow
def test_mini_batches_and_pipes(data, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert main(["data", "mnist8k", "--size", "300", "-o", "d"]) == 0
    run = ["train", "d", "--runs", "3", "--batch-size", "100", "--epochs", "60"]
    run += ["--until", "decided", "--threads", "1"]
    assert main([*run, "-o", "h"]) == 0
    assert "3 runs, which ended after" in capfd.readouterr().err
    with open("piped", "wb") as file:
        assert subprocess.run([sys.executable, "-m", "strag", *run, "-q"], stdout=file).returncode == 0
    assert Path("piped").read_bytes() == Path("h").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(("runs", "kept"), [(4, 2), (2, 2)])
def test_an_interrupted_training_leaves_complete_runs(runs, kept, data, tmp_path, history):
    """Groups are of two runs here; the training is stopped in the second one, or in the first."""
    seen = []

    def stop(done):
        seen.append(done)
        if (runs == 4 and done and seen.count(done) > 3) or (runs == 2 and len(seen) == 20):
            raise KeyboardInterrupt

    options = {**OPTIONS, "runs": runs, "width": 320, "threads": 1}
    job = strag_job.prepare_job(Recipe.of(**{k: v for k, v in options.items() if k != "threads"}), data)
    with strag_job.history_writer(job, "cpu", Output(str(tmp_path / "h"))) as writer:
        with pytest.raises(KeyboardInterrupt):
            train.run(job, [writer], "cpu", lambda done, **_: stop(done))
        path, number, until = writer.commit_partial()
    with pytest.warns(match=f"is the finished part of a training, up to update {until}"):
        partial = strag.read(path)
    assert (number, len(partial.runs)) == (kept, kept)
    whole = strag.train(data, **{**options, "runs": 2})
    for run in range(2):
        end = min(partial.last_record[run], whole.last_record[run]) + 1
        np.testing.assert_array_equal(partial.train_loss[:end, run], whole.train_loss[:end, run])
    assert (partial.last_record == whole.last_record).all() == (runs == 4)
