"""import strag: a wrong argument is one error that names it, and destroys nothing."""

import inspect
import shutil
from pathlib import Path

import numpy as np
import pytest

import strag
from strag.api.data import CHANGING, READING
from strag.api.model import model
from strag.errors import StragError, StragWarning
from strag.files.dataset import write_dataset
from strag.training.perceptron import Perceptron
from tests.conftest import made_up
from tests.networks import EXAMPLES

VERBS = [name for name, place in strag._PLACES.items() if place.startswith("strag.api.")]
X = np.arange(24, dtype=np.uint8).reshape(6, 4)
Y = [0, 1] * 3


class Things:
    """A data set and what the verbs make of it, in files of a folder."""

    def __init__(self, folder):
        write_dataset(str(folder / "d"), made_up(P=300, Q=60, overlap=2.0), {})
        self.data = strag.read(str(folder / "d"))
        options = {"runs": 2, "epochs": 4, "width": 4}
        outputs = {"output": str(folder / "h"), "weights": str(folder / "w")}
        self.history = strag.train(self.data, **options, **outputs)
        self.finding = strag.find_stragglers(self.history, at=3)
        self.weights = strag.read(str(folder / "w"))
        strag.train(self.data, **options, weights=str(folder / "v"), weights_at="0,4")
        self.states = strag.read(str(folder / "v"))
        self.activations = strag.dump(self.weights, self.data)

    def call(self, verb, *more, **wrong):
        """Call a verb with arguments that are right, except those in `more` and in `wrong`."""
        places, right = {
            "data": ((), {} if "x" in wrong else {"x": X, "y": Y}),
            "read": ((), {"path": "h"}),
            "train": ((), {"data": self.data}),
            "merge": ((), {"files": ["h.1", "h.2"], "output": "h"}),
            "dump": ((), {"weights": self.weights, "data": self.data}),
            "linearity": ((), {"weights": self.weights, "data": self.data}),
            "expansion": ((), {"weights": self.states, "data": self.data, "from_": 0}),
            "measure": ((self.activations,), {}),
            "find_stragglers": ((), {"history": self.history, "at": 3}),
            "sets": ((), {"history": self.history, "at": 3}),
            "prune": ((), {"data": self.data, "stragglers": self.finding}),
            "stability": ((), {"history": self.history}),
            "compare": ((), {"stragglers": [self.finding, self.finding]}),
            "summarise": ((), {"stragglers": [self.finding]}),
            "history": ((), {"logs": "p.npz"}),
            "export": ((), {"thing": self.history, "stragglers": self.finding}),
            "plot": ((self.history,), {}),
            "Recipe": ((), {}),
        }[verb]
        return getattr(strag, verb)(*places, *more, **{**right, **wrong})

    def refusal(self, verb, *more, **wrong):
        """The text of the error for wrong arguments, which is in one line."""
        with pytest.raises(strag.StragError) as caught:
            self.call(verb, *more, **wrong)
        assert caught.value.status == 2
        text = str(caught.value)
        assert "\n" not in text
        return text

    @staticmethod
    def refusal_of_data(call):
        """The text of the error of a call with data that do not suit."""
        with pytest.raises(strag.StragError) as caught:
            call()
        return str(caught.value)


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    things = Things(tmp_path_factory.mktemp("arguments"))
    with things.weights, things.states:
        yield things


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """The working folder, which no wrong argument changes."""
    monkeypatch.chdir(tmp_path)
    yield
    assert list(tmp_path.iterdir()) == []


