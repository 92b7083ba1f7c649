"""strag merge: join the parts of a training, or the files of a Recorder."""

import click

from strag.commands.options import FilePath, example, output_option, quiet_option


@click.command(
    "merge",
    epilog=example("""
strag merge h.*.safetensors -o h.safetensors
strag merge rank.*.safetensors -o run.safetensors
sbatch --array="$(strag merge --missing h.*.safetensors)" job.sh
"""),
)
@click.argument("files", nargs=-1, required=True, type=FilePath(), metavar="FILE...")
@click.option(
    "--missing", is_flag=True, help="Print the numbers of the missing parts, such as 7,12, and stop."
)
@output_option("the history or the weights")
@quiet_option
def command(files, missing, output, quiet):
    """Join the parts of a training, or recorded runs.

    For the parts of a training, each FILE is a history, or each is a weights file, written by 'strag train
    --part'. Their order does not matter. The output has the same bytes as that of the training that was not
    split, if all parts were trained with the same torch, device and number of threads. All parts must be of
    the same recipe, the same data and the same version of strag, and each must occur once.

    Each FILE may also be written by a Recorder in a training loop of your own, or by 'strag history'. The
    recordings of all processes of one run become the history of that run. Histories of the same examples and
    updates become one history, whose runs are numbered in the order given.

    --missing prints an empty line if no part is missing. A part whose training was interrupted counts as
    missing. At least one FILE must be given, because the number of all parts is read from it.
    """
    from strag.api.merge import open_parts
    from strag.commands.inputs import refuse_overwriting, refuse_several_stdin
    from strag.commands.options import is_given
    from strag.console import Notes
    from strag.files.output import Output

    refuse_several_stdin(*files)
    if missing:
        if is_given("output"):
            raise click.UsageError("--missing writes no file; remove -o")
        with Output("-", binary=False) as sink, open_parts(files, among_missing=True) as parts:
            sink.file.write((",".join(map(str, parts.missing)) + "\n").encode())
            sink.commit()
    else:
        refuse_overwriting(files, ("-o", output))
        with Output(output) as sink, open_parts(files) as parts:
            parts.write(sink)
    Notes(quiet)(parts.described)
