"""Training as a generator of records."""

from dataclasses import replace

from strag.training.group import Group, open_inputs


def run_groups(recipe, ends):
    """Split all runs into groups that are trained together, aligned to the run numbers: list of slices.

    They do not depend on how many inputs are used, so that they are known before the data are standardised.
    """
    first, last = recipe.first_run, recipe.first_run + recipe.runs
    size = recipe.architecture.group_size(replace(ends, columns=ends.features))
    starts = sorted({first, *range(-(-first // size) * size, last, size)})
    return [slice(a - first, b - first) for a, b in zip(starts, [*starts[1:], last], strict=True)]


def train(recipe, task, weights_at=(), device="cpu", begun=(), due=None, keep=False, decide=None):
    """Train `recipe.runs` networks, one group after another, and yield their Records.

    A group yields a Record at every update where a record, a test or the weights are due. A run that
    diverges continues as NaN and does not affect the other runs.

    Parameters
    ----------
    weights_at : updates at which the weights are due.
    begun : Checkpoints to go on from, at most one for a group. A Record of the same update comes again.
    due : function without arguments, called before every update. Where it returns STATE, a Checkpoint is
        yielded; where it returns STOP, the training ends after that. Another Checkpoint follows the last
        update of every group. By default there are none.
    keep : whether to yield the Checkpoint after the last update of every group in any case.
    decide : function that decides from the records of a run whether it has ended, see `Ending`. A group is
        trained until all its runs have ended, and weights are then due where a run ends. By default every
        run ends at the last update.
    """
    inputs = open_inputs(recipe, task, device)
    for runs, checkpoint in begun_groups(recipe, task, begun):
        group = Group(recipe, task, *inputs, runs, frozenset(weights_at), device, decide)
        if checkpoint is not None:
            group.restore(checkpoint)
        yield from group.events(due, keep or due is not None)
        if group.is_stopped:
            return


def begun_groups(recipe, task, begun=()):
    """Yield every group that is not complete: its runs, and its Checkpoint or None.

    begun : the Checkpoints that there are.
    """
    reached = {(checkpoint.runs.start, checkpoint.runs.stop): checkpoint for checkpoint in begun}
    for runs in run_groups(recipe, task.ends):
        checkpoint = reached.get((runs.start, runs.stop))
        if checkpoint is None or not checkpoint.is_last:
            yield runs, checkpoint
