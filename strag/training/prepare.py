"""Making the Task, on which the training loop trains, from a data set and a recipe."""

import numpy as np

from strag.datasets.dataset import mean_and_std, standardise
from strag.datasets.standardisation import applied
from strag.errors import StragError, bad_usage
from strag.training.architecture import misfit, not_held
from strag.training.parts import require_one_set
from strag.training.task import Task


def prepare(recipe, data, removed=None, seed_runs=None):
    """Make the Task of training `recipe` on a Dataset.

    removed : list of int arrays, one per run, the rows of the origin that the run leaves out, or None.
    seed_runs : run numbers that determine the initial weights of the networks, by default their own.

    Returns the Task, and the mean and std [d] that standardise its inputs. Raises StragError if no input of
    the data set varies, if it has fewer than two groups, if a run has no examples left, if `restandardise` is
    combined with runs that leave out different examples, and if there are no channels to standardise.
    """
    trained = _trained(recipe, data, removed)
    mean, std = _standardisation(recipe, data, trained)
    columns = np.flatnonzero(std > 0)
    if np.unique(data.groups).size < 2:
        raise StragError(
            f"all examples are in one group, '{data.grouping.names[data.groups[0]]}'",
            "choose other `labels` for the data set",
        )
    x = standardise(data.x, mean, std)
    x_test = standardise(data.x_test, mean, std) if data.has_test else None
    if recipe.weight_decay or recipe.architecture.takes_all:
        # Weights of constant inputs decay too: train on all columns.
        x, x_test = spread(x, columns, data.features), spread(x_test, columns, data.features)
        columns = np.arange(data.features)
    task = Task(
        x=x,
        columns=columns,
        varying=std[columns] > 0,
        shape=data.x.shape[1:],
        group=data.groups,
        classes=len(data.grouping.names),
        index=data.index,
        origin_size=data.origin_size,
        trained=trained,
        seed_runs=tuple(seed_runs or range(recipe.first_run, recipe.first_run + recipe.runs)),
        x_test=x_test,
        test_group=data.test_groups,
    )
    return task, mean, std


def _trained(recipe, data, removed):
    """Return the examples that each run trains on, bool [R, P], or None for all."""
    if removed is None:
        return None
    trained = np.ones((recipe.runs, len(data.y)), dtype=bool)
    for run, indices in enumerate(removed):
        trained[run, data.positions(indices)] = False
    if not trained.any(axis=1).all():
        raise StragError("no example is left to train on", "remove fewer examples")
    return trained


def _standardisation(recipe, data, trained):
    """Return the mean and std [d] that the recipe applies to the inputs of the Dataset.

    They follow from those of its block or, with `restandardise`, from those of the examples trained on.
    """
    if not recipe.restandardise or trained is None:
        mean, std = data.standardisation(recipe.restandardise)
    else:
        require_one_set(trained)
        mean, std = mean_and_std(data.x[trained[0]])
    if not (std > 0).any():
        raise StragError("no input varies over the examples", "pass examples that differ")
    return applied(recipe.standardise, mean, std, data.x)


def start_from(task, recipe, state, runs, source):
    """Make a Task start from stored parameters instead of those drawn from the seed.

    state : dict of name to float32 [number of runs, ...]. runs : the run numbers of its first axis.
    source : name of the file, for messages. Raises StragError if a run is missing or if the parameters do
    not fit the recipe.
    """
    missing = [run for run in task.seed_runs if run not in runs]
    if missing:
        raise bad_usage(
            f"has no run {missing[0]}",
            f"choose among runs {runs[0]} to {runs[-1]} with `first_run` and `runs`",
            source,
        )
    wanted = recipe.architecture.shapes(task.ends)
    fault = misfit({name: part.shape[1:] for name, part in state.items()}, wanted)
    fault = fault or not_held(state, recipe.architecture.held_at_zero(task.ends))
    if fault:
        options = ", ".join(f"`{name}`" for name in recipe.architecture.option_names())
        raise bad_usage(fault, f"pass the options ({options}) and the data set of its networks", source)
    rows = [runs.index(run) for run in task.seed_runs]
    task.initial = {name: state[name][rows] for name in wanted}


def spread(x, columns, features):
    """Place x [P, d'] at `columns` of an array of zeros [P, features]; None stays None."""
    if x is None:
        return None
    full = np.zeros((len(x), features), dtype=np.float32)
    full[:, columns] = x
    return full
