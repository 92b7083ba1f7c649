"""Properties of a training that follow from its recipe."""


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
