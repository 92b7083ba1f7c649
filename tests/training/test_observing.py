"""What an Observer records of a network: logits, labels, ids and the outputs of layers."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from strag.errors import StragError, StragWarning
from strag.training.observing import Observer

P = 300  # more than a batch


def flat():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.Tanh(), nn.Linear(5, 3))


def arrays(shape=(12,), seed=0):
    x = torch.randn(P, *shape, generator=torch.Generator().manual_seed(seed))
    return x, np.arange(P) % 3


def observed(model, layers, data=None, pool=None):
    """Ids, logits and labels of a pass, and the dict of its activations, joined over batches."""
    batches = []
    Observer(model, layers, data or arrays(), pool).observe(lambda *batch: batches.append(batch))
    ids, labels = (np.concatenate([batch[place] for batch in batches]) for place in (0, 2))
    hidden = {name: torch.cat([batch[3][name] for batch in batches]) for name in batches[0][3]}
    return ids, torch.cat([batch[1] for batch in batches]), labels, hidden


def layers_of(layers, module, shape=(12,), pool=None):
    """The recorded activations of layers of a module, followed by a readout of what it returns."""
    return observed(Read(module), layers, arrays(shape), pool)[3]


class Read(nn.Module):
    """A network that reads its logits from the first numbers of what another one returns."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        result = self.net(x)
        while not isinstance(result, torch.Tensor):
            result = next(iter(result.values())) if isinstance(result, dict) else result[0]
        return result.flatten(1)[:, :3]


def test_it_is_the_network_in_evaluation_mode():
    model, (x, y) = flat(), arrays()
    ids, logits, labels, hidden = observed(model, ["2", "1"])
    assert ids.tolist() == list(range(P))
    assert labels.tolist() == y.tolist()
    assert list(hidden) == ["1", "2"]  # in the order of the calls
    torch.testing.assert_close(logits, model(x))
    torch.testing.assert_close(hidden["2"], model[:3](x))


def test_no_layers_leave_logits():
    _, logits, _, hidden = observed(flat(), ())
    assert (len(logits), hidden) == (P, {})


def test_layers_may_be_a_text():
    assert list(observed(flat(), "1, 2")[3]) == ["1", "2"]


class Compiled(nn.Module):
    """What torch.compile returns, without its import, which takes seconds."""

    def __init__(self, module):
        super().__init__()
        self._orig_mod = module


@pytest.mark.parametrize(
    "wrapped",
    [
        nn.DataParallel,
        Compiled,
        lambda model: nn.DataParallel(Compiled(nn.DataParallel(model))),
        lambda model: Compiled(nn.DataParallel(Compiled(model))),
    ],
)
def test_wrappers_are_looked_into(wrapped):
    _, logits, _, hidden = observed(wrapped(flat()), ["2"])
    torch.testing.assert_close(logits, flat()(arrays()[0]))
    assert list(hidden) == ["2"]


def test_a_layer_that_is_overwritten_keeps_its_own_output():
    model = nn.Sequential(nn.Linear(12, 5), nn.ReLU(inplace=True), nn.Linear(5, 3))
    x, _ = arrays()
    hidden = observed(model, ["0", "1"])[3]
    torch.testing.assert_close(hidden["0"], model[0](x))
    assert (hidden["0"] < 0).any()
    assert not (hidden["1"] < 0).any()


def test_a_map_is_flattened_or_averaged_over_positions():
    conv = nn.Conv2d(2, 4, 3)
    hidden = layers_of(["net", "net:mean"], conv, (2, 6, 5))
    h = conv(arrays((2, 6, 5))[0])
    torch.testing.assert_close(hidden["net"], h.flatten(1))
    torch.testing.assert_close(hidden["net:mean"], h.mean(dim=(2, 3)))


@pytest.mark.parametrize(
    ("pool", "wanted"),
    [
        ("mean", lambda h: h.mean(dim=1)),
        ("first", lambda h: h[:, 0]),
        ("last", lambda h: h[:, -1]),
        ("flatten", lambda h: h.flatten(1)),
        ({"net": "last"}, lambda h: h[:, -1]),
    ],
)
def test_tokens_are_pooled_as_pool_says(pool, wanted):
    linear = nn.Linear(4, 5)
    hidden = layers_of(["net"], linear, (3, 4), pool)
    torch.testing.assert_close(hidden["net"], wanted(linear(arrays((3, 4))[0])))


