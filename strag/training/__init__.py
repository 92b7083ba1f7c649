"""Training many networks at once.

Before torch is loaded, this package makes torch's idle threads spin for a moment and then sleep, unless the
user's environment variables say otherwise. Threads that spin for long slow down every other job on the same
cores; threads that sleep at once wake up too late for the next of the many short operations.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # some microseconds
