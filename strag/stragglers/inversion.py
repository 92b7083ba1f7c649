"""The inversion: the valley of an observable along training, its evidence and its verdict.

A verdict is one of

inversion   a valley with depth >= 0.02, prominence >= 10 times the noise, at least 5 records before it, and
            at least 10 examples (or as many as are asked for) misclassified at its bottom.
none        no such valley, and training has finished: error <= 1/P, or loss < 1 % of that at update 0.
open        no such valley yet, and training has not finished; a longer run might show one. A symmetric
            valley is seen from T of about 2 t* on, so that only t* below T/2 is excluded.
unresolved  there are fewer than 7 records, or fewer than 5 of them lie before the deepest valley, and no
            later one is an inversion in its own right, measured from the wall between the two; or no layer
            was measured, of which there could be a curve.
unstable    the loss of full-batch gradient descent rose by more than 1 %, in one step or in many, which
            makes false valleys, and the records before that show no inversion, or another one.
diverged    a value of the observable, the loss or the error is not finite.

Of several valleys that pass, the deepest is the inversion. The loss of other trainings than full-batch
gradient descent, or of unknown ones, may rise where all is well: there a rise counts that is above ten times
the noise of ln loss too, it is reported, and the verdict stays.

The noise is separated from the curvature by differences of order 4 in ln(1 + t), at least 0.1 apart where the
records allow it (see `strag.stragglers.noise`). Of independent noise of 0.001 to 1 of the span on curves
without a valley, 0 of 1000 are taken for inversions for each of four shapes at 151 dense records, and of
2000 for each shape at log-spaced ones at most 6 at 7 or 8 records, and 2 from 10 on. Of noise that lasts,
AR(1) with correlation 0.9 between neighbouring records, 1.2 % pass at 151 dense records, 11 % at 60
log-spaced ones, and 0.6 % at ten; with 0.5 it is 0, 0, and 0.6 % (500 curves of the worst of four shapes,
seed 0; see tests/stragglers/test_noise_rates.py). Ten log-spaced records of a full record that inverts with
a depth of 0.1 or more invert too, wherever five of them lie before their lowest; valleys of depth 0.02 to
0.08 need some twenty (mnist8k, Fashion-MNIST, KMNIST, relu, depth 3, mini-batches; 6 runs each, seed 0).
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
FEWEST_RECORDS = BEFORE + 2  # with one at the valley, and one after it
SMALLEST_DEPTH = 0.02
NOISES = 10  # the prominence must be this many times the noise
FEWEST = 10  # examples misclassified at the inversion
FINISHED_LOSS = 0.01  # of the loss at the start
LARGEST_RISE = 0.01  # of the loss of full-batch gradient descent, above its lowest value so far
NOTEBOOK_START = 20  # updates; the notebook's rule looks from here on
NEAR = 2  # a valley that is this many times too shallow may still become an inversion
SEEN_FROM = 2  # T / t* from which on a symmetric valley is seen
COMPARED_AT = 4  # T / t* at which depths are compared
FARTHEST = 8  # T times this: no valley is expected beyond

RECORDS, DEPTH, NOISE, MISCLASSIFIED = "records", "depth", "noise", "misclassified"  # conditions
LAYERS = "layers"  # the condition that a layer was measured


@dataclass(frozen=True)
class Inversion:
    """The inversion of one curve, or its absence, with the evidence.

    Attributes
    ----------
    verdict : see the module.
    record : position of t* among the records, or None without an inversion.
    update, train_error : t* and eps* refined by a parabola in log t; None without an inversion.
    prominence, depth : V and V / (max r - min r) of the inversion, else of the deepest valley; NaN if it
        diverged.
    noise : standard deviation of the curve's noise.
    valley_update, misclassified : where that valley has its bottom, and how many examples are misclassified
        there; None without a valley, where an open run with too few has those of its end.
    failed : a condition that the deepest valley does not meet, `layers` where none was measured, `records`,
        `depth`, `noise` or `misclassified`, which comes first of an open run, since no longer training mends
        it; None of an inversion, and of a run that diverged or is unstable.
    horizon : T / t*, how far the records reach beyond the inversion; None without one.
    depth_at_4 : depth on the records up to 4 t*, which can be compared between runs of any length; None
        without an inversion, or where the records end before.
    excluded_below, train_until : of an open run, the update below which it has no inversion, and that to
        which to train to learn more, None where too few examples are misclassified already; else None.
    unstable_from : update at which the loss began to rise, or None. Of full-batch gradient descent all
        evidence for an inversion comes from the records before it.
    loss_rise : how far the loss rose from there on, as a share of its value before; None likewise.
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
    """The Inversion of one run.

    Parameters
    ----------
    curves : Curves.
    descends : whether training was full-batch gradient descent, whose loss falls while it is stable.
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
        found = stable
    elif INVERSION in (stable.verdict, whole.verdict):
        found = _without_place(whole, UNSTABLE)
    else:
        excluded = stable.excluded_below if whole.verdict == OPEN else None
        found = replace(whole, excluded_below=excluded, train_until=None)
    return replace(found, **_rise(curves, rise))


def unmeasured(curves):
    """The Inversion of a run without measured layers: `unresolved`, or `diverged`."""
    finite = np.isfinite(curves.train_error).all() and np.isfinite(curves.train_loss).all()
    return Inversion(UNRESOLVED, failed=LAYERS) if finite else Inversion(DIVERGED)


def first_increase(curves, descends=False):
    """The notebook's rule: the first t >= 20 with r(t) >= r(t - 1), between neighbouring records.

    The first upward step is the inversion, however small; its prominence, depth and noise are reported too.
    In full-batch gradient descent a step after the loss began to rise is `unstable`.
    """
    if not curves.are_finite:
        return Inversion(DIVERGED)
    updates, curve, rise = curves.updates, curves.observable, _first_rise(curves, descends)
    told = {} if rise is None else _rise(curves, rise)
    v, span, noise = valleys(curve), np.ptp(curve), noise_of(updates, curve)
    rising = np.flatnonzero((updates[1:] >= NOTEBOOK_START) & (np.diff(curve) >= 0)) + 1
    if rising.size == 0 or span == 0:
        found = Inversion(prominence=0.0, depth=0.0, noise=noise, **_unfinished(curves))
        if found.verdict == OPEN:  # every step that there is from update 20 on was seen
            last = int(updates[-1])
            excluded = float(last) if last >= NOTEBOOK_START else None
            until = SEEN_FROM * max(last, NOTEBOOK_START)
            found = replace(found, excluded_below=excluded, train_until=until)
        return replace(found, **told)
    at = int(rising[0])
    evidence = {"prominence": float(v[at]), "depth": float(v[at] / span), "noise": noise}
    found = _inversion(curves, at, float(updates[at]), float(curves.train_error[at]), evidence)
    if descends and rise is not None and at >= rise:
        found = _without_place(found, UNSTABLE)
    return replace(found, **told)


def _evidence(curves, fewest):
    updates, curve, wrong = curves.updates, curves.observable, curves.wrong
    if len(curve) < FEWEST_RECORDS:
        return Inversion(UNRESOLVED, failed=RECORDS)
    v, span, noise = valleys(curve), float(np.ptp(curve)), noise_of(updates, curve)
    bound = max(SMALLEST_DEPTH * span, NOISES * noise)
    deep = bottoms(curve, np.nextafter(bound, 0)) if span else []
    for at, prominence in deep:
        if at >= BEFORE and wrong[at] >= fewest:
            evidence = {"prominence": prominence, "depth": prominence / span, "noise": noise}
            return _inversion(curves, at, *_refined(curves, at), evidence)
    at = int(np.argmax(v))
    told = {
        "prominence": float(v[at]),
        "depth": float(v[at]) / span if span else 0.0,
        "noise": noise,
        "valley_update": int(updates[at]) if v[at] else None,
        "misclassified": int(wrong[at]) if v[at] else None,
    }
    if deep and at < BEFORE:
        return Inversion(UNRESOLVED, failed=RECORDS, **told)
    rest = _unfinished(curves, at if v[at] > 0 and bound <= NEAR * v[at] else None)
    if deep or (rest["verdict"] == OPEN and wrong[at if v[at] else -1] < fewest):
        told["misclassified"] = int(wrong[at if v[at] else -1])
        return Inversion(**{**told, **rest, "train_until": None}, failed=MISCLASSIFIED)
    if v[at] < SMALLEST_DEPTH * span or not v[at]:
        return Inversion(**told, **rest, failed=DEPTH)
    return Inversion(**{**told, **rest, "excluded_below": None}, failed=NOISE)  # which hides valleys anywhere


def _inversion(curves, at, update, train_error, evidence):
    """The Inversion at a record, with what tells how far its depth can be compared."""
    updates, curve = curves.updates, curves.observable
    near = updates <= COMPARED_AT * update
    span = float(np.ptp(curve[near]))
    reaches = updates[-1] >= COMPARED_AT * update and span > 0
    return Inversion(
        INVERSION,
        at,
        update,
        train_error,
        **evidence,
        valley_update=int(updates[at]),
        misclassified=int(curves.wrong[at]),
        horizon=float(updates[-1] / update),
        depth_at_4=float(valleys(curve[near])[at] / span) if reaches else None,
    )


def _without_place(found, verdict):
    """An Inversion with another verdict and without a place, which cannot be trusted."""
    place = ("record", "update", "train_error", "horizon", "depth_at_4", "excluded_below", "train_until")
    return replace(found, verdict=verdict, failed=None, **dict.fromkeys(place))


def has_finished(curves):
    """Whether training has finished at each record, by its error or its loss: bool [T]."""
    loss = curves.train_loss
    fallen = (loss < FINISHED_LOSS * loss[0]) & (curves.updates[0] == 0)
    return fallen | (curves.train_error <= 1 / curves.examples)


def _unfinished(curves, valley=None):
    """Verdict of a run without an inversion, and how far to trust it: dict.

    valley : record of one that nearly passes, and so is not excluded; or None.
    """
    updates = curves.updates
    if has_finished(curves)[-1]:
        return {"verdict": NONE}
    excluded = float(updates[-1] / SEEN_FROM)
    return {
        "verdict": OPEN,
        "excluded_below": excluded if valley is None else min(excluded, float(updates[valley])),
        "train_until": _train_until(updates, curves.observable),
    }


def _train_until(updates, curve):
    """How long to train to learn more than an open run tells: updates, rounded up to two digits.

    A valley whose bottom lies at the end is seen after twice the time. Where a parabola in ln t through the
    records of the last e-fold has its vertex later, the bottom is expected there, at most at 8 T.
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

    The whole rise counts, not its steps: oscillations of gradient descent at the edge of stability
    grow by a small part of a percent per update, and make a valley all the same. Unless training is known
    to descend, ln loss must rise by more than ten times its noise, too.
    """
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
    """What an Inversion says of a loss that rises from a record on: dict."""
    before, after = float(curves.train_loss[rise - 1]), float(np.max(curves.train_loss[rise:]))
    return {
        "unstable_from": int(curves.updates[rise]),
        "loss_rise": after / before - 1 if before > 0 else float("inf"),
    }


def _refined(curves, at):
    """t* and eps* at the vertex of the parabola in log t through the three records around t*."""
    updates, curve, train_error = curves.updates, curves.observable, curves.train_error
    near = slice(at - 1, at + 2)
    log_t = np.log(updates[near]) - np.log(updates[at])
    bend, slope, _ = np.polyfit(log_t, curve[near], 2)
    vertex = float(np.clip(-slope / (2 * bend), log_t[0], log_t[2])) if bend > 0 else 0.0
    errors = train_error[near]
    error = np.polyval(np.polyfit(log_t, errors, 2), vertex)
    return float(updates[at] * np.exp(vertex)), float(np.clip(error, errors.min(), errors.max()))
