"""The dynamics of linear models of the network, step by step at its learning rate, and what they say of t*.

A network without tanh has logits z = U x + b, U = c V W, with c^2 the mean of phi'^2 at the start. Gradient
descent is closed in U, A = W' W, B = V V' and b. With R = mean (y - p) x', a step of size h leads to

    U + h c^2 (B R + R A + h R U' R),     A + h (U' R + R' U + h c^2 R' B R),
    B + h (U R' + R U' + h c^2 R A R'),   b + h mean (y - p).

At the start A = N / (3 d) and B = 1/3 times the identity, U = 0 and b = 0, the means of `nn.Linear`. This is
the flow `network`. In the flow `lazy`, A and B stay as at the start: it is logistic regression. The hidden
biases are the weights of one more input that is 1.
"""

import numpy as np
from scipy.linalg import blas

HORIZON = 4.0  # times the measured t*
RECORDS = 80  # logarithmically spaced
SAMPLE = 1000  # examples whose hidden representation is measured
FROM_START = ("gradient", "hidden", "output weights")


def flow(x, groups, classes, features, width, slope, lr, last, rich, tests):
    """Follow a linear model for `last` steps of size lr. rich : whether A and B change.

    x : float32 [P, d'], standardised. slope : c^2. tests : inputs and groups of the test set.

    Returns
    -------
    dict of `time`, lr t of each record, and of the name of each observable to its values there. Those in
    FROM_START are multiples of their start.
    """
    x, x_test = with_ones(x), with_ones(tests[0])
    labels = np.eye(classes, dtype=np.float32)[groups]
    state = State(x.shape[1], classes, width, features, slope)
    few = np.concatenate([np.flatnonzero(groups == c)[: SAMPLE // classes] for c in range(classes)])
    seen = Observer(x, labels, groups, width, x[few] if rich else None, groups[few])
    due = set(np.unique(np.geomspace(1, last, RECORDS).round().astype(int)).tolist()) | {0}
    rows = []
    for step in range(last + 1):
        logits = state.logits(x)
        p, losses = softmax(logits, labels)
        left = labels - p
        R = left.T @ x / len(x)
        if step in due:
            row = seen.observe(state, logits, p, losses, R) | _tested(state.logits(x_test), tests[1])
            rows.append({"time": step * lr, **row})
        state.step(R, left.mean(0), lr, rich)
    curves = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return {name: curve / curve[0] if name in FROM_START else curve for name, curve in curves.items()}


def with_ones(x):
    """The inputs with one more that is 1."""
    return np.hstack([x, np.ones((len(x), 1), np.float32)])


class State:
    """The state (U, A, B, b) of a linear model, float32. Of A [d, d] only the upper triangle is kept."""

    def __init__(self, d, classes, width, features, slope):
        self.A = np.asfortranarray(np.eye(d, dtype=np.float32) * (width / (3 * features)))
        self.B = np.eye(classes) / 3
        self.U, self.b = np.zeros((classes, d), np.float32), np.zeros(classes, np.float32)
        self.slope = slope

    def logits(self, x):
        """z [P, C]."""
        return x @ self.U.T + self.b

    def whole(self):
        """A with both triangles."""
        return np.triu(self.A) + np.triu(self.A, 1).T

    def step(self, R, left, lr, rich):
        """One step of gradient descent. R [C, d], left [C] : the means of (y - p) x' and of y - p."""
        U, c, B = self.U, np.float32(lr * self.slope), self.B.astype(np.float32)
        through = blas.ssymm(1.0, self.A, np.asfortranarray(R.T))  # A R'
        change = U @ R.T
        if not rich:
            self.U = U + c * (B @ R + through.T)
        else:
            self.U = U + c * ((B + np.float32(lr) * change.T) @ R + through.T)
            halfway = U + c / 2 * (B @ R)
            turned = [np.asfortranarray(each.T) for each in (halfway, R)]
            self.A = blas.ssyr2k(lr, *turned, beta=1.0, c=self.A, overwrite_c=True)
            self.B = self.B + lr * (change + change.T + c * (R @ through)).astype(np.float64)
        self.b = self.b + np.float32(lr) * left


def softmax(logits, labels):
    """Probabilities [P, C] and the loss of each example [P]."""
    shifted = logits - logits.max(1, keepdims=True)
    powers = np.exp(shifted)
    sums = powers.sum(1, keepdims=True)
    return powers / sums, np.log(sums[:, 0]) - (shifted * labels).sum(1)


class Observer:
    """What is recorded of a State. few : inputs of the examples whose hidden layer is measured, or None."""

    def __init__(self, x, labels, groups, width, few, few_groups):
        self.labels, self.groups, self.width = labels, groups, width
        self.few, self.few_groups = few, few_groups
        self.covariance = x.T @ x / len(x)
        self.means = (labels.T @ x) / labels.sum(0)[:, None]

    def observe(self, state, logits, p, losses, R):
        """The observables of a record: dict of name to number."""
        A = state.whole()
        hidden = float((A * self.covariance).sum())  # E |W x|^2
        return {
            "loss": float(losses.mean()),
            "error": float((logits.argmax(1) != self.groups).mean()),
            "residual": float(1 - (p * self.labels).sum(1).mean()),
            **self._of_logits(logits - logits.mean(1, keepdims=True)),
            "gradient": float(np.linalg.norm(R)),
            "hidden": hidden,
            "pre-activation": float(np.sqrt(hidden / self.width)),
            "output weights": float(np.trace(state.B)),
            "unnormalised radius": 1 - float(np.mean(((self.means @ A) * self.means).sum(1))) / hidden,
            **({} if self.few is None else self._of_hidden(A)),
        }

    def _of_logits(self, centred):
        """Their rms, and the spread within the groups as a share of that between them."""
        middles = np.stack([centred[self.groups == c].mean(0) for c in range(centred.shape[1])])
        within = np.sqrt(((centred - middles[self.groups]) ** 2).sum(1).mean())
        between = np.sqrt(((middles - middles.mean(0)) ** 2).sum(1).mean())
        rms = float(np.sqrt((centred**2).sum(1).mean()))
        return {"logits": rms, "spread of logits": float(within / between) if between > 0 else float("nan")}

    def _of_hidden(self, A):
        """The rms radius over groups of the normalised hidden representation.

        The inner product of two examples is k(x, x') = x' A x for linear units. For tanh, taken as
        erf(sqrt(pi) z / 2) of units whose z are Gaussian with covariance k / N, it is the arcsine of
        (pi / 2) k / N / sqrt((1 + (pi / 2) k(x, x) / N) (1 + (pi / 2) k(x', x') / N)).
        """
        inner = self.few @ A @ self.few.T
        scaled = np.pi / 2 * inner / self.width
        norm = np.sqrt(1 + np.diag(scaled))
        return {
            "radius of linear units": self._radius(inner),
            "radius of tanh units": self._radius(np.arcsin(scaled / np.outer(norm, norm))),
        }

    def _radius(self, inner):
        """The rms over groups of R_c, R_c^2 = 1 - mean over pairs of the cosine."""
        length = np.sqrt(np.diag(inner))
        cosine = inner / np.outer(length, length)
        groups = range(self.labels.shape[1])
        mine = [self.few_groups == c for c in groups]
        return float(np.sqrt(np.mean([1 - cosine[np.ix_(each, each)].mean() for each in mine])))


def _tested(logits, groups):
    """Test loss and error."""
    losses = softmax(logits, np.eye(logits.shape[1], dtype=np.float32)[groups])[1]
    return {"test loss": float(losses.mean()), "test error": float((logits.argmax(1) != groups).mean())}


def least_loss(x, groups, classes):
    """The smallest loss of logistic regression, by 100 steps of L-BFGS: nearly that of t to infinity."""
    from scipy.optimize import minimize

    x = with_ones(x)
    labels = np.eye(classes, dtype=np.float32)[groups]

    def loss(flat):
        p, losses = softmax(x @ flat.reshape(-1, classes).astype(np.float32), labels)
        return float(losses.mean()), (x.T @ (p - labels) / len(x)).astype(np.float64).ravel()

    start = np.zeros(x.shape[1] * classes)
    return float(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100}).fun)


def reaches(time, curve, level):
    """lr t at which a curve first crosses a level, interpolated; NaN if it does not."""
    above = curve >= level
    changed = np.flatnonzero(above[1:] != above[0])
    if not changed.size or not np.isfinite(level):
        return float("nan")
    after = changed[0] + 1
    low, high = curve[after - 1], curve[after]
    return float(time[after - 1] + (time[after] - time[after - 1]) * (level - low) / (high - low))


def lowest(time, curve):
    """lr t of a curve's minimum; NaN if that is at an end. A parabola in ln t refines it."""
    place = int(np.nanargmin(curve))
    if not 1 < place < len(time) - 1:
        return float("nan")
    near = slice(max(1, place - 2), place + 3)
    a, b, _ = np.polyfit(np.log(time[near]), curve[near], 2)
    middle = float(np.exp(-b / (2 * a))) if a > 0 else time[place]
    return float(np.clip(middle, time[near][0], time[near][-1]))
