"""strag geometry: radii, distances and errors from activations files."""

import click

from strag.commands.options import example, json_option, output_option, quiet_option
from strag.commands.paths import FilePath
from strag.commands.types import Workers
from strag.geometry.measures import CHOICES


@click.command(
    "geometry",
    epilog=example("""
strag dump w.safetensors mnist8k -o a.safetensors
strag geometry a.safetensors
strag geometry a.safetensors | jq '.records[0].radius'
strag dump w.safetensors mnist8k | strag geometry - -o g.safetensors
strag geometry a.safetensors --measure participation --measure ncm
strag geometry a.safetensors --measure all --examples 2000 -o g.safetensors
strag geometry mine.npz
strag geometry fc.npy --labels labels.npy
"""),
)
@click.argument("files", nargs=-1, type=FilePath(), metavar="[FILE]...")
@click.option(
    "--labels",
    multiple=True,
    type=FilePath(),
    metavar="FILE",
    help="Labels of an array file without its own: npy, npz, IDX, or text with one per line; once per FILE.",
)
@click.option(
    "--measure",
    "measures",
    type=click.Choice([*CHOICES, "all"]),
    multiple=True,
    metavar="NAME|all",
    help=f"Also measure {', '.join(CHOICES[:-1])} or {CHOICES[-1]}; may be repeated.",
)
@click.option(
    "--examples",
    type=click.IntRange(3, 2**31 - 1),
    metavar="N",
    help="Use at most N examples of each class for the dimension, drawn with a fixed seed.  [default: all]",
)
@click.option(
    "--workers",
    type=Workers(),
    metavar="N|auto",
    help="Number of processes that share files, updates, runs and layers; auto: one per core.",
)
@output_option("the geometry (JSON, or a history if FILE ends in .safetensors)")
@json_option
@quiet_option
def command(files, labels, measures, examples, workers, output, as_json, quiet):
    """Measure class radii, distances and separation from activations.

    FILE is a file written by 'strag dump', by default stdin ('-'), or an array file of another program.
    Several files of one training may contain different examples, updates or runs, in any order. The output
    is a table at a terminal, else JSON. If the output ends in .safetensors, it is a history, which
    find-stragglers and plot read.

    Representations are normalised. Only examples that a run was trained on are measured, and the output
    says how many others are left out. If FILE holds other data than the training set, all its examples are
    measured. Their error is a test error, and they make no history. A class with an example that is not
    finite has no radius.

    An npz or safetensors file of another program holds 'labels' or 'y', one per example. Every other array
    of floats with one row per example is a layer, called like the array and flattened. It may also hold
    'ids', 'predictions' or 'logits' for the error, and 'updates', which is then the first axis of the
    others. An npy file is one layer, called like the file. Several files hold different examples, or the
    same ones at other updates if they have ids. Such files make no history.

    --measure adds measures. Those of x are of the normalised representations, like the radius. Those of h
    are of representations that are not normalised.

    \b
    radius_h       gyration radius of h
    overlap        (R_c + R_c') / D_cc' of two classes, of x
    participation  participation ratio of a class' covariance, of x
    dimension      intrinsic dimension of a class by TwoNN, of x
    ncm            nearest-class-mean accuracy, of x
    nc1            neural collapse: spread within over spread between, of h
    nc2_norms      norms of the centred class means: spread over mean, of h
    nc2_angles     their angles: mean difference from a simplex, of h
    nc3            head's weights against centred class means, of h
    nc4            share of decisions unlike the nearest class mean, of h

    nc1 to nc4 are 0 in complete collapse. The nc2 need three classes, and nc3 a linear head in FILE. all
    leaves out what FILE does not allow, with a note. An overlap above 1 means that two classes intersect;
    every history has it as an observable. The dimension leaves out representations that repeat another one,
    and counts them as duplicates. Its time grows with the square of the number of examples of a class;
    --examples limits it. In a history, find-stragglers --observable and plot --curves use the measures.
    """
    from contextlib import ExitStack

    from strag.api.measure import (
        HISTORY,
        as_history,
        as_json_object,
        choose,
        means_over_runs,
        opened_grid,
        remarks,
    )
    from strag.api.sharing import shared_by
    from strag.commands.inputs import refuse_data_set, refuse_overwriting, refuse_several_stdin
    from strag.commands.options import refuse_ignored
    from strag.console import Notes, print_tables, stdout_is_terminal
    from strag.errors import with_options
    from strag.files.jsonfile import write_json
    from strag.files.output import Output
    from strag.views.geometry import examples as examples_of
    from strag.views.geometry import notes, tables
    from strag.words import number_of

    files = files or ("-",)
    is_history = output.endswith(HISTORY)
    for path in files:
        refuse_data_set(path, f"run networks on it with 'strag dump WEIGHTS {path}'")
    refuse_several_stdin(*files, *labels)
    refuse_ignored(("json", is_history, f"contradicts -o {output}, which is a history"))
    refuse_overwriting((*files, *labels), ("-o", output))
    apply = shared_by(workers)
    shows = output == "-" and stdout_is_terminal() and not as_json
    with ExitStack() as stack:
        sink = stack.enter_context(Output(output, binary=is_history))
        grid = stack.enter_context(opened_grid(files, labels))
        further = choose(grid, measures, examples)
        for note in (*remarks(grid), *map(with_options, notes(grid, further))):
            Notes(quiet)(note)
        if is_history:
            as_history(grid, sink, further, apply)
        elif shows:
            print_tables(tables(grid, means_over_runs(grid, further, apply), further))
        else:
            write_json(as_json_object(grid, further, apply=apply), sink)
    if not shows:
        runs, updates = number_of(len(grid.runs), "run"), number_of(len(grid.updates), "update")
        Notes(quiet)(f"{runs} at {updates}, {examples_of(grid)}")
