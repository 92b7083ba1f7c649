"""The tables of FORMATS.md, which follow from the specifications of the kinds."""

from strag.files.spec import JsonSpec


def markdown(spec):
    """Return the table of a kind in FORMATS.md. spec : a Spec or a JsonSpec."""
    if isinstance(spec, JsonSpec):
        return "\n".join(["| key | meaning |", "|---|---|", *_key_rows(spec.keys)])
    tensors = (*spec.tensors, *([spec.free] if spec.free else []))
    rows = ["| tensor | dtype | shape | meaning | must be |", "|---|---|---|---|---|"]
    return "\n".join([*rows, *(f"| {' | '.join(_cells(tensor))} |" for tensor in tensors)])


def _cells(tensor):
    """Return the cells of a tensor's row in the table."""
    axes = ["..." if axis is ... else axis.letter for axis in tensor.axes]
    bits = any(axis is not ... and axis.letter.startswith("ceil") for axis in tensor.axes)
    dtypes = tensor.dtypes.replace("|", " or ") + (" bits" if bits else "")
    absent = () if tensor.required else ("may be absent",) if tensor.beside is None else (
        f"together with `{tensor.beside}`",
    )  # fmt: skip
    laws = ", ".join([*absent, *(law.name for law in tensor.laws)])
    return f"`{tensor.name}`", dtypes, f"[{', '.join(axes)}]", tensor.meaning, laws


def _key_rows(keys):
    """Yield the rows of the table for these Keys and those below them."""
    for group in keys:
        yield f"| {', '.join(f'`{name}`' for name in group.names)} | {group.meaning} |"
        yield from _key_rows(group.of)
