"""A pass of an Observer leaves no trace in the training: weights, optimiser, random numbers, hooks, modes."""

import copy
import io
import random
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from strag.errors import StragError
from strag.training.indexed import with_index
from strag.training.observing import Observer

pytestmark = pytest.mark.filterwarnings("ignore:no parameter of the network has changed")


class Small(nn.Module):
    """A network with all that a careless pass would disturb."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.act = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True)
        self.drop, self.fc = nn.Dropout(0.5), nn.Linear(4 * 36, 3)
        self.register_buffer("calls", torch.zeros(()))
        self.cached = None

    def forward(self, x):
        self.calls += 1
        self.cached = self.drop(self.act(self.norm(self.conv(x)))).flatten(1)
        return self.fc(self.cached)


def images(P=96):
    random_numbers = torch.Generator().manual_seed(3)
    x = torch.randn(P, 1, 8, 8, generator=random_numbers)
    return x, torch.arange(P) % 3


class Augmented(torch.utils.data.Dataset):
    """Examples that are noisy, with random numbers of torch, numpy and Python."""

    def __init__(self, x, y):
        self.x, self.y = x, y
        self.own = [np.random.default_rng(0), np.random.RandomState(0), random.Random(0)]

    def __len__(self):
        return len(self.x)

    def __getitem__(self, at):
        own = self.own[0].random() + self.own[1].random() + self.own[2].random()
        scale = random.random() + np.random.random() + own
        return self.x[at] * scale + torch.randn(1), int(self.y[at])


def trained(observed, **options):
    """A network, its optimiser and all random states after some epochs, with or without passes."""
    torch.manual_seed(1), np.random.seed(1), random.seed(1)
    model, data = Small(), Augmented(*images())
    own = torch.Generator().manual_seed(5) if options.get("generator") else None
    loader = DataLoader(with_index(data), 32, shuffle=True, generator=own)
    step = model
    if "compile" in options:
        torch._dynamo.reset()
        step = torch.compile(model, backend=options["compile"])
    observer = Observer(step, ["conv", "act", "fc:mean"], loader)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for update, (x, y, _) in enumerate(batch for _ in range(3) for batch in loader):
        if observed and update % 2 == 0:
            observer.observe(lambda *_: None)
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(step(x), y)
        if observed and update % 3 == 0:
            observer.observe(lambda *_: None)
        loss.backward()
        if observed and update % 3 == 1:
            observer.observe(lambda *_: None)
        optimiser.step()
    states = (
        random.getstate(),
        np.random.get_state()[1].tolist(),
        torch.get_rng_state(),
        [held.random() for held in data.own],
    )
    own = None if own is None else own.get_state()
    return model.state_dict(), optimiser.state_dict(), states, own, model.cached


def assert_same(one, other):
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert list(one) == list(other)
        assert_same(list(one.values()), list(other.values()))
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for part, same in zip(one, other, strict=True):
            assert_same(part, same)
    else:
        assert one == other


@pytest.mark.parametrize(
    "options", [pytest.param({}, marks=pytest.mark.slow), {"generator": True}], ids=["", "generator"]
)
def test_a_training_is_the_same_with_and_without_passes(options):
    assert_same(trained(False, **options), trained(True, **options))


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_a_compiled_training_is_the_same_with_and_without_passes(backend):
    assert_same(trained(False, compile=backend), trained(True, compile=backend))


@pytest.mark.slow
def test_a_pass_compiles_nothing_again():
    from torch._dynamo.testing import CompileCounter

    torch._dynamo.reset()
    counter, (x, y) = CompileCounter(), images()
    model = torch.compile(Small(), backend=counter)
    observer, seen = Observer(model, ["conv"], (x, y)), []
    for _ in range(3):
        model(x).sum().backward()
        observer.observe(lambda _, logits, __, h: seen.append(h["conv"]))
        model.eval()
        model(x)
        model.train()
    assert counter.frame_count == 2  # in training, and in evaluation mode
    assert len(seen) == 3


@pytest.mark.slow
def test_the_inside_of_a_network_may_be_compiled():
    """Its hooks are called, although they are added after the first call, and it is not compiled again."""
    from torch._dynamo.testing import CompileCounter

    torch._dynamo.reset()
    counter, (x, y), seen = CompileCounter(), images(), []
    inner = nn.Sequential(nn.Flatten(), nn.Linear(64, 5), nn.Tanh())
    model = nn.Sequential(torch.compile(inner, backend=counter), nn.Linear(5, 3))
    observer = Observer(model, ["0._orig_mod.1"], (x, y))
    for _ in range(2):
        model(x).sum().backward()
        observer.observe(lambda *batch: seen.append(batch[3]["0._orig_mod.1"]))
    assert counter.frame_count == 1
    assert torch.equal(torch.cat(seen), inner[1](x.flatten(1)).repeat(2, 1))


def bytes_of(model):
    stream = io.BytesIO()
    torch.save(model, stream)
    return stream.getvalue()


class Failing(nn.Module):
    """A layer that fails at the second batch of a pass."""

    batches = 0

    def forward(self, x):
        Failing.batches += 1
        if Failing.batches == 2:
            raise ValueError("from the network")
        return x


@pytest.mark.parametrize("fails", ["nowhere", "network", "data", "take"])
def test_hooks_modes_and_the_saved_model_are_as_before(fails):
    Failing.batches = 0 if fails == "network" else 5
    (x, y), model = images(600), nn.Sequential(Small(), Failing())
    model[0].norm.eval()
    before, modes = bytes_of(model), [module.training for module in model.modules()]
    state = torch.get_rng_state()

    class Broken(Augmented):
        def __getitem__(self, at):
            if fails == "data" and at > 300:
                raise ValueError("from the data")
            return super().__getitem__(at)

    def take(ids, *_):
        assert not any(module.training for module in model.modules())
        assert not torch.is_grad_enabled()
        if fails == "take" and ids[0]:
            raise ValueError("from the record")

    observer = Observer(model, ["0.conv", "0.act"], Broken(x, y))
    if fails == "nowhere":
        observer.observe(take)
    else:
        with pytest.raises(ValueError, match="from the"):
            observer.observe(take)
    assert [module.training for module in model.modules()] == modes
    assert not any(module._forward_hooks for module in model.modules())
    assert bytes_of(model) == before
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.is_grad_enabled()


def test_a_worker_that_stays_serves_the_training_alone():
    """The loader's own workers are in the middle of an epoch when a pass reads the same data."""
    x, y = images()
    options = {"num_workers": 1, "persistent_workers": True, "multiprocessing_context": "fork"}
    loader = DataLoader(with_index(TensorDataset(x, y)), 32, shuffle=True, **options)
    observer, ids, read = None, [], []
    for batch in loader:
        ids.append(batch[2])
        observer = observer or Observer(Small(), ["conv"], loader)  # once its workers are there
        observer.observe(lambda found, *_: read.append(found))
    assert sorted(torch.cat(ids).tolist()) == list(range(96))
    assert sorted(np.concatenate(read).tolist()) == sorted([*range(96)] * 3)


