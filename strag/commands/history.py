"""strag history: the history of networks that another program trained and logged."""

import click

from strag.commands.options import example, output_option, quiet_option
from strag.commands.paths import FilePath
from strag.commands.types import Numbers


@click.command(
    "history",
    epilog=example("""
strag history runs/1 runs/2 -o h.safetensors
strag history predictions.npz --updates 0,100,200 -o h.safetensors
strag history runs/1 | strag find-stragglers --at error:0.09 | jq .indices
"""),
)
@click.argument("logs", nargs=-1, type=FilePath(), metavar="[LOGS]...")
@click.option(
    "--updates",
    type=Numbers(several=True, what="updates such as 0,40"),
    metavar="UPDATES",
    help="Updates of the records, such as 0,40.  [default: those in the npz file; the epochs of a data map]",
)
@click.option(
    "--snapshot",
    is_flag=True,
    help="The outputs were recorded with fixed parameters in evaluation mode, and not during training.",
)
@output_option("the history")
@quiet_option
def command(logs, updates, snapshot, output, quiet):
    """Import predictions that another program logged during training.

    LOGS are the folders of data maps, one per run, or one npz file, by default from stdin. The output is a
    history file, for all commands that read those of 'strag train'. Without activations it has no layers, so
    that there is no inversion: use 'strag find-stragglers --at'.

    A data map is a folder with a file dynamics_epoch_X.jsonl for each epoch X, or the folder above it. Each
    line holds the guid of an example, its logits (logits_epoch_X or logits), and its label (gold). The update
    of a record is the number of the epoch.

    An npz file has these arrays, for T records of R runs on P examples in C classes:

    \b
    - predictions [T, P] or [T, R, P] and labels [P]: numbers of classes
    - logits [T, P, C] or [T, R, P, C]: optional, for the loss and the margins
    - activations.NAME [T, P, N] or [T, R, P, N]: optional, of the layer NAME,
      for the radii of the classes
    - class_means.NAME [T, C, N] or [T, R, C, N]: in place of the activations,
      the class means of activations divided by their lengths; this assumes
      that no activation is zero
    - updates [T], ids [P], classes [C] (names), and recording (snapshot or
      online): optional

    Examples are ordered by their ids, which become their names. Data maps are online, which means recorded
    while the parameters change. An npz file is a snapshot of fixed parameters, unless it says otherwise.
    'strag merge' does not mix the two.
    """
    from strag.api.history import history_into, inputs_of
    from strag.commands.inputs import refuse_overwriting, refuse_several_stdin
    from strag.console import Notes
    from strag.files.output import Output
    from strag.files.streams import name_of, refuse_terminal_input

    logs = list(logs) or ["-"]
    refuse_several_stdin(*logs)
    for log in logs:
        refuse_terminal_input(log)
    refuse_overwriting(inputs_of(logs), ("-o", output))
    left_out = []
    with Output(output) as sink:
        history = history_into(logs, sink, updates, snapshot, left_out.append)
    source = name_of(logs[0]) if len(logs) == 1 else f"{len(logs)} data maps"
    for line in (*left_out, f"{source}: {history.brief}"):
        Notes(quiet)(line)
