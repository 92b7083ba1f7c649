"""Every option of a training that changes its numbers."""

from dataclasses import dataclass, field, fields

from strag.errors import bad_usage
from strag.training import architectures
from strag.training.architecture import Architecture
from strag.training.schedule import count, every


@dataclass(frozen=True)
class Recipe:
    """How R networks are trained; the defaults are the paper's.

    `architecture` is what they compute. `layers` are the names of the layers whose representations are
    measured, by default those that the architecture says. `record` and `test` say at which updates, see
    `strag.training.schedule`. `batch_size` None is the full batch.

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

    def __post_init__(self):
        if self.layers is None:
            object.__setattr__(self, "layers", self.architecture.default_layers)
        if self.own_order and self.batch_size is None:
            raise bad_usage(
                "`own_order` needs `batch_size`", "the full batch has no order: pass both, or neither"
            )
        if self.optimizer == "adam" and self.momentum:
            raise bad_usage("`momentum` needs `optimizer` sgd", "remove it, or use sgd")
        for layer in self.layers:
            if layer not in self.architecture.layers:
                known = ", ".join(map(str, self.architecture.layers))
                raise bad_usage(f"{self.architecture} has no hidden layer {layer}", f"it has {known}")

    @classmethod
    def of(cls, **options):
        """The Recipe with these options of a training and of its model, by name: `of(runs=3, depth=4)`.

        `layers` may be a text, see `read_layers`. Raises StragError for options that neither has.
        """
        own = {name: options.pop(name) for name in cls.option_names() & options.keys()}
        built = architectures.architecture(**options)
        if isinstance(own.get("layers"), str):
            own["layers"] = read_layers(own["layers"], built)
        return cls(architecture=built, **own)

    @classmethod
    def option_names(cls):
        """Names of the options that are not the architecture's: set of str."""
        return {one.name for one in fields(cls)} - {"architecture"}

    def updates(self, rows):
        """Number of updates on a data set whose origin has this many rows."""
        batches = 1 if self.batch_size is None else -(-rows // self.batch_size)
        return self.epochs * batches

    def recorded(self, rows):
        """Updates of the records, from 0 on: list of int."""
        return every(self.record, self.updates(rows), "record", may_be_none=False)

    def records(self, rows):
        """Number of the records: int."""
        return count(self.record, self.updates(rows), "record", may_be_none=False)

    def tests(self, rows):
        """Number of the updates at which the test error is taken: int."""
        return count(self.test, self.updates(rows), "test")

    def tested(self, rows):
        """Updates at which the test error is taken, whether recorded or not: list of int."""
        return every(self.test, self.updates(rows), "test")

    def as_dict(self):
        """The recipe for a file's metadata."""
        values = {}
        for name in (one.name for one in fields(self)):
            value = getattr(self, name)
            if name == "architecture":
                values |= architectures.described(value)
            else:
                values[name] = list(value) if isinstance(value, tuple) else value
        return values


def read_layers(text, architecture):
    """The layers that a text such as `1,2` or `all` means in an architecture: tuple of names, in order.

    The input may be among them, and layers that there are not; None means the default ones. Raises
    StragError for what cannot be names.
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
