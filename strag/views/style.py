"""The look of every figure of strag, and its bytes.

Colours are Okabe and Ito's, which colour-blind readers can distinguish, also in print. Their yellow is
missing, because it is too light for a line on white. Further curves differ in line style.
"""

import contextlib
import io
import os
import sys

FORMATS = ("png", "svg", "pdf")
BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9"
COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY)
INK, GREY = "#000000", "#6E6E6E"
DASHES = ("-", (0, (4, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (1, 1)))
BAND = 0.2  # opacity
WIDTH = 7.0  # inches, two columns of a journal
SMALL, NORMAL = 8, 9  # points
CHARACTERS = 95  # of small text across the width

_STYLE = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so that figures agree everywhere
    "font.size": NORMAL,
    "axes.labelsize": NORMAL,
    "axes.titlesize": NORMAL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.4,
    "text.parse_math": False,  # a '$' in a name is shown as it is
    "svg.hashsalt": "strag",
    "svg.fonttype": "none",  # write text as text, not as curves
    "pdf.fonttype": 42,
}
_NO_DATE = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}, "pdf": {"CreationDate": None}}


def new_figure(width, height, layout="constrained"):
    """Return an empty Figure of this size in inches.

    layout : the layout engine of matplotlib, or None for none.
    """
    return _matplotlib().figure.Figure(figsize=(width, height), layout=layout)


@contextlib.contextmanager
def house_style():
    """Give figures made inside the same look, whatever the matplotlibrc of the user says."""
    with _matplotlib().style.context(["default", _STYLE]):
        yield


def _matplotlib():
    """Load matplotlib, whatever MPLBACKEND says.

    A notebook sets it to a backend that other programs cannot load; strag draws into files and needs no
    backend. The calling program keeps its backend, if it exists.
    """
    backend = None if "matplotlib" in sys.modules else os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib.figure
        import matplotlib.style
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    with contextlib.suppress(ValueError):
        if backend:
            matplotlib.rcParams["backend"] = backend
    return matplotlib


def colour(number):
    """Return the colour of the number-th curve."""
    return COLOURS[number % len(COLOURS)]


def dashes(number):
    """Return the line style of the number-th curve."""
    return DASHES[number // len(COLOURS) % len(DASHES)]


def overlaid_dashes(number):
    """Return the line style of the number-th of curves that may coincide: a different one each time.

    The pair of `colour` and line style repeats only after all pairs were used.
    """
    return DASHES[(number + number // 12) % len(DASHES)]


def rendered(figure, form, dpi=150):
    """Return a Figure as the bytes of a `png`, `svg` or `pdf` file; equal figures give equal bytes."""
    sink = io.BytesIO()
    with house_style():
        figure.savefig(sink, format=form, dpi=dpi, metadata=_NO_DATE[form])
    return sink.getvalue()
