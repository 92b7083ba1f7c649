"""Times at which slow curves are looked at: equally spaced in ln t."""

import math
from bisect import bisect_left

LOG_STEP = 0.1  # growth of ln t from one to the next, as in the paper


def logarithmic(updates):
    """Positions of the updates at which ln t has grown by 0.1 since the last chosen one: list of int.

    updates : rising int. The first one after 0 is chosen, too: of the updates 1 to 300 these are 39, of
    which the paper counts the 38 at which ln t has grown, without the state after the first update.
    """
    chosen = []
    position = bisect_left(updates, 1)
    while position < len(updates):
        chosen.append(position)
        last = updates[position]
        # Later updates are looked up, as there may be very many: the first that has grown enough.
        grown = lambda update, last=last: math.log(update / last) >= LOG_STEP  # noqa: E731
        position = bisect_left(updates, True, position + 1, key=grown)
    return chosen


def evenly(updates, number):
    """Positions of `number` updates, from the first after 0 to the last, evenly spaced in ln t: list of int.

    updates : rising int. Every next one is that nearest to an even share of the ln t that is left, among
    those that leave enough for the rest, so that each is chosen at most once: where neighbours lie further
    apart than even spacing would, as the first updates do, they follow each other. Where there are fewer
    updates than `number`, at least 2, it is all of them.
    """
    places = [position for position, update in enumerate(updates) if update > 0]
    log_t = {position: math.log(updates[position]) for position in places}
    chosen = places[:1]
    for left in range(min(number, len(places)) - 1, 0, -1):
        last, end = chosen[-1], places[-1]
        aim = log_t[last] + (log_t[end] - log_t[last]) / left
        distance = {place: abs(log_t[place] - aim) for place in range(last + 1, end - left + 2)}
        chosen.append(min(distance, key=distance.get))
    return chosen
