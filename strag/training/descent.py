"""One update of all parameters, computed by torch's optimiser functions.

This module calls the functions behind the classes of torch.optim directly. The classes load torch's
compiler, which takes as long to load as the rest of torch and is not used here.
"""

import torch
from torch.optim.adam import adam
from torch.optim.sgd import sgd

ADAM_BETAS = (0.9, 0.999)
ADAM_EPSILON = 1e-8


class Descent:
    """Gradient descent (sgd, with momentum and weight decay) or Adam.

    Settings that are not options of the recipe have torch's default values.

    Parameters
    ----------
    recipe : Recipe, whose optimizer, lr, momentum and weight_decay are used. parameters : list of tensors
    with `grad`.
    """

    def __init__(self, recipe, parameters):
        self.recipe, self.parameters = recipe, parameters
        self._momentum = [None] * len(parameters)
        if recipe.optimizer == "adam":
            self._first = [torch.zeros_like(p) for p in parameters]
            self._second = [torch.zeros_like(p) for p in parameters]
            self._steps = [torch.tensor(0.0) for _ in parameters]

    @torch.no_grad()
    def step(self):
        """Change the parameters by one update, from their `grad`."""
        gradients = [p.grad for p in self.parameters]
        options = {"lr": self.recipe.lr, "weight_decay": self.recipe.weight_decay, "maximize": False}
        if self.recipe.optimizer == "adam":
            moments = (self._first, self._second, [], self._steps)
            beta1, beta2 = ADAM_BETAS
            adam(
                self.parameters,
                gradients,
                *moments,
                amsgrad=False,
                beta1=beta1,
                beta2=beta2,
                eps=ADAM_EPSILON,
                **options,
            )
        else:
            momentum = {"momentum": self.recipe.momentum, "dampening": 0.0, "nesterov": False}
            sgd(self.parameters, gradients, self._momentum, **momentum, **options)
