"""Properties of a training that follow from its recipe, and how two trainings differ."""

from strag.errors import StragError
from strag.stragglers.unknown import require_recipe

# Settings that give the initial weights, and those that give the path from there.
_MODEL = ("model", "factory", "source", "model_args", "channels")  # of networks other than perceptrons
_NETWORK = ("seed", *_MODEL, "depth", "width", "activation", "no_bias")
_DESCENT = ("optimizer", "lr", "momentum", "weight_decay", "batch_size", "own_order", "standardise")
_USUAL = {
    "model": "mlp",
    "no_bias": False,
    "standardise": "pixel",
}  # values of settings that older files lack
# Settings that do not change what a run does up to a given update.
_FREE = {"runs", "first_run", "epochs", "record", "test", "noise", "layers", "until"}


def differing(recipe, other, names=(*_NETWORK, *_DESCENT)):
    """The first setting in which the runs of two recipes start or train differently: (name, value, value).

    The values are those of `recipe` and of `other`. None if there is no difference. Without hidden layers,
    width and activation do not count.
    """
    linear = recipe.get("depth") == 1
    for name in names:
        ours, theirs = (side.get(name, _USUAL.get(name)) for side in (recipe, other))
        if ours != theirs and not (linear and name in ("width", "activation")):
            return name, ours, theirs
    return None


def network_of(recipe):
    """What the networks of a recipe are called: "cnn", or the name of a factory; None for perceptrons."""
    model = recipe.get("model", _USUAL["model"])
    return None if model == _USUAL["model"] else str(recipe.get("factory", model))


def in_words(name, ours, theirs):
    """How the values of a setting differ: (text of `theirs`, text of `ours`, how to get `ours`)."""
    if name == "source":
        return "with another version of the file of `model`", "with this one", "with the same file"
    if name == "factory":
        return f"with `model` FILE.py:{theirs}", f"with FILE.py:{ours}", f"with `model` FILE.py:{ours}"
    if isinstance(ours, bool) and isinstance(theirs, bool):
        remedy = f"{'with' if ours else 'without'} `{name}`"
        return f"{'with' if theirs else 'without'} `{name}`", f"{'with' if ours else 'without'} it", remedy
    return f"with `{name}` {theirs}", f"with {ours}", f"with `{name}` {ours}"


def require_same_training(finding, recipe, inputs, source):
    """Refuse a Finding whose runs are not those of some networks with the same numbers.

    Recipes may differ in how many runs and updates they have, and in what they record.

    recipe, inputs : of the networks, in the stamp of their file. source : its name.

    Raises StragError, which names the difference.
    """
    require_recipe(finding, "pass the stragglers of the training of these networks")
    fault, rest = None, (recipe.keys() | finding.training.keys()) - _FREE - {*_NETWORK, *_DESCENT}
    difference = differing(recipe, finding.training, (*_NETWORK, *_DESCENT, *sorted(rest)))
    if difference is not None:
        theirs, ours, _ = in_words(*difference)
        fault = f"is of a training {theirs}, but {source} of one {ours}"
    elif (finding.meta.get("inputs") or {}).get("history") != inputs:
        fault = f"is of a training on other examples, or from other weights, than {source}"
    if fault:
        raise StragError(fault, "pass the stragglers of the same training", finding.source)


def descends(recipe):
    """Whether a recipe describes full-batch gradient descent, whose loss falls while training is stable."""
    return (
        recipe.get("optimizer") == "sgd"
        and not recipe.get("momentum")
        and not recipe.get("weight_decay")
        and recipe.get("batch_size") is None
    )


def step_size(recipe):
    """The factor by which t is multiplied to compare learning rates, or None if there is none.

    For gradient descent it is the learning rate lr. With momentum m it is lr / (1 - m), to which the steps of
    a slowly changing gradient add up. For Adam it is None, since its steps do not grow with the gradient.
    """
    lr, momentum = recipe.get("lr"), recipe.get("momentum") or 0.0
    if not lr or recipe.get("optimizer", "sgd") != "sgd" or not 0 <= momentum < 1:
        return None
    return lr / (1 - momentum)
