"""The entry point of `python -m strag` and of the `strag` script."""

import atexit
import sys

from strag import signals


def run():
    """Run the command line and exit with its status, or die by the signal that ended it."""
    ended = []
    atexit.register(lambda: ended and signals.die_by(ended[0]))  # registered first, so that it runs last
    try:
        signals.listen()
        if sys.stdout is not None:
            sys.stdout.reconfigure(errors="backslashreplace")  # for names with characters the locale lacks
        from strag.cli import main

        status = main()
        signals.leave()
    except KeyboardInterrupt:  # while strag was loading
        signals.leave()
        from strag.console import say

        interrupted = signals.raised() or signals.Interrupted()
        say(str(interrupted))
        status = signals.FAILED + interrupted.number
    if status > signals.FAILED:
        ended.append(status - signals.FAILED)
    sys.exit(status)


if __name__ == "__main__":
    run()
