"""Blocks, shuffles, grey, classes, test examples, flips: what they take, and that each is a new origin."""

from dataclasses import replace

import numpy as np
import pytest

from strag.datasets.dataset import Dataset, mean_and_std
from strag.datasets.grouping import group_examples
from strag.datasets.names import Names
from strag.datasets.transforms import Changes, changed, with_test
from tests.files.makers import images, refused


def block_of(data, size=None, block=None, shuffle=None):
    return changed(data, Changes(size=size, block=block, shuffle=shuffle))


def grey(data):
    return changed(data, Changes(gray=True))


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
    refused(
        lambda: block_of(data, 6, 5, shuffle), "no block 5 of size 6, only 24 examples", "1 to 4", status=2
    )


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
        ({"block": 2}, "`block` needs `size`"),
        ({"size": 25}, "`size` 25 is not possible with 24 examples; use a size from 1 to 24"),
        ({"size": 0}, "cannot use 0 as `size`; pass a whole number from 1 on"),
        ({"size": 24, "block": 2}, "has no block 2 of size 24, only 24 examples"),
    ],
)
def test_blocks_that_do_not_exist(options, words):
    refused(lambda: block_of(images(), **options), words, status=2)


@pytest.mark.parametrize(("shape", "axis"), [((4, 5, 3), 3), ((3, 4, 5), 1), ((4, 5, 1), 3)])
def test_grey_is_the_mean_of_the_colours(shape, axis):
    data = coloured(shape)
    found = grey(data)
    assert found.x.dtype == found.x_test.dtype == np.float32
    np.testing.assert_allclose(found.x, data.x.astype(float).mean(axis=axis), rtol=1e-6)
    np.testing.assert_allclose(found.x_test, data.x_test.astype(float).mean(axis=axis), rtol=1e-6)
    assert found.origin == found.identity != data.origin


def test_grey_without_colours_or_without_a_test_set():
    refused(lambda: grey(images()), "examples of shape [2, 3] have no colours", "remove `gray`")
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
        (lambda d: block_of(d, 6, 2, 7), "--shuffle 7 --size 6 --block 2"),
        (lambda d: block_of(d, shuffle=0), "--shuffle 0"),
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


def named(**changes):
    """A data set of 24 examples of 4 classes with names, of which example i is called `i`."""
    data = replace(images(), x_test=None, y_test=None, names=Names.of([str(i) for i in range(24)]), **changes)
    return replace(data, origin=None)


def test_what_changes_nothing_gives_the_data_set_back():
    data = images()
    assert changed(data, Changes()).identity == data.identity
    assert changed(data, Changes(labels="classes")).origin == data.origin
    assert changed(data, Changes(seed=3)).origin == data.origin


def test_classes_that_are_kept_keep_their_numbers():
    data = named(class_names=("ant", "bee", "cat", "dog"), class_numbers=(0, 1, 2, 3))
    for text in ("1,3", "bee,dog", "3,1"):
        found = changed(data, Changes(classes=text))
        rows = np.flatnonzero(np.isin(data.y, (1, 3)))
        np.testing.assert_array_equal(found.x, data.x[rows])
        np.testing.assert_array_equal(found.y, data.y[rows])
        assert [found.names[row] for row in range(len(rows))] == [str(row) for row in rows]
        assert (found.class_numbers, found.class_names) == ((1, 3), ("bee", "dog"))
        assert replace(found, labels="classes").grouping.names == ("bee", "dog")
        assert found.command == f"{data.command} --classes {text}"
    lacking = changed(data, Changes(classes="1,3"))
    refused(lambda: changed(lacking, Changes(classes="2")), "has no class ", status=2)
    refused(lambda: changed(data, Changes(classes="1/3")), "cannot read `classes`", status=2)
    refused(lambda: changed(data, Changes(classes="4")), "has no class ", status=2)


def test_classes_leave_the_test_set_only_where_it_has_them():
    data = images()
    assert changed(data, Changes(classes="0,1")).y_test.tolist() == data.y_test[data.y_test < 2].tolist()
    lone = replace(data, y_test=np.full_like(data.y_test, 3), origin=None)
    assert not changed(lone, Changes(classes="0,1")).has_test


