"""The ids of examples: integers or texts, and their order."""

import itertools
import numbers

import numpy as np

from strag.errors import bad_usage
from strag.values import shown
from strag.words import number_of

_WANTED = "pass integers, or texts, one per example"


def ids_of(values):
    """Return ids as a list of int, or of str, in the order given.

    values : a list, a tuple, or an array [B] of numpy, of integers or of texts.

    Raises StragError for ids of another type, and where integers and texts are mixed.
    """
    if isinstance(values, np.ndarray) and values.ndim != 1:
        shape = list(values.shape)
        raise bad_usage(f"`ids` has shape {shape}, not [B]", "pass one id per example")
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
        raise bad_usage(f"cannot use {shown(values)} as `ids`", _WANTED)
    ids = values.tolist() if isinstance(values, np.ndarray) else list(values)
    if all(type(identity) is int for identity in ids) or all(type(identity) is str for identity in ids):
        return ids
    ids = [_plain(identity) for identity in ids]
    kinds = {type(identity) for identity in ids}
    if len(kinds) > 1:
        other = next(identity for identity in ids if type(identity) is not type(ids[0]))
        raise bad_usage(f"`ids` mixes integers and texts, such as {ids[0]!r} and {shown(other)}", _WANTED)
    return ids


def _plain(identity):
    """Return an id as int or str. Raises StragError for an object of another type."""
    if isinstance(identity, numbers.Integral) and not isinstance(identity, bool):
        return int(identity)
    if isinstance(identity, str):
        return str(identity)
    raise bad_usage(f"cannot use {shown(identity)} as an id of `ids`", _WANTED)


def order_of(ids):
    """Return the positions of ids in increasing order: int64 [P].

    Integers are ordered by value, texts by code point. ids : list of int, or of str, see `ids_of`.

    Raises StragError for an id that occurs twice, and for ids of mixed types.
    """
    ids = ids_of(ids)
    order = np.array(sorted(range(len(ids)), key=ids.__getitem__), np.int64)
    twice = [ids[b] for a, b in itertools.pairwise(order.tolist()) if ids[a] == ids[b]]
    if twice:
        raise bad_usage(f"`ids` lists {twice[0]!r} twice", "pass each example once")
    return order


def some_ids(ids, most=5):
    """Return some ids for a message: `3, 7, 9, ... (12 examples)`."""
    listed = ", ".join(repr(identity) for identity in ids[:most])
    return listed + (f", ... ({number_of(len(ids), 'example')})" if len(ids) > most else "")
