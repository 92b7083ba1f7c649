"""Blocks, shuffles and grey: which rows they take, and that each begins a new origin."""

from dataclasses import replace

import numpy as np
import pytest

from strag.datasets.dataset import Dataset, mean_and_std
from strag.datasets.transforms import block_of, grey
from tests.files.makers import images, refused


def coloured(shape, P=6):
    x = np.random.default_rng(1).integers(0, 256, (P, *shape), dtype=np.uint8)
    return Dataset(x, np.arange(P) % 2, np.arange(P), x[:2], np.arange(2), command="strag data c")


@pytest.mark.parametrize("shuffle", [None, 0, 5])
def test_blocks_tile_the_data_set(shuffle):
    data = images()
    blocks = [block_of(data, 6, n, shuffle) for n in (1, 2, 3, 4)]
    joined = np.concatenate([block.x for block in blocks])
    order = np.arange(24) if shuffle is None else np.random.default_rng(shuffle).permutation(24)
    np.testing.assert_array_equal(joined, data.x[order])
    np.testing.assert_array_equal(np.concatenate([block.y for block in blocks]), data.y[order])
    refused(lambda: block_of(data, 6, 5, shuffle), "no block 5 of 6 among 24 examples", "1 to 4", status=2)


def test_a_block_is_an_origin_of_its_own():
    data = images()
    block = block_of(data.rows(np.arange(10, 24)), 5, 2)
    np.testing.assert_array_equal(block.x, data.x[15:20])
    np.testing.assert_array_equal(block.index, np.arange(5))
    assert (block.origin, block.origin_size) == (block.identity, 5)
    assert block.mean is block.std is None
    np.testing.assert_array_equal(block.standardisation()[0], mean_and_std(data.x[15:20])[0])
    np.testing.assert_array_equal(block.x_test, data.x_test)


def test_the_first_block_is_the_size_alone():
    assert block_of(images(), 6, 1).origin == block_of(images(), 6).origin
    assert block_of(images(), 24).origin == images().origin


def test_a_shuffle_keeps_the_examples_and_depends_on_its_seed():
    data = images()
    shuffled = [block_of(data, shuffle=seed) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(shuffled[0].x, shuffled[1].x)
    assert shuffled[0].origin != shuffled[2].origin
    for one in shuffled:
        np.testing.assert_array_equal(np.sort(one.x, axis=None), np.sort(data.x, axis=None))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"block": 2}, "--block needs --size"),
        ({"size": 25}, "--size 25 is not possible: there are 24 examples; give 1 to 24"),
        ({"size": 0}, "--size 0 is not possible"),
        ({"size": 24, "block": 2}, "there is no block 2 of 24 among 24 examples"),
    ],
)
def test_blocks_that_do_not_exist(options, words):
    refused(lambda: block_of(images(), **options), words, status=2)


@pytest.mark.parametrize(("shape", "axis"), [((4, 5, 3), 3), ((3, 4, 5), 1), ((4, 5, 1), 3), ((4, 5, 4), 3)])
def test_grey_is_the_mean_of_the_colours(shape, axis):
    data = coloured(shape)
    found = grey(data)
    assert found.x.dtype == found.x_test.dtype == np.float32
    np.testing.assert_allclose(found.x, data.x.astype(float).mean(axis=axis), rtol=1e-6)
    np.testing.assert_allclose(found.x_test, data.x_test.astype(float).mean(axis=axis), rtol=1e-6)
    assert found.origin == found.identity != data.origin


def test_grey_without_colours_or_without_a_test_set():
    refused(lambda: grey(images()), "examples of shape [2, 3] have no colours", "leave --gray out")
    refused(lambda: grey(coloured((5, 6, 7))), "have no colours")
    assert not grey(replace(coloured((4, 5, 3)), x_test=None, y_test=None)).has_test


def test_grey_and_block_commute():
    data = coloured((4, 5, 3))
    assert grey(block_of(data, 3, 2)).origin == block_of(grey(data), 3, 2).origin


@pytest.mark.parametrize(
    ("made", "command"),
    [
        (lambda d: block_of(d, 6), "--size 6"),
        (lambda d: block_of(d, 6, 2), "--size 6 --block 2"),
        (lambda d: block_of(d, 6, 2, 7), "--size 6 --block 2 --shuffle 7"),
        (lambda d: block_of(d, shuffle=0), "--size 24 --shuffle 0"),
        (lambda d: block_of(block_of(d, 12), 4, 2), "--size 12 | strag data - --size 4 --block 2"),
        (lambda d: block_of(d.rows(np.arange(9)), 4), "| strag prune - STRAGGLERS | strag data - --size 4"),
    ],
)
def test_the_command_says_how_to_make_it_again(made, command):
    data = images()
    assert made(data).command == f"{data.command} {command}"
    assert made(data).origin != data.origin


def test_grey_is_part_of_the_command():
    data = coloured((4, 5, 3))
    assert grey(data).command == "strag data c --gray"
    assert block_of(grey(data), 3).command == "strag data c --gray | strag data - --size 3"
