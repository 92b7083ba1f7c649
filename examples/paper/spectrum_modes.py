"""Scales of time from the spectrum of the input covariance, and from the Hessian of the loss at the start.

In the linear regime mode i of the inputs, with variance lambda_i, is learned at the rate per lr t

    r_i = c^2 (1 + N / d) lambda_i / (3 C),   c^2 = E[phi'(z)^2],   z ~ N(0, (|x|^2 + 1) / (3 d)).

1/3 is E[N v^2] of `nn.Linear` for output weights v, N / (3 d) the part of the kernel that the output weights
have, and 1/C the curvature of the cross-entropy at the start. d counts all inputs, N is the width, and C
is the number of groups.
"""

import numpy as np
import torch

from strag.training.seeds import initial_weights

NODES = 40  # of the Gauss-Hermite quadrature
SMALLEST = 1e-6  # share of the largest eigenvalue below which an eigenvalue counts as 0
ITERATIONS = 15  # of the power iteration
PROBES = 5  # of the estimate of the trace
RUNS = 2  # networks over whose start the Hessian is averaged
SHARES = (0.5, 0.9, 0.99)  # chosen before any comparison


def slope_squared(squares, features):
    """c^2, the mean of phi'(z)^2 over units and examples at the start. squares : |x|^2 of each, [P]."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    spread = np.sqrt((squares + 1) / (3 * features))
    slopes = 1 - np.tanh(spread[:, None] * nodes) ** 2
    return float((slopes**2 @ weights).mean() / weights.sum())


class Modes:
    """The modes of standardised inputs and what the labels have on them.

    Attributes
    ----------
    values : float64 [n], the eigenvalues of x' x / P above 0, decreasing.
    shares : float64 [n], c_i^2, the share of the labels' variance on each mode. Their sum is R^2.
    rates : float64 [n], r_i of the linear regime, per lr t.
    gain : c^2 (1 + N / d) / 3; a linear map to the logits moves by `gain` times its gradient, per lr t.
    """

    def __init__(self, x, groups, classes, features, width):
        P = len(x)
        values, vectors = np.linalg.eigh(x.T.astype(np.float64) @ x / P)
        kept = values > SMALLEST * values[-1]
        self.values, vectors = values[kept][::-1], vectors[:, kept][:, ::-1]
        self.squares = (x.astype(np.float64) ** 2).sum(1)
        labels = np.eye(classes)[groups]
        labels -= labels.mean(0)
        along = labels.T @ x @ vectors
        self.shares = (along**2).sum(0) / (P * self.values) / (labels**2).sum()
        self.slope = slope_squared(self.squares, features)
        self.gain = self.slope * (1 + width / features) / 3
        self.rates = self.gain * self.values / classes
        self.examples = P

    def at_quantile(self, weights, share):
        """Rate of the mode at which the modes down to it, largest first, hold `share` of the weights."""
        grown = np.cumsum(weights) / np.sum(weights)
        return float(np.interp(share, grown, self.rates))

    @property
    def weightings(self):
        """What modes can be weighted with, for quantiles: dict of name to weights [n]."""
        return {"rank": np.ones_like(self.values), "variance": self.values, "labels": self.shares}


def times_of_modes(modes):
    """Candidates from the spectrum, as times: dict of name to lr t, up to a constant of order one."""
    rates, shares = modes.rates, modes.shares / modes.shares.sum()
    variance = rates / rates.sum()
    entropy = float(np.exp(-(variance * np.log(variance)).sum()))
    participation = 1 / float((variance**2).sum())
    by_rank = np.arange(1, len(rates) + 1)
    times = {
        "1 / largest": 1 / rates[0],
        "1 / trace": 1 / rates.sum(),
        "1 / mean": 1 / rates.mean(),
        "1 / median": 1 / np.median(rates),
        "1 / geometric mean": 1 / np.exp(np.log(rates).mean()),
        "mean of 1 / rate": (1 / rates).mean(),
        "1 / variance-weighted mean": 1 / (variance @ rates),
        "1 / rate at participation ratio": 1 / np.interp(participation, by_rank, rates),
        "1 / rate at entropic rank": 1 / np.interp(entropy, by_rank, rates),
        "participation ratio": participation,
        "1 / label-weighted mean": 1 / (shares @ rates),
        "label-weighted mean of 1 / rate": shares @ (1 / rates),
        "1 / label-weighted geometric mean": np.exp(-(shares @ np.log(rates))),
        "1 / rms growth of the logits": 1 / np.sqrt(shares @ rates**2 * modes.shares.sum()),
        "best stopping of least squares": best_stopping(modes),
    }
    for name, weights in modes.weightings.items():
        for share in SHARES:
            times[f"1 / rate at {share:.0%} of {name}"] = 1 / modes.at_quantile(weights, share)
    return {name: float(value) for name, value in times.items()}


def best_stopping(modes):
    """lr t of the smallest expected test error of least squares, whose modes learn the labels' noise as well.

    The error is sum_i (c_i^2 - s) e^(-2 r_i t) + s (1 - e^(-r_i t))^2 with s = (1 - R^2) / (P - n).
    """
    noise = (1 - modes.shares.sum()) / max(1, modes.examples - len(modes.values))
    grid = np.geomspace(0.01, 1e4, 800)
    left = np.exp(-np.outer(grid, modes.rates))
    return float(grid[np.argmin(left**2 @ (modes.shares - noise) + noise * ((1 - left) ** 2).sum(1))])


def times_of_hessian(x, groups, classes, features, columns, width):
    """Candidates from the Hessian of the loss at the start, averaged over networks: dict of name to lr t.

    They are 1 / its largest eigenvalue, 1 / its trace, and 1 / its curvature along the gradient.
    """
    x, groups = torch.from_numpy(x), torch.from_numpy(groups)
    found = []
    for run in range(RUNS):
        (w, b), (v, e) = initial_weights([features, width, classes], 0, run)
        start = [w[:, columns].clone(), b, v, e]
        found.append(_curvatures([part.requires_grad_() for part in start], x, groups, run))
    names = ("1 / sharpness", "1 / trace of the Hessian", "1 / curvature along the gradient")
    return {name: float(1 / value) for name, value in zip(names, np.mean(found, axis=0), strict=True)}


def _curvatures(parts, x, groups, seed):
    """Largest eigenvalue, trace and curvature along the gradient of the Hessian at these parameters."""
    w, b, v, e = parts
    loss = torch.nn.functional.cross_entropy(torch.tanh(x @ w.T + b) @ v.T + e, groups)
    gradient = torch.cat([g.flatten() for g in torch.autograd.grad(loss, parts, create_graph=True)])

    def times(vector):
        product = torch.autograd.grad(gradient, parts, vector, retain_graph=True)
        return torch.cat([g.flatten() for g in product])

    along = gradient.detach() / gradient.detach().norm()
    curvature = float(along @ times(along))
    for _ in range(ITERATIONS):
        along = times(along)
        sharpness = float(along.norm())
        along = along / along.norm()
    random = torch.Generator().manual_seed(seed)
    signs = torch.randint(0, 2, (PROBES, len(gradient)), generator=random).float() * 2 - 1
    trace = float(np.mean([sign @ times(sign) for sign in signs]))
    return sharpness, trace, curvature
