"""Find the inversions and stragglers of one layer or of every layer."""

from strag.stragglers.find import find_stragglers


def find_by_layer(history, observable, layer, **options):
    """Find the stragglers of one layer, or of every layer if `layer` is "all".

    The other parameters are those of `find_stragglers`.

    Returns
    -------
    (Stragglers, profile). If `layer` is "all", the Stragglers are those of the first recorded layer, and
    profile is a dict of layer to Stragglers. Otherwise the Stragglers are those of the layer, and profile is
    None.
    """
    if layer != "all":
        return find_stragglers(history, observable, history.layer(layer), **options), None
    history.require_layers("remove `layer`")
    profile = {number: find_stragglers(history, observable, number, **options) for number in history.layers}
    return profile[history.layers[0]], profile
