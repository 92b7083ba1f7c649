"""The inversion: the valley of an observable along training, its evidence and its verdict.

A verdict is one of

inversion   The curve has a valley with depth >= 0.02 and prominence >= 10 times the noise, with at least 5
            records before it, and with at least 10 examples (or another requested number) misclassified at
            its bottom. If several valleys pass, the deepest one is the inversion.
none        There is no such valley, and training has finished: error <= 1/P, or loss < 1 % of that at update
            0 (if the loss is known).
open        There is no such valley yet, and training has not finished; a longer run might show one. A
            symmetric valley is visible once T is about 2 t*, so that only t* below T/2 is excluded.
unresolved  There are fewer than 7 records. Or fewer than 5 records lie before the deepest valley, and no
            later valley passes when it is measured from the wall between the two. Or no layer was measured,
            so that there is no curve.
unstable    The loss of full-batch gradient descent rose by more than 1 %, in one step or in many, which
            creates false valleys, and the records before the rise show no inversion, or another one.
diverged    A value of the observable, the loss or the error is not finite.

In any other training than full-batch gradient descent, and in an unknown one, the loss may rise although
training is stable. There, a rise counts only if it also exceeds ten times the noise of ln loss. It is
reported, and does not change the verdict.

The noise is separated from the curvature by differences of order 4 in ln(1 + t), between records at least 0.1
apart if the records are dense enough (see `strag.stragglers.noise`). The rates of false inversions were
measured on curves of four shapes without a valley. With independent noise of 0.001 to 1 of the span, 0 of
1000 curves of each shape invert at 151 dense records; of 2000 curves of each shape at log-spaced records, at
most 6 invert at 7 or 8 records, and at most 2 at 10 or more. With AR(1) noise of correlation 0.9
between neighbouring records, 1.2 % invert at 151 dense records, 11 % at 60 log-spaced records, and 0.6 % at
ten; with correlation 0.5 it is 0, 0 and 0.6 % (500 curves of the worst of the four shapes, seed 0; see
tests/stragglers/test_noise_rates.py).

Conversely, if a run inverts with a depth of 0.1 or more on all records, it also inverts on ten log-spaced
ones, provided that five of them lie before the lowest. Valleys of depth 0.02 to 0.08 need some twenty records
(mnist8k, Fashion-MNIST, KMNIST, relu, depth 3, mini-batches; 6 runs each, seed 0).
"""

from dataclasses import dataclass, replace

import numpy as np

from strag.stragglers.curves import bottoms, valleys
from strag.stragglers.noise import noise_of

INVERSION, NONE, OPEN = "inversion", "none", "open"
UNRESOLVED, UNSTABLE, DIVERGED = "unresolved", "unstable", "diverged"
VERDICTS = (INVERSION, NONE, OPEN, UNRESOLVED, UNSTABLE, DIVERGED)
CENSORED = (OPEN, UNSTABLE, UNRESOLVED, DIVERGED)  # it is unknown whether these runs would invert

BEFORE = 5  # records that must lie before the valley
FEWEST_RECORDS = BEFORE + 2  # the records before the valley, one at it and one after it
SMALLEST_DEPTH = 0.02
NOISES = 10  # the prominence must be this many times the noise
FEWEST = 10  # examples that must be misclassified at the inversion
FINISHED_LOSS = 0.01  # share of the loss at the start, below which training has finished
LARGEST_RISE = 0.01  # of the loss of full-batch gradient descent, above its lowest value so far
NOTEBOOK_START = 20  # the first update at which the notebook's rule accepts a step
NEAR = 2  # a valley that is this many times too shallow may still become an inversion
SEEN_FROM = 2  # T / t* from which on a symmetric valley is visible
COMPARED_AT = 4  # T / t* at which depths are compared
FARTHEST = 8  # no valley is expected beyond this many times T

