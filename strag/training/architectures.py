"""All architectures by name, and their description in the recipe of a file."""

from dataclasses import replace

from strag.errors import bad_usage
from strag.training.perceptron import Perceptron
from strag.values import choice

DEFAULT = "mlp"  # of a recipe without a model
ARCHITECTURES = {DEFAULT: Perceptron}


def architecture(model=DEFAULT, **options):
    """The Architecture called `model`, with these options, or their defaults.

    Raises StragError for an unknown model, for an option that it does not have, and for a value that makes
    no sense.
    """
    choice(*ARCHITECTURES)(model, "model")
    _check_names(model, options)
    return ARCHITECTURES[model](**options)


def replaced(built, **options):
    """An Architecture with other values of some of its options, see `architecture`."""
    if "model" in options:
        return architecture(**options)
    _check_names(_model_of(built), options)
    return replace(built, **options)


def _check_names(model, names):
    """Raise StragError for a name that is not an option of a model."""
    known = ARCHITECTURES[model].option_names()
    for name in names:
        if name not in known:
            problem = f"`{name}` is not an option of `model` {model}"
            raise bad_usage(problem, f"its options are {', '.join(known)}")


def _model_of(built):
    """The name of the model of an Architecture."""
    return next(name for name, kind in ARCHITECTURES.items() if type(built) is kind)


def described(built):
    """What a recipe in a file says of an Architecture: its options, and its model but for the default."""
    model = _model_of(built)
    return built.as_dict() if model == DEFAULT else {"model": model, **built.as_dict()}


def from_description(recipe):
    """The Architecture that a recipe in a file describes.

    Raises StragError where it is not one that is known, or an option is missing or makes no sense.
    """
    model = recipe.get("model", DEFAULT)
    kind = ARCHITECTURES.get(model) if isinstance(model, str) else None
    names = kind.option_names() if kind else ()
    if not kind or any(name not in recipe for name in names):
        raise bad_usage("does not say what its networks compute")
    values = {name: recipe[name] for name in names}
    return kind(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})
