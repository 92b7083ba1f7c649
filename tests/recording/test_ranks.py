"""Processes that share the examples of a record make the history of one process, and runs are joined."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

import strag
from strag import kinds
from strag.api.merge import open_parts
from strag.cli import main
from strag.geometry.moments import rms_radius
from strag.recording.ranks import joined
from tests.conftest import made_up
from tests.files.makers import complaint, forge, refused
from tests.recording.passes import P, T, passes, pushed, same, saved


def shared(update, rank, of, drop_last=False):
    """The rows of a process in a shuffled record, as DistributedSampler of torch deals them."""
    rows = np.random.default_rng(update).permutation(P)
    if drop_last:
        return rows[: P // of * of][rank::of]
    repeated = -P % of
    return np.concatenate([rows, rows[:repeated]])[rank::of]


def ranks(made, of, folder, deal=shared, batch=4, only=None, **options):
    """Let `of` processes, or `only` one, record these passes, and return the paths of their files."""
    folder.mkdir(exist_ok=True)
    recorders = [
        pushed(made, batch, order=lambda update, r=r: deal(update, r, of), part=f"{r + 1}/{of}", **options)
        for r in (range(of) if only is None else [only])
    ]
    return [recorder.save(str(folder / "r.%p")) for recorder in recorders]


SOME = [1, 2, 3, *(pytest.param(of, marks=pytest.mark.slow) for of in (7, 31, 60, 64))]


@pytest.mark.parametrize("of", SOME)
def test_any_number_of_processes_is_one(tmp_path, of):
    made = passes()
    whole, files = pushed(made), ranks(made, of, tmp_path / "ranks")
    assert [kinds.read(file).meta["kind"] for file in files] == [("recording" if of > 1 else "history")] * of
    merged = strag.merge(files[::-1], str(tmp_path / "h"))
    alone = saved(whole, tmp_path / "i")
    same(alone, merged)
    assert alone.meta == merged.meta
    assert [*alone.names] == [*merged.names]
    if of > 1:
        record = joined([kinds.read(file) for file in files])
        radius = rms_radius(record.measures["radius"][-1, 0, 0])
        assert whole.last["radius/fc"] == pytest.approx(radius, rel=1e-12)
        assert whole.last["train_loss"] == pytest.approx(record.train_loss[-1, 0], rel=1e-12)


@pytest.mark.parametrize("of", [2, 3])
def test_any_number_of_processes_is_one_online(tmp_path, of):
    made, options = passes(), {"recording": "online", "layer": None}
    files = ranks(made, of, tmp_path / "ranks", **options)
    merged = strag.merge(files, str(tmp_path / "h"))
    same(saved(pushed(made, **options), tmp_path / "i"), merged)
    assert merged.meta["recording"] == "online"


def test_examples_are_dealt_as_torch_deals_them():
    from torch.utils.data import DistributedSampler

    def of_torch(update, rank, of):
        sampler = DistributedSampler(range(P), of, rank)
        sampler.set_epoch(update)
        return list(sampler)

    for of in (2, 3):
        rows = [of_torch(3, rank, of) for rank in range(of)]
        order = [rows[at % of][at // of] for at in range(P)]
        repeated = [row[-1] for row in rows][-(-P % of) or P :]
        assert sorted(order) == [*range(P)]
        assert repeated == order[: -P % of]


def test_a_rank_of_a_data_set(tmp_path):
    from strag.datasets.names import Names

    data = made_up(P=P, names=Names.of([f"{row}.png" for row in range(P)]))
    made = (data.index, data.groups, *passes()[2:])
    made = (made[0], made[1], made[2][:, :, :2], made[3])
    options = {"origin": data}
    merged = strag.merge(ranks_with(made, 2, tmp_path, options), str(tmp_path / "h"))
    alone = saved(pushed(made, recorder=strag.Recorder(**options)), tmp_path / "i")
    same(alone, merged)
    assert alone.meta == merged.meta
    for name in ("index", "y", "group"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(merged, name))
    assert [*alone.names] == [*merged.names]


def ranks_with(made, of, folder, options):
    files = []
    for rank in range(of):
        recorder = strag.Recorder(**options, part=f"{rank + 1}/{of}")
        pushed(made, 4, order=lambda update: shared(update, rank, of), recorder=recorder)  # noqa: B023
        files.append(recorder.save(str(folder / "r.%p")))
    return files


def test_torchrun_numbers_the_processes(tmp_path, monkeypatch):
    made, files = passes(), []
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        recorder = pushed(made, order=lambda update: shared(update, rank, 2))  # noqa: B023
        refused(lambda: recorder.save(str(tmp_path / "r")), "has no %p", status=2)  # noqa: B023
        files.append(recorder.save(tmp_path / "r.%p"))
    assert files == [str(tmp_path / "r.1"), str(tmp_path / "r.2")]
    assert "part 2 of 2, 5 records, " in repr(kinds.read(files[1]))
    whole = pushed(made)  # rank 1 records all examples by itself
    assert kinds.read(whole.save(tmp_path / "w")).examples == P


def test_a_process_may_save_again_and_go_on(tmp_path):
    made = passes()
    ids, labels, logits, h = made
    recorder = strag.Recorder(examples=P, part="2/2")
    for update in range(T):
        rows = shared(update, 1, 2)
        recorder.update(ids[rows], logits[update, rows], labels[rows], {"fc": h[update, rows]})
        recorder.record(update)
        recorder.save(str(tmp_path / "a.%p"))
    again = ranks(made, 2, tmp_path / "b", batch=P, only=1)[0]
    assert (tmp_path / "a.2").read_bytes() == Path(again).read_bytes()


def test_missing_examples_are_named(tmp_path):
    def dropping(update, rank, of):
        return shared(update, rank, of, drop_last=True)

    def halving(update, rank, of):
        return np.arange(rank, 60, of)

    made, out = passes(), str(tmp_path / "h")
    ids = made[0]
    files = ranks(made, 2, tmp_path / "a", dropping)
    refused(
        lambda: strag.merge(files, out),
        "have 60 of 61 examples at update 0; missing are ",
        "without drop_last,",
    )
    files = ranks(made, 2, tmp_path / "b", halving)
    refused(lambda: strag.merge(files, out), "60 of 61 examples at update 0; missing are 60;", "drop_last,")
    files = ranks(made, 3, tmp_path / "c")
    refused(lambda: strag.merge(files[1:], out), "2 recordings of 3 have", "processes; missing are 1")
    refused(lambda: strag.merge(files[1:2], out), "1 recording of 3 has", "processes; missing are 1, 3")
    refused(lambda: strag.merge([files[0], files[0]], out), "is part 1 of 3", "each file once")
    others = ranks((ids + 1000, *made[1:]), 2, tmp_path / "d", only=1)
    few = ranks(made, 2, tmp_path / "e", only=0)
    refused(
        lambda: strag.merge([*few, *others], out),
        "examples have ids in these recordings, whose training set has 61; ",
    )
    assert not (tmp_path / "h").exists()


def test_what_does_not_belong_together_is_refused(tmp_path):
    made, out = passes(), str(tmp_path / "h")
    ids, labels, logits, h = made
    one = ranks(made, 2, tmp_path / "a", only=0)[0]

    def other(made, of, name, *deal, **options):
        return ranks(made, of, tmp_path / name, *deal, only=1, **options)

    others = {
        "repeats examples of another process": lambda: other(made, 2, "b", lambda t, r, of: np.arange(40)),
        "number of processes is 3, not 2": lambda: other(made, 3, "c"),
        "layers are none, not fc": lambda: other(made, 2, "d", layer=None),
        "layers are gc, not fc": lambda: other(made, 2, "e", layer="gc"),
        "recording is online, not snapshot": lambda: other(made, 2, "f", layer=None, recording="online"),
        "has other updates": lambda: other((ids, labels, logits[:3], h[:3]), 2, "g"),
        "has label": lambda: other((ids, (labels + 1) % 3, logits, h), 2, "i"),
        "type of ids is text": lambda: other(([f"{row}" for row in ids], *made[1:]), 2, "j"),
        "classes are a, b, c": lambda: other(made, 2, "k", classes=["a", "b", "c"]),
        "is a history file, but": lambda: [pushed(made).save(str(tmp_path / "l"))],
    }
    for words, make in others.items():
        (file,) = make()
        text = refused(lambda: strag.merge([one, file], out), words)  # noqa: B023
        assert text.startswith(f"{file}: ")


def test_other_commands_name_merge(tmp_path, capfd):
    (file,) = ranks(passes(), 2, tmp_path / "a", only=0)
    for line in (
        f"find-stragglers {file}",
        f"stability {file}",
        f"sets {file} --at 1",
        f"plot {file} -o {tmp_path / 'p.png'}",
        f"prune {file} {file}",
        f"compare {file} {file}",
        f"train {file}",
    ):
        complaint(capfd, 1, ("is a recording file", "join the ranks with 'strag merge'"), *line.split())
    assert main(["info", file]) == 0
    out = capfd.readouterr().out
    assert "part           number 1, of 2" in out
    assert "examples       61" in out


def test_the_command_joins_and_says_what_is_missing(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = passes()
    files = ranks(made, 3, tmp_path / "a")
    assert main(["merge", *files, "-o", "h"]) == 0
    assert "3 recordings of 3, 1 run" in capsys.readouterr().err
    strag.merge(files, "i")
    assert (tmp_path / "h").read_bytes() == (tmp_path / "i").read_bytes()
    complaint(capsys, 2, "remove --missing", "merge", "--missing", "h")
    with open_parts(files[1:]) as parts:
        assert (parts.missing, parts.described) == ([1], "2 recordings of 3; missing 1")


def test_runs_are_joined_in_the_order_given(tmp_path, capsys):
    histories = []
    for number, seed in enumerate((3, 1, 2)):
        recorder = pushed((*passes()[:2], *passes(seed)[2:]), 9)
        histories.append(saved(recorder, tmp_path / f"h.{number}"))
    files = [str(tmp_path / f"h.{number}") for number in range(3)]
    merged = strag.merge(files[:2], str(tmp_path / "two"))
    assert merged.runs == (0, 1)
    merged = strag.merge([str(tmp_path / "two"), files[2]], str(tmp_path / "three"))
    assert merged.runs == (0, 1, 2)
    for run, one in enumerate(histories):
        for name in ("train_error", "train_loss", "misclassified"):
            np.testing.assert_array_equal(getattr(merged, name)[:, run], getattr(one, name)[:, 0])
        for name in ("margin", "margin_deviation", "trained"):
            np.testing.assert_array_equal(getattr(merged, name)[run], getattr(one, name)[0])
        for name, values in one.measures.items():
            np.testing.assert_array_equal(merged.measures[name][:, run], values[:, 0])
    assert {**merged.meta, "runs": [0]} == histories[0].meta
    assert main(["merge", *files, "-o", str(tmp_path / "x")]) == 0
    assert "3 histories, 3 runs" in capsys.readouterr().err
    assert main(["stability", str(tmp_path / "x"), "-q", "-o", str(tmp_path / "s")]) == 0


def test_other_runs_are_refused(tmp_path):
    made, out = passes(), str(tmp_path / "out")
    ids, labels, logits, h = made
    one = pushed(made).save(str(tmp_path / "h"))
    others = {
        "has other examples or labels": (ids, (labels + 1) % 3, logits, h),
        "has other updates than": (ids, labels, logits[:3], h[:3]),
    }
    options = {
        "has the layers gc, but": {"layer": "gc"},
        "is online, but": {"layer": None, "recording": "online"},
        "has the classes a, b, c, but": {"classes": ["a", "b", "c"]},
    }
    for words in (*others, *options):
        recorder = pushed(others.get(words, made), **options.get(words, {}))
        other = recorder.save(str(tmp_path / "other"))
        text = refused(lambda: strag.merge([one, other], out), words)  # noqa: B023
        assert text.startswith(f"{other}: ")
        assert one in text
    bare = forge(one, tmp_path / "bare", drop=["train_loss"])
    refused(lambda: strag.merge([one, bare], out), "'train_loss' is in only one")
    refused(lambda: strag.merge([one, one], out), "is given twice")
    trained = strag.train(made_up(), runs=1, epochs=1, width=2, output=str(tmp_path / "t"))
    part = ranks(made, 2, tmp_path / "r", only=0)[0]
    for files in ([one, trained.source], [trained.source, one]):
        words = f"{trained.source}: is a history of a training by strag, but {one} is not"
        refused(lambda: strag.merge(files, out), words)  # noqa: B023
    for files in ([one, part], [part, one]):
        words = f"{one}: is a history file, but {part} is a recording file"
        refused(lambda: strag.merge(files, out), words)  # noqa: B023
    assert not os.path.exists(out)


@pytest.mark.parametrize(
    "changed", [{"part": None}, {"part": {"number": 1}}, {"examples": "5"}, {"ids": "integer"}]
)
def test_a_recording_that_cannot_be_read_is_refused(tmp_path, changed):
    file = ranks(passes(ids=[f"{row}x" for row in range(P)]), 2, tmp_path / "a", only=0)[0]
    refused(lambda: kinds.read(forge(file, tmp_path / "b", changed)), str(tmp_path / "b"))


def test_a_final_example_that_was_not_seen_is_refused(tmp_path):
    file = ranks(passes(), 2, tmp_path / "a", only=0)[0]
    seen = np.zeros_like(kinds.read(file)._seen)
    refused(
        lambda: kinds.read(forge(file, tmp_path / "b", seen=seen)), "'final' has examples that were not seen"
    )
    refused(lambda: kinds.read(forge(file, tmp_path / "b", drop=["names", "name_ends"])), "has no ids")


class Full:
    """A temporary file on a disk without room."""

    def seek(self, place):
        return place

    def write(self, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_one_line_and_the_record_can_be_closed_later(tmp_path, monkeypatch):
    made = passes()
    ids, labels, logits, h = made
    recorder = strag.Recorder(examples=P, part="1/2")
    rows = [shared(update, 0, 2) for update in range(T)]
    for update in range(T):
        at = rows[update]
        recorder.update(ids[at], logits[update, at], labels[at], {"fc": h[update, at]})
        if update:
            file = recorder._spool._file
            recorder._spool._file = Full()
            refused(lambda: recorder.record(update), "does not fit in", "TMPDIR")  # noqa: B023
            recorder._spool._file = file
        recorder.record(update)
    recorder.save(str(tmp_path / "a"))
    again = ranks(made, 2, tmp_path / "b", batch=P, only=0)[0]
    assert (tmp_path / "a").read_bytes() == Path(again).read_bytes()


def test_a_run_that_every_process_recorded_is_not_several_runs(tmp_path):
    """As where each process of torchrun passes all examples over the same weights."""
    made = passes()
    files = [pushed(made).save(str(tmp_path / f"h.{number}")) for number in (1, 2)]
    files.append(pushed((*made[:2], *passes(1)[2:])).save(str(tmp_path / "h.3")))
    out = str(tmp_path / "out")
    assert strag.merge(files[1:], out).runs == (0, 1)
    for several in (files[:2], [out, files[0]]):
        text = refused(lambda: strag.merge(several, out + "2"), "the same run")  # noqa: B023
        assert text.startswith(f"{several[1]}: has the same margins and losses as {several[0]}")
