"""The inversion layer by layer."""

from strag.stragglers.find import find_stragglers


def find_by_layer(history, observable, layer, rule, at):
    """Stragglers of one layer, and of all of them for `layer` "all".

    Returns
    -------
    Stragglers of the layer, of the first recorded one for "all"; and a dict of layer to Stragglers for
    "all", else None.
    """
    if layer != "all":
        return find_stragglers(history, observable, history.layer(layer), rule, at), None
    profile = {number: find_stragglers(history, observable, number, rule, at) for number in history.layers}
    return profile[history.layers[0]], profile
