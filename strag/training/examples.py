"""The examples of a Dataset of strag as a network of the user's own loop takes them."""

import operator
from functools import cached_property

import torch

from strag.datasets.dataset import standardise
from strag.training.images import as_images
from strag.training.prepare import spread


class Examples:
    """A map-style data set of the examples (x, group, index) of a Dataset.

    x is a float32 tensor with the channels first. It is standardised as `strag.train` does by default; inputs
    that are constant are 0. index is the example's row in the origin.

    dataset : the Dataset.
    """

    def __init__(self, dataset):
        self.dataset = dataset

    def __len__(self):
        return len(self.dataset.y)

    def __getitem__(self, at):
        return self.__getitems__([range(len(self))[operator.index(at)]])[0]

    def __getitems__(self, at):
        x, group, index = self.rows([operator.index(row) for row in at])
        return list(zip(x, group.tolist(), index.tolist(), strict=True))

    def rows(self, at):
        """The examples at some rows: x, tensor [B, ...]; group and index, int64 [B]."""
        data, (mean, std, columns) = self.dataset, self._standardisation
        x = spread(standardise(data.x[at], mean, std), columns, data.features)
        return as_images(torch.from_numpy(x), data.x.shape[1:]), data.groups[at], data.index[at]

    @cached_property
    def _standardisation(self):
        """Mean and standard deviation [d], and the inputs that vary."""
        mean, std = self.dataset.standardisation()
        return mean, std, (std > 0).nonzero()[0]
