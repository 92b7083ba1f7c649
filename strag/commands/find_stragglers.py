"""strag find-stragglers: the inversion, its evidence, and the stragglers."""

import click

from strag.commands.options import (
    example,
    fewest_option,
    given_names,
    is_given,
    json_option,
    layer_option,
    observable_option,
    output_option,
    quiet_option,
    removed_option,
    rule_option,
    spelled,
)
from strag.commands.paths import FilePath
from strag.commands.types import FiniteRange, Times

PER_RUN = "use 'strag sets', which writes one set per run"


@click.command(
    "find-stragglers",
    epilog=example("""
strag find-stragglers h.safetensors -o s.json
strag train mnist8k --runs 10 --epochs 150 --lr 0.2 | strag find-stragglers - | jq .verdict
strag find-stragglers linear.safetensors --at error:0.09 -o linear.json
strag find-stragglers pruned.safetensors --reference h.safetensors --any-verdict -o p.json
"""),
)
@click.argument("history", default="-", type=FilePath(), metavar="[HISTORY]")
@observable_option
@layer_option(all_layers=True)
@click.option(
    "--per-class",
    is_flag=True,
    help="Find one inversion per class. The stragglers are the union over classes.",
)
@rule_option
@fewest_option
@click.option(
    "--at",
    type=Times(),
    default="inversion",
    show_default=True,
    metavar="WHEN",
    help="Time at which misclassified examples are stragglers: inversion, an update, or error:X for a "
    "training error.",
)
@click.option(
    "--quorum",
    type=FiniteRange(0, 1, max_open=True),
    metavar="SHARE",
    help="Let `indices` be the examples that straggle in more than this share of the runs; 0 means in any "
    "run.  [default: 0.5]",
)
@click.option(
    "--core",
    is_flag=True,
    help="Let `indices` be the core: the examples that almost surely straggle in most runs.",
)
@click.option(
    "--reference",
    type=FilePath(),
    metavar="HISTORY",
    help="Training of the same runs on all examples, to compare test errors with.",
)
@click.option(
    "--csv", "csv_file", type=FilePath(), metavar="FILE", help="Also write the table of examples as CSV."
)
@click.option("--any-verdict", is_flag=True, help="Exit with status 0 for every verdict.")
@removed_option("--allow-none", "use --any-verdict, which makes the status of every complete answer 0")
@removed_option("--per-run", PER_RUN)
@removed_option("--controls", PER_RUN, takes_value=True)
@removed_option("--dose", PER_RUN, takes_value=True)
@removed_option("--seed", PER_RUN, takes_value=True)
@output_option("the stragglers")
@json_option
@quiet_option
def command(history, output, csv_file, any_verdict, as_json, quiet, **options):
    """Find the inversion of a training and its stragglers.

    HISTORY is a file written by 'strag train', 'strag geometry', 'strag history' or a Recorder, by default
    stdin. Notes say what is unknown of networks that strag did not train. The output is a table at a
    terminal, else JSON: the inversion of every run, the stragglers, and how sure the answer is.

    The inversion of a run is the valley of the observable along training. Its stragglers are the training
    examples that are misclassified there. The `indices` in the output are the examples that straggle in
    more than half of the runs that invert (--quorum). For each example, the output has the probability
    that it would straggle in another run.

    --reference compares a training without some examples with a training of the same runs on all examples.
    It adds, for every run, the test error of the reference at the end and at its inversion t*, and the
    errors of the run on the test examples that the reference classifies right and wrong at t*.

    In a history of 'strag train --without SETS', each network left out other examples. The output then has
    results for each network, but no consensus and no probabilities.

    The exit status is 3 if the verdict is not `inversion`:

    \b
    - none: training has finished without an inversion
    - open: training has not finished; the output says how long to train
    - unresolved: too few records lie before the valley
    - unstable, diverged: the learning rate is too large

    The output is complete then, and --any-verdict makes the status 0. Status 1 means that the command
    failed.
    """
    from contextlib import ExitStack

    from strag import kinds
    from strag.api.find_stragglers import find, refuse_unused, write_finding
    from strag.commands.deliver import deliver, verdict_status, warn_doubts
    from strag.commands.inputs import refuse_data_set, refuse_overwriting, refuse_several_stdin
    from strag.console import Notes, warn
    from strag.files.output import Output
    from strag.files.streams import refuse_terminal_input
    from strag.stragglers.shortfall import epochs_needed
    from strag.views import stragglers as view

    at, reference = options["at"], options["reference"]
    refuse_unused(given_names(), **options)
    refuse_data_set(history, f"train on it with 'strag train {history}'")
    refuse_terminal_input(history)
    refuse_several_stdin(history, reference)
    refuse_overwriting((history, reference), ("-o", output), ("--csv", csv_file))
    with ExitStack() as stack:
        sink = stack.enter_context(Output(output, binary=False))
        csv_sink = None if csv_file is None else stack.enter_context(Output(csv_file, binary=False))
        loaded = kinds.read(history, "history")
        _require_layers(loaded, at)
        options["reference"] = None if reference is None else kinds.read(reference, "history")
        stragglers, finding = find(loaded, **options)
        deliver(view, lambda out: write_finding(finding, out, csv_sink), sink, as_json, quiet)
    epochs = None if at.is_chosen else epochs_needed(loaded, stragglers.inversions)
    if epochs is not None:
        goes_on = (
            f"'strag train DATA --extend {loaded.source} --epochs {epochs} -o NEW' goes on with its runs"
        )
        Notes(quiet)(f"{loaded.source}: {goes_on}")
    warn_doubts(loaded, stragglers, at.error)
    if not stragglers.pooled:
        reason = f"several networks start from run {loaded.shared_run} and leave out different examples"
        warn(f"{loaded.source}: {reason}; no consensus and no probabilities are computed")
    return verdict_status(stragglers.verdict, at.is_chosen, any_verdict)


def _require_layers(history, at):
    """Refuse options that need measures of layers for a history without any."""
    if is_given("observable"):
        history.require_layers("remove --observable")
    for option in ("per_class", "rule"):
        if is_given(option) and not at.is_chosen:
            name = spelled(option)
            history.require_layers(f"replace {name} with --at UPDATE or --at error:X")