CHOOSE = "cannot use {} as `{}`; pass {}"
WRONG = [
    (
        "data",
        {"x": [[1, 2]], "y": [0]},
        "`x` must be an array, but it is of type list; pass numpy.asarray of it",
    ),
    ("data", {"x": (1, 2), "y": [0]}, "`x` must be an array, but it is of type tuple"),
    ("data", {"x": 5, "y": [0]}, "`x` must be an array, but it is of type int"),
    ("data", {"x": X}, "`x` is an array without labels; pass the labels of its examples as `y`"),
    ("data", {"y": 3}, "`y` must be an array, but it is of type int"),
    ("data", {"y": [[1], [1, 2]]}, "cannot read `y` as an array: "),
    (
        "data",
        {"y": np.ma.array(Y, mask=[1, 0, 0, 0, 0, 0])},
        "`y` has masked entries; fill them in, or remove",
    ),
    ("data", {"x": np.ma.array(X, mask=X < 1), "y": Y}, "`x` has masked entries"),
    ("data", {"x_test": X}, "`x_test` needs `y_test`; pass both, or neither"),
    ("data", {"y_test": Y}, "`y_test` needs `x_test`"),
    ("data", {"x": "mnist8k", "y": Y}, "`y` needs an array `x`, but `x` is the text 'mnist8k'; remove `y`"),
    (
        "data",
        {"x": "mnist8k", "label_column": "z"},
        "mnist8k: is a data set of the catalogue and does not use `la",
    ),
    (
        "data",
        {"label_column": "z"},
        "`x`: is an array and does not use `label_column`; remove `label_column`",
    ),
    ("data", {"output": ""}, "cannot use '' as `output`; pass the path of a file"),
    ("data", {"title": 5}, CHOOSE.format(5, "title", "a text")),
    ("data", {"size": "3"}, CHOOSE.format("'3'", "size", "a whole number from 1 on")),
    ("data", {"size": 7}, "`size` 7 is not possible with 6 examples; use a size from 1 to 6"),
    ("data", {"block": 2}, "`block` needs `size`"),
    ("data", {"seed": 1}, "`seed` needs `hold_out` or `flip_labels`"),
    ("data", {"gray": 1}, CHOOSE.format(1, "gray", "True or False")),
    ("data", {"shape": 4}, CHOOSE.format(4, "shape", "lengths, such as (28, 28)")),
    (
        "data",
        {"resize": (1, 2, 3)},
        CHOOSE.format("(1, 2, 3)", "resize", "height and width, such as (28, 28)"),
    ),
    ("data", {"hold_out": 1}, CHOOSE.format(1, "hold_out", "a number above 0 and below 1")),
    ("data", {"flip_labels": 2}, CHOOSE.format(2, "flip_labels", "a number above 0 and up to 1")),
    ("data", {"labels": "odd"}, "cannot read `labels` 'odd': no class 'odd'"),
    ("data", {"classes": "1/0"}, "cannot read `classes` '1/0'; use a list such as 3,8 or cat,dog"),
    ("data", {"classes": [0, 1]}, CHOOSE.format("[0, 1]", "classes", "classes such as '3,8' or 'cat,dog'")),
    ("data", {"lables": "classes"}, "strag.data has no parameter `lables`; use `labels`"),
    ("read", {"path": None}, CHOOSE.format(None, "path", "the path of a file")),
    ("read", {"path": "a\0b"}, "as `path`"),
    ("read", {"wanted": "hist"}, "cannot use 'hist' as `wanted`; pass dataset, plan, history"),
    (
        "train",
        {"data": "mnist8k"},
        "`data` must be a Dataset, but it is a str; strag.data or strag.read returns one",
    ),
    ("train", {"recipe": {"lr": 1}}, "cannot use an object of type dict as `recipe`; pass a strag.Recipe"),
    ("train", {"without": "s.json"}, "`without` must be a Finding or a StoredSets"),
    ("train", {"init": "w"}, "`init` must be a Weights"),
    ("train", {"output": 5}, CHOOSE.format(5, "output", "the path of a file")),
    (
        "train",
        {"weights_at": 1.5},
        CHOOSE.format(1.5, "weights_at", "updates such as '0,40', 'log' or 'last'"),
    ),
    ("train", {"device": "tpu"}, CHOOSE.format("'tpu'", "device", "auto, cpu, cuda or mps")),
    ("train", {"threads": 0}, CHOOSE.format(0, "threads", "a whole number from 1 to 4096")),
    ("train", {"memory": "1 GiB"}, CHOOSE.format("'1 GiB'", "memory", "a number above 0")),
    (
        "train",
        {"progress": lambda: None},
        "as `progress`; pass a function of the number of network-updates done",
    ),
    ("train", {"epoch": 3}, "strag.train has no parameter `epoch`; use `epochs`"),
    ("train", {"runs": 0}, CHOOSE.format(0, "runs", "a whole number from 1 to 2147483647")),
    ("train", {"part": 3}, CHOOSE.format(3, "part", "text such as '3/8', 'auto/8' or 'auto'")),
    ("train", {"part": "0/4"}, "there is no `part` 0 of 4; pass a number from 1 to 4"),
    ("train", {"part": "1/2"}, "cannot have 2 parts; pass `part` K/N with N at most 1"),
    ("train", {"resume": 1}, CHOOSE.format(1, "resume", "True or False")),
    ("train", {"resume": True}, "`resume` needs `output`; name the file of the history"),
    ("merge", {"files": []}, CHOOSE.format("[]", "files", "paths of the files to join")),
    ("merge", {"files": 3}, CHOOSE.format(3, "files", "paths of the files to join")),
    ("merge", {"output": None}, CHOOSE.format(None, "output", "the path of a file")),
    ("Recipe", {"runs": "3"}, "cannot use '3' as `runs`"),
    ("Recipe", {"runs": True}, "cannot use True as `runs`"),
    ("Recipe", {"runs": 10**5000}, "cannot use an object of type int as `runs`"),
    ("Recipe", {"seed": -1}, CHOOSE.format(-1, "seed", "a whole number from 0 on")),
    ("Recipe", {"lr": "x"}, CHOOSE.format("'x'", "lr", "a number above 0")),
    ("Recipe", {"lr": float("nan")}, "cannot use nan as `lr`"),
    ("Recipe", {"lr": 10**400}, "as `lr`"),
    ("Recipe", {"momentum": 1}, CHOOSE.format(1, "momentum", "a number from 0 to below 1")),
    (
        "Recipe",
        {"noise": 0.1},
        CHOOSE.format(0.1, "noise", "a tuple of numbers from 0 on, such as (0.0, 0.5)"),
    ),
    ("Recipe", {"noise": ("a",)}, CHOOSE.format("'a'", "noise", "a number from 0 on")),
    ("Recipe", {"layers": 5}, "cannot use 5 as `layers`: a network of depth 2 has no hidden layer 5"),
    ("Recipe", {"layers": "a,1"}, "cannot read `layers` 'a,1'; pass layers such as 1, or all"),
    ("Recipe", {"layers": 1.5}, CHOOSE.format(1.5, "layers", "layers such as (1, 2), or 'all'")),
    ("Recipe", {"record_every": "x"}, "cannot read `record_every` 'x'; pass a number of updates, or log"),
    ("Recipe", {"test_every": -1}, "cannot use -1 as `test_every`"),
    ("Recipe", {"optimiser": "adam"}, "Recipe has no parameter `optimiser`; use `optimizer`"),
    (
        "Recipe",
        {"depth": 3},
        "`depth`, which is an option of the architecture; use strag.Recipe.of(depth=...)",
    ),
    ("Recipe", {"model": "mlp"}, "use strag.Recipe.of(model=...)"),
    ("dump", {"weights": 3}, "`weights` must be a Weights, but it is an int; strag.read returns one"),
    (
        "linearity",
        {"data": "d"},
        "`data` must be a Dataset, but it is a str; strag.data or strag.read returns one",
    ),
    ("linearity", {"stragglers": 3}, "`stragglers` must be a Finding, but it is an int"),
    ("linearity", {"min_variance": -1}, CHOOSE.format(-1, "min_variance", "a number from 0 on")),
    ("linearity", {"device": "gpu"}, CHOOSE.format("'gpu'", "device", "auto, cpu, cuda or mps")),
    ("linearity", {"output": "-"}, "cannot use '-' as `output`; pass the path of a file"),
    ("dump", {"layers": {}}, "cannot use an object of type dict as `layers`"),
    ("dump", {"updates": 77}, "has no update 77; it has only update 4"),
    ("dump", {"runs": "a"}, "cannot read `runs` 'a'; pass numbers such as 0,40, or all"),
    ("dump", {"half": "yes"}, CHOOSE.format("'yes'", "half", "True or False")),
    (
        "measure",
        {"activation": 1},
        "strag.measure has no parameter `activation`; its parameters are labels, measures",
    ),
    ("find_stragglers", {"history": "h"}, "`history` must be a History, but it is a str"),
    ("find_stragglers", {"rule": "x"}, CHOOSE.format("'x'", "rule", "valley or first-increase")),
    ("find_stragglers", {"quorum": 1}, CHOOSE.format(1, "quorum", "a number from 0 to below 1")),
    ("find_stragglers", {"at": "soon"}, "cannot read `at` 'soon'; use inversion, an update, or error:X"),
    ("find_stragglers", {"at": -1}, "cannot use -1 as `at`"),
    ("find_stragglers", {"layer": 7}, "has no layer 7; it has only layer 1"),
    ("find_stragglers", {"observable": "size"}, "no `observable` 'size'; use radius"),
    ("find_stragglers", {"per_class": True}, "`at` contradicts `per_class`; remove `at`"),
    ("find_stragglers", {"output": "same", "csv": "same"}, "same: both `output` and `csv` would write it"),
    ("find_stragglers", {"quorom": 0.5}, "strag.find_stragglers has no parameter `quorom`; use `quorum`"),
    ("history", {"logs": []}, CHOOSE.format("[]", "logs", "the folders of data maps, or an npz file")),
    ("history", {"logs": 3}, CHOOSE.format(3, "logs", "the path of a file")),
    ("history", {"updates": "4,2"}, "cannot use '4,2' as `updates`; pass updates such as '0,40', which rise"),
    ("history", {"updates": 0.5}, CHOOSE.format(0.5, "updates", "updates such as '0,40'")),
    ("history", {"snapshot": 1}, CHOOSE.format(1, "snapshot", "True or False")),
    ("export", {"thing": "h"}, "`thing` must be a History or a Finding, but it is a str"),
    ("export", {"stragglers": "s"}, "`stragglers` must be a Finding, but it is a str"),
    ("export", {"format": "xls"}, CHOOSE.format("'xls'", "format", "csv, jsonl or npz")),
    ("export", {"datamaps": 1}, CHOOSE.format(1, "datamaps", "True or False")),
    ("export", {"datamaps": True}, "`stragglers` contradicts `datamaps`"),
    ("export", {"format": "csv", "output": "q.npz"}, "q.npz: has a name that contradicts `format` csv"),
    (
        "sets",
        {"controls": "class"},
        CHOOSE.format("'class'", "controls", "a tuple of random, class, hard"),
    ),
    ("sets", {"controls": ["x"]}, CHOOSE.format("'x'", "controls", "random, class or hard")),
    ("sets", {"dose": (2,)}, CHOOSE.format(2, "dose", "a number above 0 and up to 1")),
    ("sets", {"dose": 0.5}, "cannot use 0.5 as `dose`; pass a tuple of numbers above 0 and up to 1"),
    (
        "sets",
        {"at": "log:1"},
        "cannot read `at` 'log:1'; use inversion, an update, error:X with X from 0 to 1, log, or log:N for N",
    ),
    ("find_stragglers", {"at": " 1_0"}, "cannot read `at` ' 1_0'"),
    ("find_stragglers", {"observable": ""}, "no `observable` ''"),
    ("find_stragglers", {"rule": "valley"}, "`rule` has no effect, because `at` 3 does not look for"),
    ("find_stragglers", {"core": True, "quorum": 0.5}, "`quorum` contradicts `core`; remove `quorum`"),
    ("find_stragglers", {"at": "inversion", "per_class": True, "layer": "all"}, "`layer` all contradicts"),
    (
        "find_stragglers",
        {"at": "inversion", "rule": "first-increase", "min_misclassified": 9},
        "`min_misclassified` needs `rule` valley",
    ),
    ("sets", {"at": "inversion", "observable": ""}, "no `observable` ''"),
    ("sets", {"seed": 5}, "`seed` needs `controls`; remove `seed`"),
    ("sets", {"seed": 0}, "`seed` needs `controls`"),
    ("sets", {"quorum": 0.5}, "`quorum` needs `dose`"),
    ("sets", {"rule": "valley"}, "`rule` has no effect, because `at` 3 does not look for an inversion"),
    ("sets", {"at": "log", "min_misclassified": 3}, "has no effect, because `at` log does not look"),
    ("sets", {"observable": "distance"}, "`observable` has no effect, because `at` 3 does not look"),
    ("sets", {"layer": 1}, "`layer` has no effect"),
    ("expansion", {"from_": -1}, CHOOSE.format(-1, "from_", "a whole number from 0 on")),
    ("expansion", {"from_": "soon"}, "cannot read `from_` 'soon'; pass an update, or inversion"),
    ("expansion", {"from_": "last"}, "cannot read `from_` 'last'; pass an update, or inversion"),
    ("expansion", {"from_": (0, 4)}, CHOOSE.format((0, 4), "from_", "an update, or 'inversion'")),
    ("expansion", {"from_": 3}, "has no update 3; choose `from_` from 0, 4"),
    ("expansion", {"to": 3}, "has no update 3; choose `to` from 0, 4"),
    ("expansion", {"to": 0}, "`to` is not after `from_`: run 0 would be compared at update 0 with update 0"),
    ("expansion", {"from_": 4, "to": 0}, "run 0 would be compared at update 4 with update 0"),
    ("expansion", {"to": "soon"}, "cannot read `to` 'soon'; pass an update, or inversion or last"),
    ("expansion", {"from_": "inversion"}, "`from_` inversion needs `stragglers`; pass those of the training"),
    ("expansion", {"to": "inversion"}, "`to` inversion needs `stragglers`"),
    ("expansion", {"layer": 2}, "has no hidden layer 2; choose `layer` from 1"),
    ("expansion", {"layer": 0}, "has no hidden layer 0"),
    ("expansion", {"runs": 7}, "has no run 7; choose `runs` from 0, 1"),
    ("expansion", {"data": 3}, "`data` must be a Dataset, but it is an int"),
    ("prune", {"match": "class"}, "`match` needs `random`; remove `match`"),
    ("prune", {"keep": True, "allow_empty": True}, "`allow_empty` contradicts `keep`, which would leave"),
    ("train", {"weights_at": "0"}, "`weights_at` needs `weights`; remove `weights_at`"),
    ("train", {"weights_at": "last"}, "`weights_at` needs `weights`"),
    ("train", {"noise": (0.5,), "test_every": "never"}, "`noise` has no effect: `test_every` never measures"),
    ("train", {"depth": 1, "width": 7}, "`width` has no effect: `depth` 1 has no hidden layer; remove"),
    ("train", {"depth": 1, "activation": "relu"}, "`activation` has no effect: `depth` 1 has no hidden"),
    (
        "train",
        {"model": "cnn", "precision": "bfloat16"},
        "is trained in float32, not in `precision` bfloat16",
    ),
    ("train", {"precision": "bfloat16"}, "no hidden layer has 64 inputs, which `precision` bfloat16 is for"),
    *(
        (verb, {name: "-"}, f"cannot use '-' as `{name}`; pass the path of a file")
        for verb, name in (
            *(("train", "output"), ("train", "weights"), ("dump", "output"), ("measure", "output")),
            *(("prune", "output"), ("find_stragglers", "csv"), ("sets", "output"), ("stability", "output")),
        )
    ),
    *(
        (verb, {"output": place}, "as `output`; pass the path of a file, because the result is read")
        for verb in ("train", "dump", "measure")
        for place in ("/dev/null", "/dev/stdout")
    ),
    ("read", {"wanted": []}, "cannot use [] as `wanted`; pass dataset"),
    ("summarise", {"labels": ""}, CHOOSE.format("''", "labels", "a list of names")),
    ("summarise", {"labels": []}, "`labels` has 0 items for 1 object"),
    ("compare", {"labels": ["a", ""]}, CHOOSE.format("''", "labels", "a list of names")),
    ("plot", {"things": 3}, "strag.plot accepts `things` only by position; pass them without a name"),
    ("measure", {"activations": 3}, "strag.measure accepts `activations` only by position"),
    ("Recipe", {"record_every": 1.5}, CHOOSE.format(1.5, "record_every", "a number of updates or 'log'")),
    (
        "Recipe",
        {"test_every": 1.5},
        CHOOSE.format(1.5, "test_every", "a number of updates, 'log' or 'never'"),
    ),
    ("Recipe", {"record_every": " 1_0"}, "cannot read `record_every` ' 1_0'"),
    ("prune", {"stragglers": [1, 2]}, "`stragglers` must be a Finding, but it is a list"),
    ("prune", {"random": -1}, CHOOSE.format(-1, "random", "a whole number from 0 on")),
    ("prune", {"match": "group"}, CHOOSE.format("'group'", "match", "class")),
    ("stability", {"pairs": "x"}, CHOOSE.format("'x'", "pairs", "disjoint or all")),
    ("stability", {"min_misclassified": 0}, "cannot use 0 as `min_misclassified`"),
    ("compare", {"stragglers": 3}, "`stragglers` must be a Finding or a Dataset or a StoredSets, but it is"),
    ("compare", {"stragglers": []}, "at least two sets of stragglers; pass them as `stragglers`, a list"),
    ("compare", {"labels": ["a"]}, "`labels` has 1 item for 2 objects; pass one for each, in order"),
    ("compare", {"labels": "ab"}, "`labels` has 1 item for 2 objects; pass a list of names, one for each"),
    ("compare", {"labels": 5}, CHOOSE.format(5, "labels", "a list of names")),
    ("summarise", {"stragglers": []}, "at least one set of stragglers; pass it as `stragglers`"),
    ("summarise", {"labels": ["a", "b"]}, "`labels` has 2 items for 1 object"),
    ("plot", {"x": "foo"}, CHOOSE.format("'foo'", "x", "updates or error")),
    ("plot", {"curves": "radius"}, "cannot use 'radius' as `curves`; pass a tuple of radius, distance"),
    ("plot", {"number": 3}, "holds a history, but `number` is for stragglers; remove `number`"),
    ("plot", {"dpi": 5}, CHOOSE.format(5, "dpi", "a whole number from 20 to 600")),
    ("plot", {"output": "f.txt"}, "f.txt: does not say by its suffix which figure to write"),
    ("plot", {"colour": "red"}, "strag.plot has no parameter `colour`; its parameters are labels, data"),
]


