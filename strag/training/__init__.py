"""Training many networks at once.

Before torch is loaded, its idle threads are told to sleep rather than to spin, unless the user says
otherwise: with a second job on the same cores, spinning threads keep the working ones off them, and both
jobs crawl.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
