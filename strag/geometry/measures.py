"""MEASURES: what is measured of the representations at every update, in every run and layer.

The table is all that the rest of strag knows of a measure. To add one, write its function in a file of its
own beside this one and name it in the table: training records it, histories and geometry files hold it,
`find-stragglers` takes it as an observable and `plot` as a curve.
"""

from dataclasses import dataclass
from importlib import import_module

from strag.errors import bad_usage


@dataclass(frozen=True)
class Measure:
    """One entry of the table.

    Attributes
    ----------
    name : in files, in options, and at the head of columns.
    of : its function as "module:name", imported when it is first called, so that the table needs no numpy.
        From what the measure `needs` it makes a float64 array [..., axis].
    needs : "moments", the ClassMoments of a layer; or "measures", those that `parts` names, as arrays in
        that order, and after them `present`, bool [..., C], the classes that have examples.
    parts : names of the recorded measures that it is computed from. Such a measure is derived: no history
        stores it.
    axis : "class", "pair" (of classes c < c', in upper-triangle order), or None for one number.
    mean : how its curve goes over that axis: "mean", or "rms", the root of the mean of squares.
    space : "x", representations on the unit sphere, or "h", as they are.
    sign : 1 where the inversion is a valley of the curve, -1 where it is a peak.
    label : of the axis of a figure. Without one it is recorded, but neither a curve nor an observable.
    short : its name where there is little room; by default the label.
    unit : said after either; "" for a pure number. meaning : of a recorded measure, for FORMATS.md.
    """

    name: str
    of: str
    needs: str = "moments"
    parts: tuple = ()
    axis: str | None = None
    mean: str = "mean"
    space: str = "x"
    sign: int = 1
    label: str = ""
    short: str = ""
    unit: str = ""
    meaning: str = ""

    @property
    def function(self):
        """The function that `of` names, imported on the first use."""
        module, _, name = self.of.partition(":")
        found = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
        return found

    @property
    def sources(self):
        """Names of the measures that must be recorded for it: its parts, or its own."""
        return self.parts or (self.name,)

    @property
    def title(self):
        """Its label with the unit."""
        return self._with_unit(self.label)

    @property
    def short_title(self):
        """The same where there is little room."""
        return self._with_unit(self.short or self.label)

    @property
    def listed_as(self):
        """What its curve is called in a geometry file, None for a mean over pairs, which is not listed."""
        return {"class": f"{self.name}_{self.mean}", "pair": None, None: self.name}[self.axis]

    def _with_unit(self, label):
        return f"{label} [{self.unit}]" if self.unit else label


MEASURES = {
    measure.name: measure
    for measure in (
        Measure(
            "radius",
            of="strag.geometry.moments:ClassMoments.radii",
            axis="class",
            mean="rms",
            label="gyration radius R",
            meaning="gyration radius of each group's normalised representations; NaN for an empty group",
        ),
        Measure(
            "distance",
            of="strag.geometry.moments:ClassMoments.distances",
            axis="pair",
            sign=-1,
            label="distance D between class means",
            short="distance D",
            meaning="distance of the group means, for pairs c < c' in upper-triangle order",
        ),
        Measure(
            "mean_norm2",
            of="strag.geometry.moments:ClassMoments.mean_norm2",
            axis="class",
            meaning=r"mean of \|x\|^2, which is 1 minus the share of representations with \|h\| = 0",
        ),
        Measure(
            "separation",
            of="strag.geometry.moments:separation",
            needs="measures",
            parts=("radius", "distance"),
            sign=-1,
            label="separation η²",
        ),
    )
}
# What training records, and every history holds, is what moments on the sphere are enough for.
RECORDED = tuple(one for one in MEASURES.values() if (one.needs, one.space) == ("moments", "x"))
CURVES = tuple(measure for measure in MEASURES.values() if measure.label)


def observables(explained=False):
    """What an observable may be called: list of str, such as `radius`, `radius:CLASS` and `distance`.

    explained : say after the name of a measure with a value for every class how one is made of them.
    """
    names = []
    for measure in CURVES:
        name = measure.name
        if measure.axis == "class":
            over = f" ({measure.mean} over classes)" if explained else ""
            names += [f"{name}{over}", f"{name}:CLASS"]
        else:
            names.append(name)
    return names


def read_observable(text):
    """The Measure of an observable such as `radius` or `radius:0`, and its class or None.

    Raises StragError for other texts. Whether the class exists depends on the history.
    """
    name, colon, group = text.partition(":")
    measure = MEASURES.get(name)
    if not (measure and measure.label) or (colon and measure.axis != "class"):
        *names, last = observables()
        raise bad_usage(f"no observable '{text}'", f"use {', '.join(names)} or {last}")
    return measure, group if colon else None
