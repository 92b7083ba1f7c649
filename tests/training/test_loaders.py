"""What data of a user yield: examples with their labels and ids, in a known order."""

from types import MappingProxyType

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
)
from torch.utils.data.distributed import DistributedSampler

from strag.datasets.dataset import standardise
from strag.errors import StragError
from strag.training.images import as_images
from strag.training.indexed import with_index
from strag.training.loaders import open_data
from strag.training.observing import Observer
from tests.conftest import made_up

P = 10
X, Y = torch.arange(2 * P, dtype=torch.float32).reshape(P, 2), torch.arange(P) % 3
PLAIN = TensorDataset(X, Y)


class Dicts(Dataset):
    """Examples that are dicts with these names."""

    def __init__(self, x="x", y="labels", **more):
        self.names, self.more = (x, y), more

    def __len__(self):
        return P

    def __getitem__(self, at):
        return {self.names[0]: X[at], self.names[1]: int(Y[at]), **self.more}


class Streamed(IterableDataset):
    def __iter__(self):
        return iter(zip(X, Y, strict=True))


def as_list(values):
    return list(values) if isinstance(values, list) else values.tolist()


def read(data):
    """All ids, inputs and labels of data."""
    batches = list(open_data(data).batches())
    ids, labels = ([part for batch in batches for part in as_list(batch[place])] for place in (0, 2))
    return ids, torch.cat([batch[1] for batch in batches]), labels


class Own(DataLoader):
    """A loader whose batches are of a user's own form."""

    form = staticmethod(lambda x, y: (x, y))

    def __iter__(self):
        return (self.form(*batch) for batch in super().__iter__())


def own(form, dataset=PLAIN, **options):
    loader = Own(dataset, 4, **options)
    loader.form = form
    return loader


