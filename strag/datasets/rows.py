"""Rows of delimited text, a block of whole rows at a time, with the line that each of them begins in."""

import contextlib
import csv
import gzip
import io
import zlib
from dataclasses import dataclass

from strag.errors import StragError

BLOCK = 1 << 22  # characters read at a time
BROKEN_GZIP = (EOFError, zlib.error, gzip.BadGzipFile)
_QUOTED = 1 << 20  # characters that a quoted cell may go on for


@contextlib.contextmanager
def opened(path):
    """A file as a binary stream, unpacked if it is gzipped."""
    with open(path, "rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        yield gzip.GzipFile(fileobj=raw) if packed else raw


def cells_of(line, delimiter):
    """The cells of one line, without spaces around them."""
    row = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    return [cell.strip() for cell in row]


@dataclass
class Block:
    """Some rows of a table: the lines they begin in and their text or, where that has quotes, their cells."""

    numbers: list
    lines: list | None
    rows: list | None
    delimiter: str
    width: int

    def cells(self):
        """All cells, a list for each row."""
        return self.rows or [line.split(self.delimiter) for line in self.lines]

    def column(self, place):
        """The cells of one column, found from the nearer end of each line."""
        if self.rows is not None:
            return [row[place].strip() for row in self.rows]
        if place <= self.width // 2:
            return [line.split(self.delimiter, place + 1)[place].strip() for line in self.lines]
        back = self.width - place
        return [line.rsplit(self.delimiter, back)[-back].strip() for line in self.lines]

    def _count(self, row):
        return len(self.rows[row]) if self.lines is None else self.lines[row].count(self.delimiter) + 1

    def _shortened(self, row):
        """Take an empty last cell from a row; whether there was one."""
        if self.lines is None:
            return not self.rows[row].pop().strip()
        line, _, last = self.lines[row].rpartition(self.delimiter)
        self.lines[row] = line
        return not last.strip()

    def check_widths(self, trails):
        """Refuse rows with too few or too many cells; where it `trails`, one more may be empty."""
        for row, number in enumerate(self.numbers):
            count = self._count(row)
            if count == self.width or (trails and count == self.width + 1 and self._shortened(row)):
                continue
            problem = f"has {count} cells in line {number}, but {self.width} columns"
            raise StragError(problem, "mend the line, or quote cells that hold the delimiter")


def blocks_of(text, number, start, delimiter, width, trails=False):
    """The Blocks of a text stream, of which `number` lines are gone and `start` is read already.

    Blank lines are passed over. trails : whether rows may end in an empty cell more. Raises StragError for
    rows of another width, and for quotes that are not closed.
    """
    while part := start + text.read(BLOCK):
        part, start = part + text.readline(), ""
        if '"' in part:
            part = _until_closed(part, text, number)
            numbers, rows = _quoted(part, number, delimiter)
            block = Block(numbers, None, rows, delimiter, width)
        else:
            found = enumerate(part.split("\n"), number + 1)
            kept = [(at, line) for at, line in found if line.strip(" ")]
            block = Block([at for at, _ in kept], [line for _, line in kept], None, delimiter, width)
        block.check_widths(trails)
        if block.numbers:
            yield block
        number += part.count("\n")


def _until_closed(part, text, number):
    """A part and the lines after it until no quote is left open."""
    is_open, more, room = part.count('"') % 2, [], _QUOTED
    while is_open:
        line = text.readline()
        room -= len(line)
        if not line or room < 0:
            problem = f"has a quote that is never closed, after line {number}"
            raise StragError(problem, 'write a quote in a quoted cell as ""')
        more.append(line)
        is_open ^= line.count('"') % 2
    return "".join((part, *more))


def _quoted(part, number, delimiter):
    """Lines and cells of the rows in a part that has quotes."""
    stream = io.StringIO(part, newline="")
    reader = csv.reader(stream, delimiter=delimiter, skipinitialspace=True, strict=True)
    numbers, rows, last = [], [], 0
    try:
        for row in reader:
            if any(row) or len(row) > 1:
                numbers.append(number + last + 1)
                rows.append(row)
            last = reader.line_num
    except csv.Error as error:
        problem = f"cannot be read in line {number + last + 1} ({error})"
        raise StragError(problem, "mend its quotes") from None
    return numbers, rows
