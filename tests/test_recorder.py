"""Recorder, fed by hand: what is pushed is the history, in any order and of any framework, or one line."""

import doctest
import gc
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import strag
from strag.bits import unpack
from strag.cli import main
from strag.datasets.names import Names
from strag.errors import StragWarning
from strag.files.dataset import write_dataset
from strag.geometry.curves import measures_of
from strag.geometry.moments import ClassMoments, normalise
from strag.recording.examples import Examples
from strag.recording.sums import OpenRecord
from strag.training.schedule import every
from tests.conftest import made_up
from tests.files.makers import refused
from tests.recording.passes import C, P, T, passes, pushed, same, saved


def test_a_history_holds_what_was_pushed(tmp_path):
    made = _, labels, logits, h = passes()
    history = saved(pushed(made), tmp_path / "h")
    wrong = logits.argmax(axis=2) != labels
    np.testing.assert_array_equal(unpack(history.misclassified, P)[:, 0], wrong)
    np.testing.assert_allclose(history.train_error[:, 0], wrong.mean(axis=1), rtol=1e-6)
    log_p = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
    loss = -log_p[:, np.arange(P), labels].mean(axis=1)
    np.testing.assert_allclose(history.train_loss[:, 0], loss, rtol=1e-6)
    for update in range(T):
        expected = measures_of([ClassMoments.of(normalise(h[update]), labels, C)])
        for name, values in expected.items():
            np.testing.assert_allclose(history.measures[name][update, 0], values, rtol=1e-6)
    others = np.where(np.eye(C)[labels] > 0, -np.inf, logits).max(axis=2)
    margin = logits[:, np.arange(P), labels] - others
    np.testing.assert_allclose(history.margin[0], margin.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(history.margin_deviation[0], margin.std(axis=0), rtol=1e-5)
    assert (history.layers, history.classes) == (("fc",), ("0", "1", "2"))
    assert history.updates.tolist() == [*range(T)]
    assert history.meta["recording"] == "snapshot"


def test_everything_after_reads_it(tmp_path):
    pushed(passes(), classes=["a", "b", "c"]).save(str(tmp_path / "h"))
    assert main(["find-stragglers", str(tmp_path / "h"), "--at", "3", "-q", "-o", str(tmp_path / "s")]) == 0
    assert main(["info", str(tmp_path / "h")]) == 0


def test_the_example_of_the_docstring_runs():
    (test,) = doctest.DocTestFinder(recurse=False).find(strag.Recorder, "Recorder", globs={})
    result = doctest.DocTestRunner().run(test)
    assert (result.failed, result.attempted) == (0, strag.Recorder.__doc__.count(">>>"))


@pytest.mark.parametrize("batch", [1, 7, 60])
def test_neither_chunks_nor_order_matter(tmp_path, batch):
    made, random = passes(), np.random.default_rng(5)
    whole = saved(pushed(made), tmp_path / "a")
    chunked = saved(pushed(made, batch, order=lambda update: random.permutation(P)), tmp_path / "b")
    same(whole, chunked)
    assert whole.meta == chunked.meta


def test_sums_do_not_depend_on_chunks_to_the_last_digits():
    made, random = passes(), np.random.default_rng(5)
    one, other = pushed(made), pushed(made, 7, order=lambda update: random.permutation(P))
    assert one.last.keys() == {
        "update",
        "train_error",
        "train_loss",
        "radius/fc",
        "distance/fc",
        "separation/fc",
    }
    for name, value in one.last.items():
        assert other.last[name] == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "bfloat16"])
def test_tensors_of_torch_are_those_of_numpy(tmp_path, dtype):
    import torch

    def rounded(array):
        return torch.as_tensor(array).to(getattr(torch, dtype) if array.dtype.kind == "f" else torch.int64)

    def of_numpy(array):
        tensor = rounded(array)
        return (
            tensor.float().numpy() if dtype == "bfloat16" and tensor.is_floating_point() else tensor.numpy()
        )

    def of_torch(array):
        tensor = rounded(array)
        return (
            (tensor * torch.ones((), requires_grad=True)).to(tensor.dtype)
            if array.dtype.kind == "f"
            else tensor
        )

    made = passes()
    one, two = pushed(made, 9, convert=of_numpy), pushed(made, 9, convert=of_torch)
    assert one.save(str(tmp_path / "h")) == two.save(str(tmp_path / "h"))
    assert one.last == two.last
    same(saved(one, tmp_path / "a"), saved(two, tmp_path / "b"), radii=0)


