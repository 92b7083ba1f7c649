"""strag plot: the picture that belongs to a file."""

import itertools

import click

from strag.commands.options import example, output_option, quiet_option, refuse_ignored, spelled
from strag.commands.paths import DataPath, FilePath
from strag.commands.types import FiniteRange, LayerName, Names
from strag.errors import StragError, bad_usage
from strag.geometry.measures import STANDARD
from strag.views.style import FORMATS

VECTORS = ("svg", "pdf")  # formats that have pixels only if the picture contains images
WITH_IMAGES = ("stragglers", "comparison")


def _curves():
    from strag.views.dynamics import CURVES

    return CURVES


@click.command(
    "plot",
    epilog=example("""
strag plot h.safetensors
strag plot h.safetensors --x error -o dynamics.svg
strag plot h.safetensors --curves radius,distance,separation -o three.pdf
strag plot h.safetensors pruned.safetensors --label all --label 'without stragglers' -o both.pdf
strag train mnist8k --without sets.safetensors --epochs 150 | strag plot - -o doses.png
strag plot sweep.safetensors --x error --reference h.safetensors -o sweep.png
strag plot s.json --data mnist8k -o stragglers.png
strag plot s.json --by-class -o classes.png
strag stability h.safetensors | strag plot - -o agreement.png
strag compare s.json t.json | strag plot - -o overlap.png
strag train mnist8k --runs 3 --epochs 100 --lr 0.2 | strag plot > quick.png
"""),
)
@click.argument("files", nargs=-1, type=FilePath(), metavar="[FILE]...")
@click.option(
    "--x",
    type=click.Choice(["updates", "error"]),
    help="Horizontal axis of a history, a linearity, or a sweep over updates.  [default: updates]",
)
@click.option(
    "--curves",
    type=Names(_curves, "curve"),
    metavar="NAMES",
    help=f"Panels of a history, in order: {', '.join(measure.name for measure in STANDARD)}, error, or "
    "measures that 'strag geometry --measure' added.  "
    "[default: radius,distance]",
)
@click.option(
    "--layer",
    type=LayerName(all_layers=True),
    metavar="LAYER|all",
    help="Recorded layer of a history, or all to draw every layer.  [default: the first]",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="TEXT",
    help="Name of a history; once per FILE, in order.  [default: the name of the file]",
)
@click.option(
    "--data",
    type=DataPath(),
    metavar="DATA",
    help="Data set of the training, for the images of the stragglers.",
)
@click.option(
    "--number", type=click.IntRange(1, 400), metavar="N", help="Number of stragglers to show.  [default: 40]"
)
@click.option(
    "--by-class",
    is_flag=True,
    default=None,
    help="Draw the share of every original class that straggles, against its test error.",
)
@click.option(
    "--noise",
    type=FiniteRange(0),
    metavar="SIGMA",
    help="Noise on the test inputs of a sweep.  [default: the largest in the file]",
)
@click.option(
    "--reference",
    type=FilePath(),
    metavar="HISTORY",
    help="Training of the runs of a sweep on all examples, to draw its test error and inversion.",
)
@click.option(
    "--min-misclassified",
    "fewest",
    type=click.IntRange(1, 2**53),
    metavar="N",
    help="An inversion needs at least N misclassified examples, as in find-stragglers.  [default: 10]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="Format of the figure.  [default: the suffix of -o; png in a pipe]",
)
@click.option(
    "--dpi", type=click.IntRange(20, 600), metavar="N", help="Resolution in pixels per inch.  [default: 150]"
)
@output_option("the figure")
@quiet_option
def command(files, labels, form, dpi, output, quiet, **options):
    """Draw the picture that belongs to a file.

    FILE is a file written by another command, by default stdin ('-'). The output is a PNG, SVG or PDF
    figure. At a terminal, without -o, every picture but the gallery is printed in characters.

    The kind of FILE determines the picture:

    \b
    - history: the gyration radii of the classes and their distance along
      training (or --curves), as means over the runs, with the inversion of the
      rms radius and the minimum of each class marked.
      Several histories, or with --layer all every layer of one, are drawn over
      each other.
    - sweep (a history of 'strag train --without SETS'): the share of the
      networks that invert, and their test error, against the dose or the update
      t of the sets (with --x error, against the share of the examples that they
      hold). For doses also t* and the depth of the valley up to 4 t*; for
      updates also the test error minus that of each control, paired by run.
      --reference adds t*, and the test error of the same runs trained on all
      examples, at the end and at t*.
    - stragglers: a gallery of the examples that straggle most often, with the
      images of --data; or, with --by-class, the share of every original class
      that straggles, against its test error.
    - stability: the agreement of the runs against the training error, once on
      the whole axis and once near its largest value; z from 50 independent
      pairs on.
    - comparison: a map of the overlaps.
    - linearity: R^2 of a linear function against the network, and the share of
      equal decisions, along training.
    - scores: who expands the groups, the stragglers or the others, and the
      distribution of the scores.
    - summary: the inversion of every condition and the noise of seeds and
      blocks, or the inversion against the number of examples.
    """
    from contextlib import nullcontext

    from strag.commands.inputs import called, refuse_data_set, refuse_overwriting, refuse_several_stdin
    from strag.console import Notes, print_tables, stdout_is_terminal
    from strag.files.output import Output
    from strag.views.style import rendered

    files = files or ("-",)
    data, reference = options["data"], options["reference"]
    for path in files:
        refuse_data_set(path, f"plot a history, such as the output of 'strag train {path}'")
    refuse_several_stdin(*files, data, reference)
    refuse_ignored(("data number", options["by_class"], "contradicts --by-class"))
    refuse_overwriting((*files, data, reference), ("-o", output))
    names = called(files, labels)
    form = _format(form, output)
    in_terminal = output == "-" and form is dpi is None and stdout_is_terminal()
    with nullcontext() if in_terminal else Output(output) as sink:
        picture = _picture(files, names, labels, options, (form, dpi))
        if sink:
            figure = picture.figure()
            with sink.writing():
                sink.file.write(rendered(figure, form or "png", dpi or 150))
            sink.commit()
        elif picture.text:
            _print_text(picture.text)
        elif picture.tables:
            print_tables(picture.tables())
        else:
            raise bad_usage(
                "is a terminal, which cannot show images",
                "write the gallery to a file with -o FILE",
                "stdout",
            )
    for line in picture.notes if sink else ():
        Notes(quiet)(line)


