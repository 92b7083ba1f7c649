"""The kind `geometry`: a JSON object with the radii and distances of the groups at every record."""

from strag.files.spec import JsonSpec, Keys
from strag.geometry.measures import FURTHER


def _keys(measure):
    """The keys of an optional measure: its own, and that of its curve."""
    curve = measure.listed_as if measure.label else None
    return (measure.name,) if curve in (None, measure.name) else (measure.name, curve)


SPEC = JsonSpec(
    "geometry",
    (
        Keys(
            ("classes", "class_sizes"),
            "names of the groups, and their numbers of examples, whether trained on or not",
        ),
        Keys(("pairs",), "pairs of groups, in the order of `distance`"),
        Keys(
            ("records",),
            "one object per update, run and layer, over trained examples, or over all examples if the stamp "
            "has `training_origin`, with these keys:",
            (
                Keys(("update", "run", "layer"), "where it was measured"),
                Keys(
                    ("radius_rms", "separation"), "root mean square of the radii over the groups, and eta^2"
                ),
                Keys(("radius", "distance"), "one value per group, and one per pair"),
                *(Keys(_keys(measure), measure.meaning) for measure in FURTHER),
                Keys(
                    ("train_error", "train_loss"),
                    "as in a history; if the stamp has `training_origin`, they are `test_error` and "
                    "`test_loss` instead, and of array files `error` and `loss`; null where the activations "
                    "do not say",
                ),
                Keys(
                    ("class_sizes",),
                    "number of these examples per group; values of a group without any, or with an example "
                    "that is not finite, are null",
                ),
            ),
        ),
    ),
)


def read(opened):
    """Return the object in an open Document after checking it."""
    return SPEC.check(opened)
