"""The examples of a data set whose labels `flip_labels` of `strag data` flipped."""

import numpy as np

from strag.errors import StragError


def flipped_examples(data):
    """Return the examples of a Dataset whose `y` differs from their `y_true`: int64, rows of the origin.

    Raises StragError if there are none.
    """
    flipped = [] if data.y_true is None else np.flatnonzero(data.y != data.y_true)
    if not len(flipped):
        raise StragError(
            "has no examples with a flipped label",
            "flip labels with 'strag data' and `flip_labels`, and train on that data set",
            data.source,
        )
    return data.index[flipped]
