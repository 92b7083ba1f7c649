"""The dynamics of linear models of the network, step by step at its learning rate, and what they say of t*.

A network without tanh has logits z = U x + b, U = c V W, with c^2 the mean of phi'^2 at the start. With the
residuals' correlation with the inputs R = mean (y - p) x', its state (U, A, B), A = W' W and B = V V', is closed:

    dU = c^2 (B R + R A),   dA = U' R + R' U,   dB = U R' + R U',   db = mean (y - p),   per lr t,

with A = N / (3 d) and B = 1/3 times the identity, U = 0 and b = 0 at the start, the mean of `nn.Linear`. This is
the flow `network`. In the flow `lazy`, A and B stay as at the start: it is logistic regression. The hidden biases
are weights of one more input that is 1.
"""

import numpy as np

HORIZON = 6.0  # times the measured t*
RECORDS = 160  # logarithmically spaced


def flow(x, groups, classes, features, width, slope, lr, last, rich, tests):
    """Follow a linear model for `last` steps of size lr. rich : whether A and B change.

    x : float32 [P, d'], standardised. slope : c^2. tests : inputs and groups of the test set.

    Returns
    -------
    dict of `time`, lr t of each record, and of the name of each observable to its value there. The names ending
    in a comparison to the start, such as 'gradient', are shares of it.
    """
    P = len(x)
    x = np.hstack([x, np.ones((P, 1), np.float32)])
    labels = np.eye(classes, dtype=np.float32)[groups]
    d = x.shape[1]
    A = np.eye(d) * width / (3 * features)
    B = np.eye(classes) / 3
    U, b = np.zeros((classes, d)), np.zeros(classes)
    moments = _moments(x, labels)
    x_test = np.hstack([tests[0], np.ones((len(tests[0]), 1), np.float32)])
    due = set(np.unique(np.geomspace(1, last, RECORDS).round().astype(int)).tolist()) | {0}
    rows = []
    for step in range(last + 1):
        logits = x @ U.T.astype(np.float32) + b.astype(np.float32)
        p, losses = _softmax(logits, labels)
        R = ((labels - p).T @ x / P).astype(np.float64)
        if step in due:
            row = _observed(logits, p, losses, labels, groups, R, A, B, moments, width)
            row |= _tested(x_test @ U.T.astype(np.float32) + b.astype(np.float32), tests[1])
            rows.append({"time": step * lr, **row})
        change = U.T @ R
        U, dB = U + lr * slope * (B @ R + R @ A), U @ R.T
        b = b + lr * (labels - p).mean(0)
        if rich:
            A, B = A + lr * (change + change.T), B + lr * (dB + dB.T)
    return _relative({name: [row[name] for row in rows] for name in rows[0]})


def _softmax(logits, labels):
    """Probabilities [P, C] and the loss of each example [P]."""
    shifted = logits - logits.max(1, keepdims=True)
    powers = np.exp(shifted)
    sums = powers.sum(1, keepdims=True)
    return powers / sums, np.log(sums[:, 0]) - (shifted * labels).sum(1)


def _moments(x, labels):
    """Covariance of the inputs [d, d] and the class means [C, d]."""
    return x.T @ x / len(x), (labels.T @ x) / labels.sum(0)[:, None]


def _observed(logits, p, losses, labels, groups, R, A, B, moments, width):
    """The observables of a record: dict of name to number."""
    covariance, means = moments
    hidden = float((A * covariance).sum())
    centred = logits - logits.mean(1, keepdims=True)
    spread = np.sqrt(np.mean([centred[groups == c].var(0).sum() for c in range(labels.shape[1])]))
    middles = np.stack([centred[groups == c].mean(0) for c in range(labels.shape[1])])
    between = np.sqrt(((middles - middles.mean(0)) ** 2).sum(1).mean())
    return {
        "loss": float(losses.mean()),
        "error": float((logits.argmax(1) != groups).mean()),
        "residual": float(1 - (p * labels).sum(1).mean()),
        "logits": float(np.sqrt((centred**2).sum(1).mean())),
        "gradient": float(np.linalg.norm(R)),
        "spread of logits": float(spread / between) if between > 0 else float("nan"),
        "hidden": hidden,
        "pre-activation": float(np.sqrt(hidden / width)),
        "output weights": float(np.trace(B)),
        "radius": 1 - float(np.mean(((means @ A) * means).sum(1))) / hidden,
    }


def _tested(logits, groups):
    """Test loss and error."""
    losses = _softmax(logits, np.eye(logits.shape[1], dtype=np.float32)[groups])[1]
    return {"test loss": float(losses.mean()), "test error": float((logits.argmax(1) != groups).mean())}


def _relative(curves):
    """Curves as arrays; `gradient`, `hidden` and `output weights` become multiples of their start."""
    curves = {name: np.array(values) for name, values in curves.items()}
    for name in ("gradient", "hidden", "output weights"):
        curves[name] = curves[name] / curves[name][0]
    return curves


def least_loss(x, groups, classes):
    """The smallest loss of logistic regression, by 300 steps of L-BFGS: nearly that of t to infinity."""
    from scipy.optimize import minimize

    x = np.hstack([x, np.ones((len(x), 1), np.float32)])
    labels = np.eye(classes, dtype=np.float32)[groups]

    def loss(flat):
        p, losses = _softmax(x @ flat.reshape(-1, classes).astype(np.float32), labels)
        return float(losses.mean()), (x.T @ (p - labels) / len(x)).astype(np.float64).ravel()

    start = np.zeros(x.shape[1] * classes)
    return float(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300}).fun)


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
    """lr t of a curve's minimum; NaN if that is its last point."""
    place = int(np.nanargmin(curve))
    return float(time[place]) if 0 < place < len(time) - 1 else float("nan")
