"""Expressions of the report: arithmetic over keys, and how numbers are printed.

The language is described at the top of report.py.
"""

import re
from dataclasses import replace

from keys import STYLES, BadKeyError, Quantity, quantity_of

SPEC = re.compile(r"(\+?,?)(\.\d+)?([fdeg%]?)")
FUNCTIONS = {
    "max": lambda values: max(values, key=lambda quantity: quantity.value),
    "min": lambda values: min(values, key=lambda quantity: quantity.value),
    "sum": lambda values: replace(values[0], value=sum(q.value for q in values), has_interval=False),
    "mean": lambda values: replace(
        values[0], value=sum(q.value for q in values) / len(values), has_interval=False
    ),
    "count": lambda values: Quantity(len(values)),
}
OPERATIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?(?=\s+[-+*/]\s|\s*[);]|\s*$)")
_CALL = re.compile(r"(max|min|sum|mean|count|abs)\(")
_KEY = re.compile(r"(?:'[^']*'|\[[^\]]*\]|(?!\s+[-+*/]\s)[^;()'\[\]])+")
_OPERATOR = re.compile(r"\s+([-+*/])\s+")


def evaluate(text, results):
    """Return the list of Quantities of an expression of keys."""
    values, rest = _sum(text.strip(), results)
    if rest.strip():
        raise BadKeyError(f"cannot read '{rest.strip()}'")
    return values


def _sum(text, results):
    return _chain(text, results, "+-", lambda rest: _chain(rest, results, "*/", lambda r: _atom(r, results)))


def _chain(text, results, signs, part):
    """Read operands, each with `part`, between operators among `signs`; return the values and the rest."""
    values, text = part(text)
    while (operator := _OPERATOR.match(text)) and operator[1] in signs:
        right, text = part(text[operator.end() :])
        values = _combined(operator[1], values, right)
    return values, text


def _atom(text, results):
    text = text.lstrip()
    if number := _NUMBER.match(text):
        value = float(number[0]) if re.search(r"[.e]", number[0]) else int(number[0])
        return [Quantity(value, is_constant=True)], text[number.end() :]
    if text.startswith("("):
        return _closed(*_sum(text[1:], results))
    if call := _CALL.match(text):
        values, text = _sum(text[call.end() :], results)
        while text.lstrip().startswith(";"):
            more, text = _sum(text.lstrip()[1:], results)
            values = values + more
        values, text = _closed(values, text)
        if call[1] != "count":
            _check_numbers(values, call[1])
        if call[1] == "abs":
            return [replace(q, value=abs(q.value), has_interval=False) for q in values], text
        return [FUNCTIONS[call[1]](values)], text
    if not (key := _KEY.match(text)):
        raise BadKeyError(f"expected a key instead of '{text}'")
    return [quantity_of(node) for node in results.nodes(key[0].strip())], text[key.end() :]


def _closed(values, text):
    if not text.lstrip().startswith(")"):
        raise BadKeyError("a bracket is not closed")
    return values, text.lstrip()[1:]


def _check_numbers(values, user):
    if any(isinstance(quantity.value, (str, bool)) for quantity in values):
        raise BadKeyError(f"'{user}' needs numbers")


def _combined(sign, left, right):
    """Return the Quantities of an operation; intervals stay if one side is a constant."""
    count = max(len(left), len(right))
    if min(len(left), len(right)) not in (1, count):
        raise BadKeyError(f"{len(left)} values and {len(right)} values cannot be combined")
    _check_numbers([*left, *right], sign)
    pairs = zip(left * (count // len(left)), right * (count // len(right)), strict=True)
    try:
        return [_operated(OPERATIONS[sign], sign, a, b) for a, b in pairs]
    except ZeroDivisionError:
        raise BadKeyError("divides by zero") from None


def _operated(operation, sign, a, b):
    value = operation(a.value, b.value)
    if not (a.is_constant or b.is_constant):
        return Quantity(value, style=STYLES["ratio"] if sign == "/" else a.style)
    kept = b if a.is_constant else a
    ends = (None, None)
    if kept.low is not None and kept.high is not None:
        sides = [(a.value, end) if a.is_constant else (end, b.value) for end in (kept.low, kept.high)]
        ends = sorted(operation(*side) for side in sides)
    return Quantity(value, *ends, kept.has_interval, kept.style, is_constant=a.is_constant and b.is_constant)


def one(values, expression):
    """Return the only Quantity of a list. Raises BadKeyError if there are more."""
    if len(values) != 1:
        raise BadKeyError(f"'{expression}' has {len(values)} values; use max(), min(), 'range' or 'list'")
    return values[0]


def number(value, spec, style):
    """Return a number as text in a format, `style` if `spec` is empty. Zero has no minus."""
    if isinstance(value, int) and spec in ("", "+"):
        return format(value, spec + (",d" if abs(value) >= 10_000 else "d"))
    sign, digits, kind = SPEC.fullmatch(spec if spec.strip("+,") else spec + style).groups()
    if kind == "%":
        text = f"{100 * value:{sign}{digits or '.0'}f} %"
    elif kind == "d":
        text = f"{round(value):{sign}d}"
    else:
        text = f"{value:{sign}{digits or style[:-1]}{kind or 'f'}}"
    return text[1:] if re.fullmatch(r"[-+]0(\.0+)?( %)?", text) else text


def printed(expression, layout, results):
    """Return the text of an expression in a layout: a format of numbers and 'ci', 'range' or 'list'."""
    modes = [word for word in layout.split() if word in ("ci", "range", "list")]
    specs = [word for word in layout.split() if word not in modes]
    if len(specs) > 1 or len(modes) > 1 or not all(SPEC.fullmatch(spec) for spec in specs):
        raise BadKeyError(f"'{layout}' is not a format; use for instance .4f, %, ci, range or list")
    spec, mode = specs[0] if specs else "", modes[0] if modes else ""
    values = evaluate(expression, results)
    if spec or mode in ("ci", "range"):
        _check_numbers(values, layout)
    if mode == "range":
        low, high = FUNCTIONS["min"](values), FUNCTIONS["max"](values)
        return f"{_middle(low, spec)} to {_middle(high, spec)}"
    if mode == "list":
        *most, last = [_middle(quantity, spec) for quantity in values]
        return f"{', '.join(most)} and {last}" if most else last
    quantity = one(values, expression)
    return _middle(quantity, spec) + (_interval(quantity, spec, expression) if mode else "")


def _middle(quantity, spec):
    return (
        quantity.text
        if quantity.text is not None and not spec
        else number(quantity.value, spec, quantity.style)
    )


def _interval(quantity, spec, expression):
    if not quantity.has_interval:
        raise BadKeyError(f"'{expression}' has no interval")
    if quantity.low is None or quantity.high is None:
        return " (no interval)"
    low, high = (number(end, spec, quantity.style) for end in (quantity.low, quantity.high))
    return f" ({low} to {high})"
