"""The `strag` command. It loads a subcommand when the user calls it, and turns every failure into one line on
stderr and an exit status."""

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
from strag.errors import StragError, StragNote, StragWarning, is_lack_of_memory, with_options

# In the order of the pipeline. The summaries are here so that `--help` loads no command.
COMMANDS = {
    "data": "Import a data set, take a subset of it, and group its classes.",
    "train": "Train many networks at once and record the dynamics.",
    "merge": "Join the parts of a training, or recorded runs.",
    "dump": "Run trained networks and write their activations and predictions.",
    "geometry": "Measure class radii, distances and separation from activations.",
    "expansion": "Measure which examples expand or contract the class manifolds.",
    "history": "Import predictions that another program logged during training.",
    "find-stragglers": "Find the inversion of a training and its stragglers.",
    "sets": "Write sets of examples to leave out of training, one set per network.",
    "prune": "Remove examples from a data set, or keep only them.",
    "stability": "Measure how far independent runs misclassify the same examples.",
    "compare": "Measure how far sets of stragglers overlap.",
    "summary": "Summarise many experiments in one table.",
    "linearity": "Measure how linear trained networks are.",
    "export": "Write a table with one row per example for other programs.",
    "plot": "Draw the picture that belongs to a file.",
    "info": "Show what a file holds and how it was made.",
}


class _Interrupted(BaseException):
    """The signal that ended the work: that of Ctrl-C, or another one."""

    def __init__(self, interrupted):
        super().__init__(interrupted)
        self.signal = interrupted if isinstance(interrupted, signals.Interrupted) else signals.Interrupted()


class _ReaderLeft(BaseException):
    """The reader of stdout has closed the pipe."""


@contextlib.contextmanager
def _hidden_from_click():
    """Keep Ctrl-C and broken pipes from click, which prints an empty line or exits with status 1."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise _Interrupted(error) from None
    except BrokenPipeError:
        raise _ReaderLeft from None


class LazyGroup(click.Group):
    """A group of commands that imports a command only when the user calls it."""

    def list_commands(self, ctx):
        """Return the names of the commands, in the order of the pipeline."""
        return list(COMMANDS)

    def get_command(self, ctx, name):
        """Import and return a command, or return None if there is no command of this name."""
        if name not in COMMANDS:
            return None
        return importlib.import_module(f"strag.commands.{name.replace('-', '_')}").command

    def resolve_command(self, ctx, args):
        """Return the command that the arguments name, as click does.

        Raises StragError, with a similar name as the hint, if there is no such command.
        """
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            similar = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean 'strag {similar[0]}'?" if similar else "see 'strag --help'"
            raise StragError(f"no command '{name}'", hint, status=2)
        return super().resolve_command(ctx, args)

    def make_context(self, *args, **options):
        """Parse the arguments, as click does, but raise signals and broken pipes as errors of this module."""
        with _hidden_from_click():
            return super().make_context(*args, **options)

    def invoke(self, ctx):
        """Run the command, as click does, but raise signals and broken pipes as errors of this module."""
        with _hidden_from_click():
            return super().invoke(ctx)

    def format_commands(self, ctx, formatter):
        """Write the list of commands into the help, without importing the commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


_KINDS = {  # click's names of numbers, in words
    **dict.fromkeys(("integer range", "integer"), "a whole number"),
    **dict.fromkeys(("float range", "float"), "a number"),
    "workers": "a whole number or auto",
}


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
Shell completion for bash (for zsh and fish, replace bash):
  eval "$(_STRAG_COMPLETE=bash_source strag)"
""",
)
@click.version_option(__version__, prog_name="strag", message="%(prog)s %(version)s")
@click.pass_context
def group(ctx):
    """Find stragglers: the training examples that make a network entangle its classes again.

    Every command reads files or stdin ('-') and writes a file or stdout, so that an experiment is a
    shell pipeline or a Makefile.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(args=None):
    """Run strag with `args`, by default those of the command line, and return its exit status.

    After a signal the status is 128 plus the number of the signal, as in a shell.
    """
    handlers = signals.listen()
    try:
        with _warnings_shown():
            return _status_of(args)
    finally:
        signals.restore(handlers)


def _status_of(args):
    """Run strag with `args`. Returns the exit status."""
    try:
        status = group.main(args, prog_name="strag", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
        if signals.raised():  # it was lost, or came during the last import
            raise signals.raised()
        return status or 0
    except (_ReaderLeft, BrokenPipeError):
        return _reader_left()
    except (_Interrupted, KeyboardInterrupt, click.Abort) as error:
        return _ended(error)
    except Exception as error:
        return _ended(signals.raised()) if signals.raised() else _failed(error, args)


def _ended(error):
    """Report the signal that ended the work. Returns the exit status."""
    signals.leave()
    signal = (error if isinstance(error, _Interrupted) else _Interrupted(error)).signal
    say(signal)
    return signals.FAILED + signal.number


def _failed(error, args):
    """Report an error in one line. Returns the exit status. An unexpected error is raised again."""
    try:
        raise error
    except StragError as error:
        say(str(error.as_options()))
        return error.status
    except click.ClickException as error:
        return _usage(error, sys.argv[1:] if args is None else args)
    except (MemoryError, RuntimeError) as error:
        if not is_lack_of_memory(error):
            raise
        say("not enough memory; use fewer examples ('strag data --size'), runs or units (--width)")
        return 1
    except OSError as error:
        source = f"{error.filename}: " if error.filename else ""
        say(f"{source}{error.strerror or error}; check the path, its permissions, and the space on the disk")
        return 1


@contextlib.contextmanager
def _warnings_shown():
    """Show each warning of strag once.

    Warnings and logs of libraries, such as one about a home folder without write permission, are not shown,
    because users of strag cannot act on them.
    """
    shown, silent = set(), logging.NullHandler()

    def show(message, category, *_, **__):
        if not issubclass(category, StragWarning) or str(message) in shown:
            return
        shown.add(str(message))
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


def _usage(error, args):
    """Report a usage error of click in one line. Returns the exit status."""
    ctx = getattr(error, "ctx", None)
    command = "strag " + args[0] if args and args[0] in COMMANDS else "strag"  # errors of click's parser
    path = ctx.command_path if ctx else command
    problem = " ".join(error.format_message().split()).rstrip(".")
    if problem[1:2].islower():  # a sentence of click, not the NAME of an argument
        problem = problem[0].lower() + problem[1:]
    for kind, meaning in _KINDS.items():
        problem = problem.replace(f"is not a valid {kind}", f"is not {meaning}")
    has_remedy = "; " in problem
    say(problem if has_remedy else f"{problem}; see '{path} --help'")
    return error.exit_code


def _reader_left():
    """Close stdout after its reader has left, as with `| head`. Returns the exit status, which is 0."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
