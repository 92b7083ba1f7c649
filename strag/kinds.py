"""The registry of the kinds of file: what makes each, what it holds, and where its parts live.

The parts of a kind are named by their modules, as text, so that whoever reads a file does not know who draws
it, and that this module imports neither. `read(opened)` in the module `files` of a kind makes the object of
that kind of an opened file; `views` draws it.
"""

from dataclasses import dataclass
from importlib import import_module

from strag.errors import StragError


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    name : as in the stamp. maker : the command that writes it. holds : what a file of this kind holds.
    files, views : modules that read it and that draw it, None where there is none. is_json : whether it is
    one JSON object rather than a container of tensors.
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
        """The module that draws this kind and puts it into words."""
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
        # A history whose networks left out sets of several kinds, which is drawn in another way.
        Kind("sweep", "strag train --without", "a sweep", views="strag.views.sweep"),
    )
}


def maker_of(name):
    """The command that makes a kind of file; `strag` for a kind that is not known."""
    return KINDS[name].maker if name in KINDS else "strag"


def remake(name):
    """What to do about a file of this kind that cannot be read."""
    return f"create it again with '{maker_of(name)}'"


def read(path, wanted=None, **options):
    """Read any strag file from a path, or from stdin for '-': the object of its kind.

    wanted : the kind that it must be, or several. options : of the reader of that kind, such as `tests` of a
    history. An object that reads its file part by part, such as that of weights, keeps the file open and is
    a context manager.

    Raises StragError for what cannot be read, or is of another kind.
    """
    from strag.files.opening import open_file

    return read_opened(open_file(path, wanted), **options)


def read_opened(opened, **options):
    """The object of its kind of what `strag.files.opening.open_file` opened, which is closed after it."""
    try:
        kind = KINDS.get(opened.kind)
        if kind is None or kind.files is None or kind.is_json != opened.is_json:
            problem = f"is of the kind '{opened.kind}', which this version of strag does not read"
            raise StragError(problem, "upgrade strag, or create it again")
        found = kind.of().read(opened, **options)
    except BaseException as error:
        opened.close()
        if isinstance(error, StragError):
            raise error.about(opened.name) from None
        raise
    if not hasattr(found, "__exit__"):
        opened.close()
    return found
