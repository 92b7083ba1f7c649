"""The end of each run's training, where a rule decides from its records whether more are needed."""

import math

import numpy as np

from strag.geometry.times import LOG_STEP


class Ending:
    """Decides, record by record, which runs of a group have ended.

    Parameters
    ----------
    decide : function that decides for one run, from arrays whose first axis is that of its records: decide(
        updates, measures, train_error, train_loss, wrong, examples), with updates int64 [T], measures a dict
        of name to float32 [T, L, axis], train_error and train_loss float32 [T], wrong int64 [T] the numbers
        of misclassified trained examples, and examples the number of trained examples; present=bool [C] says
        of which groups it trains on an example. It returns whether the run has ended.
    group : int64 [P], the group of each example. trained : bool [R, P], the examples that each run trains on,
        or None for all. classes : number of groups C. runs : R.

    Attributes
    ----------
    ended : bool [R]. active : int64, the runs that are still trained together: whenever half of them have
        ended, the others go on without them.

    A run is asked about at records between which ln t has grown by 0.1, whatever else is recorded, so that
    the end of a run does not depend on its neighbours, and dense records cost little.
    """

    def __init__(self, decide, group, trained, classes, runs):
        self.decide, self.trained = decide, trained
        masks = [slice(None)] * runs if trained is None else trained
        counts = [np.bincount(group[mask], minlength=classes) for mask in masks]
        self.examples = [int(count.sum()) for count in counts]
        self.present = [count > 0 for count in counts]
        self.ended, self.active = np.zeros(runs, bool), np.arange(runs)
        self._updates, self._columns, self._measures = [], [], []
        self._next = 1.0

    def take(self, record, is_last=False):
        """Take in a Record of all runs and return the runs that end with it: bool [R].

        is_last : whether there is no further update, so that every run ends.
        """
        wrong = record.misclassified if self.trained is None else record.misclassified & self.trained
        columns = record.train_error, record.train_loss
        self._updates.append(record.update)
        self._columns.append([*(np.asarray(column, np.float32) for column in columns), wrong.sum(axis=1)])
        self._measures.append({name: np.asarray(v, np.float32) for name, v in record.measures.items()})
        now = np.zeros_like(self.ended)
        if record.update >= self._next:
            self._next = record.update * math.exp(LOG_STEP)
            now = ~self.ended & np.array(
                [not over and self._has_ended(r) for r, over in enumerate(self.ended)]
            )
        if is_last:
            now = ~self.ended
        self.ended |= now
        others = np.flatnonzero(~self.ended)
        if 0 < 2 * others.size <= self.active.size:
            self.active = others
        return now

    def _has_ended(self, run):
        """Whether a run has ended, by the rule."""
        error, loss, wrong = (np.array([row[k][run] for row in self._columns]) for k in range(3))
        measures = {
            name: np.stack([values[name][run] for values in self._measures]) for name in self._measures[0]
        }
        examples, present = self.examples[run], self.present[run]
        return self.decide(np.array(self._updates), measures, error, loss, wrong, examples, present=present)
