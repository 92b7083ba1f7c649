"""What a user's data yield: batches of inputs, labels and ids, read in a known order.

The user's loader is read beside his own loop, so that reading it must change nothing in it.
"""

import copy
import itertools
from collections.abc import Mapping

import numpy as np
import torch
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, SequentialSampler
from torch.utils.data.distributed import DistributedSampler

from strag.datasets.dataset import Dataset
from strag.errors import bad_usage
from strag.training.examples import Examples
from strag.training.indexed import INDEX, is_map_style
from strag.training.unchanged import generators_kept
from strag.values import shown
from strag.words import number_of

SIZE = 256  # examples of a batch, where the data are not in batches
LABELS = ("labels", "label", "targets", "target", "y")  # keys of a batch that is a dict
IDS = (INDEX, "indices", "idx", "ids", "id")
INPUTS = ("x", "inputs", "input", "images", "image", "img", "pixel_values", "features", "data")
PUSH = "use Recorder(examples=P) without a model, and pass every batch to `update`"
WITH_INDEX = "build the loader over strag.with_index(dataset), or with shuffle=False"


def open_data(data):
    """The Source of what a user calls his data, see `Recorder`. Raises StragError for anything else."""
    if isinstance(data, Dataset):
        return OfDataset(data)
    if isinstance(data, DataLoader):
        return OfLoader(data)
    if _is_pair(data):
        return OfArrays(*data)
    if isinstance(data, (IterableDataset, tuple, Mapping, torch.Tensor)) or not is_map_style(data):
        raise bad_usage(
            f"cannot read examples from {shown(data)}",
            "pass a DataLoader, a map-style data set, arrays (x, y) with y as 0, 1, ..., or a Dataset",
        )
    return OfLoader(DataLoader(data, SIZE))


def _is_pair(data):
    """Whether data are arrays (x, y), and not a list of examples."""
    return isinstance(data, (tuple, list)) and len(data) == 2 and all(map(_has_rows, data))


def _has_rows(array):
    return (hasattr(array, "shape") and len(array.shape) > 0) or (
        isinstance(array, list) and bool(array) and isinstance(array[0], int)
    )


class OfDataset:
    """The batches of a Dataset of strag, whose ids are its `index`, in their order.

    examples : number of examples P, or None if it is not known. classes : names of the classes, or None.
    origin : the Dataset, or None for data that are not strag's.
    """

    def __init__(self, data):
        self.origin, self.examples, self.classes = data, len(data.y), data.grouping.names
        self._data = Examples(data)

    def batches(self):
        """Yield (ids, inputs, labels): labels [B] and ids [B], each an array, a tensor or a list."""
        for start in range(0, self.examples, SIZE):
            x, labels, ids = self._data.rows(slice(start, start + SIZE))
            yield ids, x, labels


class OfArrays:
    """The batches of arrays x [P, ...] and y, int [P]; the ids are positions. Attributes as of OfDataset."""

    origin = classes = None

    def __init__(self, x, y):
        if len(x) != len(y):
            counted = f"{number_of(len(x), 'example')} but {number_of(len(y), 'label')}"
            raise bad_usage(f"`data` have {counted}", "pass one label for each example")
        self.examples, self._x, self._labels = len(x), x, y

    def batches(self):
        """As `OfDataset.batches`."""
        for start in range(0, self.examples, SIZE):
            rows = slice(start, start + SIZE)
            x = self._x[rows]
            x = x if isinstance(x, torch.Tensor) else torch.from_numpy(np.array(x))
            yield np.arange(self.examples)[rows], x, self._labels[rows]


