"""The kind `plan`: a JSON object with the cost of a training."""

from strag.files.spec import JsonSpec, Keys

SPEC = JsonSpec(
    "plan",
    (
        Keys(("network_updates",), "updates of single networks, summed over all runs"),
        Keys(("operations",), "floating-point operations of the matrix products"),
        Keys(
            ("seconds",),
            "estimated seconds of training, from a short trial; at most so many with `recipe.until`",
        ),
        Keys(("memory_bytes",), "peak memory of the process, in bytes"),
        Keys(("history_bytes", "weights_bytes"), "bytes of the tensors on disk"),
        Keys(
            ("parts",),
            "the parts of 10 to 60 minutes that `--part` can train, an object in a table below; null for a "
            "training of at most an hour, of one group of runs, or of one part",
        ),
    ),
)


def read(opened):
    """Return the object in an open Document after checking it."""
    return SPEC.check(opened)
