"""strag data: import, subset, group labels."""

import click

from strag.commands.options import DataPath, FiniteRange, Sizes, example, output_option, quiet_option

# Options that mean something while files are read, and those that change what was read, in order.
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
    help="Column of a table that holds the labels; fine or coarse of CIFAR-100.",
)
@click.option(
    "--test", type=DataPath(), metavar="SOURCE", help="Take the training examples there as the test set."
)
@click.option(
    "--shape", type=Sizes(1, 4), metavar="HxW", help="Shape of an example that is a row of numbers."
)
@click.option("--resize", type=Sizes(2), metavar="HxW", help="Scale all images to one size.")
@click.option(
    "--background", type=click.IntRange(0, 255), metavar="GREY", help="Lay transparent images on this grey."
)
@click.option("--skip-broken", is_flag=True, help="Leave out images that cannot be read.")
@click.option("--gray", is_flag=True, help="Average the colours of each pixel into one channel.")
@click.option("--classes", metavar="LIST", help="Keep these classes alone, such as 3,8 or cat,dog.")
@click.option(
    "--labels",
    metavar="GROUPS",
    help="How classes form groups: parity, classes, or groups such as 0-4/5-9 or cat,dog/eel.  [default: as "
    "in SOURCE; parity for the catalogue, classes for other files]",
)
@click.option(
    "--hold-out",
    type=FiniteRange(0, 1, min_open=True, max_open=True),
    metavar="SHARE",
    help="Make this share of the training examples the test set.",
)
@click.option(
    "--shuffle", type=click.IntRange(0), metavar="SEED", help="Shuffle the training examples first."
)
@click.option("--size", type=click.IntRange(1), metavar="P", help="Keep P training examples.")
@click.option("--block", type=click.IntRange(1), metavar="N", help="The N-th P examples, counted from 1.")
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
    """Import a data set: subset it, label its groups.

    SOURCE is one of: a name in the catalogue (mnist8k, or mnist, kmnist, fashion-mnist, cifar10,
    which are downloaded); a strag dataset ('-' for stdin); a folder of IDX files, of CIFAR batches
    (binary version; or its tar.gz), of images in one folder per class, or of one npy file per class; an npz
    file (arrays x, y, x_test, y_test); a CSV file, without a header only if --label-column counts to
    the label; a parquet or Arrow file, or a data set that Hugging Face's library saved (with the extra
    'tables'); or IDX, npy or npz files of one array each: examples, labels, test examples, test
    labels, in that order or told apart by their names. Test files may be left out. What is left out,
    or could be understood in two ways, is said.

    Options work in the order in which they stand below, whatever their order on the command line. All but
    --labels start a new origin: examples are counted, and standardised, anew. Class names that hold
    one of ',/-', or look like a number, are written in double quotes. In tables, columns called id,
    name, file, filename, file_name or path, and a first one without a name, name the examples.

    Downloads are checked and kept in the folder STRAG_CACHE (default: the user's cache). STRAG_MIRROR
    names other addresses to take them from, separated by spaces, which serve such a folder as it lies.
    """
    from strag.console import Notes, warn
    from strag.datasets.imported import Reading
    from strag.datasets.transforms import Changes
    from strag.errors import StragError, bad_usage
    from strag.files.dataset import write_dataset
    from strag.files.output import Output
    from strag.files.streams import name_of

    if options["seed"] is not None and options["hold_out"] is None and options["flip_labels"] is None:
        raise click.UsageError("--seed needs --hold-out or --flip-labels")
    reading = Reading(**{name: options[name] for name in READING})
    changes = Changes(**{name: options[name] for name in CHANGING})
    notes = Notes(quiet)
    with Output(output) as sink:
        unused = set(reading.given)
        data = read_source(source, reading, output, notes, unused)
        inputs, tested = {"data": data.identity}, None
        if test is not None:
            tested = read_source([test], reading, output, notes, unused)
            inputs["test"] = tested.identity
        if unused:
            name = f"--{min(unused).replace('_', '-')}"
            raise bad_usage(f"{name} means nothing to it", "leave the option out", name_of(source[0]))
        try:
            data, lines = _made(data, test, tested, changes)
        except StragError as error:
            raise error.about(name_of(source[0])) from None
        write_dataset(sink, data, {**options, "labels": data.labels}, inputs)
    for line in (*lines, *_told(data)):
        notes(f"{data.title}: {line}")
    if (data.class_sizes == len(data.y)).any():
        lone = data.class_name(data.y[0])
        remedy = "a source in the order of its classes needs --shuffle SEED"
        warn(f"{data.title}: all examples are of class {lone}; {remedy}")


