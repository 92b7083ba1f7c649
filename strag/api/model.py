"""The networks of a user: a function in a Python file, which is the only code of a user that strag runs."""

import hashlib
import inspect
import os
import sys
import types

from strag.aside import printing_aside
from strag.errors import StragError, bad_usage
from strag.training.factory import Factory, in_words, is_network

_EXAMPLE = "pass FILE.py:FACTORY, such as net.py:make"


def model(value):
    """The model that a value stands for: a name, or a Factory.

    value : a name such as "mlp" or "cnn", a text FILE.py:FACTORY, a function or class, or a Factory. Of a
    function the recipe holds the source, but no values that it takes from elsewhere: these are `model_args`.

    Raises StragError for a file that cannot be read or run, if it has no such function, and for a function
    whose source is not known.
    """
    if isinstance(value, str) and ":" in value:
        return read_factory(value)
    return _of_function(value) if callable(value) else value


def read_factory(text):
    """Read FILE.py:FACTORY: the Factory of that name in the file, which is run."""
    path, _, name = text.rpartition(":")
    if not path.endswith(".py") or not name.isidentifier():
        raise bad_usage(f"cannot read `model` '{text}'", _EXAMPLE)
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        raise bad_usage(f"cannot be read: {error.strerror}", _EXAMPLE, path) from None
    function = getattr(_run(path, source), name, None)
    if not callable(function):
        problem = f"has no function {name}" if function is None else f"{name} is not a function"
        raise bad_usage(problem, "name a function that returns a network", path)
    digest = hashlib.sha256(source).hexdigest()
    return Factory(name, digest, function, path, (_again, (os.path.abspath(path), name, digest)))


def file_of(model):
    """The file of the text FILE.py:FACTORY or of a Factory from it, which is read: its path, else None."""
    if isinstance(model, Factory):
        return model.file
    return model.rpartition(":")[0] or None if isinstance(model, str) else None


def _run(path, source):
    """Run the source of a Python file as a module; files beside it can be imported.

    The working directory is as before afterwards, since relative names of outputs count from it.
    """
    name = os.path.splitext(os.path.basename(path))[0]
    module = types.ModuleType(name)
    module.__file__ = os.path.abspath(path)
    folder = os.path.dirname(module.__file__)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    here = os.getcwd()
    sys.modules.setdefault(name, module)  # for pickle, and for dataclasses with annotations as text
    try:
        with printing_aside():
            exec(compile(source, path, "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        raise StragError(f"raises {in_words(error, path)}", "correct it", path) from None
    finally:
        os.chdir(here)
    return module


def _again(path, name, digest):
    """The same Factory in another process. Raises StragError if the file has changed."""
    found = read_factory(f"{path}:{name}")
    if found.source != digest:
        raise StragError("has changed since the training began", "train again", path)
    return found


def _of_function(function):
    """The Factory of a function, such as one in a notebook; its source must be known."""
    if is_network(function):
        problem = f"`model` is a network, an object of type {type(function).__name__}"
        raise bad_usage(problem, "pass the function or the class that builds it")
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        name = getattr(function, "__name__", type(function).__name__)
        raise bad_usage(f"the source of `model` {name} is not known", _EXAMPLE) from None
    return Factory(function.__name__, hashlib.sha256(source.encode()).hexdigest(), function)
