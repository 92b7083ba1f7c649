"""An entry of `runs` in the kind `stragglers`: what one run says."""

_BESIDE = ("update", "stopped_test_error", "test_error", "right_test_error", "wrong_test_error")


def run_entry(history, found, run, counterpart=None):
    """The dict of one run, a position on axis R of a History, in Stragglers.

    counterpart : its Counterpart, which adds `reference`.
    """
    record = found.records[run]
    told = {
        "run": history.runs[run],
        "update": None if record is None else int(history.updates[record]),
        "train_error": None if record is None else history.train_error[record, run],
        **_valley(found.inversions[run]),
        "test_error": history.test_error_at(found.inversions[run].update, run),
        "last_test_error": history.last_test_error(run),
        "last_update": int(history.updates[-1]),
        "examples": int(history.trained_bits()[run].sum()),
        "stragglers": int(found.sets[found.taken.index(run)].sum()) if run in found.taken else None,
    }
    if counterpart is not None:
        told["reference"] = {name: getattr(counterpart, name) for name in _BESIDE}
    if history.meta.get("sets"):
        told["set"] = {name: values[run] for name, values in history.meta["sets"].items()}
    if found.by_class is not None:
        of_run = zip(history.classes, found.by_class[run], strict=True)
        told["classes"] = {name: one and _valley(one) for name, one in of_run}
    return told


_AS_TOLD = (
    *("depth", "prominence", "noise", "valley_update", "misclassified", "failed", "horizon", "depth_at_4"),
    *("excluded_below", "train_until", "unstable_from", "loss_rise"),
)


def _valley(inversion):
    return {
        "verdict": inversion.verdict,
        "refined_update": inversion.update,
        "refined_train_error": inversion.train_error,
        **{name: getattr(inversion, name) for name in _AS_TOLD},
    }
