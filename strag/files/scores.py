"""The kind `scores`: one number per example, run by run and as a mean over the runs."""

from dataclasses import dataclass

import numpy as np

from strag.bits import pack, unpack
from strag.files.laws import BITS, EXAMPLE, FINITE, INDEX, RUN
from strag.files.parts import checked, listed, reading
from strag.files.spec import Spec, Tensor
from strag.files.writer import Writer, write
from strag.kinds import remake
from strag.words import Brief, number_of

SPEC = Spec(
    "scores",
    (
        INDEX,
        Tensor(
            "expansion", "F32", (EXAMPLE,), "mean share over the runs that train on the example", (FINITE,)
        ),
        Tensor(
            *("run.K", "F32", (EXAMPLE,)),
            "share of the example in the change of the squared radius of its group in run K; NaN if the run "
            "does not train on it",
        ),
        Tensor(
            *("consensus", "U8", (BITS,), "examples in `indices` of the stragglers file"),
            required=False,
        ),
        Tensor(
            *("own", "U8", (RUN, BITS)),
            "trained examples that the run misclassifies at the stored update nearest to that of its set",
            required=False,
        ),
    ),
    named=(RUN,),
    filled=(EXAMPLE, RUN),
    says=("origin", "direction"),
)

_PARTS = ("examples", "share_of_examples", "stragglers", "others")


@dataclass(frozen=True, repr=False)
class Scores(Brief):
    """The scores in a file.

    Attributes
    ----------
    index : int64 [P], rows of the origin. expansion : float32 [P], the mean over the runs.
    of_runs : float32 [R, P]; NaN where a run does not train on an example.
    consensus : bool [P], the stragglers of most runs, or None. own : bool [R, P], the set of each run, or
        None.
    classes : number of groups with examples in each run: list of int.
    runs : run numbers. meta, source : stamp and name of the file.
    """

    index: np.ndarray
    expansion: np.ndarray
    of_runs: np.ndarray
    consensus: np.ndarray | None
    own: np.ndarray | None
    classes: list
    runs: tuple
    meta: dict
    source: str

    @property
    def brief(self):
        """The content in one line, for `repr`."""
        return f"{number_of(len(self.index), 'example')}, {number_of(len(self.runs), 'run')}"

    @property
    def origin(self):
        """Identity of the data set in whose rows `index` counts."""
        return self.meta["origin"]

    @property
    def summary(self):
        """The change of R^2 and how it divides, over the runs: dict."""
        return self.meta["summary"]

    @property
    def members(self):
        """The stragglers of each run, bool [R, P]: its own set if known, else the consensus; or None."""
        if self.own is not None or self.consensus is None:
            return self.own
        return np.broadcast_to(self.consensus, self.of_runs.shape)

    @property
    def division(self):
        """How the change of R^2 divides between `members` and the others: dict, or None."""
        return self.summary.get("consensus" if self.own is None else "own")


def read(opened):
    """Return the Scores in an open container."""
    runs = opened.meta.get("runs")
    runs = tuple(runs) if isinstance(runs, list) else ()
    tensors = SPEC.numbered(runs).read(opened)
    P = len(tensors["index"])
    of_runs = np.stack([tensors[f"run.{run}"] for run in runs])
    sets = [name for name in ("consensus", "own") if name in tensors]
    with reading("a summary", opened.name, remake("scores")):
        _check_summary(opened.meta["summary"], sets)
        entries = [_checked_run(entry, sets) for entry in listed(opened.meta["combined"])]
        classes = [len(entry["classes"]) for entry in entries]
        if [entry["run"] for entry in entries] != list(runs) or 0 in classes:
            raise ValueError
    return Scores(
        tensors["index"],
        tensors["expansion"],
        of_runs,
        **{name: unpack(tensors[name], P) if name in sets else None for name in ("consensus", "own")},
        classes=classes,
        runs=runs,
        meta=opened.meta,
        source=opened.name,
    )


def _check_summary(summary, sets):
    """Raise an error of `reading` unless the summary has what is drawn. sets : names of the sets."""
    parts = [summary[name][part] for name in sets for part in _PARTS]
    for values in (summary["change"], *parts):
        for name in ("mean", "smallest", "largest"):
            checked(values[name], float)


def _checked_run(entry, sets):
    """Return an entry of `combined`. Raises an error of `reading` unless it has what is drawn."""
    for name in ("run", "from", "to"):
        checked(entry[name], int)
    for values in (entry["change"], *(entry[name][end] for name in sets for end in _PARTS[2:])):
        checked(values, float)
    for name in sets:
        checked(entry[name]["examples"], int)
    entry["classes"].keys()
    return entry


def write_scores(output, meta, index, mean, of_runs, consensus=None, own=None):
    """Write the scores of P examples in R runs into an open Output. The arrays are those of `Scores`."""
    write(output, *_content(meta, index, mean, of_runs, consensus, own))


def scores_in_memory(meta, index, mean, of_runs, consensus=None, own=None):
    """Return the Scores that `write_scores` would write."""
    with Writer(None, *_content(meta, index, mean, of_runs, consensus, own)) as writer:
        return read(writer.as_container("scores"))


def _content(meta, index, mean, of_runs, consensus, own):
    """Return the Spec, the stamp and the tensors of a file of scores."""
    tensors = {"index": index, "expansion": mean}
    tensors |= {f"run.{run}": values for run, values in zip(meta["runs"], of_runs, strict=True)}
    sets = {"consensus": consensus, "own": own}
    tensors |= {name: pack(members) for name, members in sets.items() if members is not None}
    return SPEC.numbered(meta["runs"]), meta, tensors
