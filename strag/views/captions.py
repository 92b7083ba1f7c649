"""Headings and captions of figures of histories: the data set and the recipe, kept short."""

import numpy as np

from strag.stragglers.recipe import network_of
from strag.stragglers.unknown import in_brief
from strag.words import layer_in_words, number_of

LONGEST = 28  # characters of a name
LONGEST_GROUPS = 24  # characters of the groups in a title
LONGEST_HEADING = 92  # characters
LONGEST_LAYER = 80  # characters of a layer in a caption
LONGEST_NAMES = 80  # characters of the names of the classes in the groups
MOST_GROUPS = 4  # that a title names
USUAL_GROUPS = ("even", "odd")
ENDED = "means over the runs that still train"  # where some runs end before others


def one_line(text, longest=LONGEST):
    """Return `text` on one line, with its middle cut out if it is too long for a figure."""
    text = " ".join(str(text).split())
    if len(text) <= longest:
        return text
    head = (longest - 1) // 2
    return f"{text[:head]}…{text[len(text) - (longest - 1 - head) :]}"


def title_of(title, classes, longest=LONGEST):
    """Return the title of a data set, with its groups unless they are even and odd: `pets (cat / dog)`.

    classes : names of the groups; empty if they are not known. longest : number of characters of the title.
    """
    title, classes = one_line(title, longest), tuple(classes)
    if not classes or classes == USUAL_GROUPS:
        return title
    if len(classes) > MOST_GROUPS:
        return f"{title} ({len(classes)} classes)"
    return f"{title} ({one_line(' / '.join(classes), LONGEST_GROUPS)})"


def table_title(title, classes):
    """Return the title of a table, as `title_of` but never cut; None without a title."""
    return title and title_of(title, classes or (), len(title))


def scaled_update(momenta):
    """Return the heading of lr t*, the update that is comparable between learning rates.

    With momentum m it is lr t*/(1 - m). momenta : the momentum of each training, None where not known.
    """
    return "lr t*/(1 - m)" if any(momenta) else "lr t*"


def heading(shown):
    """Return the name and the inversion of one Dynamics, or the data sets of several, each of them once."""
    if len(shown) == 1:
        longest = max(LONGEST, LONGEST_HEADING - len(shown[0].sentence) - 2)
        return f"{one_line(shown[0].label, longest)}: {shown[0].sentence}"
    return one_line(", ".join(dict.fromkeys(dynamics.title for dynamics in shown)), LONGEST_HEADING)


def caption(shown):
    """Return the facts that are the same for all Dynamics, and whether runs end early, on one line."""
    every = [dynamics.facts for dynamics in shown]
    same = [text for key, text in every[0].items() if all(facts.get(key) == text for facts in every)]
    ended = any(not dynamics.recorded.all() for dynamics in shown)
    return ", ".join([*same, *([ENDED] if ended else [])])


def facts_of(history, at, diverged):
    """Return the main facts of a history: dict of short texts.

    at : position of the layer that is drawn, or None. diverged : number of runs that diverged.
    """
    recipe, layer = history.recipe, None if at is None else history.layers[at]
    runs = number_of(len(history.runs), "run")
    facts = {
        "examples": _examples(history),
        "runs": f"{runs} ({diverged} diverged and left out)" if diverged else runs,
        **recipe_facts(recipe, history.recording),
        **_named_groups(history),
    }
    if layer is not None and (layer != 1 or len(history.layers) > 1):
        facts["layer"] = one_line(layer_in_words(layer), LONGEST_LAYER)
    return facts


def _named_groups(history):
    """Return the names of the original classes in each group, if there are names and they are short: dict."""
    if not history.meta.get("class_names") or history.classes == USUAL_GROUPS:
        return {}
    groups = [
        [history.class_name(number) for number in np.unique(history.y[history.group == group]).tolist()]
        for group in range(len(history.classes))
    ]
    text = " / ".join(", ".join(names) for names in groups)
    is_new = any(len(names) > 1 for names in groups) and "," in text
    return {"groups": text} if is_new and len(text) <= LONGEST_NAMES else {}


def recipe_facts(recipe, recording=None):
    """Return the main options of the recipe of a training, as a dict of short texts.

    Options with their usual value are left out. recording : how networks that strag did not train were
    recorded, else None.
    """
    facts = {"recording": in_brief(recording)} if recording else {}
    facts |= {"model": network_of(recipe)} if network_of(recipe) else {}
    if recipe.get("channels"):
        facts["channels"] = f"{', '.join(map(str, recipe['channels']))} channels"
    for key, usual, text in (
        ("depth", None, "depth {}"),
        ("width", None, "width {}"),
        ("activation", "tanh", "{}"),
        ("no_bias", False, "no biases"),
        ("standardise", "pixel", "standardise {}"),
        ("optimizer", "sgd", "{}"),
        ("lr", None, "lr {}"),
        ("momentum", 0, "momentum {}"),
        ("weight_decay", 0, "weight decay {}"),
        ("batch_size", None, "batches of {}"),
    ):
        value = recipe.get(key)
        if key == "width" and recipe.get("depth") == 1:
            continue  # a linear classifier has no hidden layer
        if value is not None and value != usual:
            facts[key] = text.format(f"{value:g}" if isinstance(value, float) else value)
    return facts


def _examples(history):
    """Return the number of examples that the runs were trained on, and that of the data set if it differs."""
    trained = history.trained_bits().sum(axis=1)
    fewest, most = int(trained.min()), int(trained.max())
    if fewest == history.examples:
        return f"P = {fewest}"
    return f"P = {fewest if fewest == most else f'{fewest} to {most}'} of {history.examples}"
