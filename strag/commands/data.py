"""strag data: import a data set, take a subset of it, and group its classes."""

import click

from strag.commands.options import example, output_option, quiet_option
from strag.commands.paths import DataPath
from strag.commands.types import Classes, FiniteRange, Groups, Sizes

# Options of reading files, and options that change the data set, in the order in which they work.
READING = ("label_column", "resize", "background", "skip_broken")
CHANGING = (
    *("shape", "resize", "gray", "classes", "labels", "hold_out", "shuffle", "size", "block"),
    *("flip_labels", "seed"),
)


@click.command(
    "data",
    epilog=example("""
strag data mnist8k --size 512 | strag train - --runs 10 -o h.safetensors
strag data fashion-mnist --size 8192 --block 2 -o fashion.safetensors
strag data photos/ --resize 32x32 --hold-out 0.2 -o photos.safetensors
strag data table.csv --label-column species --classes setosa,virginica -o iris.safetensors
strag data cifar-10-binary.tar.gz --gray --labels 0-4/5-9 -o cifar.safetensors
"""),
)
@click.argument("source", nargs=-1, required=True, type=DataPath(), metavar="SOURCE...")
@click.option(
    "--label-column",
    metavar="NAME",
    help="Column of a table that holds the labels; for CIFAR-100, fine or coarse.",
)
@click.option(
    "--test", type=DataPath(), metavar="SOURCE", help="Use the training examples of SOURCE as the test set."
)
@click.option(
    "--shape",
    type=Sizes(1, 4),
    metavar="HxW",
    help="Shape of every example, if examples are rows of numbers.",
)
@click.option("--resize", type=Sizes(2), metavar="HxW", help="Scale all images to this size.")
@click.option(
    "--background",
    type=click.IntRange(0, 255),
    metavar="GREY",
    help="Draw transparent images on this grey background, 0 (black) to 255 (white).",
)
@click.option("--skip-broken", is_flag=True, help="Leave out images that cannot be read.")
@click.option("--gray", is_flag=True, help="Average the colours of each pixel into one channel.")
@click.option(
    "--classes", type=Classes(), metavar="LIST", help="Keep only these classes, such as 3,8 or cat,dog."
)
@click.option(
    "--labels",
    type=Groups(),
    metavar="GROUPS",
    help="How classes form groups: parity, classes, or groups such as 0-4/5-9 or cat,dog/eel.  [default: the "
    "groups of SOURCE if it is a dataset, parity for the catalogue, classes for other files]",
)
@click.option(
    "--hold-out",
    type=FiniteRange(0, 1, min_open=True, max_open=True),
    metavar="SHARE",
    help="Move this share of the training examples into a test set.",
)
@click.option(
    "--shuffle", type=click.IntRange(0), metavar="SEED", help="Shuffle the training examples with this seed."
)
@click.option("--size", type=click.IntRange(1), metavar="P", help="Keep P training examples.")
@click.option(
    "--block",
    type=click.IntRange(1),
    metavar="N",
    help="With --size P, keep the N-th block of P examples, counted from 1.",
)
@click.option(
    "--flip-labels",
    type=FiniteRange(0, 1, min_open=True),
    metavar="SHARE",
    help="Give this share of the training examples a class of another group.",
)
@click.option(
    "--seed", type=click.IntRange(0), metavar="N", help="Seed of --hold-out and --flip-labels.  [default: 0]"
)
@output_option("the dataset")
@quiet_option
def command(source, test, output, quiet, **options):
    """Import a data set, take a subset of it, and group its classes.

    SOURCE is one of:

    \b
    - a name in the catalogue: mnist8k, which is embedded, or mnist, kmnist,
      fashion-mnist or cifar10, which are downloaded
    - a strag dataset ('-' for stdin)
    - a folder of IDX files, of CIFAR batches (binary version, or its tar.gz),
      of images in one folder per class, or of one npy file per class
    - an npz file with the arrays x, y and, optionally, x_test, y_test
    - a CSV file; if it has no header, --label-column is the number of the
      column that holds the labels
    - a parquet or Arrow file, or a data set saved by Hugging Face's library
      (needs the extra 'tables')
    - IDX, npy or npz files of one array each: examples, labels and,
      optionally, test examples, test labels. They are told apart by their
      names or by their order

    A note reports everything that is left out or ambiguous.

    Options work in the order in which they are listed below, whatever their order on the command line. All
    options except --labels start a new origin: examples are numbered and standardised again. Put class names
    that contain ',', '/' or '-', or that look like a number, in double quotes. In tables, columns called id,
    name, file, filename, file_name or path, and a first column without a name, hold the names of the
    examples.

    Downloads are checked and kept in the folder STRAG_CACHE (default: the user's cache). STRAG_MIRROR lists
    other addresses to download from, separated by spaces. Each must serve a copy of this folder.
    """
    from strag.api.data import refuse_unused
    from strag.console import Notes, warn
    from strag.datasets.imported import Reading
    from strag.datasets.transforms import Changes
    from strag.errors import StragError, bad_usage, with_options
    from strag.files.dataset import write_dataset
    from strag.files.output import Output
    from strag.files.streams import name_of

    reading = Reading(**{name: options[name] for name in READING})
    changes = Changes(**{name: options[name] for name in CHANGING})
    refuse_unused(changes)
    notes = Notes(quiet)

    def note(line):
        notes(with_options(line))

    with Output(output) as sink:
        unused = set(reading.given)
        data = read_source(source, reading, output, note, unused)
        inputs, test_data = {"data": data.identity}, None
        if test is not None:
            # Its own groups do not matter, and it may have only one class.
            test_data = read_source([test], reading, output, note, unused, labels="parity")
            inputs["test"] = test_data.identity
        if unused:
            name = min(unused)
            raise bad_usage(f"does not use `{name}`", f"remove `{name}`", name_of(source[0]))
        try:
            data, lines = _made(data, test, test_data, changes)
        except StragError as error:
            raise error.about(name_of(source[0])) from None
        write_dataset(sink, data, {**options, "labels": data.labels}, inputs)
    for line in (*lines, *_sizes(data)):
        notes(f"{data.title}: {line}")
    if (data.class_sizes == len(data.y)).any():
        only = data.class_name(data.y[0])
        remedy = "if SOURCE is sorted by class, add --shuffle SEED"
        warn(f"{data.title}: all examples have the class {only}; {remedy}")


