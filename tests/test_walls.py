"""The walls of the house: which module may import, open and print what, read from the sources."""

import ast
import functools
import re
from pathlib import Path

import pytest

import strag
from strag.kinds import KINDS

ROOT = Path(strag.__file__).parent
MODULES = {
    ".".join(("strag", *path.relative_to(ROOT).with_suffix("").parts)): path.read_text()
    for path in sorted(ROOT.rglob("*.py"))
}
SCIENCE = ("strag.training", "strag.geometry", "strag.stragglers", "strag.recording")
SPEAKERS = ("strag.cli", "strag.console", "strag.commands")  # who may know a person
DISK = {
    *("open", "fdopen", "fromfile", "tofile", "memmap", "open_memmap", "loadtxt", "savetxt", "savez"),
    *("read_text", "read_bytes", "write_text", "write_bytes", "TemporaryFile", "NamedTemporaryFile"),
    *("safe_open", "load_file", "save_file", "np.load", "np.save", "torch.load", "torch.save"),
}
STATISTICS = {
    *("mean", "std", "median", "var", "average", "percentile", "quantile", "nanmean", "nanstd", "nanmedian"),
    *("mean_of", "Counter"),
}
DISK_MODULES = {"io", "pathlib", "shutil", "tempfile", "safetensors", "mmap", "gzip"}


@functools.cache
def imports(source):
    """Every module that a source imports, anywhere in it; of `from a import b` both a and a.b."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@functools.cache
def calls(source):
    """Every name that a source calls: of `a.b()` both b and a.b."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            text = ast.unparse(node.func)
            found |= {text, text.rpartition(".")[2]}
    return found


def inside(name, packages):
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def imported_from(source, packages):
    """The imports of a source that lie inside any of these packages."""
    return sorted(name for name in imports(source) if inside(name, packages))


def where(condition, packages=("strag",)):
    return [name for name, source in MODULES.items() if inside(name, packages) and condition(source)]


def test_the_house_is_whole():
    for package in ("commands", "files", "datasets", "logs", *(name.rpartition(".")[2] for name in SCIENCE)):
        assert f"strag.{package}.__init__" in MODULES
    assert len(MODULES) > 30


def test_the_science_opens_no_file():
    assert where(lambda source: calls(source) & DISK, SCIENCE) == []
    assert where(lambda source: imported_from(source, ("strag.files", *DISK_MODULES)), SCIENCE) == []


def test_the_science_knows_no_person():
    assert where(lambda source: calls(source) & {"print", "input", "exit"}, SCIENCE) == []
    wanted = (*SPEAKERS, "click", "rich", "tqdm", "sys", "logging")
    assert where(lambda source: imported_from(source, wanted), SCIENCE) == []


@functools.cache
def texts(source):
    """Every piece of text in a source, docstrings among them."""
    return [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]


def test_below_the_commands_parameters_are_named_and_never_options():
    def names_an_option(source):
        return any(isinstance(text, str) and re.search(r"--[a-z]", text) for text in texts(source))

    assert names_an_option('raise bad_usage(f"--{name} needs --batch-size")')
    below = (*SCIENCE, "strag.api", "strag.datasets", "strag.logs", "strag.parsing", "strag.values")
    assert where(names_an_option, below) == []


def undocumented(source):
    """The public functions, classes and methods of a source without a docstring, by their full names."""
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

    def below(node, prefix):
        for child in node.body:
            if isinstance(child, kinds) and not child.name.startswith("_"):
                name = f"{prefix}{child.name}"
                yield from [] if ast.get_docstring(child) else [name]
                if isinstance(child, ast.ClassDef):
                    yield from below(child, f"{name}.")

    return list(below(ast.parse(source), ""))


def test_every_public_name_has_a_docstring():
    assert undocumented("class A:\n    def f(self): pass\n    def _g(self): pass") == ["A", "A.f"]
    assert {name: names for name in MODULES if (names := undocumented(MODULES[name]))} == {}


def test_only_those_who_speak_know_click_rich_and_tqdm():
    who = where(lambda source: imported_from(source, ("click", "rich", "tqdm")))
    assert who
    assert [name for name in who if not inside(name, SPEAKERS)] == []


def test_no_command_imports_a_command():
    """They share their options, what they do with files, and how they deliver."""
    names = ("types", "paths", "options", "training_options", "inputs", "deliver")
    shared = tuple(f"strag.commands.{name}" for name in names)
    for name in where(lambda source: True, ("strag.commands",)):
        imported = imported_from(MODULES[name], ("strag.commands",))
        others = [one for one in imported if one != "strag.commands" and not inside(one, shared)]
        assert others == [], name
    assert not [name for name in MODULES if name.endswith("_job")]


def test_only_the_views_draw():
    """And the console, which prints their tables."""
    who = where(lambda source: imported_from(source, ("matplotlib", "plotext", "rich")))
    assert who
    assert [name for name in who if not inside(name, ("strag.views", "strag.console"))] == []


