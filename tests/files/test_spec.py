"""The laws of a kind: what is written is read again, and what breaks a law of its SPEC is refused."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from strag import kinds
from strag.bits import pack
from strag.files.activations import ActivationsWriter
from strag.files.container import bytes_of
from strag.files.history import HistoryWriter
from strag.files.laws import CLASS, RISING
from strag.files.output import Output
from strag.files.recording import Spool, write_recording
from strag.files.scores import write_scores
from strag.files.sets import write_sets
from strag.files.spec import Axis, Spec, Tensor
from strag.files.stamp import NEWEST, stamp
from strag.files.weights import WeightsWriter
from strag.files.writer import Writer
from strag.geometry.measures import FURTHER
from strag.kinds import KINDS
from strag.recording.batch import batch_of
from strag.recording.examples import Examples
from strag.recording.sums import OpenRecord
from strag.recording.tape import Tape, closed_record
from strag.stragglers.sets import Sets
from strag.training.activations import Tile
from strag.training.parts import Part
from tests.conftest import history_of
from tests.files.makers import dataset_file, forge, history_file, images, parts, record, refused

NAMED = {"runs": [3, 5], "layers": [1], "classes": ["even", "odd"], "origin": "o", "origin_size": 24}
P = 24


def whole(data, **more):
    per_example = {"index": data.index, "y": data.y, "group": data.groups, **data.named}
    return {"updates": [0, 5], "trained": pack(np.ones((2, P), bool)), **per_example, **more}


def write_dataset_file(path):
    data = images(names=names(), y_true=np.arange(P) % 4, mean=np.zeros(6), std=np.ones(6))
    return dataset_file(path, data), data


def names():
    from strag.datasets.names import Names

    return Names.of([f"{row}.png" for row in range(P)])


def write_history_file(path):
    whole = history_file(path, data=images(names=names()))
    ends = {name: np.array([11, 11]) for name in ("last_record", "state.update")}
    margins = dict.fromkeys(("margin", "margin_deviation"), np.ones((2, P), np.float32))
    axes = {"class": (2,), "pair": (1,), None: ()}
    chosen = {
        measure.name: np.ones((12, 2, 1, *axes[measure.axis]), np.float32)
        for measure in FURTHER
        if not measure.parts
    }
    return forge(whole, path, **ends, **margins, **chosen), images()


def write_recording_file(path):
    ids = [f"{row:02}" for row in range(P)]
    examples, widths = Examples(P + 2), {"fc": 3}
    tape, spool = Tape.of(P + 2), Spool(2, widths)
    random = np.random.default_rng(0)
    for update in (0, 5):
        batch = batch_of(ids, random.random((P, 2)), np.arange(P) % 2, {"fc": random.random((P, 3))})
        opened = OpenRecord(P + 2, 2, widths)
        numbers, new = examples.numbers(batch.ids, batch.labels)
        examples.take(new, numbers, batch.labels)
        opened.take(opened.counted(batch, numbers))
        closed = closed_record(update, opened, np.array([12, 12]), spool.put(opened))
        tape = tape.with_record(closed, opened)
    write_recording(str(path), tape, spool, Part(1, 2), examples, ("even", "odd"), widths, "snapshot")
    sample = forge(
        path, path, {"layers": [1]}, **{f"{n}1": parts(path)[2][f"{n}.fc"] for n in ("total", "final")}
    )
    return forge(sample, path, index=np.arange(P)), ids


def write_weights_file(path):
    random = np.random.default_rng(0)
    shapes = {"layer1.weight": (3, 6), "layer1.bias": (3,), "layer2.weight": (2, 3), "layer2.bias": (2,)}
    layers = {name: random.random((2, *shape)) for name, shape in shapes.items()}
    data = whole(images(), mean=np.zeros(6), std=np.ones(6))
    kept = {name: data[name] for name in ("updates", "mean", "std", "index", "trained")}
    kept["last_update"] = [5, 5]
    with WeightsWriter(str(path), stamp("weights", **NAMED), kept, shapes) as writer:
        for update in (0, 5):
            writer.add(SimpleNamespace(ended=None, update=update, runs=slice(0, 2), weights=layers))
        writer.commit()
    return forge(path, path, last_update=np.array([5, 5])), layers


def write_activations_file(path, layers=(0, 1), half=False):
    hidden = {layer: np.random.default_rng(0).random((2, P, 3 + at)) for at, layer in enumerate(layers)}
    hidden = {layer: h.astype(np.float32) for layer, h in hidden.items()}
    meta = stamp("activations", **{**NAMED, "layers": list(layers), "head": layers[-1]})
    widths = {layer: h.shape[2] for layer, h in hidden.items()}
    tensors = whole(images(names=names()))
    with ActivationsWriter(str(path), meta, tensors, widths, half) as writer:
        for at in range(2):
            head = {"head_weight": np.ones((2, 2, widths[layers[-1]])), "head_bias": np.zeros((2, 2))}
            of_tile = (hidden, np.ones((2, P)), np.full((2, P), at), head)
            writer.add(at, Tile(slice(0, 2), slice(0, P), *of_tile))
        writer.commit()
    return str(path), hidden


def write_sets_file(path):
    members = np.arange(3)[:, None] == np.arange(64) % 5
    control, dose = np.array([0, 1, 3]), np.array([0, 0.5, 1])
    sets = Sets(members, np.array([0, 1, 1]), np.array([2, 2, 4]), control, dose, np.array([0, 1, 1]))
    write_sets(str(path), sets, replace(history_of(np.ones((4, 2))), meta={"origin": "o"}), {})
    return str(path), sets


OVER_RUNS = {"mean": 1, "smallest": 0, "largest": 2}
PARTS = dict.fromkeys(("examples", "share_of_examples", "stragglers", "others"), OVER_RUNS)
OF_RUN = {"examples": 3, "stragglers": 0.5, "others": -1}
RUN = {"from": 2, "to": 9, "change": 0.5, "classes": {"even": {}}, "own": OF_RUN, "consensus": OF_RUN}
SCORES = {
    "runs": [1, 5],
    "layers": [1],
    "origin": "o",
    "direction": "positive",
    "combined": [{**RUN, "run": 1}, {**RUN, "run": 5}],
    "summary": {"change": OVER_RUNS, "own": PARTS, "consensus": PARTS},
}


def write_scores_file(path, **sets):
    of_runs = np.random.default_rng(0).normal(size=(2, P)).astype(np.float32)
    of_runs[0, 3] = np.nan
    known = {"consensus": np.arange(P) < 5, "own": np.arange(2)[:, None] == np.arange(P) % 5}
    tensors = (np.arange(P), np.nanmean(of_runs, axis=0), of_runs)
    with Output(str(path)) as output:
        write_scores(output, stamp("scores", **SCORES), *tensors, **{**known, **sets})
    return str(path), (of_runs, known)


SAMPLES = {
    "dataset": write_dataset_file,
    "history": write_history_file,
    "recording": write_recording_file,
    "weights": write_weights_file,
    "activations": write_activations_file,
    "sets": write_sets_file,
    "scores": write_scores_file,
}
BREAKERS = {  # an array like this one that breaks the law of this name
    "strictly increasing": lambda array: array[::-1],
    "no duplicates": lambda array: np.full_like(array, array[0]),
    "at least 0": lambda array: array - array.max() - 1,
    "finite": lambda array: np.full(array.shape, np.inf, np.result_type(array, np.float32)),
    "not all 0": np.zeros_like,
    "from 0 to 1": lambda array: array + 1.5,
    "not empty for any run": lambda array: array & np.array([[255], [0]], np.uint8),
    "never decreasing, the last is the length of `names`": lambda array: array + 1,
    "below C": lambda array: array + 1,
    "below T": lambda array: array + 1,
    "below P": lambda array: array + 24,
    "at most 4": lambda array: array + 5,
}


def laws():
    return [
        (kind.name, tensor.name, law)
        for kind in KINDS.values()
        if kind.files and not kind.is_json
        for tensor in kind.of().SPEC.tensors
        for law in tensor.laws
    ]


def test_every_binary_kind_has_a_sample_and_every_law_a_way_to_break_it():
    assert {kind.name for kind in KINDS.values() if kind.files and not kind.is_json} == SAMPLES.keys()
    assert {law.name for _, _, law in laws()} == BREAKERS.keys()


@pytest.mark.parametrize(("kind", "tensor", "law"), laws())
def test_what_breaks_a_law_is_refused(tmp_path, kind, tensor, law):
    path, _ = SAMPLES[kind](tmp_path / "good")
    array = parts(path)[2][tensor]
    broken = BREAKERS[law.name](array)
    if tensor in ("x", "x_test"):
        broken = broken.astype(np.float32)
    bad = forge(path, tmp_path / "bad", **{tensor: broken})
    text = refused(lambda: kinds.read(bad), f"{bad}: ")
    assert law.holds is None or f"'{tensor}' {law.problem}" in text


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_tensor_that_must_be_there_must_be_there(tmp_path, kind):
    path, _ = SAMPLES[kind](tmp_path / "good")
    spec = KINDS[kind].of().SPEC
    assert {tensor.name.replace("K", "1") for tensor in spec.tensors} <= parts(path)[2].keys()
    for tensor in spec.tensors:
        name = tensor.name.replace("K", "1")
        bad = forge(path, tmp_path / "bad", drop=[name])
        if tensor.required:
            refused(lambda: kinds.read(bad), f"has no tensor '{name}'", KINDS[kind].maker)  # noqa: B023
        elif tensor.beside:
            refused(lambda: kinds.read(bad), "has only one of", f"'{name}'", KINDS[kind].maker)  # noqa: B023


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_stamp_must_name_the_items_of_the_axes(tmp_path, kind):
    path, _ = SAMPLES[kind](tmp_path / "good")
    spec = KINDS[kind].of().SPEC
    measured = {axis for tensor in spec.tensors for axis in tensor.axes}
    many = {"runs": list(range(5)), "layers": list(range(5)), "classes": list("abcde")}
    for axis in spec.named:
        for value in (None, [], many[axis.stamped]):
            if value == many[axis.stamped] and axis == CLASS and axis not in measured:
                continue  # groups without an example are no fault
            bad = forge(path, tmp_path / "bad", {axis.stamped: value})
            refused(lambda: kinds.read(bad), f"{bad}: ", KINDS[kind].maker)  # noqa: B023


def test_a_data_set_is_read_again(tmp_path):
    path, data = write_dataset_file(tmp_path / "d")
    found = kinds.read(path)
    assert found.identity == data.identity
    assert found.tensors.keys() == data.tensors.keys()
    for name, array in data.tensors.items():
        np.testing.assert_array_equal(found.tensors[name], array)


def test_weights_are_read_again(tmp_path):
    path, layers = write_weights_file(tmp_path / "w")
    with kinds.read(path, "weights") as weights:
        assert (weights.runs, weights.updates.tolist()) == ((3, 5), [0, 5])
        for at in range(2):
            parameters = weights.parameters(at)
            assert parameters.keys() == layers.keys()
            for name, made in layers.items():
                np.testing.assert_array_equal(parameters[name], made.astype(np.float32))


@pytest.mark.parametrize("layers", [(0, 1), ("conv1", "conv2"), (1, "pooled")])
@pytest.mark.parametrize("half", [False, True])
def test_activations_are_read_again_whatever_their_layers_are_called(tmp_path, layers, half):
    path, hidden = write_activations_file(tmp_path / "a", layers, half)
    assert parts(path)[1]["format"] == (2 if isinstance(layers[1], str) else 1)
    with kinds.read(path, "activations") as found:
        assert (found.layers, found.runs, found.names[3]) == (layers, (3, 5), "3.png")
        for layer, h in hidden.items():
            assert found.width(layer) == h.shape[2]
            kept = h.astype(np.float16) if half else h
            np.testing.assert_array_equal(found.hidden(layer, 1, 1, slice(2, 9)), kept[1, 2:9])
        assert set(found.loss(1, 0)) == {1}
        assert set(found.prediction(1, 0)) == {1}


def test_scores_are_read_again(tmp_path):
    path, (of_runs, known) = write_scores_file(tmp_path / "e")
    found = kinds.read(path, "scores")
    assert (found.runs, found.classes, found.origin) == ((1, 5), [1, 1], "o")
    np.testing.assert_array_equal(found.of_runs, of_runs)
    np.testing.assert_array_equal(found.expansion, np.nanmean(of_runs, axis=0))
    np.testing.assert_array_equal(found.consensus, known["consensus"])
    np.testing.assert_array_equal(found.members, known["own"])
    without, _ = write_scores_file(tmp_path / "f", own=None)
    np.testing.assert_array_equal(kinds.read(without).members, [known["consensus"]] * 2)
    assert kinds.read(write_scores_file(tmp_path / "g", own=None, consensus=None)[0]).members is None


@pytest.mark.parametrize(
    "changed",
    [
        {"summary": None},
        {"summary": {}},
        {"summary": {"change": {"mean": "x"}}},
        {"summary": {**SCORES["summary"], "own": {}}},
        {"combined": None},
        {"combined": SCORES["combined"][:1]},
        {"combined": SCORES["combined"][::-1]},
        {"combined": [{**run, "classes": {}} for run in SCORES["combined"]]},
        {"combined": [{**run, "classes": []} for run in SCORES["combined"]]},
        {"combined": [{**run, "from": "x"} for run in SCORES["combined"]]},
        {"combined": [{**run, "change": None, "own": {}} for run in SCORES["combined"]]},
        {"direction": None},
    ],
    ids=str,
)
def test_scores_whose_stamp_cannot_be_drawn_are_refused(tmp_path, changed):
    path, _ = write_scores_file(tmp_path / "e")
    bad = forge(path, tmp_path / "bad", changed)
    refused(lambda: kinds.read(bad), f"{bad}: ", "strag expansion")


def test_sets_are_read_again(tmp_path):
    path, sets = write_sets_file(tmp_path / "s")
    found = kinds.read(path)
    for name in Sets.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(found.sets, name), getattr(sets, name))


def test_without_any_sets_there_is_nothing_to_train_without(tmp_path):
    _, sets = write_sets_file(tmp_path / "s")
    none = Sets(*(getattr(sets, name)[:0] for name in Sets.__dataclass_fields__))
    write_sets(str(tmp_path / "n"), none, replace(history_of(np.ones((4, 2))), meta={"origin": "o"}), {})
    refused(kinds.read(tmp_path / "n").require_some, "holds no sets", "another moment")


def test_a_history_with_named_layers_is_of_the_next_format(tmp_path):
    data = images()
    meta = stamp("history", **{**NAMED, "layers": ["conv1"]})
    with HistoryWriter(str(tmp_path / "h"), meta, whole(data)) as writer:
        for update in (0, 5):
            writer.add(record(update))
        writer.commit()
    assert parts(tmp_path / "h")[1]["format"] == 2
    assert kinds.read(tmp_path / "h").layers == ("conv1",)
    assert stamp("history", layers=[1])["format"] == 1
    assert stamp("plan")["format"] == 1
    assert NEWEST == 2


@pytest.mark.parametrize("layers", [[""], ["a", "a"], [1, 1], [-1], [1.0], [True], "a", {"a": 1}, [None]])
def test_layers_are_numbers_or_names_each_once(tmp_path, layers):
    bad = forge(history_file(tmp_path / "h"), tmp_path / "bad", {"layers": layers})
    refused(lambda: kinds.read(bad), f"{bad}: its 'layers' cannot be read")


def test_a_layout_follows_from_the_lengths_of_the_axes():
    lengths = {"record": 7, "run": 2, "layer": 1, "class": 3, "example": 9}
    spec = KINDS["history"].of().SPEC
    layout = spec.layout(lengths)
    assert layout["distance"] == (np.dtype("<f4"), (7, 2, 1, 3))
    assert layout["misclassified"] == (np.dtype("u1"), (7, 2, 2))
    assert not {"names", "y_test", "test_error"} & layout.keys()
    tested = {**lengths, "test record": 2, "noise level": 1, "test example": 17}
    given = spec.layout(tested, ["test_updates", "y_test"])
    assert given.keys() - layout.keys() == {"test_updates", "test_error", "test_misclassified", "y_test"}
    assert given["test_misclassified"][1] == (2, 2, 1, 3)
    assert bytes_of(given) - bytes_of(layout) == 2 * 8 + 4 * 4 + 12 + 17 * 8


def test_a_writer_needs_to_know_every_length(tmp_path):
    spec = Spec("sets", (Tensor("a", "I64", (Axis("item", "N"),), "numbers", (RISING,)),))
    with Writer(str(tmp_path / "f"), spec, stamp("sets"), {}, {"item": 3}) as writer:
        writer.put("a", slice(0, 2), [1, 2])
        writer.put("a", slice(2, 3), 9)
        writer.commit()
    assert parts(tmp_path / "f")[2]["a"].tolist() == [1, 2, 9]
    with pytest.raises(KeyError, match="item"):
        Writer(str(tmp_path / "g"), spec, stamp("sets"), {})


def test_a_kind_of_the_future_is_not_read(tmp_path):
    future = forge(history_file(tmp_path / "h"), tmp_path / "f", {"kind": "future"})
    refused(lambda: kinds.read(future), f"{future}: is of the kind 'future'", "upgrade strag")


def test_one_of_several_kinds_is_as_good_as_another(tmp_path):
    path, _ = write_sets_file(tmp_path / "s")
    assert len(kinds.read(path, ("stragglers", "sets")).sets.run) == 3
    refused(lambda: kinds.read(path, ("stragglers", "history")), "is a sets file, not a stragglers file")
