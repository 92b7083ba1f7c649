"""The values of MEASURES: arrays from the moments of layers, and curves from these arrays."""

import numpy as np

from strag.geometry.measures import RECORDED
from strag.geometry.moments import mean_over, pairs_of, rms_radius


def measures_of(layers):
    """Every recorded measure of the layers of some networks.

    layers : list of L ClassMoments with the same leading axes.

    Returns
    -------
    dict of name to float64 [..., L, axis], in the order of MEASURES. The last axis is the `axis` of the
    measure; a measure without an axis lacks it.
    """
    lead = layers[0].norm2.ndim - 1
    return {
        measure.name: np.stack([measure.function(moments) for moments in layers], axis=lead)
        for measure in RECORDED
    }


def values_of(measure, recorded, present):
    """The values of a Measure, recorded or derived, along its axis: [..., axis].

    recorded : dict of name to array [..., axis], with at least the `sources` of the measure.
    present : bool, broadcastable to [..., C], the classes with examples; only a derived measure needs it.
    """
    if not measure.parts:
        return recorded[measure.name]
    return measure.function(*(recorded[name] for name in measure.parts), present)


def over_axis(measure, values, present):
    """Points of the curve of a Measure, over all classes or pairs of classes: [..., axis] -> [...].

    measure : Measure, whose `mean` says how to average over its axis. values : [..., axis].
    present : bool [..., C], the classes with examples; others do not count. Without any the result is NaN.
    """
    if measure.axis is None:
        return values
    of_axis = present if measure.axis == "class" else pairs_of(present)
    return {"rms": rms_radius, "mean": mean_over}[measure.mean](values, of_axis)
