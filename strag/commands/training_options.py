"""The options of `strag train` that determine what is trained and recorded, in groups."""

import click

from strag.commands.options import model_args_option, model_option
from strag.commands.paths import MODELS, FilePath
from strag.commands.types import FiniteRange, LayerNames, Numbers, PartName, Workers
from strag.values import LARGEST

RUNS = (
    click.option(
        "--runs",
        type=click.IntRange(1, LARGEST),
        default=10,
        metavar="N",
        show_default=True,
        help="Number of networks to train.",
    ),
    click.option(
        "--first-run",
        type=click.IntRange(0, LARGEST),
        default=0,
        metavar="N",
        show_default=True,
        help="Number of the first run. The seed and the number of a run determine its network.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0),
        default=0,
        metavar="N",
        show_default=True,
        help="Seed of the initial weights, the mini-batches and the noise.",
    ),
    click.option(
        "--epochs",
        type=click.IntRange(1, 10_000_000),
        metavar="N",
        help="Number of passes over the data.  [default: 500; with --until 100000]",
    ),
    click.option(
        "--until",
        type=click.Choice(["decided"]),
        help="End each run when its inversion is decided: at 4 t*, or when it has learned everything.",
    ),
)
NETWORK = (
    model_option(
        "Kind of network: a perceptron, convolutions, or what a function in a file of yours builds; strag "
        "runs this file.",
        *MODELS,
    ),
    model_args_option,
    click.option(
        "--channels",
        type=Numbers(several=True, what="numbers of channels such as 8,16"),
        metavar="N,...",
        default="8,16",
        show_default=True,
        help="Channels of each convolution of --model cnn.",
    ),
    click.option(
        "--depth",
        type=click.IntRange(1, 1000),
        default=2,
        metavar="K",
        show_default=True,
        help="Number of linear layers; 1 is a linear classifier.",
    ),
    click.option(
        "--width",
        type=click.IntRange(1, LARGEST),
        default=20,
        metavar="N",
        show_default=True,
        help="Number of units in each hidden layer.",
    ),
    click.option(
        "--activation",
        type=click.Choice(["tanh", "relu", "gelu"]),
        default="tanh",
        show_default=True,
        help="Nonlinearity of the hidden layers.",
    ),
    click.option(
        "--no-bias",
        is_flag=True,
        help="Hold all biases at zero; the initial weights are those of networks with biases.",
    ),
)
OPTIMIZER = (
    click.option(
        "--optimizer",
        type=click.Choice(["sgd", "adam"]),
        default="sgd",
        show_default=True,
        help="Gradient descent (sgd) or Adam.",
    ),
    click.option(
        "--lr",
        type=FiniteRange(0, min_open=True),
        default=0.1,
        metavar="X",
        show_default=True,
        help="Learning rate.",
    ),
    click.option(
        "--momentum",
        type=FiniteRange(0, 1, max_open=True),
        default=0.0,
        metavar="X",
        show_default=True,
        help="Momentum of --optimizer sgd.",
    ),
    click.option(
        "--weight-decay",
        type=FiniteRange(0),
        default=0.0,
        metavar="X",
        show_default=True,
        help="L2 penalty on all parameters.",
    ),
    click.option(
        "--batch-size",
        type=click.IntRange(1, LARGEST),
        metavar="N",
        help="Number of examples in a mini-batch.  [default: all, the full batch]",
    ),
    click.option(
        "--own-order", is_flag=True, help="Let each run draw its own mini-batches, which is slower."
    ),
)
RECORDS = (
    click.option(
        "--layers",
        type=LayerNames(),
        metavar="LAYERS|all",
        help="Layers to measure: numbers, or names of a module's layers such as conv1,conv2:mean; with "
        "--depth 1, 0, the input.  [default: the first]",
    ),
    click.option(
        "--record-every",
        type=Numbers("log"),
        metavar="N|log",
        help="Number of updates between records.  [default: 1; log with mini-batches or --until]",
    ),
    click.option(
        "--test-every",
        type=Numbers("log", "never"),
        metavar="N|log|never",
        default="log",
        show_default=True,
        help="Number of updates between measurements of the test error.",
    ),
    click.option(
        "--noise",
        type=FiniteRange(0),
        multiple=True,
        metavar="SIGMA",
        help="Standard deviation of noise on the standardised test inputs; may be repeated.  [default: 0]",
    ),
)
DATA = (
    click.option(
        "--without",
        type=FilePath(),
        metavar="FILE",
        help="Examples to leave out: a stragglers file, or a sets file with one network per set.",
    ),
    click.option(
        "--standardise",
        type=click.Choice(["pixel", "channel", "none"]),
        default="pixel",
        show_default=True,
        help="What has a common mean and standard deviation. none keeps the inputs; uint8 is divided by 255.",
    ),
    click.option(
        "--restandardise",
        is_flag=True,
        help="Standardise by the mean and standard deviation of the examples trained on, instead of those of "
        "their block.",
    ),
)
WEIGHTS = (
    click.option(
        "--init", type=FilePath(), metavar="WEIGHTS", help="Start from the last weights in this file."
    ),
    click.option(
        "--weights", type=FilePath(), metavar="FILE", help="Also write the weights of the networks to FILE."
    ),
    click.option(
        "--weights-at",
        type=Numbers("log", "last", several=True, what="updates such as 0,40"),
        metavar="UPDATES|log",
        default="last",
        show_default=True,
        help="Updates at which to write weights, such as 0,40.",
    ),
    click.option(
        "--precision",
        type=click.Choice(["float32", "bfloat16"]),
        default="float32",
        show_default=True,
        help="Precision of the operands of the large products; sums and weights are float32.",
    ),
)
JOB = (
    click.option(
        "--workers",
        type=Workers(),
        metavar="N|auto",
        help="Number of processes that train together; auto: one per core, or per graphics card.",
    ),
    click.option(
        "--part",
        type=PartName(),
        metavar="K/N|auto/N|auto",
        help="Train only part K of N; 'strag merge' joins the parts.",
    ),
    click.option(
        "--resume",
        is_flag=True,
        help="Keep the state of the training in FILE.resume, and go on from there if it was stopped.",
    ),
    click.option(
        "--keep-state",
        is_flag=True,
        help="Put the last state of every run into the history, so that --extend can train it for longer.",
    ),
    click.option(
        "--extend",
        type=FilePath(),
        metavar="HISTORY",
        help="Go on with the training in HISTORY, which has a state, to --epochs counted from its start.",
    ),
)


def add(*groups):
    """A decorator that adds groups of options to a command, in their order in `--help`."""
    options = [option for group in groups for option in group]

    def decorate(function):
        for option in reversed(options):
            function = option(function)
        return function

    return decorate
