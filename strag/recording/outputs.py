"""What the outputs of a network say of its examples: who is misclassified, losses and margins."""

import numpy as np


def judged(logits, labels):
    """Return whether examples are misclassified, their losses and their margins: bool, float64, float64 [B].

    logits : float [B, C] with at least two columns. labels : int [B].

    An example is misclassified if the first index of its largest logit is not its label y. Its loss is the
    cross-entropy in nats, ln sum_c exp(z_c) - z_y. Its margin is z_y - max_{c != y} z_c (Pleiss et al.,
    2020).
    An example with a logit that is not finite is misclassified, and its loss and margin are NaN.
    """
    z, rows = logits.astype(np.float64), np.arange(len(labels))
    finite = np.isfinite(z).all(axis=1)
    z[~finite] = 0
    own = z[rows, labels]
    z[rows, labels] = -np.inf
    rival = z.argmax(axis=1)  # the first index of the largest other logit
    other = z[rows, rival]
    z[rows, labels] = own
    wrong = (other > own) | ((other == own) & (rival < labels))
    largest, margin = np.maximum(own, other), own - other
    z -= largest[:, None]
    loss = largest - own + np.log(np.exp(z, out=z).sum(axis=1))
    loss[~finite] = margin[~finite] = np.nan
    return wrong | ~finite, loss, margin
