"""Import of tables as text: CSV and TSV files, gzipped or not."""

import contextlib
import io
import re
from dataclasses import dataclass, field

import numpy as np

from strag.datasets.columns import (
    LABELS,
    MEND_TEXT,
    is_class_number,
    is_number,
    joined,
    label_column,
    listed,
    name_columns,
    narrow,
    notes_on_ids,
    notes_on_names,
)
from strag.datasets.imported import Form, Imported, one_of
from strag.datasets.rows import BROKEN_GZIP, blocks_of, cells_of, not_utf8, opened
from strag.errors import StragError, bad_usage

_SUFFIXES = {".csv": ",;\t", ".tsv": "\t", ".tab": "\t"}
_OTHERS = (".txt", ".data", ".dat", "")  # suffixes of files whose content decides whether they are tables
_CALLED = {",": "comma", ";": "semicolon", "\t": "tab"}
_MISSING = {"", "na", "n/a", "#n/a", "nan", "-nan", "null", "?"}
_TRUTH = {"true": 1.0, "false": 0.0}
_FEWEST = 5  # smallest number of columns for a header of numbers only


def suffix_of(path):
    """The suffix of a file in lower case; for a name that ends in .gz, the suffix before that."""
    name = path.name.lower().removesuffix(".gz")
    return f".{name.rpartition('.')[2]}" if "." in name.lstrip(".") else ""


def is_table(path):
    """Whether a file is a table by its suffix, or, for other suffixes, by its first lines."""
    if not path.is_file() or suffix_of(path) in _SUFFIXES:
        return path.is_file()
    if suffix_of(path) not in _OTHERS:
        return False
    try:
        with opened(path) as stream:
            head = stream.read(1 << 16).decode("utf-8-sig", "ignore")
    except (OSError, *BROKEN_GZIP):
        return False
    lines = [line for line in head.splitlines() if line.strip()][:2]
    if len(lines) < 2 or not all(c.isprintable() or c in "\t\r\n" for c in head):
        return False
    delimiters = _delimiters(lines[0], ",;\t")
    return len(delimiters) == 1 and len({len(cells_of(line, delimiters[0])) for line in lines}) == 1


def read_table(path, label=None):
    """The Imported of a table.

    x is [P, d], uint8 if all inputs are whole numbers from 0 to 255, else float64. Labels are the text of
    their cells. label : the column of the labels, by default the one called label, class, target or y;
    without a header, its number, counted from 1. Raises StragError, with line and column, for inputs that are
    missing, infinite or text.
    """
    try:
        with opened(path) as stream, io.TextIOWrapper(stream, "utf-8-sig", newline=None) as text:
            return _read_text(text, path, label)
    except BROKEN_GZIP as error:
        raise StragError(f"is a broken gzip file ({error})", "copy it again", path) from None
    except UnicodeDecodeError:
        raise not_utf8(path) from None


def _read_text(text, path, label):
    """The Imported of a table, from an open text file."""
    number, line = _first_line(text)
    delimiter = _delimiter(line, path)
    cells = cells_of(line, delimiter)
    trails = len(cells) > 2 and cells[-1] == ""
    layout = _layout(cells[:-1] if trails else cells, label)
    before, start = (number, "") if layout.header else (number - 1, line)
    width = len(layout.columns)
    return _imported(layout, blocks_of(text, before, start, delimiter, width, trails))


def _first_line(text):
    """Number and text of the first line that is not blank."""
    number = 0
    while line := text.readline():
        number += 1
        if "\0" in line:
            raise StragError("has the name of a table but is not text", "save it as CSV in UTF-8")
        if line.strip():
            return number, line
    raise StragError("is empty", "provide a table with a header")


def _delimiters(line, candidates):
    """The candidates that occur in a line outside quotes."""
    bare = re.sub(r'"[^"]*"', "", line)
    return [candidate for candidate in candidates if candidate in bare]


