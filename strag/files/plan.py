"""The kind `plan`: JSON, what a training would cost."""

from strag.files.spec import JsonSpec, Keys

SPEC = JsonSpec(
    "plan",
    (
        Keys(("network_updates",), "updates of one network"),
        Keys(("operations",), "floating-point operations of the products"),
        Keys(("seconds",), "of training, from a short trial"),
        Keys(("memory_bytes",), "of the process, at the peak"),
        Keys(("history_bytes", "weights_bytes"), "of the tensors on disk"),
    ),
)


def read(opened):
    """The object in an open Document, whose stamp was checked."""
    return SPEC.check(opened)