class Packed:
    """An array of a library that offers nothing but DLPack."""

    def __init__(self, array):
        self._array = np.ascontiguousarray(array)

    def __len__(self):
        return len(self._array)

    def __dlpack__(self, **options):
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


class Offered(Packed):
    """An array of a library that offers `__array__`."""

    def __array__(self, dtype=None, copy=None):
        return self._array


@pytest.mark.parametrize("convert", [Packed, Offered, np.asfortranarray])
def test_arrays_of_other_libraries_are_those_of_numpy(tmp_path, convert):
    made = passes()
    one, two = pushed(made, 9), pushed(made, 9, convert=convert)
    assert one.last == two.last
    assert (tmp_path / one.save(str(tmp_path / "a"))).read_bytes() == (
        tmp_path / two.save(str(tmp_path / "b"))
    ).read_bytes()


def test_half_precision_beyond_its_largest_square_has_the_radii_of_float64():
    ids, labels, logits, h = passes()
    half = (300 * h).astype(np.float16)
    assert np.square(half.astype(np.float64)).sum(axis=2).max() > np.finfo(np.float16).max
    one, two = pushed((ids, labels, logits, half)), pushed((ids, labels, logits, half.astype(np.float64)))
    assert one.last == two.last
    assert np.isfinite(one.last["radius/fc"])


def test_further_axes_are_joined():
    ids, labels, logits, h = passes()
    wide = np.repeat(h, 6, axis=2)
    one, two = pushed((ids, labels, logits, wide)), pushed((ids, labels, logits, wide.reshape(T, P, 7, 2, 3)))
    assert one.last == two.last


@pytest.mark.parametrize(
    "make", [lambda row: 10**13 - row, lambda row: f"{row % 7}/é{row}.png", lambda row: -row]
)
def test_ids_are_sorted_and_shown(tmp_path, make):
    ids = [make(row) for row in range(P)]
    made = passes(ids=ids)
    history = saved(pushed(made, 10), tmp_path / "h")
    order = sorted(range(P), key=ids.__getitem__)
    assert [history.names[row] for row in range(P)] == [str(ids[row]) for row in order]
    np.testing.assert_array_equal(history.group, made[1][order])
    wrong = (made[2].argmax(axis=2) != made[1])[:, order]
    np.testing.assert_array_equal(unpack(history.misclassified, P)[:, 0], wrong)
    again = saved(
        pushed(made, 4, order=lambda update: np.random.default_rng(update).permutation(P)), tmp_path / "i"
    )
    assert again.meta["origin"] == history.meta["origin"]


def test_layers_keep_their_order_and_an_empty_batch_adds_nothing(tmp_path):
    made = ids, labels, logits, h = passes()
    recorder, other = strag.Recorder(examples=P), h[:, :, :2] + 1
    for update in range(T):
        both = {"fc": h[update], "b": other[update]}
        recorder.update(ids, logits[update], labels, dict(sorted(both.items())) if update else both)
        recorder.update([], logits[update, :0], [], {name: values[:0] for name, values in both.items()})
        recorder.record(update)
    history = saved(recorder, tmp_path / "h")
    assert history.layers == ("fc", "b")
    for layer, passed in (("fc", made), ("b", (ids, labels, logits, other))):
        alone = saved(pushed(passed), tmp_path / "i")
        np.testing.assert_array_equal(history.measure("radius", layer), alone.measure("radius"))


