"""Write README.md from report.md, the template, and the numbers in results/*.json.

    python report.py                              writes README.md, or lists what is wrong in report.md
    python report.py 'c1-effects/mnist/depth:ci'  prints one value; of an object or a list, what is in it

`make report` collects the results and pictures first. Only the standard library is needed.

A number in the template is a key in braces: {KEY}, {KEY:FORMAT}, or {KEY:FORMAT ? DEFAULT}. '{{' and '}}' are
braces. A line that is one comment, '<!-- ... -->', is a note to the author and is left out.

KEY: names joined by '/', the first of which is the file (results/NAME.json without .json)
  c1-effects/mnist/train_error      in a summary, conditions go by their labels; a quantity is its mean
  c1-effects/mnist/train_error/low  or one end of its interval, or seed_std, or block_std
  c1-effects/mnist/inverts          10 of 10; as :% the share of runs that invert
  c1-effects/mnist/outcome          7 of 10 (3 open): with what the other runs do
  c1-effects/mnist/verdicts/open    the number of runs with a verdict, 0 if there are none
  c3-effects/lr 0.4/differences/train_error       the difference from the reference, with its interval
  c2-mnist/kappa/reference/relu     in a comparison, rows and columns go by the names of the sets
  c5-agreement/records/-1/kappa     lists also go by number
  c4-effects/[control=hard, dose=0.5]/depth       members or settings, with = != < > <= >=; null, true, false
  c5-agreement/records[max kappa]/train_error     where kappa is largest; also min, max abs and min abs
  c5-agreement/records[near train_error 0.08]/z   nearest to a number, or to a key
  c3-effects/[max train_error]/label              which condition has the largest
  c6-mnist.effects/update 41/last_test_error@0.5  at a noise level; @0 is the same as none
  A name in quotes, as in 'a/b', may hold / [ ] ( ) ; and :.
Several values: 'a or b' names two members or files, '*' those that match, and brackets those that fit. They
are for max(), min(), sum(), mean(), count() and abs(), and for the formats range and list:
  max(c2-effects/mnist* or fashion*/train_error)   c3-effects/*[runs>10]/depth   max(KEY; KEY)
Arithmetic: + - * / with blanks around, and parentheses. An interval stays if the other side is a constant.
  {c1-effects/mnist/depth / c1-effects/fashion/depth:.1}   {1000 * c4-effects/own set/excess_error:ci}

Short names: the line '<!-- $all = c2-mnist or c2-kmnist -->' lets keys say $all/kappa/reference/relu.

FORMAT: digits (.2 means .2f) or Python's, such as .2e, +.4f or d; % and .1% are percentages. Without one, a
quantity has its usual digits (STYLES in keys.py). One of these words may stand before or after it:
  ci     0.0917 (0.0905 to 0.0930), for everything that has an interval
  range  0.0345 to 0.2617, of several values
  list   0.1, 0.2 and 0.3, of several values
DEFAULT: the text if the value is null. Without one, null is an error. An unknown name always is.

A table is a block. The file after 'table' goes before the key of each row. The first row has the headers, the
second the keys of the columns below that of the row. Where there is no value, the cell is '-'.
  ```table c1-effects
  | data | inverting runs | training error at t* [95 % interval] |
  | | outcome | train_error:ci |
  | MNIST | mnist |
  | Fashion-MNIST | fashion |
  ```
The key of a column may also use the cells of a row, after its name, as $1 (with the file), $2, ...:
  ```table
  | data | noise | without stragglers | the same minus all examples |
  | | $2 | $1/update 41/last_test_error@$2:ci | $1/update 41/last_test_error@$2 - $3 |
  | MNIST | c6-mnist.effects | 0.5 | c6-mnist.effects/update 41/reference_test_error@0.5 |
  ```
A row of one cell is a heading. Any other Markdown table may have keys in braces in its cells.
"""

import argparse
import re
import sys
import textwrap
from pathlib import Path

from expressions import printed
from keys import BadKeyError, NoValueError, Results, quantity_of

HERE = Path(__file__).resolve().parent
TEMPLATE = HERE / "report.md"
MADE = (
    "<!-- Made by report.py from report.md and results/. Change the template, then run `make report`. -->\n"
)
NO_VALUE = "-"
WIDTH = 130

_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_LAYOUT = re.compile(r"((?:'[^']*'|\[[^\]]*\]|[^':\[])*):([^:]*)")
_NO_PROSE = re.compile(r"\s|[|#>!<]|```|[-*+] |\d+[.)] ")  # at the start of a line
_SHORT_NAME = re.compile(r"^<!-- \$([a-z]\w*) = (.+) -->$", re.MULTILINE)
_PICTURE = re.compile(r"\]\(pictures/([^)\s]+)\)")


