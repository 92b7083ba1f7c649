"""A perceptron that a loop of one's own trains and pushes has the history of `strag train`."""

import numpy as np
import pytest

import strag
from tests.conftest import made_up

UPDATES = [0, 1, 2, 3, 5, 8, 12, 20]


def forward(parameters, x):
    """The activations and logits of a perceptron with one hidden layer, from its weights."""
    h = np.tanh(x @ parameters["layer1.weight"].T + parameters["layer1.bias"])
    return h, h @ parameters["layer2.weight"].T + parameters["layer2.bias"]


def step(parameters, x, labels, lr):
    """One update of full-batch gradient descent on the mean cross-entropy."""
    h, z = forward(parameters, x)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    slope = (p / p.sum(axis=1, keepdims=True) - np.eye(2, dtype=x.dtype)[labels]) / len(x)
    back = slope @ parameters["layer2.weight"] * (1 - h**2)
    gradients = {
        "layer1.weight": back.T @ x,
        "layer1.bias": back.sum(axis=0),
        "layer2.weight": slope.T @ h,
        "layer2.bias": slope.sum(axis=0),
    }
    return {name: values - lr * gradients[name] for name, values in parameters.items()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A data set, its standardised inputs, the history of a training, and its weights at each update."""
    folder = tmp_path_factory.mktemp("train")
    data = made_up(P=300, Q=20, overlap=2.0)
    options = {"runs": 2, "epochs": 20, "width": 6, "lr": 0.4, "weights_at": ",".join(map(str, UPDATES))}
    history = strag.train(data, **options, output=folder / "h", weights=folder / "w", device="cpu")
    mean, std = data.standardisation()
    x = np.where(std > 0, (data.x.reshape(300, -1) - mean) / np.where(std > 0, std, 1), 0)
    with strag.read(folder / "w") as weights:
        states = [weights.parameters(at) for at in range(len(UPDATES))]
    return data, x.astype(np.float32), history, states


def compare(recorder, history, run, path, atol):
    recorded = strag.read(recorder.save(path))
    records = np.searchsorted(history.updates, UPDATES)
    np.testing.assert_array_equal(recorded.misclassified[:, 0], history.misclassified[records, run])
    np.testing.assert_array_equal(recorded.train_error[:, 0], history.train_error[records, run])
    np.testing.assert_allclose(recorded.train_loss[:, 0], history.train_loss[records, run], rtol=1e-5)
    for name, values in recorded.measures.items():
        np.testing.assert_allclose(values[:, 0], history.measures[name][records, run], atol=atol)
    assert recorded.meta["origin"] == history.meta["origin"]
    assert recorded.classes == history.classes
    for name in ("index", "y", "group"):
        np.testing.assert_array_equal(getattr(recorded, name), getattr(history, name))


@pytest.mark.parametrize("run", [0, 1])
def test_the_outputs_of_its_networks_make_its_history(tmp_path, trained, run):
    data, x, history, states = trained
    recorder = strag.Recorder(origin=data)
    for update, state in zip(UPDATES, states, strict=True):
        h, z = forward({name: values[run] for name, values in state.items()}, x)
        for rows in (slice(200, 300), slice(0, 200)):
            recorder.update(data.index[rows], z[rows], data.groups[rows], {"hidden": h[rows]})
        recorder.record(update)
    compare(recorder, history, run, tmp_path / "h", 1e-6)


def test_a_loop_of_numpy_makes_its_history(tmp_path, trained):
    data, x, history, states = trained
    parameters = {name: values[0].astype(np.float64) for name, values in states[0].items()}
    recorder = strag.Recorder(origin=data)
    for update in range(UPDATES[-1] + 1):
        if update in UPDATES:
            h, z = forward(parameters, x)
            recorder.update(data.index, z, data.groups, {"hidden": h})
            recorder.record(update)
        parameters = step(parameters, x.astype(np.float64), data.groups, 0.4)
    compare(recorder, history, 0, tmp_path / "h", 1e-6)
