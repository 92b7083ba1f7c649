"""The options that commands share, and how commands ask which options are set."""

import click
from click.core import ParameterSource

from strag.commands.paths import FilePath, ModelName
from strag.commands.types import JsonObject, LayerName, Numbers, Observable
from strag.geometry.measures import observables

quiet_option = click.option(
    "-q", "--quiet", is_flag=True, help="Do not print notes; warnings are still printed."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON even to a terminal.")
fewest_option = click.option(
    "--min-misclassified",
    "fewest",
    type=click.IntRange(1, 2**53),
    default=10,
    show_default=True,
    metavar="N",
    help="An inversion needs at least N misclassified examples.",
)
observable_option = click.option(
    "--observable",
    type=Observable(),
    metavar="NAME",
    help=f"Curve in which to look for the inversion: {', '.join(observables(explained=True))}, "
    "or a measure that 'strag geometry --measure' added.  "
    "[default: radius, or radius:0 with --rule first-increase]",
)
rule_option = click.option(
    "--rule",
    type=click.Choice(["valley", "first-increase"]),
    default="valley",
    show_default=True,
    help="How to find the inversion: a valley of the curve, or, as in the paper's notebook, its first "
    "increase at or after update 20.",
)


def layer_option(all_layers=False):
    """--layer: a recorded layer, or `all` if the command can profile all layers."""
    more = ", by number or name, or all to profile every layer" if all_layers else ", by number or name"
    return click.option(
        "--layer",
        type=LayerName(all_layers),
        metavar="LAYER|all" if all_layers else "LAYER",
        help=f"Recorded layer to use{more}.  [default: the first]",
    )


device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Device to compute on.",
)
threads_option = click.option(
    "--threads",
    type=click.IntRange(1, 4096),
    metavar="N",
    help="Number of processor threads.  [default: chosen by torch]",
)


def output_option(what):
    """-o FILE: the file to write, by default stdout."""
    return click.option(
        "-o",
        "--output",
        type=FilePath(),
        metavar="FILE",
        default="-",
        help=f"File to write {what} to.  [default: '-', stdout]",
    )


def removed_option(name, instead, takes_value=False):
    """An option of an older strag. Using it is an error that says what to do `instead`."""

    def refuse(ctx, param, value):
        if value not in (None, False):
            raise click.UsageError(f"{name} no longer exists; {instead}", ctx)

    flag = {} if takes_value else {"is_flag": True}
    text = f"No longer exists; {instead}."
    return click.option(name, hidden=True, expose_value=False, callback=refuse, help=text, **flag)


def is_given(name):
    """Whether the user has set an option of the running command, so that its value is not the default."""
    return click.get_current_context().get_parameter_source(name) not in (None, ParameterSource.DEFAULT)


def spelled(name):
    """The spelling of an option of the running command, from the name of its parameter."""
    (param,) = (param for param in click.get_current_context().command.params if param.name == name)
    return max(param.opts, key=len)


def given_names():
    """The options of the running command that the user has set: the set of their names in Python.

    The name of `--min-misclassified` is `min_misclassified`.
    """
    params = click.get_current_context().command.params
    options = [param for param in params if isinstance(param, click.Option) and is_given(param.name)]
    return {max(param.opts, key=len).removeprefix("--").replace("-", "_") for param in options}


def refuse_ignored(*rules):
    """Refuse options of the command alone that are set but have no effect.

    rules : see `strag.api.arguments.refuse_ignored`.
    """
    from strag.api import arguments

    arguments.refuse_ignored(given_names(), *rules)


def example(text):
    """An epilog of example commands, one per line, which click does not wrap."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in text.strip().splitlines())


def model_option(text, *names):
    """--model: what builds the networks. text : its help. names : models of strag; the first is the default.

    Without names, it is a function in a file.
    """
    shown = {"default": names[0], "show_default": True} if names else {}
    metavar = "|".join((*names, "FILE.py:FACTORY"))
    return click.option("--model", type=ModelName(*names), metavar=metavar, help=text, **shown)


stored_model_option = model_option(
    "The --model of the training, where it was a function in a file; strag runs this file."
)
model_args_option = click.option(
    "--model-args",
    type=JsonObject(),
    metavar="JSON",
    help="Further arguments of FACTORY, such as '{\"width\": 16}'.",
)


def stored_updates_option(verb):
    """Return the option `--updates` of a command that reads weights. verb : what it does with them."""
    return click.option(
        "--updates",
        type=Numbers("all", several=True, what="updates such as 0,40"),
        metavar="UPDATES|all",
        default="all",
        show_default=True,
        help=f"Stored updates to {verb}, such as 0,40.",
    )


def stored_runs_option(verb):
    """Return the option `--runs` of a command that reads weights. verb : what it does with them."""
    return click.option(
        "--runs",
        type=Numbers("all", several=True, what="runs such as 0,3"),
        metavar="RUNS|all",
        default="all",
        show_default=True,
        help=f"Runs to {verb}, such as 0,3.",
    )
