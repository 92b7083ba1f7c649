"""Recorder with a model: its own pass is what a user would pass to it, and is the training of strag."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import strag
from strag.training.images import image_shape
from strag.training.seeds import INITIAL, number, seeded
from tests.conftest import made_up
from tests.networks import example

P, C = 90, 3
pytestmark = pytest.mark.filterwarnings("ignore:no parameter of the network has changed")
X = torch.randn(P, 1, 8, 8, generator=torch.Generator().manual_seed(0))
Y = torch.arange(P) % C
X[:, 0, 0, :C] += 2 * nn.functional.one_hot(Y, C)
DATA = TensorDataset(X, Y)


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(144, C)
    )


def trained(record, model=None, batch=30, updates=7):
    """Train a network in a loop; record(update, model) at each update."""
    model = model or network()
    for update in range(updates):
        record(update, model)
        rows = torch.arange(update * batch, (update + 1) * batch) % P
        descend(model, X[rows], Y[rows], 0.1)
    return model


def descend(model, x, y, lr):
    """One step of gradient descent; torch.optim takes seconds to import."""
    model.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter -= lr * parameter.grad


def recorded(data, path, layers=("1:mean", "3"), **options):
    """The History of a training that a Recorder with these data records."""
    model = network()
    recorder = strag.Recorder(model, list(layers), data, **options)
    trained(lambda update, _: recorder.record(update), model)
    return strag.read(recorder.save(str(path)))


def origin_of(history):
    return history.meta["origin"]


def assert_equal(one, two, radii=1e-6):
    np.testing.assert_array_equal(one.misclassified, two.misclassified)
    np.testing.assert_array_equal(one.index, two.index)
    assert one.layers == two.layers
    for name, values in one.measures.items():
        np.testing.assert_allclose(values, two.measures[name], atol=radii)
    np.testing.assert_allclose(one.train_loss, two.train_loss, rtol=1e-5)


def test_pull_is_push(tmp_path):
    recorder = strag.Recorder(examples=P)

    def push(update, model):
        model.eval()
        with torch.no_grad():
            h = model[:2](X)
            maps = h.clone()
            logits = model[2:](h)
        model.train()
        recorder.update(np.arange(P), logits, Y, {"1:mean": maps.mean(dim=(2, 3)), "3": maps.relu()})
        recorder.record(update)

    trained(push)
    pushed = strag.read(recorder.save(str(tmp_path / "push")))
    assert_equal(pushed, recorded(DataLoader(DATA, 40), tmp_path / "pull"))
    assert pushed.layers == ("1:mean", "3")


SAME = {
    "arrays": (X.numpy(), Y.numpy()),
    "dataset": DATA,
    "shuffled": DataLoader(strag.with_index(DATA), 7, shuffle=True),
}


@pytest.mark.parametrize("name", SAME)
def test_every_form_of_the_data_is_the_same_history(name, tmp_path):
    wanted = recorded(DataLoader(DATA, 40), tmp_path / "a")
    found = recorded(SAME[name], tmp_path / "b")
    assert_equal(wanted, found)
    assert origin_of(wanted) == origin_of(found)


def test_a_perceptron_of_a_loop_is_that_of_strag(tmp_path):
    data, perceptron = made_up(P=80, overlap=2.0), example("perceptron")
    options = {"model": perceptron, "layers": "act1", "epochs": 6, "lr": 0.3, "record_every": 1}
    wanted = strag.train(data, runs=2, test_every="never", **options)
    loader = DataLoader(strag.with_index(data), len(data.y))
    for run in range(2):
        with seeded(number(0, run, INITIAL)):
            model = perceptron.build(image_shape(data.x.shape[1:]), 2, {})
        recorder = strag.Recorder(model, ["act1"], data)
        for update in range(7):
            recorder.record(update)
            for x, group, _ in loader:
                descend(model, x, group, 0.3)
        found = strag.read(recorder.save(str(tmp_path / f"h{run}")))
        np.testing.assert_array_equal(found.updates, wanted.updates)
        np.testing.assert_array_equal(found.misclassified[:, 0], wanted.misclassified[:, run])
        np.testing.assert_allclose(found.train_loss[:, 0], wanted.train_loss[:, run], rtol=1e-5)
        for name in ("radius", "distance"):
            np.testing.assert_allclose(found.measures[name][:, 0], wanted.measures[name][:, run], atol=1e-6)
        assert origin_of(found) == origin_of(wanted) == data.origin
        np.testing.assert_array_equal(found.index, wanted.index)
        assert found.meta["classes"] == wanted.meta["classes"] == list(data.grouping.names)


class Own(DataLoader):
    """A loader whose batches are of a user's own form."""

    def __iter__(self):
        return (self.form(*batch) for batch in super().__iter__())


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (lambda x, y: (x, y.float()), "`labels` is float32, not integer"),
        (lambda x, y: (x, nn.functional.one_hot(y, C)), r"`labels` has shape \[40, 3\]"),
        (lambda x, y: (x, y > 0), "`labels` is bool"),
        (lambda x, y: (x, y, x), r"`ids` has shape \[40, 1, 8, 8\]"),
        (lambda x, y: (x, y, y[:2]), "a batch has 2 ids, 40 rows of logits and 40 labels"),
        (lambda x, y: (x, y, y / 2), "as an id"),
        (lambda x, y: (x, y + 1), "label 3, not 0 to 2"),
    ],
)
def test_labels_and_ids_of_another_form_are_refused(form, words):
    loader = Own(DATA, 40)
    loader.form = form
    with pytest.raises(strag.StragError, match=words):
        strag.Recorder(network(), ["3"], loader).record(0)


