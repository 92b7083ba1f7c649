"""The binomial model over runs."""

import numpy as np
import pytest

from strag.datasets import catalogue
from strag.datasets.transforms import Changes, changed
from strag.errors import StragError
from strag.stragglers.examples import BetaBinomial, unidentifiable
from tests.training.runs import recorded


def drawn(a, b, runs, P=8192, seed=0):
    random = np.random.default_rng(seed)
    p = random.beta(a, b, size=P)
    return p, random.binomial(runs, p)


@pytest.mark.parametrize(("a", "b"), [(0.02, 0.2), (0.5, 2.0), (5.0, 20.0)])
def test_recovers_the_population(a, b):
    _, counts = drawn(a, b, 10)
    fitted = BetaBinomial.fit(counts, np.full(counts.size, 10))
    assert fitted.share == pytest.approx(1 / (a + b + 1), abs=0.02)
    assert fitted.a / (fitted.a + fitted.b) == pytest.approx(a / (a + b), rel=0.1)


def test_fit_is_a_maximum_of_the_likelihood():
    from scipy.stats import betabinom

    _, counts = drawn(0.3, 1.5, 6, P=2000)
    fitted = BetaBinomial.fit(counts, np.full(2000, 6))
    best = betabinom.logpmf(counts, 6, fitted.a, fitted.b).sum()
    for a, b in ((1.05, 1), (0.95, 1), (1, 1.05), (1, 0.95)):
        assert betabinom.logpmf(counts, 6, fitted.a * a, fitted.b * b).sum() < best


def test_predicts_held_out_runs():
    """Fitted on 8 runs, the predictive probability is the rate in the next 200, level by level."""
    p, counts = drawn(0.05, 0.4, 8)
    runs = np.full(counts.size, 8)
    fitted = BetaBinomial.fit(counts, runs)
    held_out = np.random.default_rng(1).binomial(200, p) / 200
    for level in range(9):
        of_level = counts == level
        error = held_out[of_level].std() / np.sqrt(of_level.sum())
        predicted = fitted.probability(counts, runs)[of_level][0]
        assert held_out[of_level].mean() == pytest.approx(predicted, abs=max(4 * error, 0.005))


@pytest.fixture(scope="module")
def real_sets():
    """S(t = 15), before their inversion at about 25, of 20 runs on 1024 images of MNIST: bool [20, 1024]."""
    data = changed(catalogue.load("mnist8k"), Changes(size=1024))
    options = {"runs": 20, "epochs": 15, "width": 10, "lr": 0.5, "record_every": "15", "test_every": "never"}
    return recorded(data, **options)[0]["misclassified"][-1]


def bins_that_fail(model, fitted, held_out):
    """Bins of the predictive probability whose rate in held-out runs is 4 standard errors off.

    The error has two parts: of the held-out rate, between runs; and of what was fitted.
    """
    counts, runs = fitted.sum(axis=0), np.full(fitted.shape[1], len(fitted))
    predicted, failed = model.probability(counts, runs), []
    for low, high in ((0, 0.02), (0.02, 0.5), (0.5, 0.98), (0.98, 1)):
        inside = (predicted >= low) & (predicted <= high)
        if not inside.any():
            continue
        mean, rates = predicted[inside].mean(), held_out[:, inside].mean(axis=1)
        error = np.sqrt(rates.var(ddof=1) / len(rates) + mean * (1 - mean) / (inside.sum() * len(fitted)))
        if abs(rates.mean() - mean) > 4 * error:
            failed.append((low, high))
    return failed


@pytest.mark.parametrize("half", [0, 1])
def test_predicts_held_out_runs_of_a_real_training(real_sets, half):
    """Fitted on 10 of 20 trainings, the probabilities are the rates in the other 10, bin by bin."""
    fitted, held_out = real_sets[half::2], real_sets[1 - half :: 2]
    model = BetaBinomial.fit(fitted.sum(axis=0), np.full(fitted.shape[1], 10))
    assert bins_that_fail(model, fitted, held_out) == []
    bins = np.bincount(np.digitize(model.probability(np.arange(11), 10), [0.02, 0.5, 0.98]))
    assert len(bins) == 4  # every bin has counts that fall into it
    assert model.share > 0.5
    stiff = BetaBinomial(10 * model.a, 10 * model.b)  # believes its population ten times as much
    assert bins_that_fail(stiff, fitted, held_out)


