"""The updates at which a record is due."""

import numbers

from strag.geometry.times import logarithmic
from strag.values import refused

LOG = "log"
_FIRST = 1024  # updates to which the chosen ones are found at first


class Due:
    """The updates of `when`, as a container: `update in Due("log")`.

    when : "log" for 0, 1, and then each update at which ln t has grown by 0.1, as `strag.train` records them
    with `record_every="log"`, or N for every N-th update from 0 on.

    Raises StragError for any other value.
    """

    def __init__(self, when):
        is_log = isinstance(when, str) and when == LOG
        is_number = isinstance(when, numbers.Integral) and not isinstance(when, bool) and when >= 1
        if not is_log and not is_number:
            raise refused(when, "when", "'log', or N for every N-th update")
        self.when = LOG if is_log else int(when)
        self._step = None if is_log else int(when)
        self._until, self._chosen = 0, {0}

    def __contains__(self, update):
        if self._step is not None:
            return update >= 0 and update % self._step == 0
        if update > self._until:
            self._until = max(_FIRST, 2 * int(update))
            self._chosen = {0, *(at for at in logarithmic(range(self._until + 1)))}
        return update in self._chosen
