"""The linear models of `examples/paper/spectrum*.py`: laws that their predictions of t* rest on."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

FOLDER = Path(__file__).parents[1] / "examples" / "paper"


@pytest.fixture
def code(monkeypatch):
    """The modules `spectrum_flows` and `spectrum_modes`."""
    monkeypatch.setattr(sys, "path", [str(FOLDER), *sys.path])
    import spectrum_flows
    import spectrum_modes

    return spectrum_flows, spectrum_modes


def test_the_closed_equations_are_gradient_descent_of_a_linear_network(code):
    flows, _ = code
    random, drawn = np.random.default_rng(0), torch.Generator().manual_seed(0)
    P, d, N, C, lr, slope = 200, 12, 30, 3, 0.3, 0.7
    x = flows.with_ones(random.normal(size=(P, d)).astype("f4"))
    groups = random.integers(0, C, P)
    W = 0.2 * torch.randn(N, d + 1, dtype=torch.float64, generator=drawn)
    V = 0.2 * torch.randn(C, N, dtype=torch.float64, generator=drawn)
    state = flows.State(d + 1, C, N, d, slope)
    state.A, state.B = np.asfortranarray((W.T @ W).float().numpy()), (V @ V.T).numpy()
    state.U = (slope**0.5 * V @ W).float().numpy()
    parts = [W.requires_grad_(), V.requires_grad_(), torch.zeros(C, dtype=torch.float64, requires_grad=True)]
    labels = np.eye(C, dtype="f4")[groups]
    for _ in range(50):
        logits = slope**0.5 * torch.from_numpy(x).double() @ W.T @ V.T + parts[2]
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(groups))
        left = labels - flows.softmax(state.logits(x), labels)[0]
        state.step(left.T @ x / P, left.mean(0), lr, rich=True)
        gradients = torch.autograd.grad(loss, parts)
        with torch.no_grad():
            for part, gradient in zip(parts, gradients, strict=True):
                part -= lr * gradient
    W, V, b = (part.detach().numpy() for part in parts)
    assert np.abs(W.T @ W).max() > 1.5  # it has moved
    np.testing.assert_allclose(state.whole(), W.T @ W, atol=5e-6)
    np.testing.assert_allclose(state.B, V @ V.T, atol=5e-6)
    np.testing.assert_allclose(state.U, slope**0.5 * V @ W, atol=5e-6)
    np.testing.assert_allclose(state.b, b, atol=5e-6)


def test_times_of_the_spectrum_scale_as_the_inverse_square_of_the_inputs(code, monkeypatch):
    _, modes = code
    monkeypatch.setattr(modes, "slope_squared", lambda squares, features: 1.0)
    random = np.random.default_rng(1)
    x = random.normal(size=(300, 8)).astype("f4") * np.arange(1, 9, dtype="f4")
    groups = (x[:, 0] + random.normal(size=300) > 0).astype(int)
    times, doubled = (
        modes.times_of_modes(modes.Modes(each, groups, 2, 8, 20)) for each in (x, (2 * x).astype("f4"))
    )
    grid = {"participation ratio": 1, "best stopping of least squares": None}
    for name, time in times.items():
        if grid.get(name, 4):
            assert doubled[name] == pytest.approx(time / grid.get(name, 4), rel=1e-4)


def test_all_modes_alike_have_one_rate(code):
    _, modes = code
    x = np.linalg.qr(np.random.default_rng(2).normal(size=(64, 6)))[0].astype("f4") * 8
    spectrum = modes.Modes(x, np.arange(64) % 2, classes=2, features=6, width=20)
    np.testing.assert_allclose(spectrum.values, 1, rtol=1e-5)
    expected = spectrum.slope * (1 + 20 / 6) / 6  # c^2 (1 + N / d) lambda / (3 C)
    np.testing.assert_allclose(spectrum.rates, expected, rtol=1e-5)


def test_a_minimum_and_a_crossing_are_found_between_records(code):
    flows, _ = code
    time = np.geomspace(0.1, 100, 61)
    assert flows.lowest(time, np.log(time / 7) ** 2) == pytest.approx(7, rel=1e-6)
    assert np.isnan(flows.lowest(time, -time))
    assert flows.reaches(time, 3 * time, 12.0) == pytest.approx(4)
    assert np.isnan(flows.reaches(time, time, 1000.0))


def test_a_prediction_is_judged_at_points_that_its_constant_was_not_set_on(code):
    import spectrum

    points = [{"label": f"p{n}", "lr_update": 10.0} for n in range(24)]
    times = np.full(24, 11.0)
    times[0], times[3], times[20], times[21] = 1000, 20, np.nan, 12
    free, fitted = (
        spectrum.judged({"name": "x", "constants": n, "constant": None, "times": times}, points)
        for n in (0, 1)
    )
    assert (free["core"]["n"], free["core"]["within"], free["core"]["worst_factor"]) == (8, 6, 100)
    assert (fitted["core"]["n"], fitted["core"]["within"], fitted["core"]["worst_factor"]) == (7, 6, 2)
    assert (free["tasks"]["n"], free["tasks"]["within"]) == (4, 3)  # 1.2 counts, what is not reached does not
    assert free["tasks"]["worst_factor"] == code[0].HORIZON
    assert free["ratios"]["p20"] is None


def test_a_point_without_inversion_may_not_shift_the_parts(code, tmp_path):
    import spectrum

    paths = [tmp_path / f"{n}.json" for n in range(spectrum.CHANGED)]
    for n, path in enumerate(paths):
        path.write_text(json.dumps({"label": f"p{n}"} | ({} if n == 5 else {"curves": {}})))
    with pytest.raises(SystemExit, match="no inversion at p5, but CORE"):
        spectrum.together(paths)
