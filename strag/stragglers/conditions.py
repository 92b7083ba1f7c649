"""Which experiments form one condition, the order of the conditions, and their labels."""

from strag.stragglers.sets import NO_CONTROL, OWN

REFERENCE, OWN_SET = "reference", "own set"  # labels: usual in every setting; the set of each run itself
EVERYTHING = "all examples"  # label where other conditions left out sets
OF_SETS = ("control", "dose", "update")  # settings of networks that left out sets of their own
OF_DATA = ("without", "pruned")  # settings of the data of all runs
USUAL = {"control": NO_CONTROL, "dose": OWN, **dict.fromkeys(OF_DATA)}  # even if another value is more common


def kind_of(settings):
    """The kind of set that an experiment of a sweep left out, in words; empty for other experiments."""
    known = {name: settings[name] for name in OF_SETS if settings.get(name) is not None}
    if (known.get("control"), known.get("dose")) == (NO_CONTROL, OWN):
        known = {OWN_SET: "", **{name: value for name, value in known.items() if name == "update"}}
    return ", ".join(f"{name} {_text(value)}".strip() for name, value in known.items())


def group_by(experiments, labels):
    """The key of the condition of every Experiment: its label, or its settings without labels. A list."""
    return list(labels) if labels else [key_of(one.settings) for one in experiments]


def key_of(settings):
    """Settings as a key that does not depend on their order."""
    return tuple(sorted((name, _text(value)) for name, value in settings.items()))


def _text(value):
    """A value as text, the same for equal numbers."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"{float(value):.12g}" if is_number else str(value)


def varying(settings):
    """Names of the settings whose values differ, in their order: list of str."""
    names = dict.fromkeys(name for one in settings for name in one)
    return [name for name in names if len({_text(one.get(name)) for one in settings}) > 1]


def place_of(settings, usual):
    """Sort key of a condition: the value if one setting varies; else usual values come first in each."""
    values = [(name, settings.get(name)) for name in usual]
    return [(len(usual) > 1 and _text(value) != usual[name], _rank(value)) for name, value in values]


def _rank(value):
    """Numbers in order, before texts."""
    return (1, 0.0, str(value)) if not isinstance(value, (int, float)) else (0, float(value), str(value))


def usual_value(name, values, varies):
    """The most common value of a setting, the first in order where several are: str.

    For sets it is the run's own set, and for data all examples, if any condition has these. The exception is
    `without` where the control varies too: there it names the sets themselves.
    varies : names of all settings that differ.
    """
    texts = [_text(value) for value in sorted(values, key=_rank)]
    own = _text(USUAL.get(name))
    fixed = name in USUAL and not (name == "without" and "control" in varies)
    return own if fixed and own in texts else max(dict.fromkeys(texts), key=texts.count)


def described(settings, usual):
    """The label of a condition: its unusual values, or its value if only one setting varies."""
    unsaid = (*OF_SETS, "without") if "control" in usual else OF_SETS  # where no sets were left out
    parts = [
        f"{name.replace('_', ' ')} {_text(settings.get(name))}"
        for name, common in usual.items()
        if _text(settings.get(name)) != common and not (name in unsaid and settings.get(name) is None)
    ]
    if len(usual) == 1:
        (name,) = usual
        if name in OF_DATA and settings.get(name) is None:
            return EVERYTHING
        return f"{name.replace('_', ' ')} {_text(settings.get(name))}"
    if "control" in usual and all(settings.get(name) is None for name in ("control", *OF_DATA)):
        return ", ".join([EVERYTHING, *parts])
    return ", ".join(parts) or (OWN_SET if "dose" in usual else REFERENCE)
