"""All architectures by name, and their description in the recipe of a file."""

from strag.errors import bad_usage
from strag.training.perceptron import Perceptron

DEFAULT = "mlp"  # of a recipe without a model
ARCHITECTURES = {DEFAULT: Perceptron}


def architecture(model=DEFAULT, **options):
    """The Architecture called `model`, with these options, or their defaults.

    Raises StragError for an unknown model, for an option that it does not have, and for a value that makes
    no sense.
    """
    if model not in ARCHITECTURES:
        raise bad_usage(f"there is no `model` '{model}'", f"choose {', '.join(ARCHITECTURES)}")
    known = ARCHITECTURES[model].option_names()
    for name in options:
        if name not in known:
            raise bad_usage(
                f"`{name}` is not an option of `model` {model}", f"its options are {', '.join(known)}"
            )
    return ARCHITECTURES[model](**options)


def described(built):
    """What a recipe in a file says of an Architecture: its options, and its model but for the default."""
    model = next(name for name, kind in ARCHITECTURES.items() if type(built) is kind)
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
