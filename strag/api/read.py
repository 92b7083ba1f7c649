"""`strag.read`: what a strag file holds."""

import os

from strag import kinds
from strag.errors import bad_usage
from strag.values import checked, optional, path, refused, some_or

_READ = tuple(kind.name for kind in kinds.KINDS.values() if kind.files)


def _kinds(value, name):
    """The check of a kind of file or several."""
    names = value if isinstance(value, (list, tuple)) else [value]
    for kind in names or [value]:
        if not isinstance(kind, str) or kind not in _READ:
            raise refused(value, name, some_or(_READ))
    return tuple(names)


@checked(path=path, wanted=optional(_kinds))
def read(path, wanted=None):
    """Read any strag file.

    Parameters
    ----------
    path : the file, or '-' for stdin.
    wanted : the kind that it must be, such as "history", or several kinds.

    Returns
    -------
    The object of its kind: Dataset, History, Weights, Activations, Finding, StoredSets, Stability,
    Comparison, Summary, Recording or a dict. Weights, Activations and Recording keep the file open and are
    context managers.

    Raises StragError for a file that cannot be read or is of another kind.
    """
    if not os.path.exists(path):
        from strag.datasets.catalogue import CATALOGUE

        if path in CATALOGUE:
            raise bad_usage("is the name of a data set, not a file", f"use strag.data('{path}')", path)
    return kinds.read(path, wanted)
