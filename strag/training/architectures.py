"""All architectures by name, and how the recipe in a file describes them."""

from dataclasses import replace

from strag.errors import bad_usage
from strag.training.convolutional import Convolutional
from strag.training.custom import Custom
from strag.training.factory import Factory
from strag.training.perceptron import Perceptron
from strag.values import refused

DEFAULT = "mlp"  # the model of a recipe that does not name one
CUSTOM = "factory"  # the model of a recipe whose networks a Factory builds
ARCHITECTURES = {DEFAULT: Perceptron, "cnn": Convolutional, CUSTOM: Custom}
NAMED = tuple(name for name in ARCHITECTURES if name != CUSTOM)  # models that are chosen by their name


def architecture(model=DEFAULT, **options):
    """Return the Architecture called `model` with these options; the remaining ones keep their defaults.

    model : "mlp", "cnn", or a Factory.

    Raises StragError for an unknown model, for an option that the model does not have, for an invalid value,
    and for an option that has no effect.
    """
    if isinstance(model, Factory):
        _check_names(CUSTOM, options)
        return Custom(model, **options)
    if not isinstance(model, str) or model not in NAMED:
        raise refused(model, "model", f"{', '.join(NAMED)} or FILE.py:FACTORY")
    _check_names(model, options)
    return _without_unused(ARCHITECTURES[model](**options), options)


def option_names():
    """Names of the options of all architectures, and `model`: list of str."""
    names = (name for kind in ARCHITECTURES.values() for name in kind.option_names())
    return ["model", *dict.fromkeys(names)]


def replaced(built, **options):
    """An Architecture with other values of some of its options, see `architecture`."""
    if "model" in options:
        return architecture(**options)
    _check_names(_model_of(built), options)
    return _without_unused(replace(built, **options), options)


def _without_unused(built, names):
    """The Architecture, unless one of these names is that of an option without an effect on it."""
    for name in names:
        if name in built.unused:
            raise bad_usage(f"`{name}` has no effect: {built.unused[name]}", f"remove `{name}`")
    return built


def _check_names(model, names):
    """Raise StragError for a name that is not an option of a model."""
    known = ARCHITECTURES[model].option_names()
    for name in names:
        if name not in known:
            if model == CUSTOM:
                remedy = "pass the arguments of its function as `model_args`"
                raise bad_usage(f"`{name}` is not an option of a `model` in a file", remedy)
            problem = f"`{name}` is not an option of `model` {model}"
            options = ", ".join(f"`{option}`" for option in known)
            raise bad_usage(problem, f"its options are {options}")


def _model_of(built):
    """The name of the model of an Architecture."""
    return next(name for name, kind in ARCHITECTURES.items() if type(built) is kind)


def described(built):
    """Return the part of a recipe that describes an Architecture: its options, and `model` if not default."""
    model = _model_of(built)
    return built.as_dict() if model == DEFAULT else {"model": model, **built.as_dict()}


def completed(recipe):
    """A recipe in a file, with the model and the options of its model that the file does not hold: dict.

    Options that every file of the model holds are not added. An unknown model has none.
    """
    kind = ARCHITECTURES.get(str(recipe.get("model", DEFAULT)))
    return {"model": DEFAULT, **(kind.later_defaults() if kind else {}), **recipe}


def from_description(recipe, factory=None):
    """Return the Architecture that the recipe in a file describes.

    factory : Factory that may have built its networks, or None.

    Raises StragError if the model is unknown, if an option is missing or invalid, and if its networks are
    built by a Factory that is not this one.
    """
    model = recipe.get("model", DEFAULT)
    kind = ARCHITECTURES.get(model) if isinstance(model, str) else None
    whole = completed(recipe) if kind else {}
    names = kind.option_names() if kind else ()
    if not kind or any(name not in whole for name in names):
        raise bad_usage("does not say what its networks compute")
    return kind.described(whole, factory)
