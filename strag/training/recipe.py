"""Every option of a training that changes its numbers."""

from dataclasses import asdict, dataclass

from strag.errors import bad_usage
from strag.training.schedule import count, every

ACTIVATIONS = ("tanh", "relu", "gelu")


@dataclass(frozen=True)
class Recipe:
    """How R networks are trained; the defaults are the paper's.

    depth K counts linear layers, width N the units of each of the K - 1 hidden layers; `layers` are
    the hidden layers whose representations are measured, 1 to K - 1, or 0, the input, for a linear
    classifier. `record` and `test` say at which updates, see `strag.training.schedule`.
    `batch_size` None is the full batch.
    """

    runs: int = 10
    first_run: int = 0
    seed: int = 0
    epochs: int = 500
    depth: int = 2
    width: int = 20
    activation: str = "tanh"
    optimizer: str = "sgd"
    lr: float = 0.1
    momentum: float = 0.0
    weight_decay: float = 0.0
    batch_size: int | None = None
    own_order: bool = False
    layers: tuple = (1,)
    record: str = "1"
    test: str = "log"
    noise: tuple = (0.0,)
    restandardise: bool = False
    precision: str = "float32"

    def __post_init__(self):
        if self.own_order and self.batch_size is None:
            raise bad_usage("--own-order needs --batch-size", "the full batch has no order")
        if self.optimizer == "adam" and self.momentum:
            raise bad_usage("--momentum is for --optimizer sgd", "leave it out with adam")
        hidden = range(1, self.depth) if self.depth > 1 else (0,)
        for layer in self.layers:
            if layer not in hidden:
                known = ", ".join(str(number) for number in hidden)
                raise bad_usage(
                    f"a network of depth {self.depth} has no hidden layer {layer}",
                    f"it has {known}",
                )

    @staticmethod
    def read_layers(text, depth):
        """The layers that `1,2` or `all` mean in a network of this depth: tuple of int."""
        hidden = tuple(range(1, depth)) if depth > 1 else (0,)
        if text is None:
            return hidden[:1]
        if text == "all":
            return hidden
        try:
            return tuple(sorted({int(part) for part in text.split(",")}))
        except ValueError:
            raise bad_usage(f"cannot read --layers '{text}'", "give numbers such as 1,2, or all") from None

    def sizes(self, features, classes):
        """Units of every layer of networks on so many inputs, for so many classes: d, N, ..., C."""
        return [features, *[self.width] * (self.depth - 1), classes]

    def updates(self, rows):
        """Number of updates on a data set whose origin has this many rows."""
        batches = 1 if self.batch_size is None else -(-rows // self.batch_size)
        return self.epochs * batches

    def recorded(self, rows):
        """Updates of the records, from 0 on: list of int."""
        return every(self.record, self.updates(rows), "--record-every")

    def records(self, rows):
        """Number of the records: int."""
        return count(self.record, self.updates(rows), "--record-every")

    def tests(self, rows):
        """Number of the updates at which the test error is taken: int."""
        return count(self.test, self.updates(rows), "--test-every")

    def tested(self, rows):
        """Updates at which the test error is taken, whether recorded or not: list of int."""
        return every(self.test, self.updates(rows), "--test-every")

    def as_dict(self):
        """The recipe for a file's metadata."""
        return {**asdict(self), "layers": list(self.layers), "noise": list(self.noise)}
