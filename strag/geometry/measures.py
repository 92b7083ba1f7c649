"""MEASURES: the quantities that are measured of the representations at every update, in every run and layer.

The rest of strag knows measures only from this table. To add a measure, write its function in a file of its
own next to this one and add an entry to the table. Then training records the measure, histories and geometry
files contain it, `find-stragglers` accepts it as an observable, and `plot` draws it as a curve. An optional
measure is computed only by `strag geometry`, where it is chosen.
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
    needs : what the function is given:
        "moments": the ClassMoments of a layer in the space of the measure.
        "measures": the arrays of the measures in `parts`, in this order, followed by `present`, bool
        [..., C], the classes with examples.
        "head": the ClassMoments, and the weights of the linear head, float64 [C, N].
        "examples": the ClassMoments. It returns an object that is fed in a second pass, by
        `add(points, labels, predicted)` for tiles of B examples, [B, N] and int [B] twice, and whose method
        `value` returns the array.
        "class": the mean and the number of examples of one class, float64 [N] and int. It returns an object
        that is fed the examples of this class in a second pass, by `add(points)`, and whose method `value`
        returns a number, or a tuple with the numbers of `along`. The function has an attribute `bytes_of`,
        which returns the memory of such an object for a number of examples and a number of units.
        "along": nothing, because the function of another measure returns its values as well.
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
    meaning : description of a recorded or optional measure, for FORMATS.md and for help.
    optional : whether it is measured only where it is chosen, see `strag.geometry.further`.
    along : names of the measures without a curve that a function for "class" returns after its own.
    fewest : number of classes without which it is not defined.
    compares : whether it needs the predictions of the networks.
    quadratic : whether its time grows with the square of the number of examples of a class.
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
    optional: bool = False
    along: tuple = ()
    fewest: int = 1
    compares: bool = False
    quadratic: bool = False

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
        Measure(
            "radius_h",
            of="strag.geometry.moments:ClassMoments.radii",
            axis="class",
            mean="rms",
            space="h",
            label="gyration radius R of h",
            short="radius of h",
            meaning="gyration radius of each group's representations h, not normalised, in units of h",
            optional=True,
        ),
        Measure(
            "overlap",
            of="strag.geometry.overlap:overlap",
            needs="measures",
            parts=("radius", "distance"),
            axis="pair",
            label="overlap (R + R') / D",
            short="overlap",
            meaning="(R_c + R_c') / D_cc' of a pair of groups: above 1, the spheres of gyration intersect",
            optional=True,
        ),
        Measure(
            "participation",
            of="strag.geometry.participation:Participation",
            needs="class",
            axis="class",
            label="participation ratio",
            short="participation",
            meaning="participation ratio (tr S)^2 / tr S^2 of the covariance S of each group's normalised "
            "representations: 1 for a line, N for an isotropic cloud in N dimensions",
            optional=True,
        ),
        Measure(
            "dimension",
            of="strag.geometry.dimension:Neighbours",
            needs="class",
            axis="class",
            label="intrinsic dimension",
            short="dimension",
            meaning="intrinsic dimension of each group's distinct normalised representations, from the "
            "distances to the two nearest neighbours (TwoNN)",
            optional=True,
            along=("duplicates",),
            quadratic=True,
        ),
        Measure(
            "duplicates",
            of="strag.geometry.dimension:Neighbours",
            needs="along",
            axis="class",
            meaning="number of each group's normalised representations that repeat another one, which "
            "`dimension` leaves out",
            optional=True,
        ),
        Measure(
            "ncm",
            of="strag.geometry.nearest_mean:Accuracy",
            needs="examples",
            axis="class",
            sign=-1,
            label="nearest-class-mean accuracy",
            short="NCM accuracy",
            meaning="share of each group's examples whose nearest group mean is that of their own group, "
            "with normalised representations",
            optional=True,
        ),
        Measure(
            "nc1",
            of="strag.geometry.collapse:Variability",
            needs="examples",
            space="h",
            label="NC1, spread within classes over spread between",
            short="NC1",
            meaning="neural collapse NC1 = tr(S_W S_B^+) / C of h, not normalised: the covariance within "
            "groups over that of the group means",
            optional=True,
            fewest=2,
        ),
        Measure(
            "nc2_norms",
            of="strag.geometry.collapse:equal_norms",
            space="h",
            label="NC2, spread of the norms of class means",
            short="NC2 norms",
            meaning="neural collapse NC2 of h, not normalised: standard deviation of the norms of the "
            "centred group means over their mean",
            optional=True,
            fewest=3,
        ),
        Measure(
            "nc2_angles",
            of="strag.geometry.collapse:equal_angles",
            space="h",
            label="NC2, deviation from the angles of a simplex",
            short="NC2 angles",
            meaning="neural collapse NC2 of h, not normalised: mean over pairs of groups of "
            r"\|cos + 1/(C-1)\|, with the cosine of the angle between their centred means",
            optional=True,
            fewest=3,
        ),
        Measure(
            "nc3",
            of="strag.geometry.collapse:duality",
            needs="head",
            space="h",
            label="NC3, head against class means",
            short="NC3",
            meaning=r"neural collapse NC3 of h, not normalised: \|W/\|W\| - M/\|M\|\|^2 with the centred "
            "weights W of the head and the centred group means M; NaN in a layer that the head does not read",
            optional=True,
            fewest=2,
        ),
        Measure(
            "nc4",
            of="strag.geometry.nearest_mean:Disagreement",
            needs="examples",
            axis="class",
            space="h",
            label="NC4, decisions unlike the nearest class mean",
            short="NC4",
            meaning="neural collapse NC4 of h, not normalised: share of each group's examples that the "
            "network puts into another group than that of the nearest group mean",
            compares=True,
            optional=True,
        ),
    )
}
# Training records, and every history holds, the measures that are not optional, if they have no parts.
RECORDED = tuple(measure for measure in MEASURES.values() if not (measure.parts or measure.optional))
FURTHER = tuple(measure for measure in MEASURES.values() if measure.optional)
CURVES = tuple(measure for measure in MEASURES.values() if measure.label)
STANDARD = tuple(measure for measure in CURVES if not measure.optional)
CHOICES = tuple(measure.name for measure in CURVES if measure.optional)  # names that a user can choose


def observables(explained=False):
    """The names of the observables of every history: list of str, such as `radius` and `radius:CLASS`.

    explained : whether to add to the name of a measure with one value per class how these are averaged.
    """
    names = []
    for measure in STANDARD:
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
        chosen = f"or a measure that 'strag geometry' added: {', '.join(CHOICES)}"
        raise bad_usage(f"no `observable` '{text}'", f"use {', '.join(names)} or {last}, {chosen}")
    return measure, group if colon else None
