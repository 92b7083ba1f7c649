"""The inversion of every layer."""

from strag.stragglers.find import find_stragglers


def find_by_layer(history, observable, layer, **options):
    """Find the stragglers of one layer, or of every layer for `layer` "all".

    Other parameters as for `find_stragglers`.

    Returns
    -------
    Stragglers of the layer, of the first recorded one for "all"; and a dict of layer to Stragglers for
    "all", else None.
    """
    if layer != "all":
        return find_stragglers(history, observable, history.layer(layer), **options), None
    history.require_layers("remove `layer`")
    profile = {number: find_stragglers(history, observable, number, **options) for number in history.layers}
    return profile[history.layers[0]], profile
