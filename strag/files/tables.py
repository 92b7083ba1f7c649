"""Tables of columns as CSV, JSON lines and npz: what strag writes for other programs.

A table is a dict of column name to values: a list, an array [P], or a text that holds for all rows. Unknown
values are NaN, None or masked; they are empty in CSV and null in JSON. In npz they are NaN, -1 or an empty
text. Numbers of type float32 are written as the shortest decimal number that float32 reads back.
"""

import csv
import io
import json
import math

import numpy as np

FORMATS = ("csv", "jsonl", "npz")
_AT_ONCE = 1 << 15  # rows
_UNKNOWN = {"i": -1, "U": ""}  # in npz, by the kind of the column


def write_table(output, table, form="csv"):
    """Write a table into an open Output without committing it. form : one of FORMATS."""
    with output.writing():
        {"csv": _write_csv, "jsonl": _write_jsonl, "npz": _write_npz}[form](output.file, table)
        output.file.flush()


def _write_csv(file, table):
    """Write a header and one line per row, as Python's csv module does, with line feeds."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(table)
    file.write(text.getvalue().encode())
    for columns in _chunks(table):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(zip(*columns, strict=True))
        file.write(text.getvalue().encode())


def _write_jsonl(file, table):
    """Write one JSON object per row."""
    encode = json.JSONEncoder(allow_nan=False).encode
    for columns in _chunks(table):
        rows = (encode(dict(zip(table, row, strict=True))) for row in zip(*columns, strict=True))
        file.write("".join(f"{row}\n" for row in rows).encode())


def _write_npz(file, table):
    """Write one array per column, without compression and without pickle."""
    arrays = {}
    for name, values in table.items():
        array = np.ma.asanyarray(values)
        arrays[name] = (
            array.filled(_UNKNOWN[array.dtype.kind]) if np.ma.is_masked(array) else np.asarray(array)
        )
    np.savez(file, **arrays)


def _chunks(table):
    """Yield the columns of some rows at a time, as lists of plain Python values."""
    rows = max((len(values) for values in table.values() if not isinstance(values, str)), default=0)
    for first in range(0, rows, _AT_ONCE):
        part = slice(first, min(first + _AT_ONCE, rows))
        yield [
            [values] * (part.stop - first) if isinstance(values, str) else _plain(values[part])
            for values in table.values()
        ]


def _plain(values):
    """The values of a column as a list of Python values, with None for unknown ones."""
    if isinstance(values, list):
        return values
    if values.dtype.kind != "f":
        return values.tolist()
    numbers = map(_Shortest(values.dtype.type).__getitem__, np.ma.getdata(values).tolist())
    return np.ma.array(list(numbers), dtype=object, mask=np.ma.getmaskarray(values)).tolist()


class _Shortest(dict):
    """The numbers of a type of numpy, by their float64, as the shortest decimals; None if not finite."""

    def __init__(self, kind):
        super().__init__()
        self._kind = kind

    def __missing__(self, number):
        self[number] = float(str(self._kind(number))) if math.isfinite(number) else None
        return self[number]