@pytest.mark.filterwarnings("ignore:the record of update")
def test_an_id_that_occurs_again_counts_once(tmp_path):
    made = ids, labels, logits, h = passes()
    plain, recorder = pushed(made), strag.Recorder(examples=P)
    for update in range(T):
        for rows in (np.arange(40), np.array([3, 3, 5]), np.arange(30, P), np.arange(9)):
            noise = 9 * (rows < 30) * (rows > 20) if len(rows) != 40 else 0 * rows
            z = logits[update, rows] + noise[:, None] * np.arange(C)
            recorder.update(ids[rows], z, labels[rows], {"fc": h[update, rows]})
        recorder.record(update)
    same(saved(plain, tmp_path / "a"), saved(recorder, tmp_path / "b"))


def test_logits_that_are_not_finite_are_misclassified(tmp_path):
    recorder = strag.Recorder(examples=4)
    for update, bad in enumerate((np.nan, np.inf, -np.inf)):
        z = np.array([[1.0, 0], [0, bad], [1, 0], [0, 0]])
        recorder.update([0, 1, 2, 3], z, [0, 1, 1, 0])
        recorder.record(update)
        assert recorder.last["train_error"] == 0.5
        assert np.isnan(recorder.last["train_loss"])
    history = saved(recorder, tmp_path / "h")
    assert unpack(history.misclassified, 4)[:, 0].tolist() == 3 * [[False, True, True, False]]
    assert np.isnan(history.margin[0, 1])
    assert history.margin[0, [0, 2, 3]].tolist() == [1, -1, 0]


def test_saving_goes_on(tmp_path):
    made = passes()
    ids, labels, logits, h = made
    recorder, file = strag.Recorder(examples=P), tmp_path / "h"
    for update in range(T):
        recorder.update(ids[:20], logits[update, :20], labels[:20], {"fc": h[update, :20]})
        if update:
            assert saved(recorder, file).updates.tolist() == [*range(update)]
        recorder.update(ids[20:], logits[update, 20:], labels[20:], {"fc": h[update, 20:]})
        recorder.record(update)
    recorder.save(str(file))
    assert file.read_bytes() == Path(pushed(made).save(str(tmp_path / "i"))).read_bytes()


def test_saving_does_not_list_the_ids_once_per_example(tmp_path, monkeypatch):
    """With a million examples this would take hours."""
    listed, ids = [], Examples.ids.fget
    recorder = pushed(passes())
    monkeypatch.setattr(Examples, "ids", property(lambda self: listed.append(self) or ids(self)))
    recorder.save(str(tmp_path / "h"))
    assert 0 < len(listed) < 5


def test_online_recordings_have_bits_and_margins(tmp_path):
    recorder = pushed(passes(), 9, layer=None, recording="online")
    history = saved(recorder, tmp_path / "h")
    assert (history.meta["recording"], history.layers) == ("online", ())
    same(history, saved(pushed(passes(), layer=None), tmp_path / "i"))
    assert recorder.last.keys() == {"update", "train_error", "train_loss"}
    recorder = strag.Recorder(examples=P, recording="online")
    refused(lambda: pushed(passes(), recorder=recorder), "online", "remove `activations`", status=2)


def test_the_data_set_of_strag_is_the_origin(tmp_path):
    data = made_up(P=P, classes=4, names=Names.of([f"{row}.png" for row in range(P)])).rows(
        np.arange(0, P, 2)
    )
    size = len(data.y)
    for origin in (data, str(tmp_path / "d")):
        write_dataset(str(tmp_path / "d"), data, {})
        recorder, random = strag.Recorder(origin=origin), np.random.default_rng(0)
        rows = random.permutation(size)
        recorder.update(data.index[rows], random.random((size, 2)), data.groups[rows])
        recorder.record(0)
        history = saved(recorder, tmp_path / "h")
        np.testing.assert_array_equal(history.index, data.index)
        np.testing.assert_array_equal(history.y, data.y)
        np.testing.assert_array_equal(history.group, data.groups)
        assert (history.meta["origin"], history.meta["origin_size"]) == (data.origin, P)
        assert (history.classes, history.names[3]) == (("even", "odd"), "6.png")
        assert history.class_name(3) == data.class_name(3)
    for update, words in (
        (([1], np.zeros((1, 2)), [0]), "not in the `index` of the data set"),
        (([2], np.zeros((1, 2)), [1 - data.groups[1]]), "in `origin`"),
        ((["2"], np.zeros((1, 2)), [0]), "mixes integers and texts"),
    ):
        refused(lambda: strag.Recorder(origin=data).update(*update), words, status=2)  # noqa: B023
    refused(lambda: strag.Recorder(origin=data, examples=P), "`examples` is 61", status=2)
    for classes in (3, ["odd", "even"]):
        refused(lambda: strag.Recorder(origin=data, classes=classes), "`classes` are", status=2)  # noqa: B023
    assert strag.Recorder(origin=data, classes=2, examples=size).last == {}
    refused(lambda: strag.Recorder(origin=str(tmp_path / "h")), "is a history file")


