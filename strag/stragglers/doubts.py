"""Warnings about results that make little sense, whatever their verdict."""

import numpy as np

from strag.stragglers.inversion import DIVERGED
from strag.words import number_of

FEWEST_OF_A_GROUP = 10  # examples per group; fewer, in many groups, look like numbers to predict
MANY_GROUPS = 20
LARGEST_SHARE = 10  # rise of the loss that is stated in percent
FAR = 0.5  # share of the requested training error, below which the sets belong to another moment
MOST_EXAMPLES = 0.5  # share of the examples, above which stragglers are not exceptions


def doubts(history, found, level=None):
    """Reasons to doubt the Stragglers of a History: list of sentences, empty without any.

    level : the training error at which the sets were requested; None for another moment.
    """
    sentences = (_groups(history), _guessing(history, found), _most(found), _rising(found), _diverged(found))
    return [sentence for sentence in (*sentences, _far(history, found, level)) if sentence]


def _far(history, found, level):
    """Whether the training error fell from above the level to far below it between two records."""
    if not level:
        return ""
    places = np.array([(found.records[run], run) for run in found.taken])
    before = places[places[:, 0] > 0]
    error = float(history.train_error[places[:, 0], places[:, 1]].mean())
    if error >= FAR * level or not len(before):
        return ""
    above = float(history.train_error[before[:, 0] - 1, before[:, 1]].mean())
    return (
        f"the sets are those at a training error of {error:.2g}, far below {level:g}: one record earlier it "
        f"was {above:.2g}; use a smaller learning rate, or more records, to come nearer"
    )


def _groups(history):
    """Whether there are many groups of few examples."""
    groups, examples = len(history.classes), history.examples
    if groups <= MANY_GROUPS or examples >= FEWEST_OF_A_GROUP * groups:
        return ""
    return (
        f"there are {groups} groups of {examples / groups:.1f} examples on average; labels that are numbers "
        "to predict, rather than classes, have no class manifolds"
    )


def _guessing(history, found):
    """Whether the error at the inversion is no better than that of naming the most frequent group."""
    if found.mean_inversion is None:
        return ""
    trained = history.trained_bits()[
        [run for run, one in enumerate(found.inversions) if one.update is not None]
    ]
    counts = trained @ np.eye(len(history.classes))[history.group]  # (runs, C)
    guessed = float(1 - (counts.max(axis=1) / counts.sum(axis=1)).mean())
    error = found.mean_inversion[1]
    if error < guessed or guessed == 0:
        return ""
    return (
        f"the training error at the inversion, {error:.2g}, is no better than {guessed:.2g}, that of always "
        "naming the most frequent group: the networks have not learned the task there"
    )


def _most(found):
    """Whether most of the trained examples are stragglers."""
    trained = int((found.seen > 0).sum())
    chosen = int(found.consensus.sum())
    if not trained or chosen <= MOST_EXAMPLES * trained:
        return ""
    return f"{chosen} of {trained} examples are stragglers, which should be exceptions"


def _rising(found):
    """Whether the loss rises in some runs."""
    rising = [one for one in found.inversions if one.unstable_from is not None]
    if not rising:
        return ""
    first, runs = min(one.unstable_from for one in rising), len(found.inversions)
    most = max(one.loss_rise for one in rising)
    size = f"by up to {most:.0%}" if most < LARGEST_SHARE else "to many times its value"
    return (
        f"the loss rises in {len(rising)} of {number_of(runs, 'run')}, {size}, from update {first} on, which "
        "creates false valleys; use a smaller learning rate"
    )


def _diverged(found):
    """Whether some runs diverged."""
    diverged = sum(one.verdict == DIVERGED for one in found.inversions)
    if not diverged:
        return ""
    return f"{diverged} of {number_of(len(found.inversions), 'run')} diverged; use a smaller learning rate"
