"""Small files of every kind, honest and forged, and what a refusal must look like."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import load, save

from strag.cli import main
from strag.datasets.dataset import Dataset
from strag.errors import StragError
from strag.files.container import TensorWriter
from strag.files.dataset import write_dataset
from strag.files.history import HistoryWriter
from strag.files.stamp import stamp


def images(P=24, Q=5, **options):
    """A Dataset of P images of 2 x 3 pixels, uint8, in four classes grouped by parity."""
    random = np.random.default_rng(0)
    x = random.integers(0, 256, size=(P + Q, 2, 3), dtype=np.uint8)
    y = np.arange(P + Q, dtype=np.int64) % 4
    test = (x[P:], y[P:]) if Q else (None, None)
    options = {"labels": "parity", "title": "images", "command": "strag data images.npz", **options}
    return Dataset(x[:P], y[:P], np.arange(P, dtype=np.int64), *test, **options)


def dataset_file(path, data=None):
    """Write a Dataset, by default `images()`, and return the path as text."""
    write_dataset(str(path), data or images(), {})
    return str(path)


def stragglers_object(data, indices, **changed):
    """What find-stragglers writes about `data`, as far as it is read again; `changed` alters its stamp."""
    fields = {"origin": data.origin, "origin_size": data.origin_size, "command": data.command, **changed}
    return {
        "strag": {**stamp("stragglers"), **fields},
        "verdict": "inversion",
        "summary": {"runs": 2, "train_error_mean": 0.09},
        "indices": indices,
        "examples": {"index": list(indices), "count": [2] * len(indices)},
    }


def stragglers_file(path, data, indices, **changed):
    """Write a stragglers file about `data` and return its path as text."""
    path.write_text(json.dumps(stragglers_object(data, indices, **changed)))
    return str(path)


def history_writer(path, data=None, runs=2, updates=tuple(range(12)), tests=(0, 8), **changed):
    """A HistoryWriter for `runs` runs of one layer on `data`; `changed` alters its stamp."""
    data = data or images()
    meta = stamp(
        "history",
        runs=list(range(runs)),
        layers=[1],
        classes=list(data.grouping.names),
        origin=data.origin,
        origin_size=data.origin_size,
        title=data.title,
        command=data.command,
        recipe={"optimizer": "sgd", "lr": 0.1},
    )
    whole = {"updates": updates, "index": data.index, "y": data.y, "group": data.groups, **data.named}
    whole["trained"] = np.packbits(np.ones((runs, len(data.y)), bool), axis=1, bitorder="little")
    whole |= {"test_updates": tests, "y_test": np.arange(5) % 4} if len(tests) else {}
    return HistoryWriter(str(path), {**meta, **changed}, whole, 1)


def record(update, runs=slice(0, 2), P=24, tested=True):
    """A made-up Record whose radius has a valley at update 6 and whose values name run and update."""
    numbers = np.arange(runs.start, runs.stop)
    R = numbers.size
    value = (update + numbers / 16).astype(np.float32)
    return SimpleNamespace(
        ended=None,
        runs=runs,
        update=update,
        train_error=0.5 / (1 + value),
        train_loss=1 / (1 + value),
        measures={
            "radius": np.broadcast_to(1 + (value - 6)[:, None, None] ** 2, (R, 1, 2)),
            "distance": np.broadcast_to(value[:, None, None], (R, 1, 1)),
            "mean_norm2": np.ones((R, 1, 2)),
        },
        misclassified=np.arange(P) % 12 >= np.minimum(update, 11) - numbers[:, None],
        test_error=value[:, None] / 100 if tested else None,
        test_misclassified=np.ones((R, 1, 5), bool) if tested else None,
    )


def history_file(path, updates=tuple(range(12)), **changed):
    """Write a whole history and return its path as text."""
    with history_writer(path, updates=updates, **changed) as writer:
        for update in updates:
            writer.add(record(update))
        writer.commit()
    return str(path)


def write_tensors(path, meta, tensors):
    """Write a container that belongs to no kind; `tensors` is a dict of name to numpy array."""
    layout = {name: (np.asarray(tensor).dtype, np.shape(tensor)) for name, tensor in tensors.items()}
    with TensorWriter(str(path), meta, layout) as writer:
        for name, tensor in tensors.items():
            writer.arrays[name][...] = tensor
        writer.commit()


def parts(path):
    """Header (dict), stamp (dict) and tensors of a container, read without strag."""
    with open(path, "rb") as stream:
        content = stream.read()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return header, json.loads(header["__metadata__"]["strag"]), load(content)


def forge(source, target, meta=None, drop=(), **tensors):
    """Copy a container with other tensors, or without some, and another stamp; return the path as text."""
    _, found, held = parts(source)
    held = {name: array for name, array in {**held, **tensors}.items() if name not in drop}
    text = json.dumps({**found, **(meta or {})})
    with open(target, "wb") as stream:
        stream.write(save({name: np.ascontiguousarray(a) for name, a in held.items()}, {"strag": text}))
    return str(target)


def refused(call, *words, status=1):
    """Assert that `call()` raises a StragError of one line with a cure, which holds all `words`."""
    with pytest.raises(StragError) as caught:
        call()
    text = str(caught.value)
    assert caught.value.remedy, f"no cure: {text}"
    assert "\n" not in text
    assert caught.value.status == status, text
    for word in words:
        assert str(word) in text, (word, text)
    return text


def complaint(capsys, status, words, *arguments):
    """Run strag here; assert that it leaves with `status` and one line on stderr that holds all `words`."""
    capsys.readouterr()
    found = main([str(argument) for argument in arguments])
    out, text = capsys.readouterr()
    assert found == status, text
    assert text.startswith("strag: ")
    assert text.count("\n") == 1
    assert text.endswith("\n")
    for word in [words] if isinstance(words, str) else words:
        assert word in text, (word, text)
    assert out == ""
    return text