def _made(data, test, test_data, changes):
    """The Dataset that the options make, and notes on it. test_data : the Dataset of --test, or None."""
    from strag.datasets.transforms import changed, with_test
    from strag.errors import StragError
    from strag.files.streams import name_of

    lines = []
    if test_data is not None:
        had_test = data.has_test
        try:
            data = with_test(data, test_data, _test_words(test))
        except StragError as error:
            raise error if had_test else error.about(name_of(test)) from None
        if test_data.has_test:
            lines.append(f"the training examples of {test_data.title} are the test set")
    had_test, data = data.has_test, changed(data, changes)
    data.groups, data.test_groups  # noqa: B018 - every class must be in a group
    if had_test and not data.has_test:
        lines.append("there is no test set, because no test example has one of these classes")
    return data, lines


def read_source(source, reading, output, note, unused, labels="classes"):
    """The Dataset of SOURCE. The output may replace a strag dataset that is read, but no other input.

    unused : set of names of options in `reading`. Those that SOURCE uses are removed from it. labels : how
    the classes of files form groups.
    """
    from strag.api.data import is_strag_file
    from strag.commands.inputs import read_data, refuse_overwriting
    from strag.datasets.catalogue import CATALOGUE
    from strag.datasets.importing import import_files

    first = source[0]
    unused.discard("resize")  # every data set can be resized
    alone = len(source) == 1
    if alone and (first in ("-", "", *CATALOGUE) or is_strag_file(first)):
        return read_data(first)
    refuse_overwriting(source, ("-o", output))
    return import_files(source, reading, note, unused, labels)


def _test_words(test):
    """The words of the command line that name the source of the test set, without its folders."""
    import shlex
    from pathlib import Path

    from strag.datasets.catalogue import CATALOGUE

    return ["--test", test if test in CATALOGUE or test == "-" else shlex.quote(Path(test).name)]


def _class_sizes(data):
    """The number of examples of every class; of many classes, only the smallest and the largest number."""
    from strag.words import MOST

    sizes = data.class_sizes
    named = [f"{data.class_name(c)}: {n}" for c, n in zip(data.class_numbers, sizes, strict=True)]
    if len(named) <= MOST:
        return f"examples per class: {', '.join(named)}"
    few, many = sizes.argmin(), sizes.argmax()
    return f"examples per class: from {named[few]} to {named[many]}, in {len(named)} classes"


def _sizes(data):
    """Two notes: the sizes of a data set, and the number of examples of every class."""
    from strag.words import number_of

    test = number_of(len(data.y_test), "test example") if data.has_test else "no test set"
    rows = number_of(data.features, "input")
    shape = rows if data.x.ndim == 2 else " x ".join(str(n) for n in data.x.shape[1:])
    examples = number_of(len(data.y), "example")
    groups = number_of(len(data.grouping.names), "group")
    return [f"{examples} of {shape}, {groups}, {test}", _class_sizes(data)]
