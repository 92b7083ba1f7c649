"""Parts of a training, which are trained on their own and joined afterwards.

A part consists of whole groups of runs, so that its numbers are those of the whole training.
"""

from dataclasses import dataclass

import numpy as np

from strag.errors import bad_usage
from strag.words import number_of


@dataclass(frozen=True)
class Part:
    """Part `number`, from 1, of `of` parts of nearly equal size."""

    number: int
    of: int

    def __post_init__(self):
        if not 1 <= self.number <= self.of:
            raise bad_usage(
                f"there is no `part` {self.number} of {self.of}", f"pass a number from 1 to {self.of}"
            )

    def __str__(self):
        return f"{self.number}/{self.of}"

    def runs(self, groups):
        """The slice of all runs that are in this part. groups : slices of the whole training, in order.

        Raises StragError if there are more parts than groups.
        """
        if self.of > len(groups):
            counted = number_of(len(groups), "group")
            problem = f"a training of {counted} of runs cannot have {number_of(self.of, 'part')}"
            raise bad_usage(problem, f"pass `part` K/N with N at most {len(groups)}")
        first, stop = ((self.number - less) * len(groups) // self.of for less in (1, 0))
        return slice(groups[first].start, groups[stop - 1].stop)


def require_one_set(removed):
    """Raise StragError if runs leave out different examples, so that they have no common standardisation.

    removed : for each run of the whole training an array that says which examples it leaves out.
    """
    if any(not np.array_equal(rows, removed[0]) for rows in removed):
        raise bad_usage(
            "`restandardise` needs runs that all leave out the same examples",
            "remove it, or train on one set at a time",
        )
