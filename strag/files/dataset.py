"""The kind `dataset`."""

from strag.datasets.dataset import Dataset
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
}
_FIELDS = {
    "labels": str,
    "class_names": list,
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
        class_names=list(data.class_names) if data.class_names else None,
        class_count=data.class_count,
        origin=data.origin,
        origin_size=data.origin_size,
        title=data.title,
        command=data.command,
    )
    write_tensors(path, meta, data.tensors, output)


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
    try:
        return Dataset(**tensors, **fields)
    except StragError as error:
        raise error.about(container.name) from None
