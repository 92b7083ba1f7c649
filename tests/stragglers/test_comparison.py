"""How far sets of stragglers overlap."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strag.stragglers.comparison import SetKind, compare, kind_of
from strag.stragglers.finding import Finding
from strag.stragglers.over_runs import OverRuns

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


@given(sets_of)
@settings(deadline=None)
def test_contained_is_the_share_of_the_row_in_the_column(sets):
    found = compared(sets)
    shares = [[len(a & b) / len(a) if a else np.nan for b in sets] for a in sets]
    np.testing.assert_allclose(found.contained, shares)
    np.testing.assert_allclose(
        found.contained * found.sizes[:, None], np.where(found.sizes, found.common.T, np.nan).T
    )


@given(
    st.lists(
        st.lists(st.sets(st.integers(0, 30), min_size=1), min_size=1, max_size=4), min_size=2, max_size=3
    )
)
@settings(deadline=None)
def test_sets_of_runs_have_the_mean_over_pairs_of_runs(groups):
    """The law of the mean: each value is that of the comparison of the single sets, over pairs."""
    arrays = [[np.array(sorted(one), dtype=np.int64) for one in group] for group in groups]
    found = compare(arrays, 50, [str(n) for n in range(len(groups))])
    single = compare([one for group in arrays for one in group], 50, ["x"] * sum(map(len, arrays)))
    ends = np.cumsum([0, *map(len, groups)])
    places = [range(first, last) for first, last in pairwise(ends)]
    for a, rows in enumerate(places):
        assert found.sizes[a] == pytest.approx(np.mean([single.sizes[i] for i in rows]))
        for b, columns in enumerate(places):
            within = a == b and len(rows) > 1
            pairs = [(i, j) for i in rows for j in columns if not within or i != j]
            for name in ("common", "expected", "jaccard", "kappa", "contained"):
                values = [getattr(single, name)[pair] for pair in pairs]
                assert getattr(found, name)[a, b] == pytest.approx(np.mean(values), nan_ok=True)
            if max(map(len, groups)) > 1:
                once = [pair for pair in pairs if not within or pair[0] < pair[1]]
                assert found.pairs[a, b] == len(once)
                values = [single.kappa[pair] for pair in once]
                deviation = np.std(values, ddof=1) if len(once) > 1 else np.nan
                assert found.kappa_std[a, b] == pytest.approx(deviation, nan_ok=True, abs=1e-12)


def test_single_runs_agree_less_than_their_majorities():
    """Why a comparison says which it is: noise of each run that a majority averages out."""
    random = np.random.default_rng(1)
    runs = [
        [np.flatnonzero((np.arange(1000) < 100) ^ (random.random(1000) < 0.02)) for _ in range(9)]
        for _ in "ab"
    ]
    majorities = [np.flatnonzero(np.bincount(np.concatenate(group), minlength=1000) > 4) for group in runs]
    between = compare(runs, 1000, ["a", "b"])
    assert compare(majorities, 1000, ["a", "b"]).kappa[0, 1] > between.kappa[0, 1] + 0.05
    assert between.kappa[0, 0] == pytest.approx(between.kappa[0, 1], abs=0.03)


@pytest.mark.parametrize(
    ("recipe", "runs", "kind"),
    [
        ({"at": "inversion", "quorum": 0.5}, 10, SetKind("majority", 10, 0.5, "inversion")),
        ({"at": "error:0.1", "quorum": 0, "core": False}, 3, SetKind("majority", 3, 0, "error:0.1")),
        ({"at": "40", "quorum": 0.5, "core": True}, 10, SetKind("core", 10, None, "40")),
        ({"at": "inversion", "quorum": 0.5}, 1, SetKind("run", 1, None, "inversion")),
        ({"at": "inversion", "quorum": 0.5}, 0, None),
        ({"at": "inversion", "quorum": 0.5}, None, None),
        ({"at": "inversion"}, 10, None),
        ({}, 10, None),
    ],
)
def test_a_finding_says_what_its_indices_are(recipe, runs, kind):
    finding = Finding("inversion", np.arange(3), {"recipe": recipe}, OverRuns(runs_with_a_set=runs))
    assert kind_of(finding) == kind
