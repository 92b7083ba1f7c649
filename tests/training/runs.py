"""Small trainings for the tests: strag's, and the same written plainly with torch's own modules."""

import numpy as np
import torch

from strag.api.job import ends_of
from strag.datasets.dataset import mean_and_std, standardise
from strag.datasets.standardisation import applied
from strag.geometry.moments import ClassMoments, normalise
from strag.training.loop import train
from strag.training.prepare import prepare
from strag.training.recipe import Recipe
from strag.training.seeds import epoch_order, initial_weights

SMALL = {"runs": 3, "epochs": 6, "width": 7, "lr": 0.3, "test_every": "1"}
ACTIVATIONS = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU, "gelu": torch.nn.GELU}


def small(**options):
    """The small Recipe with these options. A linear classifier has no width."""
    chosen = {**SMALL, **options}
    return Recipe.of(**{name: v for name, v in chosen.items() if name != "width" or chosen.get("depth") != 1})


def recorded(data, removed=None, change=None, weights_at=(), recipe=None, **options):
    """Train by strag: dict of name to array [T, R, ...], and the parameters by update.

    recipe : a Recipe, by default the small one with these options.
    """
    recipe = (recipe or small(**options)).on(ends_of(data))
    task, _, _ = prepare(recipe, data, removed if removed is None else [removed] * recipe.runs)
    if change:
        change(task)
    columns, weights = {}, {}
    for record in train(recipe, task, weights_at):
        if record.weights is not None:
            weights.setdefault(record.update, []).append(record.weights)
        names = ("train_error", "train_loss", "misclassified")
        for name in (*names, "test_error", "test_misclassified"):
            if getattr(record, name) is not None:
                columns.setdefault(name, {}).setdefault(record.update, []).append(getattr(record, name))
        for name, values in record.measures.items():
            columns.setdefault(name, {}).setdefault(record.update, []).append(values)
    joined = {
        name: np.stack([np.concatenate(parts) for _, parts in sorted(by_update.items())])
        for name, by_update in columns.items()
    }
    weights = {
        update: {name: torch.cat([torch.as_tensor(part[name]) for part in parts]) for name in parts[0]}
        for update, parts in weights.items()
    }
    return joined, weights


def plain_run(data, run, kept=None, **options):
    """One network, written as a user of torch would: dict of name to array [T, ...]."""
    recipe = small(**options)
    if recipe.restandardise:
        mean, std = mean_and_std(data.x if kept is None else data.x[kept])
    else:
        mean, std = data.standardisation()
    mean, std = applied(recipe.standardise, mean, std, data.x)
    columns = np.flatnonzero(std > 0)
    x = np.zeros((len(data.y), data.features), np.float32)
    x[:, columns] = standardise(data.x, mean, std)
    x, y = torch.from_numpy(x), torch.from_numpy(data.groups)
    kept = np.ones(len(y), bool) if kept is None else kept
    net = _network(data, recipe, run)
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    options = {"lr": recipe.lr, "weight_decay": recipe.weight_decay}
    if recipe.optimizer == "adam":
        optimizer = torch.optim.Adam(net.parameters(), **options)
    else:
        optimizer = torch.optim.SGD(net.parameters(), momentum=recipe.momentum, **options)
    seen = {name: [] for name in ("train_error", "train_loss", "radius", "distance", "misclassified")}
    _look(net, recipe, x, y, kept, seen)
    for epoch in range(recipe.epochs):
        order = torch.arange(len(y))
        if recipe.batch_size is not None:
            order = epoch_order(len(y), recipe.seed, epoch, run if recipe.own_order else None)
        for batch in order.split(recipe.batch_size or len(y)):
            batch = batch[torch.from_numpy(kept)[batch]]
            optimizer.zero_grad(set_to_none=False)
            if len(batch):  # an empty batch is an update with gradient zero
                torch.nn.functional.cross_entropy(net(x[batch]), y[batch]).backward()
            optimizer.step()
            _look(net, recipe, x, y, kept, seen)
    return {name: np.stack(values) for name, values in seen.items()}


def _network(data, recipe, run):
    ends = ends_of(data)
    modules, architecture = [], recipe.architecture
    for weight, bias in initial_weights(architecture.sizes(ends), recipe.seed, run):
        layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
        layer.weight.data, layer.bias.data = weight.clone(), bias.clone()
        modules += [layer, ACTIVATIONS[architecture.activation]()]
    return torch.nn.Sequential(*modules[:-1])


@torch.no_grad()
def _look(net, recipe, x, y, kept, seen):
    logits = net(x)
    wrong = (logits.argmax(dim=1) != y).numpy()
    seen["misclassified"].append(wrong)
    seen["train_error"].append(wrong[kept].mean())
    seen["train_loss"].append(torch.nn.functional.cross_entropy(logits[kept], y[kept]).item())
    radii, distances = [], []
    for layer in recipe.layers:
        h = net[: 2 * layer](x).numpy()[kept]
        moments = ClassMoments.of(normalise(h), y.numpy()[kept], logits.shape[1])
        radii.append(moments.radii())
        distances.append(moments.distances())
    seen["radius"].append(np.stack(radii))
    seen["distance"].append(np.stack(distances))


def assert_same(found, expected, atol=2e-5, runs=slice(None)):
    """Compare the curves of two recordings, and that they misclassify the same examples."""
    for name in ("train_loss", "radius", "distance", "train_error"):
        np.testing.assert_allclose(found[name][:, runs], expected[name], atol=atol, err_msg=name)
    assert (found["misclassified"][:, runs] != expected["misclassified"]).mean() < 1e-3