def test_weights_that_autocast_keeps_can_still_be_trained():
    """Autocast would keep the weights that it casts without gradients in the pass."""
    x, y = images()
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    seen = []
    with torch.autocast("cpu", torch.bfloat16):
        Observer(model, ["1"], (x, y)).observe(lambda *batch: seen.append(batch[1:]))
        logits = model(x)
        assert torch.is_autocast_cache_enabled()
    logits.float().sum().backward()
    assert model[1].weight.grad is not None
    recorded, _, hidden = seen[0]
    assert recorded.dtype == hidden["1"].dtype == torch.float32
    assert torch.equal(recorded, logits.float())  # bfloat16, as in the training


def test_inference_mode_leaves_nothing_that_cannot_be_trained():
    class Lazy(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(64, 3)

        def forward(self, x):
            kept.append(x.flatten(1) * 2)
            return self.fc(kept[0])

    kept, (x, y) = [], images()
    with torch.inference_mode():
        Observer(Lazy(), ["fc"], (x, y)).observe(lambda *_: None)
    assert not kept[0].is_inference()


def test_a_buffer_that_is_replaced_or_changed_is_restored():
    class Changing(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(64, 3)
            self.register_buffer("sum", torch.zeros(3))
            self.register_buffer("last", torch.zeros(3))

        def forward(self, x):
            logits = self.fc(x.flatten(1))
            self.sum += logits.sum(dim=0)
            self.last = logits[0]
            self.extra = logits
            return logits

    model = Changing()
    before, keys = copy.deepcopy(model.state_dict()), list(vars(model))
    Observer(model, ["fc"], images()).observe(lambda *_: None)
    assert_same(dict(model.state_dict()), dict(before))
    assert list(vars(model)) == keys


def test_a_train_method_that_changes_weights_is_not_called():
    class Merging(nn.Linear):
        def train(self, mode=True):
            self.weight.data *= 2
            return super().train(mode)

    model = nn.Sequential(nn.Flatten(), Merging(64, 3))
    before = model[1].weight.detach().clone()
    Observer(model, ["1"], images()).observe(lambda *_: None)
    assert torch.equal(model[1].weight, before)


def test_a_mode_that_is_not_an_attribute_is_restored():
    """As of a module of torch.jit, which keeps it elsewhere."""

    class Elsewhere(nn.Linear):
        modes: ClassVar[dict] = {}

        @property
        def training(self):
            return self.modes.get(id(self), True)

        @training.setter
        def training(self, mode):
            self.modes[id(self)] = mode

    seen, model = [], nn.Sequential(nn.Flatten(), Elsewhere(64, 3))
    Observer(model, ["1"], images()).observe(lambda *_: seen.append(model[1].training))
    assert seen == [False]
    assert model[1].training


def test_parameters_without_a_shape_are_refused():
    model = nn.Sequential(nn.Flatten(), nn.LazyLinear(3))
    with pytest.raises(StragError, match="make a forward pass before recording"):
        Observer(model, ["1"], images())


def test_a_buffer_that_is_changed_through_its_data_is_restored():
    class Counting(nn.Linear):
        def __init__(self):
            super().__init__(64, 3)
            self.register_buffer("calls", torch.tensor([0.0, torch.nan]))

        def forward(self, x):
            self.calls.data += 1
            return super().forward(x.flatten(1))

    model = Counting()
    version = model.calls._version
    Observer(nn.Sequential(model), ["0"], images()).observe(lambda *_: None)
    assert model.calls.nan_to_num(nan=-1).tolist() == [0, -1]
    assert model.calls._version > version


def test_buffers_of_any_layout_are_left_alone():
    model, values = nn.Sequential(nn.Flatten(), nn.Linear(64, 3)), torch.eye(3)
    forms = {"sparse": values.to_sparse(), "rows": values.to_sparse_csr(), "none": torch.zeros(0)}
    forms |= {"nested": torch.nested.nested_tensor([values, values[:2]]), "complex": values * 1j}
    for name, form in forms.items():
        model.register_buffer(name, form)
    Observer(model, ["1"], images()).observe(lambda *_: None)
    assert all(getattr(model, name) is form for name, form in forms.items())
    assert model.sparse._version == 0


def test_the_generators_of_a_network_are_as_before():
    class Noisy(nn.Linear):
        """Noise in evaluation mode as well, from random numbers of its own."""

        def __init__(self):
            super().__init__(64, 3)
            self.own = {"torch": torch.Generator().manual_seed(0), "numpy": np.random.default_rng(0)}

        def forward(self, x):
            noise = torch.randn(3, generator=self.own["torch"]) + float(self.own["numpy"].random())
            return super().forward(x.flatten(1)) + noise

    passes, drawn = [], []
    for observes in (False, True):
        model = Noisy()
        if observes:
            Observer(nn.Sequential(model), ["0"], images()).observe(lambda *batch: passes.append(batch))
        drawn.append((torch.rand(1, generator=model.own["torch"]), model.own["numpy"].random()))
    assert passes
    assert drawn[0] == drawn[1]


def test_a_network_without_values_is_refused():
    with pytest.raises(StragError, match="meta device"):
        Observer(nn.Sequential(nn.Linear(64, 3, device="meta")), ["0"], images())
