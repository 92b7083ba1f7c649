"""Many experiments beside each other."""

from strag.api.outputs import write_answer
from strag.files.summary import summary_object
from strag.stragglers import summary as science
from strag.stragglers.conditions import kind_of
from strag.stragglers.experiments import experiments_of


def summarise(stragglers, labels=None, output=None):
    """Many experiments beside each other, condition by condition, in whatever order they come.

    Parameters
    ----------
    stragglers : list of what `find_stragglers` found, one or more.
    labels : the condition of each, by default told from its settings.
    output : where to write the file of `strag summary` as well: a path, or an open Output.

    Returns
    -------
    Summary, see `strag.stragglers.summary`.

    Raises StragError for stragglers whose runs cannot be compared.
    """
    experiments = [experiments_of(one) for one in stragglers]
    names = [
        f"{label}, {kind_of(one.settings)}" if len(parts) > 1 else label
        for label, parts in zip(labels or (), experiments, strict=bool(labels))
        for one in parts
    ]
    every = [one for parts in experiments for one in parts]
    found = science.summarise(every, names or None)
    write_answer(summary_object(found, every), output)
    return found
