"""Finding: the result of find-stragglers, independent of how it is shown, written or read."""

from dataclasses import dataclass, field

import numpy as np

from strag.errors import StragError
from strag.identity import identity_of
from strag.stragglers.inversion import FEWEST, INVERSION
from strag.stragglers.original_classes import original_classes
from strag.stragglers.over_runs import OverRuns, layer_findings, over_runs
from strag.stragglers.run_finding import run_findings

# Of the table of examples; `name` only where they have names.
COLUMNS = ("index", "class", "label", "name", "count", "runs", "probability", "low", "high", "status")
DIGITS = 6  # of probabilities


@dataclass(frozen=True)
class Population:
    """Beta(a, b) of the straggling probabilities of all examples.

    share_of_examples : 1 / (a + b + 1), the share of the variance of membership that belongs to the examples.
    """

    a: float
    b: float
    share_of_examples: float


@dataclass(frozen=True)
class Finding:
    """The result of find-stragglers on one history.

    Attributes
    ----------
    verdict : over all runs. indices : int64, rows of the origin: consensus or core of the runs.
    meta : dict: `recipe`, how it was found; `inputs`, with the recipe of the `training` and the identities of
        the inputs of the history; `origin`, the identity of the data set in whose rows `indices`
        count; `origin_size`; `classes`, the names of the groups; `title` and `command` of the data; and
        `sets`, where the networks left out sets.
    summary : OverRuns. runs : tuple of RunFinding. layers : tuple of LayerFinding, or None without a profile.
    model : Population, or None if it is not identifiable. model_unknown : the reason, None with a model.
    examples : dict of columns over the examples in at least one set, most frequent first; see COLUMNS.
    original_classes : tuple of OriginalClass, by number; None for files that do not list them.
    classes_without, classes_absent : where inversions were sought per class, the names of classes in which no
        run has an inversion, and of classes without a trained example; otherwise None.
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
    def origin(self):
        """Identity of the data set in whose rows the indices count."""
        return self.meta["origin"]

    @property
    def identity(self):
        """sha256 of the indices and their origin."""
        return identity_of({"indices": np.sort(self.indices), self.origin: np.zeros(0)})

    @property
    def recipe(self):
        """dict: how the stragglers were found."""
        return self.meta.get("recipe") or {}

    @property
    def training(self):
        """dict: the recipe of the training."""
        return (self.meta.get("inputs") or {}).get("training") or {}

    @property
    def is_of_sets(self):
        """Whether its networks left out sets, so that they are not independent runs."""
        return bool(self.meta.get("sets"))

    def require_original_classes(self):
        """Raise StragError if there are no original classes."""
        if not self.original_classes:
            remedy = "create it again with 'strag find-stragglers'"
            raise StragError("does not list its original classes", remedy, self.source)


def finding_of(history, found, recipe, core=False, profile=None, reference=None):
    """The Finding of a History.

    Parameters
    ----------
    history : History. found : its Stragglers.
    recipe : dict, how they were found; stored in the Finding.
    core : whether the indices are the core instead of the consensus.
    profile : dict of layer to Stragglers, for `layers`; or None.
    reference : the Reference of its networks, for the `reference` of every run; or None.
    """
    counterparts = reference.counterparts if reference else (None,) * len(history.runs)
    chosen = (found.core if core else found.consensus) & (found.counts > 0)
    fewest = recipe.get("min_misclassified", FEWEST)
    model = found.model
    return Finding(
        verdict=found.verdict,
        indices=np.sort(history.index[chosen]),
        meta=_meta(history, recipe, reference),
        summary=over_runs(history, found, chosen, fewest),
        runs=run_findings(history, found, counterparts),
        layers=layer_findings(history, profile, fewest) if profile else None,
        model=None if model is None else Population(model.a, model.b, model.share),
        model_unknown=found.unknown or None,
        examples=example_table(history, found),
        original_classes=original_classes(history, found, chosen),
        **_of_classes(history, found),
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
    }


def _of_classes(history, found):
    """`classes_without` and `classes_absent`: dict, empty unless inversions were sought per class."""
    if not found.by_class:
        return {}
    columns = list(zip(history.classes, zip(*found.by_class, strict=True), strict=True))
    present = {name: [one for one in column if one is not None] for name, column in columns}
    inverts = {name: any(one.verdict == INVERSION for one in column) for name, column in present.items()}
    return {
        "classes_without": tuple(name for name, column in present.items() if column and not inverts[name]),
        "classes_absent": tuple(name for name, column in present.items() if not column),
    }


def example_table(history, found):
    """Columns over the examples in at least one set, most frequent first: dict of lists; see COLUMNS."""
    called = np.flatnonzero(found.counts > 0)
    called = called[np.lexsort((history.index[called], -found.counts[called] / found.seen[called]))]
    counts, seen = found.counts[called], found.seen[called]
    table = {"index": history.index[called], "class": history.y[called], "count": counts, "runs": seen}
    table["label"] = [history.class_name(int(number)) for number in table["class"]]
    if history.names is not None:
        table["name"] = [history.names[row] for row in called]
    if found.model is None:
        unknown = [None] * len(called)
        table |= {"probability": unknown, "low": unknown, "high": unknown, "status": unknown}
    else:
        low, high = found.model.interval(counts, seen)
        table["probability"] = found.model.probability(counts, seen)
        table |= {"low": low, "high": high, "status": found.status[called]}
        for name in ("probability", "low", "high"):
            table[name] = np.round(table[name], DIGITS)
    return {name: np.asarray(table[name]).tolist() for name in COLUMNS if name in table}
