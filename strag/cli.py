"""The `strag` command: its subcommands in pipeline order, loaded when they are needed, and the
funnel through which every failure leaves as one line and an exit status."""

import contextlib
import difflib
import importlib
import logging
import os
import sys
import warnings

import click

from strag import __version__, signals
from strag.console import Notes, say, warn
from strag.errors import StragError, StragNote, StragWarning, with_options

# The order of the pipeline; the summaries stand here so that `--help` loads no command.
COMMANDS = {
    "data": "Import a data set: subset it, label its groups.",
    "train": "Train many networks at once and record the dynamics.",
    "dump": "Dump hidden activations and predictions.",
    "geometry": "Measure radii, distances and separation.",
    "find-stragglers": "Find the inversion and the stragglers behind it.",
    "sets": "Write many sets of examples, to train one network without each.",
    "prune": "Remove examples from a data set, or keep only them.",
    "stability": "Measure how far independent runs misclassify the same examples.",
    "compare": "Compare sets of stragglers: overlap, and agreement beyond chance.",
    "summary": "Put many experiments beside each other.",
    "plot": "Draw the picture that belongs to a file.",
    "info": "Say what a file holds and what made it.",
}


class _Interrupted(BaseException):
    """What ended the work, Ctrl-C or another signal, by its number."""

    def __init__(self, interrupted):
        super().__init__(interrupted)
        self.told = interrupted if isinstance(interrupted, signals.Interrupted) else signals.Interrupted()


class _ReaderLeft(BaseException):
    """A broken pipe."""


@contextlib.contextmanager
def _out_of_clicks_hands():
    """Click would answer Ctrl-C with an empty line, and a broken pipe with status 1."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise _Interrupted(error) from None
    except BrokenPipeError:
        raise _ReaderLeft from None


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx):
        return list(COMMANDS)

    def get_command(self, ctx, name):
        if name not in COMMANDS:
            return None
        return importlib.import_module(f"strag.commands.{name.replace('-', '_')}").command

    def resolve_command(self, ctx, args):
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean 'strag {near[0]}'?" if near else "see 'strag --help'"
            raise StragError(f"no command '{name}'", hint, status=2)
        return super().resolve_command(ctx, args)

    def make_context(self, *args, **options):
        with _out_of_clicks_hands():
            return super().make_context(*args, **options)

    def invoke(self, ctx):
        with _out_of_clicks_hands():
            return super().invoke(ctx)

    def format_commands(self, ctx, formatter):
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    epilog="""
\b
Example:
  strag train mnist8k --runs 10 --epochs 150 --lr 0.2 -o h.safetensors
  strag find-stragglers h.safetensors -o s.json
  strag prune mnist8k s.json | strag train - --runs 10 --epochs 150 --lr 0.2 -o p.safetensors
  strag plot h.safetensors p.safetensors -o pruned.png

\b
Shell completion, for bash (zsh and fish alike):
  eval "$(_STRAG_COMPLETE=bash_source strag)"
""",
)
@click.version_option(__version__, prog_name="strag", message="%(prog)s %(version)s")
@click.pass_context
def group(ctx):
    """Find the stragglers: the training examples that make a network re-entangle its classes.

    Every command reads files or stdin ('-') and writes a file or stdout, so that a shell pipeline
    or a Makefile is the experiment.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(args=None):
    """Run strag with `args` (default: the command line's) and return its exit status.

    What a signal ends has 128 and the signal's number, as a shell counts.
    """
    heard = signals.listen()
    try:
        with _warnings_told():
            return _status_of(args)
    finally:
        signals.restore(heard)


def _status_of(args):
    try:
        status = group.main(args, prog_name="strag", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
        return status or 0
    except (_ReaderLeft, BrokenPipeError):
        return _reader_left()
    except (_Interrupted, KeyboardInterrupt, click.Abort) as error:
        return _ended(error)
    except Exception as error:
        return _ended(signals.raised()) if signals.raised() else _failed(error, args)


def _ended(error):
    """What Ctrl-C or another signal ended: say so; the exit status."""
    signals.leave()
    told = (error if isinstance(error, _Interrupted) else _Interrupted(error)).told
    say(told)
    return signals.FAILED + told.number


def _failed(error, args):
    """What went wrong, in one line; the exit status. Raises what nobody foresaw."""
    try:
        raise error
    except StragError as error:
        say(str(error.as_options()))
        return error.status
    except click.ClickException as error:
        return _usage(error, sys.argv[1:] if args is None else args)
    except (MemoryError, RuntimeError) as error:
        if not _is_lack_of_memory(error):
            raise
        say("not enough memory; use fewer examples ('strag data --size'), runs or units (--width)")
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        say(f"{where}{error.strerror or error}; check the path, its permissions, and the room on the disk")
        return 1


@contextlib.contextmanager
def _warnings_told():
    """Say what strag warns of, each line once.

    What a library warns of or logs, such as a home that cannot be written, is nothing that a user of strag
    could mend.
    """
    said, silent = set(), logging.NullHandler()

    def show(message, category, *_, **__):
        if not issubclass(category, StragWarning) or str(message) in said:
            return
        said.add(str(message))
        if issubclass(category, StragNote):
            context = click.get_current_context(silent=True)
            Notes(context is not None and context.params.get("quiet", False))(with_options(str(message)))
        else:
            warn(with_options(str(message)))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", StragWarning)
        warnings.showwarning = show
        logging.getLogger().addHandler(silent)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(silent)


def _is_lack_of_memory(error):
    """Whether it is Python's word for it, or one of torch's, which is not imported for that."""
    words = ("can't allocate memory", "out of memory")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


def _usage(error, args):
    ctx = getattr(error, "ctx", None)
    called = "strag " + args[0] if args and args[0] in COMMANDS else "strag"  # what click says of its parser
    path = ctx.command_path if ctx else called
    problem = " ".join(error.format_message().split()).rstrip(".")
    if problem[1:2].islower():  # a sentence of click's, rather than the NAME of an argument
        problem = problem[0].lower() + problem[1:]
    say(problem if "; " in problem else f"{problem}; see '{path} --help'")  # unless it says what to do
    return error.exit_code


def _reader_left():
    """The reader of our stdout has had enough (`| head`): that is no failure of ours."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
