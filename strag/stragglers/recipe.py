"""What the recipe of a training implies for its history."""


def descends(recipe):
    """Whether a recipe is full-batch gradient descent, whose loss falls while training is stable."""
    return (
        recipe.get("optimizer") == "sgd"
        and not recipe.get("momentum")
        and not recipe.get("weight_decay")
        and recipe.get("batch_size") is None
    )


def step_size(recipe):
    """The factor of t that makes learning rates comparable, or None if there is none.

    The learning rate lr of gradient descent; lr / (1 - m) with momentum m, to which the steps of a slowly
    changing gradient add up. The steps of Adam do not grow with the gradient: None.
    """
    lr, momentum = recipe.get("lr"), recipe.get("momentum") or 0.0
    if not lr or recipe.get("optimizer", "sgd") != "sgd" or not 0 <= momentum < 1:
        return None
    return lr / (1 - momentum)
