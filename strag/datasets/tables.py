"""Tables as text: CSV and TSV with a header, gzipped or not."""

import contextlib
import io
import re
import shlex
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
from strag.datasets.rows import BROKEN_GZIP, blocks_of, cells_of, opened
from strag.errors import StragError, bad_usage

_SUFFIXES = {".csv": ",;\t", ".tsv": "\t", ".tab": "\t"}
_OTHERS = (".txt", ".data", ".dat", "")  # suffixes that say nothing, so that the content decides
_CALLED = {",": "comma", ";": "semicolon", "\t": "tab"}
_MISSING = {"", "na", "n/a", "#n/a", "nan", "-nan", "null", "?"}
_TRUTH = {"true": 1.0, "false": 0.0}
_FEWEST = 5  # columns of a header that consists of numbers


def suffix_of(path):
    """The suffix of a file in small letters, that before .gz if it is gzipped."""
    name = path.name.lower().removesuffix(".gz")
    return f".{name.rpartition('.')[2]}" if "." in name.lstrip(".") else ""


def is_table(path):
    """Whether a file is called a table, or, where its name does not say, begins like one."""
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
    found = _delimiters(lines[0], ",;\t")
    return len(found) == 1 and len({len(cells_of(line, found[0])) for line in lines}) == 1


def read_table(path, label=None):
    """The Imported of a table with a header, whose labels are text as it stands there.

    label : the column of the labels, by default the one called label, class, target or y; where there is no
    header, its number counted from 1. x is [P, d], uint8 where all inputs are whole numbers from 0 to 255,
    else float64. Raises StragError for cells that are missing, infinite or text, naming line and column.
    """
    try:
        with opened(path) as stream, io.TextIOWrapper(stream, "utf-8-sig", newline=None) as text:
            return _read_text(text, path, label)
    except BROKEN_GZIP as error:
        raise StragError(f"is a broken gzip file ({error})", "copy it again", path) from None
    except UnicodeDecodeError:
        raise _no_text(path) from None