def _delimiter(line, path):
    """The delimiter of a table, by its suffix and first line; StragError if there is none or several."""
    candidates = _SUFFIXES.get(suffix_of(path), ",;\t")
    delimiters = _delimiters(line, candidates)
    if len(delimiters) == 1:
        return delimiters[0]
    if delimiters:
        called = " and ".join(f"a {_CALLED[delimiter]}" for delimiter in delimiters)
        problem = f"has {called} in its first line, so that its delimiter is ambiguous"
        raise StragError(problem, "quote cells that contain the other character, or save it as .tsv")
    *others, last = (_CALLED[candidate] for candidate in candidates)
    called = f"{', '.join(others)} or {last}" if others else last
    raise StragError(f"has no {called} in its first line", "provide a table of at least two columns")


@dataclass
class _Layout:
    """The columns of a table.

    columns : their names. header : whether the first line holds them. label, name : places of the columns of
    the labels and of the names of the examples, or None. inputs : places of the inputs. notes : lines.
    """

    columns: list
    header: bool
    label: int
    name: int | None
    inputs: list
    notes: list = field(default_factory=list)


def _layout(columns, wanted):
    """The _Layout by the cells of the first line. wanted : the column of the label that the user named."""
    header, notes = _is_header(columns, wanted), []
    if header and all(map(is_number, columns)):
        notes.append("the first line numbers the columns and is not an example")
    if not header:
        columns = _numbered(columns, wanted, notes)
    twice = [column for column in dict.fromkeys(columns) if columns.count(column) > 1]
    if twice:
        raise StragError(f"has two columns called {listed(twice[:1])}", "rename one of them")
    if "" in columns[1:]:
        problem = f"has no name for column {columns.index('', 1) + 1}"
        raise StragError(problem, "add its name to the first line")
    label = label_column(columns, wanted)
    ids = [name for name in name_columns(columns) if name != label] if header else []
    inputs = [column for column in columns if column != label and column not in ids]
    if not inputs:
        raise StragError(f"has no inputs, only the label '{label}'", "add a column for each input")
    if ids:
        notes += notes_on_names(ids)
    for column in inputs if header else ():
        if column.lower() in LABELS:
            notes.append(f"column '{column}' is an input, as the label is '{label}'")
    name = columns.index(ids[0]) if ids else None
    return _Layout(columns, header, columns.index(label), name, [columns.index(c) for c in inputs], notes)


def _is_header(cells, wanted):
    """Whether a first line holds the names of the columns. Raises StragError if that is ambiguous.

    Numbers are names if they count the columns, as in the files that pandas writes for an array.
    """
    numbers = [cell for cell in cells if is_number(cell)]
    if not numbers or any(cell.lower() in LABELS for cell in cells):
        return True
    if wanted in cells and not is_number(wanted):
        return True
    if len(numbers) < 2 or not all(cell.isascii() and cell.isdigit() for cell in numbers):
        return False
    first = int(numbers[0])
    if list(map(int, numbers)) != list(range(first, first + len(numbers))):
        return False
    if len(cells) == len(numbers) < _FEWEST:
        problem = f"begins with {', '.join(cells)}, which may be a header or an example"
        raise StragError(problem, "add a first line with the names of the columns")
    return True


def _numbered(cells, wanted, notes):
    """The columns of a table without a header, counted from 1."""
    if wanted is None:
        problem = "is CSV without a header, as its first line holds numbers"
        remedy = "add a header, or use `label_column` with the number of the label's column, from 1"
        raise StragError(problem, remedy)
    columns = [str(place) for place in range(1, len(cells) + 1)]
    if wanted not in columns:
        problem = f"has no header and so no column '{wanted}'"
        raise bad_usage(problem, f"use `label_column` with a number from 1 to {len(cells)}")
    notes.append(f"has no header; the first line is an example, and column {wanted} is the label")
    return columns


def _imported(layout, blocks):
    """The Imported of the Blocks of a table."""
    parts, labels, names, truth = [], _Labels(layout), [], set()
    for block in blocks:
        parts.append(narrow(_inputs(layout, block, truth)))
        labels.take(block)
        names += block.column(layout.name) if layout.name is not None else []
    if not parts:
        raise StragError("has a header but no examples", "add one line per example")
    if truth:
        columns = [layout.columns[place] for place in sorted(truth)]
        layout.notes.append(f"True is 1 and False is 0 in {listed(columns)}")
    names = names if layout.name is not None else None
    columns = tuple(layout.columns[place] for place in layout.inputs) if layout.header else None
    x = joined(parts)
    notes = layout.notes + notes_on_ids(columns or (), x)
    return Imported(x, labels.array(), names=names, columns=columns, notes=notes)


