"""strag data: import, subset, group labels."""

import click

from strag.commands.options import example, output_option, quiet_option


@click.command(
    "data",
    epilog=example("""
strag data mnist8k --size 512 | strag train - --runs 10 -o h.safetensors
strag data fashion-mnist --size 8192 --block 2 -o fashion.safetensors
strag data cifar-10-binary.tar.gz --gray --labels 0-4/5-9 -o cifar.safetensors
strag data my-images.npy my-labels.npy --labels classes -o mine.safetensors
"""),
)
@click.argument("source", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--size", type=click.IntRange(1), metavar="P", help="Keep P training examples.")
@click.option("--block", type=click.IntRange(1), metavar="N", help="The N-th P examples, counted from 1.")
@click.option(
    "--shuffle", type=click.IntRange(0), metavar="SEED", help="Shuffle the training examples first."
)
@click.option(
    "--labels",
    metavar="GROUPS",
    help="How classes form groups: parity, classes, or ranges such as 0-4/5-9.  [default: as in SOURCE; "
    "parity for the catalogue, classes for other files]",
)
@click.option("--gray", is_flag=True, help="Average the colours of each pixel into one channel.")
@output_option("the dataset")
@quiet_option
def command(source, size, block, shuffle, labels, gray, output, quiet):
    """Import a data set: subset it, label its groups.

    SOURCE is one of: a name in the catalogue (mnist8k, or mnist, kmnist, fashion-mnist, cifar10,
    which are downloaded); a strag dataset ('-' for stdin); a folder of IDX files; a folder of
    CIFAR-10 batches (binary version) or its tar.gz; a folder with one folder of images per class, or
    with train and test made like that; an npz file (arrays x, y, x_test, y_test); IDX or npy files in
    the order examples, labels, test examples, test labels. Test files may be left out. Images in
    folders are numbered from 0, class folder by class folder, each sorted by name as text.

    --size, --block, --shuffle and --gray start a new origin: examples are counted, and standardised,
    anew.

    Downloads are checked and kept in the folder STRAG_CACHE (default: the user's cache). STRAG_MIRROR
    names other addresses to take them from, separated by spaces, which serve such a folder as it lies.
    """
    from dataclasses import replace

    from strag.console import Notes
    from strag.datasets.transforms import block_of, grey
    from strag.errors import StragError
    from strag.files.dataset import write_dataset
    from strag.files.streams import Output, name_of

    with Output(output) as sink:
        data = _import(source, output)
        imported = data.identity
        try:
            data = replace(data, labels=labels) if labels is not None else data
            data.groups, data.test_groups  # noqa: B018 - every class must be in a group
            data = grey(data) if gray else data
            if size or block or shuffle is not None:
                data = block_of(data, size, block, shuffle)
        except StragError as error:
            raise error.about(name_of(source[0])) from None
        recipe = {
            "size": size,
            "block": block,
            "shuffle": shuffle,
            "labels": data.labels,
            "gray": gray,
        }
        write_dataset(output, data, recipe, {"data": imported}, sink)
    test = f"{len(data.y_test)} test examples" if data.has_test else "no test set"
    shape = " x ".join(str(n) for n in data.x.shape[1:])
    Notes(quiet)(
        f"{data.title}: {len(data.y)} examples of {shape}, {len(data.grouping.names)} groups, {test}"
    )


def _import(source, output):
    """A Dataset from whatever SOURCE names. A dataset may be replaced by the output, other files not."""
    from pathlib import Path

    from strag.commands.options import read_data, refuse_overwriting
    from strag.datasets.catalogue import CATALOGUE
    from strag.datasets.importing import import_files
    from strag.files.container import is_json
    from strag.files.streams import open_input, read_exactly

    if len(source) > 1:
        refuse_overwriting(source, ("-o", output))
        return import_files(source)
    if source[0] in ("-", "", *CATALOGUE) or not Path(source[0]).exists():
        return read_data(source[0])
    if Path(source[0]).is_dir():
        return import_files(source)
    if not Path(source[0]).is_file():  # a pipe by name, which can be read only once
        return read_data(source[0])
    with open_input(source[0]) as stream:
        head = read_exactly(stream, 9)
    is_container = head[4:] == b"\0\0\0\0{"  # the length of its header, of which the upper half is 0
    if is_container or is_json(head[:8]) or not head:
        return read_data(source[0])
    refuse_overwriting(source, ("-o", output))
    return import_files(source)
