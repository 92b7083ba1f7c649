"""What an importer hands over, whatever the files were, and the options that importers read by."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field, fields

import numpy as np

from strag.errors import bad_usage


@dataclass(frozen=True)
class Reading:
    """How to read what is imported; None and False leave it to the files.

    label_column : the column of a table, or `fine` or `coarse` of CIFAR-100. resize : height and width that
    all images are scaled to. background : grey value, 0 to 255, of what transparent images are laid on.
    skip_broken : leave out images that cannot be read.
    """

    label_column: str | None = None
    resize: tuple | None = None
    background: int | None = None
    skip_broken: bool = False

    @property
    def given(self):
        """Names of the options that are given."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return [name for name, value in values.items() if value is not None and value is not False]

    def words(self):
        """The options as the command line has them: a list of words.

        Without `resize`, which every data set can be given afterwards and which then says so itself.
        """
        found = []
        for name in self.given:
            if name != "resize":
                value = getattr(self, name)
                found += [f"--{name.replace('_', '-')}"] + (
                    [] if value is True else [shlex.quote(str(value))]
                )
        return found


@dataclass
class Imported:
    """Examples and labels as files hold them.

    x, x_test : numbers [P, ...] and [Q, ...]. y, y_test : labels in any form that
    `strag.datasets.labels.read_labels` takes. class_names : of classes 0, 1, ..., where the files name them;
    not with labels that are text. names : of the P training examples, str or bytes, or None.
    columns : what the d inputs are called, where x is [P, d] and they are the columns of a table.
    notes : one line each on what was left out, or understood in one way of several.
    sources : dict of `x`, `y`, `x_test`, `y_test` to the file that errors are about, where there are several.
    """

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray | None = None
    y_test: np.ndarray | None = None
    class_names: tuple | None = None
    names: list | None = None
    columns: tuple | None = None
    notes: list = field(default_factory=list)
    sources: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Form:
    """A form in which people keep data.

    what : after "is", in messages. knows : whether paths (a list of Path, at least one) are of it, without
    reading them whole. read : (paths, Reading) -> Imported. options : names of what it heeds in Reading.
    """

    what: str
    knows: Callable
    read: Callable
    options: tuple = ()


def starts_with(path, magic):
    """Whether a path is a file that begins with these bytes."""
    if not path.is_file():
        return False
    with open(path, "rb") as stream:
        return stream.read(len(magic)) == magic


def one_of(paths, is_table):
    """The only path; raises StragError for a table among several files."""
    if len(paths) == 1:
        return paths[0]
    at = next(at for at, path in enumerate(paths) if is_table(path))
    table, others = paths[at], paths[:at] + paths[at + 1 :]
    if table in others:
        raise bad_usage("is given twice", "give it once, as a table holds its labels", table)
    if all(map(is_table, paths)):
        remedy = f"give one, and the test set with --test {shlex.quote(others[0].name)}"
        raise bad_usage(f"is a table, of which {len(paths)} are given", remedy, table)
    problem = f"is a table, which holds its labels, and {others[0].name} is given beside it"
    raise bad_usage(problem, "give the table alone, or arrays of examples and of labels", table)
