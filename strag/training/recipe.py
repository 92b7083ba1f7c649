"""The recipe: all options of a training that affect its results."""

from dataclasses import dataclass, field, fields, replace
from numbers import Integral

from strag.datasets.standardisation import NONE, PIXEL, WAYS
from strag.errors import bad_usage
from strag.training import architectures
from strag.training.architecture import Architecture
from strag.training.precision import PRECISIONS
from strag.training.schedule import count, every
from strag.values import (
    LARGEST,
    LARGEST_UPDATE,
    checked_fields,
    choice,
    flag,
    instance,
    number,
    optional,
    refused,
    several,
    whole,
)
from strag.words import some_of

LONGEST = 100_000  # epochs of runs that end on their own
_IN_FILES = {"record_every": "record", "test_every": "test"}  # keys of the recipe in files
_LATER = {"until": None, "standardise": PIXEL}  # options that older files lack; held only if they differ


def layers_check(value, name):
    """The check of `layers`: a text, see `read_layers`, the name of a layer, or several names."""
    if isinstance(value, str):
        return value
    is_one = isinstance(value, Integral) and not isinstance(value, bool)
    return several(_layer_check, "layers such as (1, 2), or 'all'", 1)([value] if is_one else value, name)


def _layer_check(value, name):
    return value if isinstance(value, str) else whole(0, LARGEST)(value, name)


def _schedule_check(may_be_none):
    """The check of `record_every` or `test_every`, which becomes text."""
    wanted = "a number of updates, 'log' or 'never'" if may_be_none else "a number of updates or 'log'"

    def check(value, name):
        if isinstance(value, Integral) and not isinstance(value, bool):
            value = whole(1, LARGEST_UPDATE)(value, name)
        elif not isinstance(value, str):
            raise refused(value, name, wanted)
        every(str(value), 1, name, may_be_none)
        return str(value)

    return check


def _refuse_model_options(names):
    """Refuse options of the architecture, which only `Recipe.of` accepts."""
    for name in names:
        if name in architectures.option_names():
            problem = f"Recipe has no field `{name}`, which is an option of the architecture"
            raise bad_usage(problem, f"use strag.Recipe.of({name}=...)")


