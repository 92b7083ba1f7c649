"""The recipe: all options of a training that affect its results."""

from dataclasses import dataclass, field, fields

from strag.errors import bad_usage
from strag.training import architectures
from strag.training.architecture import Architecture
from strag.training.schedule import count, every


@dataclass(frozen=True)
class Recipe:
    """The options of a training of R = `runs` networks. The defaults are the paper's.

    `architecture` is the kind of the networks. `layers` are the names of the layers whose representations
    are measured, by default `architecture.default_layers`. `record` and `test` choose the updates that are
    recorded and tested, see `strag.training.schedule`. `batch_size` is the number of examples in a
    mini-batch, or None for the full batch. `until` is None, or "decided": every run ends when its inversion
    is decided, see `strag.stragglers.decision`, at the latest after `epochs`.

    Raises StragError for options that contradict each other, and for layers that do not exist.
    """

    runs: int = 10
    first_run: int = 0
    seed: int = 0
    epochs: int = 500
    architecture: Architecture = field(default_factory=architectures.architecture)
    optimizer: str = "sgd"
    lr: float = 0.1
    momentum: float = 0.0
    weight_decay: float = 0.0
    batch_size: int | None = None
    own_order: bool = False
    layers: tuple | None = None
    record: str = "1"
    test: str = "log"
    noise: tuple = (0.0,)
    restandardise: bool = False
    precision: str = "float32"
    until: str | None = None

    def __post_init__(self):
        if self.layers is None:
            object.__setattr__(self, "layers", self.architecture.default_layers)
        if self.own_order and self.batch_size is None:
            raise bad_usage(
                "`own_order` needs `batch_size`", "the full batch has no order: pass both, or neither"
            )
        if self.optimizer == "adam" and self.momentum:
            raise bad_usage("`momentum` needs `optimizer` sgd", "remove it, or use sgd")
        if self.until not in (None, "decided"):
            raise bad_usage(f"cannot read `until` {self.until!r}", "use decided, or remove it")
        for layer in self.layers:
            if layer not in self.architecture.layers:
                known = ", ".join(map(str, self.architecture.layers))
                raise bad_usage(f"{self.architecture} has no hidden layer {layer}", f"it has {known}")

    @classmethod
    def of(cls, **options):
        """Make a Recipe from options of the training and of the architecture: `of(runs=3, depth=4)`.

        `layers` may be a text, see `read_layers`. Raises StragError for unknown options.
        """
        own = {name: options.pop(name) for name in cls.option_names() & options.keys()}
        built = architectures.architecture(**options)
        if isinstance(own.get("layers"), str):
            own["layers"] = read_layers(own["layers"], built)
        return cls(architecture=built, **own)

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
        return every(self.record, self.updates(rows), "record", may_be_none=False)

    def records(self, rows):
        """Number of records: int."""
        return count(self.record, self.updates(rows), "record", may_be_none=False)

    def tests(self, rows):
        """Number of updates at which the test error is measured: int."""
        return count(self.test, self.updates(rows), "test")

    def tested(self, rows):
        """Updates at which the test error is measured, recorded or not: list of int."""
        return every(self.test, self.updates(rows), "test")

    def as_dict(self):
        """Return the recipe as JSON values, for the metadata of a file: dict."""
        values = {}
        for name in (option.name for option in fields(self)):
            value = getattr(self, name)
            if name == "architecture":
                values |= architectures.described(value)
            elif name != "until" or value is not None:  # histories without it are those of format 1
                values[name] = list(value) if isinstance(value, tuple) else value
        return values


def read_layers(text, architecture):
    """Return the layers that a text such as `1,2` or `all` names: tuple, in the order of the architecture.

    None stands for the default layers. The text may name the input, and layers that the architecture does
    not have; those come last. Raises StragError if the text does not consist of layer names.
    """
    if text is None:
        return architecture.default_layers
    if text == "all":
        return architecture.layers
    order = (architecture.input_layer, *architecture.layers)
    try:
        chosen = dict.fromkeys(architecture.layer_named(part) for part in text.split(","))
    except ValueError:
        known = ",".join(map(str, architecture.layers[:2]))
        raise bad_usage(f"cannot read `layers` '{text}'", f"pass layers such as {known}, or all") from None
    return tuple(sorted(chosen, key=lambda layer: order.index(layer) if layer in order else len(order)))
