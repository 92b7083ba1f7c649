"""The part of `strag.dump` for checkpoints: one network at every checkpoint of a series, on a data set."""

from dataclasses import dataclass
from functools import cached_property
from os.path import isfile

import numpy as np

from strag.api.arguments import refuse_ignored
from strag.api.checkpoint_names import holder, updates_of, without_wrappers
from strag.api.job import ends_of
from strag.api.model import model
from strag.datasets.dataset import standardise
from strag.datasets.standardisation import NONE, PIXEL, applied
from strag.errors import StragError, StragNote, bad_usage, warn_caller, warn_of
from strag.files.checkpoints import form_of, read_state
from strag.files.dataset import described_classes
from strag.files.stamp import stamp
from strag.training.architectures import described
from strag.training.device import environment
from strag.training.factory import Factory
from strag.training.layers import split_name, units_of
from strag.training.prepare import spread
from strag.training.recipe import read_layers
from strag.training.snapshots import Snapshots
from strag.values import shown
from strag.words import as_text, number_of, some_of

RECORDING = "snapshot"  # of fixed weights in evaluation mode, see FORMATS.md


@dataclass
class CheckpointJob:
    """Which checkpoints of one network run on which data.

    paths : names of the files, in the order of their updates. at : their updates, int64 [U]. key : see
    `strag.files.checkpoints.read_state`. identities : of their state dicts. snapshots : Snapshots of the
    network. layers : their names. way : how inputs are standardised.

    Nobody knows what the network was trained on, so every example of the data counts as trained on.
    """

    paths: list
    at: np.ndarray
    key: str | None
    identities: list
    snapshots: Snapshots
    data: object
    layers: tuple
    way: str
    is_other = False
    runs = (0,)  # a series is one run

    @property
    def updates(self):
        """The updates of the checkpoints: list of int."""
        return self.at.tolist()

    @property
    def source(self):
        """The name of the file, or of the first of them."""
        return self.paths[0]

    @property
    def trained(self):
        """The examples that the network was trained on: bool [1, P]."""
        return np.ones((1, len(self.data.y)), dtype=bool)

    @property
    def widths(self):
        """Number of units of every layer: dict of layer to int."""
        shapes = {layer.name: layer.shape for layer in self.snapshots.layers}
        return {layer: units_of(layer, shapes[split_name(layer)[0]]) for layer in self.layers}

    @cached_property
    def readout(self):
        """The Readout of the network on one of the layers of the job, or None."""
        return self.snapshots.readout(self.layers)

    def inputs(self):
        """The standardised inputs, float32 [P, d]; inputs that standardisation leaves out are 0."""
        mean, std = self.data.standardisation() if self.way != NONE else [np.zeros(self.data.features)] * 2
        mean, std = applied(self.way, mean, std, self.data.x)
        try:
            used = standardise(self.data.x, mean, std)
        except StragError as error:
            raise error.about(self.data.source) from None
        return spread(used, np.flatnonzero(std > 0), len(std))

    def tiles(self, device):
        """Yield the Tiles of every checkpoint: (position of its update on axis U, Tile)."""
        x = self.inputs()
        for number in range(len(self.paths)):
            self._load(number)
            if not number:
                self.snapshots.require_lawful(x)
            head = self.snapshots.head(self.readout)
            for tile in self.snapshots.tiles(x, self.data.groups, self.layers):
                tile.head = head
                yield number, tile

    def _load(self, number):
        """Put a checkpoint into the network; only one of them is in memory at a time."""
        state, _ = _fitting(self.paths[number], self.key, self.snapshots, self.data)
        if state.identity != self.identities[number]:
            raise StragError("changed while it was read", "wait until it is complete", state.source)
        self.snapshots.load(state.tensors)

    def stamp(self, device):
        """The stamp of the activations, which are computed on a device: dict."""
        data, states = self.data, zip(self.updates, self.identities, strict=True)
        way = {} if self.way == PIXEL else {"standardise": self.way}
        return stamp(
            "activations",
            recipe={**described(self.snapshots.architecture), **way, "layers": list(self.layers)},
            recording=RECORDING,
            environment=environment(device),
            inputs={"data": data.identity, "checkpoints": {str(at): identity for at, identity in states}},
            runs=list(self.runs),
            layers=list(self.layers),
            classes=list(data.grouping.names),
            labels=data.labels,
            origin=data.origin,
            origin_size=data.origin_size,
            title=data.title,
            command=data.command,
            **described_classes(data),
            **({"head": self.readout.layer} if self.readout else {}),
        )


def are_checkpoints(paths, model):
    """Whether files are checkpoints of other programs, and not one weights file of strag.

    model : the text or object that builds their network, or None. With it, a single file of an unknown form
    counts as a checkpoint, so that the error is about checkpoints; a pipe is read as a file of strag.
    """
    if len(paths) != 1:
        return True
    form = form_of(paths[0])
    return form in ("safetensors", "torch") or (form is None and model is not None and isfile(paths[0]))