def test_nothing_but_the_group_and_the_commands_knows_the_commands():
    who = where(lambda source: imported_from(source, ("strag.commands",)))
    assert [name for name in who if not inside(name, ("strag.cli", "strag.commands"))] == []
    assert where(lambda source: imported_from(source, ("strag.cli",))) == ["strag.__main__"]


def test_only_the_console_prints_and_only_the_entry_exits():
    allowed = ("strag.cli", "strag.console", "strag.__main__")
    who = where(lambda source: calls(source) & {"print", "input", "sys.exit", "exit", "quit"})
    assert [name for name in who if not inside(name, allowed)] == []


def test_only_training_its_command_and_the_reader_of_checkpoints_know_torch():
    who = where(lambda source: imported_from(source, ("torch",)))
    allowed = ("strag.training", "strag.commands.train", "strag.files.checkpoints")
    assert who
    assert [name for name in who if not inside(name, allowed)] == []


@pytest.mark.parametrize(
    ("package", "may"),
    [
        ("strag.errors", []),
        ("strag.bits", []),
        ("strag.identity", []),
        ("strag.words", []),
        ("strag.values", ["errors", "words"]),
        ("strag.parsing", ["errors", "values", "words"]),
        ("strag.signals", []),
        ("strag.geometry", ["bits", "errors", "geometry"]),
        ("strag.stragglers", ["bits", "errors", "geometry", "identity", "stragglers", "words"]),
        ("strag.recording", ["bits", "errors", "geometry", "recording", "values", "words"]),
        (
            "strag.training",
            ["aside", "errors", "geometry", "training", "datasets", "parsing", "words", "values"],
        ),
        ("strag.datasets", ["errors", "datasets", "identity", "words", "values"]),
        ("strag.logs", ["datasets.npy", "errors", "logs", "recording", "words"]),
        ("strag.kinds", ["errors", "files.opening"]),
        (
            "strag.files",
            [
                *("bits", "errors", "identity", "words", "signals", "kinds", "files", "datasets", "geometry"),
                *("stragglers", "recording", "__version__"),
            ],
        ),
        (
            "strag.api",
            [
                "aside",
                "errors",
                "parsing",
                "values",
                "words",
                "bits",
                "kinds",
                "api",
                "files",
                "views",
                "training",
                "geometry",
                "stragglers",
                "recording",
                "logs",
                "datasets",
                "signals",
            ],
        ),
        (
            "strag.recorder",
            ["api", "datasets", "errors", "files", "kinds", "recording", "training", "values", "words"],
        ),
        ("strag.views", ["errors", "words", "views", "geometry", "stragglers", "datasets"]),
    ],
)
def test_dependencies_point_one_way(package, may):
    allowed = [f"strag.{name}" for name in may]
    for name, source in MODULES.items():
        if inside(name, (package,)):
            found = [one for one in imported_from(source, ("strag",)) if one != "strag"]
            assert [one for one in found if not inside(one, allowed)] == [], name


def test_no_statistic_is_taken_in_files():
    assert where(lambda source: calls(source) & STATISTICS, ("strag.stragglers",))
    assert where(lambda source: calls(source) & STATISTICS, ("strag.files",)) == []


def test_bits_are_packed_in_one_place():
    who = where(lambda source: calls(source) & {"packbits", "unpackbits"})
    assert who == ["strag.bits"]


def test_the_registry_imports_nothing_before_it_is_asked():
    top = [node for node in ast.parse(MODULES["strag.kinds"]).body if isinstance(node, ast.ImportFrom)]
    assert {node.module for node in top} == {"dataclasses", "importlib", "strag.errors"}


def test_what_the_registry_names_is_there():
    named = [module for kind in KINDS.values() for module in (kind.files, kind.views) if module]
    assert named
    assert set(named) <= MODULES.keys()
    assert where(lambda source: imported_from(source, ("strag.views",)), ("strag.files", "strag.kinds")) == []


def test_nothing_unpickles():
    """Except what the worker processes of a training receive from each other through their own pipes."""
    who = where(lambda source: imported_from(source, ("pickle", "dill", "joblib")))
    assert who == ["strag.api.workers"]
    assert where(lambda source: calls(source) & {"torch.load"}) == ["strag.files.checkpoints"]
    assert loads(MODULES["strag.files.checkpoints"]) == [True]


def loads(source):
    """The constant `weights_only` of every call of torch.load in a source; None where it has none."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            found.append(getattr(given.get("weights_only"), "value", None))
    return found


@pytest.mark.parametrize("options", ["", ", weights_only=False", ", weights_only=safe", ", **options"])
def test_the_watch_sees_a_load_that_may_run_code(options):
    assert loads(f"torch.load(path{options})") != [True]


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    from strag.files.streams import Output",
        "import strag.files.container as c",
        "from strag import files",
        "with open('f') as s: pass",
        "Path('f').read_text()",
        "a = np.load('f')",
        "torch.save(x, 'f')",
        "os.open('f', 0)",
        "from pathlib import Path",
    ],
)
def test_the_watch_sees_a_hand_on_the_disk(source):
    assert calls(source) & DISK or imported_from(source, ("strag.files", *DISK_MODULES))