def test_flattened_tokens_are_a_map_with_positions_as_everywhere():
    conv = nn.Conv1d(3, 5, 2)
    hidden = layers_of(["net:mean"], conv, (3, 4), "flatten")
    torch.testing.assert_close(hidden["net:mean"], conv(arrays((3, 4))[0]).mean(dim=2))


@pytest.mark.parametrize(
    ("layers", "shape", "pool", "words"),
    [
        (
            ["net"],
            (3, 4),
            None,
            r"layer net returns \[256, 3, 5\], which may be tokens .* `pool`, mean, first",
        ),
        (["net:mean"], (3, 4), None, "which may be tokens"),
        (
            ["net"],
            (4,),
            {"net": "mean"},
            r"layer net returns \[256, 5\], not tokens .*; remove it from `pool`",
        ),
        (["net"], (3, 4), "middle", "cannot use 'middle' as `pool`; pass mean, first, last or flatten"),
        (["net"], (3, 4), {"act": "mean"}, "`pool` is for 'act', which is not among `layers`"),
    ],
)
def test_tokens_are_refused_until_pool_says_what_to_measure(layers, shape, pool, words):
    with pytest.raises(StragError, match=words):
        layers_of(layers, nn.Linear(4, 5), shape, pool)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.act, self.unused = nn.ReLU(), nn.Linear(1, 1)
        self.attention = nn.MultiheadAttention(12, 2, batch_first=True)
        self.head = nn.Linear(12, 3)

    def forward(self, x):
        h = self.act(x)[:, None]
        return self.head(self.act(self.attention(h, h, h)[0][:, 0]))


def test_attention_is_the_first_tensor_that_it_returns():
    hidden = observed(Attention(), ["attention"], pool="mean")[3]
    assert hidden["attention"].shape == (P, 12)


@pytest.mark.parametrize(
    ("layer", "times"), [("act", "2 times"), ("unused", "0 times"), ("attention.out_proj", "0 times")]
)
def test_a_layer_that_is_not_called_once_is_named_with_those_that_are(layer, times):
    words = rf"layer {layer} is called {times} in a forward pass, not once; choose .*: attention, head$"
    with pytest.raises(StragError, match=words):
        observed(Attention(), ["head", layer])


def test_a_module_with_two_names_is_called_twice():
    shared = nn.Tanh()
    model = nn.Sequential(nn.Linear(12, 5), shared, nn.Linear(5, 3), shared)
    with pytest.raises(StragError, match="layer 3 is called 2 times"):
        observed(model, ["3"])


def test_the_layers_of_a_transformer_are_called():
    """Without hooks, torch takes a faster way through them."""
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    hidden = layers_of(["net.layers.1.linear1"], nn.TransformerEncoder(layer, 2), (3, 4), "mean")
    assert hidden["net.layers.1.linear1"].shape == (P, 8)


class Returning(nn.Module):
    def __init__(self, form):
        super().__init__()
        self.fc, self.form = nn.Linear(12, 3), form

    def forward(self, x):
        return self.form(self.fc(x))


FORMS = [
    lambda h: (h, None),
    lambda h: [h],
    lambda h: {"logits": h, "loss": h.sum()},
    lambda h: {"features": h},
    lambda h: SimpleNamespace(loss=h.sum(), logits=h),
    lambda h: (None, h),
]


@pytest.mark.parametrize("number", range(len(FORMS)))
def test_outputs_may_be_tuples_dicts_and_objects(number):
    class Outer(Returning):
        def forward(self, x):
            return self.form(self.inner(x) and self.fc(x))

    model = Outer(FORMS[number])
    model.inner = Returning(FORMS[number])
    _, logits, _, hidden = observed(model, ["inner"])
    torch.testing.assert_close(logits, model.fc(arrays()[0]))
    torch.testing.assert_close(hidden["inner"], model.inner.fc(arrays()[0]))


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (lambda h: h[0], r"returns an output of shape \[3\] for 256 examples; return logits \[B, C\], or"),
        (lambda h: [], "returns list for 256 examples"),
        (lambda h: h[:, None], r"returns an output of shape \[256, 1, 3\] for 256 examples"),
    ],
)
def test_outputs_without_logits_are_refused(form, words):
    with pytest.raises(StragError, match=words):
        observed(Returning(form), ["fc"])