def test_a_loader_that_leaves_examples_out_is_refused():
    recorder = strag.Recorder(network(), ["3"], DataLoader(DATA, 40, drop_last=True))
    with pytest.raises(strag.StragError, match=r"80 of 90 examples; .*; pass every example .* `drop_last`"):
        recorder.record(0)


def test_labels_in_another_order_are_refused():
    """A loader of one's own that shuffles, although its sampler does not."""
    loader = Own(DATA, P)
    loader.form = lambda x, y: (x, y.roll(recorder.last.get("update", -1) + 1))
    recorder = strag.Recorder(network(), ["3"], loader)
    recorder.record(0)
    with pytest.raises(strag.StragError, match="label"):
        recorder.record(1)


def test_a_record_that_fails_leaves_the_records_before_it(tmp_path):
    class Breaking(nn.Module):
        fails = False

        def forward(self, x):
            if self.fails and len(x) < 40:  # at the last batch
                raise KeyboardInterrupt
            return x

    model = nn.Sequential(*network(), Breaking())
    recorder = strag.Recorder(model, ["3"], DataLoader(DATA, 40))
    recorder.record(0)
    model[-1].fails = True
    with pytest.raises(KeyboardInterrupt):
        recorder.record(1)
    model[-1].fails = False
    model[4].bias.data += 1
    recorder.record(2)
    assert strag.read(recorder.save(str(tmp_path / "h"))).updates.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"recording": "online"}, "a pass of `model` is a snapshot; remove `recording`"),
        ({"data": None}, "cannot read examples from None; pass a DataLoader"),
        ({"model": None}, "needs `model`"),
        ({"pool": "max"}, "cannot use 'max' as `pool`"),
        ({"layers": ["9"]}, "no layer '9'; choose `layers` from 0, 1, 2, 3, 4"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, words):
    given = {"model": network(), "layers": ["3"], "data": DATA, **options}
    with pytest.raises(strag.StragError, match=words):
        strag.Recorder(given.pop("model"), given.pop("layers"), given.pop("data"), **given)


@pytest.mark.parametrize("start", [0, 1], ids=["[B]", "[B, 1]"])
def test_a_network_with_one_output_is_refused(start):
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 1), nn.Flatten(start))
    recorder = strag.Recorder(model, ["1"], (X, Y % 2))
    with pytest.raises(
        strag.StragError, match=r"returns one output z .*; use Recorder.*, with logits \[0, z\]"
    ):
        recorder.record(0)


def test_data_without_examples_are_refused():
    recorder = strag.Recorder(network(), ["3"], (X[:0], Y[:0]))
    with pytest.raises(strag.StragError, match="has no examples; pass examples as `data`"):
        recorder.record(0)


def test_update_is_of_the_other_form():
    recorder = strag.Recorder(network(), ["3"], DATA)
    with pytest.raises(strag.StragError, match="has a `model` and makes the pass itself"):
        recorder.update([0], torch.zeros(1, C), [0])
