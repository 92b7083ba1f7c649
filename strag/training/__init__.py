"""Training many networks at once.

Before torch is loaded, its idle threads are told to spin for a moment only and then to sleep, unless the
user says otherwise. Threads that spin for long keep a second job on the same cores from working, and both
crawl; threads that sleep at once wake up late for the next of the many short operations.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # some microseconds
