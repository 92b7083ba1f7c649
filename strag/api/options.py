"""The options that a function of the package accepts by name, in its help and its signature.

An option is a field of a dataclass, such as `strag.Recipe`. Its meaning is stated once: in the section
"Parameters" of the docstring of that class, in an entry `name : meaning`.
"""

import inspect
import re
import textwrap
from dataclasses import MISSING, fields

WIDTH = 106  # characters in a line of help
_ENTRY = re.compile(r"^(\w+) : (.*)")


def meanings(kind):
    """The meanings of the fields of a dataclass, from its docstring: dict of name to text in one line."""
    _, _, section = (inspect.getdoc(kind) or "").partition("Parameters\n----------\n")
    entries, name = {}, None
    for line in section.partition("\n\n")[0].splitlines():
        if entry := _ENTRY.match(line):
            name, text = entry.groups()
            entries[name] = text
        else:
            entries[name] += f" {line.strip()}"
    return entries


def with_options_of(*kinds, without=(), **further):
    """The decorator of a function that accepts the fields of dataclasses as options.

    It puts them into the signature of the function, and in its docstring in the place of the line that begins
    with `options :`, each with its meaning and its default.

    Parameters
    ----------
    kinds : dataclasses. without : names of fields that are not options.
    further : (default, meaning) of further options by their name.
    """
    options = {}
    for kind in kinds:
        texts = meanings(kind)
        for field in fields(kind):
            if field.name not in without and field.default is not MISSING and field.init:
                options.setdefault(field.name, (field.default, texts.get(field.name, "")))
    options |= further

    def decorate(function):
        signature = inspect.signature(function)
        own = [part for part in signature.parameters.values() if part.kind is not part.VAR_KEYWORD]
        named = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
            for name, (default, _) in options.items()
        ]
        function.__signature__ = signature.replace(parameters=[*own, *named])
        entries = "".join(_entry(name, *option) for name, option in options.items())
        place = r"^    options : .*\n(?:     .*\n)*"
        function.__doc__ = function.__doc__ and re.sub(place, lambda _: entries, function.__doc__, flags=re.M)
        return function

    return decorate


def _entry(name, default, meaning):
    """The lines of an option in a docstring."""
    text = f"{name} : {meaning} Default:\0{default!r}."  # not wrapped before the default
    lines = textwrap.fill(text, WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8)
    return lines.replace("\0", " ") + "\n"
