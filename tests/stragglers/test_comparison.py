"""How far sets of stragglers overlap."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strag.stragglers.comparison import compare

sets_of = st.lists(st.sets(st.integers(0, 99)), min_size=2, max_size=5)


def compared(sets, examples=100):
    arrays = [np.array(sorted(one), dtype=np.int64) for one in sets]
    return compare(arrays, examples, [f"s{n}" for n in range(len(sets))])


@given(sets_of)
@settings(deadline=None)
def test_counts_are_those_of_sets_and_every_matrix_is_symmetric(sets):
    found = compared(sets)
    assert found.sizes.tolist() == [len(one) for one in sets]
    assert found.common.tolist() == [[len(a & b) for b in sets] for a in sets]
    np.testing.assert_allclose(found.expected, [[len(a) * len(b) / 100 for b in sets] for a in sets])
    for values in (found.common, found.expected, found.kappa, found.jaccard):
        np.testing.assert_array_equal(values, values.T)


@given(sets_of)
@settings(deadline=None)
def test_a_set_agrees_fully_with_itself(sets):
    found = compared(sets)
    for size, kappa, jaccard in zip(found.sizes, np.diag(found.kappa), np.diag(found.jaccard), strict=True):
        assert np.isnan(jaccard) if size == 0 else jaccard == 1
        assert np.isnan(kappa) if size in (0, 100) else kappa == pytest.approx(1)


@given(sets_of, st.randoms())
@settings(deadline=None)
def test_only_which_examples_are_the_same_matters(sets, random):
    names = random.sample(range(100), 100)
    renamed = [{names[example] for example in one} for one in sets]
    np.testing.assert_array_equal(compared(sets).kappa, compared(renamed).kappa)


def test_known_numbers():
    found = compared([range(40), range(10, 70)], examples=200)
    assert (found.common[0, 1], found.expected[0, 1]) == (30, 12)
    assert found.kappa[0, 1] == pytest.approx(18 / 38)
    assert found.jaccard[0, 1] == pytest.approx(30 / 70)
    assert found.names == ("s0", "s1")


def test_empty_sets_alone():
    found = compared([[], []])
    assert found.common.tolist() == [[0, 0], [0, 0]]
    assert np.isnan(found.kappa).all()
