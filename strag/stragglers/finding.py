"""Finding: the result of find-stragglers, independent of how it is displayed, written or read."""

from dataclasses import dataclass, field

import numpy as np

from strag.errors import StragError
from strag.identity import identity_of
from strag.stragglers.inversion import FEWEST, INVERSION
from strag.stragglers.original_classes import original_classes
from strag.stragglers.over_runs import OverRuns, layer_findings, over_runs
from strag.stragglers.run_finding import run_findings
from strag.stragglers.unknown import carried
from strag.words import Brief, layer_called, number_of

# Columns of the table of examples; `name` only if the examples have names.
COLUMNS = ("index", "class", "label", "name", "count", "runs", "probability", "low", "high", "status")
DIGITS = 6  # decimals of probabilities


@dataclass(frozen=True)
class Population:
    """Beta(a, b) of the straggling probabilities of all examples.

    share_of_examples : 1 / (a + b + 1), the share of the variance of membership in the sets that is due to
        the examples, not to the seeds.
    """

    a: float
    b: float
    share_of_examples: float


@dataclass(frozen=True, repr=False)
class Finding(Brief):
    """The result of find-stragglers on one history.

    Attributes
    ----------
    verdict : verdict over all runs.
    indices : int64, the consensus or the core of the runs, as rows of the origin.
    meta : dict with `recipe`, how the stragglers were found; `inputs`, with the recipe of the `training` and
        the identities of the inputs of the history; `origin`, the identity of the data set in whose rows
        `indices` count; `origin_size`; `classes`, the names of the groups; `title` and `command` of the data;
        `sets`, if the networks left out sets; and `recording`, if strag did not train them.
    summary : OverRuns. runs : tuple of RunFinding.
    layers : tuple of LayerFinding, or None if only one layer was examined.
    model : Population, or None if it is not identifiable. model_unknown : the reason; None with a model.
    examples : dict of the columns of the table of examples in at least one set, the most frequent first; see
        COLUMNS.
    original_classes : tuple of OriginalClass, ordered by number; None for files that do not list them.
    classes_without, classes_absent : names of the classes in which no run has an inversion, and of the
        classes without a trained example. None if inversions were not sought per class.
    source : a file's name, for messages.
    """

    verdict: str
    indices: np.ndarray
    meta: dict
    summary: OverRuns = field(default_factory=OverRuns)
    runs: tuple = ()
    layers: tuple | None = None
    model: Population | None = None
    model_unknown: str | None = None
    examples: dict = field(default_factory=dict)
    original_classes: tuple | None = None
    classes_without: tuple | None = None
    classes_absent: tuple | None = None
    source: str = "stragglers"

    @property
    def brief(self):
        """The content in one line, for `repr`."""
        inverting = sum(run.inversion.verdict == INVERSION for run in self.runs)
        runs = f"{inverting} of {number_of(len(self.runs), 'run')}"
        size = self.meta.get("origin_size")
        return f"{self.verdict} ({runs}), {number_of(len(self.indices), 'straggler')}" + (
            f" of {size}" if size else ""
        )

    @property
    def origin(self):
        """Identity of the data set in whose rows the indices count."""
        return self.meta["origin"]

    @property
    def identity(self):
        """sha256 of the indices and their origin."""
        return identity_of({"indices": np.sort(self.indices), self.origin: np.zeros(0)})

    @property
    def recipe(self):
        """How the stragglers were found: dict."""
        return self.meta.get("recipe") or {}

    @property
    def training(self):
        """The recipe of the training: dict."""
        return (self.meta.get("inputs") or {}).get("training") or {}

    @property
    def recording(self):
        """How networks that strag did not train were recorded: `snapshot` or `online`; None for others."""
        return self.meta.get("recording")

    @property
    def measured_layers(self):
        """The measured layers of the training in their order: list, empty if they are not known."""
        layers = self.meta.get("layers", self.training.get("layers"))
        return layers if isinstance(layers, list) else []

    @property
    def layer(self):
        """The layer of the runs, the first one if all layers were examined; None if it is not known.

        Files of strag 0.1 hold the number of a layer as text.
        """
        requested, recorded = self.recipe.get("layer"), self.measured_layers
        if requested == "all" and self.layers:
            return self.layers[0].layer
        if requested in (None, "all"):
            return recorded[0] if recorded else None
        layer = layer_called(requested, recorded)
        return requested if layer is None else layer

    @property
    def is_of_sets(self):
        """Whether the networks left out sets, so that they are not independent runs."""
        return bool(self.meta.get("sets"))

    def require_original_classes(self):
        """Raise StragError if there are no original classes."""
        if not self.original_classes:
            remedy = "create it again with 'strag find-stragglers'"
            raise StragError("does not list its original classes", remedy, self.source)


