"""The registry of the kinds of file: what makes and holds each, and where its parts live.

Parts are named, not imported, so that the modules of files and of views know nothing of each other.
"""

from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True)
class Kind:
    """A kind of file, or what a file of some kind may turn out to be.

    name : as in the stamp. maker : the command that writes it. holds : in words, with an article.
    view : module of its figure, tables and sentence; None for a kind without a picture.
    """

    name: str
    maker: str
    holds: str
    view: str | None = None

    def shown(self):
        """The module of its view."""
        return import_module(self.view)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("history", "strag train", "a history", "strag.views.history"),
        Kind("sweep", "strag train --without", "a sweep", "strag.views.sweep"),
        Kind("stragglers", "strag find-stragglers", "stragglers", "strag.views.stragglers"),
        Kind("stability", "strag stability", "the agreement of runs", "strag.views.stability"),
        Kind("comparison", "strag compare", "a comparison of sets", "strag.views.comparison"),
        Kind("summary", "strag summary", "a summary of experiments", "strag.views.summary"),
    )
}
