"""RunFinding: the results for one run, which are the entries of `runs` in a Finding."""

from dataclasses import dataclass, fields, replace

import numpy as np

from strag.stragglers.inversion import Inversion


@dataclass(frozen=True)
class RunReference:
    """The run of a reference, trained on all examples, that started from the same initial weights.

    The attributes are those of `strag.stragglers.reference.Counterpart`, in plain numbers.

    Attributes
    ----------
    update : t* of the run, refined; None without an inversion.
    stopped_test_error : tuple of float, the test error per noise level at the test record nearest to t*; None
        if there is no such record.
    test_error : tuple of float, the test error per noise level at the last test record; None without test
        records.
    right_test_error, wrong_test_error : test error of the network over the test examples that this run,
        stopped at t*, classifies correctly, and over those that it misclassifies; None if not known.
    """

    update: float | None = None
    stopped_test_error: tuple | None = None
    test_error: tuple | None = None
    right_test_error: float | None = None
    wrong_test_error: float | None = None


@dataclass(frozen=True)
class RunFinding:
    """The results for one run of a history.

    Attributes
    ----------
    run : the number of the run.
    inversion : Inversion of the run, without its record.
    update, train_error : update and training error at which the set of the run was taken; None without a set.
    test_error : test error without noise at t*; None if not known.
    last_test_error : tuple of float, the test error per noise level at the last test record. Its values are
        None for a run that diverged; it is None without test records.
    last_update : T, the update of the last record of the run.
    examples : number of examples that the run trains on.
    stragglers : size of the set of the run; None without a set.
    reference : RunReference to compare with, or None.
    left_out : dict that describes the set that the run left out, or None.
    classes : dict of group name to the Inversion of this class, or to None for a class of which the run
        trains on no example. None if inversions were not sought per class.
    """

    run: int
    inversion: Inversion
    update: int | None = None
    train_error: float | None = None
    test_error: float | None = None
    last_test_error: tuple | None = None
    last_update: int | None = None
    examples: int | None = None
    stragglers: int | None = None
    reference: RunReference | None = None
    left_out: dict | None = None
    classes: dict | None = None


def run_findings(history, stragglers, counterparts):
    """The RunFinding of every run of a History: tuple.

    stragglers : Stragglers of the History. counterparts : the Counterpart of every run, or None for each.
    """
    return tuple(
        _of_run(history, stragglers, run, counterpart) for run, counterpart in enumerate(counterparts)
    )


def _of_run(history, stragglers, run, counterpart):
    """The RunFinding of the run at position `run` on axis R."""
    record, inversion = stragglers.records[run], stragglers.inversions[run]
    sets = history.meta.get("sets")
    return RunFinding(
        run=history.runs[run],
        inversion=_kept(inversion),
        update=None if record is None else int(history.updates[record]),
        train_error=None if record is None else known(history.train_error[record, run]),
        test_error=known(history.test_error_at(inversion.update, run)),
        last_test_error=_per_noise(history.last_test_error(run)),
        last_update=int(history.last_updates[run]),
        examples=int(history.trained_bits()[run].sum()),
        stragglers=int(stragglers.sets[stragglers.taken.index(run)].sum())
        if run in stragglers.taken
        else None,
        reference=None if counterpart is None else _run_reference(counterpart),
        left_out={name: values[run] for name, values in sets.items()} if sets else None,
        classes=None if stragglers.by_class is None else _by_class(history, stragglers.by_class[run]),
    )


def _by_class(history, inversions):
    """The Inversions of the classes of one run, by group name: dict."""
    return {
        name: inversion and _kept(inversion)
        for name, inversion in zip(history.classes, inversions, strict=True)
    }


def _kept(inversion):
    """An Inversion in plain numbers, without its record, which is a position in the history."""
    values = {field.name: getattr(inversion, field.name) for field in fields(Inversion)}
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}
    return replace(inversion, **plain | {"record": None, "loss_rise": known(inversion.loss_rise)})


def _run_reference(counterpart):
    """The RunReference of a Counterpart."""
    return RunReference(
        update=known(counterpart.update),
        stopped_test_error=_per_noise(counterpart.stopped_test_error),
        test_error=_per_noise(counterpart.test_error),
        right_test_error=known(counterpart.right_test_error),
        wrong_test_error=known(counterpart.wrong_test_error),
    )


def _per_noise(errors):
    """Errors per noise level as a tuple of float, with None for unknown values; None for None."""
    return None if errors is None else tuple(known(error) for error in errors)


def known(value):
    """A number as a float; None for None, NaN and infinities."""
    return float(value) if value is not None and np.isfinite(value) else None
