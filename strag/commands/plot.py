"""strag plot: the picture that belongs to a file."""

import click

from strag.commands.options import (
    DataPath,
    FilePath,
    FiniteRange,
    example,
    output_option,
    quiet_option,
    refuse_ignored,
)
from strag.geometry.measures import CURVES
from strag.views.style import FORMATS


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
    metavar="NAMES",
    help=f"Panels of histories, in order: {', '.join(measure.name for measure in CURVES)}, error.  "
    "[default: radius,distance]",
)
@click.option(
    "--layer", type=click.IntRange(0), metavar="N", help="Recorded layer of histories.  [default: the first]"
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
def command(files, x, curves, layer, labels, data, number, form, dpi, output, quiet, **options):
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

    from strag.commands.options import called, refuse_data_set, refuse_overwriting, refuse_several_stdin
    from strag.commands.plot_job import Wanted, drawn
    from strag.console import Notes, stdout_is_terminal
    from strag.files.output import Output
    from strag.views.dynamics import read_curves
    from strag.views.style import rendered

    files = files or ("-",)
    reference = options["reference"]
    for path in files:
        refuse_data_set(path, f"plot a history, such as of 'strag train {path}'")
    refuse_several_stdin(*files, data, reference)
    refuse_ignored(("data number", options["by_class"], "contradicts --by-class"))
    curves = () if curves is None else read_curves(curves)
    refuse_overwriting((*files, data, reference), ("-o", output))
    names = called(files, labels)
    form = _format(form, output)
    in_terminal = output == "-" and form is dpi is None and stdout_is_terminal()
    notes = []
    wanted = Wanted(
        files=files,
        names=names,
        x=x,
        curves=curves,
        layer=layer,
        labels=labels,
        data=data,
        number=number,
        **options,
        form=form,
        dpi=dpi,
        in_terminal=in_terminal,
        notes=notes,
    )
    with nullcontext() if in_terminal else Output(output) as sink:
        figure = drawn(wanted)
        if sink:
            with sink.writing():
                sink.file.write(rendered(figure, form or "png", dpi or 150))
            sink.commit()
    for line in notes:
        Notes(quiet)(line)


def _format(form, output):
    """The format of the figure, None where nothing says it."""
    from pathlib import Path

    from strag.errors import bad_usage

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
