"""strag geometry: radii, distances and errors from activations files."""

import click

from strag.commands.options import example, json_option, output_option, quiet_option
from strag.commands.paths import FilePath


@click.command(
    "geometry",
    epilog=example("""
strag dump w.safetensors mnist8k -o a.safetensors
strag geometry a.safetensors
strag geometry a.safetensors | jq '.records[0].radius'
strag dump w.safetensors mnist8k | strag geometry - -o g.safetensors
"""),
)
@click.argument("files", nargs=-1, type=FilePath(), metavar="[FILE]...")
@output_option("the geometry (JSON, or a history if FILE ends in .safetensors)")
@json_option
@quiet_option
def command(files, output, as_json, quiet):
    """Measure class radii, distances and separation from activations.

    FILE is a file written by 'strag dump', by default stdin ('-'). Several files of one training may
    contain different examples, updates or runs, in any order. The output is a table at a terminal, else
    JSON. If the output ends in .safetensors, it is a history, which find-stragglers and plot read.

    Representations are normalised. Only examples that a run was trained on are measured, and the output
    says how many others are left out. If FILE holds other data than the training set, all its examples are
    measured. Their error is a test error, and they make no history. A class with an example that is not
    finite has no radius.
    """
    from contextlib import ExitStack

    from strag.api.measure import HISTORY, as_history, as_json_object, means_over_runs
    from strag.commands.inputs import refuse_data_set, refuse_overwriting, refuse_several_stdin
    from strag.commands.options import refuse_ignored
    from strag.console import Notes, print_tables, stdout_is_terminal
    from strag.files.jsonfile import write_json
    from strag.files.output import Output
    from strag.geometry.measure import Grid
    from strag.kinds import read
    from strag.views.geometry import examples, tables
    from strag.words import number_of

    files = files or ("-",)
    is_history = output.endswith(HISTORY)
    for path in files:
        refuse_data_set(path, f"run networks on it with 'strag dump WEIGHTS {path}'")
    refuse_several_stdin(*files)
    refuse_ignored(("json", is_history, f"contradicts -o {output}, which is a history"))
    refuse_overwriting(files, ("-o", output))
    shows = output == "-" and stdout_is_terminal() and not as_json
    with ExitStack() as stack:
        sink = stack.enter_context(Output(output, binary=is_history))
        grid = Grid([stack.enter_context(read(path, "activations")) for path in files])
        if is_history:
            as_history(grid, sink)
        elif shows:
            print_tables(tables(grid, means_over_runs(grid)))
        else:
            write_json(as_json_object(grid), sink)
    if not shows:
        runs, updates = number_of(len(grid.runs), "run"), number_of(len(grid.updates), "update")
        Notes(quiet)(f"{runs} at {updates}, {examples(grid)}")
