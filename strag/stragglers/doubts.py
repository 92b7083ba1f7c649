"""Warnings about implausible results, whatever their verdict."""

import numpy as np

from strag.stragglers.inversion import DIVERGED
from strag.words import number_of

# With fewer examples per group, in many groups, labels are probably numbers to predict.
FEWEST_OF_A_GROUP = 10
MANY_GROUPS = 20
LARGEST_SHARE = 10  # a larger rise of the loss, as a share, is not stated in percent
FAR = 0.5  # sets at less than this share of the requested training error are far from the moment
MOST_EXAMPLES = 0.5  # stragglers that are a larger share of the examples are not exceptions


def doubts(history, stragglers, level=None):
    """Reasons to doubt the Stragglers of a History: list of sentences, empty if there are none.

    history : History. stragglers : Stragglers of the History.
    level : the training error at which the sets were requested; None if they were requested at another
        moment.
    """
    sentences = (
        _groups(history),
        _guessing(history, stragglers),
        _most(stragglers),
        _rising(history, stragglers),
        _diverged(stragglers),
    )
    return [sentence for sentence in (*sentences, _far(history, stragglers, level)) if sentence]


def _far(history, stragglers, level):
    """A warning if the training error fell from above the level to far below it between two records."""
    if not level:
        return ""
    places = np.array([(stragglers.records[run], run) for run in stragglers.taken])
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
    """A warning if there are many groups with few examples."""
    groups, examples = len(history.classes), history.examples
    if groups <= MANY_GROUPS or examples >= FEWEST_OF_A_GROUP * groups:
        return ""
    return (
        f"there are {groups} groups of {examples / groups:.1f} examples on average; labels that are numbers "
        "to predict, rather than classes, have no class manifolds"
    )


def _guessing(history, stragglers):
    """A warning if the error at the inversion is not below that of predicting the most frequent group."""
    if stragglers.mean_inversion is None:
        return ""
    trained = history.trained_bits()[
        [run for run, inversion in enumerate(stragglers.inversions) if inversion.update is not None]
    ]
    counts = trained @ np.eye(len(history.classes))[history.group]  # (runs, C)
    guessed = float(1 - (counts.max(axis=1) / counts.sum(axis=1)).mean())
    error = stragglers.mean_inversion[1]
    if error < guessed or guessed == 0:
        return ""
    return (
        f"the training error at the inversion, {error:.2g}, is no better than {guessed:.2g}, that of always "
        "naming the most frequent group: the networks have not learned the task there"
    )


def _most(stragglers):
    """A warning if most of the trained examples are stragglers."""
    trained = int((stragglers.seen > 0).sum())
    chosen = int(stragglers.consensus.sum())
    if not trained or chosen <= MOST_EXAMPLES * trained:
        return ""
    return f"{chosen} of {trained} examples are stragglers, which should be exceptions"


def _rising(history, stragglers):
    """A warning if the loss rises in some runs, which says whether that may exclude an inversion."""
    rising = [inversion for inversion in stragglers.inversions if inversion.unstable_from is not None]
    if not rising:
        return ""
    first, runs = min(inversion.unstable_from for inversion in rising), len(stragglers.inversions)
    most = max(inversion.loss_rise for inversion in rising)
    size = f"by up to {most:.0%}" if most < LARGEST_SHARE else "to many times its value"
    unknown = "the optimiser is not known, so that no run counts as unstable"
    remedy = "use a smaller learning rate" if "optimizer" in history.recipe else unknown
    return (
        f"the loss rises in {len(rising)} of {number_of(runs, 'run')}, {size}, from update {first} on, which "
        f"creates false valleys; {remedy}"
    )


def _diverged(stragglers):
    """A warning if some runs diverged."""
    diverged = sum(inversion.verdict == DIVERGED for inversion in stragglers.inversions)
    if not diverged:
        return ""
    return (
        f"{diverged} of {number_of(len(stragglers.inversions), 'run')} diverged; use a smaller learning rate"
    )
