"""Activations of other programs: the same numbers as a dump of strag, whatever the format and the order."""

import json
import subprocess
import sys
import zipfile
from itertools import pairwise

import numpy as np
import pytest
from safetensors.numpy import save as safetensors_bytes

import strag
from strag.bits import pack
from strag.cli import main
from strag.files.activations import ActivationsWriter
from strag.files.foreign_files import open_parts
from strag.files.stamp import stamp
from strag.training.activations import Tile
from tests.shell import shell

pytestmark = pytest.mark.filterwarnings("ignore::strag.errors.StragNote")
P, C = 90, 4


@pytest.fixture(scope="module")
def arrays():
    random = np.random.default_rng(0)
    labels = np.concatenate([np.arange(C), random.integers(C, size=P - C)])
    h = random.normal(size=(P, 3, 5)) + labels[:, None, None]
    return {
        "labels": labels,
        "conv": h.astype(np.float32),
        "fc": random.normal(size=(P, 7)).astype(np.float32),
        "logits": (3 * random.normal(size=(P, C))).astype(np.float32),
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def dumped(arrays, path="dump"):
    """The same arrays as strag writes them."""
    layers = {name: arrays[name].reshape(P, -1) for name in ("conv", "fc")}
    z, group = arrays["logits"].astype(float), arrays["labels"]
    loss = np.log(np.exp(z).sum(axis=1)) - z[np.arange(P), group]
    names = {"runs": [0], "layers": list(layers), "classes": [*map(str, range(C))], "origin": "x"}
    whole = {"updates": np.zeros(1, int), "index": np.arange(P), "y": group, "group": group}
    whole["trained"] = pack(np.ones((1, P), bool))
    widths = {name: h.shape[1] for name, h in layers.items()}
    meta = stamp("activations", recipe={"activation": "relu", "precision": "float32"}, **names)
    with ActivationsWriter(str(path), meta, whole, widths) as writer:
        hidden = {name: h[None].astype(np.float32) for name, h in layers.items()}
        prediction = z.argmax(axis=1)[None].astype(np.int32)
        writer.add(0, Tile(slice(0, 1), slice(0, P), hidden, prediction, loss[None].astype(np.float32)))
        writer.commit()


def records(*things, **options):
    return strag.measure(*things, **options)["records"]


def assert_same(found, expected, atol=1e-12):
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        for name in ("radius", "distance", "radius_rms", "separation"):
            np.testing.assert_allclose(one[name], other[name], atol=atol, err_msg=name)
        assert one["class_sizes"] == other["class_sizes"]


def write(arrays, form):
    """The arrays in a file of this form; its path."""
    if form == "npz":
        np.savez("a.npz", **arrays)
    elif form == "compressed":
        np.savez_compressed("a.npz", **arrays)
    elif form == "fortran":
        np.savez("a.npz", **{name: np.asfortranarray(array) for name, array in arrays.items()})
    elif form == "fortran compressed":
        np.savez_compressed("a.npz", **{name: np.asfortranarray(array) for name, array in arrays.items()})
    elif form == "big endian":
        np.savez("a.npz", **{n: a.astype(a.dtype.newbyteorder(">")) for n, a in arrays.items()})
    else:
        with open("a.safetensors", "wb") as file:
            file.write(safetensors_bytes(arrays))
        return "a.safetensors"
    return "a.npz"


FORMS = ("npz", "compressed", "fortran", "fortran compressed", "big endian", "safetensors")


@pytest.mark.parametrize("form", FORMS)
def test_any_form_is_a_dump_of_the_same_arrays(arrays, folder, form):
    dumped(arrays)
    assert main(["geometry", "dump", "-q", "-o", "g.json"]) == 0
    expected = json.loads((folder / "g.json").read_text())["records"]
    found = records(write(arrays, form))
    assert sorted(record["layer"] for record in found) == ["conv", "fc"]
    found.sort(key=lambda record: record["layer"])
    assert_same(found, expected)
    for one, other in zip(found, expected, strict=True):
        assert one["error"] == pytest.approx(other["train_error"], abs=1e-12)
        assert one["loss"] == pytest.approx(other["train_loss"], abs=1e-6)
        assert {"train_error", "test_error"}.isdisjoint(one)


def test_arrays_in_memory_are_those_of_the_file(arrays, folder):
    path = write(arrays, "npz")
    expected = records(path)
    assert records(arrays) == expected
    assert strag.measure(path, output="g.json") == strag.read("g.json") == strag.measure(path)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["npz", "compressed", "safetensors"])
