"""MEASURES: the quantities that are measured of the representations at every update, in every run and layer.

The rest of strag knows measures only from this table. To add a measure, write its function in a file of its
own next to this one and add an entry to the table. Then training records the measure, histories and geometry
files contain it, `find-stragglers` accepts it as an observable, and `plot` draws it as a curve.
"""

from dataclasses import dataclass
from importlib import import_module

from strag.errors import bad_usage


@dataclass(frozen=True)
class Measure:
    """One entry of the table.

    Attributes
    ----------
    name : the name in files, in options and in column titles.
    of : the function as "module:name". It is imported when it is first called, so that the table does not
        need numpy. The function computes a float64 array [..., axis] from its arguments, which `needs`
        chooses.
    needs : the arguments of the function: "moments" for the ClassMoments of a layer; "measures" for the
        arrays of the measures in `parts`, in this order, followed by `present`, bool [..., C], the classes
        with examples.
    parts : names of the recorded measures from which the measure is computed. A measure with parts is
        derived: no history stores it.
    axis : "class", "pair" (of classes c < c', in upper-triangle order), or None for a single number.
    mean : how its curve averages over this axis: "mean", or "rms" for the root of the mean of squares.
    space : "x" for representations on the unit sphere, "h" for representations that are not normalised.
    sign : 1 if the inversion is a valley of the curve, -1 if it is a peak.
    label : label of the axis in a figure. A measure without a label is recorded, but is neither a curve nor
        an observable.
    short : a short name for narrow places; by default the label.
    unit : unit after the label or the short name; "" for a pure number.
    meaning : description of a recorded measure, for FORMATS.md.
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
        """The function of the measure, imported on the first use."""
        module, _, name = self.of.partition(":")
        function = import_module(module)
        for part in name.split("."):
            function = getattr(function, part)
        return function

    @property
    def sources(self):
        """Names of the measures that must be recorded to have this one: its parts, or its own name."""
        return self.parts or (self.name,)

    @property
    def title(self):
        """The label with the unit."""
        return self._with_unit(self.label)

    @property
    def short_title(self):
        """The short name with the unit."""
        return self._with_unit(self.short or self.label)

    @property
    def listed_as(self):
        """The name of its curve in geometry files; None for a mean over pairs, which they do not list."""
        return {"class": f"{self.name}_{self.mean}", "pair": None, None: self.name}[self.axis]

    def _with_unit(self, label):
        """A label with the unit in brackets, if there is one."""
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
# Training records, and every history holds, the measures that can be computed from moments on the sphere.
RECORDED = tuple(
    measure for measure in MEASURES.values() if (measure.needs, measure.space) == ("moments", "x")
)
CURVES = tuple(measure for measure in MEASURES.values() if measure.label)


def observables(explained=False):
    """The names of observables: list of str, such as `radius`, `radius:CLASS` and `distance`.

    explained : whether to add to the name of a measure with one value per class how these are averaged.
    """
    names = []
    for measure in CURVES:
        name = measure.name
        if measure.axis == "class":
            explanation = f" ({measure.mean} over classes)" if explained else ""
            names += [f"{name}{explanation}", f"{name}:CLASS"]
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
        raise bad_usage(f"no `observable` '{text}'", f"use {', '.join(names)} or {last}")
    return measure, group if colon else None
