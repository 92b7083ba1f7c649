"""Conditions of a summary: which experiments form one condition, their order and their labels."""

from collections import defaultdict
from dataclasses import replace

from strag.stragglers.sets import NO_CONTROL, OWN
from strag.stragglers.unknown import in_brief

REFERENCE = "reference"  # label of a condition with the usual value of every setting
OWN_SET = "own set"  # label of a condition whose networks left out the own sets of their runs
EVERYTHING = "all examples"  # label of a condition that left out no set, if other conditions did
OF_BLOCK = "examples of each block"  # value of `without` on several blocks, see `of_each_block`
OF_SETS = ("control", "dose", "update")  # settings of a sweep, whose networks each left out a set
OF_MODEL = ("depth", "width", "activation", "channels", "source", "model_args")  # only some models have them
OF_DATA = ("without", "pruned")  # settings that say which examples all runs lack
OF_TRAINING = (  # settings that are unknown of networks that strag did not train
    *("depth", "width", "activation", "optimizer", "lr", "momentum", "weight_decay"),
    *("batch_size", "own_order", "precision", "restandardise"),
)
# The usual values of these settings, even if other values are more common.
USUAL = {
    "control": NO_CONTROL,
    "dose": OWN,
    "at": "inversion",
    **dict.fromkeys((*OF_DATA, "model", "no_bias", "standardise", "recording")),
}


def kind_of(settings):
    """The kind of set that the networks of an experiment left out, in words; empty if they left out none."""
    known = {name: settings[name] for name in OF_SETS if settings.get(name) is not None}
    if (known.get("control"), known.get("dose")) == (NO_CONTROL, OWN):
        known = {OWN_SET: "", **{name: value for name, value in known.items() if name == "update"}}
    return ", ".join(f"{name} {_text(value)}".strip() for name, value in known.items())


def leaves_nothing_out(settings):
    """Whether the networks of an experiment train on all examples of their data set."""
    return all(settings.get(name) is None for name in (*OF_SETS, *OF_DATA))


def of_each_block(experiments):
    """The Experiments, with one value of `without` if each of several blocks has a set, or sets, of its own.

    `without` identifies what was left out, which differs between blocks, although it was chosen in the same
    way. If several such choices were made on one block, they stay distinct.
    """
    left_out = defaultdict(set)
    for experiment in experiments:
        for run in experiment.runs:
            left_out[run.block].add(experiment.settings.get("without"))
    choices = [found - {None} for found in left_out.values()]
    if sum(map(bool, choices)) < 2 or max(map(len, choices)) > 1:
        return experiments
    return [
        replace(experiment, settings={**experiment.settings, "without": OF_BLOCK})
        if experiment.settings.get("without") is not None
        else experiment
        for experiment in experiments
    ]


def labelled_by(varies, settings):
    """The names in `varies` that labels need: without the number of examples if it follows from `pruned`.

    settings : list of the dict of settings of every experiment.
    """
    sizes = {(values.get("pruned"), values.get("examples")) for values in settings}
    follows = "pruned" in varies and len(sizes) == len({pruned for pruned, _ in sizes})
    return [name for name in varies if not (follows and name == "examples")]


def group_by(experiments, labels):
    """The key of the condition of every Experiment, its label or otherwise its settings: list."""
    return list(labels) if labels else [key_of(experiment.settings) for experiment in experiments]


def key_of(settings):
    """Settings as a hashable key that does not depend on their order: tuple."""
    return tuple(sorted((name, _text(value)) for name, value in settings.items()))


def _text(value):
    """A value as text. Equal numbers have the same text, whatever their type."""
    return f"{float(value):.12g}" if _is_number(value) else str(value)


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def varying(settings):
    """Names of the settings that differ between experiments, in their order: list of str.

    An unknown setting of networks that strag did not train differs from none.

    settings : list of the dict of settings of every experiment.
    """
    names = dict.fromkeys(name for values in settings for name in values)
    known = {name: [each for each in settings if not _is_unknown(name, each)] for name in names}
    return [name for name in names if len({_text(values.get(name)) for values in known[name]}) > 1]


def _is_unknown(name, settings):
    """Whether a setting is unknown because strag did not train the networks. settings : dict of them."""
    return bool(settings.get("recording")) and name in OF_TRAINING and settings.get(name) is None


def layers_in_order(experiments):
    """All measured layers of Experiments in the order of the forward pass, as far as it is known: list."""
    measured = {experiment.layers for experiment in experiments}
    longest_first = sorted(measured, key=lambda layers: (-len(layers), str(layers)))
    return list(dict.fromkeys(layer for layers in longest_first for layer in layers))


def place_of(settings, usual, layers=()):
    """Sort key of a condition with these settings, by the settings that vary.

    If several settings vary, the usual value of each comes first. usual : dict of these settings to the text
    of their usual value. layers : all layers, in their order.
    """
    values = [(name, settings.get(name)) for name in usual]
    return [
        (len(usual) > 1 and _text(value) != usual[name], _rank(name, value, layers)) for name, value in values
    ]


def _rank(name, value, layers):
    """Sort key of the value of a setting: numbers in their order, layers in theirs, then other texts."""
    if _is_number(value):
        return (0, float(value), str(value))
    is_layer = name == "layer" and value in layers
    return (1, layers.index(value) if is_layer else len(layers), str(value))


def usual_value(name, values, varies, layers=()):
    """The usual value of a setting, as text: the most common one, and of several the first in order.

    For the settings in USUAL it is the value there, if any experiment has it: the own set of the run, the
    inversion, all examples, perceptrons, biases, and inputs standardised by pixel. `without` is an exception
    if the control varies, too, since it then identifies the sets.

    values : the values of all experiments. varies : names of all settings that differ. layers : all layers,
    in their order.
    """
    texts = [_text(value) for value in sorted(values, key=lambda value: _rank(name, value, layers))]
    own = _text(USUAL.get(name))
    fixed = name in USUAL and not (name == "without" and "control" in varies)
    return own if fixed and own in texts else max(dict.fromkeys(texts), key=texts.count)


def _named(name, value):
    """A setting and its value in words."""
    if name == "no_bias":
        return "no biases" if value else "biases"
    if name == "model":
        return str(value or "mlp")
    if name == "recording":
        return in_brief(value) or "trained by strag"
    if value is None and name in ("data", "layer"):
        return "data without a title" if name == "data" else "no layer"
    if name == "standardise" and value is None:
        value = "pixel"
    return f"{name.replace('_', ' ')} {_text(value)}"


def described(settings, usual):
    """The label of a condition: its value if only one setting varies, otherwise its unusual values.

    settings : dict of its settings. usual : dict of the settings that vary to the text of their usual value.
    """
    omitted = (*OF_MODEL, *OF_SETS, *(["without"] if "control" in usual else []))  # where there is none
    parts = [
        _named(name, settings.get(name))
        for name, common in usual.items()
        if _text(settings.get(name)) != common
        and not (name in omitted and settings.get(name) is None)
        and not _is_unknown(name, settings)
    ]
    if len(usual) == 1:
        (name,) = usual
        if name in OF_DATA and settings.get(name) is None:
            return EVERYTHING
        return _named(name, settings.get(name))
    if "control" in usual and all(settings.get(name) is None for name in ("control", *OF_DATA)):
        return ", ".join([EVERYTHING, *parts])
    return ", ".join(parts) or (OWN_SET if "dose" in usual else REFERENCE)
