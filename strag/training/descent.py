"""One update of all parameters by torch's own arithmetic.

The functions behind torch.optim's classes are called directly: the classes load torch's compiler,
which takes as long as the rest of torch and is not used here.
"""

import torch
from torch.optim.adam import adam
from torch.optim.sgd import sgd

ADAM_BETAS = (0.9, 0.999)
ADAM_EPSILON = 1e-8


class Descent:
    """Gradient descent (sgd, with momentum and weight decay) or Adam, with torch's defaults.

    Parameters
    ----------
    recipe : Recipe. parameters : list of tensors with `grad`.
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
        """Move the parameters by one update along their `grad`."""
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
