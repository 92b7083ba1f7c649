"""Numbers and objects in the texts that a user writes, such as options."""

import json
import re

from strag.errors import bad_usage
from strag.values import LARGEST_UPDATE
from strag.words import as_text


def read_object(value):
    """The dict in the text of a JSON object.

    Raises ValueError for any other text, and StragError for an object with a key that stands twice in it.
    """

    def unique(pairs):
        names = [name for name, _ in pairs]
        repeated = next((name for name in names if names.count(name) > 1), None)
        if repeated is not None:
            raise bad_usage(f"has the key '{as_text(repeated)}' twice", "write each key once")
        return dict(pairs)

    found = json.loads(value, object_pairs_hook=unique)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def read_whole(text):
    """The whole number that a text of decimal digits holds: int. int() also reads blanks, signs and `1_0`.

    Raises ValueError for any other text.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST_UPDATE))):
        raise ValueError(f"not a whole number: {text!r}")
    return int(text)


def read_number(text):
    """The finite number in a decimal text such as `0.09` or `1e-3`: float. float() also reads more.

    Raises ValueError for any other text.
    """
    if not re.fullmatch(r"(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", text, re.ASCII | re.IGNORECASE):
        raise ValueError(f"not a number: {text!r}")
    return float(text)
