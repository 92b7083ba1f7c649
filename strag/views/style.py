"""How every figure of strag looks, and its bytes.

Colours are Okabe and Ito's, which stay apart for colour-blind readers and in print, without their
yellow, which is too light for a line on white. Beyond their number, line styles tell curves apart.
"""

import contextlib
import io
import os
import sys

FORMATS = ("png", "svg", "pdf")
BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9"
COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY)
INK, GREY = "#000000", "#6E6E6E"
DASHES = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (5, 1.5, 1, 1.5)))
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
    "text.parse_math": False,  # a '$' in a name is a '$'
    "svg.hashsalt": "strag",
    "svg.fonttype": "none",  # text stays text
    "pdf.fonttype": 42,
}
_NO_DATE = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}, "pdf": {"CreationDate": None}}


def new_figure(width, height, layout="constrained"):
    """An empty Figure of this size in inches."""
    return _matplotlib().figure.Figure(figsize=(width, height), layout=layout)


@contextlib.contextmanager
def house_style():
    """Figures made inside look alike, whatever the user's matplotlibrc says."""
    with _matplotlib().style.context(["default", _STYLE]):
        yield


def _matplotlib():
    """The library, loaded whatever MPLBACKEND says.

    A notebook names a backend there that other programs cannot load, and strag, which draws into files, needs
    none. Whoever loaded strag keeps the backend of their choice where there is one by that name.
    """
    named = None if "matplotlib" in sys.modules else os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib.figure
        import matplotlib.style
    finally:
        if named is not None:
            os.environ["MPLBACKEND"] = named
    with contextlib.suppress(ValueError):
        if named:
            matplotlib.rcParams["backend"] = named
    return matplotlib


def colour(number):
    """Colour of the number-th curve."""
    return COLOURS[number % len(COLOURS)]


def dashes(number):
    """Line style of the number-th curve."""
    return DASHES[number // len(COLOURS) % len(DASHES)]


def overlaid_dashes(number):
    """Line style of the number-th of curves that may coincide: another one every time.

    Together with `colour` it repeats only after all pairs of both.
    """
    return DASHES[(number + number // 12) % len(DASHES)]


def rendered(figure, form, dpi=150):
    """The bytes of a Figure as `png`, `svg` or `pdf`; the same figure gives the same bytes."""
    sink = io.BytesIO()
    with house_style():
        figure.savefig(sink, format=form, dpi=dpi, metadata=_NO_DATE[form])
    return sink.getvalue()