@pytest.mark.parametrize(("verb", "wrong", "words"), WRONG)
def test_a_wrong_argument_is_named(things, verb, wrong, words):
    text = things.refusal(verb, **wrong)
    assert words in text
    assert any(f"`{name}`" in text for name in wrong) or wrong.get("output") == "f.txt"


@pytest.mark.parametrize(
    ("verb", "more", "words"),
    [
        ("measure", [3], "`activations` must be an Activations, but it is an int; strag.dump or strag.read"),
        ("plot", [3], "`things` holds an object of type int, which has no picture; plot a History"),
        (
            "stability",
            [1, 2, 3, 4, 5],
            "strag.stability accepts 4 arguments by position, but 5 are given; pass options by name",
        ),
        ("stability", [1], "strag.stability is given `history` twice; pass it once"),
    ],
)
def test_a_wrong_argument_by_position_is_named(things, verb, more, words):
    assert words in things.refusal(verb, *more)


@pytest.mark.parametrize("verb", ["train", "dump", "sets", "prune", "compare", "data", "read"])
def test_a_lacking_argument_is_named(verb):
    first = next(iter(inspect.signature(getattr(strag, verb)).parameters))
    with pytest.raises(strag.StragError, match=f"strag.{verb} needs `{first}`; pass it"):
        getattr(strag, verb)()
    for verb, words in (
        ("measure", "more Activations, by pos"),
        ("plot", "more Histories, or a Finding, by"),
    ):
        with pytest.raises(strag.StragError, match=words):
            getattr(strag, verb)()


