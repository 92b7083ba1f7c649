"""Runs that end at different records: nothing after the end of a run enters any number."""

from dataclasses import replace

import numpy as np
import pytest

from strag.bits import unpack
from strag.errors import StragError
from strag.stragglers.controls import DRAWN, hardest_others, with_controls
from strag.stragglers.doubts import doubts
from strag.stragglers.experiments import experiments_of
from strag.stragglers.find import Moment, find_inversions, find_stragglers
from strag.stragglers.finding import finding_of
from strag.stragglers.inversion import DIVERGED
from strag.stragglers.per_class import find_per_class
from strag.stragglers.profile import find_by_layer
from strag.stragglers.reference import reference_of
from strag.stragglers.sets import Logarithmic, sets_over_time
from strag.stragglers.stability import aligned_records, stability
from strag.stragglers.summary import summarise
from strag.stragglers.sweep import sweep_of
from strag.views import history as history_view
from strag.views.captions import caption
from strag.views.dynamics import dynamics_of, mean_and_spread
from tests.stragglers.endings import ENDS, Q, alone, ending, together, whole

RUNS = range(len(ENDS))
FULL = whole()


def _finding(find):
    """A function of a History that returns its RunFindings, with stragglers that `find` finds."""
    return lambda history: finding_of(history, find(history), {}).runs


def _sets(history):
    """The sets along training by run, with controls of the same kind."""
    sets = sets_over_time(history)
    return [
        [(sets.update[n], sets.members[n].tobytes()) for n in np.flatnonzero(sets.network == network)]
        for network in range(len(history.runs))
    ]


def _tests(history):
    """Test errors of each run at its end, at many updates, and the records near to these."""
    updates = (0, 1, 3, 7, 12.5, 33, 47, 60, 81, 119, 121, 159)
    return [
        (
            history.last_test_error(run).tolist(),
            [history.test_error_at(t, run) for t in updates],
            [
                None if near is None else int(history.test_updates[near])
                for near in (history.test_record_near(t, run) for t in updates)
            ],
            bool(history.last_finite[run]),
        )
        for run in range(len(history.runs))
    ]


ANALYSES = {
    "radius": find_inversions,
    "class": lambda history: find_inversions(history, "radius:odd"),
    "first increase": lambda history: find_inversions(history, rule="first-increase"),
    "per class": lambda history: find_per_class(history).by_class,
    "layers": lambda history: find_by_layer(history, "radius", "all")[0].inversions,
    "at inversion": _finding(find_stragglers),
    "at update": _finding(lambda history: find_stragglers(history, at=Moment(update=30))),
    "at error": _finding(lambda history: find_stragglers(history, at=Moment(error=0.75))),
    "sets": _sets,
    "tests": _tests,
}


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("name", ANALYSES)
def test_a_run_that_ends_earlier_is_as_if_it_were_alone(name, run):
    expected = repr(ANALYSES[name](alone(FULL, run, ENDS[run]))[0])

    assert repr(ANALYSES[name](ending(FULL, ENDS))[run]) == expected
    assert repr(ANALYSES[name](ending(FULL, ENDS, beyond=0.3))[run]) == expected


def _text(history):
    """What a terminal shows of a history, against updates and against the training error."""
    made = [history_view.picture([history], x=x).text(100, 30, False) for x in ("updates", "error")]
    return made, history_view.picture([history]).notes


def _figure(history):
    """The curves of a figure: their horizontal positions and values, and the caption."""
    shown = history_view.picture([history]).figure()
    lines = [line.get_xydata().tolist() for panel in shown.axes for line in panel.lines]
    return lines, [text.get_text() for panel in shown.axes for text in panel.texts]


def _sets(history, sets):
    return with_controls(history, sets, DRAWN, 0, hardest_others(history, sets, None))