@pytest.mark.parametrize("share", [0.25, 0.3, 0.5])
def test_examples_held_out_are_the_test_set(share):
    data = named()
    found = changed(data, Changes(hold_out=share, seed=1))
    assert len(found.y_test) == round(share * 24)
    rows = [int(found.names[row]) for row in range(len(found.y))]
    assert rows == sorted(rows)
    np.testing.assert_array_equal(found.x, data.x[rows])
    rest = np.setdiff1d(np.arange(24), rows)
    np.testing.assert_array_equal(found.x_test, data.x[rest])
    np.testing.assert_array_equal(found.y_test, data.y[rest])
    assert changed(data, Changes(hold_out=share, seed=2)).identity != found.identity
    assert found.command == f"{data.command} --hold-out {share} --seed 1"


def test_what_cannot_be_held_out():
    refused(lambda: changed(images(), Changes(hold_out=0.5)), "has a test set already", status=2)
    refused(
        lambda: changed(named(), Changes(hold_out=0.01)), "`hold_out` 0.01 moves 0 of 24 examples", status=2
    )
    refused(lambda: changed(named(), Changes(hold_out=0.95)), "no training example of class", status=2)


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("labels", ["parity", "classes", "0/1-3"])
def test_flipped_labels_are_of_another_group(share, labels):
    data = replace(images(), labels=labels)
    found = changed(data, Changes(flip_labels=share, seed=4))
    flipped = found.y != data.y
    assert flipped.sum() == round(share * 24)
    np.testing.assert_array_equal(found.y_true, data.y)
    groups = group_examples(data.grouping, data.y)
    assert (found.groups != groups).tolist() == flipped.tolist()
    np.testing.assert_array_equal(found.y_test, data.y_test)
    np.testing.assert_array_equal(found.x, data.x)
    assert found.origin == found.identity != data.origin
    assert found.command == f"{data.command} --labels {labels} --flip-labels {share} --seed 4"


def test_labels_that_are_flipped_twice_keep_what_they_were():
    data = images()
    once = changed(data, Changes(flip_labels=0.5))
    twice = changed(once, Changes(flip_labels=0.5, seed=1))
    np.testing.assert_array_equal(twice.y_true, data.y)
    np.testing.assert_array_equal(twice.rows([3, 5]).y_true, data.y[[3, 5]])


def test_labels_that_cannot_be_flipped():
    refused(lambda: changed(images(), Changes(flip_labels=0.001)), "flips none of 24 examples", status=2)
    alone = Changes(classes="1,3", labels="parity", flip_labels=0.5)
    refused(lambda: changed(images(), alone), "only one group", "`labels`", status=2)


def test_rows_get_a_shape():
    data = replace(images(), x=images().x.reshape(24, 6), x_test=None, y_test=None, origin=None)
    assert changed(data, Changes(shape=(2, 3))).x.shape == (24, 2, 3)
    np.testing.assert_array_equal(changed(data, Changes(shape=(2, 3))).x, images().x)
    refused(lambda: changed(data, Changes(shape=(2, 2))), "have 6 inputs, but `shape` 2x2 has 4", status=2)


def test_labels_beyond_the_classes_are_refused():
    refused(lambda: changed(images(), Changes(labels="0-1/2-9")), "has no class 2-9 (in", status=2)


def test_the_order_is_classes_hold_out_shuffle_block_flips():
    data = named()
    everything = Changes(classes="0-2", hold_out=0.25, shuffle=3, size=6, block=2, flip_labels=0.5, seed=1)
    steps = (
        Changes(classes="0-2"),
        Changes(hold_out=0.25, seed=1),
        Changes(shuffle=3, size=6, block=2),
        Changes(flip_labels=0.5, seed=1),
    )
    one_by_one = data
    for step in steps:
        one_by_one = changed(one_by_one, step)
    assert changed(data, everything).identity == one_by_one.identity