def finding_of(history, stragglers, recipe, core=False, profile=None, reference=None):
    """The Finding of a History.

    Parameters
    ----------
    history : History. stragglers : Stragglers of the History.
    recipe : dict that says how the stragglers were found; the Finding contains it.
    core : whether the indices are the core instead of the consensus.
    profile : dict of layer to Stragglers, for `layers`; or None.
    reference : Reference to compare the networks with, for the `reference` of every run; or None.
    """
    counterparts = reference.counterparts if reference else (None,) * len(history.runs)
    chosen = (stragglers.core if core else stragglers.consensus) & (stragglers.counts > 0)
    fewest = recipe.get("min_misclassified", FEWEST)
    model = stragglers.model
    return Finding(
        verdict=stragglers.verdict,
        indices=np.sort(history.index[chosen]),
        meta=_meta(history, recipe, reference),
        summary=over_runs(history, stragglers, chosen, fewest),
        runs=run_findings(history, stragglers, counterparts),
        layers=layer_findings(history, profile, fewest) if profile else None,
        model=None if model is None else Population(model.a, model.b, model.share),
        model_unknown=stragglers.unknown or None,
        examples=example_table(history, stragglers),
        original_classes=original_classes(history, stragglers, chosen),
        **_of_classes(history, stragglers),
        source=history.source,
    )


def _meta(history, recipe, reference):
    """The `meta` of a Finding: dict."""
    inputs = {"history": history.meta.get("inputs", {}), "training": history.recipe}
    if reference is not None:
        inputs["reference"] = reference.history.meta.get("inputs", {})
    return {
        "recipe": recipe,
        "inputs": inputs,
        "origin": history.meta["origin"],
        "origin_size": history.meta.get("origin_size"),
        "classes": list(history.classes),
        "title": history.meta.get("title"),
        "command": history.meta.get("command"),
        **({"sets": history.meta["sets"]} if history.meta.get("sets") else {}),
        **carried(history),
    }


def _of_classes(history, stragglers):
    """`classes_without` and `classes_absent`: dict, empty unless inversions were sought per class."""
    if not stragglers.by_class:
        return {}
    columns = list(zip(history.classes, zip(*stragglers.by_class, strict=True), strict=True))
    present = {name: [inversion for inversion in column if inversion is not None] for name, column in columns}
    inverts = {
        name: any(inversion.verdict == INVERSION for inversion in column) for name, column in present.items()
    }
    return {
        "classes_without": tuple(name for name, column in present.items() if column and not inverts[name]),
        "classes_absent": tuple(name for name, column in present.items() if not column),
    }


def example_table(history, stragglers):
    """The columns of the table of examples in at least one set: dict of lists, the most frequent first."""
    positions = np.flatnonzero(stragglers.counts > 0)
    positions = positions[
        np.lexsort((history.index[positions], -stragglers.counts[positions] / stragglers.seen[positions]))
    ]
    counts, seen = stragglers.counts[positions], stragglers.seen[positions]
    table = {"index": history.index[positions], "class": history.y[positions], "count": counts, "runs": seen}
    table["label"] = [history.class_name(int(number)) for number in table["class"]]
    if history.names is not None:
        table["name"] = [history.names[row] for row in positions]
    if stragglers.model is None:
        unknown = [None] * len(positions)
        table |= {"probability": unknown, "low": unknown, "high": unknown, "status": unknown}
    else:
        low, high = stragglers.model.interval(counts, seen)
        table["probability"] = stragglers.model.probability(counts, seen)
        table |= {"low": low, "high": high, "status": stragglers.status[positions]}
        for name in ("probability", "low", "high"):
            table[name] = np.round(table[name], DIGITS)
    return {name: np.asarray(table[name]).tolist() for name in COLUMNS if name in table}