def test_intervals_cover_and_statuses_keep_their_promise():
    p, counts = drawn(0.3, 0.6, 10)
    runs = np.full(counts.size, 10)
    fitted = BetaBinomial.fit(counts, runs)
    low, high = fitted.interval(counts, runs)
    assert np.mean((low <= p) & (p <= high)) == pytest.approx(0.95, abs=0.01)
    status = fitted.status(counts, runs)
    assert (p[status == "core"] > 0.5).mean() >= 0.95
    assert (p[status == "rare"] > 0.5).mean() <= 0.05
    assert set(status) == {"core", "fringe", "rare"}
    assert counts[status == "rare"].max() < counts[status == "fringe"].min()
    assert counts[status == "fringe"].max() < counts[status == "core"].min()


def test_runs_that_agree_perfectly_leave_no_doubt():
    counts = np.where(np.arange(1000) < 100, 10, 0)
    fitted = BetaBinomial.fit(counts, np.full(1000, 10))
    assert fitted.share > 0.99
    assert fitted.probability(counts, 10)[0] > 0.99
    assert fitted.probability(counts, 10)[-1] < 0.01


def test_examples_that_only_chance_picks_leave_no_share():
    counts = np.random.default_rng(0).binomial(10, 0.1, size=8192)
    assert BetaBinomial.fit(counts, np.full(8192, 10)).share < 0.01


def test_runs_may_differ_between_examples():
    p, _ = drawn(0.5, 2, 1)
    random = np.random.default_rng(3)
    runs = random.integers(0, 12, size=p.size)
    fitted = BetaBinomial.fit(random.binomial(runs, p), runs)
    assert fitted.share == pytest.approx(1 / 3.5, abs=0.03)


def test_one_run_is_not_enough():
    with pytest.raises(StragError, match="two runs with a set; train more"):
        BetaBinomial.fit(np.array([1, 0]), np.array([1, 1]))


def test_where_nothing_varies_nothing_is_identifiable():
    """Every k is 0, or every k is R: whatever the other parameter, the likelihood is the same."""
    runs = np.full(50, 10)
    for counts, reason in ((0 * runs, "no example straggles"), (runs, "every example straggles")):
        assert unidentifiable(counts, runs).startswith(reason)
        with pytest.raises(StragError, match=reason):
            BetaBinomial.fit(counts, runs)
    always_or_never = np.where(np.arange(50) < 5, 10, 0)
    assert unidentifiable(always_or_never, runs) == ""
    assert BetaBinomial.fit(always_or_never, runs).share == pytest.approx(1, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("examples", [50, 300, 8192])
@pytest.mark.parametrize("runs", [2, 4, 10, 30])
def test_the_interval_of_a_probability_holds(runs, examples):
    """p_i from a Beta, mnist8k's first, and the size of sets spread as there; 0.95 nominal.

    Every run shifts all logits by noise of deviation 0.18, which gives sizes of 757 +- 14 of 8192. What
    counts are the examples that a table shows, which straggle at least once, at the precision of the file.
    """
    for a, b in ((0.01, 0.098), (0.1, 0.9), (0.5, 2.0)):
        random = np.random.default_rng([runs, examples])
        held = shown = 0
        for _ in range(max(30, 15_000 // examples)):
            p = np.clip(random.beta(a, b, size=examples), 1e-12, 1 - 1e-12)
            logits = np.log(p / (1 - p)) + 0.18 * random.normal(size=(runs, 1))
            counts = (random.random((runs, examples)) < 1 / (1 + np.exp(-logits))).sum(axis=0)
            seen = np.full(examples, runs)
            if unidentifiable(counts, seen):
                continue  # there the file has no interval
            low, high = np.round(BetaBinomial.fit(counts, seen).interval(counts, seen), 6)
            called = counts > 0
            held += ((low <= np.round(p, 6)) & (np.round(p, 6) <= high))[called].sum()
            shown += called.sum()
        assert held / shown >= 0.93, (a, b, held / shown)
