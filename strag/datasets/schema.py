"""What the columns of a parquet or Arrow file are for, by their names, types and Hugging Face's notes."""

import json
from dataclasses import dataclass

from strag.datasets.columns import MEND_TEXT, label_column, listed, name_columns, notes_on_names
from strag.errors import StragError

IMAGE, VECTOR, NUMBER, TEXT = "images", "lists of numbers", "numbers", "text"


@dataclass(frozen=True)
class Plan:
    """Columns by their use.

    label : the label. class_names : of classes 0, 1, ..., or None. kind : what the inputs are, IMAGE, VECTOR
    or NUMBER. inputs : their columns, one of IMAGE and VECTOR. name : what names the examples, or None.
    notes : a line for each thing that is left out.
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


def storage(kind):
    """The Arrow type in which a type is stored: of an extension, and of a dictionary, what lies below."""
    import pyarrow as pa

    while isinstance(kind, pa.BaseExtensionType) or pa.types.is_dictionary(kind):
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind.storage_type
    return kind


def is_list(kind):
    """Whether an Arrow type is a list, of whatever length."""
    import pyarrow as pa

    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def kind_of(kind):
    """IMAGE, VECTOR, NUMBER or TEXT for an Arrow type, for others its name."""
    import pyarrow as pa

    kind, of = storage(kind), pa.types
    if of.is_binary(kind) or of.is_large_binary(kind):
        return IMAGE
    if of.is_struct(kind):
        return IMAGE if kind.get_field_index("bytes") >= 0 else "struct"
    if of.is_string(kind) or of.is_large_string(kind) or of.is_string_view(kind):
        return TEXT
    if of.is_integer(kind) or of.is_floating(kind) or of.is_boolean(kind) or of.is_decimal(kind):
        return NUMBER
    if is_list(kind):
        inner = kind_of(kind.value_type)
        return VECTOR if inner in (VECTOR, NUMBER) else str(kind)
    return str(kind)


def plan_of(schema, wanted=None):
    """The Plan for a schema. wanted : the label, as the user names it.

    Images are the inputs where there are some, else lists of numbers, else all numbers. Raises StragError for
    what is not told apart, and for text among the inputs.
    """
    twice = [name for name in dict.fromkeys(schema.names) if schema.names.count(name) > 1]
    if twice:
        raise StragError(f"has {listed(twice[:1])} twice among its columns", "rename one of them")
    classes = _classes(schema)
    label = label_column(schema.names, wanted, classes)
    labels = kind_of(schema.field(label).type)
    if labels not in (NUMBER, TEXT, VECTOR):
        problem = f"holds {labels} in column '{label}', the label"
        raise StragError(problem, "give class numbers from 0, or class names")
    kinds = {name: kind_of(schema.field(name).type) for name in schema.names if name != label}
    ids = [name for name in name_columns(kinds) if kinds[name] in (TEXT, NUMBER)]
    free = [name for name in kinds if name not in ids]
    kind = next((one for one in (IMAGE, VECTOR) if one in [kinds[name] for name in free]), NUMBER)
    if kind == NUMBER:
        inputs = _numbers(free, kinds, classes, label)
    else:
        inputs = [name for name in free if kinds[name] == kind]
    if kind != NUMBER and len(inputs) > 1:
        raise StragError(f"holds {kind} in {listed(inputs)}", "keep one of these columns")
    out = [name for name in free if name not in inputs]
    notes = notes_on_names(ids) if ids else []
    if out:
        why = "are other classes" if kind == NUMBER else f"are no {kind}"
        notes.append(f"left out, as they {why}: {listed(out)}")
    name = ids[0] if ids else None
    return Plan(label, classes.get(label), kind, tuple(inputs), name, tuple(notes))


def _numbers(free, kinds, classes, label):
    """Plain columns of numbers that are inputs: all but those of other classes."""
    inputs = [name for name in free if name not in classes]
    for name in inputs:
        if kinds[name] == TEXT:
            texts = listed([one for one in inputs if kinds[one] == TEXT])
            raise StragError(f"holds text in {texts}", MEND_TEXT)
        if kinds[name] != NUMBER:
            problem = f"holds {kinds[name]} in column '{name}'"
            raise StragError(problem, "leave the column out, or give images, numbers or lists of numbers")
    if not inputs:
        raise StragError(
            f"has no inputs beside the label '{label}'", "give images, numbers or lists of numbers"
        )
    return inputs


def _classes(schema):
    """Dict of the columns that hold classes, as Hugging Face's metadata say, to their names, or None."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        found = {
            name: tuple(feature["names"]) if feature.get("names") else None
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}
    return {
        name: names if names and all(isinstance(one, str) for one in names) else None
        for name, names in found.items()
        if name in schema.names
    }