class _Labels:
    """The labels of a table, collected block by block as text."""

    def __init__(self, layout):
        self._layout, self._all, self._texts = layout, [], {}
        self._odd = None  # the first label that is not a class number, with its line

    def take(self, block):
        """Add the labels of a Block; StragError if one is missing."""
        for number, text in zip(block.numbers, block.column(self._layout.label), strict=True):
            if _is_missing(text):
                raise _fault(self._layout, text, self._layout.label, number)
            self._all.append(self._texts.setdefault(text, text))  # each text once in memory
            if self._odd is None and not is_class_number(text):
                self._odd = (text, number)

    def array(self):
        """All labels as text: [P]. Raises StragError if all are numbers, but not all are class numbers."""
        if self._odd and all(map(is_number, self._texts)):
            text, number = self._odd
            problem = f"column '{self._layout.columns[self._layout.label]}' holds {text} in line {number}"
            remedy = "use class numbers from 0, or class names"
            raise StragError(f"{problem}, which is not a class number", remedy)
        return np.array(self._all)


def _inputs(layout, block, truth):
    """The inputs of a block: float64 [rows, d], all finite.

    truth : set of places of columns that hold True and False, which is extended.
    """
    x = None
    if block.lines is not None:
        with contextlib.suppress(ValueError):
            x = np.loadtxt(
                block.lines, delimiter=block.delimiter, usecols=layout.inputs, comments=None, ndmin=2
            )
    if x is None:
        x = _one_by_one(layout, block, truth)
    broken = ~np.isfinite(x)
    if broken.any():
        row, place = np.argwhere(broken)[0]
        cell = block.column(layout.inputs[place])[row]
        raise _fault(layout, cell, layout.inputs[place], block.numbers[row])
    return x


def _one_by_one(layout, block, truth):
    """The inputs of a block, converted cell by cell; StragError for a cell that is not a number."""
    rows = block.cells()
    x = np.empty((len(rows), len(layout.inputs)))
    for at, row in enumerate(rows):
        for to, place in enumerate(layout.inputs):
            cell = row[place].strip()
            if is_number(cell):
                x[at, to] = float(cell)
            elif cell.lower() in _TRUTH:
                x[at, to] = _TRUTH[cell.lower()]
                truth.add(place)
            else:
                raise _fault(layout, cell, place, block.numbers[at], rows)
    return x


def _is_missing(cell):
    """Whether the text of a cell means a missing value."""
    return cell.lower() in _MISSING or cell == "None"


def _fault(layout, cell, place, number, rows=()):
    """The StragError for the cell of an input. rows : the rows around it, to see whether its column is text.

    cell : its text. place : its column. number : its line.
    """
    where = f"column '{layout.columns[place]}'"
    if _is_missing(cell):
        text = f" ({cell})" if cell else ""
        return StragError(f"{where} has no value in line {number}{text}", "fill it in or remove the row")
    if is_number(cell):
        return StragError(f"{where} is infinite in line {number} ({cell})", "correct it or remove the row")
    if re.fullmatch(r"[+-]?\d+,\d+", cell):
        return StragError(f"{where} holds '{cell}' in line {number}", "use a decimal point")
    if len(rows) > 1:
        texts = [column for column in layout.inputs if all(_is_text(row[column].strip()) for row in rows)]
        if place in texts:
            columns = listed([layout.columns[column] for column in texts])
            problem = f"holds text in {columns} ('{cell[:40]}' in line {number})"
            return StragError(problem, MEND_TEXT)
    problem = f"{where} holds the text '{cell[:40]}' in line {number}"
    return StragError(problem, "replace it by a number")


def _is_text(cell):
    """Whether a cell is neither a number nor True or False."""
    return not (is_number(cell) or cell.lower() in _TRUTH)


def _read(paths, reading):
    """The Imported of one table."""
    return read_table(one_of(paths, is_table), reading.label_column)


FORM = Form("a CSV table", lambda paths: any(map(is_table, paths)), _read, ("label_column",))
