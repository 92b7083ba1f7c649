"""The common interface of all importers: their options, their result, and the forms of data they read."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field, fields

import numpy as np

from strag.errors import bad_usage
from strag.values import checked_fields, flag, optional, sizes, text, whole


@checked_fields(
    label_column=optional(text("the name of a column")),
    resize=optional(sizes(2)),
    background=optional(whole(0, 255)),
    skip_broken=flag,
)
@dataclass(frozen=True)
class Reading:
    """Options of reading. None and False mean that the option is not given.

    Parameters
    ----------
    label_column : the column of a table that holds the labels, or "fine" or "coarse" for CIFAR-100.
    resize : height and width to which all images are scaled.
    background : grey value, 0 to 255, behind transparent images.
    skip_broken : whether to leave out images that cannot be read.

    Raises StragError for other values.
    """

    label_column: str | None = None
    resize: tuple | None = None
    background: int | None = None
    skip_broken: bool = False

    @property
    def given(self):
        """Names of the options that are given."""
        values = {option.name: getattr(self, option.name) for option in fields(self)}
        return [name for name, value in values.items() if value is not None and value is not False]

    def words(self):
        """The given options as words of the command line: list of str.

        `resize` is not among them, because `strag.datasets.transforms.Changes` lists it.
        """
        words = []
        for name in self.given:
            if name != "resize":
                value = getattr(self, name)
                words += [f"--{name.replace('_', '-')}"] + (
                    [] if value is True else [shlex.quote(str(value))]
                )
        return words


@dataclass
class Imported:
    """Examples and labels as files hold them.

    x, x_test : numbers [P, ...] and [Q, ...]. y, y_test : labels in any form that
    `strag.datasets.labels.read_labels` reads. class_names : names of classes 0, 1, ..., or None if the files
    do not state them or labels are text. names : names of the P training examples, str or bytes, or None.
    columns : names of the d inputs if x is [P, d] and comes from a table, else None. notes : lines on
    everything that was left out or ambiguous. sources : dict of `x`, `y`, `x_test`, `y_test` to the file that
    errors are about, if there are several files.
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
    """A form of data that can be imported.

    what : its description in messages, after "is". knows : function of a list of Paths that returns whether
    they have this form; it does not read whole files. read : function of the paths and a Reading that returns
    the Imported. options : names of the options of Reading that this form uses.
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
    """The only path in a list. Raises StragError if there are several.

    is_table : function of a path that returns whether it is a table.
    """
    if len(paths) == 1:
        return paths[0]
    place = next(place for place, path in enumerate(paths) if is_table(path))
    table, other_paths = paths[place], paths[:place] + paths[place + 1 :]
    if table in other_paths:
        raise bad_usage("is given twice", "pass it once, because a table holds its labels", table)
    if all(map(is_table, paths)):
        remedy = f"pass one table, and use {shlex.quote(other_paths[0].name)} as the test set with `test`"
        raise bad_usage(f"is one of {len(paths)} tables", remedy, table)
    problem = f"is a table, which holds its labels, but {other_paths[0].name} is given as well"
    raise bad_usage(problem, "pass only the table, or pass arrays of examples and of labels", table)
