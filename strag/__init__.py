"""strag finds the stragglers: the training examples that make a network re-entangle its classes.

    import strag

    data = strag.data("mnist8k")
    history = strag.train(data, runs=10, epochs=150, lr=0.2)
    stragglers = strag.find_stragglers(history)
    pruned = strag.train(strag.prune(data, stragglers), runs=10, epochs=400, lr=0.2)
    strag.plot(history, pruned, labels=["all", "without stragglers"], output="pruned.png")

The functions are named like the commands, except `measure` (geometry) and `summarise` (summary). All but
`read`, which reads any file of strag, have a parameter `output`, a path to which the file of the command is
written as well. A `Recorder` records a training that is a loop of your own. A `Recipe` holds the options of
a training, and a `History` its records. Nothing is imported before it is used. `strag.geometry` and
`strag.stragglers` are packages and not functions.
"""

from importlib import import_module

__version__ = "0.2.0"

_PLACES = {
    "data": "strag.api.data",
    "read": "strag.api.read",
    "train": "strag.api.train",
    "merge": "strag.api.merge",
    "dump": "strag.api.dump",
    "measure": "strag.api.measure",
    "expansion": "strag.api.expansion",
    "history": "strag.api.history",
    "find_stragglers": "strag.api.find_stragglers",
    "sets": "strag.api.sets",
    "prune": "strag.api.prune",
    "stability": "strag.api.stability",
    "compare": "strag.api.compare",
    "summarise": "strag.api.summarise",
    "linearity": "strag.api.linearity",
    "export": "strag.api.export",
    "plot": "strag.api.plot",
    "Recorder": "strag.recorder",
    "with_index": "strag.training.indexed",
    "Recipe": "strag.training.recipe",
    "History": "strag.stragglers.history",
    "StragError": "strag.errors",
}
__all__ = list(_PLACES)
_CALLED_OTHERWISE = {  # other words for functions; a package of strag takes its name over once it is imported
    "geometry": "measure",
    "summary": "summarise",
    "summarize": "summarise",
    "stragglers": "find_stragglers",
    "info": "read",
}


def __getattr__(name):
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    function = _CALLED_OTHERWISE.get(name)
    remedy = f"; the function is strag.{function}" if function else ""
    raise AttributeError(f"module 'strag' has no attribute '{name}'{remedy}")


def __dir__():
    return sorted([*globals(), *_PLACES])
