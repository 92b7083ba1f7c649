"""The types of options: each reads the text of a value and reports a wrong one at its option.

What cannot be checked without the data, such as whether a class exists, is checked by the library.
"""

import math

import click

from strag.parsing import read_number, read_object
from strag.values import LARGEST_FLOAT


class FiniteRange(click.FloatRange):
    """Finite numbers in a range that float32 can hold. A FloatRange alone lets NaN and infinity pass."""

    def convert(self, value, param, ctx):
        """The number: float."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number} is not a finite number", param, ctx)
        if abs(number) > LARGEST_FLOAT:
            self.fail(f"{number:g} is too large for float32", param, ctx)
        return number


class Sizes(click.ParamType):
    """Lengths of axes, such as 28x28: a tuple of `fewest` to `most` natural numbers."""

    name = "sizes"

    def __init__(self, fewest, most=None):
        self.fewest, self.most = fewest, most or fewest

    def convert(self, value, param, ctx):
        """The lengths: tuple of int."""
        if isinstance(value, tuple):
            return value
        parts = str(value).lower().split("x")
        fits = self.fewest <= len(parts) <= self.most and all(part.isdecimal() for part in parts)
        sizes = tuple(int(part) for part in parts) if fits and len(max(parts, key=len)) < 7 else (0,)
        if min(sizes) < 1:
            self.fail(f"'{value}' is not a size; write it like 28x28", param, ctx)
        return sizes


class Times(click.ParamType):
    """The time at which sets are taken: a Moment or, with `records`, a Logarithmic; see `strag sets --at`."""

    name = "when"

    def __init__(self, records=False):
        self.records = records

    def convert(self, value, param, ctx):
        """The Moment or Logarithmic."""
        if not isinstance(value, str):
            return value
        from strag.api.find_stragglers import moment
        from strag.api.sets import times
        from strag.errors import StragError

        if value.partition(":")[0] == "log" and not self.records:
            self.fail(f"'{value}' means sets at many records; use 'strag sets' for these", param, ctx)
        try:
            return times(value) if self.records else moment(value)
        except StragError as error:
            self.fail(f"cannot read '{value}'; {error.remedy}", param, ctx)


class State(click.ParamType):
    """A state of networks: an update, or one of some words, such as `inversion`."""

    name = "state"

    def __init__(self, *words):
        self.words = words

    def convert(self, value, param, ctx):
        """The text, if it can be read."""
        from strag.api.states import read_state
        from strag.errors import StragError

        try:
            read_state(value, self.name, self.words)
        except StragError as error:
            self.fail(f"cannot read '{value}'; {error.remedy}", param, ctx)
        return value


class Shares(click.ParamType):
    """Fractions above 0 and up to 1, such as 0.1,0.5,1: an increasing tuple."""

    name = "shares"

    def convert(self, value, param, ctx):
        """The fractions: tuple of float."""
        if not isinstance(value, str):
            return value
        try:
            shares = sorted({read_number(part.strip()) for part in value.split(",")})
        except ValueError:
            shares = [math.nan]
        if not all(0 < share <= 1 for share in shares):
            self.fail(
                f"cannot read '{value}'; use fractions above 0 and up to 1, such as 0.1,0.5,1", param, ctx
            )
        return tuple(shares)


class Names(click.ParamType):
    """One or more known names, separated by commas: a tuple in the order of the text.

    known : function that returns the known names; it is called when a value is parsed. what : what a name
        is called in messages.
    """

    name = "names"

    def __init__(self, known, what):
        self.known, self.what = known, what

    def convert(self, value, param, ctx):
        """The names: tuple of str."""
        if not isinstance(value, str):
            return value
        names, known = tuple(name.strip() for name in value.split(",")), self.known()
        for name in names:
            if name not in known:
                self.fail(f"no {self.what} '{name}'; use one or more of {', '.join(known)}", param, ctx)
        if len(set(names)) < len(names):
            self.fail(f"'{value}' has a {self.what} twice; use each once", param, ctx)
        return names


class Numbers(click.ParamType):
    """A text that is one number of at least 1, a list of numbers of at least 0, or a word.

    words : texts with a meaning of their own. several : whether it is a list such as 0,40. what : the kind
    of number, for messages.
    """

    name = "numbers"

    def __init__(self, *words, several=False, what="a number of updates"):
        self.words, self.several, self.what = words, several, what

    def convert(self, value, param, ctx):
        """The text, if it can be read."""
        if value not in self.words and not self._is_written(str(value)):
            self.fail(f"cannot read '{value}'; use {', or '.join((self.what, *self.words))}", param, ctx)
        return value

    def _is_written(self, text):
        parts = [part.strip() for part in text.split(",")] if self.several else [text]
        natural = all(part.isascii() and part.isdecimal() and len(part) < 19 for part in parts)
        return natural and (self.several or int(text) > 0)


class LayerName(click.ParamType):
    """A layer by its number or its name, or `all` if the command allows it.

    Whether "1" is a number or the name of a module is known when the file is read.
    """

    name = "layer"

    def __init__(self, all_layers=False):
        self.all_layers = all_layers

    def convert(self, value, param, ctx):
        """The text, which the library compares with the layers of the file."""
        if value == "all" and not self.all_layers:
            self.fail("'all' is not a layer; use one layer", param, ctx)
        if not str(value).strip():
            self.fail("a layer without a name; use its number or name", param, ctx)
        return value


class LayerNames(click.ParamType):
    """Layers by number or name, separated by commas, or `all`.

    A name may hold dots, dashes and colons, such as `block.1.act:mean`, and may be a number. Which layers
    exist is known when the network is known.
    """

    name = "layers"

    def convert(self, value, param, ctx):
        """The text, if it can be read."""
        parts = [part.strip() for part in value.split(",")]
        if not all(parts) or ("all" in parts and len(parts) > 1):
            self.fail(
                f"cannot read '{value}'; use layers such as 1,2 or conv1,conv2:mean, or all", param, ctx
            )
        return value


class _Checked(click.ParamType):
    """A text that a function of the library checks as far as possible without the data."""

    def check(self, text):
        """Raise StragError if the text cannot be read."""
        raise NotImplementedError

    def convert(self, value, param, ctx):
        """The text, if it can be read."""
        from strag.errors import StragError

        try:
            self.check(value)
        except StragError as error:
            self.fail(str(error).replace("`", ""), param, ctx)  # click has named the option
        return value


class Observable(_Checked):
    """A curve of the history, such as `radius`, or that of one class, such as `radius:0`."""

    name = "observable"

    def check(self, text):
        """Raise StragError if no measure is called so."""
        from strag.geometry.measures import read_observable

        read_observable(text)


class Groups(_Checked):
    """How classes form groups: `parity`, `classes`, or groups such as `0-4/5-9`."""

    name = "groups"

    def check(self, text):
        """Raise StragError if the text is not of this form or does not make 2 to 4096 groups."""
        from strag.datasets.grouping import check_form

        check_form(text)


class Classes(_Checked):
    """A list of classes, such as `3,8` or `cat,dog`."""

    name = "classes"

    def check(self, text):
        """Raise StragError if the text is not a list."""
        from strag.datasets.grouping import check_list

        check_list(text)


class PartName(click.ParamType):
    """A part of a training: K/N, or auto/N or auto in a job of a scheduler."""

    name = "part"

    def convert(self, value, param, ctx):
        """The Part, and the variables that it was taken from or None."""
        if not isinstance(value, str):
            return value
        from strag.api.part import read_part
        from strag.errors import StragError

        try:
            return read_part(value)
        except StragError as error:
            self.fail(str(error).replace("`", ""), param, ctx)  # click has named the option


class JsonObject(click.ParamType):
    """A JSON object, such as {"width": 8}."""

    name = "json"

    def convert(self, value, param, ctx):
        """The text, if it can be read."""
        from strag.errors import StragError

        try:
            read_object(value)
        except StragError as error:
            self.fail(f"'{value}' {error}", param, ctx)
        except ValueError:
            self.fail(f"""'{value}' is not a JSON object; write it like '{{"width": 8}}'""", param, ctx)
        return value


class Workers(click.IntRange):
    """A number of processes, or `auto`."""

    name = "workers"

    def __init__(self):
        super().__init__(1, 4096)

    def convert(self, value, param, ctx):
        """The number, or `auto`."""
        return value if value == "auto" else super().convert(value, param, ctx)
