"""The registry of the kinds of file: the command that writes each, its content, and its modules.

Modules are named by text and imported on use, so that code that reads a file does not import the code that
draws it. The function `read(opened)` in the module `files` of a kind returns the object of that kind from an
opened file; the module `views` draws it.
"""

from dataclasses import dataclass
from importlib import import_module

from strag.errors import StragError


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    name : as in the stamp. maker : the command that writes it. holds : the content of such a file, in words.
    files, views : modules that read it and draw it, or None. is_json : whether it is one JSON object rather
    than a container of tensors.
    """

    name: str
    maker: str
    holds: str
    files: str | None = None
    views: str | None = None
    is_json: bool = False

    def of(self):
        """The module that reads and writes this kind."""
        return import_module(self.files)

    def view(self):
        """The module that draws this kind and describes it in words."""
        return import_module(self.views)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("dataset", "strag data", "a data set", "strag.files.dataset"),
        Kind("plan", "strag train --plan", "the cost of a training", "strag.files.plan", is_json=True),
        Kind("history", "strag train", "a history", "strag.files.history", "strag.views.history"),
        Kind("weights", "strag train --weights", "the weights of networks", "strag.files.weights"),
        Kind("activations", "strag dump", "the activations of networks", "strag.files.activations"),
        Kind("geometry", "strag geometry", "radii and distances", "strag.files.geometry", is_json=True),
        Kind(
            *("stragglers", "strag find-stragglers", "stragglers", "strag.files.stragglers"),
            views="strag.views.stragglers",
            is_json=True,
        ),
        Kind("sets", "strag sets", "sets of examples", "strag.files.sets"),
        Kind(
            *("stability", "strag stability", "the agreement of runs", "strag.files.stability"),
            views="strag.views.stability",
            is_json=True,
        ),
        Kind(
            *("comparison", "strag compare", "a comparison of sets", "strag.files.comparison"),
            views="strag.views.comparison",
            is_json=True,
        ),
        Kind(
            *("summary", "strag summary", "a summary of experiments", "strag.files.summary"),
            views="strag.views.summary",
            is_json=True,
        ),
        # A history whose networks left out sets of several kinds has a drawing of its own.
        Kind("sweep", "strag train --without", "a sweep", views="strag.views.sweep"),
    )
}


def maker_of(name):
    """The command that creates a kind of file; `strag` for an unknown kind."""
    return KINDS[name].maker if name in KINDS else "strag"


def remake(name):
    """The remedy for a file of this kind that cannot be read."""
    return f"create it again with '{maker_of(name)}'"


def read(path, wanted=None, **options):
    """Read any strag file from a path, or from stdin for '-', and return the object of its kind.

    wanted : the kind that it must be, or a tuple of several. options : options of the reader of that kind,
    such as `tests` of a history. An object that reads its file part by part, such as Weights, keeps the file
    open and is a context manager.

    Raises StragError for a file that cannot be read or is of another kind.
    """
    from strag.files.opening import open_file

    return read_opened(open_file(path, wanted), **options)


def read_opened(opened, **options):
    """Return the object in a file opened by `strag.files.opening.open_file`.

    The file is closed unless the object is a context manager, which closes it itself.
    """
    try:
        kind = KINDS.get(opened.kind)
        if kind is None or kind.files is None or kind.is_json != opened.is_json:
            problem = f"is of the kind '{opened.kind}', which this version of strag does not read"
            raise StragError(problem, "upgrade strag, or create it again")
        content = kind.of().read(opened, **options)
    except BaseException as error:
        opened.close()
        if isinstance(error, StragError):
            raise error.about(opened.name) from None
        raise
    if not hasattr(content, "__exit__"):
        opened.close()
    return content
