"""The kind `geometry`: JSON, radii and distances of the groups, record by record."""

from strag.files.spec import JsonSpec, Keys

SPEC = JsonSpec(
    "geometry",
    (
        Keys(
            ("classes", "class_sizes"),
            "names of the groups, and their numbers of examples, trained on or not",
        ),
        Keys(("pairs",), "pairs of groups, in the order of `distance`"),
        Keys(
            ("records",),
            "per update, run and layer, over trained examples:",
            (
                Keys(("update", "run", "layer"), "where it was measured"),
                Keys(
                    ("radius_rms", "separation"), "root mean square of the radii over the groups, and eta^2"
                ),
                Keys(("radius", "distance"), "per group, and per pair"),
                Keys(("train_error", "train_loss"), "as in a history"),
                Keys(
                    ("class_sizes",),
                    "number of trained examples per group; figures are null where there are none, and from a "
                    "group with an example that is not finite",
                ),
            ),
        ),
    ),
)


def read(opened):
    """The object in an open Document, whose stamp was checked."""
    return SPEC.check(opened)
