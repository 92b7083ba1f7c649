"""Tested: what the test records of a History say."""

import numpy as np

_FAR = 2  # test errors are interpolated only between records whose updates have at most this ratio


class Tested:
    """The part of a History that reads its test records, of which there may be none."""

    @property
    def test_examples(self):
        """Number of test examples Q, or None if it is not known."""
        return None if self.y_test is None else len(self.y_test)

    @property
    def noise_levels(self):
        """Standard deviations of the noise on the test inputs: list of S float."""
        return list(self.recipe.get("noise") or [0.0])

    @property
    def noise_free(self):
        """Position on axis S of the tests without noise; None without such tests."""
        levels = self.noise_levels
        return levels.index(0.0) if self.test_updates is not None and 0.0 in levels else None

    def tests_of(self, run):
        """Positions on axis K of the test records of a run (position on axis R), rising: int64.

        These are all test records, unless runs end at different records. Then each run is tested at its own
        end, where the test error of the other runs is NaN.
        """
        if self.test_updates is None:
            return np.zeros(0, np.int64)
        if self.last_record is None:
            return np.arange(len(self.test_updates))
        tested = np.isfinite(self.test_error[:, run]).all(axis=1)
        return np.flatnonzero(tested & (self.test_updates <= self.last_updates[run]))

    def last_test_error(self, run):
        """Test error of a run (position on axis R) at its last test record: float64 [S].

        It is NaN for a run that diverged, since all its test examples count as misclassified. It is None
        without test records.
        """
        if self.test_error is None or not len(self.test_error):
            return None
        tests = self.tests_of(run)
        if not len(tests) or not self.last_finite[run]:
            return np.full(self.test_error.shape[2], np.nan)
        return self.test_error[tests[-1], run].astype(np.float64)

    def test_error_at(self, update, run):
        """Test error of a run (position on axis R) without noise at an update, interpolated linearly in ln t.

        It is NaN without noise-free test records, outside of their updates, and between two records if the
        later one has more than twice the updates of the earlier one, which is too far apart.
        """
        if update is None or self.noise_free is None:
            return np.nan
        tests = self.tests_of(run)
        updates, errors = self.test_updates[tests], self.test_error[tests, run, self.noise_free]
        errors = errors.astype(np.float64)
        after = int(np.searchsorted(updates, update))
        if after == len(errors):
            return np.nan
        late = float(updates[after])
        if late == update:
            return float(errors[after])
        early = float(updates[after - 1]) if after else 0.0
        if early <= 0 or late > _FAR * early:
            return np.nan
        share = np.log(update / early) / np.log(late / early)
        return float(errors[after - 1] + share * (errors[after] - errors[after - 1]))

    def test_record_near(self, update, run):
        """Position on axis K of the test record of a run that is nearest to an update in ln t.

        It is None without test records, outside of their updates, and if the nearest record is more than a
        factor of two away. run : position on axis R.
        """
        tests = self.tests_of(run)
        if not update or not tests.size:
            return None
        updates = self.test_updates[tests]
        if not updates[0] <= update <= updates[-1]:
            return None
        nearest = int(np.abs(np.log(np.maximum(updates, 1)) - np.log(update)).argmin())
        apart = abs(np.log(max(updates[nearest], 1) / update))
        return None if apart > np.log(_FAR) else int(tests[nearest])
