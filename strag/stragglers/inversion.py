"""The inversion: the valley of an observable along training, its evidence and its verdict.

A verdict is one of

inversion   depth >= 0.02, prominence >= 10 times the noise, and >= 10 examples misclassified there.
none        no such valley, and training has finished: error <= 1/P, or loss < 1 % of that at update 0.
open        no such valley yet, and training has not finished; a longer run might show one.
unresolved  the deepest valley has fewer than 5 records before it, and no later one is an inversion in
            its own right, measured from the wall between the two.
unstable    the loss of full-batch gradient descent rose by more than 1 %, in one step or in many, which
            makes false valleys, and the records before that show no inversion, or another one.
diverged    a value of the observable, the loss or the error is not finite.

The noise is estimated from second differences, which takes it for independent from record to record.
Of such noise, whatever its strength, 0 of 3000 curves without a valley are taken for inversions: below
0.3 % for each of three shapes, with 95 % confidence. Noise that lasts over records passes for signal: of
AR(1) noise with correlation 0.3 between neighbouring records 0 of 500 curves of the worst shape are
taken for inversions, with 0.5 1 %, with 0.7 22 %, with 0.9 86 % (151 records, noise of 0.001 to 1 of the
span, seed 0; see the tests). The radius under mini-batches of 64 at log-spaced records, less a
polynomial of degree 6 in ln t, has correlations of 0.1 to 0.5 (mnist8k, lr 0.05, 10 epochs, 6 runs, seed
0); expect more of denser records. So record mini-batches sparsely, and believe what runs agree on.
"""

from dataclasses import dataclass, replace

import numpy as np

INVERSION, NONE, OPEN = "inversion", "none", "open"
UNRESOLVED, UNSTABLE, DIVERGED = "unresolved", "unstable", "diverged"

BEFORE = 5  # records that must lie before the valley
SMALLEST_DEPTH = 0.02
NOISES = 10  # the prominence must be this many times the noise
FEWEST = 10  # examples misclassified at the inversion
FINISHED_LOSS = 0.01  # of the loss at the start
LARGEST_RISE = 0.01  # of the loss of full-batch gradient descent, above its lowest value so far
NOTEBOOK_START = 20  # updates; the notebook's rule looks from here on


@dataclass(frozen=True)
class Inversion:
    """What one curve says.

    Attributes
    ----------
    verdict : see the module.
    record : position of t* among the records, or None without an inversion.
    update, train_error : t* and eps* refined by a parabola in log t; None without an inversion.
    prominence, depth : V and V / (max r - min r) of the deepest valley; NaN if it diverged.
    noise : standard deviation of the curve's noise, from its second differences.
    unstable_from : update at which the loss began to rise by more than 1 %, or None. Of an inversion all
        evidence comes from the records before it.
    """

    verdict: str
    record: int | None = None
    update: float | None = None
    train_error: float | None = None
    prominence: float = np.nan
    depth: float = np.nan
    noise: float = np.nan
    unstable_from: int | None = None


def valleys(curve):
    """v_t = min(max of r up to t, max of r from t on) - r_t: float64 [T], never negative.

    Exactly 0 everywhere for a curve that only falls, only rises, or rises and then falls.
    """
    before = np.maximum.accumulate(curve)
    after = np.maximum.accumulate(curve[::-1])[::-1]
    return np.minimum(before, after) - curve


def noise_of(curve):
    """Standard deviation of independent noise on a smooth curve.

    The median absolute second difference, scaled: a second difference of noise with deviation s has
    deviation sqrt(6) s, and the median of |N(0, 1)| is 0.6745.
    """
    if len(curve) < 3:
        return 0.0
    return float(np.median(np.abs(np.diff(curve, 2))) / (0.6744897501960817 * np.sqrt(6)))


