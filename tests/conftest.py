"""Made-up data, and small trainings on it, shared by the tests."""

from dataclasses import replace

import numpy as np
import pytest

from strag.bits import pack
from strag.datasets.dataset import Dataset
from strag.stragglers.history import History


def made_up(P=200, Q=80, shape=(4, 5), classes=4, seed=0, overlap=1.0, **options):
    """A Dataset of Gaussian classes that overlap, so that some examples are hard; one input is constant."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(classes, *shape))

    def draw(n):
        y = random.integers(classes, size=n)
        x = centres[y] + overlap * random.normal(size=(n, *shape))
        x[:, 0, 0] = 0.1
        return x.astype(np.float32), y.astype(np.int64)

    (x, y), (x_test, y_test) = draw(P), draw(Q)
    options = {"labels": "parity", "title": "made-up", "command": "strag data made-up.npz", **options}
    return Dataset(x, y, np.arange(P, dtype=np.int64), x_test, y_test, **options)


@pytest.fixture
def data():
    return made_up()


def with_measures(history, **measures):
    """A History with some of its measures, float [T, R, L, axis], replaced."""
    measures = {name: np.asarray(values, np.float32) for name, values in measures.items()}
    return replace(history, measures={**history.measures, **measures})


def cut_to(history, records):
    """A History without tests of some of the records, a slice."""
    names = ("updates", "train_error", "train_loss", "misclassified")
    measures = {name: values[records] for name, values in history.measures.items()}
    return replace(history, **{name: getattr(history, name)[records] for name in names}, measures=measures)


def history_of(curves, error=None, wrong=None, loss=None, updates=None, recipe=None, P=64):
    """A History of one layer and two classes whose rms radius is `curves`, float [T, R].

    wrong : bool [T, R, P]; by default half of the examples. error and loss : [T] or [T, R].
    """
    T, R = curves.shape
    radius = np.repeat(curves[:, :, None, None], 2, axis=3).astype(np.float32)
    wrong = np.broadcast_to(np.arange(P) % 2 == 0, (T, R, P)) if wrong is None else wrong
    error = np.linspace(0.5, 0.01, T) if error is None else np.asarray(error)
    loss = np.linspace(0.7, 0.1, T) if loss is None else np.asarray(loss)
    spread = [
        np.broadcast_to(v[:, None] if v.ndim == 1 else v, (T, R)).astype(np.float32) for v in (error, loss)
    ]
    return History(
        updates=np.arange(T) if updates is None else np.asarray(updates),
        train_error=spread[0],
        train_loss=spread[1],
        measures={
            "radius": radius,
            "distance": np.ones((T, R, 1, 1), np.float32),
            "mean_norm2": np.ones((T, R, 1, 2), np.float32),
        },
        misclassified=pack(wrong),
        trained=pack(np.ones((R, P), bool)),
        index=np.arange(P),
        y=np.arange(P) % 10,
        group=np.arange(P) % 2,
        layers=(1,),
        classes=("even", "odd"),
        runs=tuple(range(R)),
        meta={
            "recipe": {"optimizer": "sgd", "batch_size": None} if recipe is None else recipe,
            "origin": "o",
        },
    )