IN_ORDER = {
    "arrays": (X, Y),
    "list": [X.numpy(), Y.tolist()],
    "dataset": PLAIN,
    "examples": list(zip(X, Y, strict=True)),
    "indexed": with_index(PLAIN),
    "loader": DataLoader(PLAIN, 3),
    "workers": DataLoader(PLAIN, 3, num_workers=2, multiprocessing_context="fork"),
    "concatenated": DataLoader(ConcatDataset([Subset(PLAIN, range(4)), Subset(PLAIN, range(4, P))]), 3),
    "dicts": DataLoader(Dicts(), 3),
    "images": Dicts("image", "label"),
    "mapping": own(lambda x, y: MappingProxyType({"x": x, "y": y})),
    "triple": own(lambda x, y: (x, y, torch.arange(int(x[0, 0]) // 2, int(x[-1, 0]) // 2 + 1))),
}


@pytest.mark.parametrize("name", IN_ORDER)
def test_data_in_order_have_their_positions_as_ids(name):
    ids, x, labels = read(IN_ORDER[name])
    assert ids == list(range(P))
    assert torch.equal(x, X)
    assert labels == Y.tolist()
    assert open_data(IN_ORDER[name]).examples == P


SHUFFLED = {
    "tuples": with_index(PLAIN),
    "lists": with_index([[x, y] for x, y in PLAIN]),
    "dicts": with_index(Dicts()),
    "subset": Subset(with_index(PLAIN), [7, 2, 5]),
}


@pytest.mark.parametrize("name", SHUFFLED)
def test_data_with_index_are_read_in_any_order(name):
    loader = DataLoader(SHUFFLED[name], 4, shuffle=True, generator=torch.Generator().manual_seed(0))
    ids, x, labels = read(loader)
    assert sorted(ids) == (sorted([7, 2, 5]) if name == "subset" else list(range(P)))
    assert ids != sorted(ids)
    assert torch.equal(x, X[ids])
    assert labels == Y[ids].tolist()


def test_ids_may_be_text():
    class Named(Dicts):
        def __getitem__(self, at):
            return {**super().__getitem__(at), "id": f"n{at}"}

    ids, _, labels = read(DataLoader(Named(), 4, shuffle=True))
    assert sorted(ids) == sorted(f"n{at}" for at in range(P))
    assert [int(Y[int(name[1:])]) for name in ids] == labels


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("indexed", [False, True])
def test_ranks_read_their_own_examples(shuffle, indexed):
    """10 on 4 ranks are 12, of which two are read twice."""
    dataset, found = with_index(PLAIN) if indexed else PLAIN, []
    for rank in range(4):
        sampler = DistributedSampler(dataset, 4, rank, shuffle=shuffle)
        loader = DataLoader(dataset, 2, sampler=sampler)
        for epoch in range(2):
            sampler.set_epoch(epoch)
            ids, x, _ = read(loader)
            assert torch.equal(x, X[ids])
        found += ids
        assert open_data(loader).examples == P
    assert len(found) == 12
    assert set(found) == set(range(P))


@pytest.mark.parametrize(
    "loader",
    [
        DataLoader(PLAIN, 4, shuffle=True),
        DataLoader(PLAIN, 4, sampler=SubsetRandomSampler([3, 1, 2])),
        DataLoader(PLAIN, batch_sampler=[[3, 1], [2, 5]]),
    ],
    ids=["shuffle", "subset", "batches"],
)
def test_an_unknown_order_is_refused_with_the_remedy(loader):
    with pytest.raises(
        StragError, match=r"the order of \w+ is not known.*; build the loader over strag.with_index"
    ):
        read(loader)


def test_a_loader_of_more_batches_than_its_sampler_is_refused():
    class Twice(DataLoader):
        def __iter__(self):
            yield from super().__iter__()
            yield from super().__iter__()

    with pytest.raises(StragError, match="yields more than the 10 examples of its sampler"):
        read(Twice(PLAIN, 4))


@pytest.mark.parametrize(
    "data",
    [3, None, X, (X, Y, Y), iter(PLAIN), Streamed(), {"x": X, "y": Y}, (X, "text")],
    ids=["number", "none", "tensor", "triple", "iterator", "stream", "dict", "text"],
)
def test_other_data_are_refused(data):
    with pytest.raises(
        StragError, match=r"cannot read examples from .*; pass a DataLoader, a map-style data set"
    ):
        open_data(data)


@pytest.mark.parametrize("loader", [DataLoader(Streamed()), DataLoader(PLAIN, batch_size=None)])
def test_loaders_without_positions_name_the_other_form(loader):
    with pytest.raises(StragError, match=r"cannot read ids from the DataLoader.*; use Recorder"):
        open_data(loader)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (lambda x, y: x, "yields a batch of type Tensor; yield"),
        (lambda x, y: (x,), "yields a batch of 1 parts?"),
        (lambda x, y: {"x": x}, "yields a dict without labels, with x; name them labels or y"),
        (lambda x, y: (x, y[0]), "yields an object of type Tensor as labels"),
    ],
)
def test_batches_of_another_form_are_refused(form, words):
    with pytest.raises(StragError, match=f"`data`:? {words}"):
        read(own(form))


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(StragError, match="`data` have 10 examples but 9 labels"):
        open_data((X, Y[:9]))


class ByName(nn.Module):
    """A network whose inputs have names."""

    def forward(self, tokens, mask):
        return tokens[:, :2] * mask[:, None]


class Two(nn.Module):
    def forward(self, a, b):
        return a[:, :2] - b[:, :2]


def test_several_inputs_are_passed_by_name_or_in_order():
    seen = []
    Observer(ByName(), (), Dicts("tokens", mask=2)).observe(lambda *batch: seen.append(batch[1]))
    pairs = own(lambda x, y: ((x, x + 1), y))
    Observer(Two(), (), pairs).observe(lambda *batch: seen.append(batch[1]))
    assert torch.equal(torch.cat(seen[:1]), 2 * X)
    assert torch.equal(torch.cat(seen[1:]), torch.full((P, 2), -1.0))


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3), (12,), (2, 3, 4, 5)])
def test_a_dataset_of_strag_is_standardised_as_in_a_training(shape):
    """Also its examples with_index, which are those that the user's loop trains on."""
    whole = made_up(P=300, shape=shape) if len(shape) > 1 else made_up(P=300, shape=(3, 4))
    if len(shape) == 1:
        from dataclasses import replace

        whole = replace(whole, x=whole.x.reshape(300, 12), x_test=whole.x_test.reshape(80, 12), origin=None)
    data = whole.rows(np.arange(299, 0, -1))  # which keeps the mean and standard deviation of the whole
    source = open_data(data)
    ids, x, labels = read(data)
    assert (source.origin, source.examples, source.classes) == (data, 299, data.grouping.names)
    assert ids == data.index.tolist()
    assert labels == data.groups.tolist()
    mean, std = whole.standardisation()
    wanted = np.zeros((299, data.features), np.float32)
    wanted[:, std > 0] = standardise(data.x, mean, std)
    assert torch.equal(x, as_images(torch.from_numpy(wanted), data.x.shape[1:]))
    loader = DataLoader(with_index(data), 64)
    again = read(loader)
    assert again[0] == ids
    assert torch.equal(again[1], x)
    assert again[2] == labels
    assert open_data(loader).origin is data
