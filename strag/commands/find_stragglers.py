"""strag find-stragglers: the inversion, its evidence, and the examples behind it."""

import click

from strag.commands.options import (
    FilePath,
    FiniteRange,
    example,
    fewest_option,
    is_given,
    json_option,
    output_option,
    quiet_option,
    refuse_ignored,
    removed_option,
)

ANOTHER_ANSWER = 3  # exit status


@click.command(
    "find-stragglers",
    epilog=example("""
strag find-stragglers h.safetensors -o s.json
strag train mnist8k --runs 10 --epochs 150 --lr 0.2 | strag find-stragglers - | jq .verdict
strag find-stragglers linear.safetensors --at error:0.09 -o linear.json
strag find-stragglers pruned.safetensors --reference h.safetensors --any-verdict -o p.json
strag find-stragglers h.safetensors --at log:12 --per-run --controls random -o sets.safetensors
"""),
)
@click.argument("history", default="-", type=FilePath(), metavar="[HISTORY]")
@click.option(
    "--observable",
    metavar="NAME",
    help="Curve whose valley is sought: radius (rms over classes), radius:CLASS, distance, separation.  "
    "[default: radius; with --rule first-increase radius:0]",
)
@click.option("--layer", metavar="N|all", help="Recorded layer, or a profile of all.  [default: the first]")
@click.option("--per-class", is_flag=True, help="One inversion per class, and the union of their stragglers.")
@click.option(
    "--rule",
    type=click.Choice(["valley", "first-increase"]),
    default="valley",
    show_default=True,
    help="first-increase is the paper's notebook's: the first rise from update 20 on, of class 0's radius.",
)
@fewest_option
@click.option(
    "--at",
    default="inversion",
    show_default=True,
    metavar="WHEN",
    help="Take the sets at the inversion, an update, or error:X (training error); with --per-run also log "
    "(records a tenth apart in ln t) or log:N (N records, from the first to the last).",
)
@click.option(
    "--quorum",
    type=FiniteRange(0, 1, max_open=True),
    metavar="SHARE",
    help="Take as indices, and for --dose, what is in strictly more than this share of the sets; 0: in any."
    "  [default: 0.5]",
)
@click.option("--per-run", is_flag=True, help="Write the set of every run, as a file for train --without.")
@click.option(
    "--controls",
    metavar="KINDS",
    help="With --per-run: add controls, one or more of random,class,earlier.",
)
@click.option(
    "--dose",
    metavar="SHARES",
    help="With --per-run: add shares of the most frequent stragglers, as 0.1,0.5,1.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, metavar="N", show_default=True, help="Seed of the controls."
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
@output_option("the stragglers")
@json_option
@quiet_option
def command(history, output, quiet, **options):
    """Find the inversion and the stragglers behind it.

    The inversion of a run is the valley of the observable along training; its stragglers are the
    training examples misclassified there. Over the runs, `indices` are the examples that straggle
    in more than half of the inverting runs (--quorum), and every example gets the probability that
    another run would call it a straggler.

    With --per-run, the output is one set per run for train --without, which trains one network for
    each, from that run's initial weights: S(t*), or S(t) at log-spaced records (--at log, log:N). --dose
    adds the most frequent stragglers of all runs in growing doses. --controls adds for each set as many
    examples at random (random), as many of each original class (class), or as many of those that the
    same network misclassified at half the time (earlier), which tell whether it is the moment that
    matters.

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
    from strag.commands.options import refuse_data_set, refuse_overwriting, refuse_several_stdin
    from strag.files.streams import refuse_terminal_input

    _refuse_ignored(options)
    options["observable"] = options["observable"] or _usual_observable(options)
    options["quorum"] = 0.5 if options["quorum"] is None else options["quorum"]
    refuse_data_set(history, f"train on it with 'strag train {history}'")
    refuse_terminal_input(history)
    refuse_several_stdin(history, options["reference"])
    refuse_overwriting((history, options["reference"]), ("-o", output), ("--csv", options["csv_file"]))
    if options["per_run"]:
        from strag.commands.sets_job import write_sets_of

        return write_sets_of(history, output, quiet, options)
    return _find(history, output, quiet, options)


def _refuse_ignored(options):
    """Refuse options that contradict each other, or of which one leaves the other without effect."""
    at, per_run, per_class = options["at"], options["per_run"], options["per_class"]
    all_layers = options["layer"] == "all"
    over_time, chosen = at.partition(":")[0] == "log", at != "inversion"
    if over_time and not per_run:
        raise click.UsageError(f"--at {at} needs --per-run")
    # Doses over time are of the sets at the inversion; a reference is stopped at its own.
    inverts = not chosen or (over_time and options["dose"]) or options["reference"]
    refuse_ignored(
        # Per class there is one observable, the class's radius, and one moment, its inversion.
        ("observable per_run", per_class, "contradicts --per-class"),
        ("at", per_class and chosen, "contradicts --per-class"),
        ("layer", per_class and all_layers, "all contradicts --per-class"),
        ("core reference csv_file as_json", per_run, "contradicts --per-run"),
        ("layer", per_run and all_layers, "all contradicts --per-run"),
        ("controls dose", not per_run, "needs --per-run"),
        ("seed", options["controls"] is None, "needs --controls"),
        ("quorum", options["core"], "contradicts --core"),
        ("quorum", per_run and options["dose"] is None, "needs --dose where --per-run is given"),
        ("rule", not inverts, f"seeks inversions, and with --at {at} the sets are taken there"),
        (
            "fewest observable layer",
            per_run and not inverts,
            f"is for inversions, which --at {at} does not seek",
        ),
        ("fewest", options["rule"] == "first-increase", "is for --rule valley"),
    )


def _usual_observable(options):
    """The radius over all classes; for the notebook's rule, which knows no other, that of class 0."""
    first = options["rule"] == "first-increase" and not options["per_class"]
    return "radius:0" if first else "radius"


def _find(history, output, quiet, options):
    """Find the stragglers and write them; the exit status."""
    from strag import kinds
    from strag.console import Notes
    from strag.files.output import Output
    from strag.files.stragglers import stragglers_object, write_csv
    from strag.stragglers.find import Moment
    from strag.stragglers.reference import reference_of
    from strag.views.stragglers import summary_line

    moment = Moment.parse(options["at"])
    with Output(output, binary=False) as sink, _csv_output(options["csv_file"]) as csv_sink:
        read = kinds.read(history, "history")
        if is_given("observable"):
            read.require_layers("leave --observable out")
        for option in ("per_class", "rule"):
            if is_given(option) and not moment.is_chosen:
                name = f"--{option.replace('_', '-')}"
                read.require_layers(f"leave {name} out, and take the sets with --at UPDATE or --at error:X")
        found, profile = _found(read, options, moment)
        reference = None
        if options["reference"] is not None:
            whole = kinds.read(options["reference"], "history")
            whole.require_layers("leave --reference out")
            reference = reference_of(read, whole, _found(whole, options, Moment())[0])
        if options["core"] and exit_status(found.verdict, moment.is_chosen, False) == 0:
            found.require_core(read.source)
        value = stragglers_object(read, found, _recipe(options, read), options["core"], profile, reference)
        if csv_sink:
            write_csv(csv_sink, value["examples"])
            if csv_sink.is_direct:  # which may still refuse its bytes
                csv_sink.commit()
        shown = _write(value, output, sink, options["as_json"])
        if csv_sink and not csv_sink.is_direct:
            csv_sink.commit()
    if not shown:
        Notes(quiet)(summary_line(value))
    _warn(read, found, moment.error)
    return exit_status(found.verdict, moment.is_chosen, options["any_verdict"])


def _recipe(options, history):
    """What of the options changes the numbers; the layer by its number, or `all`."""
    recipe = {name: options[name] for name in ("observable", "layer", "rule", "at", "core", "per_class")}
    if recipe["layer"] != "all":
        first = history.layers[0] if history.layers else None
        recipe["layer"] = history.layer(recipe["layer"]) if recipe["layer"] else first
    return {**recipe, "min_misclassified": options["fewest"], "quorum": options["quorum"]}


def _found(history, options, moment):
    """The Stragglers that the options mean, and those of every layer, or None."""
    from strag.stragglers.per_class import find_per_class
    from strag.stragglers.profile import find_by_layer

    same = {name: options[name] for name in ("rule", "fewest", "quorum")}
    if options["per_class"]:
        return find_per_class(history, history.layer(options["layer"]), **same), None
    return find_by_layer(history, options["observable"], options["layer"], at=moment, **same)


def _csv_output(path):
    from contextlib import nullcontext

    from strag.files.output import Output

    return nullcontext() if path is None else Output(path, binary=False)


def _write(value, output, sink, as_json):
    """Write the stragglers, or show them at a terminal; whether they were shown."""
    from strag.console import stdout_is_terminal
    from strag.files.jsonfile import write_json
    from strag.views.stragglers import show

    if output == "-" and stdout_is_terminal() and not as_json:
        show(value)
        return True
    write_json(value, sink)
    return False


def _warn(history, found, level):
    """Say what to doubt, once."""
    from strag.console import warn
    from strag.stragglers.doubts import doubts

    lines = doubts(history, found, level)
    if not found.pooled:
        shared = f"several networks started as run {history.shared_run}, each without other examples"
        lines.append(f"{shared}; no consensus and no probabilities are taken")
    for line in lines:
        warn(f"{history.source}: {line}")


def exit_status(verdict, is_chosen, any_verdict):
    """The exit status: of the verdict, unless the sets were taken at a place of the user's choice."""
    return 0 if verdict == "inversion" or is_chosen or any_verdict else ANOTHER_ANSWER
