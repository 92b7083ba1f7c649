"""Updates equally spaced in ln t, at which slowly changing curves are recorded or compared."""

import math
from bisect import bisect_left

LOG_STEP = 0.1  # growth of ln t from one chosen update to the next, as in the paper


def logarithmic(updates):
    """Positions of the updates at which ln t has grown by 0.1 since the last chosen update: list of int.

    The first update after 0 is chosen, too. For the updates 1 to 300, 39 are chosen; the paper counts 38,
    without the first one.

    updates : int, rising.
    """
    chosen = []
    position = bisect_left(updates, 1)
    while position < len(updates):
        chosen.append(position)
        last = updates[position]
        # There may be very many updates, so that the next one is found by bisection.
        grown = lambda update, last=last: math.log(update / last) >= LOG_STEP  # noqa: E731
        position = bisect_left(updates, True, position + 1, key=grown)
    return chosen


def evenly(updates, number):
    """Positions of `number` updates, from the first after 0 to the last, evenly spaced in ln t: list of int.

    The updates are chosen one after another. Each is the one nearest in ln t to an equal share of the ln t
    that is left, among those that leave enough updates for the rest. So no update is chosen twice. Where
    neighbouring updates are further apart than equal spacing, as the first updates are, each of them is
    chosen. If there are at most `number` updates after 0, all of them are chosen.

    updates : int, rising. number : int, at least 2.
    """
    places = [position for position, update in enumerate(updates) if update > 0]
    log_t = {position: math.log(updates[position]) for position in places}
    chosen = places[:1]
    for remaining in range(min(number, len(places)) - 1, 0, -1):
        last, end = chosen[-1], places[-1]
        aim = log_t[last] + (log_t[end] - log_t[last]) / remaining
        distance = {place: abs(log_t[place] - aim) for place in range(last + 1, end - remaining + 2)}
        chosen.append(min(distance, key=distance.get))
    return chosen
