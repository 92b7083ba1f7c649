"""strag plot: the picture that belongs to a file."""

import itertools

import click

from strag.commands.options import (
    DataPath,
    FilePath,
    FiniteRange,
    LayerName,
    Names,
    example,
    output_option,
    quiet_option,
    refuse_ignored,
    spelled,
)
from strag.errors import StragError, bad_usage
from strag.geometry.measures import CURVES
from strag.views.style import FORMATS

VECTORS = ("svg", "pdf")  # formats that have pixels only where a picture holds images
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
    help="Horizontal axis of histories, and of sweeps over updates.  [default: updates]",
)
@click.option(
    "--curves",
    type=Names(_curves, "curve"),
    metavar="NAMES",
    help=f"Panels of histories, in order: {', '.join(measure.name for measure in CURVES)}, error.  "
    "[default: radius,distance]",
)
@click.option(
    "--layer", type=LayerName(), metavar="LAYER", help="Recorded layer of histories.  [default: the first]"
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="TEXT",
    help="What to call a history; once per FILE, in order.",
)
@click.option(
    "--data",
    type=DataPath(),
    metavar="DATA",
    help="Where the images of stragglers are: the dataset of the training.",
)
@click.option("--number", type=click.IntRange(1, 400), metavar="N", help="Stragglers to show.  [default: 40]")
@click.option(
    "--by-class",
    is_flag=True,
    default=None,
    help="Show which original classes stragglers are of, and the test error of each.",
)
@click.option(
    "--noise",
    type=FiniteRange(0),
    metavar="SIGMA",
    help="Noise on the test inputs of a sweep.  [default: the largest there is]",
)
@click.option(
    "--reference",
    type=FilePath(),
    metavar="HISTORY",
    help="Training of a sweep's runs on all examples, to draw its test error and inversion.",
)
@click.option(
    "--min-misclassified",
    "fewest",
    type=click.IntRange(1, 2**53),
    metavar="N",
    help="Examples that must be misclassified at an inversion, as for find-stragglers.  [default: 10]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="Kind of figure.  [default: the suffix of -o; in a pipe png]",
)
@click.option(
    "--dpi", type=click.IntRange(20, 600), metavar="N", help="Resolution of pixels.  [default: 150]"
)
@output_option("the figure")
@quiet_option
def command(files, labels, form, dpi, output, quiet, **options):
    """Draw the picture that belongs to a file.

    A history becomes curves: the gyration radii of its classes and their distance, or what --curves
    names, as means over its runs, with the inversion marked. Several are laid over each other. One
    whose networks left out different sets (train --without) is a sweep: the depth of their valleys and
    their test error against what was left out, a dose, or what was misclassified at t, against t or,
    with --x error, its share of the examples. --reference adds the test error of the same runs trained
    on all examples, at the end and stopped at their inversion t*, and t*. Stragglers become a gallery
    of the examples most often called stragglers, for which --data names the images, or with --by-class
    the share of every original class that straggles, against its test error. The agreement of runs
    (stability) becomes curves against the training error, a comparison a map of overlaps, and a
    summary the inversion of every condition beside the noise of seeds and blocks, or against the
    number of examples.

    FILE is '-', the default, for stdin. At a terminal, without -o, all but the gallery is shown
    there, in characters.
    """
    from contextlib import nullcontext

    from strag.commands.inputs import called, refuse_data_set, refuse_overwriting, refuse_several_stdin
    from strag.console import Notes, print_tables, stdout_is_terminal
    from strag.files.output import Output
    from strag.views.style import rendered

    files = files or ("-",)
    data, reference = options["data"], options["reference"]
    for path in files:
        refuse_data_set(path, f"plot a history, such as of 'strag train {path}'")
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
                "is a terminal, which shows no images", "write the gallery to a file with -o FILE", "stdout"
            )
    for line in picture.notes if sink else ():
        Notes(quiet)(line)


def _picture(files, names, labels, options, pixels):
    """The Picture of FILEs, of which the first says which options make sense."""
    from strag.api.plot import kind_of, picture

    first = _read(files[0])
    kind = kind_of(first)
    given = {name: value for name, value in {**options, "labels": labels}.items() if value not in (None, ())}
    _refuse(kind, first.source, given, pixels)
    given.pop("labels", None)
    rest = (_read(path) for path in files[1:])
    if kind.name == "history":  # one alone goes by the name of its data
        given["names"] = (None,) if len(files) == 1 and not labels else names
    if "reference" in given:
        from strag import kinds

        given["reference"] = kinds.read(given["reference"], "history")
    if "data" in given:
        return _gallery(first, rest, given)
    return picture(itertools.chain([first], rest), **given)


def _gallery(stragglers, rest, given):
    """The Picture of images; errors and notes of them name their file."""
    from dataclasses import replace

    from strag.api.plot import picture
    from strag.api.prune import require_origin
    from strag.commands.inputs import read_data
    from strag.files.streams import name_of

    images, name = read_data(given["data"]), name_of(given["data"])
    require_origin(images, stragglers)
    try:
        shown = picture(itertools.chain([stragglers], rest), **{**given, "data": images})
    except StragError as error:
        raise error.about(name) from None
    return replace(shown, notes=tuple(f"{name}: {line}" for line in shown.notes))


def _read(path):
    """What a FILE holds, which must be of a kind that has a picture."""
    from strag.files.opening import open_file
    from strag.files.stamp import with_article
    from strag.kinds import KINDS, read_opened

    opened = open_file(path)
    kind = opened.kind
    if kind in KINDS and KINDS[kind].views:
        return read_opened(opened)
    opened.close()
    remedy = "plot a history ('strag train') or what find-stragglers, stability, compare or summary wrote"
    if kind == "geometry":
        remedy = "write a history with 'strag geometry -o NAME.safetensors', and plot that"
    raise StragError(f"is {with_article(kind)} file, which has no picture", remedy, opened.name)


def _refuse(kind, source, given, pixels):
    """Refuse options that make no sense for this Kind."""
    from strag.kinds import KINDS

    for option in given:
        if option not in _options_of(kind):
            only = next(one for one in KINDS.values() if option in _options_of(one))
            name = spelled(option)
            raise bad_usage(
                f"holds {kind.holds}, but {name} is for {only.holds}", f"leave {name} out", source
            )
    form, dpi = pixels
    if dpi is not None and form in VECTORS and (kind.name not in WITH_IMAGES or "by_class" in given):
        raise bad_usage(f"--dpi is for pixels, of which the {form} has none", "leave --dpi out", source)


def _options_of(kind):
    """Names of the options that the picture of a Kind takes."""
    return getattr(kind.view(), "OPTIONS", ()) if kind.views else ()


def _print_text(text):
    """Print a text that fits the terminal."""
    import os
    import shutil
    import sys

    from strag.files.streams import send_to_stdout

    coloured = "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    shown = text(*shutil.get_terminal_size(), coloured)
    send_to_stdout([f"{shown}\n".encode(sys.stdout.encoding or "utf-8", "replace")])


def _format(form, output):
    """The format of the figure, None where nothing says it."""
    from pathlib import Path

    suffix = Path(output).suffix.lower().removeprefix(".")
    if output == "-":
        return form
    if suffix in FORMATS:
        if form not in (None, suffix):
            raise bad_usage(f"--format {form} contradicts the suffix", "leave one of them out", output)
        return suffix
    if form is None:
        raise bad_usage(
            "does not say by its suffix which figure to write",
            "end it in .png, .svg or .pdf, or add --format",
            output,
        )
    return form