POOLED = {
    "finding": lambda history: finding_of(history, find_stragglers(history), {}),
    "at update": lambda history: finding_of(history, find_stragglers(history, at=Moment(update=90)), {}),
    "per class": lambda history: finding_of(history, find_per_class(history), {}),
    "summary": lambda history: summarise(experiments_of(POOLED["finding"](history))),
    "stability": stability,
    "agreement of all pairs": lambda history: stability(history, "all"),
    "doubts": lambda history: doubts(history, find_stragglers(history)),
    "sets": lambda history: _sets(history, sets_over_time(history, Logarithmic(7))),
    "text": _text,
    "figure": _figure,
}


def _same(found, expected):
    """Whether two results are equal, NaN being equal to itself: by their texts, with every digit."""
    with np.printoptions(threshold=10**9, floatmode="unique"):
        return repr(found) == repr(expected)


@pytest.mark.parametrize("name", POOLED)
def test_runs_that_end_together_are_as_in_a_history_that_ends_there(name):
    expected = POOLED[name](together(FULL, 120))

    assert _same(POOLED[name](ending(FULL, [120] * 4)), expected)


@pytest.mark.parametrize("name", POOLED)
def test_no_value_after_the_end_of_a_run_enters(name):
    assert _same(POOLED[name](ending(FULL, ENDS, 0.3)), POOLED[name](ending(FULL, ENDS)))


def _diverging(ends):
    """A History whose third run diverges and ends last, and the same without this run."""
    loss = np.array(FULL.train_loss)
    loss[50:, 2] = np.nan
    history = ending(replace(FULL, train_loss=loss), ends)
    kept = [0, 1, 3]
    without = ending(_of_runs(FULL, kept), [ends[run] for run in kept])
    return history, without


def _of_runs(history, runs):
    """A History of some of the runs, positions on axis R."""
    names = ("train_error", "train_loss", "misclassified", "test_error", "test_misclassified")
    return replace(
        history,
        **{name: getattr(history, name)[:, runs] for name in names},
        measures={name: values[:, runs] for name, values in history.measures.items()},
        trained=history.trained[runs],
        runs=tuple(history.runs[run] for run in runs),
    )


def test_a_run_that_has_ended_has_not_diverged_and_one_that_diverged_is_left_out():
    history, without = _diverging(ENDS)
    verdicts = [inversion.verdict for inversion in find_inversions(history)]

    assert [verdict == DIVERGED for verdict in verdicts] == [False, False, True, False]
    assert history.last_finite.tolist() == [True, True, False, True]
    assert np.isnan(history.last_test_error(2)).all()
    found, expected = stability(history, "all"), stability(without, "all")
    assert len(found.updates) == 121  # the longest of the other runs
    assert (found.diverged, found.taken) == (1, 3)
    assert _same(replace(found, diverged=0), expected)
    lines, _ = _figure(history)
    assert _same(lines, _figure(without)[0])


def test_means_at_a_time_are_over_the_runs_that_still_train():
    history = ending(FULL, ENDS)
    shown, agreement = dynamics_of(history), stability(history, "all")
    radius = history.observable("radius")

    for t, runs in ((47, [0, 1, 2, 3]), (48, [0, 2, 3]), (100, [0, 2]), (159, [2])):
        mean, spread = (values[t] for values in mean_and_spread(shown.curves["radius"], shown.recorded))
        assert mean == pytest.approx(radius[t, runs].mean())
        assert spread == pytest.approx(radius[t, runs].std(ddof=1) if len(runs) > 1 else 0)
        assert agreement.train_error[t] == pytest.approx(history.train_error[t, runs].mean())
        assert np.isfinite(agreement.z[t]) == (len(runs) > 2)  # the spread of one pair is not known


def test_a_caption_says_where_means_are_over_fewer_runs():
    history, every = ending(FULL, ENDS), ending(FULL, [120] * 4)

    for shown, said in ([[history], True], [[every], False], [[every, history], True]):
        assert ("the runs that still train" in caption([dynamics_of(one) for one in shown])) is said


def test_a_run_reaches_a_mean_error_only_before_its_end():
    error = np.array([[0.5, 0.5], [0.3, 0.4], [0.2, 0.0], [0.1, 0.0]])
    recorded = np.array([[True, True], [True, True], [True, False], [True, False]])

    assert aligned_records(error, recorded).tolist() == [[0, 0], [1, -1], [2, -1], [3, -1]]


