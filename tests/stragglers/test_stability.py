"""How far runs agree: laws of the measures, counting, alignment and the interval."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from strag.bits import pack
from strag.errors import StragError
from strag.stragglers.find import find_stragglers
from strag.stragglers.overlap import ALL, DISJOINT, Overlap, count, overlap, pairs_of, resized, words
from strag.stragglers.stability import aligned_records, at_level, mean_interval, stability, z_score
from tests.conftest import history_of

T = 40
VALLEY = 0.8 + 0.1 * np.square(np.log((np.arange(T) + 1) / 15))
MEASURES = ("size_mean", "z", "kappa", "kappa_low", "kappa_high", "jaccard", "runs", "pairs")
seeds = st.integers(0, 2**32 - 1)


def random_sets(seed, R, P, share=0.3):
    return np.random.default_rng(seed).random((R, P)) < share


def overlap_of(sets, trained=None, pairs=None):
    """The Overlap of bool [R, P]."""
    trained = np.ones_like(sets) if trained is None else trained
    pairs = pairs_of(len(sets), ALL) if pairs is None else np.asarray(pairs)
    return overlap(words(pack(sets & trained)), words(pack(trained)), pairs)


def history(wrong, error=None, curve=None, **options):
    """A History of R runs with a valley, whose runs misclassify `wrong`, bool [T, R, P]."""
    wrong = np.asarray(wrong)
    curve = VALLEY if curve is None else curve
    error = wrong.mean(axis=2) if error is None else error
    curves = np.repeat(curve[:, None], wrong.shape[1], axis=1)
    return history_of(curves, error=error, wrong=wrong, P=wrong.shape[2], **options)


def shrinking(R, P=240, noise=0.05, seed=0):
    """bool [T, R, P]: sets that shrink along training, alike in all runs up to noise."""
    random = np.random.default_rng(seed)
    hard = np.arange(P) / P + noise * random.standard_normal((R, P))
    return hard[None] < np.linspace(0.5, 0.05, T)[:, None, None]


def scores(seed, R, P, common):
    """float [R, P]: how hard each run finds the examples, normal, of which a share is common to the runs."""
    random = np.random.default_rng(seed)
    own = random.standard_normal((R, P))
    return np.sqrt(common) * random.standard_normal(P) + np.sqrt(1 - common) * own


def hardest(scores, shares):
    """bool [..., R, P]: the hardest `shares`, [..., R], of the examples, a chain of sets in every run."""
    ranks = (-scores).argsort(axis=1).argsort(axis=1)
    return ranks < np.rint(np.asarray(shares) * scores.shape[1])[..., None]


def coarse_shares(seed, R, records):
    """float [T, R]: falling from about 0.5 to 0.05, every run recorded elsewhere."""
    steps = np.arange(records)[:, None] + np.random.default_rng(seed).uniform(-0.5, 0.5, R)
    return 0.5 * 0.1 ** (steps / (records - 1))


class TestMeasures:
    @given(seeds, st.integers(2, 6), st.integers(1, 150), st.booleans())
    @settings(deadline=None)
    def test_packed_counting_is_that_of_sets(self, seed, R, P, all_train):
        sets = random_sets(seed, R, P)
        trained = np.ones_like(sets) if all_train else random_sets(seed + 1, R, P, 0.8)
        found = overlap_of(sets, trained)
        of_run = [set(np.flatnonzero(one)) for one in sets]
        may = [set(np.flatnonzero(one)) for one in trained]
        for at, (a, b) in enumerate(pairs_of(R, ALL)):
            both = may[a] & may[b]
            first, second = of_run[a] & both, of_run[b] & both
            counted = (found.common[at], found.first[at], found.second[at], found.examples[at])
            assert counted == (len(first & second), len(first), len(second), len(both))

    @given(seeds, st.integers(1, 100))
    @settings(deadline=None)
    def test_the_order_of_two_sets_does_not_matter(self, seed, P):
        sets = random_sets(seed, 2, P)
        one, two = overlap_of(sets, pairs=[(0, 1)]), overlap_of(sets, pairs=[(1, 0)])
        for name in ("common", "expected", "kappa", "jaccard"):
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name))

    @given(seeds, st.integers(2, 200))
    @settings(deadline=None)
    def test_equal_sets_agree_fully_and_disjoint_ones_not_at_all(self, seed, P):
        (one,) = random_sets(seed, 1, P, 0.5)
        one[:2] = True, False  # neither empty nor everything
        equal = overlap_of(np.stack([one, one]))
        assert equal.kappa == pytest.approx([1])
        assert equal.jaccard == pytest.approx([1])
        apart = overlap_of(np.stack([one, ~one]))
        assert apart.jaccard == pytest.approx([0])
        assert apart.kappa[0] < 0

    def test_random_sets_agree_as_much_as_chance(self):
        found = overlap_of(random_sets(0, 40, 4000, 0.1))
        assert len(found.kappa) == 780
        assert found.kappa.mean() == pytest.approx(0, abs=0.002)
        assert found.common.mean() == pytest.approx(found.expected.mean(), rel=0.02)

    def test_known_numbers(self):
        found = Overlap(*(np.array([n]) for n in (30, 40, 60, 200)))
        assert found.expected == pytest.approx([12])
        assert found.kappa == pytest.approx([(30 - 12) / (50 - 12)])
        assert found.jaccard == pytest.approx([30 / 70])

    def test_where_a_quotient_has_no_value_it_is_nan(self):
        nothing, everything = np.zeros((2, 9), bool), np.ones((2, 9), bool)
        assert np.isnan(overlap_of(nothing).kappa).all()
        assert np.isnan(overlap_of(nothing).jaccard).all()
        assert np.isnan(overlap_of(everything).kappa).all()
        assert overlap_of(everything).jaccard == pytest.approx([1])
        nowhere = overlap_of(
            everything, trained=np.array([[True] * 4 + [False] * 5, [False] * 4 + [True] * 5])
        )
        assert nowhere.examples == [0]
        assert np.isnan(nowhere.kappa).all()

    def test_z_is_that_of_its_definition(self):
        found = Overlap(*(np.array(n) for n in ([10, 14, 18], [20, 20, 20], [30, 30, 30], [100, 100, 100])))
        assert z_score(found) == pytest.approx((14 - 6) / 4)
        assert np.isnan(z_score(overlap_of(random_sets(0, 2, 50))))  # one pair has no spread


class TestCounting:
    @pytest.mark.parametrize("numpy_2", [True, False])
    def test_ones(self, monkeypatch, numpy_2):
        if not numpy_2:
            monkeypatch.delattr(np, "bitwise_count", raising=False)
        random = np.random.default_rng(0)
        values = [0, 1, 2**63, 2**64 - 1, *random.integers(0, 2**64, size=500, dtype=np.uint64).tolist()]
        expected = [value.bit_count() for value in values]
        assert count(np.array(values, dtype=np.uint64)[:, None]).tolist() == expected
        assert count(np.array(values, dtype=np.uint64)) == sum(expected)

    @given(seeds, st.integers(1, 200))
    @settings(deadline=None)
    def test_words_hold_the_bits_and_nothing_else(self, seed, P):
        sets = random_sets(seed, 3, P)
        found = words(pack(sets))
        assert found.shape == (3, -(-P // 64))
        assert found.view(np.uint8)[:, : -(-P // 8)].tolist() == pack(sets).tolist()
        assert count(found).tolist() == sets.sum(axis=1).tolist()

    def test_more_pairs_than_one_block(self):
        sets = random_sets(0, 60, 100)  # 1770 pairs
        found, (a, b) = overlap_of(sets), pairs_of(60, ALL).T
        np.testing.assert_array_equal(found.common, (sets[a] & sets[b]).sum(axis=1))


class TestPairs:
    @pytest.mark.parametrize(("runs", "number"), [(2, 1), (3, 1), (20, 10), (21, 10)])
    def test_disjoint_pairs_use_a_run_once(self, runs, number):
        found = pairs_of(runs)
        assert found.tolist() == [[2 * j, 2 * j + 1] for j in range(number)]

    def test_all_pairs_are_every_two(self):
        found = [tuple(pair) for pair in pairs_of(5, ALL).tolist()]
        assert found == [(a, b) for a in range(5) for b in range(a + 1, 5)]


class TestAlignment:
    @given(seeds, st.integers(1, 6), st.integers(1, 30))
    @settings(deadline=None)
    def test_every_run_comes_from_where_it_first_falls_to_the_mean(self, seed, R, records):
        error = np.random.default_rng(seed).integers(0, 8, size=(records, R)) / 8
        found = aligned_records(error.astype(np.float32))
        assert found.shape == (records, R)
        for t, level in enumerate(error.mean(axis=1)):
            for run in range(R):
                reached = np.flatnonzero(error[:, run] <= level)
                assert found[t, run] == (reached[0] if reached.size else -1)

    def test_known_records(self):
        error = np.array([[0.5, 0.7], [0.4, 0.6], [0.3, 0.5], [0.2, 0.4]])
        assert aligned_records(error).tolist() == [[0, 1], [0, 2], [1, 3], [2, -1]]

    def test_runs_that_differ_only_in_speed_agree_fully(self):
        wrong = shrinking(1)[:, 0]  # (T, P)
        late = np.concatenate([np.repeat(wrong[:1], 6, axis=0), wrong[:-6]])
        found = stability(history(np.stack([wrong, late], axis=1)))
        same_t = overlap_of(np.stack([wrong[20], late[20]]))
        assert same_t.kappa[0] < 0.9
        reached = found.pairs == 1
        assert reached.sum() > T / 2
        assert found.kappa[reached] == pytest.approx(1, abs=1e-9)
        assert np.isnan(found.kappa[~reached]).all()

    def test_a_run_that_never_gets_there_is_left_out(self):
        wrong = shrinking(4, noise=0)
        wrong[20:, 3] = wrong[20, 3]
        found = stability(history(wrong))
        assert found.runs.tolist() == [4] * 20 + found.runs[20:].tolist()
        assert found.runs[-1] == 3
        assert found.pairs[-1] == 1
        assert found.kappa[-1] == pytest.approx(1)
        first = found.train_error < wrong[20, 3].mean()
        assert (found.runs[first] == 3).all()


@st.composite
def counts(draw):
    """An Overlap of one pair of sets, neither of them empty or everything."""
    P = draw(st.integers(2, 5000))
    a, b = (draw(st.integers(1, P - 1)) for _ in range(2))
    n = draw(st.integers(max(0, a + b - P), min(a, b)))
    return Overlap(*(np.array([value]) for value in (n, a, b, P)))


errors = st.floats(0.001, 0.999)


def odds_ratio(found):
    n, a, b, P = (
        values.astype(float) for values in (found.common, found.first, found.second, found.examples)
    )
    return n * (P - a - b + n) / ((a - n) * (b - n))


class TestResized:
    @given(counts(), errors)
    @settings(deadline=None)
    def test_sets_of_their_sizes_stay(self, found, error):
        again = resized(found, np.full((1, 2), error), error)
        for name in ("common", "first", "second"):
            assert getattr(again, name) == pytest.approx(getattr(found, name), rel=1e-9, abs=1e-6)

    @given(counts(), errors, errors, errors)
    @settings(deadline=None)
    def test_what_is_in_common_is_possible_and_the_odds_ratio_stays(self, found, first, second, level):
        new = resized(found, np.array([[first, second]]), level)
        (n,), (a,), (b,), (P,) = new.common, new.first, new.second, new.examples
        slack = 1e-9 * P
        assert max(0, a + b - P) - slack <= n <= min(a, b) + slack
        table = np.array([n, a - n, b - n, P - a - b + n])
        assume((table > 1e-4 * P).all())
        assert odds_ratio(new) == pytest.approx(odds_ratio(found), rel=1e-6)

    @given(counts(), errors, errors, errors)
    @settings(deadline=None)
    def test_the_order_of_the_two_does_not_matter(self, found, first, second, level):
        one = resized(found, np.array([[first, second]]), level)
        swapped = Overlap(found.common, found.second, found.first, found.examples)
        other = resized(swapped, np.array([[second, first]]), level)
        assert other.common == pytest.approx(one.common, rel=1e-9, abs=1e-9)
        assert (other.first, other.second) == (one.second, one.first)

    @given(counts(), errors, errors, errors)
    @settings(deadline=None)
    def test_it_is_the_same_of_the_complements(self, found, first, second, level):
        """What is in neither set follows, once both are replaced by what they leave out."""
        n, a, b, P = found.common, found.first, found.second, found.examples
        new = resized(found, np.array([[first, second]]), level)
        others = Overlap(P - a - b + n, P - a, P - b, P)
        there = resized(others, 1 - np.array([[first, second]]), 1 - level)
        assert there.first == pytest.approx(P - new.first, abs=1e-6 * P[0])
        assert there.common == pytest.approx(P - new.first - new.second + new.common, abs=1e-6 * P[0])

    @pytest.mark.parametrize(
        ("n", "a", "b", "level", "expected"),
        [
            (40, 40, 60, 0.5, 50),  # one holds the other
            (24, 40, 60, 0.5, 25),  # independent
            (0, 40, 60, 0.5, 0),  # apart, which they stay while there is room
            (0, 20, 30, 0.5, 0),
            (0, 20, 30, 0.7, 40),
            (80, 85, 95, 0.9, 80),  # together everything
            (30, 40, 40, 0.5, 50 * (1 - 1 / (1 + 15**0.5))),  # theta is 15, sqrt(theta) / (1 + sqrt(theta))
        ],
    )
    def test_known_numbers(self, n, a, b, level, expected):
        found = Overlap(*(np.array([value]) for value in (n, a, b, 100)))
        new = resized(found, np.array([[a, b]]) / 100, level)
        assert (new.first, new.second) == (pytest.approx([100 * level]), pytest.approx([100 * level]))
        assert new.common == pytest.approx([expected], abs=1e-9)

    @pytest.mark.parametrize(("n", "a", "b"), [(0, 0, 5), (0, 0, 0), (5, 9, 5), (9, 9, 9)])
    def test_empty_sets_and_everything_tell_nothing(self, n, a, b, recwarn):
        found = Overlap(*(np.array([value]) for value in (n, a, b, 9)))
        new = resized(found, np.array([[a, b]]) / 9, 0.4)
        assert np.isnan([new.common, new.kappa, new.jaccard]).all()
        assert not recwarn.list


class TestAtLevel:
    def found(self, sets, level, pairs=((0, 1),)):
        """The Overlap at an error, from bool [2, R, P] before and after."""
        trained = words(pack(np.ones(sets.shape[1:], bool)))
        return at_level(words(pack(sets)), trained, sets.mean(axis=2), level, np.array(pairs))

    @given(seeds)
    @settings(deadline=None, max_examples=50)
    def test_where_both_are_recorded_their_sets_alone_count(self, seed):
        made = scores(seed, 2, 200, 0.8)
        sets = hardest(made, [[0.4, 0.3], [0.2, 0.2]])
        expected = overlap_of(sets[1])
        found = self.found(sets, 0.2)
        assert found.common == pytest.approx(expected.common)
        assert found.kappa == pytest.approx(expected.kappa)
        one_late = hardest(made, [[0.4, 0.2], [0.2, 0.1]])  # of the second, nearly the set before
        assert self.found(one_late, 0.2 - 1e-12).common == pytest.approx(expected.common, abs=1e-6)

    @given(seeds, errors)
    @settings(deadline=None, max_examples=50)
    def test_the_order_of_the_two_does_not_matter(self, seed, share):
        sets = hardest(scores(seed, 2, 150, 0.6), [[0.5, 0.6], [0.1, 0.3]])
        level = 0.3 + 0.2 * share
        found = self.found(sets, level, [(0, 1), (1, 0)])
        assert found.common[0] == pytest.approx(found.common[1])
        assert found.kappa[0] == pytest.approx(found.kappa[1])

    def test_it_lies_between_what_the_sides_say(self):
        """Runs that are recorded together: linear from the sets before to those after, resized."""
        sets = hardest(scores(2, 2, 400, 0.7), [[0.5, 0.5], [0.1, 0.1]])
        level = 0.3
        sides = [
            resized(overlap_of(one), np.full((1, 2), share), level).common[0]
            for one, share in zip(sets, (0.5, 0.1), strict=True)
        ]
        assert sides[0] != pytest.approx(sides[1])
        assert self.found(sets, level).common == pytest.approx([np.mean(sides)])

    def test_an_empty_set_leaves_it_to_the_other_side(self):
        sets = hardest(scores(2, 2, 400, 0.7), [[0.5, 0.5], [0, 0]])
        before = resized(overlap_of(sets[0]), np.full((1, 2), 0.5), 0.1)
        assert self.found(sets, 0.1).kappa == pytest.approx(before.kappa)
        assert np.isnan(self.found(sets, 0.0).kappa).all()


class TestCoarseRecords:
    @pytest.mark.parametrize("records", [4, 9, 30])
    @pytest.mark.parametrize("which", [DISJOINT, ALL])
    def test_runs_that_go_through_the_same_chain_agree_fully(self, records, which):
        """Wherever they are recorded, and although the size of the recorded sets differs."""
        shares = coarse_shares(records, 9, records)
        wrong = hardest(np.repeat(scores(0, 1, 3001, 1), 9, axis=0), shares)
        curve = np.linspace(1, 0.5, records)
        found = stability(history(wrong, curve=curve), which)
        reached = found.pairs > 0
        assert reached.sum() >= records - 2
        for name in ("kappa", "jaccard"):
            assert getattr(found, name)[reached] == pytest.approx(1, abs=1e-9)
        assert found.size_mean == pytest.approx(found.train_error * 3001)

    def test_independent_runs_agree_as_much_as_chance(self):
        wrong = hardest(scores(1, 60, 4000, 0), coarse_shares(1, 60, 8))
        found = stability(history(wrong, curve=np.linspace(1, 0.5, 8)), ALL)
        assert found.kappa == pytest.approx(np.zeros(8), abs=0.004)

    @pytest.mark.parametrize(("records", "tolerance"), [(40, 0.002), (12, 0.006), (6, 0.02)])
    @pytest.mark.parametrize("common", [0.5, 0.9, 0.97])
    def test_it_is_the_agreement_that_dense_records_give(self, records, tolerance, common):
        """Normal scores, whose odds ratio is not the same at every size; better than sets as recorded."""
        R, P = 40, 6000
        made, shares = scores(3, R, P, common), coarse_shares(3, R, records)
        wrong = hardest(made, shares)
        found = stability(history(wrong, curve=np.linspace(1, 0.5, records)))
        first = aligned_records(wrong.mean(axis=2))
        biases, before = [], []
        for t in range(1, records - 1):
            assert found.runs[t] == R
            dense = overlap_of(hardest(made, np.full(R, found.train_error[t])), pairs=pairs_of(R))
            coarse = overlap_of(wrong[first[t], np.arange(R)], pairs=pairs_of(R))
            biases.append(found.kappa[t] - dense.kappa.mean())
            before.append(coarse.kappa.mean() - dense.kappa.mean())
        assert np.abs(np.mean(biases)) < tolerance
        assert np.abs(np.mean(biases)) < 0.7 * np.abs(np.mean(before))
        assert np.square(biases).mean() < np.square(before).mean()


class TestInterval:
    def test_of_disjoint_pairs_it_is_that_of_student(self):
        values = np.array([0.9, 0.88, 0.91, np.nan, 0.85, 0.87])
        low, high = mean_interval(values, pairs_of(12), DISJOINT)
        expected = ttest_1samp(values[np.isfinite(values)], 0).confidence_interval(0.95)
        assert (low, high) == pytest.approx((expected.low, expected.high))

    def test_of_all_pairs_every_run_is_left_out_once(self):
        pairs = pairs_of(9, ALL)
        values = 0.5 + 0.1 * np.random.default_rng(0).standard_normal(len(pairs))
        values[[3, 8, 20]] = np.nan
        without = [np.nanmean(values[(pairs != run).all(axis=1)]) for run in range(9)]
        half = 2.306004 * np.sqrt(8 / 9 * np.square(without - np.mean(without)).sum())  # t, 8 degrees
        mean = np.nanmean(values)
        assert mean_interval(values, pairs, ALL) == pytest.approx((mean - half, mean + half))

    @given(seeds, st.sampled_from([DISJOINT, ALL]), st.floats(-0.5, 0.5), st.floats(0.01, 0.5))
    @settings(deadline=None, max_examples=50)
    def test_it_shifts_and_scales_with_the_values(self, seed, which, shift, scale):
        pairs = pairs_of(12, which)
        values = 0.1 * np.random.default_rng(seed).standard_normal(len(pairs))
        first = np.array(mean_interval(values, pairs, which))
        assert mean_interval(shift + scale * values, pairs, which) == pytest.approx(shift + scale * first)

    @given(seeds)
    @settings(deadline=None, max_examples=50)
    def test_the_order_of_the_runs_does_not_matter(self, seed):
        random = np.random.default_rng(seed)
        pairs = pairs_of(10, ALL)
        values = random.random(len(pairs)) / 3
        renamed = random.permutation(10)[pairs]
        first = mean_interval(values, pairs, ALL)
        assert mean_interval(values, renamed, ALL) == pytest.approx(first)
        shuffled = random.permutation(len(pairs))
        assert mean_interval(values[shuffled], renamed[shuffled], ALL) == pytest.approx(first)

    @pytest.mark.parametrize("which", [DISJOINT, ALL])
    def test_no_kappa_is_above_one(self, which):
        pairs = pairs_of(8, which)
        values = np.full(len(pairs), 0.99)
        assert mean_interval(values, pairs, which) == pytest.approx((0.99, 0.99))
        values = np.where((pairs == 0).any(axis=1), 0.5, 1.0)
        low, high = mean_interval(values, pairs, which)
        assert low < values.mean() < high == 1

    @pytest.mark.parametrize("which", [DISJOINT, ALL])
    def test_fewer_than_eight_runs_give_none(self, which, recwarn):
        for runs in range(2, 8):
            pairs = pairs_of(runs, which)
            assert np.isnan(mean_interval(np.linspace(0.1, 0.5, len(pairs)), pairs, which)).all()
        assert np.isfinite(mean_interval(np.linspace(0.1, 0.5, 4), pairs_of(8), DISJOINT)).all()
        pairs = pairs_of(8, which)
        lone = np.where((pairs == 7).any(axis=1), np.nan, np.linspace(0.1, 0.5, len(pairs)))
        assert np.isnan(mean_interval(lone, pairs, which)).all()
        assert np.isnan(mean_interval(np.empty(0), np.empty((0, 2), int), which)).all()
        assert not recwarn.list


class TestStability:
    def test_equal_runs_agree_fully(self):
        wrong = np.repeat(shrinking(1), 8, axis=1)
        found = stability(history(wrong))
        for name in ("kappa", "kappa_low", "kappa_high", "jaccard"):
            assert getattr(found, name) == pytest.approx(np.ones(T))
        assert np.isnan(found.z).all()  # nothing varies
        assert found.size_mean == pytest.approx(wrong.sum(axis=2).mean(axis=1))
        assert (found.runs == 8).all()
        assert (found.pairs == 4).all()

    def test_the_order_within_pairs_and_of_pairs_does_not_matter(self):
        wrong = shrinking(6)
        first = stability(history(wrong))
        second = stability(history(wrong[:, [3, 2, 5, 4, 1, 0]]))
        for name in MEASURES:
            np.testing.assert_allclose(getattr(first, name), getattr(second, name), err_msg=name)

    def test_all_pairs_of_two_runs_are_their_only_pair(self):
        wrong = shrinking(2)
        for name in MEASURES:
            one, two = (getattr(stability(history(wrong), which), name) for which in (DISJOINT, ALL))
            np.testing.assert_array_equal(one, two, err_msg=name)

    def test_z_is_at_equal_updates_from_disjoint_pairs(self):
        wrong = shrinking(7)
        found = stability(history(wrong))
        for t in (0, 13, T - 1):
            n = [(wrong[t, a] & wrong[t, a + 1]).sum() for a in (0, 2, 4)]
            expected = [wrong[t, a].sum() * wrong[t, a + 1].sum() / 240 for a in (0, 2, 4)]
            assert found.z[t] == pytest.approx((np.mean(n) - np.mean(expected)) / np.std(n, ddof=1))

    @pytest.mark.parametrize("which", [DISJOINT, ALL])
    def test_kappa_is_the_mean_over_pairs_at_equal_error(self, which):
        wrong = shrinking(9)
        error = wrong.mean(axis=2)
        found, after, pairs = stability(history(wrong), which), aligned_records(error), pairs_of(9, which)
        t, runs = 17, np.arange(9)
        sides = [after[t] - 1, after[t]]
        sets, trained = wrong[sides, runs], words(pack(np.ones(wrong.shape[1:], bool)))
        expected = at_level(words(pack(sets)), trained, error[sides, runs], error[t].mean(), pairs)
        assert found.kappa[t] == pytest.approx(expected.kappa.mean())
        assert found.jaccard[t] == pytest.approx(expected.jaccard.mean())
        assert found.size_mean[t] == pytest.approx(error[t].mean() * 240)
        interval = mean_interval(expected.kappa, pairs, which)
        assert (found.kappa_low[t], found.kappa_high[t]) == pytest.approx(interval)
        assert found.kappa_low[t] < found.kappa[t] < found.kappa_high[t]
        assert (found.runs[t], found.pairs[t]) == (9, len(pairs))
        few = stability(history(wrong[:, :7]), which)
        assert np.isnan([few.kappa_low, few.kappa_high]).all()
        assert np.isfinite(few.kappa[t])

    def test_sets_that_are_all_recorded_at_the_error_count_as_they_are(self):
        wrong = hardest(scores(0, 6, 240, 0.8), np.repeat(np.linspace(0.5, 0.05, T)[:, None], 6, axis=1))
        found = stability(history(wrong))
        for t in (0, 12, T - 1):
            expected = overlap_of(wrong[t], pairs=pairs_of(6))
            assert found.kappa[t] == pytest.approx(expected.kappa.mean())
            assert found.jaccard[t] == pytest.approx(expected.jaccard.mean())
            assert found.size_mean[t] == pytest.approx(wrong[t].sum(axis=1).mean())

    @pytest.mark.parametrize("P", [9, 15, 16, 61, 64, 65])
    def test_padding_bits_never_count(self, P):
        random = np.random.default_rng(P)
        clean = history(random.random((T, 4, P)) < 0.3, error=np.full(T, 0.3))
        padding = ~pack(np.ones(P, bool))
        dirty = replace(clean, misclassified=clean.misclassified | padding, trained=clean.trained | padding)
        one, two = stability(clean), stability(dirty)
        for name in MEASURES:
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)
        assert two.examples == P

    def test_only_examples_that_both_train_on_count(self):
        """The same as if the examples that one of them leaves out did not exist."""
        wrong = shrinking(4)
        keeps = np.ones((4, 240), bool)
        keeps[:2, :30] = False
        keeps[0, 30:40] = False
        keeps[1, 50:60] = False
        error = 1 - np.arange(T) / 40  # the same for all, so that all are aligned alike
        whole = replace(history(wrong, error=error), trained=pack(keeps))
        found = stability(whole)
        both = keeps[0] & keeps[1]
        kappas = [
            overlap_of(wrong[15, :2][:, both]).kappa[0],
            overlap_of(wrong[15, 2:]).kappa[0],
        ]
        assert found.kappa[15] == pytest.approx(np.mean(kappas))
        assert found.examples == (both.sum() + 240) / 2

    def test_the_inversion_is_that_of_find_stragglers(self):
        made = history(shrinking(4))
        found = stability(made)
        inversions = find_stragglers(made).inversions
        assert found.inversion == pytest.approx(
            (np.mean([one.update for one in inversions]), np.mean([one.train_error for one in inversions]))
        )
        assert found.at_inversion == 14
        none = stability(history(shrinking(4), curve=np.linspace(1, 0.5, T)))
        assert (none.inversion, none.at_inversion) == (None, None)

    def test_the_largest_kappa_is_one_of_all_runs(self):
        wrong = shrinking(4)
        wrong[30:, 3] = wrong[30, 3]
        wrong[32:, 1] = wrong[32:, 0]
        found = stability(history(wrong))
        assert np.nanargmax(found.kappa) >= 32
        assert found.at_largest < 32
        assert found.runs[found.at_largest] == 4
        lone = np.zeros((T, 2, 16), bool)
        assert stability(history(lone, error=np.linspace(0.5, 0.1, T))).at_largest is None

    def test_diverged_runs_are_left_out(self):
        wrong = shrinking(5)
        made, loss = history(wrong), np.tile(np.linspace(0.7, 0.1, T)[:, None], 5)
        loss[20:, 1] = np.nan
        found = stability(replace(made, train_loss=loss.astype(np.float32)))
        assert (found.taken, found.diverged) == (4, 1)
        rest = stability(history(wrong[:, [0, 2, 3, 4]]))
        for name in MEASURES:
            np.testing.assert_array_equal(getattr(found, name), getattr(rest, name), err_msg=name)

    def test_one_run_agrees_with_nobody(self):
        with pytest.raises(StragError, match="has 1 run, but agreement needs 2"):
            stability(history(shrinking(1)))
        made = history(shrinking(2))
        broken = np.full((T, 2), np.nan, np.float32)
        with pytest.raises(StragError, match="2 runs, of which 2 diverged"):
            stability(replace(made, train_loss=broken))


def test_a_thousand_runs():
    """65 updates of 8192 examples, 500 pairs of runs."""
    R, records, P = 1000, 65, 8192
    random = np.random.default_rng(0)
    bits = random.integers(0, 256, size=(records, R, P // 8), dtype=np.uint8)
    bits &= random.integers(0, 256, size=(1, 1, P // 8), dtype=np.uint8)
    base = history_of(np.ones((records, 1)), P=P)
    error = np.linspace(0.5, 0.05, records)[:, None] + 0.01 * random.random((records, R))
    curve = 0.8 + 0.1 * np.square(np.log((np.arange(records) + 1) / 20))
    made = replace(
        base,
        **{
            name: np.broadcast_to(values, (records, R)).astype(np.float32)
            for name, values in (("train_error", error), ("train_loss", error))
        },
        measures={
            "radius": np.broadcast_to(curve[:, None, None, None], (records, R, 1, 2)),
            "distance": np.broadcast_to(base.measures["distance"], (records, R, 1, 1)),
            "mean_norm2": np.broadcast_to(base.measures["mean_norm2"], (records, R, 1, 2)),
        },
        misclassified=bits,
        trained=pack(np.ones((R, P), bool)),
        runs=tuple(range(R)),
    )
    found = stability(made)
    assert found.pairs[0] == 500
    assert np.isfinite(found.kappa_low[0])
