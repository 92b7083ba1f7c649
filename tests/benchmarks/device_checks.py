"""What must hold on a device: short trainings, compared with those on the processor.

Every check takes (device, data), a torch device and a Dataset of few images. It returns a sentence about
what it found, and raises AssertionError if the check fails.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

REPO = Path(__file__).parents[2]
UPDATES = 12
FIRST = 4  # updates after which the misclassified examples are the same but for those at the boundary
MOVED = 2  # examples of a run at the boundary
CLOSE = 2e-3  # largest relative difference of a loss or a radius that is rounding
FACTORY = f"{REPO / 'examples' / 'networks' / 'networks.py'}:residual"
MODELS = {
    "perceptron": {},
    "perceptron of depth 3, mini-batches of each run, Adam": {
        "depth": 3,
        "activation": "gelu",
        "optimizer": "adam",
        "lr": 0.003,
        "batch_size": 200,
        "own_order": True,
        "record_every": "1",
    },
    "cnn": {"model": "cnn", "layers": "all"},
    "cnn, mini-batches, momentum": {
        "model": "cnn",
        "activation": "relu",
        "batch_size": 200,
        "momentum": 0.9,
        "record_every": "1",
        "lr": 0.02,
        "layers": "conv2,conv2:mean",
    },
    "residual network of a file": {"model": FACTORY, "layers": "act,block1.act:mean"},
}


@dataclass
class Series:
    """What a training recorded, at T records and U tests with S levels of noise.

    loss, error : [T, R]. radius : [T, R, L, C]. wrong : bool [T, R, P]. test_error : [U, R, S].
    """

    loss: np.ndarray
    error: np.ndarray
    radius: np.ndarray
    wrong: np.ndarray
    test_error: np.ndarray


def recipe_of(data, **options):
    """The Recipe of a short training of two or more runs on a Dataset."""
    from strag.api.job import ends_of
    from strag.api.model import model
    from strag.training.recipe import Recipe

    rows = len(data.y)
    batches = -(-rows // options["batch_size"]) if "batch_size" in options else 1
    options = {"runs": 2, "epochs": -(-UPDATES // batches), "noise": (0.0, 0.5), **options}
    return Recipe.of(**{**options, "model": model(options.get("model", "mlp"))}).on(ends_of(data))


def series(events):
    """The Series of the Records among the events of a training."""
    from strag.training.records import Record

    by_update = {}
    for event in events:
        if isinstance(event, Record):
            by_update.setdefault(event.update, {})[event.runs.start] = event
    tables = {name: [] for name in ("loss", "error", "radius", "wrong", "test_error")}
    for _, records in sorted(by_update.items()):
        parts = [record for _, record in sorted(records.items())]
        for name, of in (("loss", "train_loss"), ("error", "train_error"), ("wrong", "misclassified")):
            tables[name].append(np.concatenate([getattr(part, of) for part in parts]))
        tables["radius"].append(np.concatenate([part.measures["radius"] for part in parts]))
        if parts[0].test_error is not None:
            tables["test_error"].append(np.concatenate([part.test_error for part in parts]))
    return Series(**{name: np.array(values) for name, values in tables.items()})


def require_same(ours, theirs, what):
    """Fail unless two Series are equal to rounding. Returns the largest relative difference of the losses."""
    assert ours.wrong.shape == theirs.wrong.shape, f"{what}: {ours.wrong.shape}, {theirs.wrong.shape}"
    moved = (ours.wrong != theirs.wrong).sum(axis=-1)
    assert moved[:FIRST].max() <= MOVED, f"{what}: {moved[:FIRST].max()} examples differ in the first updates"
    shares = np.abs(ours.error - theirs.error).max()
    assert shares <= 0.02, f"{what}: the errors differ by {shares}"
    np.testing.assert_allclose(ours.loss, theirs.loss, rtol=CLOSE, err_msg=f"{what}: loss")
    np.testing.assert_allclose(ours.radius, theirs.radius, rtol=CLOSE, err_msg=f"{what}: radius")
    np.testing.assert_allclose(ours.test_error, theirs.test_error, atol=0.02, err_msg=f"{what}: test error")
    return float((np.abs(ours.loss - theirs.loss) / theirs.loss).max())


def same_as_the_processor(device, data):
    """Losses, errors, radii and the first misclassified examples are those of the processor."""
    from strag.training.loop import train
    from strag.training.prepare import prepare

    worst = {}
    for name, options in MODELS.items():
        recipe = recipe_of(data, **options)
        task, _, _ = prepare(recipe, data)
        found = [series(train(recipe, task, device=where)) for where in (device, "cpu")]
        worst[name] = require_same(*found, name)
    return "largest relative differences of the loss: " + ", ".join(f"{k} {v:.0e}" for k, v in worst.items())


def resumes(device, data):
    """A training that is stopped and goes on from its Checkpoint is the whole training."""
    from strag.training.loop import train
    from strag.training.prepare import prepare
    from strag.training.records import STOP, Checkpoint

    for name in ("perceptron of depth 3, mini-batches of each run, Adam", "cnn, mini-batches, momentum"):
        recipe = recipe_of(data, **{**MODELS[name], "runs": 1})
        task, _, _ = prepare(recipe, data)
        whole = series(train(recipe, task, device=device))
        calls = iter([None] * (UPDATES // 2) + [STOP])
        begun = list(train(recipe, task, device=device, due=lambda: next(calls)))  # noqa: B023
        checkpoints = [event for event in begun if isinstance(event, Checkpoint)]
        assert [checkpoint.update for checkpoint in checkpoints] == [UPDATES // 2], name
        rest = list(train(recipe, task, device=device, begun=checkpoints))
        require_same(series([*begun, *rest]), whole, f"{name}, resumed")
    return f"stopped after {UPDATES // 2} updates"


def workers_agree(device, data):
    """Workers, on all cards or two on one card, train what one process trains."""
    from strag.api.crew import Crew
    from strag.api.workers import train_by
    from strag.training.device import accelerators
    from strag.training.loop import train
    from strag.training.prepare import prepare

    cards = accelerators(device) or [device]
    devices = tuple(cards if len(cards) > 1 else cards * 2)
    recipe = recipe_of(data, **{**MODELS["cnn"], "runs": 2 * len(devices)})
    task, _, _ = prepare(recipe, data)
    require_same(
        series(train_by(Crew(devices, 1), recipe, task)),
        series(train(recipe, task, device=device)),
        "workers",
    )
    return f"workers on {', '.join(devices)}"


def commands_run(device, data):
    """`strag train --plan`, `train --weights` and `dump` run on the device."""
    from strag.files.dataset import write_dataset

    with tempfile.TemporaryDirectory() as folder:
        write_dataset(str(Path(folder) / "d"), data, {})
        options = ["--model", "cnn", "--runs", "2", "--epochs", "5", "--device", device]
        cost = json.loads(_strag(folder, "train", "d", *options, "--plan"))
        assert cost["network_updates"] == 10
        assert cost["seconds"] > 0
        _strag(folder, "train", "d", *options, "-o", "h", "--weights", "w", "-q")
        for name, where in (("a", device), ("b", "cpu")):
            _strag(folder, "dump", "w", "d", "--layers", "conv2", "--device", where, "-o", name, "-q")
        geometries = [json.loads(_strag(folder, "geometry", name)) for name in ("a", "b")]
        ours, theirs = ([row["radius"] for row in value["records"]] for value in geometries)
        np.testing.assert_allclose(ours, theirs, rtol=CLOSE)
    return f"forecast of 10 network-updates: {cost['seconds']:.2g} s"


def _strag(folder, *arguments):
    """What a command writes to stdout."""
    start = f"import sys; sys.path.insert(0, {str(REPO)!r}); from strag.cli import main; "
    command = [sys.executable, "-c", start + "sys.exit(main(sys.argv[1:]))", *arguments]
    result = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=200)
    assert result.returncode == 0, f"strag {' '.join(arguments)}: {result.stderr.decode()[-500:]}"
    return result.stdout


CHECKS = {
    "results are those of the processor": same_as_the_processor,
    "a stopped training resumes": resumes,
    "workers": workers_agree,
    "commands": commands_run,
}