def parameters(verb):
    """The names of the parameters of a verb, those of its options among them."""
    named = inspect.signature(getattr(strag, verb)).parameters
    plain = [name for name, one in named.items() if one.kind is not one.VAR_KEYWORD]
    options = {"data": [*READING, *CHANGING], "train": [*strag.Recipe.checks, *Perceptron.checks]}
    return list(dict.fromkeys([*plain, *options.get(verb, ())]))


@pytest.mark.parametrize(
    ("verb", "name"), [(verb, name) for verb in (*VERBS, "Recipe") for name in parameters(verb)]
)
@pytest.mark.parametrize("value", [object(), {1: 2}, np.zeros((2, 2)) + 1j], ids=["object", "dict", "array"])
def test_every_parameter_is_checked(things, verb, name, value):
    if isinstance(value, np.ndarray) and verb == "data" and name in ("x", "y", "x_test", "y_test"):
        return  # what an array holds is checked later
    if name in ("activations", "things"):
        assert f"`{name}`" in things.refusal(verb, value)
    else:
        assert f"`{name}`" in things.refusal(verb, **{name: value})


def test_layers_and_updates_have_several_forms(things):
    for layers in (1, (1,), [np.int32(1)], "1", "all"):
        assert strag.Recipe(layers=layers).layers == (1,)
    for updates in (4, "4", [4], np.array([4]), "all"):
        assert things.call("dump", updates=updates).updates.tolist() == [4]


