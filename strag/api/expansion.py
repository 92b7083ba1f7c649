"""`strag.expansion`: the share of each example in the change of the class radii between two states."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np

from strag.api import arguments as check
from strag.api.checkpoints import factory_of
from strag.api.dump_weights import prepare_dump
from strag.api.model import file_of
from strag.api.outputs import opened
from strag.api.prune import require_origin
from strag.api.states import LAST, States, read_state, states_of
from strag.bits import unpack
from strag.errors import StragError, bad_usage, warn_of
from strag.files.scores import scores_in_memory, write_scores
from strag.files.stamp import stamp
from strag.geometry import expansion as science
from strag.stragglers.inversion import INVERSION
from strag.training.activations import activations
from strag.training.device import DEVICES, choose_device, environment
from strag.values import LARGEST_UPDATE, checked, choice, listing, optional, text, whole
from strag.words import lacks_layer, layer_called, number_of, some_of

DIRECTION = "positive: the example moves out and expands its group; negative: it contracts its group"


@dataclass
class ExpansionJob:
    """What is compared.

    dump : DumpJob of the networks in the weights file. layer : name of the layer.
    states : States of the runs. trained : bool [R, P], the examples that each of these runs is trained on.
    consensus : bool [P], the examples of the Finding `finding`, or None without one.
    recipe : dict of the options.
    """

    dump: object
    layer: object
    states: States
    trained: np.ndarray
    consensus: np.ndarray | None
    finding: object
    recipe: dict

    @property
    def passes(self):
        """Number of passes over the data: int."""
        return 2 * len(self.pairs) + len(set(self.states.sets or ()))

    @property
    def pairs(self):
        """The runs that share both states: dict of the two positions on axis U to a list of positions."""
        pairs = {}
        for run, pair in enumerate(zip(self.states.starts, self.states.ends, strict=True)):
            pairs.setdefault(pair, []).append(run)
        return pairs


def prepare_expansion(
    weights, data, from_=INVERSION, to=LAST, stragglers=None, layer=None, runs="all", model=None
):
    """The ExpansionJob of networks in open Weights on the Dataset that they were trained on.

    The parameters are those of `expansion`; from_ and to : text. Raises StragError as `expansion` does.
    """
    start, end = read_state(from_, "from_", (INVERSION,)), read_state(to, "to", (INVERSION, LAST))
    job = prepare_dump(weights, data, "all", "all", runs, factory_of(model))
    layer = _layer(job, layer)
    job.layers = (layer,)
    _require_training_set(job)
    consensus = None
    if stragglers is not None:
        require_origin(data, stragglers)
        consensus = np.isin(data.index, stragglers.indices)
        if not consensus.any():
            verdict = f"its verdict is '{stragglers.verdict}'"
            warn_of(stragglers.source, f"has no stragglers among the examples ({verdict})")
        found_in = stragglers.layer
        if found_in not in (None, layer):
            warn_of(stragglers.source, f"was found in layer {found_in}, but layer {layer} is measured")
    states = states_of(weights, job.runs, start, end, stragglers)
    trained = job.trained[[job.runs.index(position) for position in states.runs]]
    recipe = {"score": "expansion", "from": start, "to": end, "layer": layer}
    return ExpansionJob(job, layer, states, trained, consensus, stragglers, recipe)


def _layer(job, layer):
    """The hidden layer that is measured."""
    architecture = job.recipe.architecture
    hidden = [name for name in architecture.layers if name != architecture.input_layer]
    if not hidden:
        raise StragError(
            "has networks without hidden layers, and their inputs do not move",
            "train networks with hidden layers",
            job.weights.source,
        )
    if layer is None:
        return architecture.default_layers[0]
    chosen = layer_called(layer, hidden)
    if chosen is None and isinstance(layer, str) and layer != architecture.input_layer:
        chosen = None if architecture.fault_of(layer) else layer  # such as a mean over positions
    if chosen is None:
        remedy = f"choose `layer` from {some_of(hidden)}"
        raise bad_usage(lacks_layer(layer, hidden, "hidden layer"), remedy, job.weights.source)
    return chosen


def _require_training_set(job):
    """Refuse data that lack examples on which the networks were trained."""
    weights, data = job.weights, job.data
    command = weights.meta.get("command")
    remedy = f"use the data set of '{command}'" if command else "use the data set of the training"
    if job.is_other:
        raise StragError(f"is not the data set on which {weights.source} was trained", remedy, data.source)
    whole = unpack(weights.trained[job.runs], len(weights.index)).sum(axis=1)
    missing = int((whole - job.trained.sum(axis=1)).max())
    if missing:
        problem = f"lacks {number_of(missing, 'example')} on which {weights.source} was trained"
        raise StragError(problem, remedy, data.source)


def compute(job, device="cpu", progress=None):
    """The tensors and the stamp of the scores of an ExpansionJob: (meta, tensors).

    progress : called with the number of passes over the data that are done.
    """
    passes = _Passes(job, device, progress)
    data = job.dump.data
    try:
        whole = science.expansion(passes.pairs, data.groups, job.trained, len(data.grouping.names))
    except StragError as error:
        raise error.about(f"{job.dump.weights.source} on {data.source}") from None
    own = passes.misclassified() if job.states.sets else None
    sets = {"consensus": job.consensus, "own": own}
    sets = {name: members for name, members in sets.items() if members is not None}
    used = job.trained.any(axis=0)
    tensors = {"index": data.index[used], "mean": whole.mean()[used], "of_runs": whole.share[:, used]}
    tensors |= {name: members[..., used] for name, members in sets.items()}
    return _meta(job, whole, sets, device), tensors


class _Passes:
    """The passes of the networks of an ExpansionJob over the data."""

    def __init__(self, job, device, progress):
        self.job, self.device, self.progress, self.done = job, device, progress, 0
        self.x, self.columns = job.dump.inputs()

    def pairs(self):
        """Yield the activations of both states of the runs, see `strag.geometry.expansion.expansion`."""
        for positions, runs in self.job.pairs.items():
            layers = (self.job.layer,)
            for first, second in zip(*(self._tiles(at, runs, layers) for at in positions), strict=True):
                hidden = (tile.hidden[self.job.layer] for tile in (first, second))
                yield runs[first.runs], first.rows, *hidden
            self._report()

    def misclassified(self):
        """The trained examples that each run misclassifies where its set was taken: bool [R, P]."""
        wrong = np.zeros_like(self.job.trained)
        sets, groups = np.asarray(self.job.states.sets), self.job.dump.data.groups
        for at in sorted(set(sets.tolist())):
            runs = np.flatnonzero(sets == at)
            for tile in self._tiles(at, runs, ()):
                wrong[runs[tile.runs], tile.rows] = tile.prediction != groups[tile.rows]
            self._report()
        return wrong & self.job.trained

    def _tiles(self, at, runs, layers):
        """The Tiles of some runs at a position of axis U. runs : positions among the compared ones."""
        dump, of_file = self.job.dump, self.job.states.runs
        state = dump.state(at, [of_file[run] for run in runs])
        described = (dump.recipe, dump.ends, self.x, self.columns, dump.data.groups, layers, self.device)
        return activations(state, *described)

    def _report(self):
        self.done += 1
        if self.progress:
            self.progress(self.done)


def _meta(job, whole, sets, device):
    """The stamp of the scores. whole : Expansion. sets : dict of name to members, bool [P] or [R, P]."""
    weights, data = job.dump.weights, job.dump.data
    training = {"data": data.identity, "training": weights.meta["recipe"]}
    combined = _combined(job, whole, sets)
    summary = {"runs": len(combined), "change": science.summarised(whole.change)}
    summary |= {end: science.summarised([run[end] for run in combined]) for end in ("from", "to")}
    summary |= {name: science.divided(whole, members, job.trained) for name, members in sets.items()}
    return stamp(
        "scores",
        recipe=job.recipe,
        environment=environment(device),
        inputs=training | ({"stragglers": job.finding.identity} if job.finding else {}),
        runs=[weights.runs[position] for position in job.states.runs],
        layers=[job.layer],
        origin=data.origin,
        origin_size=data.origin_size,
        title=data.title,
        command=data.command,
        labels=weights.meta.get("labels"),
        classes=list(data.grouping.names),
        direction=DIRECTION,
        combined=combined,
        left_out=job.states.left_out,
        summary=summary,
    )


def _combined(job, whole, sets):
    """What is known of each run, for the stamp: list of dict."""
    parts = {name: whole.part(members & job.trained) for name, members in sets.items()}
    updates, entries = job.dump.weights.updates, []
    for run, position in enumerate(job.states.runs):
        entry = {
            "run": job.dump.weights.runs[position],
            "from": int(updates[job.states.starts[run]]),
            "to": int(updates[job.states.ends[run]]),
            "inversion": job.states.inversions[run],
            "examples": int(job.trained[run].sum()),
            "change": float(whole.change[run]),
        }
        for name, part in parts.items():
            members = np.broadcast_to(sets[name], job.trained.shape)[run] & job.trained[run]
            others = float(whole.change[run] - part[run])
            entry[name] = {"examples": int(members.sum()), "stragglers": float(part[run]), "others": others}
        entry["classes"] = _classes(job, whole, run)
        entries.append(entry)
    return entries


def _classes(job, whole, run):
    """R_c^2 in both states and the sum of the shares, for the groups with examples: dict by name of dict."""
    data, classes = job.dump.data, {}
    for c, name in enumerate(data.grouping.names):
        if whole.count[run, c]:
            members = job.trained[run] & (data.groups == c)
            classes[name] = {
                "examples": int(whole.count[run, c]),
                "radius2_from": float(whole.radius2[0, run, c]),
                "radius2_to": float(whole.radius2[1, run, c]),
                "sum": float(whole.share[run, members].sum()),
            }
    return classes


def expansion_into(job, sink, device="cpu", progress=None):
    """Compute the Scores of an ExpansionJob and write them into an open Output, or not if it is None.

    progress : as for `compute`. Returns the Scores.
    """
    meta, tensors = compute(job, device, progress)
    if sink:
        write_scores(sink, meta, **tensors)
    return scores_in_memory(meta, **tensors)


def _state(value, name):
    """The check of `from_` and `to`, which become text."""
    if isinstance(value, Integral) and not isinstance(value, bool):
        return str(whole(0, LARGEST_UPDATE)(value, name))
    words = "'inversion'" if name == "from_" else "'inversion' or 'last'"
    return text(f"an update, or {words}")(value, name)


@checked(
    weights=check.kind("Weights"),
    data=check.kind("Dataset"),
    from_=_state,
    to=_state,
    stragglers=optional(check.kind("Finding")),
    layer=optional(check.layer),
    runs=listing("runs such as '0,3', or 'all'"),
    device=choice(*DEVICES),
    output=optional(check.destination),
)
def expansion(
    weights,
    data,
    from_=INVERSION,
    to=LAST,
    stragglers=None,
    layer=None,
    runs="all",
    device="auto",
    output=None,
    model=None,
):
    """The exact share of each example in the change of the squared class radii between two stored states.

    Parameters
    ----------
    weights : Weights of a training at two or more updates, which `strag.read` returns. data : Dataset of the
        training.
    from_, to : the two states: a stored update, "inversion" (each run's own t*, at the nearest stored
        update), or for `to` also "last".
    stragglers : Finding in the training, for the inversions, and to divide the change between the stragglers
        and the others. Of another training it only has the examples.
    layer : name of a hidden layer, by default the first. runs : numbers such as "0,3" or (0, 3), or "all".
    device : as for `strag.train`.
    output : where to also write the file of `strag expansion`: a path, or an open Output.
    model : the function that built the networks, where `strag.train` was given one, as there.

    Returns
    -------
    Scores, see `strag.geometry.expansion` for their definition.

    Raises StragError for updates that are not stored, for data on which the networks were not trained, for
    inversions without stragglers of the same training, and if no run inverts.
    """
    check.refuse_overwriting((weights, data, stragglers, file_of(model)), output=output)
    job = prepare_expansion(weights, data, from_, to, stragglers, layer, runs, model)
    with opened(output) as sink:
        return expansion_into(job, sink, choose_device(device))
