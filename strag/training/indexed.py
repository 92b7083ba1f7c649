"""Data sets whose examples carry their index, so that they can be recorded in any order.

Nothing here imports torch, unless the data set is one of strag.
"""

import operator
from collections.abc import Mapping

from strag.datasets.dataset import Dataset
from strag.errors import bad_usage
from strag.values import shown

INDEX = "index"  # the key of the index in an example that is a dict


def with_index(dataset):
    """Wrap a data set so that its examples carry their index.

    An example (x, y) becomes (x, y, index), a dict gets the key "index", and any other example becomes
    (example, index). The index is the position in `dataset`.

    Parameters
    ----------
    dataset : a map-style data set, which has `__len__` and `__getitem__`, such as one of
        `torch.utils.data`. A Dataset of strag has examples (x, group, index): x is float32, standardised as
        `strag.train` does, with the channels first, and the index is that of the Dataset.

    Returns
    -------
    A map-style data set of the same length. It has `__getitems__` if `dataset` has it.

    Raises StragError for anything else.
    """
    if isinstance(dataset, Dataset):
        from strag.training.examples import Examples  # imports torch

        return Examples(dataset)
    if isinstance(dataset, (tuple, Mapping)) or not is_map_style(dataset):
        remedy = (
            "pass a data set with `__len__` and `__getitem__`, such as torch.utils.data.TensorDataset(x, y)"
        )
        raise bad_usage(f"{shown(dataset)} is not a map-style data set", remedy)
    return _IndexedLists(dataset) if hasattr(dataset, "__getitems__") else Indexed(dataset)


def is_map_style(data):
    """Whether an object has a length and examples at positions."""
    return all(hasattr(type(data), name) for name in ("__len__", "__getitem__"))


class Indexed:
    """A data set whose examples carry their index, see `with_index`.

    dataset : the data set without them.
    """

    def __init__(self, dataset):
        self.dataset = dataset

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, at):
        at = operator.index(at)
        if not -len(self) <= at < len(self):
            raise IndexError(f"index {at} is out of range for {len(self)} examples")
        at %= len(self)
        return _with(self.dataset[at], at)


class _IndexedLists(Indexed):
    """An Indexed data set of one that reads several examples at a time."""

    def __getitems__(self, at):
        at = [operator.index(row) for row in at]
        return [_with(item, row) for item, row in zip(self.dataset.__getitems__(at), at, strict=True)]


def _with(item, index):
    """An example that carries its index."""
    if isinstance(item, Mapping):
        return {**item, INDEX: index}
    if isinstance(item, list):
        return [*item, index]
    return (*item, index) if isinstance(item, tuple) else (item, index)