class Report:
    """The text made of a template, the problems in it, and the results and pictures that it does not use."""

    def __init__(self, template, folder):
        self.results, self.problems = Results(Path(folder) / "results"), []
        lines = enumerate(template.splitlines(), 1)
        self.short_names = dict(_SHORT_NAME.findall(template))
        lines = [(n, line) for n, line in lines if not re.fullmatch(r"<!--.*-->", line.strip())]
        filled = [self._filled(number, line) for number, line in self._with_tables(lines)]
        self.text = MADE + "\n\n".join(_wrapped(part) for part in _paragraphs(filled)) + "\n"
        self._look_at_pictures(lines, Path(folder) / "pictures")
        unused = [f"results/{name}.json" for name in self.results.names() if name not in self.results.used]
        self.unused = unused + self._unused_pictures

    def _filled(self, number, line):
        """Return a line with the values of its keys."""

        def value(match):
            if match[1] is None:
                return match[0][0]
            try:
                return value_of(self._in_full(match[1]), self.results)
            except BadKeyError as problem:
                self.problems.append(f"report.md:{number}: {match[0]}: {problem}")
                return match[0]

        return _BRACES.sub(value, line)

    def _in_full(self, key):
        """Return a key with the texts that its short names stand for."""
        for name in re.findall(r"\$([a-z]\w*)", key):
            if name not in self.short_names:
                raise BadKeyError(
                    f"${name} is not defined; write '<!-- ${name} = ... -->' on a line of its own"
                )
            key = key.replace(f"${name}", self.short_names[name])
        return key

    def _with_tables(self, lines):
        """Yield numbered lines, with Markdown tables, whose cells are keys, instead of blocks of tables."""
        lines = iter(lines)
        for number, line in lines:
            opening = re.fullmatch(r"```table\b(.*)", line.strip())
            if not opening:
                yield number, line
                continue
            block = []
            for inner, row in lines:
                if row.strip() == "```":
                    break
                block.append((inner, row))
            else:
                self.problems.append(f"report.md:{number}: the table has no end; close it with ```")
            yield from self._table(number, opening[1].strip(), block)

    def _table(self, number, file, block):
        """Yield the numbered lines of a Markdown table with keys."""
        rows = [(n, [cell.strip() for cell in row.strip().strip("|").split("|")]) for n, row in block]
        if len(rows) < 3:
            self.problems.append(
                f"report.md:{number}: a table needs a row of headers, one of keys, and others"
            )
            return
        (first, headers), (second, keys), *rows = rows
        yield first, _row(headers)
        yield first, "|" + "---|" * len(headers)
        if len(keys) != len(headers):
            self.problems.append(
                f"report.md:{second}: the table has {len(headers)} headers and {len(keys)} keys"
            )
            return
        for n, (name, *values) in rows:
            if values and file:
                values[0] = f"{file}/{values[0]}"
            cells = [_cell(key, values) for key in keys[1:]] if values else [""] * len(keys[1:])
            if missing := [cell for cell in cells if re.search(r"\$\d", cell)]:
                self.problems.append(f"report.md:{n}: the row has too few cells for {missing[0]}")
                cells = []
            yield n, _row([name, *cells])

    def _look_at_pictures(self, lines, folder):
        shown = [(number, name) for number, line in lines for name in _PICTURE.findall(line)]
        for number, name in shown:
            if not (folder / name).is_file():
                self.problems.append(f"report.md:{number}: there is no pictures/{name}")
        there = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        names = {name for _, name in shown}
        self._unused_pictures = [f"pictures/{name}" for name in there if name not in names]


def value_of(text, results):
    """Return the text of a key with its format and default. Raises BadKeyError."""
    text, has_default, default = text.partition(" ? ")
    layout = _LAYOUT.fullmatch(text)
    expression, layout = (layout[1], layout[2]) if layout else (text, "")
    try:
        return printed(expression, layout.strip(), results)
    except NoValueError:
        if has_default:
            return default.strip()
        raise


def _paragraphs(lines):
    """Return the texts between empty lines; blocks of code are not parted."""
    parts, is_code = [[]], False
    for line in lines:
        is_code ^= line.startswith("```")
        if line.strip() or is_code:
            parts[-1].append(line.rstrip())
        else:
            parts.append([])
    return ["\n".join(part) for part in parts if part]


def _wrapped(text):
    """Return a paragraph of prose in lines of one length. Tables, lists, headings and code stay the same."""
    if any(_NO_PROSE.match(line) for line in text.splitlines()):
        return text
    again = textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    return text if any(_NO_PROSE.match(line) for line in again.splitlines()) else again


def _row(cells):
    return "| " + " | ".join(cells) + " |"


def _cell(key, values):
    """Return the cell of a table: `key` with the values of the row in it, in braces."""
    if re.fullmatch(r"\$[2-9]", key):  # text
        return re.sub(r"\$(\d)", lambda match: _argument(match, values), key)
    key = key if "$" in key else f"$1/{key}"
    key = re.sub(r"\$(\d)", lambda match: _argument(match, values), key)
    return f"{{{key}}}" if " ? " in key else f"{{{key} ? {NO_VALUE}}}"


def _argument(match, values):
    number = int(match[1])
    return values[number - 1] if 0 < number <= len(values) else match[0]


def look(key, results):
    """Print the value of a key, or what there is below it."""
    try:
        print(value_of(key, results))
        return
    except BadKeyError as problem:
        reason = problem
    try:
        nodes = results.nodes(key) if key else []
    except BadKeyError:
        raise SystemExit(f"report.py: {key}: {reason}") from None
    if not nodes:
        print("\n".join(results.names()))
    for node in nodes:
        print("/".join(node.path), *_below(node), sep="\n  ")


def _below(node):
    try:
        return [str(quantity_of(node).value)]
    except NoValueError:
        return ["null"]
    except BadKeyError:
        return node.members()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--folder", type=Path, default=HERE, help="where results/, pictures/ and README.md are"
    )
    parser.add_argument("keys", nargs="*", metavar="KEY", help="print these values instead; '' for the files")
    options = parser.parse_args()
    for key in options.keys:
        look(key, Results(options.folder / "results"))
    if options.keys:
        return
    report = Report(TEMPLATE.read_text(encoding="utf-8"), options.folder)
    for name in report.unused:
        print(f"report.py: {name} is not used", file=sys.stderr)
    if report.problems:
        raise SystemExit("\n".join(report.problems))
    (options.folder / "README.md").write_text(report.text, encoding="utf-8")


if __name__ == "__main__":
    main()