GOOD = {
    "ids": [1, 2, 3],
    "logits": np.zeros((3, 2)),
    "labels": [0, 1, 1],
    "activations": {"fc": np.ones((3, 4))},
}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"labels": [0, 1, 2]}, "example 3 has label 2, not 0 to 1"),
        ({"labels": [0, -1, 1]}, "example 2 has label -1"),
        ({"labels": [0, 1]}, "3 ids, 3 rows of logits and 2 labels"),
        ({"labels": [0.0, 1, 1]}, "`labels` is float64, not integer"),
        ({"labels": np.eye(3)}, "`labels` has shape [3, 3]"),
        ({"logits": np.zeros(3)}, "`logits` has shape [3], not [B, 2]"),
        ({"logits": np.zeros((3, 1))}, "`logits` has shape [3, 1]"),
        ({"logits": np.zeros((3, 3))}, "3 columns for 2 classes"),
        ({"logits": np.zeros((2, 2))}, "2 rows of logits"),
        ({"logits": np.zeros((3, 2), int)}, "`logits` is int64, not float"),
        ({"labels": np.ma.array([0, 1, 1], mask=[0, 1, 0])}, "`labels` has masked entries"),
        ({"logits": object()}, "cannot read `logits` as an array"),
        ({"logits": [[0, 1], [0], [0, 1]]}, "cannot read `logits` as an array"),
        ({"ids": [1, 2]}, "2 ids, 3 rows"),
        ({"ids": [1, 2, "3"]}, "mixes integers and texts"),
        ({"ids": ["1", "2", "3"]}, "mixes integers and texts"),
        ({"ids": None}, "`ids`"),
        ({"ids": [1.0, 2.0, 3.0]}, "1.0 as an id"),
        ({"ids": [7, 8, 9]}, "more than 5 examples"),
        ({"ids": [2, 1, 3]}, "example 2 has label 0, but 1 before"),
        ({"ids": [4, 4, 5]}, "example 4 has label 1, but 0 before"),
        ({"activations": {}}, "lacks the activations of layer fc"),
        (
            {"activations": {"fc": np.ones((3, 4)), "b": np.ones((3, 4))}},
            "of layer b, which earlier batches lack",
        ),
        ({"activations": {"fc": np.ones((3, 5))}}, "layer fc has 5 units, but 4 before"),
        ({"activations": {"fc": np.ones(3)}}, "layer fc have shape [3], not [3, ...]"),
        ({"activations": {"fc": np.ones((2, 4))}}, "layer fc have shape [2, 4]"),
        ({"activations": {"fc": np.ones((3, 0))}}, "layer fc have no units"),
        ({"activations": {"fc": [["a"] * 4] * 3}}, "layer fc are <U1, not numbers"),
        ({"activations": {7: np.ones((3, 4))}}, "cannot use 7 as the name of a layer"),
        ({"activations": [np.ones((3, 4))]}, "as `activations`"),
        ({"activations": np.ones((3, 4))}, "as `activations`"),
    ],
)
def test_a_wrong_batch_is_one_line_and_changes_nothing(tmp_path, changed, words):
    def fill(recorder, disturb):
        for update in range(2):
            recorder.update(**GOOD)
            if disturb:
                refused(lambda: recorder.update(**{**GOOD, **changed}), words, status=2)
            recorder.update([4, 5], np.ones((2, 2)), [0, 1], {"fc": np.zeros((2, 4))})
            recorder.record(update)
        return Path(recorder.save(str(tmp_path / "h"))).read_bytes()

    assert fill(strag.Recorder(examples=5), True) == fill(strag.Recorder(examples=5), False)


