"""The modules that make the report of the paper, which stand beside it and not in strag."""

import sys
from pathlib import Path

PAPER = Path(__file__).parents[1] / "examples" / "paper"
sys.path.insert(0, str(PAPER))
import collect  # noqa: E402, F401
import expressions  # noqa: E402
import keys  # noqa: E402
import report  # noqa: E402

sys.path.remove(str(PAPER))
MODULES = {module.__name__: module for module in (expressions, keys, report)}
