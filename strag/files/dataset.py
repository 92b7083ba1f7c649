"""The kind `dataset`."""

import numpy as np

from strag.datasets.dataset import Dataset
from strag.datasets.names import Names
from strag.errors import StragError
from strag.files.container import open_container, write_tensors
from strag.files.stamp import stamp

SPEC = {
    "x": ("U8|F32", "P *", True),
    "y": ("I64", "P", True),
    "index": ("I64", "P", True),
    "x_test": ("U8|F32", "Q *", False),
    "y_test": ("I64", "Q", False),
    "mean": ("F64", "d", False),
    "std": ("F64", "d", False),
    "names": ("U8", "b", False),
    "name_ends": ("I64", "P", False),
    "y_true": ("I64", "P", False),
}
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


def write_dataset(path, data, recipe, inputs=None, output=None):
    """Write a Dataset; `recipe` holds the options that made it, `inputs` the identities it came from."""
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
    write_tensors(path, meta, data.tensors, output)


def described_classes(data):
    """What a stamp says of the original classes of a data set: `class_names` and `class_numbers`.

    Without the first where they have no names, and without the second where they are 0, 1, ...
    """
    told = {"class_names": list(data.class_names)} if data.class_names else {}
    if data.class_numbers != tuple(range(data.class_count)):
        told["class_numbers"] = list(data.class_numbers)
    return told


def _class_numbers(numbers, source):
    if not all(type(number) is int and 0 <= number < 2**31 for number in numbers):
        raise StragError("its 'class_numbers' cannot be read", "make it again with 'strag data'", source)
    return numbers


def names_of(tensors, source):
    """The Names in a file's tensors, which are taken out of the dict; None where there are none."""
    text, ends = tensors.pop("names", None), tensors.pop("name_ends", None)
    if (text is None) != (ends is None):
        raise StragError("has only one of 'names' and 'name_ends'", "make it again with 'strag data'", source)
    return None if ends is None else Names(text, ends)


def class_sizes(container):
    """Training examples of every class in an open container, by the name of the class: dict.

    A class without examples is there only where it has a name.
    """
    present, sizes = np.unique(container.read("y"), return_counts=True)
    names, numbers = container.meta.get("class_names") or [], container.meta.get("class_numbers")
    named = dict(zip(range(len(names)) if numbers is None else numbers, names, strict=False))
    found = dict.fromkeys(named, 0) | dict(zip(present.tolist(), sizes.tolist(), strict=True))
    return {str(named.get(number, number)): found[number] for number in sorted(found)}


def read_dataset(path):
    """Read a dataset file, or stdin for '-', into a Dataset."""
    with open_container(path, "dataset") as container:
        return dataset_from(container)


def dataset_from(container):
    """The Dataset in an open container."""
    meta = container.meta
    tensors = container.read_all(SPEC)
    fields = {key: meta[key] for key in _FIELDS if meta.get(key) is not None}
    for key, value in fields.items():
        if not isinstance(value, _FIELDS[key]):
            raise StragError(f"its '{key}' cannot be read", "make it again with 'strag data'", container.name)
    if "class_names" in fields:
        fields["class_names"] = tuple(str(name) for name in fields["class_names"])
    if "columns" in fields:
        fields["columns"] = tuple(str(name) for name in fields["columns"])
    if "class_numbers" in fields:
        fields["class_numbers"] = tuple(_class_numbers(fields["class_numbers"], container.name))
    tensors["names"] = names_of(tensors, container.name)
    try:
        return Dataset(**tensors, **fields, source=container.name)
    except StragError as error:
        raise error.about(container.name) from None
