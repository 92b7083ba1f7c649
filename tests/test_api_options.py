"""import strag: the help and the signature of a function list every option, with meaning and default."""

import inspect
import re
from dataclasses import dataclass, fields

import pytest

import strag
from strag.api.options import meanings, with_options_of
from strag.datasets.imported import Reading
from strag.datasets.transforms import Changes
from strag.training.architectures import ARCHITECTURES, DEFAULT, NAMED, option_names

OPTIONS = {
    "train": [*strag.Recipe.option_names(), *option_names()],
    "data": [option.name for kind in (Changes, Reading) for option in fields(kind)],
}
EVERY = sorted({(verb, name) for verb, names in OPTIONS.items() for name in names})


@pytest.mark.parametrize(("verb", "name"), EVERY)
def test_an_option_is_in_the_help_and_in_the_signature(verb, name):
    function = getattr(strag, verb)
    option = inspect.signature(function).parameters[name]
    entry = re.search(rf"^{name} : (.*\n(?:  .*\n)*)", inspect.getdoc(function), re.MULTILINE)
    assert option.kind is option.KEYWORD_ONLY
    meaning, _, default = " ".join(entry[1].split()).rpartition(" Default: ")
    assert default == f"{option.default!r}."
    assert len(meaning) > 10
    assert meaning.endswith(".")


@pytest.mark.parametrize("verb", OPTIONS)
def test_nothing_else_is_hidden(verb):
    parameters = inspect.signature(getattr(strag, verb)).parameters.values()
    assert not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    assert "options :" not in inspect.getdoc(getattr(strag, verb))
    assert max(map(len, inspect.getdoc(getattr(strag, verb)).splitlines())) < 110


def test_the_defaults_are_those_of_a_training():
    parameters = inspect.signature(strag.train).parameters
    assert (parameters["runs"].default, parameters["width"].default) == (10, 20)
    for model in NAMED:
        names = {*strag.Recipe.option_names(), *ARCHITECTURES[model].option_names()}
        given = {name: parameters[name].default for name in names}
        assert strag.Recipe.of(**{**given, "model": model}) == strag.Recipe.of(model=model)
    assert parameters["model"].default == DEFAULT


@pytest.mark.parametrize("kind", [strag.Recipe, *ARCHITECTURES.values(), Changes, Reading])
def test_a_class_states_the_meaning_of_every_field(kind):
    assert list(meanings(kind)) == [option.name for option in fields(kind)]


def test_without_docstrings_the_signature_remains():
    @dataclass
    class Kind:
        size: int = 3

    Kind.__doc__ = None

    def function(x, **options):
        return x, options

    documented = with_options_of(Kind)(function)
    assert str(inspect.signature(documented)) == "(x, *, size=3)"
    assert documented.__doc__ is None
