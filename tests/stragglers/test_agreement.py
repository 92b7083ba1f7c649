"""How far runs agree: laws of the measures, counting, alignment and the bootstrap."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strag.errors import StragError
from strag.stragglers.agreement import (
    ALL,
    DISJOINT,
    Overlap,
    Resamples,
    aligned_records,
    count,
    overlap,
    pairs_of,
    stability,
    words,
    z_score,
)
from strag.stragglers.find import find_stragglers
from strag.stragglers.history import pack
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
        assert found.kappa[reached] == pytest.approx(1, abs=0.03)  # a few examples fall between records
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


class TestBootstrap:
    def test_of_disjoint_pairs_each_counts_as_often_as_it_is_drawn(self):
        drawn, values = Resamples(8, DISJOINT, 50, 3), np.array([0.1, 0.5, np.nan, 0.9])
        assert drawn.weights.shape == (50, 4)
        assert (drawn.weights.sum(axis=1) == 4).all()
        means = [
            np.nanmean(np.repeat(values, w.astype(int))) for w in drawn.weights if w[[0, 1, 3]].sum() > 0
        ]
        assert drawn.interval(values) == pytest.approx(np.quantile(means, [0.025, 0.975]).tolist())

    def test_of_all_pairs_runs_are_drawn_and_none_pairs_with_itself(self):
        drawn = Resamples(5, ALL, 60, 4)
        values = np.random.default_rng(0).random(10)
        matrix = np.zeros((5, 5))
        matrix[tuple(drawn.pairs.T)] = values
        matrix += matrix.T
        means = []
        for weights in drawn.weights.astype(int):
            runs = np.repeat(np.arange(5), weights)
            chosen = [matrix[a, b] for i, a in enumerate(runs) for b in runs[i + 1 :] if a != b]
            means += [np.mean(chosen)] if chosen else []
        assert drawn.interval(values) == pytest.approx(np.quantile(means, [0.025, 0.975]).tolist())

    def test_the_seed_decides(self):
        values = np.random.default_rng(0).random(10)
        first, again, other = (Resamples(20, DISJOINT, 100, seed).interval(values) for seed in (1, 1, 2))
        assert first == again != other

    def test_one_pair_or_no_resample_gives_no_interval(self):
        assert np.isnan(Resamples(3, DISJOINT, 100, 0).interval(np.array([0.5]))).all()
        assert np.isnan(Resamples(6, DISJOINT, 100, 0).interval(np.array([0.5, np.nan, np.nan]))).all()
        assert np.isnan(Resamples(6, DISJOINT, 0, 0).interval(np.array([0.5, 0.6, 0.7]))).all()

    @pytest.mark.parametrize("which", [DISJOINT, ALL])
    def test_intervals_cover_the_truth(self, which):
        """Of 200 made-up studies of 30 runs, whose kappa in the limit of many runs is known."""
        p = np.where(np.arange(600) < 60, 0.8, 0.05)
        chance = p.sum() ** 2 / p.size
        truth = (np.square(p).sum() - chance) / (p.sum() - chance)
        random = np.random.default_rng(1)
        studies, inside, widths = 200, 0, []
        for seed in range(studies):
            drawn = Resamples(30, which, 200, seed)
            found = overlap_of(random.random((30, p.size)) < p, pairs=drawn.pairs)
            low, high = drawn.interval(found.kappa)
            inside += low <= truth <= high
            widths.append(high - low)
        assert 0.88 <= inside / studies <= 0.995
        assert np.mean(widths) < 0.06


class TestStability:
    def test_equal_runs_agree_fully(self):
        wrong = np.repeat(shrinking(1), 6, axis=1)
        found = stability(history(wrong))
        for name in ("kappa", "kappa_low", "kappa_high", "jaccard"):
            assert getattr(found, name) == pytest.approx(np.ones(T))
        assert np.isnan(found.z).all()  # nothing varies
        assert found.size_mean == pytest.approx(wrong.sum(axis=2).mean(axis=1))
        assert (found.runs == 6).all()
        assert (found.pairs == 3).all()

    def test_the_order_within_pairs_and_of_pairs_does_not_matter(self):
        wrong = shrinking(6)
        first = stability(history(wrong), resamples=0)
        second = stability(history(wrong[:, [3, 2, 5, 4, 1, 0]]), resamples=0)
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

    def test_kappa_is_the_mean_over_pairs_at_equal_error(self):
        wrong = shrinking(5)
        found, records = stability(history(wrong), ALL), aligned_records(wrong.mean(axis=2))
        t = 17
        sets = wrong[records[t], np.arange(5)]
        assert found.kappa[t] == pytest.approx(overlap_of(sets).kappa.mean())
        assert found.jaccard[t] == pytest.approx(overlap_of(sets).jaccard.mean())
        assert found.size_mean[t] == pytest.approx(sets.sum(axis=1).mean())
        assert found.kappa_low[t] < found.kappa[t] < found.kappa_high[t]

    @pytest.mark.parametrize("P", [9, 15, 16, 61, 64, 65])
    def test_padding_bits_never_count(self, P):
        random = np.random.default_rng(P)
        clean = history(random.random((T, 4, P)) < 0.3, error=np.full(T, 0.3))
        padding = ~pack(np.ones(P, bool))
        dirty = replace(clean, misclassified=clean.misclassified | padding, trained=clean.trained | padding)
        one, two = stability(clean, resamples=20), stability(dirty, resamples=20)
        for name in MEASURES:
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)
        assert two.examples == P

    def test_only_examples_that_both_train_on_count(self):
        """The same as if the examples that one of them leaves out did not exist."""
        wrong = shrinking(4)
        keeps = np.ones((4, 240), bool)
        keeps[:2, :30] = False
        keeps[1, 50:60] = False
        error = np.linspace(0.5, 0.1, T)  # the same for all, so that all are aligned alike
        whole = replace(history(wrong, error=error), trained=pack(keeps))
        found = stability(whole, resamples=0)
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
        with pytest.raises(StragError, match="has one run, but agreement needs two"):
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
        radius=np.broadcast_to(curve[:, None, None, None], (records, R, 1, 2)),
        distance=np.broadcast_to(base.distance, (records, R, 1, 1)),
        mean_norm2=np.broadcast_to(base.mean_norm2, (records, R, 1, 2)),
        misclassified=bits,
        trained=pack(np.ones((R, P), bool)),
        runs=tuple(range(R)),
    )
    found = stability(made)
    assert found.pairs[0] == 500
    assert np.isfinite(found.kappa_low[0])