def test_an_exception_in_the_middle_of_counting_drops_the_record(monkeypatch, tmp_path):
    made = passes()
    ids, labels, logits, h = made
    recorder, take = strag.Recorder(examples=P), OpenRecord.take

    def interrupted(self, counted):
        take(self, counted)
        raise KeyboardInterrupt

    for update in range(T):
        recorder.update(ids[:20], logits[update, :20], labels[:20], {"fc": h[update, :20]})
        with monkeypatch.context() as patch:
            patch.setattr(OpenRecord, "take", interrupted)
            with pytest.raises(KeyboardInterrupt):
                recorder.update(ids[20:], logits[update, 20:], labels[20:], {"fc": h[update, 20:]})
        refused(lambda: recorder.record(update), "has no examples", status=2)  # noqa: B023
        recorder.update(ids, logits[update], labels, {"fc": h[update]})
        recorder.record(update)
    same(saved(recorder, tmp_path / "a"), saved(pushed(made), tmp_path / "b"))


def test_records_need_all_examples_and_rising_updates():
    recorder = strag.Recorder(examples=5)
    refused(lambda: recorder.record(0), "the record of update 0 has no examples", status=2)
    refused(lambda: recorder.save("h"), "no record to save", status=2)
    assert (recorder.last, repr(recorder)) == ({}, "Recorder: 0 records, 5 examples")
    recorder.update(**{**GOOD, "ids": [0, 1, 2]})
    refused(lambda: recorder.record(0), "has 3 of 5 examples; missing are 3, 4; ", "drop_last", status=2)
    recorder.update([3, 4], np.ones((2, 2)), [0, 1], {"fc": np.zeros((2, 4))})
    recorder.record(3)
    assert (recorder.last["update"], recorder.last["train_error"]) == (3, 0.6)
    assert repr(recorder) == "Recorder: 1 record, 5 examples, layers fc"
    recorder.update([3, 4], np.ones((2, 2)), [0, 1], {"fc": np.zeros((2, 4))})
    refused(lambda: recorder.record(4), "missing are 0, 1, 2", status=2)
    for update in (3, 1):
        refused(lambda: recorder.record(update), f"update {update} after update 3", status=2)  # noqa: B023
    for update in (-1, 1.5, "3", None):
        refused(lambda: recorder.record(update), "as `update`", status=2)  # noqa: B023


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "needs `examples`"),
        ({"examples": 0}, "as `examples`"),
        ({"examples": 5, "classes": 1}, "as `classes`"),
        ({"examples": 5, "classes": ["a", "a"]}, "as `classes`"),
        ({"examples": 5, "recording": "live"}, "snapshot or online"),
        ({"examples": 5, "layers": ["fc"]}, "`layers` needs `model`"),
        ({"examples": 5, "data": np.zeros(3)}, "`data` needs `model`"),
        ({"examples": 5, "pool": "mean"}, "`pool` needs `model`"),
        ({"examples": 5, "part": "3"}, "cannot read '3'"),
        ({"exampels": 5}, "has no parameter `exampels`"),
        ({"examples": 5, "origin": 3}, "as `origin`; pass a Dataset, or the path of its file"),
    ],
)
def test_other_options_are_refused(options, words):
    refused(lambda: strag.Recorder(**options), words, status=2)


def test_classes_may_be_told_and_named(tmp_path):
    history = saved(pushed(passes(), classes=["a", "b", "c"]), tmp_path / "h")
    assert (history.classes, history.class_name(1)) == (("a", "b", "c"), "b")
    refused(lambda: pushed(passes(), classes=4), "3 columns for 4 classes", status=2)


