"""What MEASURES give: arrays from the moments of layers, and curves from such arrays."""

import numpy as np

from strag.geometry.measures import RECORDED
from strag.geometry.moments import mean_over, pairs_of, rms_radius


def measures_of(layers):
    """Every recorded measure of the layers of some networks.

    layers : list of L ClassMoments with the same leading axes.

    Returns
    -------
    dict of name to float64 [..., L, axis], in the order of MEASURES; the last axis is that of the measure,
    if it has one.
    """
    lead = layers[0].norm2.ndim - 1
    return {
        measure.name: np.stack([measure.function(moments) for moments in layers], axis=lead)
        for measure in RECORDED
    }


def values_of(measure, recorded, present):
    """A Measure, derived or not, along its axis: [..., axis].

    recorded : dict of name to array [..., axis], at least of the `sources` of the measure.
    present : bool, broadcastable to [..., C], the classes that have examples; needed if it is derived.
    """
    if not measure.parts:
        return recorded[measure.name]
    return measure.function(*(recorded[name] for name in measure.parts), present)


def over_axis(measure, values, present):
    """A Measure as one number for all classes, a point of its curve: [..., axis] -> [...].

    It is taken over the classes that are present, or the pairs of them, and NaN where there are none.
    """
    if measure.axis is None:
        return values
    of_axis = present if measure.axis == "class" else pairs_of(present)
    return {"rms": rms_radius, "mean": mean_over}[measure.mean](values, of_axis)