class OfLoader:
    """The batches of a DataLoader. Attributes as of OfDataset.

    The ids are in the batches, or follow from the order of a sampler that is not random.

    Raises StragError for a data set without positions.
    """

    origin = classes = None

    def __init__(self, loader):
        if isinstance(loader.dataset, IterableDataset) or loader.batch_sampler is None:
            reason = "its examples have no positions" if loader.batch_size else "it has no batch size"
            raise bad_usage(f"cannot read ids from the DataLoader in `data`: {reason}", PUSH)
        self._loader = loader
        self._sampler = getattr(loader.batch_sampler, "sampler", None) or loader.sampler
        if isinstance(loader.dataset, Examples):
            self.origin, self.classes = loader.dataset.dataset, loader.dataset.dataset.grouping.names
        if loader.persistent_workers:
            self._loader = copy.copy(loader)  # with workers of its own: the user's may be busy with a batch
            self._loader._iterator = None

    @property
    def examples(self):
        """Number of examples P: of the whole data set where this process reads a part of it."""
        if isinstance(self._sampler, DistributedSampler):
            return len(self._loader.dataset)
        try:
            return len(self._sampler)
        except (TypeError, NotImplementedError):
            return None

    def batches(self):
        """As `OfDataset.batches`. Raises StragError for a batch without labels, and for an unknown order."""
        with generators_kept(self._loader):
            order, seen = self._order(), 0
            for batch in self._loader:
                inputs, labels, ids = parts_of(batch)
                if ids is None:
                    ids = self._next(order, rows_of(labels), seen)
                seen += rows_of(labels)
                yield ids, inputs, labels

    def _next(self, order, count, seen):
        """The ids of the next examples of an order."""
        if order is None:
            problem = f"the order of {type(self._sampler).__name__} is not known, and its batches have no ids"
            raise bad_usage(f"`data`: {problem}", WITH_INDEX)
        ids = np.fromiter(itertools.islice(order, count), dtype=np.int64)
        if len(ids) < count:
            problem = f"yields more than the {number_of(seen + len(ids), 'example')} of its sampler"
            raise bad_usage(f"`data` {problem}", "build the loader over strag.with_index(dataset)")
        return ids

    def _order(self):
        """The positions in the data set as the loader reads them: an iterator, or None if it is random."""
        loader = self._loader
        is_plain = type(loader.batch_sampler) is BatchSampler
        in_order = getattr(loader, "in_order", True) or not loader.num_workers
        is_known = type(self._sampler) is SequentialSampler or isinstance(self._sampler, DistributedSampler)
        return iter(self._sampler) if is_plain and in_order and is_known else None


def parts_of(batch):
    """The inputs of a batch, its labels, and its ids or None.

    Raises StragError for a batch that is not (x, y), (x, y, ids) or a dict with labels.
    """
    if isinstance(batch, Mapping):
        inputs, labels, ids = _parts_of_dict(batch)
    elif isinstance(batch, (tuple, list)) and len(batch) in (2, 3):
        inputs, labels, ids = (*batch, None)[:3]
    else:
        what = (
            f"of {number_of(len(batch), 'part')}"
            if isinstance(batch, (tuple, list))
            else f"of type {type(batch).__name__}"
        )
        raise bad_usage(
            f"`data` yields a batch {what}", "yield (x, y), (x, y, index) or a dict with 'labels'"
        )
    return inputs, labels, ids


def _parts_of_dict(batch):
    """As `parts_of`, of a dict; its inputs are the one input, or the dict of all other entries."""
    named = [next((name for name in names if name in batch), None) for names in (LABELS, IDS, INPUTS)]
    labels, ids, inputs = named
    if labels is None:
        problem = f"`data` yields a dict without labels, with {', '.join(map(str, batch))}"
        raise bad_usage(problem, f"name them {LABELS[0]} or {LABELS[-1]}")
    rest = {name: part for name, part in batch.items() if name not in (labels, ids)}
    return rest if inputs is None else batch[inputs], batch[labels], None if ids is None else batch[ids]


def rows_of(labels):
    """Number of labels B in a batch. Raises StragError for one number."""
    shape = np.shape(labels)
    if not shape:
        raise bad_usage(f"`data` yields {shown(labels)} as labels of a batch", "yield one label per example")
    return shape[0]
