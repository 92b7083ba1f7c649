"""Arguments of a training that have no effect, because of other arguments or of the data."""

from strag.api.arguments import refuse_ignored
from strag.errors import bad_usage
from strag.files.sets import StoredSets
from strag.training.architecture import Ends
from strag.training.precision import FEWEST_INPUTS, is_effective


def refuse_unused(given, recipe, without=None, init=None, weights=None):
    """Refuse arguments of a training that have no effect, whatever the data are.

    given : names of the arguments that are given. without, init, weights : what these arguments are, or None.
    """
    draws = recipe.batch_size is not None or any(recipe.noise)  # else the seed must match that of sets
    starts = init is not None and without is None
    reason = "has no effect: `init` sets the weights, and a full batch has no order"
    refuse_ignored(
        given,
        ("weights_at", weights is None, "needs `weights`"),
        ("seed", starts and not draws, reason),
    )


def refuse_unused_with(data, given, recipe, without=None):
    """Refuse arguments of a training that have no effect on this Dataset, or with these StoredSets."""
    if not data.has_test:
        for name in ("noise", "test_every"):
            if name in given and recipe.test_every != "never":
                remedy = f"remove `{name}`, or create a test set with 'strag data' and `hold_out`"
                raise bad_usage(f"has no test set, which `{name}` is for", remedy, data.source)
    if recipe.precision not in recipe.architecture.precisions:
        problem = f"{recipe.architecture} is trained in float32, not in `precision` {recipe.precision}"
        raise bad_usage(problem, "remove it")
    ends = Ends(data.x.shape[1:], data.features, len(data.grouping.names))
    if not is_effective(recipe.precision, recipe.architecture.operands(recipe.precision, ends)):
        if recipe.architecture.takes_all:
            raise bad_usage(f"{recipe.architecture} computes in float32 only", "remove `precision`")
        problem = f"no hidden layer has {FEWEST_INPUTS} inputs, which `precision` {recipe.precision} is for"
        raise bad_usage(problem, "remove it", data.source)
    if isinstance(without, StoredSets):
        for name, reason in (("runs", "one network is trained per set"), ("first_run", "each set has a run")):
            if name in given:
                problem = f"holds sets, which contradict `{name}`: {reason}"
                raise bad_usage(problem, f"remove `{name}`", without.source)
