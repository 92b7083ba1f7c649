"""The kind `dataset`: a data set, its labels and the description of its groups."""

import numpy as np

from strag.datasets.dataset import Dataset
from strag.datasets.names import Names
from strag.errors import StragError
from strag.files.laws import EXAMPLE, FINITE, INDEX, NAMES, NOT_NEGATIVE, ONCE, TEST_EXAMPLE
from strag.files.spec import Axis, Spec, Tensor
from strag.files.stamp import stamp
from strag.files.writer import write
from strag.kinds import remake

INPUT = Axis("input", "d")
SPEC = Spec(  # a Dataset checks most of these laws itself
    "dataset",
    (
        Tensor(
            *("x", "U8|F32", (EXAMPLE, ...)),
            "inputs as imported, not standardised; images are [h, w], [h, w, 3] or [3, h, w]",
            (FINITE.stated,),
        ),
        Tensor("y", "I64", (EXAMPLE,), "original class, not the group", (NOT_NEGATIVE.stated,)),
        Tensor("index", "I64", (EXAMPLE,), INDEX.meaning, (NOT_NEGATIVE.stated, ONCE.stated)),
        Tensor(
            *("x_test", "U8|F32", (TEST_EXAMPLE, ...), "inputs of the test set", (FINITE.stated,)),
            required=False,
        ),
        Tensor(
            *(
                "y_test",
                "I64",
                (TEST_EXAMPLE,),
                "original classes of the test set; only together with `x_test`",
                (NOT_NEGATIVE.stated,),
            ),
            required=False,
        ),
        *NAMES,
        Tensor(
            *("y_true", "I64", (EXAMPLE,)),
            "`y` before labels were flipped; absent if no label was flipped",
            (NOT_NEGATIVE.stated,),
            required=False,
        ),
        Tensor(
            *(
                "mean",
                "F64",
                (INPUT,),
                "mean of each input over the block that the data were cut from",
                (FINITE.stated,),
            ),
            required=False,
            beside="std",
        ),
        Tensor(
            *(
                "std",
                "F64",
                (INPUT,),
                "unbiased standard deviation of each input over that block; 0 for a constant input",
            ),
            (FINITE.stated, NOT_NEGATIVE.stated),
            required=False,
            beside="mean",
        ),
    ),
)
_FIELDS = {
    "labels": str,
    "class_names": list,
    "class_numbers": list,
    "columns": list,
    "class_count": int,
    "origin": str,
    "origin_size": int,
    "title": str,
    "command": str,
}


def write_dataset(output, data, recipe, inputs=None):
    """Write a Dataset into an open Output, or to a destination.

    recipe : dict of the options that the data set was made with. inputs : dict of the identities of the data
    that it was made from.
    """
    meta = stamp(
        "dataset",
        recipe=recipe,
        inputs=inputs or {},
        labels=data.labels,
        classes=list(data.grouping.names),
        **{"class_names": None, **described_classes(data)},
        class_count=data.class_count,
        **({"columns": list(data.columns)} if data.columns else {}),
        origin=data.origin,
        origin_size=data.origin_size,
        title=data.title,
        command=data.command,
    )
    write(output, SPEC, meta, data.tensors)


def described_classes(data):
    """The keys of a stamp about the original classes of a data set: `class_names` and `class_numbers`.

    The first is missing if the classes have no names, the second if the numbers are 0, 1, ...
    """
    described = {"class_names": list(data.class_names)} if data.class_names else {}
    if data.class_numbers != tuple(range(data.class_count)):
        described["class_numbers"] = list(data.class_numbers)
    return described


def _class_numbers(numbers):
    """Return the numbers of the original classes. Raises StragError unless each is an int below 2**31."""
    if not all(type(number) is int and 0 <= number < 2**31 for number in numbers):
        raise StragError("its 'class_numbers' cannot be read", remake("dataset"))
    return numbers


def names_of(tensors):
    """Remove the names of the examples from a dict of tensors and return them: Names, or None."""
    text, ends = tensors.pop("names", None), tensors.pop("name_ends", None)
    return None if ends is None else Names(text, ends)


def class_sizes(container):
    """Return the number of training examples of each original class in an open container.

    The result is a dict of the name of the class, or its number as a text, to the number of examples.
    A class without examples is included only if it has a name.
    """
    present, counts = np.unique(container.read("y"), return_counts=True)
    names, numbers = container.meta.get("class_names") or [], container.meta.get("class_numbers")
    named = dict(zip(range(len(names)) if numbers is None else numbers, names, strict=False))
    sizes = dict.fromkeys(named, 0) | dict(zip(present.tolist(), counts.tolist(), strict=True))
    return {str(named.get(number, number)): sizes[number] for number in sorted(sizes)}


def read(opened):
    """Return the Dataset in an open container. Raises StragError for values that cannot be read."""
    meta, tensors = opened.meta, SPEC.read(opened)
    fields = {key: meta[key] for key in _FIELDS if meta.get(key) is not None}
    for key, value in fields.items():
        if not isinstance(value, _FIELDS[key]):
            raise StragError(f"its '{key}' cannot be read", remake("dataset"))
    if "class_names" in fields:
        fields["class_names"] = tuple(str(name) for name in fields["class_names"])
    if "columns" in fields:
        fields["columns"] = tuple(str(name) for name in fields["columns"])
    if "class_numbers" in fields:
        fields["class_numbers"] = tuple(_class_numbers(fields["class_numbers"]))
    names = names_of(tensors)
    return Dataset(**tensors, names=names, **fields, source=opened.name)
