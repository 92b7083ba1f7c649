"""Which experiments are one condition, in what order conditions stand, and what they are called."""

from strag.stragglers.sets import NO_CONTROL, OWN

REFERENCE, OWN_SET = "reference", "own set"  # labels: usual in all, and the set of each run itself
EVERYTHING = "all examples"  # label beside conditions that left out sets
OF_SETS = ("control", "dose", "update")  # settings of those that left out sets of their own
OF_DATA = ("without", "pruned")  # likewise, of the data of all runs
USUAL = {"control": NO_CONTROL, "dose": OWN, **dict.fromkeys(OF_DATA)}  # whatever is more common


def kind_of(settings):
    """What kind of set an experiment of a sweep left out, in words; empty for others."""
    told = {name: settings[name] for name in OF_SETS if settings.get(name) is not None}
    if (told.get("control"), told.get("dose")) == (NO_CONTROL, OWN):
        told = {OWN_SET: "", **{name: value for name, value in told.items() if name == "update"}}
    return ", ".join(f"{name} {_text(value)}".strip() for name, value in told.items())


def group_by(experiments, labels):
    """What tells the condition of every Experiment: its label, or its settings."""
    return list(labels) if labels else [key_of(one.settings) for one in experiments]


def key_of(settings):
    """Settings as a key, the same for equal ones, whatever their order."""
    return tuple(sorted((name, _text(value)) for name, value in settings.items()))


def _text(value):
    """A value as text, the same for equal numbers."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"{float(value):.12g}" if is_number else str(value)


def varying(settings):
    """Names of what is not the same in all of these settings, in their order: list."""
    names = dict.fromkeys(name for one in settings for name in one)
    return [name for name in names if len({_text(one.get(name)) for one in settings}) > 1]


def place_of(settings, usual):
    """Where a condition stands: with one setting by its value; else what is usual comes first in each."""
    values = [(name, settings.get(name)) for name in usual]
    return [(len(usual) > 1 and _text(value) != usual[name], _rank(value)) for name, value in values]


def _rank(value):
    """Numbers in order, before texts."""
    return (1, 0.0, str(value)) if not isinstance(value, (int, float)) else (0, float(value), str(value))


def usual_value(name, values, varies):
    """The most common value of a setting, of equals the first in order: str.

    Of sets it is a run's own, of data all of them; but `without` names the sets themselves where control or
    dose tell them apart. varies : names of all settings that differ.
    """
    texts = [_text(value) for value in sorted(values, key=_rank)]
    own = _text(USUAL.get(name))
    fixed = name in USUAL and not (name == "without" and "control" in varies)
    return own if fixed and own in texts else max(dict.fromkeys(texts), key=texts.count)


def described(settings, usual):
    """How a condition differs from the most common value of every setting, or what it has of the only one."""
    unsaid = (*OF_SETS, "without") if "control" in usual else OF_SETS  # of those that left out no sets
    told = [
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
        return ", ".join([EVERYTHING, *told])
    return ", ".join(told) or (OWN_SET if "dose" in usual else REFERENCE)
