"""The registry of the kinds of file. It lists the command, the content and the modules of each kind.

Modules are given by name and imported when they are used, so that code that reads a file does not import the
code that draws it. The function `read(opened)` in the module `files` of a kind returns the object of that
kind in an opened file. The module `views` draws it.
"""

from dataclasses import dataclass
from importlib import import_module

from strag.errors import StragError


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    name : name of the kind in the stamp. maker : the command that writes it. holds : the content of such a
    file, in words. files, views : names of the modules that read and draw it, or None. is_json : whether the
    file is a JSON object and not a container of tensors.
    """

    name: str
    maker: str
    holds: str
    files: str | None = None
    views: str | None = None
    is_json: bool = False

    def of(self):
        """Return the module that reads and writes this kind."""
        return import_module(self.files)

    def view(self):
        """Return the module that draws this kind and describes it in words."""
        return import_module(self.views)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("dataset", "strag data", "a data set", "strag.files.dataset"),
        Kind("plan", "strag train --plan", "the cost of a training", "strag.files.plan", is_json=True),
        Kind("history", "strag train", "a history", "strag.files.history", "strag.views.history"),
        Kind(
            *("recording", "strag.Recorder", "one process's part of a recording", "strag.files.recording"),
        ),
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
            *("scores", "strag expansion", "scores of examples", "strag.files.scores"),
            views="strag.views.scores",
        ),
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
        Kind(
            *("linearity", "strag linearity", "the linearity of networks", "strag.files.linearity"),
            views="strag.views.linearity",
            is_json=True,
        ),
        # A history whose networks left out sets of several kinds is drawn differently.
        Kind("sweep", "strag train --without", "a sweep", views="strag.views.sweep"),
    )
}


def maker_of(name):
    """Return the command that creates a kind of file; `strag` for an unknown kind."""
    return KINDS[name].maker if name in KINDS else "strag"


def remake(name):
    """Return the remedy for a file of this kind that cannot be read."""
    return f"create it again with '{maker_of(name)}'"


def read(path, wanted=None, **options):
    """Read any strag file from a path, or from stdin for '-', and return the object of its kind.

    wanted : the kind that is accepted, a tuple of several, or None for any. options : options of the reader
    of that kind, such as `tests` for a history. An object that reads its file part by part, such as Weights,
    keeps the file open and is a context manager.

    Raises StragError for a file that cannot be read or is of another kind.
    """
    from strag.files.opening import open_file

    return read_opened(open_file(path, wanted), **options)


def read_opened(opened, **options):
    """Return the object in a file opened by `strag.files.opening.open_file`. options : as for `read`.

    The file is closed unless the object is a context manager, which closes the file itself. Raises StragError
    for a kind that cannot be read.
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