RECORDS, DEPTH, NOISE, MISCLASSIFIED = "records", "depth", "noise", "misclassified"  # conditions
LAYERS = "layers"  # a condition, too: that a layer was measured


@dataclass(frozen=True)
class Inversion:
    """The inversion of one curve, or its absence, with the evidence.

    Attributes
    ----------
    verdict : see the module.
    record : position of t* among the records; None without an inversion.
    update, train_error : t* and eps*, refined by a parabola in log t; None without an inversion.
    prominence, depth : V and V / (max r - min r) of the inversion, otherwise of the deepest valley; NaN for a
        run that diverged.
    noise : standard deviation of the noise of the curve.
    valley_update, misclassified : update at the bottom of this valley, and number of examples misclassified
        there; None without a valley. If an open run without a valley has too few misclassified examples at
        its end, `misclassified` is their number.
    failed : a condition that the deepest valley does not meet: `records`, `depth`, `noise` or
        `misclassified`, or `layers` if no layer was measured. If an open run fails several, it is
        `misclassified`, since longer training cannot change that. None for an inversion, and for a run that
        diverged or is unstable.
    horizon : T / t*, how far the records reach beyond the inversion; None without an inversion.
    depth_at_4 : depth on the records up to 4 t*, which is comparable between runs of any length; None without
        an inversion, and if the records end before 4 t*.
    excluded_below : for an open run, the update below which it has no inversion; otherwise None.
    train_until : for an open run, the update up to which to train to learn more; otherwise None, also if too
        few examples are misclassified already.
    unstable_from : update at which the loss began to rise, or None. In full-batch gradient descent only the
        records before it are evidence for an inversion.
    loss_rise : rise of the loss from there on, as a share of its value before; None if it did not rise.
    """

    verdict: str
    record: int | None = None
    update: float | None = None
    train_error: float | None = None
    prominence: float = np.nan
    depth: float = np.nan
    noise: float = np.nan
    valley_update: int | None = None
    misclassified: int | None = None
    failed: str | None = None
    horizon: float | None = None
    depth_at_4: float | None = None
    excluded_below: float | None = None
    train_until: int | None = None
    unstable_from: int | None = None
    loss_rise: float | None = None


def find_inversion(curves, descends=False, fewest=FEWEST):
    """Find the Inversion of one run.

    Parameters
    ----------
    curves : Curves of the run.
    descends : whether training is full-batch gradient descent, whose loss falls while training is stable.
    fewest : number of examples that must be misclassified at the valley.
    """
    if not curves.are_finite:
        return Inversion(DIVERGED)
    whole = _evidence(curves, fewest)
    rise = _first_rise(curves, descends)
    if rise is None:
        return whole
    stable = _evidence(curves.until(rise), fewest) if descends else whole
    if not descends or (stable.verdict == INVERSION and stable.valley_update == whole.valley_update):
        inversion = stable
    elif INVERSION in (stable.verdict, whole.verdict):
        inversion = _without_place(whole, UNSTABLE)
    else:
        excluded = stable.excluded_below if whole.verdict == OPEN else None
        inversion = replace(whole, excluded_below=excluded, train_until=None)
    return replace(inversion, **_rise(curves, rise))


def unmeasured(curves):
    """The Inversion of a run without measured layers: `unresolved`, or `diverged`."""
    return Inversion(UNRESOLVED, failed=LAYERS) if curves.are_finite else Inversion(DIVERGED)


