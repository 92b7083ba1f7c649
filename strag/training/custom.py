"""Networks that a user's function builds."""

import json
from dataclasses import dataclass

import torch

from strag.errors import StragError, bad_usage
from strag.parsing import read_object
from strag.training.factory import Factory
from strag.training.images import image_shape
from strag.training.module_architecture import ModuleArchitecture
from strag.values import checked_fields, instance, refused
from strag.words import some_of

_NO_LAYERS = {
    "MultiheadAttention",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "LogSoftmax",
}  # no nonlinearities of a layer
NONLINEAR = set(torch.nn.modules.activation.__all__) - _NO_LAYERS


def args_check(value, name):
    """The check of `model_args`: a dict of JSON values, or its text; JSON text with sorted keys."""
    try:
        found = read_object(value) if isinstance(value, str) else value
        text = json.dumps(found, sort_keys=True, allow_nan=False)
    except StragError as error:
        raise bad_usage(f"`{name}` {error.problem}", error.remedy) from None
    except (TypeError, ValueError):
        found = text = None
    if not isinstance(found, dict):
        raise refused(value, name, """a JSON object such as {"width": 8}""")
    return text


@checked_fields(factory=instance(Factory, "a Factory"), model_args=args_check)
@dataclass(frozen=True)
class Custom(ModuleArchitecture):
    """Networks that a Factory builds.

    Parameters
    ----------
    factory : the Factory.
    model_args : further arguments of the factory of `model`: a dict of JSON values, or its text.
    """

    factory: Factory
    model_args: str = "{}"

    drawn_by = ("factory", "source", "model_args")

    def __str__(self):
        return f"the network of {self.factory.name}"

    @property
    def file(self):
        """The name of the file of the factory."""
        return self.factory.file

    @property
    def built_by(self):
        """The function of the factory."""
        return self.factory.function

    @property
    def default_layers(self):
        """The first layer that is a nonlinearity of torch, such as a ReLU.

        Raises StragError if there is none.
        """
        found = [
            layer.name for layer in self._seen.layers if layer.type in NONLINEAR and layer.name in self.layers
        ]
        if not found:
            problem = f"{self} has no nonlinearity among its modules, so that no layer is the default"
            known = f"`layers` from {some_of(self.layers)}"
            raise bad_usage(
                problem, f"make one a module such as torch.nn.ReLU(), or choose {known}", self.file
            )
        return (found[0],)

    def module(self, ends):
        """As `ModuleArchitecture.module`."""
        args = json.loads(self.model_args)
        return self.factory.build(image_shape(ends.shape), ends.classes, args)

    def as_dict(self):
        """The name and the source of the factory, and its arguments: dict of JSON values."""
        args = json.loads(self.model_args)
        return {"factory": self.factory.name, "source": self.factory.source, "model_args": args}

    @classmethod
    def option_names(cls):
        """The options besides `model`, which is the factory."""
        return ("model_args",)

    @classmethod
    def described(cls, recipe, factory):
        """The Custom that the recipe in a file describes; factory : the Factory, or None.

        Raises StragError without the factory, and for another one.
        """
        name = recipe.get("factory")
        if factory is None:
            problem = f"its networks are built by the function {name} of a file"
            raise bad_usage(problem, f"pass it as `model`, FILE.py:{name}")
        if factory.name != name:
            problem = f"its networks are built by {name}, but `model` is {factory.name}"
            raise bad_usage(problem, f"pass FILE.py:{name}")
        return cls(factory, recipe["model_args"])
