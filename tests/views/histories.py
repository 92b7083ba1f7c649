"""Histories made of curves, for pictures."""

from dataclasses import replace

import numpy as np

from strag.bits import unpack
from strag.files.history import HistoryWriter
from strag.files.stamp import stamp
from strag.geometry.measures import STANDARD
from strag.training.records import Record
from tests.conftest import history_of, with_measures

T = 101
CURVES = (*(measure.name for measure in STANDARD), "error")  # of these histories
RECIPE = {"depth": 2, "width": 20, "activation": "tanh", "optimizer": "sgd", "lr": 0.2, "batch_size": None}


def valley(at=20, depth=0.1):
    """A curve [T] that falls until update `at` and rises again."""
    return 0.8 + depth * np.square(np.log((np.arange(T) + 1) / (at + 1)))


def falling():
    """A curve [T] that only falls."""
    return 0.5 + 0.5 * np.exp(-np.arange(T) / 20)


def made(
    curves, classes=("even", "odd"), diverged=(), layers=(1,), title="made-up", recipe=RECIPE, **options
):
    """A History whose runs have these rms radii, list of [T]; classes differ by a factor.

    diverged : positions of runs that are not finite from update 50 on.
    """
    base = history_of(np.stack(curves, axis=1), **options)
    R, L, C = len(curves), len(layers), len(classes)
    spread = 1 + 0.3 * np.linspace(-1, 1, C)
    spread /= np.sqrt(np.mean(np.square(spread)))
    first = base.measures["radius"][..., :1]
    radius = first * spread * np.ones((T, R, L, C))
    distance = np.repeat(2 - first, C * (C - 1) // 2, axis=3) * np.ones((T, R, L, 1))
    for run in diverged:
        radius[50:, run] = distance[50:, run] = np.nan
    return replace(
        with_measures(base, radius=radius, distance=distance, mean_norm2=np.ones((T, R, L, C))),
        group=base.y % C,
        layers=tuple(layers),
        classes=tuple(classes),
        meta={**base.meta, "recipe": recipe, "title": title},
    )


def write(path, history):
    """Write a History to a file."""
    meta = stamp(
        "history",
        **history.meta,
        runs=list(history.runs),
        layers=list(history.layers),
        classes=list(history.classes),
    )
    whole = {name: getattr(history, name) for name in ("updates", "trained", "index", "y", "group")}
    wrong = unpack(history.misclassified, history.examples)
    names = ("train_error", "train_loss")
    with HistoryWriter(str(path), meta, whole) as writer:
        for at, update in enumerate(history.updates):
            values = {name: getattr(history, name)[at] for name in names}
            values["measures"] = {name: measured[at] for name, measured in history.measures.items()}
            writer.add(Record(slice(0, len(history.runs)), int(update), misclassified=wrong[at], **values))
        writer.commit()
    return path