def first_increase(curves, descends=False):
    """The Inversion of one run by the rule of the notebook: the first t >= 20 with r(t) >= r(t - 1).

    Steps are those between neighbouring records. The first upward step is the inversion, however small; its
    prominence, depth and noise are reported, too. In full-batch gradient descent a step after the loss began
    to rise makes the run `unstable`. `curves` and `descends` as for `find_inversion`.
    """
    if not curves.are_finite:
        return Inversion(DIVERGED)
    updates, curve, rise = curves.updates, curves.observable, _first_rise(curves, descends)
    rise_of_loss = {} if rise is None else _rise(curves, rise)
    v, span, noise = valleys(curve), np.ptp(curve), noise_of(updates, curve)
    rising = np.flatnonzero((updates[1:] >= NOTEBOOK_START) & (np.diff(curve) >= 0)) + 1
    if rising.size == 0 or span == 0:
        inversion = Inversion(prominence=0.0, depth=0.0, noise=noise, **_unfinished(curves))
        if inversion.verdict == OPEN:  # all steps from update 20 on have been seen
            last = int(updates[-1])
            excluded = float(last) if last >= NOTEBOOK_START else None
            until = SEEN_FROM * max(last, NOTEBOOK_START)
            inversion = replace(inversion, excluded_below=excluded, train_until=until)
        return replace(inversion, **rise_of_loss)
    record = int(rising[0])
    evidence = {"prominence": float(v[record]), "depth": float(v[record] / span), "noise": noise}
    inversion = _inversion(
        curves, record, float(updates[record]), float(curves.train_error[record]), evidence
    )
    if descends and rise is not None and record >= rise:
        inversion = _without_place(inversion, UNSTABLE)
    return replace(inversion, **rise_of_loss)


def _evidence(curves, fewest):
    """The Inversion that the valleys of these curves show, whether or not the loss rises."""
    updates, curve, wrong = curves.updates, curves.observable, curves.wrong
    if len(curve) < FEWEST_RECORDS:
        return Inversion(UNRESOLVED, failed=RECORDS)
    v, span, noise = valleys(curve), float(np.ptp(curve)), noise_of(updates, curve)
    bound = max(SMALLEST_DEPTH * span, NOISES * noise)
    deep = bottoms(curve, np.nextafter(bound, 0)) if span else []
    for record, prominence in deep:
        if record >= BEFORE and wrong[record] >= fewest:
            evidence = {"prominence": prominence, "depth": prominence / span, "noise": noise}
            return _inversion(curves, record, *_refined(curves, record), evidence)
    record = int(np.argmax(v))
    valley = {
        "prominence": float(v[record]),
        "depth": float(v[record]) / span if span else 0.0,
        "noise": noise,
        "valley_update": int(updates[record]) if v[record] else None,
        "misclassified": int(wrong[record]) if v[record] else None,
    }
    if deep and record < BEFORE:
        return Inversion(UNRESOLVED, failed=RECORDS, **valley)
    unfinished = _unfinished(curves, record if v[record] > 0 and bound <= NEAR * v[record] else None)
    if deep or (unfinished["verdict"] == OPEN and wrong[record if v[record] else -1] < fewest):
        valley["misclassified"] = int(wrong[record if v[record] else -1])
        return Inversion(**{**valley, **unfinished, "train_until": None}, failed=MISCLASSIFIED)
    if v[record] < SMALLEST_DEPTH * span or not v[record]:
        return Inversion(**valley, **unfinished, failed=DEPTH)
    unfinished["excluded_below"] = None  # noise hides valleys at any update
    return Inversion(**{**valley, **unfinished}, failed=NOISE)


def _inversion(curves, record, update, train_error, evidence):
    """The Inversion at a record, with this evidence, and with its horizon and its depth up to 4 t*."""
    updates, curve = curves.updates, curves.observable
    comparable = updates <= COMPARED_AT * update
    span = float(np.ptp(curve[comparable]))
    reaches = updates[-1] >= COMPARED_AT * update and span > 0
    return Inversion(
        INVERSION,
        record,
        update,
        train_error,
        **evidence,
        valley_update=int(updates[record]),
        misclassified=int(curves.wrong[record]),
        horizon=float(updates[-1] / update),
        depth_at_4=float(valleys(curve[comparable])[record] / span) if reaches else None,
    )


def _without_place(inversion, verdict):
    """An Inversion with another verdict, and without its update and record, which cannot be trusted."""
    place = ("record", "update", "train_error", "horizon", "depth_at_4", "excluded_below", "train_until")
    return replace(inversion, verdict=verdict, failed=None, **dict.fromkeys(place))


