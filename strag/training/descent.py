"""One update of all parameters, computed by torch's optimiser functions.

This module calls the functions behind the classes of torch.optim directly. The classes load torch's
compiler, which takes as long to load as the rest of torch and is not used here.
"""

import torch
from torch.optim.adam import adam
from torch.optim.sgd import sgd

ADAM_BETAS = (0.9, 0.999)
ADAM_EPSILON = 1e-8


def kept_by(recipe):
    """What the optimiser of a Recipe keeps of every parameter, see `Descent.state`: tuple of names."""
    if recipe.optimizer == "adam":
        return ("first", "second", "steps")
    return ("momentum",) if recipe.momentum else ()


class Descent:
    """Gradient descent (sgd, with momentum and weight decay) or Adam, with the defaults of torch.

    Parameters
    ----------
    recipe : Recipe. parameters : dict of name to tensor with `grad`.
    """

    def __init__(self, recipe, parameters):
        self.recipe, self.names, self.parameters = recipe, list(parameters), list(parameters.values())
        self._momentum = [None] * len(self.parameters)
        if recipe.optimizer == "adam":
            self._first = [torch.zeros_like(p) for p in self.parameters]
            self._second = [torch.zeros_like(p) for p in self.parameters]
            self._steps = [torch.tensor(0.0) for _ in self.parameters]

    def state(self):
        """The tensors that the optimiser keeps from update to update: dict of name to tensor, not copied.

        `momentum.NAME` of every parameter, or for Adam `first.NAME`, `second.NAME` and `steps.NAME`; without
        momentum, and before its first update, nothing.
        """
        if self.recipe.optimizer == "adam":
            kept = {"first": self._first, "second": self._second, "steps": self._steps}
        else:
            kept = {"momentum": self._momentum}
            if any(tensor is not None for tensor in self._momentum):  # those never updated have momentum 0
                pairs = zip(self._momentum, self.parameters, strict=True)
                kept["momentum"] = [torch.zeros_like(p) if tensor is None else tensor for tensor, p in pairs]
        named = {
            f"{what}.{name}": tensor
            for what, tensors in kept.items()
            for name, tensor in zip(self.names, tensors, strict=True)
        }
        return {name: tensor for name, tensor in named.items() if tensor is not None}

    def restore(self, state):
        """Take over what `state` returned, before the first update. state : dict of name to tensor."""
        for name, tensor in state.items():
            what, parameter = name.split(".", 1)
            at = self.names.index(parameter)
            if what == "momentum":
                self._momentum[at] = tensor.to(self.parameters[at].device).clone()
            else:
                {"first": self._first, "second": self._second, "steps": self._steps}[what][at].copy_(tensor)

    @torch.no_grad()
    def step(self, names):
        """Change the parameters of these names by one update, from their `grad`."""
        chosen = [at for at, name in enumerate(self.names) if name in names]
        parameters = [self.parameters[at] for at in chosen]
        gradients = [p.grad for p in parameters]
        options = {"lr": self.recipe.lr, "weight_decay": self.recipe.weight_decay, "maximize": False}
        if self.recipe.optimizer == "adam":
            first, second, steps = (
                [kept[at] for at in chosen] for kept in (self._first, self._second, self._steps)
            )
            beta1, beta2 = ADAM_BETAS
            adam(
                parameters,
                gradients,
                first,
                second,
                [],
                steps,
                amsgrad=False,
                beta1=beta1,
                beta2=beta2,
                eps=ADAM_EPSILON,
                **options,
            )
        else:
            momentum = [self._momentum[at] for at in chosen]
            options |= {"momentum": self.recipe.momentum, "dampening": 0.0, "nesterov": False}
            sgd(parameters, gradients, momentum, **options)
            for at, kept in zip(chosen, momentum, strict=True):
                self._momentum[at] = kept