def refuse_unused(given, checkpoints):
    """Refuse options of a dump that have no effect. given : names of the options that are set."""
    refuse_ignored(
        given,
        ("key standardise model_args", not checkpoints, "has no effect on a weights file of strag"),
        ("runs", checkpoints, "has no effect on checkpoints, which are one run"),
        ("model_args", "model" not in given, "needs `model`"),
    )


def factory_of(given):
    """The Factory that `model` stands for: the text FILE.py:FACTORY, a function or a Factory; None for None.

    Raises StragError for anything else.
    """
    if given is None:
        return None
    found = model(given)
    if not isinstance(found, Factory):
        raise bad_usage(f"`model` {shown(given)} is not a function", "pass FILE.py:FACTORY")
    return found


def prepare_checkpoints(
    paths, data, architecture, layers=None, key=None, updates=None, way=None, device="cpu"
):
    """The CheckpointJob of checkpoints of one network on a Dataset. Every checkpoint is read once.

    Parameters
    ----------
    paths : names of the files. architecture : ModuleArchitecture of the network. layers : names of layers,
    or `all`; None is its default. key : see `strag.files.checkpoints.read_state`. updates : see `updates_of`.
    way : how inputs are standardised, see `strag.datasets.standardisation`; None is `none`, with a note.
    device : the torch device.

    Raises StragError for checkpoints that cannot be read or do not fit the network, for a network that does
    not fit the data, and for layers that it does not have.
    """
    order = sorted(zip(updates_of(paths, updates), paths, strict=True))
    snapshots = Snapshots(architecture, ends_of(data), device)
    _require_groups(snapshots, data)
    names = _layers(snapshots, layers)
    identities, removed, under = [], set(), set()
    for at, (_, path) in enumerate(order):
        identity, key_of_path, parts = _seen(path, key, snapshots, data)
        if identity in identities[-1:]:
            warn_of(path, f"holds the same parameters as {order[at - 1][1]}")
        identities.append(identity)
        removed |= parts
        under |= {key_of_path} - {None}
    _note(under, removed, way, data)
    at = np.array([update for update, _ in order], dtype=np.int64)
    paths = [path for _, path in order]
    return CheckpointJob(paths, at, key, identities, snapshots, data, names, way or NONE)


def _require_groups(snapshots, data):
    """Refuse a network whose output is not one logit for each group of the data."""
    names = data.grouping.names
    if snapshots.output != (len(names),):
        network, shape = snapshots.architecture, list(snapshots.output)
        problem = f"has {len(names)} groups, {some_of(names)}, but {network} returns {shape} for an example"
        remedy = "use `labels` of 'strag data', or a network of as many logits as the factory gets classes"
        raise StragError(problem, remedy, data.source)


def _layers(snapshots, layers):
    """The names of the layers that a text or names stand for: tuple, in the order of their calls."""
    architecture = snapshots.architecture
    names = read_layers(layers, architecture)
    for name in names:
        if fault := architecture.fault_of(name):
            remedy = f"use layers from {some_of(architecture.layers)}"
            raise bad_usage(f"cannot use {as_text(name)} as `layers`: {fault}", remedy)
    return names


def _fitting(path, key, snapshots, data):
    """The StateDict of a checkpoint under the names of the network, and the parts of names removed: set.

    Raises StragError for one that does not fit the network.
    """
    state = read_state(path, key)
    tensors, removed = without_wrappers(state.tensors, snapshots.names, path)
    fault = snapshots.misfit({name: array.shape for name, array in tensors.items()})
    if fault:
        start, groups = holder(tensors, snapshots.names), some_of(data.grouping.names)
        inner = ".".join(part for part in (state.under or key, start) if part)
        remedy = f"use the factory and `model_args` of its training, and data with its groups, not {groups}"
        raise StragError(as_text(fault), f"pass `key` {inner}" if start else remedy, path)
    return type(state)(tensors, path, state.under), removed


def _seen(path, key, snapshots, data):
    """The identity of a checkpoint, its key if that was chosen, and the parts of names removed: set."""
    state, removed = _fitting(path, key, snapshots, data)
    return state.identity, state.under, removed


def _note(under, removed, way, data):
    """Issue the notes about a series. under : keys that were chosen. removed : parts of names."""
    if under:
        warn_caller(f"the state dicts are those under {_quoted(under)}", StragNote)
    if removed:
        warn_caller(f"the names of parameters are read without {_quoted(removed)}", StragNote)
    if way is None:
        done = "divided by 255, and not standardised" if data.x.dtype == np.uint8 else "not standardised"
        warn_caller(f"inputs are {done}; `standardise` changes that", StragNote)
    examples = number_of(len(data.y), "example")
    known = "checkpoints say neither what a network was trained on nor how"
    warn_caller(f"{data.source}: all {examples} count as trained on, because {known}", StragNote)


def _quoted(names):
    """Names in quotes, sorted, in one list."""
    return some_of(f"'{as_text(name)}'" for name in sorted(names))


def listed(layers):
    """Layers as JSON values: list of dict with their name, type, shape of an output, and number of calls."""
    kept = ("name", "type", "shape", "calls")
    return [{key: getattr(layer, key) for key in kept} for layer in layers]
