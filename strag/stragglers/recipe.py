"""Properties of a training that follow from its recipe, and how two trainings differ."""

# Settings that give the initial weights, and those that give the path from there.
_NETWORK = ("seed", "depth", "width", "activation", "no_bias")
_DESCENT = ("optimizer", "lr", "momentum", "weight_decay", "batch_size", "own_order")
_USUAL = {"no_bias": False}  # values of settings that older files lack


def differing(recipe, other):
    """The first setting in which the runs of two recipes start or train differently: (name, value, value).

    The values are those of `recipe` and of `other`. None if there is no difference. Without hidden layers,
    width and activation do not count.
    """
    linear = recipe.get("depth") == 1
    for name in (*_NETWORK, *_DESCENT):
        ours, theirs = (side.get(name, _USUAL.get(name)) for side in (recipe, other))
        if ours != theirs and not (linear and name in ("width", "activation")):
            return name, ours, theirs
    return None


def in_words(name, ours, theirs):
    """How the values of a setting differ: (text of `theirs`, text of `ours`, how to get `ours`)."""
    if isinstance(ours, bool) and isinstance(theirs, bool):
        remedy = f"{'with' if ours else 'without'} `{name}`"
        return f"{'with' if theirs else 'without'} `{name}`", f"{'with' if ours else 'without'} it", remedy
    return f"with `{name}` {theirs}", f"with {ours}", f"with `{name}` {ours}"


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
