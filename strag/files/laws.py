"""The axes, laws and tensors that several kinds of file share."""

import numpy as np

from strag.files.spec import Axis, Law, Tensor


def _bits_of(name):
    """Return the function for the length of an axis that stores the bits of another axis, 8 in a byte."""
    return lambda lengths: -(-lengths[name] // 8) if name in lengths else None


def _pairs(lengths):
    """Return the number of pairs of groups from the lengths of the axes, or None if it is unknown."""
    classes = lengths.get("class")
    return None if classes is None else classes * (classes - 1) // 2


RUN = Axis("run", "R", stamped="runs")
LAYER = Axis("layer", "L", stamped="layers")
CLASS = Axis("class", "C", stamped="classes")
PAIR = Axis("pair", "C(C-1)/2", length=_pairs, problem="has distances that do not fit its classes")
UPDATE = Axis("update", "U")
EXAMPLE = Axis("example", "P")
BITS = Axis(
    *("bits of an example", "ceil(P/8)"),
    length=_bits_of("example"),
    problem="has bits that do not fit its examples",
)
TEST_EXAMPLE = Axis("test example", "Q")
TEST_BITS = Axis(
    *("bits of a test example", "ceil(Q/8)"),
    length=_bits_of("test example"),
    problem="has test bits that do not fit its test examples",
)
BYTE = Axis("byte", "bytes")


def _rises(array, _):
    """Whether an array is strictly increasing."""
    return not (np.diff(array) <= 0).any()


def _end_together(ends, lengths):
    """Whether the ends of the names never decrease and the last one is the number of bytes."""
    return not ends.size or ((np.diff(ends, prepend=0) >= 0).all() and ends[-1] == lengths["byte"])


def _lies_within(low, high):
    """Return a function that says whether no value of an array is outside [low, high]; NaN is allowed."""

    def holds(array, _):
        with np.errstate(invalid="ignore"):
            return not ((array < low) | (array > high)).any()

    return holds


RISING = Law("strictly increasing", "is not strictly increasing", _rises)
ONCE = Law("no duplicates", "lists an example twice", lambda array, _: np.unique(array).size == array.size)
NOT_NEGATIVE = Law("at least 0", "has values below 0", lambda array, _: not (array < 0).any())
FINITE = Law("finite", "is not finite", lambda array, _: bool(np.isfinite(array).all()))
SHARE = Law("from 0 to 1", "has values outside the range from 0 to 1", _lies_within(0, 1))
NOT_ALL_0 = Law("not all 0", "is 0 for every input", lambda array, _: array.any())
NAMES_END = Law("never decreasing, the last is the length of `names`", "does not fit 'names'", _end_together)


def below(axis):
    """Return the Law that each number is a position on this axis."""
    problem = f"does not fit its {axis.stamped}"
    return Law(f"below {axis.letter}", problem, lambda array, n: not (array >= n[axis.name]).any())


def no_more_than(largest):
    """Return the Law that no number exceeds `largest`."""
    problem = f"has values above {largest}"
    return Law(f"at most {largest}", problem, lambda array, _: not (array > largest).any())


INDEX = Tensor("index", "I64", (EXAMPLE,), "row of the origin", (ONCE,))
Y = Tensor("y", "I64", (EXAMPLE,), "original class")
GROUP = Tensor("group", "I64", (EXAMPLE,), "group", (NOT_NEGATIVE, below(CLASS)))
NAMES = (
    Tensor(
        *(
            "names",
            "U8",
            (BYTE,),
            "names of the examples, such as file names, as UTF-8, joined without separators",
        ),
        required=False,
        beside="name_ends",
    ),
    Tensor(
        *("name_ends", "I64", (EXAMPLE,), "offset in `names` at which each name ends", (NAMES_END,)),
        required=False,
        beside="names",
    ),
)
TRAINED = Tensor("trained", "U8", (RUN, BITS), "examples that the run trains on")