def test_files_come_through_pipes(arrays, folder, form):
    path = write(arrays, form)
    result = shell(f"cat {path} | strag geometry -q", folder)
    assert (json.loads(result.stdout)["records"], result.stderr) == (records(path), b"")


@pytest.mark.parametrize("name", ["labels", "y"])
def test_labels_among_other_arrays_are_those_that_are_called_so(arrays, folder, name):
    others = {"predictions": arrays["labels"][::-1], "ids": np.arange(len(arrays["labels"]))}
    np.savez("all.npz", **others, **{name: arrays["labels"]})
    np.save("only.npy", arrays["labels"])
    np.save("fc.npy", arrays["fc"])
    assert records("fc.npy", labels="all.npz") == records("fc.npy", labels="only.npy")
    np.savez("both.npz", labels=arrays["labels"], y=arrays["labels"])
    with pytest.raises(strag.StragError, match=r"both\.npz: holds 2 arrays \(labels, y\)"):
        records("fc.npy", labels="both.npz")


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("name", ["y.npy", "y.txt"])
def test_an_npy_file_is_one_layer_with_labels_of_another_file(arrays, folder, capfd, order, name):
    np.save("conv.npy", np.array(arrays["conv"], order=order))
    np.save("y.npy", arrays["labels"])
    (folder / "y.txt").write_text("".join(f"{label}\n" for label in arrays["labels"]))
    found = records("conv.npy", labels=name)
    assert_same(found, records({"labels": arrays["labels"], "conv": arrays["conv"]}))
    assert found[0]["layer"] == "conv"
    assert found[0]["error"] is None
    assert main(["geometry", "conv.npy", "--labels", name]) == 0
    answer = capfd.readouterr()
    assert json.loads(answer.out)["records"] == found
    assert "conv.npy: holds no predictions or logits, so that the error is not known" in answer.err