@pytest.mark.parametrize("last", [0, 1, 7, 300, 4000])
def test_what_is_due_is_what_train_records(last):
    recorder = strag.Recorder(examples=5)
    for when, listed in (("log", every("log", last, "when")), (7, every("7", last, "when"))):
        found = [update for update in range(last + 1) if update in recorder.due(when)]
        assert sorted({*found, last}) == listed
    assert -7 not in recorder.due(7)
    for when in ("never", 0, 1.5, None, [1]):
        refused(lambda: recorder.due(when), "as `when`", status=2)  # noqa: B023


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    recorder = pushed(passes())
    refused(lambda: recorder.save(str(tmp_path / "none" / "h")), "cannot be written")
    refused(lambda: recorder.save("-"), "as `path`", status=2)
    refused(lambda: recorder.save(3), "as `path`", status=2)
    assert recorder.save(tmp_path / "h.%p") == str(tmp_path / "h.1")
    assert [path.name for path in tmp_path.iterdir()] == ["h.1"]


@pytest.mark.parametrize(
    ("variables", "number"), [({"SLURM_ARRAY_TASK_ID": "4"}, 4), ({"RANK": "0", "WORLD_SIZE": "1"}, 1)]
)
def test_the_number_in_a_name(tmp_path, monkeypatch, variables, number):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert pushed(passes()).save(str(tmp_path / "h.%p")) == str(tmp_path / f"h.{number}")


def test_push_with_numpy_does_not_import_torch(tmp_path):
    script = f"""
import sys, os, numpy as np, strag
before = dict(os.environ)
recorder = strag.Recorder(examples=4)
recorder.update([0, 1, 2, 3], np.zeros((4, 2)), [0, 1, 0, 1], {{"fc": np.eye(4)}})
recorder.record(0), recorder.save({str(tmp_path / "h")!r})
print(sorted({{"torch", "matplotlib", "click"}} & sys.modules.keys()), os.environ == before)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout == "[] True\n"


@pytest.mark.slow
@pytest.mark.parametrize("part", [None, "1/2"])
def test_memory_grows_by_bits_alone(part):
    """Not by activations, by class sums of 10 KiB, or by margins, here of 156 KiB."""
    examples, classes, units, batch = 20_000, 10, 128, 5000
    random, recorder = np.random.default_rng(0), strag.Recorder(examples=examples, part=part)
    labels, h = random.integers(classes, size=examples), random.random((batch, units), np.float32)
    z = random.random((batch, classes), np.float32)
    last, sizes = examples if part is None else examples // 2, []
    tracemalloc.start()
    try:
        for update in range(50):
            for start in range(0, last, batch):
                ids = np.arange(start, start + batch)
                recorder.update(ids, z, labels[ids], {"fc": h})
            recorder.record(update)
            gc.collect()
            sizes.append((tracemalloc.get_traced_memory()[0], *tracemalloc.get_traced_memory()[1:]))
            tracemalloc.reset_peak()
    finally:
        tracemalloc.stop()
    bits = examples // 8 * (1 if part is None else 2)
    kept, peaks = np.array(sizes).T
    assert kept[-1] - kept[9] <= 40 * (bits + 4096)
    assert max(peaks[40:]) - max(peaks[:10]) <= 50 * (bits + 4096)


def test_outputs_of_a_pass_that_was_stopped_are_warned_of_once():
    """As of a pass that was stopped by Ctrl-C, and begun again with other parameters."""
    _, labels, logits, _ = passes()
    recorder, ids = strag.Recorder(examples=P, classes=C), np.arange(P)
    recorder.update(ids[:4], logits[0][:4], labels[:4])
    recorder.update(ids, logits[1], labels)
    with pytest.warns(StragWarning, match="update 1 has 4 examples again, whose first outputs count"):
        recorder.record(1)
    for update in (2, 3):
        for _ in range(update):
            recorder.update(ids, logits[1], labels)
        recorder.record(update)


def test_the_spooled_sums_of_a_process_disappear_with_its_recorder():
    _, labels, logits, h = passes()
    recorder = strag.Recorder(examples=P, classes=C, part="1/2")
    recorder.update(np.arange(P), logits[0], labels, {"fc": h[0]})
    recorder.record(0)
    file = recorder._spool._file
    del recorder
    gc.collect()
    assert file.closed
