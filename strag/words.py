"""Names, counts and lists in words, for whoever says something to a person."""

import textwrap
import unicodedata

MOST = 12  # names in one line
_JOINERS = "\u200c\u200d"  # between letters of Persian, and parts of an emoji
_BYTES = range(0xDC80, 0xDD00)  # how Python keeps the bytes of a name that is not UTF-8


def reason_of(error):
    """The first sentence of what an error of another library says, or as many of its words as fit."""
    first = str(error).partition(". ")[0]
    return textwrap.shorten(first, 80, placeholder=" ...") or type(error).__name__


def as_text(name):
    """A name as one line of text that harms no terminal, no SVG and no table, and that every file can hold.

    What is no text in it is shown as Python writes it: control characters and escape sequences, ends of
    lines, marks that turn the direction of writing, bytes that are not UTF-8 (`\\xe9`).
    """
    name = str(name)
    return name if name.isprintable() else "".join(map(_shown, name))


def _shown(character):
    if character.isprintable() or character in _JOINERS:
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    if ord(character) in _BYTES:
        return f"\\x{ord(character) - 0xDC00:02x}"
    return repr(character)[1:-1]


def number_of(count, noun):
    """A count with its noun, in the plural but for one: `1 run`, `3 runs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def some_of(names):
    """Names with commas between, of many the first dozen and how many there are."""
    names = [str(name) for name in names]
    more = f", ... ({len(names)} in all)" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more


def amount(size):
    """A number of bytes for a person, with three digits: `3.25 MiB`."""
    units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
    while size >= 1000 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{size:.3g} {units[0]}" if size < 1000 else f"{size:,.0f} {units[0]}"