def test_bfloat16_is_exact(arrays, folder):
    upper = arrays["fc"].view(np.uint32) >> 16
    header = {
        "fc": {"dtype": "BF16", "shape": [P, 7], "data_offsets": [0, P * 14]},
        "y": {"dtype": "I64", "shape": [P], "data_offsets": [P * 14, P * 22]},
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    body = upper.astype("<u2").tobytes() + arrays["labels"].astype("<i8").tobytes()
    (folder / "b.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + body)
    cut = (upper << 16).view(np.float32)
    assert records("b.safetensors") == records({"y": arrays["labels"], "fc": cut})


def test_half_precision_beyond_its_largest_square(arrays):
    half = (6e4 * arrays["fc"] / np.abs(arrays["fc"]).max(axis=1, keepdims=True)).astype(np.float16)
    assert (np.square(half.astype(float)).sum(axis=1) > 65504).all()
    found = records({"y": arrays["labels"], "fc": half})
    assert_same(found, records({"y": arrays["labels"], "fc": half.astype(np.float64)}))


@pytest.mark.parametrize("ids", [False, True])
def test_several_files_in_any_order_are_the_whole(arrays, folder, ids):
    more = {"ids": np.array([f"n{at}" for at in range(P)])} if ids else {}
    whole, cut = records({**arrays, **more}), [0, 31, 50, P]
    for number, (start, stop) in enumerate(pairwise(cut)):
        np.savez(f"{number}.npz", **{n: a[start:stop] for n, a in {**arrays, **more}.items()})
    for order in ("012", "201"):
        found = records(*(f"{number}.npz" for number in order))
        assert_same(found, whole, atol=1e-9)
        assert found[0]["error"] == pytest.approx(whole[0]["error"])


def test_updates_are_the_first_axis(arrays, folder):
    late = {name: array[::-1].copy() for name, array in arrays.items() if name != "labels"}
    both = {name: np.stack([arrays[name], late[name]]) for name in late}
    for save, order in ((np.savez, "C"), (np.savez_compressed, "C"), (np.savez, "F")):
        stacked = {name: np.array(array, order=order) for name, array in both.items()}
        save("t.npz", labels=arrays["labels"], updates=[3, 8], **stacked)
        found = records("t.npz")
        assert [record["update"] for record in found] == [3, 3, 8, 8]
        assert_same(found[:2], records(arrays))
        assert_same(found[2:], records({"labels": arrays["labels"], **late}))
        assert found[2]["error"] == records({"labels": arrays["labels"], **late})[0]["error"]
    ids = np.arange(P)
    for update, layers in ((8, late), (3, arrays)):
        layers = {name: layers[name][None] for name in late}
        np.savez(f"{update}.npz", labels=arrays["labels"], ids=ids, updates=[update], **layers)
    assert_same(records("8.npz", "3.npz"), found)


def test_text_labels_and_predictions(arrays):
    names = np.array(["eel", "cat", "dog", "ant"])
    text = {"y": names[arrays["labels"]], "fc": arrays["fc"]}
    text["predictions"] = names[arrays["logits"].argmax(axis=1)]
    found, expected = records(text)[0], records(arrays)[1]
    assert strag.measure(text)["classes"] == ["ant", "cat", "dog", "eel"]
    np.testing.assert_allclose(np.array(found["radius"])[[3, 1, 2, 0]], expected["radius"], atol=1e-12)
    assert found["error"] == pytest.approx(expected["error"])
    assert found["loss"] is None
    text["predictions"][:] = "elk"
    assert records(text)[0]["error"] == 1


def test_what_is_not_finite_and_what_is_zero(arrays):
    h = arrays["fc"].copy()
    h[np.flatnonzero(arrays["labels"] == 2)[:2], [0, 3]] = np.nan, np.inf
    h[arrays["labels"] == 1] = 0
    with pytest.warns(strag.errors.StragWarning, match="2 examples of class 2 in layer fc are not finite"):
        found = records({"y": arrays["labels"], "fc": h})[0]
    assert [radius is None for radius in found["radius"]] == [False, False, True, False]
    assert found["radius"][1] == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels": None}, "holds no labels; add an array 'labels', or pass"),
        ({"y": np.zeros(P, int)}, "holds 'labels' and 'y'; keep only one"),
        ({"labels": np.ones(P, int)}, "holds 1 class, not 2 to 4096"),
        ({"labels": np.arange(P) / 7}, "is not a whole number"),
        ({"labels": np.arange(P - 1) % C}, "layer 'conv' has shape [90, 3, 5], but there are 89 labels"),
        ({"labels": np.zeros(0, int)}, "holds no examples"),
        ({"labels": np.int64(3)}, "has a single label"),
        ({"labels": np.array([{}] * P)}, "array 'labels' holds Python objects"),
        ({"fc": np.ones((P - 3, 7))}, "layer 'fc' has shape [87, 7], but there are 90 labels; save one row"),
        ({"fc": np.ones((P, 0))}, "layer 'fc' has no units"),
        ({"logits": np.ones((P, 2))}, "has class 3, but its logits have 2 columns"),
        ({"logits": np.ones(P)}, "'logits' have shape [90], not [90, classes]"),
        ({"predictions": np.ones((P, 4))}, "'predictions' have shape [90, 4], not [90]"),
        ({"predictions": np.array(["a"] * P)}, "different forms, text and numbers"),
        ({"ids": np.zeros(P, int)}, "'ids' repeat an example"),
        ({"ids": np.zeros(P)}, "'ids' are float64; use whole numbers, or text, in all files"),
        ({"updates": [3, 3]}, "'updates' are not whole numbers that strictly increase"),
        ({"updates": [3, 4]}, "layer 'conv' has shape [90, 3, 5], but there are 90 labels at 2 updates"),
        ({"conv": None, "fc": None}, "holds no layer, which is an array of floats with one row per example"),
        ({"conv": None, "fc": np.ones((P, 2), complex)}, "(fc is complex128, not floating-point numbers)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else None,
)
def test_arrays_that_do_not_fit_are_one_line(arrays, folder, capsys, change, words):
    kept = {name: array for name, array in {**arrays, **change}.items() if array is not None}
    np.savez("a.npz", allow_pickle=True, **kept)
    assert main(["geometry", "a.npz"]) in (1, 2)
    error = capsys.readouterr().err
    assert error.startswith("strag: a.npz: ")
    assert words in error
    assert error.count("\n") == 1


def test_files_that_do_not_fit_are_one_line(arrays, folder, capsys):
    np.savez("a.npz", **arrays)
    np.savez("ids.npz", ids=np.arange(P), **arrays)
    np.savez("fc.npz", labels=arrays["labels"], fc=arrays["fc"])
    np.save("fc.npy", arrays["fc"])
    np.save("y.npy", arrays["labels"])
    np.save("short.npy", arrays["labels"][1:])
    np.save("half.npy", np.full(P, 0.5))
    np.savez("times.npz", labels=arrays["labels"], fc=arrays["fc"], updates=[1, 2])
    np.save("objects.npy", np.array([{}]), allow_pickle=True)
    np.save("raw.npy", np.zeros(P, "V2"))
    for name in ("a.npz", "fc.npy"):
        (folder / f"cut.{name}").write_bytes((folder / name).read_bytes()[:-20])
    with zipfile.ZipFile("text.npz", "w") as archive:
        archive.writestr("labels.npy", b"no array")
    dumped(arrays)
    write(arrays, "safetensors")
    (folder / "cut.safetensors").write_bytes((folder / "a.safetensors").read_bytes()[:-9])
    (folder / "three.txt").write_text("1\n2\n3\n")
    (folder / "bytes.txt").write_bytes(b"\xff\xfe")
    for arguments, words in (
        ("nothere.npz", "nothere.npz: no such file"),
        ("a.npz ids.npz", "a.npz: holds no ids, but other files do"),
        ("ids.npz ids.npz", "ids.npz: repeats examples of another dump at update 0"),
        ("a.npz fc.npz", "fc.npz: has layers fc, but a.npz has layers conv, fc"),
        ("a.npz dump", "a.npz: holds arrays of another program, but dump is a dump of strag"),
        ("a.npz --labels y.npy", "a.npz: holds 'labels', but --labels are given too"),
        ("fc.npy --labels y.npy --labels y.npy", "--labels has 2 files of labels for 1 file"),
        ("fc.npy --labels short.npy", "fc.npy: layer 'fc' has shape [90, 7], but there are 89 labels"),
        ("fc.npy --labels three.txt", "fc.npy: layer 'fc' has shape [90, 7], but there are 3 labels"),
        ("fc.npy --labels half.npy", "half.npy: label 0.5 in row 0 of 'y' is not a whole number"),
        ("fc.npy --labels bytes.txt", "bytes.txt: is not text in UTF-8"),
        ("fc.npy --labels nothere.npy", "nothere.npy: "),
        ("fc.npy", "fc.npy: holds no labels"),
        ("dump --labels y.npy", "--labels have no effect, because a dump holds them"),
        ("objects.npy --labels y.npy", "objects.npy: holds Python objects"),
        ("raw.npy --labels y.npy", "raw.npy: holds |V2, not plain numbers"),
        (
            "times.npz",
            "times.npz: holds no layer, which is an array of floats with one row per example at each of 2",
        ),
        ("cut.a.npz", "cut.a.npz: cannot be read"),
        ("cut.fc.npy --labels y.npy", "cut.fc.npy: is cut short"),
        ("cut.safetensors", "cut.safetensors: is cut short"),
        ("text.npz", "text.npz: array 'labels' cannot be read"),
        ("a.npz -o h.safetensors", "a.npz: holds arrays of another program, which make no history"),
    ):
        assert main(["geometry", "-q", *arguments.split()]) in (1, 2), arguments
        error = capsys.readouterr().err
        assert words in error, error
        assert error.count("\n") == 1


def test_what_is_left_out_is_reported(arrays, folder, capfd):
    np.savez("a.npz", **arrays, steps=np.arange(P), scale=np.ones(P), text=np.array(["x"]), meta=np.array({}))
    assert main(["geometry", "a.npz"]) == 0
    answer = capfd.readouterr()
    for words in (
        "left out steps, which is int64, not floating-point numbers",
        "left out scale, which has shape [90], without an axis of units",
        "left out text, which is <U1",
        "left out meta, which holds Python objects",
    ):
        assert words in answer.err
    assert json.loads(answer.out)["records"] == records(arrays)


def test_measures_of_foreign_activations(arrays):
    found = records(arrays, measures=["ncm", "nc4"])
    assert all(0 <= share <= 1 for share in (*found[0]["ncm"], *found[0]["nc4"]))
    silent = {name: array for name, array in arrays.items() if name != "logits"}
    with pytest.raises(strag.StragError, match="cannot measure nc4: the activations are without predictions"):
        strag.measure(silent, measures="nc4")
    assert "nc4" not in strag.measure(silent, measures="all")["strag"]["measures"]


def test_rows_of_stored_arrays_are_those_of_numpy(arrays, folder):
    """Also in Fortran order with several axes, where rows are read in pieces."""
    values = np.random.default_rng(1).normal(size=(2, P, 3, 4))
    for order in "CF":
        np.savez("a.npz", y=arrays["labels"], updates=[0, 1], h=np.array(values, order=order))
        (part,) = open_parts(["a.npz"])
        with part:
            for update in (0, 1):
                for rows in (slice(0, P), slice(7, 9), slice(80, 200)):
                    expected = values[update, rows].reshape(-1, 12)
                    np.testing.assert_array_equal(part.hidden("h", update, 0, rows), expected)


def test_open_dumps_and_files_are_not_measured_together():
    with pytest.raises(strag.StragError, match="pass Activations, or only files"):
        strag.measure(*[strag_activations(), "a.npz"])


def strag_activations():
    """Something of the class that `strag.read` returns for a dump."""
    from strag.files.activations import Activations

    activations = Activations.__new__(Activations)
    activations.source = "dump"
    return activations


PEAK = """
import sys
import strag
from strag.api.room import taken_so_far
strag.measure(sys.argv[1], labels=sys.argv[2] if len(sys.argv) > 2 else None)
print(taken_so_far())
"""


def peak_of(*paths):
    """The peak of memory, in MiB, of a process that measures a file."""
    command = [sys.executable, "-W", "ignore", "-c", PEAK, *paths]
    return int(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout) / 2**20


@pytest.mark.slow
@pytest.mark.parametrize("form", ["npy", "fortran", "npz", "compressed"])
def test_memory_does_not_grow_with_the_file(folder, form):
    """Ten times the examples, 400 MB: the same memory, but for the labels and bits of each example."""
    peaks = []
    for rows in (10_000, 100_000):
        h, y = (
            np.zeros((rows, 1024), np.float32, order="F" if form == "fortran" else "C"),
            np.arange(rows) % 9,
        )
        h[:, 0] = 1
        if form in ("npy", "fortran"):
            np.save("h.npy", h)
            np.save("y.npy", y)
            peaks.append(peak_of("h.npy", "y.npy"))
        else:
            (np.savez if form == "npz" else np.savez_compressed)("h.npz", y=y, h=h)
            peaks.append(peak_of("h.npz"))
    assert peaks[1] < peaks[0] + 40
    assert peaks[1] < 1024


def test_arrays_of_any_library_are_read_from_memory(arrays):
    import torch

    plain = strag.measure({"fc": arrays["fc"], "labels": arrays["labels"]})
    for form in (lambda x: torch.tensor(x, requires_grad=x.dtype.kind == "f"), np.ndarray.tolist):
        given = {"fc": form(arrays["fc"]), "labels": form(arrays["labels"])}
        assert strag.measure(given)["records"] == plain["records"]
    half = torch.tensor(arrays["fc"]).bfloat16()
    of_half = [strag.measure({"fc": h, "labels": arrays["labels"]}) for h in (half, half.float())]
    assert of_half[0]["records"] == of_half[1]["records"]
    with pytest.raises(strag.StragError, match="cannot read `fc` as an array"):
        strag.measure({"fc": [[1.0, 2.0], [3.0]], "labels": [0, 1]})


def test_an_example_with_another_label_in_another_file_is_refused(arrays):
    parts = [{"fc": arrays["fc"][None], "ids": np.arange(P), "updates": np.array([t])} for t in (0, 1)]
    parts[0]["labels"], parts[1]["labels"] = arrays["labels"], arrays["labels"].copy()
    assert len(strag.measure(*parts)["records"]) == 2
    parts[1]["labels"][7] = (arrays["labels"][7] + 1) % C
    with pytest.raises(strag.StragError, match="of the example with index 7"):
        strag.measure(*parts)


def test_logits_that_are_not_finite_predict_no_class(arrays):
    logits = arrays["logits"].copy()
    logits[arrays["labels"] == 0] = np.nan  # whose argmax is 0, and so the label
    record = strag.measure({**arrays, "logits": logits}, measures="nc4")["records"][0]
    wrong = (logits.argmax(axis=1) != arrays["labels"]) | (arrays["labels"] == 0)
    assert record["error"] == pytest.approx(wrong.mean())
    assert record["nc4"][0] == 1
