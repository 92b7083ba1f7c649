"""strag info: what a file holds and how it was made."""

import click

from strag.commands.inputs import refuse_data_set
from strag.commands.options import example, refuse_ignored
from strag.commands.paths import FilePath


@click.command(
    "info",
    epilog=example("""
strag info h.safetensors
strag info h.safetensors --get recipe.lr
strag info s.json --get summary.train_error_mean
strag info s.json --get indices
strag data mnist8k | strag info
"""),
)
@click.argument("file", default="-", type=FilePath(), metavar="[FILE]")
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of text.")
@click.option(
    "--get", "key", metavar="KEY", help="Print one value, such as kind, recipe.lr or shapes.radius."
)
def command(file, as_json, key):
    """Show what a file holds and how it was made.

    FILE is any file written by strag, by default stdin ('-'). The output is text, or JSON with --json: the
    kind of the file, the settings it was made with, and its tensors or lists.

    --get KEY prints one value without quotes, and each item of a list on a line of its own. KEY consists
    of names in the output of --json, joined by dots.
    """
    from strag.console import stdout_is_terminal
    from strag.files.describe import describe, lookup
    from strag.files.jsonfile import json_text
    from strag.files.opening import open_file
    from strag.files.streams import name_of, send_to_stdout

    refuse_ignored(("json", key is not None, "contradicts --get, which prints one value as text"))
    refuse_data_set(file, f"use 'strag data {file} | strag info'")
    opened = open_file(file, unfinished=True)
    description = describe(opened)
    if key is not None:
        text = _bare(lookup(description, opened, key, name_of(file)))
    else:
        text = json_text(description) if as_json else _text(description, name_of(file), stdout_is_terminal())
    send_to_stdout([text.encode(errors="backslashreplace")])


def _bare(value):
    """A value as text for scripts: without quotes, lists with one item per line, objects as JSON."""
    import json

    if isinstance(value, list):
        return "".join(_bare(item) for item in value)
    if isinstance(value, str):
        return f"{value}\n"
    return f"{json.dumps(value)}\n"


def _text(description, name, wrapped=False):
    """A description as text: one line per key and per tensor, wrapped at the width of the terminal."""
    from strag.stragglers.unknown import described

    kind, version = description["kind"], description.get("version", "?")
    lines = [("", f"{name}: {kind}, format {description['format']}, strag {version}")]
    rest = {
        key: value
        for key, value in description.items()
        if key not in ("kind", "format", "version", "shapes", "dtypes")
    }
    rest |= described(description)
    lines += [(f"  {key:<14} ", _brief(value)) for key, value in rest.items()]
    dtypes = description.get("dtypes", {})
    shapes = description["shapes"].items()
    lines += [(f"  {key:<20} {dtypes.get(key, 'list'):<5} ", str(shape)) for key, shape in shapes]
    return "".join(f"{_wrapped(*line) if wrapped else ''.join(line)}\n" for line in lines)


def _wrapped(head, text):
    """The line `head` + `text`, wrapped between words and indented so that the text is aligned.

    The indentation is smaller if the longest word does not fit otherwise. Words longer than the terminal is
    wide are not broken.
    """
    from shutil import get_terminal_size
    from textwrap import wrap

    width = get_terminal_size().columns
    longest = max(map(len, text.split()), default=0)
    hang = len(head) if 0 < len(head) <= width - longest else 4
    whole = {"break_long_words": False, "break_on_hyphens": False, "replace_whitespace": False}
    return "\n".join(wrap(head + text, width, subsequent_indent=" " * hang, **whole)) or head + text


def _brief(value):
    """A value in one line: `a 1, b 2` for an object, items separated by commas for a list.

    Of an object whose keys are updates, only the first and the last one are shown.
    """
    if isinstance(value, dict) and len(value) > 3 and all(key.isdecimal() for key in value):
        first, *_, last = sorted(value, key=int)
        return f"{first} {_brief(value[first])}, ..., {last} {_brief(value[last])} ({len(value)})"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_brief(item)}" for key, item in value.items() if item is not None) or "-"
    if isinstance(value, list):
        if value and isinstance(value[0], dict):
            from strag.words import number_of

            return number_of(len(value), "record")
        text = ", ".join(str(item) for item in value[:12]) or "none"
        return text + (f", ... ({len(value)})" if len(value) > 12 else "")
    if isinstance(value, float):
        return f"{value:.6g}"
    return "-" if value is None else str(value)
