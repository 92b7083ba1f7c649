"""Rows of delimited text, read in blocks of whole rows. Each row has the number of the line it begins in."""

import contextlib
import csv
import gzip
import io
import shlex
import zlib
from dataclasses import dataclass

from strag.errors import StragError
from strag.words import number_of

BLOCK = 1 << 22  # characters read at a time
BROKEN_GZIP = (EOFError, zlib.error, gzip.BadGzipFile)
_QUOTED = 1 << 20  # most characters of a quoted cell after the block in which the cell begins


@contextlib.contextmanager
def opened(path):
    """Open a file as a binary stream, which is decompressed if the file is gzipped."""
    with open(path, "rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        yield gzip.GzipFile(fileobj=raw) if packed else raw


def not_utf8(path):
    """The error for a file that is not UTF-8, with the command that converts it."""
    name = shlex.quote(str(path))
    with opened(path) as stream:
        if stream.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            return StragError("is UTF-16", f"convert it: iconv -f UTF-16 -t UTF-8 {name} > utf8.csv", path)
        stream.seek(0)
        for number, line in enumerate(stream, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                problem = f"is not UTF-8 in line {number} (byte {line[error.start]:#x})"
                remedy = f"if it is Latin-1, convert it: iconv -f LATIN1 -t UTF-8 {name} > utf8.csv"
                return StragError(problem, remedy, path)
    return StragError("is not UTF-8", "save it as UTF-8", path)


def cells_of(line, delimiter):
    """The cells of one line, without spaces around them."""
    row = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    return [cell.strip() for cell in row]


@dataclass
class Block:
    """Some rows of a table.

    numbers : the line that each row begins in, counted from 1. lines : the text of each row, or None if the
    block has quotes. rows : the cells of each row if it has quotes, else None. width : number of columns.
    """

    numbers: list
    lines: list | None
    rows: list | None
    delimiter: str
    width: int

    def cells(self):
        """The cells of every row: a list of lists of str."""
        return self.rows or [line.split(self.delimiter) for line in self.lines]

    def column(self, place):
        """The cells of one column. Lines are split from their nearer end, which is faster."""
        if self.rows is not None:
            return [row[place].strip() for row in self.rows]
        if place <= self.width // 2:
            return [line.split(self.delimiter, place + 1)[place].strip() for line in self.lines]
        back = self.width - place
        return [line.rsplit(self.delimiter, back)[-back].strip() for line in self.lines]

    def _count(self, row):
        """Number of cells of a row."""
        return len(self.rows[row]) if self.lines is None else self.lines[row].count(self.delimiter) + 1

    def _shortened(self, row):
        """Remove the last cell of a row. Returns whether it was empty."""
        if self.lines is None:
            return not self.rows[row].pop().strip()
        line, _, last = self.lines[row].rpartition(self.delimiter)
        self.lines[row] = line
        return not last.strip()

    def check_widths(self, trails):
        """Raise StragError for a row with too few or too many cells.

        trails : whether a row may have one more cell at its end, if that is empty.
        """
        for row, number in enumerate(self.numbers):
            count = self._count(row)
            if count == self.width or (trails and count == self.width + 1 and self._shortened(row)):
                continue
            cells, columns = number_of(count, "cell"), number_of(self.width, "column")
            problem = f"has {cells} in line {number}, but {columns}"
            raise StragError(problem, "correct the line, or quote cells that contain the delimiter")


def blocks_of(text, number, start, delimiter, width, trails=False):
    """Yield the Blocks of a text stream, without blank lines.

    number : lines of the text before `start`. start : text that was already read from the stream.
    trails : whether rows may have one more, empty, cell at their end. Raises StragError for rows without
    `width` cells, and for quotes that are not closed.
    """
    while part := start + text.read(BLOCK):
        part, start = part + text.readline(), ""
        if '"' in part:
            part = _until_closed(part, text, number)
            numbers, rows = _quoted(part, number, delimiter)
            block = Block(numbers, None, rows, delimiter, width)
        else:
            lines = enumerate(part.split("\n"), number + 1)
            kept = [(at, line) for at, line in lines if line.strip(" ")]
            block = Block([at for at, _ in kept], [line for _, line in kept], None, delimiter, width)
        block.check_widths(trails)
        if block.numbers:
            yield block
        number += part.count("\n")


def _until_closed(part, text, number):
    """A part of a text, extended by the lines after it until all quotes are closed."""
    is_open, more, room = part.count('"') % 2, [], _QUOTED
    while is_open:
        line = text.readline()
        room -= len(line)
        if not line or room < 0:
            problem = f"has a quote after line {number} that is never closed"
            raise StragError(problem, 'write a quote inside a quoted cell as ""')
        more.append(line)
        is_open ^= line.count('"') % 2
    return "".join((part, *more))


def _quoted(part, number, delimiter):
    """The number of the first line, and the cells, of every row in a part of a text that has quotes."""
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
        raise StragError(problem, "correct its quotes") from None
    return numbers, rows