def _no_text(path):
    name = shlex.quote(str(path))
    with opened(path) as stream:
        if stream.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            return StragError("is UTF-16", f"convert it: iconv -f UTF-16 -t UTF-8 {name} > utf8.csv", path)
        stream.seek(0)
        for number, line in enumerate(stream, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                byte = line[error.start]
                remedy = f"if it is Latin-1: iconv -f LATIN1 -t UTF-8 {name} > utf8.csv"
                return StragError(f"is no UTF-8 in line {number} (byte {byte:#x})", remedy, path)
    return StragError("is no UTF-8", "save it as UTF-8", path)


def _read_text(text, path, label):
    number, line = _first_line(text)
    delimiter = _delimiter(line, path)
    cells = cells_of(line, delimiter)
    trails = len(cells) > 2 and cells[-1] == ""
    layout = _layout(cells[:-1] if trails else cells, label)
    gone, start = (number, "") if layout.header else (number - 1, line)
    width = len(layout.columns)
    return _imported(layout, blocks_of(text, gone, start, delimiter, width, trails))


def _first_line(text):
    """Number and text of the first line that is not blank."""
    number = 0
    while line := text.readline():
        number += 1
        if "\0" in line:
            raise StragError("is called a table but is no text", "save it as CSV in UTF-8")
        if line.strip():
            return number, line
    raise StragError("is empty", "give a table with a header")


def _delimiters(line, candidates):
    """Those of the candidates that stand in a line, outside quotes."""
    bare = re.sub(r'"[^"]*"', "", line)
    return [one for one in candidates if one in bare]


def _delimiter(line, path):
    candidates = _SUFFIXES.get(suffix_of(path), ",;\t")
    found = _delimiters(line, candidates)
    if len(found) == 1:
        return found[0]
    if found:
        called = " and ".join(f"a {_CALLED[one]}" for one in found)
        problem = f"has {called} in its first line, so that its columns cannot be told"
        raise StragError(problem, "quote what is no delimiter, or save it as .tsv")
    *others, last = (_CALLED[one] for one in candidates)
    called = f"{', '.join(others)} or {last}" if others else last
    raise StragError(f"has no {called} in its first line", "give a table of two columns at least")


@dataclass
class _Layout:
    """What the columns are: names of all, places of label, names (or None) and inputs; notes on them."""

    columns: list
    header: bool
    label: int
    name: int | None
    inputs: list
    notes: list = field(default_factory=list)


def _layout(columns, wanted):
    """The _Layout that the cells of a first line give."""
    header, notes = _is_header(columns, wanted), []
    if header and all(map(is_number, columns)):
        notes.append("the first line counts the columns and is no example")
    if not header:
        columns = _numbered(columns, wanted, notes)
    twice = [column for column in dict.fromkeys(columns) if columns.count(column) > 1]
    if twice:
        raise StragError(f"has {listed(twice[:1])} twice among its columns", "rename one of them")
    if "" in columns[1:]:
        problem = f"has no name for column {columns.index('', 1) + 1}"
        raise StragError(problem, "name it in the first line")
    label = label_column(columns, wanted)
    ids = [name for name in name_columns(columns) if name != label] if header else []
    inputs = [column for column in columns if column != label and column not in ids]
    if not inputs:
        raise StragError(f"has no inputs beside the label '{label}'", "give a column for each input")
    if ids:
        notes += notes_on_names(ids)
    for column in inputs if header else ():
        if column.lower() in LABELS:
            notes.append(f"column '{column}' is an input, as the label is '{label}'")
    name = columns.index(ids[0]) if ids else None
    return _Layout(columns, header, columns.index(label), name, [columns.index(c) for c in inputs], notes)


def _is_header(cells, wanted):
    """Whether a first line names the columns; what may be either is refused.

    Numbers are names where they count the columns, as pandas writes them for an array.
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
        raise StragError(problem, "name the columns in a first line")
    return True


def _numbered(cells, wanted, notes):
    """The columns of a table without a header, counted from 1."""
    if wanted is None:
        problem = "is a CSV file without a header, as its first line holds numbers"
        remedy = "name the columns there, or count to the label: --label-column 1 for the first column"
        raise StragError(problem, remedy)
    columns = [str(place) for place in range(1, len(cells) + 1)]
    if wanted not in columns:
        problem = f"is a CSV file without a header, which has no column '{wanted}'"
        raise bad_usage(problem, f"give --label-column a number from 1 to {len(cells)}")
    notes.append(f"has no header: the first line is an example, column {wanted} the label")
    return columns


def _imported(layout, blocks):
    """The Imported of a table whose first line is understood."""
    parts, labels, names, truth = [], _Labels(layout), [], set()
    for block in blocks:
        parts.append(narrow(_inputs(layout, block, truth)))
        labels.take(block)
        names += block.column(layout.name) if layout.name is not None else []
    if not parts:
        raise StragError("holds a header, but no examples", "give one line per example")
    if truth:
        columns = [layout.columns[place] for place in sorted(truth)]
        layout.notes.append(f"True is 1 and False is 0 in {listed(columns)}")
    names = names if layout.name is not None else None
    columns = tuple(layout.columns[place] for place in layout.inputs) if layout.header else None
    x = joined(parts)
    notes = layout.notes + notes_on_ids(columns or (), x)
    return Imported(x, labels.array(), names=names, columns=columns, notes=notes)


class _Labels:
    """Labels as they come, as text."""

    def __init__(self, layout):
        self._layout, self._all, self._texts = layout, [], {}
        self._odd = None  # the first that is no class number, with its line

    def take(self, block):
        for number, text in zip(block.numbers, block.column(self._layout.label), strict=True):
            if _is_missing(text):
                raise _fault(self._layout, text, self._layout.label, number)
            self._all.append(self._texts.setdefault(text, text))  # each text once in memory
            if self._odd is None and not is_class_number(text):
                self._odd = (text, number)

    def array(self):
        if self._odd and all(map(is_number, self._texts)):
            text, number = self._odd
            problem = f"column '{self._layout.columns[self._layout.label]}' holds {text} in line {number}"
            raise StragError(f"{problem}, which is no class", "give class numbers from 0, or class names")
        return np.array(self._all)


def _inputs(layout, block, truth):
    """The inputs of a block, float64 [rows, d]; `truth` gathers the places of columns of True and False."""
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
    return cell.lower() in _MISSING or cell == "None"


def _fault(layout, cell, place, number, rows=()):
    """What is wrong with a cell, and, with the `rows` around it, whether its column is text throughout."""
    where = f"column '{layout.columns[place]}'"
    if _is_missing(cell):
        said = f" ({cell})" if cell else ""
        return StragError(f"{where} has no value in line {number}{said}", "fill it in, or leave the row out")
    if is_number(cell):
        return StragError(f"{where} is infinite in line {number} ({cell})", "mend it, or leave the row out")
    if re.fullmatch(r"[+-]?\d+,\d+", cell):
        return StragError(f"{where} holds '{cell}' in line {number}", "write decimals with a point")
    if len(rows) > 1:
        texts = [one for one in layout.inputs if all(_is_text(row[one].strip()) for row in rows)]
        if place in texts:
            texts = listed([layout.columns[one] for one in texts])
            problem = f"holds text in {texts} ('{cell[:40]}' in line {number})"
            return StragError(problem, MEND_TEXT)
    return StragError(f"{where} holds the text '{cell[:40]}' in line {number}", "give a number there")


def _is_text(cell):
    return not (is_number(cell) or cell.lower() in _TRUTH)


def _read(paths, reading):
    return read_table(one_of(paths, is_table), reading.label_column)


FORM = Form("a CSV table", lambda paths: any(map(is_table, paths)), _read, ("label_column",))
