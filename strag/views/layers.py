"""The layers of a network as a table."""

from strag.views.table import Table


def tables(listed):
    """Return the layers that `--list-layers` lists, a list of dict, as a list of one Table."""
    rows = [(str(layer["name"]), layer["type"], _shape(layer["shape"]), _calls(layer)) for layer in listed]
    columns = [("layer", "left"), ("type", "left"), ("output", "left"), ("", "left")]
    caption = (
        "the output is that of one example, in the order of the calls; layers called once can be measured; "
        "a nonlinearity that is called as a function is not a module and not listed: make it a module, such "
        "as torch.nn.ReLU()"
    )
    return [Table(None, columns, rows, caption)]


def _shape(shape):
    """Return the shape of an output as text; `-` for an output that is not one tensor of the examples."""
    return "-" if shape is None else " x ".join(map(str, shape))


def _calls(layer):
    """Return a mark for a layer that cannot be measured, or nothing."""
    calls = layer["calls"]
    if calls != 1:
        return f"called {calls} times"
    return "" if layer["shape"] is not None else "no tensor of the examples"
