"""strag.with_index: a data set whose examples carry their index."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import strag
from strag.errors import StragError
from tests.conftest import made_up

X, Y = torch.arange(12.0).reshape(6, 2), torch.arange(6) % 2


class Listed:
    """A data set that also reads several examples at a time."""

    def __len__(self):
        return 6

    def __getitem__(self, at):
        return X[at], int(Y[at])

    def __getitems__(self, at):
        return [self[row] for row in at]


def test_the_index_is_the_last_part_of_an_example():
    for dataset in (TensorDataset(X, Y), Listed()):
        indexed = strag.with_index(dataset)
        assert len(indexed) == 6
        assert [indexed[at][2] for at in range(6)] == list(range(6))
        assert torch.equal(indexed[4][0], X[4])
        assert indexed[-1][2] == 5
        assert indexed[torch.tensor(3)][2] == indexed[np.int64(3)][2] == 3
        with pytest.raises(IndexError):
            indexed[6]


@pytest.mark.parametrize(
    ("example", "wanted"),
    [
        ((1, 2), (1, 2, 0)),
        ([1, 2], [1, 2, 0]),
        ({"x": 1, "y": 2}, {"x": 1, "y": 2, "index": 0}),
        (1, (1, 0)),
        ("text", ("text", 0)),
    ],
)
def test_every_form_of_an_example_keeps_its_form(example, wanted):
    assert strag.with_index([example])[0] == wanted
    assert type(strag.with_index([example])[0]) is type(wanted)


def test_tensors_are_examples():
    assert torch.equal(strag.with_index(X)[2][0], X[2])


def test_several_examples_at_a_time_are_read_as_the_data_set_does():
    assert strag.with_index(Listed()).__getitems__([4, 1])[1][2] == 1
    assert hasattr(strag.with_index(Listed()), "__getitems__")
    assert not hasattr(strag.with_index([1]), "__getitems__")


def test_a_loader_yields_the_index_of_every_example():
    loader = DataLoader(strag.with_index(Listed()), 4, shuffle=True)
    for x, y, index in loader:
        assert torch.equal(x, X[index])
        assert torch.equal(y, Y[index])


def test_it_can_be_sent_to_workers():
    indexed = pickle.loads(pickle.dumps(strag.with_index(TensorDataset(X, Y))))
    assert indexed[3][2] == 3


def test_the_examples_of_a_dataset_of_strag_have_its_groups_and_index():
    data = made_up(P=30).rows(np.arange(29, 4, -1))
    examples = strag.with_index(data)
    x, group, index = examples[3]
    assert (x.shape, group, index) == ((1, 4, 5), data.groups[3], 26)
    assert x.dtype == torch.float32
    assert len(examples) == 25
    with pytest.raises(IndexError):
        examples[25]


@pytest.mark.parametrize("data", [(X, Y), {"x": X}, iter([1]), 3])
def test_what_has_no_positions_is_refused(data):
    with pytest.raises(StragError, match="is not a map-style data set; pass a data set with"):
        strag.with_index(data)


def test_torch_is_not_loaded():
    script = "import strag, sys; strag.with_index([(1, 2)])[0]; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"