def test_a_test_set_from_elsewhere():
    data = named(class_names=("ant", "bee", "cat", "dog"), class_numbers=(0, 1, 2, 3))
    other = replace(data, class_names=("dog", "cat", "bee", "ant"), y=3 - data.y, origin=None)
    found = with_test(data, other, ["--test", "t"])
    np.testing.assert_array_equal(found.y_test, data.y)
    assert found.command == f"{data.command} --test t"
    refused(lambda: with_test(found, other), "has a test set already", status=2)
    mixed = with_test(data, replace(other, x=other.x.astype(np.float32) + 0.5, origin=None))
    assert mixed.x.dtype == mixed.x_test.dtype == np.float32
    refused(
        lambda: with_test(data, images()), "of the training set have names, but those of the test set do not"
    )
    unknown = replace(other, class_names=("dog", "cat", "bee", "elk"), origin=None)
    refused(lambda: with_test(data, unknown), "its class 'elk' is not a class of the training set")


def test_columns_of_a_test_set_are_told_by_their_names():
    rows = {"x": images().x.reshape(24, 6), "x_test": None, "y_test": None, "origin": None}
    data = replace(images(), **rows, columns=tuple("abcdef"))
    turned = replace(data, x=data.x[:, ::-1].copy(), columns=tuple("fedcba"), origin=None)
    np.testing.assert_array_equal(with_test(data, turned).x_test, data.x)
    other = replace(data, columns=tuple("abcdeg"), origin=None)
    refused(lambda: with_test(data, other), "the test set lacks column 'f'", "use the same columns")
    assert changed(data, Changes(shape=(2, 3))).columns is None
    assert changed(data, Changes(size=5)).columns == data.columns


def test_flipped_labels_never_reach_a_test_set():
    data = named()
    flipped = changed(data, Changes(flip_labels=0.5, seed=1))
    held = changed(flipped, Changes(hold_out=0.5, seed=1))
    rows = {bytes(x): y for x, y in zip(data.x, data.y, strict=True)}
    assert [rows[bytes(x)] for x in held.x_test] == held.y_test.tolist()
    np.testing.assert_array_equal(with_test(data, flipped).y_test, data.y)


def test_a_fourth_channel_is_no_colour():
    data = coloured((4, 5, 4))
    refused(lambda: grey(data), "fourth channel, such as transparency")
    opaque = data.x.copy()
    opaque[..., 3] = 255
    found = grey(replace(data, x=opaque, x_test=opaque[:2], origin=None))
    np.testing.assert_allclose(found.x, opaque[..., :3].astype(float).mean(axis=-1), rtol=1e-6)


def test_a_pruned_data_set_gets_a_test_set_as_an_origin_of_its_own():
    found = with_test(named().rows([3, 1]), named(), ["--test", "t"])
    assert (found.index.tolist(), found.origin, found.origin_size) == ([0, 1], found.identity, 2)
    assert found.mean is None
    assert found.command.endswith("| strag prune - STRAGGLERS | strag data - --test t")


def test_a_class_of_the_test_set_alone_is_refused():
    data = named()
    more = replace(data, y=data.y + 1, class_numbers=None, class_count=0, origin=None)
    refused(lambda: with_test(data, more), "its class '4' is not a class of the training set")
    spelled = replace(data, class_names=("0", "1", "2", "3"), origin=None)
    np.testing.assert_array_equal(with_test(spelled, data).y_test, data.y)


def test_groups_of_classes_that_are_left_out_are_refused_or_given_anew():
    data = named(class_names=("ant", "bee", "cat", "dog"), labels="ant,bee/cat,dog")
    refused(
        lambda: changed(data, Changes(classes="ant,cat")),
        "contain classes that `classes` does not keep",
        status=2,
    )
    assert changed(data, Changes(classes="ant,cat", labels="classes")).grouping.names == ("ant", "cat")
    ranges = replace(named(), labels="0-1/2-3")
    assert changed(ranges, Changes(classes="0,2", flip_labels=0.5)).y_true is not None


def test_images_of_the_size_that_is_asked_for_are_left_alone():
    data = images()
    assert changed(data, Changes(resize=(2, 3))).x is data.x
    assert changed(data, Changes(resize=(4, 6))).x.shape == (24, 4, 6)


def test_one_class_alone_is_no_task():
    refused(lambda: changed(named(), Changes(classes="3,3")), "`classes` 3,3 keeps only one class", status=2)
    refused(
        lambda: changed(named(), Changes(classes="")), "cannot read `classes` ''", "such as 3,8", status=2
    )
    refused(lambda: changed(named(), Changes(classes="bird")), "no class 'bird'", status=2)
