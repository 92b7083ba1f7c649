"""Sets of examples as a sentence."""

from strag.views.stragglers import never_reached, verdict_line
from strag.words import number_of


def sentence(sets, verdict=None, missing=0):
    """Return one line: the number and the mean size of Sets, and the verdict on their history.

    verdict : on the history, or None if the sets were not taken at its inversion.
    missing : number of runs that never reach the training error at which the sets were taken.
    """
    size = f" of {sets.members.sum(axis=1).mean():.1f} examples on average" if len(sets.run) else ""
    verdict_clause = f"; {verdict_line(verdict)}" if verdict else ""
    return f"{number_of(len(sets.run), 'set')}{size}{never_reached(missing)}{verdict_clause}"
