"""Identity, origin and standardisation: what a data set is, whatever way it was cut or stored."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strag.datasets import dataset
from strag.datasets.dataset import Dataset, mean_and_std, standardise
from strag.identity import identity_of
from tests.files.makers import images, refused


def rows_of(P, shape=(3, 2), seed=0, dtype=np.float32):
    return np.random.default_rng(seed).normal(100, 30, size=(P, *shape)).astype(dtype)


class TestStandardisation:
    @pytest.mark.parametrize("dtype", [np.uint8, np.float32])
    @pytest.mark.parametrize("P", [2, 7, 8, 9, 40])
    def test_streamed_tiles_equal_two_passes_in_double_precision(self, monkeypatch, P, dtype):
        monkeypatch.setattr(dataset, "TILE", 8)
        x = rows_of(P, dtype=dtype)
        flat = x.reshape(P, -1).astype(np.float64)
        mean, std = mean_and_std(x)
        assert mean.dtype == std.dtype == np.float64
        np.testing.assert_allclose(mean, flat.mean(axis=0), rtol=1e-14)
        np.testing.assert_allclose(std, flat.std(axis=0, ddof=1), rtol=1e-12)
        expected = (flat - flat.mean(axis=0)) / flat.std(axis=0, ddof=1)
        np.testing.assert_allclose(standardise(x, mean, std), expected, rtol=1e-6, atol=1e-6)

    def test_the_deviation_is_unbiased(self):
        mean, std = mean_and_std(np.array([[0], [2]], np.uint8))
        assert (mean[0], std[0]) == (1, np.sqrt(2))

    def test_the_block_has_mean_zero_and_unbiased_variance_one(self):
        x = rows_of(50)
        standard = standardise(x, *mean_and_std(x)).astype(np.float64)
        assert standard.shape == (50, 6)
        np.testing.assert_allclose(standard.mean(axis=0), 0, atol=1e-6)
        np.testing.assert_allclose(standard.var(axis=0, ddof=1), 1, rtol=1e-6)

    @given(value=st.floats(width=32, allow_nan=False, allow_infinity=False), P=st.integers(1, 60))
    @settings(max_examples=60, deadline=None)
    def test_a_constant_input_deviates_by_exactly_zero_and_is_dropped(self, value, P):
        x = np.random.default_rng(P).normal(size=(P, 3)).astype(np.float32)
        x[:, 1] = value
        mean, std = mean_and_std(x)
        assert std[1] == 0
        other = x.copy()
        other[:, 1] += np.float32(1)  # a test set where it is not constant
        assert standardise(other, mean, std).shape == (P, 2 if P > 1 else 0)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_one_tenth_is_constant_even_where_its_mean_is_not_exact(self, dtype):
        x = np.column_stack([np.full(1000, 0.1), np.arange(1000)]).astype(dtype)
        mean, std = mean_and_std(x)
        assert (mean[0] == x[0, 0]) == (dtype is np.float32)  # of doubles it is not: this is the trap
        assert std[0] == 0
        assert np.isfinite(standardise(x, mean, std)).all()

    def test_a_change_of_units_changes_nothing(self):
        x = rows_of(30, dtype=np.float64)
        y = 2.5 * x - 7
        np.testing.assert_allclose(
            standardise(x, *mean_and_std(x)), standardise(y, *mean_and_std(y)), rtol=1e-5, atol=1e-6
        )

    def test_pruned_data_keep_the_map_of_their_block(self):
        data = images()
        pruned = data.rows(np.array([3, 4, 11]))
        again = pruned.rows(np.array([1]))
        for part in (pruned, again):
            for kept, block in zip(part.standardisation(), mean_and_std(data.x), strict=True):
                np.testing.assert_array_equal(kept, block)
        own = pruned.standardisation(again=True)
        np.testing.assert_array_equal(own[0], mean_and_std(data.x[[3, 4, 11]])[0])
        assert (own[0] != pruned.mean).any()

    def test_sliced_and_standardised_is_standardised_and_sliced(self):
        data, chosen = images(), np.array([1, 5, 6, 20])
        sliced = data.rows(chosen)
        whole = standardise(data.x, *data.standardisation())
        np.testing.assert_array_equal(standardise(sliced.x, *sliced.standardisation()), whole[chosen])


class TestIdentity:
    def test_it_follows_from_the_tensors_alone(self):
        data = images()
        assert data.identity == images(title="t", labels="classes", command="c").identity
        assert identity_of(dict(reversed(data.tensors.items()))) == data.identity
        assert replace(data, x=np.asfortranarray(data.x)).identity == data.identity

    @pytest.mark.parametrize(
        "change",
        [
            lambda data: {"x": data.x ^ (np.arange(144).reshape(24, 2, 3) == 7)},
            lambda data: {"x": data.x.astype(np.float32), "x_test": data.x_test.astype(np.float32)},
            lambda data: {"x": data.x.reshape(24, 6), "x_test": data.x_test.reshape(5, 6)},
            lambda data: {"y": data.y[::-1]},
            lambda data: {"index": data.index[::-1]},
            lambda data: {"x_test": None, "y_test": None},
            lambda data: {"mean": np.zeros(6), "std": np.ones(6)},
        ],
    )
    def test_any_change_of_a_tensor_changes_it(self, change):
        data = images()
        assert replace(data, **change(data)).identity != data.identity

    def test_names_do_not_run_into_each_other(self):
        a, b = np.zeros(2, np.uint8), np.zeros(3, np.uint8)
        assert identity_of({"x": a, "xx": b}) != identity_of({"xx": a, "x": b})
        assert identity_of({"x": np.zeros((0, 2))}) != identity_of({"x": np.zeros((0, 3))})

    def test_a_whole_data_set_is_its_own_origin_and_a_part_keeps_it(self):
        data = images()
        part = data.rows(np.array([2, 9]))
        assert (data.origin, data.origin_size) == (data.identity, 24)
        assert (part.origin, part.origin_size) == (data.origin, 24)
        assert part.identity != data.identity
        np.testing.assert_array_equal(part.index, [2, 9])


class TestPositions:
    @given(kept=st.sets(st.integers(0, 23), min_size=1), seed=st.integers(0, 99))
    @settings(max_examples=50, deadline=None)
    def test_they_are_where_the_indices_stand(self, kept, seed):
        random = np.random.default_rng(seed)
        part = images().rows(random.permutation(sorted(kept)))
        wanted = random.permutation(sorted(kept))[: random.integers(0, len(kept) + 1)]
        np.testing.assert_array_equal(part.index[part.positions(wanted)], wanted)

    @pytest.mark.parametrize("missing", [[3], [5, 3], [0, 23, 5]])
    def test_what_was_removed_is_missed(self, missing):
        part = images().rows(np.array([5, 9, 12]))
        lacking = [i for i in missing if i != 5]
        words = f"lacks example {lacking[0]} ({len(lacking)} of {len(missing)} are not in it)"
        refused(lambda: part.positions(missing), words, "before they were removed")

    @pytest.mark.parametrize("index", [-1, 24, 10**12])
    def test_what_is_out_of_range(self, index):
        refused(lambda: images().positions([2, index]), f"index {index} is out of range", "24 rows")

    def test_a_lying_origin_size_takes_no_memory(self):
        data = images(origin="o", origin_size=2**60)
        np.testing.assert_array_equal(data.positions([7, 2]), [7, 2])


def test_a_data_set_without_a_test_set_and_with_inputs_of_any_shape():
    data = Dataset(rows_of(5, (2, 1, 3)), np.arange(5), np.arange(5))
    assert (data.features, data.has_test, data.test_groups) == (6, False, None)
    assert Dataset(rows_of(5, ()), np.arange(5), np.arange(5)).features == 1


def test_an_example_too_far_from_all_others():
    x = np.ones((5, 2), np.float32)
    x[3] = 3e38
    refused(lambda: standardise(x, np.zeros(2), np.full(2, 1e-6)), "row 3 is too far from the mean")
