"""The use of the columns of a parquet or Arrow file, by their names, types and Hugging Face's metadata."""

import json
from dataclasses import dataclass

from strag.datasets.columns import MEND_TEXT, label_column, listed, name_columns, notes_on_names
from strag.errors import StragError

IMAGE, VECTOR, NUMBER, TEXT = "images", "lists of numbers", "numbers", "text"


@dataclass(frozen=True)
class Plan:
    """Names of columns by their use.

    label : column of the label. class_names : names of classes 0, 1, ..., or None. kind : the kind of the
    inputs, IMAGE, VECTOR or NUMBER. inputs : columns of the inputs, a single one for IMAGE and VECTOR. name :
    column with the names of the examples, or None. notes : lines on columns that are left out.
    """

    label: str
    class_names: tuple | None
    kind: str
    inputs: tuple
    name: str | None
    notes: tuple

    @property
    def columns(self):
        """All columns that are read."""
        return [*self.inputs, self.label, *([] if self.name is None else [self.name])]

    @property
    def uses(self):
        """The kind and columns of the inputs, in any order, and the columns of label and names."""
        return self.kind, frozenset(self.inputs), self.label, self.name


def storage(kind):
    """The Arrow type without extensions and dictionaries: the type of the stored values."""
    import pyarrow as pa

    while isinstance(kind, pa.BaseExtensionType) or pa.types.is_dictionary(kind):
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind.storage_type
    return kind


def is_list(kind):
    """Whether an Arrow type is a list, with or without a fixed length."""
    import pyarrow as pa

    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def kind_of(kind):
    """IMAGE, VECTOR, NUMBER or TEXT for an Arrow type, or the name of another type."""
    import pyarrow as pa

    kind, types = storage(kind), pa.types
    if types.is_binary(kind) or types.is_large_binary(kind):
        return IMAGE
    if types.is_struct(kind):
        return IMAGE if kind.get_field_index("bytes") >= 0 else "struct"
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return TEXT
    if types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_decimal(kind):
        return NUMBER
    if is_list(kind):
        inner = kind_of(kind.value_type)
        return VECTOR if inner in (VECTOR, NUMBER) else str(kind)
    return str(kind)


def plan_of(schema, wanted=None):
    """The Plan for a schema. wanted : the column of the label that the user named, or None.

    The inputs are images, if there are any, or else lists of numbers, or else all columns of numbers. Raises
    StragError if the label or the inputs are ambiguous or missing, and for inputs that are text.
    """
    duplicates = [name for name in dict.fromkeys(schema.names) if schema.names.count(name) > 1]
    if duplicates:
        raise StragError(f"has two columns called {listed(duplicates[:1])}", "rename one of them")
    classes = _classes(schema)
    label = label_column(schema.names, wanted, classes)
    labels = kind_of(schema.field(label).type)
    if labels not in (NUMBER, TEXT, VECTOR):
        problem = f"holds {labels} in column '{label}', the label"
        raise StragError(problem, "provide class numbers from 0, or class names")
    kinds = {name: kind_of(schema.field(name).type) for name in schema.names if name != label}
    ids = [name for name in name_columns(kinds) if kinds[name] in (TEXT, NUMBER)]
    free = [name for name in kinds if name not in ids]
    kind = next((kind for kind in (IMAGE, VECTOR) if kind in [kinds[name] for name in free]), NUMBER)
    if kind == NUMBER:
        inputs = _numbers(free, kinds, classes, label)
    else:
        inputs = [name for name in free if kinds[name] == kind]
    if kind != NUMBER and len(inputs) > 1:
        raise StragError(f"holds {kind} in {listed(inputs)}", "keep only one of these columns")
    others = [name for name in free if name not in inputs]
    notes = notes_on_names(ids) if ids else []
    if others:
        reason = "are other classes" if kind == NUMBER else f"are not {kind}"
        notes.append(f"left out, as they {reason}: {listed(others)}")
    name = ids[0] if ids else None
    return Plan(label, classes.get(label), kind, tuple(inputs), name, tuple(notes))


def _numbers(free, kinds, classes, label):
    """The columns of numbers that are inputs: all columns except those that hold classes.

    free : columns that are neither label nor names. kinds : dict of column to kind. classes : see `_classes`.
    """
    inputs = [name for name in free if name not in classes]
    for name in inputs:
        if kinds[name] == TEXT:
            texts = listed([column for column in inputs if kinds[column] == TEXT])
            raise StragError(f"holds text in {texts}", MEND_TEXT)
        if kinds[name] != NUMBER:
            problem = f"holds {kinds[name]} in column '{name}'"
            raise StragError(problem, "remove the column, or provide images, numbers or lists of numbers")
    if not inputs:
        problem = f"has no inputs, only the label '{label}'"
        raise StragError(problem, "add images, numbers or lists of numbers")
    return inputs


def _classes(schema):
    """The columns with classes by Hugging Face's metadata: dict of column to class names, or to None."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        stated = {
            name: tuple(feature["names"]) if feature.get("names") else None
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}
    return {
        name: names if names and all(isinstance(text, str) for text in names) else None
        for name, names in stated.items()
        if name in schema.names
    }