def test_a_recipe_is_changed(things):
    recipe = strag.Recipe.of(runs=1, epochs=2, width=3)
    deep = recipe.changed(depth=4, layers="2")
    assert (deep.runs, deep.architecture.width, deep.layers) == (1, 3, (2,))
    assert recipe.changed(epochs=1) == strag.Recipe.of(runs=1, epochs=1, width=3)
    assert strag.train(things.data, recipe, depth=3, layers="all").layers == (1, 2)
    with pytest.raises(strag.StragError, match="`channels` is not an option of `model` mlp"):
        recipe.changed(channels=3)


def test_arrays_without_masked_entries_and_of_other_libraries_are_arrays():
    class Tensor:
        def __array__(self, *args, **options):
            return X

    plain = strag.data(X, Y)
    assert strag.data(np.ma.array(X), np.ma.array(Y)).identity == plain.identity
    assert strag.data(Tensor(), tuple(Y)).identity == plain.identity
    assert type(strag.data(np.ma.array(X), Y).x) is np.ndarray


def test_a_name_of_the_catalogue_is_not_a_file():
    words = r"mnist8k: is the name of a data set, not a file; use strag.data\('mnist8k'\)"
    with pytest.raises(strag.StragError, match=words):
        strag.read("mnist8k")


def test_a_data_set_is_changed_like_its_file(things):
    changed, read = (strag.data(x, size=100, shuffle=2) for x in (things.data, things.data.source))
    assert (changed.identity, changed.origin, changed.title) == (read.identity, read.origin, read.title)
    assert strag.data(things.data) == things.data
    with pytest.raises(strag.StragError, match="`y` needs an array `x`, but `x` is a Dataset"):
        strag.data(things.data, Y)
    with pytest.raises(strag.StragError, match="is a Dataset and does not use `label_column`"):
        strag.data(things.data, label_column="c")