def _unfinished(curves, valley=None):
    """The `verdict`, `excluded_below` and `train_until` of a run without an inversion: dict.

    valley : record of a valley that nearly passes, so that an inversion there is not excluded; or None.
    """
    updates, loss = curves.updates, curves.train_loss
    fallen = loss is not None and updates[0] == 0 and loss[-1] < FINISHED_LOSS * loss[0]
    if fallen or curves.train_error[-1] <= 1 / curves.examples:
        return {"verdict": NONE}
    excluded = float(updates[-1] / SEEN_FROM)
    return {
        "verdict": OPEN,
        "excluded_below": excluded if valley is None else min(excluded, float(updates[valley])),
        "train_until": _train_until(updates, curves.observable),
    }


def _train_until(updates, curve):
    """The number of updates up to which to train an open run to learn more, rounded up to two digits.

    It is twice the update at which the bottom of a valley is expected: at the last record T, or, if a
    parabola in ln t through the records of the last e-fold has its vertex later, at this vertex, at most at 8
    T.
    """
    last, bottom = float(updates[-1]), float(updates[-1])
    late = (updates > last / np.e) & (updates > 0)
    if late.sum() >= 3:
        bend, slope, _ = np.polyfit(np.log(updates[late] / last), curve[late], 2)
        if bend > 0:
            bottom = last * np.exp(np.clip(-slope / (2 * bend), 0, np.log(FARTHEST)))
    until = max(SEEN_FROM * bottom, 1.0)
    unit = 10 ** max(int(np.floor(np.log10(until))) - 1, 0)
    return int(np.ceil(round(until / unit, 6)) * unit)


def _first_rise(curves, descends):
    """The first record of a rise of the loss to more than 1 % above its lowest value so far, or None.

    The total rise counts, not that of a single step: oscillations of gradient descent at the edge of
    stability grow by a small part of a percent per update, and still create a valley. Unless `descends`, ln
    loss must also rise by more than ten times its noise. It is None, too, if the loss is not known.
    """
    if curves.train_loss is None:
        return None
    loss = curves.train_loss.astype(np.float64)
    lowest = np.minimum.accumulate(loss)
    with np.errstate(over="ignore"):
        above = loss > (1 + LARGEST_RISE) * lowest
    if not descends and above.any():
        log_loss = np.log(np.maximum(loss, np.finfo(np.float64).tiny))
        above &= log_loss - np.minimum.accumulate(log_loss) > NOISES * noise_of(curves.updates, log_loss)
    if not above.any():
        return None
    first = int(np.argmax(above))
    return int(np.flatnonzero(loss[:first] == lowest[first])[-1]) + 1


def _rise(curves, rise):
    """The `unstable_from` and `loss_rise` of a loss that rises from the record `rise` on: dict."""
    before, after = float(curves.train_loss[rise - 1]), float(np.max(curves.train_loss[rise:]))
    return {
        "unstable_from": int(curves.updates[rise]),
        "loss_rise": after / before - 1 if before > 0 else float("inf"),
    }


def _refined(curves, record):
    """(t*, eps*) at the vertex of the parabola in log t through the records before, at and after `record`."""
    updates, curve, train_error = curves.updates, curves.observable, curves.train_error
    neighbours = slice(record - 1, record + 2)
    log_t = np.log(updates[neighbours]) - np.log(updates[record])
    bend, slope, _ = np.polyfit(log_t, curve[neighbours], 2)
    vertex = float(np.clip(-slope / (2 * bend), log_t[0], log_t[2])) if bend > 0 else 0.0
    errors = train_error[neighbours]
    error = np.polyval(np.polyfit(log_t, errors, 2), vertex)
    return float(updates[record] * np.exp(vertex)), float(np.clip(error, errors.min(), errors.max()))
