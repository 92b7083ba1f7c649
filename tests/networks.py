"""Factories of networks for the tests, and the examples of the package."""

from pathlib import Path

from strag.api.model import model

EXAMPLES = Path(__file__).parents[1] / "examples" / "networks" / "networks.py"


def example(name):
    """The Factory of one of the networks in the examples."""
    return model(f"{EXAMPLES}:{name}")