def test_a_title_is_that_of_a_file_too(things):
    assert strag.data(things.data.source, title="mine").title == "mine"
    assert strag.data(things.data.source, title="mine").identity == things.data.identity


def test_arguments_without_effect_on_the_data_are_refused(things):
    taken = strag.sets(things.history, at=3)
    for wrong in ({"runs": 77}, {"first_run": 9}):
        words = f"contradict `{min(wrong)}`: "
        assert words in things.refusal("train", without=taken, epochs=4, width=4, **wrong)
    bare = strag.data(X, Y)
    for wrong in ({"noise": (0.5,)}, {"test_every": 5}):
        text = things.refusal("train", data=bare, **wrong)
        assert f"has no test set, which `{min(wrong)}` is for; remove `{min(wrong)}`" in text
    words = "`seed` has no effect: `init` sets the weights, and a full batch has no order"
    assert words in things.refusal("train", init=things.weights, runs=2, width=4, seed=3)


def test_a_whole_recipe_may_have_parts_that_a_training_does_not_use(things):
    recipe = strag.Recipe.of(runs=9, epochs=2, width=4, noise=(0.5, 0.0, 0.5))
    assert strag.train(strag.data(X, Y), recipe, depth=1, runs=1).layers == (0,)
    history = strag.train(things.data, recipe, without=strag.sets(things.history, at=3))
    assert len(history.runs) == 2
    with pytest.raises(strag.StragError, match="`width` has no effect"):
        recipe.changed(depth=1, width=7)


