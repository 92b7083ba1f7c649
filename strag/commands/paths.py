"""The types of options and arguments that are names of files, which shells complete.

Some of them may also be a word, such as the name of a data set in the catalogue.
"""

import os
import re
import shlex

import click
from click.shell_completion import CompletionItem

# Copies, so that shell completion loads neither the catalogue nor torch.
MODELS = ("mlp", "cnn")
CATALOGUE = ("mnist8k", "mnist", "kmnist", "fashion-mnist", "cifar10")


class FilePath(click.ParamType):
    """The name of a file, or '-'. Shells complete it."""

    name = "file"

    def shell_complete(self, ctx, param, incomplete):
        """Ask the shell to complete the name of a file."""
        return [CompletionItem(incomplete, type="file")]


class DataPath(FilePath):
    """The name of a data set in the catalogue, which takes precedence, or of a file."""

    name = "data"

    def shell_complete(self, ctx, param, incomplete):
        """The names in the catalogue and the files that begin with `incomplete`."""
        known = [name for name in CATALOGUE if name.startswith(incomplete)]
        if not known:
            return super().shell_complete(ctx, param, incomplete)
        # A shell that receives words neither looks for files nor quotes the words.
        files = [name for name in _entries_here() if name.startswith(incomplete) and name not in known]
        if any(shlex.quote(name) != name for name in files):
            return super().shell_complete(ctx, param, incomplete)
        return [CompletionItem(name) for name in (*known, *files)]


class WeightsPath(FilePath):
    """The name of a weights file or a checkpoint. Once one is given, the next word may be a data set, too."""

    def shell_complete(self, ctx, param, incomplete):
        """Ask the shell to complete a file; after the first file, list the names in the catalogue as well."""
        return (DataPath() if ctx.params.get("data") else FilePath()).shell_complete(ctx, param, incomplete)


def _entries_here():
    """The names in the working folder: those of folders with a slash, without hidden ones."""
    try:
        with os.scandir() as entries:
            names = [f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries]
    except OSError:
        return []
    return sorted(name for name in names if not name.startswith("."))


class ModelName(FilePath):
    """One of some names of models, or FILE.py:FACTORY. The file is read by the library, once it is needed."""

    name = "model"

    def __init__(self, *names):
        self.names = names

    def convert(self, value, param, ctx):
        """The text, if it can be read."""
        if value not in self.names and not re.fullmatch(r".+\.py:[^\W\d]\w*", str(value)):
            known = f"{', '.join(self.names)} or FILE.py:FACTORY" if self.names else "FILE.py:FACTORY"
            self.fail(f"no model '{value}'; use {known}", param, ctx)
        return value
