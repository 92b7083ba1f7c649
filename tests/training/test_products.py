"""The products own the layout of their operands: how an array lies in memory changes no number."""

import numpy as np
import pytest
import torch

from strag.training import products
from strag.training.loop import train
from strag.training.recipe import Recipe
from strag.training.task import Task

LAYOUTS = {
    "row by row": lambda x: x,
    "column by column": lambda x: x.t().contiguous().t(),
    "rows of one that lies column by column": lambda x: torch.cat([x, x]).t().contiguous().t()[: len(x)],
    "some columns": lambda x: torch.cat([x, x], dim=1)[:, : x.shape[1]],
    "every second row and column": lambda x: x.repeat_interleave(2, 0).repeat_interleave(2, 1)[::2, ::2],
    "one row for all": lambda x: x[:1].expand(len(x), -1),
}


def is_dense(matrix):
    """Whether rows, or columns, follow each other without gaps."""
    rows, columns = matrix.shape
    return matrix.stride() in ((columns, 1), (1, rows))


@pytest.fixture
def taken(monkeypatch):
    """The second operands that the fast product is called with; where there is none, torch's stands in."""
    seen = []

    def multiply(a, b, *_):
        seen.append(b)
        return a @ b.t()

    monkeypatch.setattr(products, "_onednn", multiply)
    return seen


@pytest.mark.parametrize("layout", LAYOUTS)
def test_products_take_any_layout_and_hand_on_dense_operands(layout, taken):
    generator = torch.Generator().manual_seed(0)
    x = LAYOUTS[layout](torch.randn(7, 5, generator=generator))
    weight, slope = torch.randn(3, 5, generator=generator), torch.randn(3, 7, generator=generator)
    out, total = torch.empty(3, 7), torch.ones(3, 5)
    products.product(weight, x.t(), out)
    products.add_product(torch.float32, slope, x, total)
    assert len(taken) == 2
    assert all(is_dense(operand) for operand in taken)
    torch.testing.assert_close(out, weight @ x.t())
    torch.testing.assert_close(total, 1 + slope @ x)


@pytest.mark.parametrize("batch_size", [None, 16])
def test_training_on_columns_chosen_by_a_mask_gives_the_same_bytes(batch_size):
    random = np.random.default_rng(0)
    x = random.normal(size=(64, 9)).astype(np.float32)
    chosen = x[:, np.arange(9) < 6]
    assert not chosen.flags.c_contiguous
    recipe = Recipe.of(runs=2, epochs=3, width=4, batch_size=batch_size, noise=(0.0, 0.5))
    records = []
    for inputs in (chosen, np.ascontiguousarray(chosen)):
        group = np.arange(64) % 2
        task = Task(
            x=inputs,
            columns=np.arange(6),
            shape=(6,),
            varying=np.ones(6, bool),
            group=group,
            classes=2,
            index=np.arange(64),
            origin_size=64,
            seed_runs=(0, 1),
            x_test=inputs,
            test_group=group,
        )
        records.append(list(train(recipe, task, weights_at=(recipe.updates(64),))))
    for one, other in zip(*records, strict=True):
        np.testing.assert_array_equal(one.train_loss, other.train_loss)
        np.testing.assert_array_equal(one.test_misclassified, other.test_misclassified)
    for name, values in records[0][-1].weights.items():
        assert torch.equal(values, records[1][-1].weights[name]), name
