"""Convolutional networks: the inversion, radii and loss of every layer, and pictures of them along training.

Reads the histories and the stragglers that conv.mk makes; writes conv.json and a picture per activation.
"""

import argparse
import json
from pathlib import Path

import numpy as np

import strag
from strag.views.style import BLUE, GREY, SMALL, VERMILION, house_style, new_figure, rendered

PANEL = (2.1, 1.35)  # inches
INVERTS = "inversion"


def rms_radius(history, layer):
    """The rms radius over classes of one layer: float64 [T, R]."""
    radius = np.asarray(history.measures["radius"], dtype=np.float64)[:, :, history.layers.index(layer)]
    return np.sqrt(np.mean(radius**2, axis=-1))


def mean_of(values):
    """Mean of one value per run: float, or None without values."""
    return float(np.mean(values)) if values else None


def falls(updates, loss, update):
    """Whether the loss falls from record to record until twice this update: bool."""
    seen = loss[np.asarray(updates) <= 2 * update]
    return bool((np.diff(seen) < 0).all())


def condition_of(history, found, name, layer):
    """The results on one layer of the networks `name`, such as mnist.tanh: dict.

    found : what find-stragglers says of this layer.
    """
    runs = found["runs"]
    radius, loss = rms_radius(history, layer), np.asarray(history.train_loss, dtype=np.float64)
    rows = np.searchsorted(history.updates, [run["update"] or 0 for run in runs])
    last = np.searchsorted(history.updates, [run["last_update"] for run in runs])
    at = [(row, r) for r, row in enumerate(rows) if runs[r]["verdict"] == INVERTS]
    ends = list(zip(last, range(len(runs)), strict=True))
    return {
        "label": f"{name} {layer}".replace(".", " ").replace(":", " "),
        "runs": len(runs),
        "inverting": len(at),
        "falling": sum(falls(history.updates, loss[:, r], history.updates[row]) for row, r in at),
        "unstable": sum(run["unstable_from"] is not None for run in runs),
        "first_rise": min((run["unstable_from"] for run in runs if run["unstable_from"]), default=None),
        "last_update": mean_of([run["last_update"] for run in runs]),
        "last_error": mean_of([float(history.train_error[end]) for end in ends]),
        "loss_at": mean_of([loss[place] for place in at]),
        "loss_last": mean_of([loss[end] for end in ends]),
        "radius_first": mean_of(radius[0].tolist()),
        "fall": mean_of([radius[: row + 1, r].max() - radius[row, r] for row, r in at]),
        "radius_last": mean_of([radius[end] for end in ends]),
    }


def draw(histories, findings, names, layers):
    """Draw the radii of the layers above the loss, one column per data set: a png, as bytes.

    histories : dict of name to History. findings : dict of (name, layer) to what find-stragglers says.
    """
    with house_style():
        figure = new_figure(PANEL[0] * len(names), PANEL[1] * (len(layers) + 1))
        panels = figure.subplots(len(layers) + 1, len(names), sharex="col", squeeze=False)
        for name, column in zip(names, panels.T, strict=True):
            history = histories[name]
            updates = np.asarray(history.updates)[1:]
            for layer, panel in zip(layers, column, strict=False):
                _radii(panel, updates, rms_radius(history, layer)[1:], findings[name, layer]["runs"])
            loss = history.train_loss[1:]
            column[-1].plot(updates, loss, color=GREY, linewidth=0.8)
            column[-1].set(yscale="log", xscale="log", xlabel="update t")
            _plain(column[-1].xaxis, (10, 100, 1000))
            column[-1].set_ylim(np.nanmin(loss) / 1.2, np.nanmax(loss) * 1.2)
            _plain(column[-1].yaxis, [t for t in (0.003, 0.01, 0.03, 0.1, 0.3) if t > np.nanmin(loss)])
            column[0].set_title(name.split(".")[0], loc="left")
            for panel in column:
                panel.tick_params(labelsize=SMALL - 1)
        for layer, panel in zip([*(f"R, {layer}" for layer in layers), "loss"], panels[:, 0], strict=True):
            panel.set_ylabel(layer)
    return rendered(figure, "png", dpi=84)


def _plain(axis, ticks):
    """Mark numbers on a logarithmic axis, without powers of ten, which the style does not draw."""
    axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_ticks([], minor=True)


def _radii(panel, updates, radius, runs):
    """Draw the radius of every run, blue where the run inverts, with a mark at its t*."""
    for curve, run in zip(radius.T, runs, strict=True):
        inverts = run["verdict"] == INVERTS
        panel.plot(updates, curve, color=BLUE if inverts else GREY, linewidth=0.8)
        if inverts:
            place = np.searchsorted(updates, run["update"])
            panel.plot(run["update"], curve[place], "o", color=VERMILION, markersize=3)
        elif run["unstable_from"]:
            place = np.searchsorted(updates, run["unstable_from"])
            panel.plot(run["unstable_from"], curve[place], "x", color=VERMILION, markersize=3)


def main():
    """Read the folder that conv.mk made, and write the numbers and the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--names", nargs="+", required=True)
    parser.add_argument("--layers", nargs="+", required=True)
    given = parser.parse_args()
    histories = {name: strag.read(given.folder / f"{name}.safetensors", "history") for name in given.names}
    places = [(name, layer) for name in given.names for layer in given.layers]
    findings = {
        (name, layer): json.loads((given.folder / f"{name}.{layer.replace(':', '-')}.json").read_text())
        for name, layer in places
    }
    conditions = [condition_of(histories[name], findings[name, layer], name, layer) for name, layer in places]
    for activation in dict.fromkeys(name.split(".")[1] for name in given.names):
        names = [name for name in given.names if name.endswith(f".{activation}")]
        picture = draw(histories, findings, names, given.layers)
        (given.folder / f"{activation}.png").write_bytes(picture)
    text = json.dumps({"conditions": conditions}, indent=1) + "\n"
    (given.folder / "conv.json").write_text(text)  # the last one, because make looks at its time


if __name__ == "__main__":
    main()
