"""Names, counts, lists and layers as text for messages, tables and pictures."""

import textwrap
import unicodedata

MOST = 12  # largest number of names in one line
LONGEST = 200  # characters of the `repr` of a Brief object
_JOINERS = "\u200c\u200d"  # invisible characters that Persian words and emoji need
_BYTES = range(0xDC80, 0xDD00)  # code points by which Python keeps bytes that are not UTF-8
MEAN = ":mean"  # end of the name of a layer whose output is averaged over positions


class Brief:
    """An object whose `repr` is one short line: its class, and the text that its property `brief` returns."""

    def __repr__(self):
        text = as_text(f"{type(self).__name__}: {self.brief}")
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def reason_of(error):
    """Return the first sentence of another library's error, shortened to 80 characters at a space."""
    sentence = str(error).partition(". ")[0]
    return textwrap.shorten(sentence, 80, placeholder=" ...") or type(error).__name__


def as_text(name):
    """Return a name as one line of text that is safe in terminals, SVG files and tables.

    Unsafe characters are written as Python escapes, such as `\\xe9`. They are control characters, escape
    sequences, line ends, marks that change the direction of writing, and bytes that are not UTF-8. UTF-8 can
    encode the result.
    """
    name = str(name)
    return name if name.isprintable() else "".join(map(_shown, name))


def _shown(character):
    """Return a character as `as_text` writes it."""
    if character.isprintable() or character in _JOINERS:
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    if ord(character) in _BYTES:
        return f"\\x{ord(character) - 0xDC00:02x}"
    return repr(character)[1:-1]


def number_of(count, noun, plural=None):
    """Return a count with its noun, which is in the plural unless the count is 1: `1 run`, `3 runs`.

    plural : the plural of the noun, by default the noun with an s.
    """
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def clock(seconds):
    """Return a time as hours, minutes and seconds: `0:01:30`."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def some_of(names):
    """Return names separated by commas; of more than 12 names, the first 12 and the number of all."""
    names = [str(name) for name in names]
    more = f", ... ({len(names)} in all)" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more


def layer_called(name, layers):
    """Return the one of `layers` that a user calls `name`, a text or a number; None if there is none.

    A name like "1" is layer 1 of a perceptron, and the module "1" of another network.
    """
    same = [layer for layer in layers if str(layer) == str(name).strip()]
    return next((layer for layer in same if layer == name), same[0] if same else None)


def lacks_layer(name, layers, noun="layer"):
    """Return the problem of an unknown layer: `has no layer conv2, but it has conv2:mean`.

    Layers whose names differ from this one only by `:mean` are listed; a number is called `layer 1`. noun :
    what a layer is called.
    """
    near = [layer for layer in layers if _place(layer) == _place(name)]
    near = [layer if isinstance(layer, str) else f"layer {layer}" for layer in near]
    return f"has no {noun} {name}" + (f", but it has {' and '.join(near)}" if near else "")


def _place(layer):
    """Return the name of a layer without `:mean`."""
    return str(layer).strip().removesuffix(MEAN)


def layer_in_words(layer):
    """Return a layer as it is called in a caption: `layer 1`, or `layer conv2 (mean over positions)`."""
    if layer == 0:
        return "layer 0, the input"
    if str(layer).endswith(MEAN):
        return f"layer {_place(layer)} (mean over positions)"
    return f"layer {layer}"


def amount(size):
    """Return a number of bytes in a readable unit, with three digits: `3.25 MiB`."""
    units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
    while size >= 1000 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{size:.3g} {units[0]}" if size < 1000 else f"{size:,.0f} {units[0]}"