def test_no_set_is_taken_where_a_run_has_ended():
    history = ending(FULL, ENDS)
    found = find_stragglers(history, at=Moment(update=100))

    assert [record is not None for record in found.records] == [True, False, True, False]
    sets = sets_over_time(history, Logarithmic(9))
    assert sets.update[sets.network == 1].max() <= 47 < sets.update.max() == 159
    diverged, _ = _diverging(ENDS)
    with pytest.raises(StragError, match="no run that still trains and is finite at update 140"):
        find_stragglers(diverged, at=Moment(update=140))


def test_a_run_has_as_many_records_as_it_says_where_these_are_too_few():
    history, _ = _diverging((4, 3, 150, 2))
    shortfall = finding_of(history, find_stragglers(history), {}).summary.shortfall

    assert (shortfall.condition, shortfall.runs, shortfall.value) == ("records", 3, 5)
    assert dynamics_of(history).shortfall == shortfall


def test_the_lowest_error_is_that_of_a_record():
    history = ending(FULL, ENDS, beyond=0.001)
    lowest = np.nanmin(ending(FULL, ENDS).train_error)

    with pytest.raises(StragError, match=f"the lowest is {lowest:.4g}"):
        find_stragglers(history, at=Moment(error=0.01))


def _sweep(ends, **recipe):
    """A History of the four runs as two networks of each of two runs, without a set and without a control."""
    base = ending(FULL, ends)
    sets = {"run": [0, 0, 1, 1], "update": [20] * 4, "dose": [0.0] * 4, "control": ["none", "random"] * 2}
    trained = np.array(base.trained)
    trained[:, 0] = 0x0F
    return replace(base, trained=trained, meta={**base.meta, "sets": sets, "recipe": recipe})


def test_every_network_of_a_sweep_has_the_test_error_of_its_own_end():
    history = _sweep(ENDS)
    sweep = sweep_of(history)
    own = FULL.test_error[list(ENDS), range(4), 0]

    assert [condition.test_error.tolist() for condition in sweep.conditions] == [
        [own[0], own[2]],
        [own[1], own[3]],
    ]
    np.testing.assert_allclose(sweep.conditions[0].differences["random"], own[::2] - own[1::2])
    caption = [text.get_text() for text in _sweep_axes(sweep)]
    assert any("trained for 47 to 159 updates" in text.replace("\n", " ") for text in caption)


def _sweep_axes(sweep):
    """The texts of a figure of a Sweep."""
    from matplotlib.text import Text

    from strag.views.sweep_figure import sweep_figure

    return sweep_figure(sweep).findobj(Text)


def test_networks_and_their_reference_are_compared_each_at_its_own_end():
    recipe = {"until": "decided", "epochs": 160}
    networks, ends = _sweep(ENDS, **recipe), (100, 130, 20, 159)
    reference = replace(ending(FULL, ends), meta={**FULL.meta, "recipe": recipe})
    found = reference_of(networks, reference, find_stragglers(reference)).counterparts

    assert [one.test_error.tolist() for one in found] == [
        FULL.test_error[ends[run], run].tolist() for run in (0, 0, 1, 1)
    ]
    wrong = unpack(FULL.test_misclassified, Q)[:, :, 0]
    for network, one in enumerate(found):
        stopped = reference.test_updates[reference.test_record_near(one.update, one.run)]
        hard, own = wrong[stopped, one.run], wrong[ENDS[network], network]
        assert one.wrong_test_error == pytest.approx(own[hard].mean())
        assert one.right_test_error == pytest.approx(own[~hard].mean(), abs=1e-6)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"epochs": 160}, "for 160 epochs, but history until decided, for at most 160 epochs"),
        ({"until": "decided", "epochs": 1}, "until decided, for at most 1 epoch, but"),
    ],
)
def test_a_reference_of_another_length_is_refused(other, words):
    networks = _sweep(ENDS, until="decided", epochs=160)
    reference = replace(ending(FULL, ENDS), meta={**FULL.meta, "recipe": other})

    with pytest.raises(StragError, match=words):
        reference_of(networks, reference, find_stragglers(reference))
