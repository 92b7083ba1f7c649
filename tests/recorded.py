"""Histories of networks that strag did not train, in the forms that a Recorder or logs write."""

import numpy as np

from strag.bits import pack
from strag.files.recorded import write_recorded
from strag.recording.recorded import Recorded
from tests.views.histories import T, valley

P = 64
LONG = f"/data/{'folder/' * 28}"  # of 202 characters
IDS = sorted(
    [f"{10**12 + number}" for number in range(P - 5)]  # of 13 digits
    + [f"{LONG}1.png", "ünïcode 例.png", 'comma, quote".png', "line\nend.png", "\x1b[31mred.png"]
)
FORMS = {  # name: what differs from two runs of a snapshot with one layer
    "snapshot": {},
    "noloss": {"train_loss": None},
    "nolayers": {"layers": (), "measures": {}},
    "online": {"recording": "online", "layers": (), "measures": {}},
    "names": {"ids": IDS},
}


def recorded(**changed):
    """A Recorded of two runs whose radii have a valley, and whose training error falls to 0.2 and further."""
    random, runs = np.random.default_rng(0), 2
    hard = random.random(P)
    wrong = 0.2 * random.random((T, runs, P)) + hard < 0.9 * np.exp(-np.arange(T) / 30)[:, None, None]
    radius = np.stack([valley(20 + run) for run in range(runs)], axis=1).astype(np.float32)
    measures = {
        "radius": radius[:, :, None, None] * np.ones((1, 1, 1, 2), np.float32),
        "distance": np.ones((T, runs, 1, 1), np.float32),
        "mean_norm2": np.ones((T, runs, 1, 2), np.float32),
    }
    same = {
        "updates": np.arange(T),
        "ids": list(range(P)),
        "labels": np.arange(P) % 2,
        "classes": ("cat", "dog"),
    }
    same |= {"train_error": wrong.mean(axis=2).astype(np.float32), "misclassified": pack(wrong)}
    loss = (0.7 * np.exp(-np.arange(T) / 40))[:, None] * np.ones((1, runs), np.float32)
    same |= {"layers": ("fc",), "train_loss": loss.astype(np.float32), "measures": measures}
    return Recorded(**{**same, **changed})


def write_forms(folder):
    """Write the history of every one of FORMS into a folder."""
    for name, changed in FORMS.items():
        write_recorded(str(folder / name), recorded(**changed))
