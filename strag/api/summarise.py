"""`strag.summarise`: many experiments in one table."""

from strag.api import arguments
from strag.api.arguments import destination, findings, labels_for, refuse_overwriting
from strag.api.outputs import write_answer
from strag.errors import bad_usage
from strag.files.summary import summary_object
from strag.stragglers import summary as science
from strag.stragglers.conditions import kind_of
from strag.stragglers.experiments import experiments_of
from strag.values import checked, optional


@checked(stragglers=findings, labels=optional(arguments.labels), output=optional(destination))
def summarise(stragglers, labels=None, output=None):
    """Many experiments in one table, by condition. Their order does not matter.

    Parameters
    ----------
    stragglers : one or more Findings of `find_stragglers`.
    labels : name of the condition of each, by default derived from its settings.
    output : where to also write the file of `strag summary`: a path, or an open Output.

    Returns
    -------
    Summary, see `strag.stragglers.summary`.

    Raises StragError for stragglers whose runs cannot be compared.
    """
    if not stragglers:
        raise bad_usage("a summary needs at least one set of stragglers", "pass it as `stragglers`")
    refuse_overwriting(stragglers, output=output)
    labels = () if labels is None else labels_for(stragglers, labels, "labels")
    experiments = [experiments_of(finding) for finding in stragglers]
    names = [
        f"{label}, {kind_of(part.settings)}" if len(parts) > 1 else label
        for label, parts in zip(labels, experiments, strict=bool(labels))
        for part in parts
    ]
    every = [part for parts in experiments for part in parts]
    summary = science.summarise(every, names or None)
    write_answer(summary_object(summary, every), output)
    return summary