def find_inversion(updates, curve, train_error, train_loss, wrong, examples, descends=False):
    """The inversion of one run.

    Parameters
    ----------
    updates : int [T], rising.
    curve : float [T], the observable r, whose valley is sought.
    train_error, train_loss : float [T].
    wrong : int [T], number of misclassified training examples.
    examples : number of training examples P.
    descends : whether training was full-batch gradient descent, whose loss falls while it is stable.

    Returns
    -------
    Inversion
    """
    if not all(np.isfinite(values).all() for values in (curve, train_error, train_loss)):
        return Inversion(DIVERGED)
    whole = _evidence(updates, curve, train_error, train_loss, wrong, examples)
    rise = _first_rise(train_loss) if descends else None
    if rise is None:
        return whole
    stable = _evidence(
        *(values[:rise] for values in (updates, curve, train_error, train_loss, wrong)), examples
    )
    if stable.verdict == whole.verdict == INVERSION and stable.record == whole.record:
        found = stable
    elif INVERSION in (stable.verdict, whole.verdict):
        found = replace(whole, verdict=UNSTABLE, record=None, update=None, train_error=None)
    else:
        found = whole
    return replace(found, unstable_from=int(updates[rise]))


def first_increase(updates, curve, train_error, train_loss, wrong, examples):
    """The notebook's rule: the first t >= 20 with r(t) >= r(t - 1), between neighbouring records.

    It takes the first upward step for the inversion, however small; the evidence of the valley at
    that place (prominence, depth, noise) is reported beside it.
    """
    if not all(np.isfinite(values).all() for values in (curve, train_error, train_loss)):
        return Inversion(DIVERGED)
    v, span = valleys(curve), np.ptp(curve)
    rising = np.flatnonzero((updates[1:] >= NOTEBOOK_START) & (np.diff(curve) >= 0)) + 1
    if rising.size == 0 or span == 0:
        return Inversion(
            _without(updates, train_error, train_loss, examples), None, None, None, 0.0, 0.0, noise_of(curve)
        )
    at = int(rising[0])
    return Inversion(
        INVERSION,
        at,
        float(updates[at]),
        float(train_error[at]),
        float(v[at]),
        float(v[at] / span),
        noise_of(curve),
    )


def _evidence(updates, curve, train_error, train_loss, wrong, examples):
    if len(curve) <= BEFORE:
        return Inversion(UNRESOLVED)
    v, span, noise = valleys(curve), float(np.ptp(curve)), noise_of(curve)
    first = int(np.argmax(v))
    early = 0 < first < BEFORE and v[first] >= SMALLEST_DEPTH * span and v[first] >= NOISES * noise
    if early:  # later records lie on its flank, unless they are a valley seen from its bottom on
        v = np.concatenate([np.zeros(first), valleys(curve[first:])])
    at = BEFORE + int(np.argmax(v[BEFORE:]))
    prominence = float(v[at])
    depth = prominence / span if span > 0 else 0.0
    evidence = {"prominence": prominence, "depth": depth, "noise": noise}
    if depth >= SMALLEST_DEPTH and prominence >= NOISES * noise and wrong[at] >= FEWEST:
        update, error = _refined(updates, curve, train_error, at)
        return Inversion(INVERSION, at, update, error, **evidence)
    if early:
        return Inversion(UNRESOLVED, **evidence)
    return Inversion(_without(updates, train_error, train_loss, examples), **evidence)


def _without(updates, train_error, train_loss, examples):
    fallen = updates[0] == 0 and train_loss[-1] < FINISHED_LOSS * train_loss[0]
    return NONE if fallen or train_error[-1] <= 1 / examples else OPEN


def _first_rise(loss):
    """The first record of a rise of the loss to more than 1 % above its lowest value so far, or None.

    The whole rise counts, not its steps: oscillations of gradient descent at the edge of stability
    grow by a small part of a percent per update, and make a valley all the same.
    """
    lowest = np.minimum.accumulate(loss)
    with np.errstate(over="ignore"):
        above = np.flatnonzero(loss > (1 + LARGEST_RISE) * lowest)
    if not above.size:
        return None
    return int(np.flatnonzero(loss[: above[0]] == lowest[above[0]])[-1]) + 1


def _refined(updates, curve, train_error, at):
    """t* and eps* at the vertex of the parabola in log t through the three records around t*."""
    if at + 1 >= len(curve):
        return float(updates[at]), float(train_error[at])
    near = slice(at - 1, at + 2)
    log_t = np.log(updates[near]) - np.log(updates[at])
    bend, slope, _ = np.polyfit(log_t, curve[near], 2)
    vertex = float(np.clip(-slope / (2 * bend), log_t[0], log_t[2])) if bend > 0 else 0.0
    error = float(np.polyval(np.polyfit(log_t, train_error[near], 2), vertex))
    return float(updates[at] * np.exp(vertex)), error