def _picture(files, names, labels, options, pixels):
    """The Picture of FILEs. The kind of the first determines which options apply."""
    from strag.api.plot import kind_of, picture

    first = _read(files[0])
    kind = kind_of(first)
    chosen = {name: value for name, value in {**options, "labels": labels}.items() if value not in (None, ())}
    _refuse(kind, first.source, chosen, pixels)
    chosen.pop("labels", None)
    rest = (_read(path) for path in files[1:])
    if kind.name == "history":  # a single history has the title of its data
        chosen["names"] = (None,) if len(files) == 1 and not labels else names
    if "reference" in chosen:
        from strag import kinds

        chosen["reference"] = kinds.read(chosen["reference"], "history")
    if "data" in chosen:
        return _gallery(first, rest, chosen)
    return picture(itertools.chain([first], rest), **chosen)


def _gallery(stragglers, rest, options):
    """The Picture of images. Errors and notes about the images are about the file of --data."""
    from dataclasses import replace

    from strag.api.plot import picture
    from strag.api.prune import require_origin
    from strag.commands.inputs import read_data
    from strag.files.streams import name_of

    images, name = read_data(options["data"]), name_of(options["data"])
    require_origin(images, stragglers)
    try:
        gallery = picture(itertools.chain([stragglers], rest), **{**options, "data": images})
    except StragError as error:
        raise error.about(name) from None
    return replace(gallery, notes=tuple(f"{name}: {line}" for line in gallery.notes))


def _read(path):
    """The content of a FILE. Its kind must have a picture."""
    from strag.files.opening import open_file
    from strag.files.stamp import with_article, wrong_kind
    from strag.kinds import KINDS, read_opened

    opened = open_file(path)
    kind = opened.kind
    if kind in KINDS and KINDS[kind].views:
        return read_opened(opened)
    opened.close()
    if kind == "recording":
        raise wrong_kind(opened.name, kind, "history")
    makers = "find-stragglers, stability, compare, summary, linearity or expansion"
    remedy = f"plot the output of 'strag train', {makers}"
    if kind == "geometry":
        remedy = "plot a history, written by 'strag geometry -o NAME.safetensors'"
    raise StragError(f"is {with_article(kind)} file, which has no picture", remedy, opened.name)


def _refuse(kind, source, options, pixels):
    """Refuse options that do not apply to this Kind. options : those that are set."""
    from strag.api.plot import require_options

    require_options(kind, source, options, spelled)
    form, dpi = pixels
    if dpi is not None and form in VECTORS and (kind.name not in WITH_IMAGES or "by_class" in options):
        raise bad_usage(f"--dpi is for pixels, but the {form} has none", "remove --dpi", source)


def _print_text(text):
    """Print a picture in characters that fits the terminal. text : function of width, height and colour."""
    import os
    import shutil
    import sys

    from strag.files.streams import send_to_stdout

    coloured = "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    shown = text(*shutil.get_terminal_size(), coloured)
    send_to_stdout([f"{shown}\n".encode(sys.stdout.encoding or "utf-8", "replace")])


def _format(form, output):
    """The format of the figure, or None if neither --format nor a suffix determines it."""
    from pathlib import Path

    suffix = Path(output).suffix.lower().removeprefix(".")
    if output == "-":
        return form
    if suffix in FORMATS:
        if form not in (None, suffix):
            raise bad_usage(f"--format {form} contradicts the suffix", "remove --format", output)
        return suffix
    if form is None:
        raise bad_usage(
            "has no suffix that determines the format of the figure",
            "use a name that ends in .png, .svg or .pdf, or add --format",
            output,
        )
    return form
