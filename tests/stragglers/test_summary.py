"""Laws of a summary: its intervals hold what they promise, and it says what it cannot know."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import binom, ttest_ind

from strag.stragglers.experiments import QUANTITIES, Experiment, Run
from strag.stragglers.intervals import clopper_pearson, difference, share_interval, two_levels
from strag.stragglers.summary import summarise


def experiment(settings=None, block="a", runs=5, values=None, seed=0, updates=100, Q=None, first=0):
    """An Experiment whose inverting runs have these values of all quantities, and the others are open."""
    random = np.random.default_rng(seed)
    errors = 0.09 + 0.001 * random.normal(size=runs) if values is None else np.asarray(values, float)
    made = [
        Run(
            block,
            (seed, run),
            "inversion" if run - first < len(errors) else "open",
            updates,
            dict.fromkeys(QUANTITIES, errors[run - first] if run - first < len(errors) else np.nan),
        )
        for run in range(first, first + runs)
    ]
    return Experiment({"width": 20, "data": "d", **(settings or {})}, tuple(made), Q)


def test_the_interval_over_blocks_holds_the_mean_as_often_as_it_says():
    random = np.random.default_rng(1)
    held, seeds, between = 0, [], []
    for _ in range(400):
        blocks = [1 + 0.3 * random.normal() + 0.1 * random.normal(size=8) for _ in range(4)]
        level = two_levels(blocks)
        held += level.low <= 1 <= level.high
        seeds.append(level.seed_std)
        between.append(level.block_std**2)
    assert held / 400 == pytest.approx(0.95, abs=0.033)  # three standard errors
    assert np.mean(seeds) == pytest.approx(0.1, rel=0.05)
    assert np.mean(between) ** 0.5 == pytest.approx(0.3, rel=0.1)


def test_seeds_alone_say_nothing_of_other_blocks():
    level = two_levels([np.array([1.0, 2.0, 3.0])])
    assert level.mean == 2
    assert np.isnan(level.block_std)
    assert (level.seed_std, level.high - level.mean) == (1, pytest.approx(4.3027 / 3**0.5, rel=1e-4))
    assert np.isnan(two_levels([np.array([1.0])]).low)
    assert np.isnan(two_levels([np.array([np.nan])]).mean)


def test_one_of_several_blocks_does_not_speak_for_the_others():
    level = two_levels([np.array([1.0, 2.0, 3.0]), np.array([])])
    assert (level.mean, level.seed_std) == (2, 1)
    assert np.isnan(level.low)
    found = summarise([experiment(), experiment(block="b", values=[])])
    assert np.isnan(found.conditions[0].level("train_error").low)


@pytest.mark.parametrize(("k", "n"), [(0, 6), (3, 10), (30, 30), (1, 1)])
def test_clopper_and_pearson_cut_both_tails(k, n):
    low, high = clopper_pearson(k, n)
    assert low == 0 if k == 0 else binom.sf(k - 1, n, low) == pytest.approx(0.025)
    assert high == 1 if k == n else binom.cdf(k, n, high) == pytest.approx(0.025)


def test_conditions_are_told_by_what_differs_and_blocks_belong_together():
    found = summarise(
        [
            experiment(block="a"),
            experiment(block="b", seed=1),
            experiment(block="a"),  # the same runs again
            experiment({"width": 50}, values=[0.1, 0.2], runs=3),
        ]
    )
    assert [one.label for one in found.conditions] == ["width 20", "width 50"]
    assert [(one.blocks, one.runs, one.inverting) for one in found.conditions] == [(2, 10, 10), (1, 3, 2)]
    assert found.varies == ("width",)
    assert found.title == "d"
    assert found.laws == {}
    several = summarise([experiment(), experiment({"width": 50}), experiment({"lr": 1})])
    assert [one.label for one in several.conditions] == ["reference", "lr 1", "width 50"]
    labelled = summarise([experiment(), experiment({"width": 50})], ["x", "y"])
    assert [one.label for one in labelled.conditions] == ["x", "y"]


def test_a_law_is_fitted_where_the_number_of_examples_is_all_that_varies():
    found = summarise([experiment({"examples": P}, seed=P) for P in (4096, 512, 1024, 2048)])
    assert set(found.laws) == {"train_error", "test_error", "gap", "lr_update"}
    assert [one.examples for one in found.conditions] == [512, 1024, 2048, 4096]


def test_runs_of_other_seeds_and_numbers_on_one_block_are_pooled_and_repeated_ones_told():
    files = [experiment(runs=4), experiment(runs=4, seed=7), experiment(runs=4, first=4), experiment(runs=4)]
    found = summarise(files)
    assert [(one.blocks, one.runs) for one in found.conditions] == [(1, 12)]
    assert found.repeated == 4
    longer = experiment(runs=4, values=[0.2] * 4, updates=300)
    for both in ([files[0], longer], [longer, files[0]]):  # the same runs, trained for longer
        (one,) = summarise(both).conditions
        assert (one.runs, one.level("train_error").mean) == (4, pytest.approx(0.2))
    other = summarise([files[0], experiment({"width": 50}, runs=4)], ["x", "x"])  # not the same training
    assert [one.runs for one in other.conditions] == [8]


@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_files_changes_nothing(seed):
    files = [
        experiment({"width": width, "lr": lr}, block, seed=number)
        for number, (width, lr, block) in enumerate(
            [(20, 0.1, "a"), (20, 0.1, "b"), (50, 0.1, "a"), (20, 0.4, "a"), (20, 0.4, "b"), (5, 0.1, "b")]
        )
    ]
    shuffled = [files[at] for at in np.random.default_rng(seed).permutation(len(files))]
    first, second = summarise(files), summarise(shuffled)
    assert repr(first) == repr(second)
    assert first.reference.label == second.reference.label == "reference"
    assert [one.label for one in first.conditions] == ["reference", "lr 0.4", "width 5", "width 50"]


def test_the_reference_is_the_same_before_and_after_the_sort():
    """Of conditions alike it is the first in their own order, whatever the order of the files."""
    for order in ((50, 20, 5), (5, 50, 20)):
        found = summarise([experiment({"width": width}) for width in order])
        assert found.reference is found.conditions[0]
        assert found.reference.label == "width 5"
        assert [bool(one.differences) for one in found.conditions] == [False, True, True]


def test_of_a_sweep_the_sets_of_the_runs_are_the_reference_whatever_is_more_common():
    kinds = [
        ("none", 0.0),
        *((c, d) for c in ("class", "earlier", "none") for d in (0.5, 1.0)),
        ("class", 0.0),
    ]
    files = [
        experiment({"control": control, "dose": dose}, seed=n) for n, (control, dose) in enumerate(kinds)
    ]
    found = summarise([*files, experiment({"without": None})])
    assert found.conditions[0].label == "own set"
    assert found.conditions[0].settings["control"] == "none"
    labels = [one.label for one in found.conditions]
    assert {"control class", "dose 0.5", "control earlier, dose 1", "all examples"} <= set(labels)
    assert not any("None" in label for label in labels)


def test_of_conditions_without_a_reference_one_that_inverts_is_it():
    found = summarise([experiment({"lr": 0.1}, values=[]), experiment({"lr": 0.2}), experiment({"lr": 0.4})])
    assert found.reference.label == "lr 0.2"


def test_the_reference_is_sought_at_the_inversion_and_leaves_nothing_out():
    usual, late = experiment({"at": "inversion"}), experiment({"at": "error:0.05"})
    for order in ((usual, late), (late, usual)):
        found = summarise(list(order))
        assert found.reference.label == "at inversion"
        assert [bool(one.differences) for one in found.conditions] == [True, False]
    removed = [experiment({"pruned": f"5 examples ({name})", "examples": 95}) for name in ("ab", "cd")]
    for labels in (None, ["pruned", "control", "all"]):
        found = summarise([*removed, experiment({"pruned": None, "examples": 100}, runs=2)], labels)
        assert found.reference.settings["pruned"] is None
        assert found.reference.differences == {}
    labels = {one.label for one in summarise([*removed, experiment({"examples": 100})]).conditions}
    assert labels == {"all examples", "pruned 5 examples (ab)", "pruned 5 examples (cd)"}
    sized = [experiment({"pruned": None, "examples": P}) for P in (50, 100)]
    labels = [one.label for one in summarise([*removed, *sized]).conditions]
    assert len(set(labels)) == 4  # here the number of examples does not follow from the pruning


def test_networks_with_biases_are_the_reference_of_those_without():
    """A setting that files lack unless it is set."""
    without, usual = experiment({"no_bias": True}), experiment()
    for order in ([without, usual], [usual, without]):
        found = summarise(order)
        assert [condition.label for condition in found.conditions] == ["biases", "no biases"]
        assert found.reference.label == "biases"
    wide = experiment({"no_bias": True, "width": 30})
    found = summarise([without, wide, usual])
    assert found.reference.label == "reference"
    assert "no biases" in [condition.label for condition in found.conditions]


def test_standardising_by_pixel_is_the_reference():
    """A setting that files lack unless it is set, and the usual one even if another is more common."""
    others = [experiment({"standardise": way}) for way in ("channel", "none")]
    for order in ([experiment(), *others], [*others, experiment()]):
        found = summarise(order)
        labels = [condition.label for condition in found.conditions]
        assert labels == [f"standardise {way}" for way in ("pixel", "channel", "none")]
        assert found.reference.label == "standardise pixel"
    wide = experiment({"standardise": "channel", "width": 30})
    found = summarise([others[0], wide, experiment()])
    labels = [condition.label for condition in found.conditions]
    assert labels == ["reference", "standardise channel", "width 30, standardise channel"]


def test_runs_of_a_training_count_once_however_often_it_is_analysed():
    usual, late = experiment({"at": "inversion"}), experiment({"at": "error:0.05"})
    assert summarise([usual, late]).trained == 5
    assert summarise([usual, late, experiment({"at": "inversion", "lr": 0.2})]).trained == 10


def test_equal_numbers_are_the_same_setting():
    found = summarise([experiment({"momentum": 0}), experiment({"momentum": 0.0}, seed=1)])
    assert [(one.label, one.runs) for one in found.conditions] == [("reference", 10)]


def test_what_either_of_two_copies_knows_is_kept():
    whole = experiment(runs=4)
    runs = tuple(replace(run, values={**run.values, "test_error": np.nan}) for run in whole.runs)
    for both in ([whole, replace(whole, runs=runs)], [replace(whole, runs=runs), whole]):
        (one,) = summarise(both).conditions
        assert len(one.values["test_error"][0]) == 4


def test_copies_are_merged_alike_in_every_order_and_only_with_their_own_verdict():
    def copy(verdict, **values):
        run = Run(
            "a", (0, 0), verdict, 100, {**dict.fromkeys(("train_error", "test_error"), np.nan), **values}
        )
        return Experiment({"lr": 0.1}, (run,))

    parts = [
        copy("inversion", train_error=0.1),
        copy("inversion", test_error=0.2),
        copy("inversion", train_error=0.3),
        copy("none", train_error=0.9, test_error=0.9, lr_update=1.0),
    ]
    found = {repr(summarise(list(order))) for order in permutations(parts)}
    assert len(found) == 1
    (one,) = summarise(parts).conditions
    assert (one.runs, one.verdicts) == (1, {"inversion": 1})
    assert one.level("test_error").mean == 0.2
    assert one.level("train_error").mean in (0.1, 0.3)


@pytest.mark.parametrize("name", ["without", "pruned"])
def test_no_two_conditions_have_one_label_and_all_examples_are_all(name):
    files = [experiment({name: told, "lr": lr}) for told, lr in (("ab", 0.1), ("ab", 0.2), (None, 0.2))]
    found = summarise(files)
    assert [one.label for one in found.conditions] == ["reference", f"{name} ab", f"{name} ab, lr 0.1"]
    assert found.reference.settings[name] is None
    sweep = [experiment({"control": control, "dose": 0.0}) for control in ("none", "random")]
    beside = [experiment({"control": None, name: told}) for told in ("ab", None)]
    labels = [one.label for one in summarise([*sweep, *beside]).conditions]
    assert sorted(labels) == sorted(["own set", "control random", f"{name} ab", "all examples"])


def test_what_is_withheld_has_no_difference():
    whole = experiment(runs=4)
    runs = [replace(whole.runs[0], values={**whole.runs[0].values, "depth_at_4": np.nan}), *whole.runs[1:]]
    found = summarise([replace(whole, runs=tuple(runs)), experiment({"lr": 0.2}, runs=4)], ["x", "y"])
    for condition in found.conditions[1:]:
        assert np.isnan(condition.difference("depth_at_4").mean)
        assert np.isfinite(condition.difference("train_error").mean)


def test_one_pair_of_many_runs_is_no_pair():
    ours, theirs = experiment({"lr": 0.2}, runs=4, first=3), experiment({"lr": 0.1}, runs=4, seed=0)
    level = summarise([theirs, ours], ["x", "y"]).conditions[1].difference("train_error")
    values = [np.array([run.values["train_error"] for run in one.runs]) for one in (ours, theirs)]
    assert level == difference(*values)


def test_intervals_end_where_the_quantity_does():
    (one,) = summarise(
        [experiment(block=b, runs=1, values=[v]) for b, v in (("a", 0.02), ("b", 0.2))]
    ).conditions
    assert one.level("train_error").low == 0
    assert one.level("test_error").high == 1
    assert one.level("gap").low < 0


def test_the_depth_up_to_4_is_told_if_it_is_known_of_all_that_invert():
    whole = experiment(runs=4)
    runs = [replace(whole.runs[0], values={**whole.runs[0].values, "depth_at_4": np.nan}), *whole.runs[1:]]
    (one,) = summarise([replace(whole, runs=tuple(runs))]).conditions
    assert np.isnan(one.level("depth_at_4").mean)
    assert np.isfinite(one.level("depth").mean)


def test_an_unknown_number_of_examples_is_no_size():
    found = summarise([experiment({"examples": P}) for P in (512, None, 1024, 2048, 4096)])
    assert found.laws == {}
    assert [one.examples for one in found.conditions] == [512, 1024, 2048, 4096, None]


def test_a_share_counts_censored_runs_for_neither_side():
    low, high = share_interval([(0, 30, 30)])
    assert (low, high) == (0, 1)
    assert share_interval([(0, 0, 30)]) == clopper_pearson(0, 30)
    low, high = share_interval([(3, 2, 10)])
    assert (low, high) == (clopper_pearson(3, 10)[0], clopper_pearson(5, 10)[1])
    found = summarise([experiment(runs=6, values=[0.1] * 2)])
    (one,) = found.conditions
    assert (one.inverting, one.others) == (2, "4 open")
    assert (one.low, one.high) == (clopper_pearson(2, 6)[0], 1)


def test_several_blocks_are_as_many_trials():
    """Ten runs that invert on each of three blocks are no thirty trials."""
    assert share_interval([(10, 0, 10)] * 3) == clopper_pearson(3, 3)
    low, high = share_interval([(10, 0, 10), (0, 0, 10), (5, 0, 10)])
    assert (low, high) == clopper_pearson(1.5, 3)
    assert np.isnan(share_interval([])).all()


def test_the_error_of_the_test_set_is_in_every_interval_of_a_test_error():
    """e (1 - e)/Q = 0.0009 at e = 0.1 and Q = 100: 0.03, and no number of runs makes it less."""
    values = np.full(400, 0.1)
    (one,) = summarise([experiment(runs=400, values=values, Q=100)]).conditions
    assert one.level("test_error").high - 0.1 == pytest.approx(1.96 * 0.03, rel=1e-3)
    assert one.level("gap").high - 0.1 == pytest.approx(1.96 * 0.03, rel=1e-3)
    assert one.level("last_test_error").high - 0.1 == pytest.approx(1.96 * 0.03, rel=1e-3)
    assert one.level("wrong_test_error").high - 0.1 == pytest.approx(1.96 * 0.03 / 0.1**0.5, rel=1e-3)
    for name in ("train_error", "excess_error", "depth_at_4"):
        assert one.level(name).high == pytest.approx(0.1)
    unknown = summarise([experiment(runs=400, values=values)])
    assert unknown.lacks_test_examples
    assert unknown.conditions[0].level("test_error").high == pytest.approx(0.1)


def test_differences_are_of_runs_that_start_alike_on_the_same_data():
    def of(width, block, values, first=0, seed=0):
        return experiment({"width": width}, block, len(values), values, seed, first=first)

    found = summarise(
        [
            of(20, "a", [0.10, 0.20]),
            of(20, "b", [0.50, 0.70]),
            of(50, "a", [0.11, 0.22, 0.9]),  # run 2 has no counterpart
            of(50, "c", [0.3]),  # nor has block c
        ],
        ["x", "x", "y", "y"],
    )
    x, y = found.conditions
    assert found.reference is x
    assert x.differences == {}
    assert np.isnan(x.difference("train_error").mean)
    level = y.difference("train_error")
    assert (level.mean, level.seed_std) == (pytest.approx(0.015), pytest.approx(0.01 / 2**0.5))
    assert np.isnan(y.level("last_test_error@1").mean)
    assert "depth" not in y.differences  # of unequal horizons


def test_runs_that_start_from_other_weights_are_no_pairs():
    ours, theirs = [0.3, 0.5, 0.4], [0.1, 0.2, 0.3]
    found = summarise(
        [experiment(runs=3, values=theirs), experiment({"width": 50}, runs=3, values=ours, seed=7)],
        ["x", "y"],
    )
    level = found.conditions[1].difference("train_error")
    assert level == difference(np.array(ours), np.array(theirs))
    assert level.mean == pytest.approx(0.2)
    assert level.high - level.mean == pytest.approx(
        ttest_ind(ours, theirs, equal_var=False).confidence_interval().high - 0.2
    )


@pytest.mark.slow
def test_means_over_unequal_blocks_hold():
    """4000 studies of each design, with 2 to 10 blocks of 1 to 10 seeds."""
    random = np.random.default_rng(3)
    for sizes in ([10, 1], [10, 10, 1], [4] * 5, [1, 2, 3, 4, 10], [8] * 10):
        held = 0
        for _ in range(4000):
            level = two_levels([1 + 0.3 * random.normal() + 0.1 * random.normal(size=n) for n in sizes])
            held += level.low <= 1 <= level.high
        assert held / 4000 >= 0.93, (sizes, held / 4000)


@pytest.mark.slow
def test_means_of_test_errors_hold_with_the_error_of_their_test_set():
    random, e, Q = np.random.default_rng(4), 0.1, 1000
    for blocks, seeds in ((1, 10), (3, 5), (10, 10)):
        held = told = 0
        for _ in range(4000):
            shared = random.normal() * np.sqrt(e * (1 - e) / Q)
            values = [e + shared + 0.003 * random.normal(size=seeds) for _ in range(blocks)]
            level, without = two_levels(values, e * (1 - e) / Q), two_levels(values)
            held += level.low <= e <= level.high
            told += without.low <= e <= without.high
        assert held / 4000 >= 0.93, (blocks, seeds, held / 4000)
        assert told / 4000 < 0.6


@pytest.mark.slow
@pytest.mark.parametrize("blocks", [1, 2, 3, 5, 10, 30])
@pytest.mark.parametrize("between", [0.02, 0.2, 0.6, 0.95])
def test_shares_hold_over_unequal_blocks_with_censored_runs(blocks, between):
    """2000 studies for each share: rates of blocks are from a Beta, a third of the runs is censored."""
    random = np.random.default_rng(5)
    for share in (0.5, 0.8, 0.95, 0.99):
        a, held = 1 / between - 1, 0
        for _ in range(2000):
            rates = random.beta(share * a, (1 - share) * a, size=blocks)
            runs = random.integers(4, 11, size=blocks)
            known = random.binomial(runs, 2 / 3)
            inverting = random.binomial(known, rates)
            found = list(zip(inverting.tolist(), (runs - known).tolist(), runs.tolist(), strict=True))
            low, high = share_interval(found)
            truth = rates[0] if blocks == 1 else share  # one block tells of itself
            held += low <= truth <= high
        assert held / 2000 >= 0.93, (share, held / 2000)


def left_out(block, identity, seed=0, **settings):
    """An Experiment on a block of which something was left out, or nothing if there is no identity."""
    return experiment({"without": identity, **settings}, block, seed=seed)


def test_what_each_block_lacks_is_one_condition_over_blocks():
    blocks = [left_out(block, identity, seed) for seed, (block, identity) in enumerate(["ax", "by", "cz"])]
    whole = [left_out(block, None, seed) for seed, block in enumerate("abc")]
    found = summarise(blocks + whole)
    assert {(c.label, c.blocks, c.runs) for c in found.conditions} == {
        ("without examples of each block", 3, 15),
        ("all examples", 3, 15),
    }
    assert found.reference.label == "all examples"


def test_different_choices_on_one_block_stay_apart():
    found = summarise([left_out("a", "x"), left_out("a", "y", 1), left_out("b", "z", 2)])
    assert [(c.settings["without"], c.blocks) for c in found.conditions] == [("x", 1), ("y", 1), ("z", 1)]
    alone = summarise([left_out("a", "x"), left_out("a", None, 1)])
    assert {c.settings["without"] for c in alone.conditions} == {"x", None}