def _made(data, test, tested, changes):
    """The Dataset that the options make, and what to say of that. tested : the Dataset of --test, or None."""
    from strag.datasets.transforms import changed, with_test

    lines = []
    if tested is not None:
        data = with_test(data, tested, _test_words(test))
        lines += [f"of {tested.title} the training examples are the test set"] if tested.has_test else []
    had_test, data = data.has_test, changed(data, changes)
    data.groups, data.test_groups  # noqa: B018 - every class must be in a group
    if had_test and not data.has_test:
        lines.append("no test example is of these classes, so that there is no test set")
    return data, lines


def read_source(source, reading, output, note, unused):
    """A Dataset from whatever SOURCE names. A dataset may be replaced by the output, other files not.

    unused : names of options in `reading`, of which those are taken out that mean something to SOURCE.
    """
    from pathlib import Path

    from strag.commands.options import read_data, refuse_overwriting
    from strag.datasets.catalogue import CATALOGUE
    from strag.datasets.importing import import_files

    first = source[0]
    unused.discard("resize")  # of which every data set has use
    alone = len(source) == 1
    if alone and (first in ("-", "", *CATALOGUE) or (not Path(first).is_dir() and _is_ours(first))):
        return read_data(first)
    refuse_overwriting(source, ("-o", output))
    return import_files(source, reading, note, unused)


def _is_ours(path):
    """Whether a path is to be read as a strag file: it begins like one, is empty, or a pipe."""
    from pathlib import Path

    from strag.files.container import is_json
    from strag.files.streams import open_input, read_exactly

    if not Path(path).is_file():  # missing, or a pipe by name
        return True
    with open_input(path) as stream:
        head = read_exactly(stream, 1 << 16)
    is_container = head[4:9] == b"\0\0\0\0{"  # the length of its header, of which the upper half is 0
    return is_container or (is_json(head[:8]) and b'"strag"' in head) or not head


def _test_words(test):
    """How the command line names the source of the test set, without its folders."""
    import shlex
    from pathlib import Path

    from strag.datasets.catalogue import CATALOGUE

    return ["--test", test if test in CATALOGUE or test == "-" else shlex.quote(Path(test).name)]


def _sizes(data):
    """The examples of every class; of many classes the smallest and the largest."""
    from strag.words import MOST

    sizes = data.class_sizes
    named = [f"{data.class_name(c)}: {n}" for c, n in zip(data.class_numbers, sizes, strict=True)]
    if len(named) <= MOST:
        return f"examples per class: {', '.join(named)}"
    few, many = sizes.argmin(), sizes.argmax()
    return f"examples per class: {named[few]}, the fewest, to {named[many]}, in {len(named)} classes"


def _told(data):
    """What there is in a data set: its sizes, and the examples of every class."""
    from strag.words import number_of

    test = number_of(len(data.y_test), "test example") if data.has_test else "no test set"
    rows = number_of(data.features, "input")
    shape = rows if data.x.ndim == 2 else " x ".join(str(n) for n in data.x.shape[1:])
    examples = number_of(len(data.y), "example")
    groups = number_of(len(data.grouping.names), "group")
    return [f"{examples} of {shape}, {groups}, {test}", _sizes(data)]
