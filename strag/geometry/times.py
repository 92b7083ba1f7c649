"""Times at which slow curves are looked at: equally spaced in ln t."""

import math

LOG_STEP = 0.1  # growth of ln t from one to the next, as in the paper


def logarithmic(updates):
    """Positions of the updates at which ln t has grown by 0.1 since the last chosen one: list of int.

    updates : rising int. The first one after 0 is chosen, too: of the updates 1 to 300 these are 39, of
    which the paper counts the 38 at which ln t has grown, without the state after the first update.
    """
    chosen, last = [], 0
    for position, update in enumerate(updates):
        if update > 0 and (last == 0 or math.log(update / last) >= LOG_STEP):
            chosen.append(position)
            last = update
    return chosen