def test_the_noise_of_a_recipe_is_in_order():
    assert strag.Recipe(noise=(0.5, 0.0, 0.5)).noise == (0.0, 0.5)


def test_a_closed_file_is_one_error(things):
    with strag.read(things.weights.source) as weights:
        strag.dump(weights, things.data, output="a")
    with strag.read("a") as activations:
        pass
    Path("a").unlink()
    for read in (
        lambda: strag.dump(weights, things.data),
        lambda: strag.train(things.data, init=weights, runs=2, epochs=1, width=4),
        lambda: strag.measure(activations),
    ):
        with pytest.raises(strag.StragError, match="is closed; use it inside its 'with' block, or read"):
            read()


def test_a_name_that_is_no_file_lists_the_catalogue():
    for name in ("mnist8", "a" * 5000):
        with pytest.raises(
            strag.StragError, match="no such file or catalogue name; the catalogue has mnist8k"
        ):
            strag.data(name)


def test_a_file_of_the_name_of_a_data_set_is_not_read_silently():
    Path("mnist8k").touch()
    with pytest.warns(StragWarning, match="mnist8k: using the data set of the catalogue.* use './mnist8k'"):
        strag.data("mnist8k", size=8)
    Path("mnist8k").unlink()


def test_the_data_set_of_arrays_is_not_advised_as_a_command(things):
    x = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    history = strag.train(strag.data(x, x[:, 0] > 0), runs=1, epochs=4, width=4)
    text = things.refusal_of_data(lambda: strag.prune(things.data, strag.find_stragglers(history, at=3)))
    assert text.endswith("use the data set in which they were found")
    text = things.refusal_of_data(lambda: strag.prune(strag.data(X, Y), things.finding))
    assert text.endswith(f"use the data set of '{things.data.command}'")


