"""How classes form groups: parity, classes, ranges, and what makes no sense."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strag.datasets.grouping import Grouping, check_labels, group_examples, read_classes
from tests.files.makers import images, refused


@given(st.lists(st.integers(0, 9), min_size=1, max_size=50).map(np.array))
def test_parity_is_the_class_modulo_two(y):
    grouping = Grouping.parse("parity", range(10))
    assert grouping.names == ("even", "odd")
    np.testing.assert_array_equal(group_examples(grouping, y), y % 2)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=50).map(np.array))
def test_each_class_may_be_its_own_group(y):
    np.testing.assert_array_equal(group_examples(Grouping.parse("classes", range(10)), y), y)
    assert Grouping.parse("classes", range(3)).names == ("0", "1", "2")
    assert Grouping.parse("classes", range(3), ("cat", "dog", "cow")).names == ("cat", "dog", "cow")


@pytest.mark.parametrize(
    ("labels", "members"),
    [
        ("0-4/5-9", (0, 0, 0, 0, 0, 1, 1, 1, 1, 1)),
        ("0,2,4,6,8/1,3,5,7,9", (0, 1) * 5),
        ("3/0-2,4-9", (1, 1, 1, 0, 1, 1, 1, 1, 1, 1)),
        ("0-2/3-5/6-99", (0, 0, 0, 1, 1, 1, 2, 2, 2, 2)),
        (" 0-4 / 5-9 ", (0, 0, 0, 0, 0, 1, 1, 1, 1, 1)),
        ("0-1,1/2-9", (0, 0, 1, 1, 1, 1, 1, 1, 1, 1)),
    ],
)
def test_ranges_of_classes(labels, members):
    grouping = Grouping.parse(labels, range(10))
    assert grouping.members == members
    assert grouping.names == tuple(part.strip() for part in labels.split("/"))


def test_parity_is_the_same_as_its_ranges():
    assert (
        Grouping.parse("parity", range(10)).members
        == Grouping.parse("0,2,4,6,8/1,3,5,7,9", range(10)).members
    )


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("", "cannot read ''"),
        ("even", "cannot read 'even'"),
        ("0-4//5-9", "cannot read '"),
        ("-4/5-9", "cannot read '"),
        ("0-4/5-", "cannot read '"),
        ("0-4;5-9", "cannot read '"),
        ("0-5/5-9", "put class 5 into two groups"),
        ("0-9", "`labels` make 1 group,"),
        ("/".join("0" * 5000), "labels"),
    ],
)
def test_labels_that_make_no_groups(labels, words):
    text = refused(lambda: Grouping.parse(labels, range(10)), words, status=2)
    assert "use parity, classes, or groups such as 0-4/5-9" in text


def test_one_class_makes_no_groups():
    refused(
        lambda: Grouping.parse("classes", range(1)),
        "has only one class, 0",
        "provide examples of at least two",
    )
    refused(lambda: Grouping.parse("classes", [0], ["x"]), "has only one class, 'x'")
    twice = "`labels` 'cat/cat,1' put class 'cat' into two groups"
    refused(lambda: Grouping.parse("cat/cat,1", range(2), ["cat", "dog"]), twice, status=2)
    twice = "put class 0 into two groups"
    refused(lambda: Grouping.parse("0/0-1", range(2), ["cat", "dog"]), twice, status=2)
    refused(lambda: Grouping.parse("0", range(3)), "`labels` make 1 group,", status=2)


def test_too_few_names():
    refused(
        lambda: images(labels="classes", class_names=("a",)),
        "classes but 1 class name",
        "one name per class",
    )


def test_a_class_in_no_group_is_named():
    grouping = Grouping.parse("0-1/3", range(4))
    assert grouping.members == (0, 0, -1, 1)
    refused(
        lambda: group_examples(grouping, np.array([0, 3, 2])), "class 2 is in no group", "`labels`", status=2
    )


def test_a_data_set_groups_training_and_test_examples():
    data = images(labels="0/1-3")
    np.testing.assert_array_equal(data.groups, np.minimum(data.y, 1))
    np.testing.assert_array_equal(data.test_groups, np.minimum(data.y_test, 1))


NAMED = ("cat", "dog", "T-shirt/top", "a,b")


@pytest.mark.parametrize(
    ("labels", "members", "names"),
    [
        ('cat,dog/"T-shirt/top","a,b"', (0, 0, 1, 1), ("cat,dog", "T-shirt/top,a,b")),
        ('0-1/"a,b",2', (0, 0, 1, 1), ("0-1", "a,b,2")),
        ("dog / cat", (1, 0, -1, -1), ("dog", "cat")),
    ],
)
def test_groups_by_name(labels, members, names):
    found = Grouping.parse(labels, range(4), NAMED)
    assert (found.members, found.names) == (members, names)


@pytest.mark.parametrize(
    "labels", ["cat/T-shirt/top", "cat/a,b", 'cat/"dog', 'cat/"dog"x', "cat/Dog", '"cat,dog"/"a,b"']
)
def test_a_name_that_is_none_is_refused(labels):
    refused(lambda: Grouping.parse(labels, range(4), NAMED), f"cannot read '{labels}'", status=2)


def test_a_number_that_is_the_name_of_another_class_is_ambiguous():
    names = ("0", "1", "10", "2")  # as sorted as text
    refused(
        lambda: Grouping.parse("0,1/2,3", range(4), names), "'2' is the name of class 3", "quotes", status=2
    )
    assert Grouping.parse('0,1/"2","10"', range(4), names).members == (0, 0, 1, 1)


def test_classes_are_those_that_there_are():
    found = Grouping.parse("classes", (1, 2, 9))
    assert found.names == ("1", "2", "9")
    assert found.members == (-1, 0, 1, -1, -1, -1, -1, -1, -1, 2)


def test_a_list_of_classes():
    assert read_classes("8,3", range(10)) == [3, 8]
    assert read_classes("3-5,8", range(10)) == [3, 4, 5, 8]
    assert read_classes("dog,cat", range(4), NAMED) == [0, 1]
    refused(lambda: read_classes("3/8", range(10)), "cannot read `classes` '3/8'", status=2)


@pytest.mark.parametrize("labels", ["0-4/5-12", "0/12", "0-3/5,6,12", "0-9/11-12"])
def test_classes_that_are_not_there_are_refused_where_they_are_typed(labels):
    refused(lambda: check_labels(labels, range(10)), "has no class ", "use its classes: 0, 1", status=2)
    assert Grouping.parse(labels, range(13))  # a file may say so


def test_a_range_may_span_a_gap_but_a_number_must_be_there():
    check_labels("1-4/5-9", (1, 2, 3, 5, 9))
    assert read_classes("1-4", (1, 2, 3, 5, 9)) == [1, 2, 3]
    refused(lambda: check_labels("1-3,4/5-9", (1, 2, 3, 5, 9)), "has no class 4 (in", status=2)
    refused(lambda: read_classes("4", (1, 2, 3, 5, 9)), "has no class 4 (in", status=2)


def test_a_range_that_is_also_a_name_is_ambiguous():
    ages = ("0-2", "3-5", "6-9")
    refused(lambda: read_classes("0-2", range(3), ages), "'0-2' is the name of class 0", "quotes", status=2)
    assert read_classes('"0-2","6-9"', range(3), ages) == [0, 2]
    refused(lambda: read_classes("1-2", range(4), ("1", "10", "2", "cat")), "'1' is the name", status=2)


def test_parity_of_positions_is_refused():
    refused(
        lambda: check_labels("parity", range(4), ("1", "10", "2", "cat")),
        "class 0 has the name '1'",
        status=2,
    )
    check_labels("parity", (1, 2, 10), ("1", "2", "10"))
    check_labels("parity", range(2), ("a", "b"))


def test_a_quote_within_a_name_is_doubled():
    assert read_classes('"say ""a""",b', range(2), ('say "a"', "b")) == [0, 1]
