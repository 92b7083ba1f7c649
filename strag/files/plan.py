"""The kind `plan`: JSON, what a training would cost."""

from strag.files.spec import JsonSpec, Keys

SPEC = JsonSpec(
    "plan",
    (
        Keys(("network_updates",), "updates of one network"),
        Keys(("operations",), "floating-point operations of the matrix products"),
        Keys(("seconds",), "estimated seconds of training, from a short trial"),
        Keys(("memory_bytes",), "peak memory of the process, in bytes"),
        Keys(("history_bytes", "weights_bytes"), "bytes of the tensors on disk"),
    ),
)


def read(opened):
    """The object in an open Document, whose stamp was checked."""
    return SPEC.check(opened)