def test_messages_say_which_history_is_the_reference_and_name_parameters(things):
    longer = strag.train(things.data, runs=2, epochs=6, width=4)
    with pytest.raises(strag.StragError, match=r"the reference was trained for 6 updates, but .* for 4"):
        strag.find_stragglers(things.history, reference=longer)
    assert "`labels` '0/0' put class 0 into two groups" in things.refusal("data", labels="0/0")


def test_progress_is_reported_as_a_number(things):
    done = []
    strag.train(things.data, runs=2, epochs=3, width=3, progress=done.append)
    assert done[-1] == 6


def test_nothing_that_is_read_is_overwritten(things):
    before = Path(things.history.source).read_bytes()
    for x in (things.data, things.data.source):
        assert "`output` would overwrite it" in things.refusal("data", x=x, output=things.data.source)
    for verb in ("find_stragglers", "sets", "stability", "export", "plot"):
        assert "is read, and `output` would overwrite it" in things.refusal(
            verb, output=things.history.source
        )
    assert Path(things.history.source).read_bytes() == before


@pytest.mark.parametrize("form", ["text", "factory", "recipe"])
def test_nor_is_the_file_of_a_factory(things, tmp_path_factory, form):
    path = tmp_path_factory.mktemp("code") / "net.py"
    shutil.copy(EXAMPLES, path)
    before, text = path.read_bytes(), f"{path}:perceptron"
    network = {"model": text, "layers": "all"}
    if form != "text":
        network["model"] = model(text)
    given = {"recipe": strag.Recipe.of(**network)} if form == "recipe" else network
    with pytest.raises(StragError, match="is read, and `output` would overwrite it"):
        strag.train(things.data, output=path, **given)
    if form == "text":
        with pytest.raises(StragError, match="is read, and `output` would overwrite it"):
            strag.dump(["step1.pt"], things.data, model=text, layers="all", output=path)
    assert path.read_bytes() == before
