"""`python -m strag`, and the `strag` script."""

import sys


def run():
    """Run the command line and leave with its status."""
    from strag.cli import main

    sys.exit(main())


if __name__ == "__main__":
    run()
