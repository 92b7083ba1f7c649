"""The names of layers: how users call them, and how texts show them.

The layers of a perceptron are numbers. Those of other networks are texts: the name of a module, such as
`features.0`, or this name with `:mean` for the mean of its output over all positions. The children of a
`torch.nn.Sequential` are called "0", "1" and so on, so that a number alone does not say which kind is meant.
"""

MEAN = ":mean"  # end of the name of a layer that is averaged over positions


def layer_called(name, layers):
    """Return the one of `layers` that a user calls `name`, a text or a number; None if there is none.

    A name like "1" is layer 1 of a perceptron, and the module "1" of another network.
    """
    same = [layer for layer in layers if str(layer) == str(name).strip()]
    return next((layer for layer in same if layer == name), same[0] if same else None)


def lacks_layer(name, layers, noun="layer"):
    """Return the problem of an unknown layer: `has no layer conv2, but it has conv2:mean`.

    Layers whose names differ from this one only by `:mean` are listed. noun : what a layer is called.
    """
    near = [str(layer) for layer in layers if _place(layer) == _place(name)]
    return f"has no {noun} {name}" + (f", but it has {' and '.join(near)}" if near else "")


def _place(layer):
    """Return the name of a layer without `:mean`."""
    return str(layer).strip().removesuffix(MEAN)


def layer_in_words(layer):
    """Return a layer as it is called in a caption: `layer 1`, or `layer conv2 (mean over positions)`."""
    if layer == 0:
        return "layer 0, the input"
    if str(layer).endswith(MEAN):
        return f"layer {_place(layer)} (mean over positions)"
    return f"layer {layer}"
