"""Histories of networks that strag did not train."""

import numpy as np

from strag.bits import pack
from strag.datasets.names import Names
from strag.errors import bad_usage
from strag.files.history import SPEC, read
from strag.files.stamp import stamp
from strag.files.writer import Writer
from strag.identity import identity_of_examples


def write_recorded(output, recorded):
    """Write the history of a Recorded.

    output : an open Output, or a destination; None keeps the history in memory.

    Returns the History if `output` is None, else None.
    """
    tensors = {
        "updates": recorded.updates,
        "train_error": recorded.train_error,
        "misclassified": recorded.misclassified,
        "trained": pack(np.ones((recorded.runs, len(recorded.ids)), bool)),
        "index": np.arange(len(recorded.ids)) if recorded.index is None else recorded.index,
        "y": recorded.labels if recorded.y is None else recorded.y,
        "group": recorded.labels,
        **recorded.measures,
        **(named(recorded.ids) if recorded.origin is None else recorded.names or {}),
    }
    optional = {name: getattr(recorded, name) for name in ("train_loss", "margin", "margin_deviation")}
    tensors |= {name: values for name, values in optional.items() if values is not None}
    with Writer(output, SPEC, meta_of(recorded), tensors) as writer:
        if output is None:
            return read(writer.as_container("recorded"))
        writer.commit()
    return None


def meta_of(recorded):
    """Return the stamp of the history of a Recorded."""
    own = {"labels": "classes", "origin_size": len(recorded.ids)}
    return stamp(
        "history",
        recording=recorded.recording,
        runs=list(range(recorded.runs)),
        layers=list(recorded.layers),
        classes=list(recorded.classes),
        origin=recorded.origin or identity_of_examples(recorded.ids, recorded.labels),
        **{**own, **recorded.described},
    )


def named(ids):
    """Return ids as the tensors of the names of examples, see `Names.tensors`.

    Raises StragError for an id that UTF-8 cannot encode.
    """
    try:
        return Names.of([str(identity) for identity in ids]).tensors
    except UnicodeEncodeError as error:
        raise bad_usage(f"cannot store the id {error.object!r}", "pass ids that UTF-8 can encode") from None