def test_a_layer_without_a_row_per_example_is_refused():
    class Other(nn.Module):
        def forward(self, x):
            self.found = self.net(x[0])
            return x[:, :3]

    model = Other()
    model.net = nn.Linear(12, 3)
    with pytest.raises(StragError, match="layer net does not return a tensor with one row per example"):
        observed(model, ["net"])


def test_a_layer_of_complex_numbers_is_refused():
    class Frequencies(nn.Module):
        def forward(self, x):
            return torch.fft.rfft(x)

    model = nn.Sequential(Frequencies(), nn.Flatten())
    model.forward = lambda x: model[0](x).real[:, :3]
    with pytest.raises(StragError, match="layer 0 returns complex numbers"):
        observed(model, ["0"])


def test_an_unknown_layer_lists_those_that_exist_and_similar_ones_first():
    model = nn.ModuleDict({"stem": nn.Linear(2, 2), "block1": nn.Linear(2, 2), "head": nn.Linear(2, 2)})
    with pytest.raises(StragError, match=r"no layer 'block'; choose `layers` from block1, stem, head$"):
        Observer(model, ["block:mean"], arrays())


@pytest.mark.parametrize("layers", [3, [3], None, {"a": 1}])
def test_layers_that_are_not_names_are_refused(layers):
    with pytest.raises(StragError, match="as `layers`; pass names of submodules"):
        Observer(flat(), layers, arrays())


def test_half_precision_is_cast_before_norms_and_double_is_kept():
    x, y = arrays()
    model = flat().half()
    model[1].bias.data += 300  # the square is beyond 65504
    hidden = observed(model, ["1"], (x.half(), y))[3]
    assert hidden["1"].dtype == torch.float32
    assert torch.isfinite(hidden["1"].square().sum(dim=1)).all()
    _, logits, _, hidden = observed(flat().double(), ["1"], (x.numpy(), y))
    assert logits.dtype == hidden["1"].dtype == torch.float64


def test_arrays_of_numpy_in_double_precision_fit_a_network_in_single_precision():
    x, y = arrays()
    torch.testing.assert_close(observed(flat(), ["1"], (x.double().numpy(), y))[1], flat()(x))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_autocast_takes_inputs_of_any_precision(dtype):
    seen, (x, y) = [], arrays()
    model = nn.Sequential(nn.Identity(), *flat())
    model[0].register_forward_hook(lambda _, __, output: seen.append(output.dtype))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        *_, hidden = observed(model, ["3"], (x.to(dtype), y))
    assert set(seen) == {torch.float32 if dtype == torch.float64 else dtype}
    assert hidden["3"].shape == (P, 5)


def test_a_network_without_training_is_noticed_once():
    model = flat()
    observer = Observer(model, ["1"], arrays())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        observer.observe(lambda *_: None)
        model[3].bias.data[0] += 1  # which torch does not count as a change in place
        observer.observe(lambda *_: None)
    with pytest.warns(StragWarning, match="no parameter of the network has changed since the last record"):
        observer.observe(lambda *_: None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        observer.observe(lambda *_: None)
        observer.observe(lambda *_: None)


class FSDPModule:
    """The name of the class from which sharded networks derive."""


class Sharded(FSDPModule, nn.Linear):
    pass


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda x: x, "`model` is an object of type function, not a torch.nn.Module; use Recorder"),
        (nn.Sequential(Sharded(12, 3)), r"`model` is sharded \(FSDP\).*; use Recorder\(examples=P\) without"),
    ],
)
def test_models_that_cannot_make_a_pass_name_the_other_form(model, words):
    with pytest.raises(StragError, match=words):
        Observer(model, ["0"], arrays())