@checked_fields(
    elsewhere=_refuse_model_options,
    runs=whole(1, LARGEST),
    first_run=whole(0, LARGEST),
    seed=whole(0),
    epochs=optional(whole(1, 10_000_000)),
    architecture=instance(Architecture, "an Architecture, or use Recipe.of with its options"),
    optimizer=choice("sgd", "adam"),
    lr=number(0, above=True),
    momentum=number(0, 1, below=True),
    weight_decay=number(0),
    batch_size=optional(whole(1, LARGEST)),
    own_order=flag,
    layers=optional(layers_check),
    record_every=optional(_schedule_check(may_be_none=False)),
    test_every=_schedule_check(may_be_none=True),
    noise=several(number(0), "a tuple of numbers from 0 on, such as (0.0, 0.5)", fewest=1),
    standardise=choice(*WAYS),
    restandardise=flag,
    precision=choice(*PRECISIONS),
    until=optional(choice("decided")),
)
@dataclass(frozen=True)
class Recipe:
    """The options of a training of R = `runs` networks. The defaults are the paper's.

    Parameters
    ----------
    runs : number of networks.
    first_run : number of the first run. The seed and the number of a run determine its network.
    seed : seed of the initial weights, the mini-batches and the noise.
    epochs : number of passes over the data. None is 500, or 100000 with `until`.
    architecture : Architecture, the kind of the networks.
    optimizer : "sgd", gradient descent, or "adam".
    lr : learning rate.
    momentum : momentum of `optimizer` sgd, from 0 to below 1.
    weight_decay : L2 penalty on all parameters.
    batch_size : number of examples in a mini-batch. None is the full batch.
    own_order : whether each run draws its own mini-batches, which is slower.
    layers : layers whose representations are measured: names such as 1 or (1, 2), or "all". None is
        `architecture.default_layers`, the first hidden layer.
    record_every : number of updates between records, or "log", see `strag.training.schedule`. None is "log"
        with mini-batches or `until`, otherwise 1.
    test_every : number of updates between measurements of the test error, "log" or "never".
    noise : standard deviations of noise on the standardised test inputs, in increasing order. Inputs with
        standard deviation 0 get none.
    standardise : "pixel", each input by its own mean and standard deviation over the block; "channel", by
        those of its channel, see `strag.datasets.standardisation.over_channels`; or "none", which divides
        uint8 by 255. Inputs with standard deviation 0 are not used.
    restandardise : whether inputs are standardised by the mean and standard deviation of the examples trained
        on, instead of those of their block.
    precision : precision of the operands of the large products, "float32" or "bfloat16".
    until : None, or "decided": every run ends when its inversion is decided, see `strag.stragglers.decision`,
        at the latest after `epochs`.

    Raises StragError for values that an option cannot have, for options that contradict each other, and for
    layers that do not exist.
    """

    runs: int = 10
    first_run: int = 0
    seed: int = 0
    epochs: int | None = None
    architecture: Architecture = field(default_factory=architectures.architecture)
    optimizer: str = "sgd"
    lr: float = 0.1
    momentum: float = 0.0
    weight_decay: float = 0.0
    batch_size: int | None = None
    own_order: bool = False
    layers: tuple | None = None
    record_every: str | None = None
    test_every: str = "log"
    noise: tuple = (0.0,)
    standardise: str = PIXEL
    restandardise: bool = False
    precision: str = "float32"
    until: str | None = None

    def __post_init__(self):
        if self.epochs is None:
            object.__setattr__(self, "epochs", LONGEST if self.until else 500)
        if self.record_every is None:
            object.__setattr__(self, "record_every", "log" if self.until or self.batch_size else "1")
        if self.architecture.layers is not None:
            object.__setattr__(self, "layers", read_layers(self.layers, self.architecture))
        object.__setattr__(self, "noise", tuple(sorted(set(self.noise))))
        if self.own_order and self.batch_size is None:
            raise bad_usage(
                "`own_order` needs `batch_size`", "the full batch has no order: pass both, or neither"
            )
        if self.restandardise and self.standardise == NONE:
            problem = "`restandardise` has no effect: `standardise` none uses no mean and standard deviation"
            raise bad_usage(problem, "remove it")
        if self.optimizer == "adam" and self.momentum:
            raise bad_usage("`momentum` needs `optimizer` sgd", "remove it, or use sgd")
        if self.architecture.layers is not None:
            self._require_layers()

    def _require_layers(self):
        """Raise StragError for layers that the networks do not have."""
        for layer in self.layers:
            if fault := self.architecture.fault_of(layer):
                remedy, file = f"pass layers from {some_of(self.architecture.layers)}", self.architecture.file
                raise bad_usage(f"cannot use {layer} as `layers`: {fault}", remedy, file)

    def on(self, ends):
        """The Recipe for networks with these Ends, whose layers are known, see `Architecture.on`."""
        return replace(self, architecture=self.architecture.on(ends))

    @classmethod
    def of(cls, **options):
        """Make a Recipe from options of the training and of the architecture: `of(runs=3, depth=4)`.

        `layers` may be a text, see `read_layers`. Raises StragError for unknown options, and for options that
        have no effect because of the other options.
        """
        own = {name: options.pop(name) for name in cls.option_names() & options.keys()}
        return cls(architecture=architectures.architecture(**options), **own)._using(own)

    def changed(self, **options):
        """The Recipe with other values of some options of the training and of its model, see `of`."""
        own = {name: options.pop(name) for name in self.option_names() & options.keys()}
        built = architectures.replaced(self.architecture, **options) if options else self.architecture
        if self.architecture.layers and self.layers == self.architecture.default_layers:
            own = {"layers": None, **own}
        return replace(self, architecture=built, **own)._using(own)

    def _using(self, names):
        """This Recipe, unless an option with one of these names has no effect on it."""
        if "noise" in names and self.test_every == "never":
            problem = "`noise` has no effect: `test_every` never measures no test error"
            raise bad_usage(problem, "remove `noise`")
        return self

    @classmethod
    def option_names(cls):
        """Names of the options that do not belong to the architecture: set of str."""
        return {option.name for option in fields(cls)} - {"architecture"}

    def updates(self, rows):
        """Number of updates on a data set whose origin has this many rows."""
        batches = 1 if self.batch_size is None else -(-rows // self.batch_size)
        return self.epochs * batches

    def recorded(self, rows):
        """Updates that are recorded, from 0 on, with this many rows in the origin: list of int."""
        return every(self.record_every, self.updates(rows), "record_every", may_be_none=False)

    def records(self, rows):
        """Number of records: int."""
        return count(self.record_every, self.updates(rows), "record_every", may_be_none=False)

    def tests(self, rows):
        """Number of updates at which the test error is measured: int."""
        return count(self.test_every, self.updates(rows), "test_every")

    def tested(self, rows):
        """Updates at which the test error is measured, recorded or not: list of int."""
        return every(self.test_every, self.updates(rows), "test_every")

    @classmethod
    def from_dict(cls, values, factory=None):
        """The Recipe that `as_dict` describes; factory : see `architectures.from_description`.

        Raises StragError if a value is missing or impossible.
        """
        own = {}
        for name in cls.option_names():
            key = _IN_FILES.get(name, name)
            if key not in values and name not in _LATER:
                raise bad_usage(f"does not say the `{name}` of its training")
            value = values.get(key, _LATER.get(name))
            own[name] = tuple(value) if isinstance(value, list) else value
        return cls(architecture=architectures.from_description(values, factory), **own)

    def as_dict(self):
        """Return the recipe as JSON values, for the metadata of a file: dict."""
        values = {}
        for name in (option.name for option in fields(self)):
            value = getattr(self, name)
            if name == "architecture":
                values |= architectures.described(value)
            elif name not in _LATER or value != _LATER[name]:
                values[_IN_FILES.get(name, name)] = list(value) if isinstance(value, tuple) else value
        return values


def read_layers(layers, architecture):
    """Return the layers that a text such as `1,2` or `all`, or names stand for: tuple, in order.

    None stands for the default layers. The input may be named, which only an architecture without hidden
    layers measures, and so may layers that the architecture does not have; those come last. Raises StragError
    for what cannot be names of layers.
    """
    if layers is None:
        return architecture.default_layers
    if layers == "all":
        return architecture.layers
    parts = layers.split(",") if isinstance(layers, str) else [str(layer) for layer in layers]
    try:
        chosen = dict.fromkeys(architecture.layer_named(part) for part in parts)
    except ValueError:
        known, text = (",".join(map(str, some)) for some in (architecture.layers[:2], parts))
        raise bad_usage(f"cannot read `layers` '{text}'", f"pass layers such as {known}, or all") from None
    return tuple(sorted(chosen, key=architecture.place))
