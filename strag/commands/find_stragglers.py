"""strag find-stragglers: the inversion, its evidence, and the examples behind it."""

import click

from strag.commands.options import (
    FilePath,
    FiniteRange,
    Times,
    example,
    fewest_option,
    is_given,
    json_option,
    layer_option,
    observable_option,
    output_option,
    quiet_option,
    refuse_ignored,
    removed_option,
    rule_option,
    spelled,
)

PER_RUN = "use 'strag sets', which writes the set of every run"


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
@click.option("--per-class", is_flag=True, help="One inversion per class, and the union of their stragglers.")
@rule_option
@fewest_option
@click.option(
    "--at",
    type=Times(),
    default="inversion",
    show_default=True,
    metavar="WHEN",
    help="Take the sets at the inversion, an update, or error:X (training error).",
)
@click.option(
    "--quorum",
    type=FiniteRange(0, 1, max_open=True),
    metavar="SHARE",
    help="Take as indices what is in strictly more than this share of the sets; 0: in any.  [default: 0.5]",
)
@click.option(
    "--core",
    is_flag=True,
    help="Take the core as indices: examples that surely straggle in most runs.",
)
@click.option(
    "--reference",
    type=FilePath(),
    metavar="HISTORY",
    help="The training of the same runs on all examples: put its test error beside every run's.",
)
@click.option(
    "--csv", "csv_file", type=FilePath(), metavar="FILE", help="Write the table of examples as CSV too."
)
@click.option("--any-verdict", is_flag=True, help="Status 0 whatever the verdict.")
@removed_option("--allow-none", "give --any-verdict, which makes every complete answer status 0")
@removed_option("--per-run", PER_RUN)
@removed_option("--controls", PER_RUN, takes_value=True)
@removed_option("--dose", PER_RUN, takes_value=True)
@removed_option("--seed", PER_RUN, takes_value=True)
@output_option("the stragglers")
@json_option
@quiet_option
def command(history, output, csv_file, any_verdict, as_json, quiet, **options):
    """Find the inversion and the stragglers behind it.

    The inversion of a run is the valley of the observable along training; its stragglers are the
    training examples misclassified there. Over the runs, `indices` are the examples that straggle
    in more than half of the inverting runs (--quorum), and every example gets the probability that
    another run would call it a straggler.

    --reference puts beside every run of a training without some examples what the same run, trained on
    all of them, says: its test error at the end and stopped at its inversion t*, and how the run does
    on the test examples that it, stopped at t*, classified right and wrong.

    The networks of a training --without sets differ by what they left out: of such a history, only
    what the single networks say is taken, no consensus and no probabilities.

    Exit status 3 says that the answer is not an inversion. none: training has finished without one;
    open: it has not finished, and the output says how long to train; unresolved: too few records lie
    before the valley; unstable, diverged: a lower learning rate would tell. The output is complete all
    the same, and --any-verdict makes it status 0. Status 1 says that the command failed.
    """
    from contextlib import ExitStack

    from strag import kinds
    from strag.api.find_stragglers import find, write_finding
    from strag.commands.deliver import deliver, verdict_status, warn_doubts
    from strag.commands.inputs import refuse_data_set, refuse_overwriting, refuse_several_stdin
    from strag.console import warn
    from strag.files.output import Output
    from strag.files.streams import refuse_terminal_input
    from strag.views import stragglers as view

    at, reference = options["at"], options["reference"]
    _refuse_ignored(options)
    refuse_data_set(history, f"train on it with 'strag train {history}'")
    refuse_terminal_input(history)
    refuse_several_stdin(history, reference)
    refuse_overwriting((history, reference), ("-o", output), ("--csv", csv_file))
    with ExitStack() as stack:
        sink = stack.enter_context(Output(output, binary=False))
        csv_sink = None if csv_file is None else stack.enter_context(Output(csv_file, binary=False))
        read = kinds.read(history, "history")
        _require_layers(read, at)
        options["reference"] = None if reference is None else kinds.read(reference, "history")
        found, finding = find(read, **options)
        deliver(view, lambda out: write_finding(finding, out, csv_sink), sink, as_json, quiet)
    warn_doubts(read, found, at.error)
    if not found.pooled:
        shared = f"several networks started as run {read.shared_run}, each without other examples"
        warn(f"{read.source}: {shared}; no consensus and no probabilities are taken")
    return verdict_status(found.verdict, at.is_chosen, any_verdict)


def _refuse_ignored(options):
    """Refuse options that contradict each other, or of which one leaves the other without effect."""
    at, per_class, chosen = options["at"], options["per_class"], options["at"].is_chosen
    inverts = not chosen or options["reference"]  # a reference is stopped at its own inversion
    refuse_ignored(
        # Per class there is one observable, the class's radius, and one moment, its inversion.
        ("observable", per_class, "contradicts --per-class"),
        ("at", per_class and chosen, "contradicts --per-class"),
        ("layer", per_class and options["layer"] == "all", "all contradicts --per-class"),
        ("quorum", options["core"], "contradicts --core"),
        ("rule", not inverts, f"seeks inversions, and with --at {at} the sets are taken there"),
        ("fewest", options["rule"] == "first-increase", "is for --rule valley"),
    )


def _require_layers(history, at):
    """Refuse options about the measures of layers for a history without any."""
    if is_given("observable"):
        history.require_layers("leave --observable out")
    for option in ("per_class", "rule"):
        if is_given(option) and not at.is_chosen:
            name = spelled(option)
            history.require_layers(f"leave {name} out, and take the sets with --at UPDATE or --at error:X")
