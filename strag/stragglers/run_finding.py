"""What one run says: the entries of `runs` in a Finding."""

from dataclasses import dataclass, fields, replace

import numpy as np

from strag.stragglers.inversion import Inversion


@dataclass(frozen=True)
class RunReference:
    """The run of a reference, trained on all examples, that started from the same initial weights.

    Attributes
    ----------
    update : its t*, refined, or None. stopped_test_error, test_error : tuple of float, per noise level, at
        the test record nearest to its t* and at its last one; None without.
    right_test_error, wrong_test_error : see `strag.stragglers.reference.Counterpart`; None where not known.
    """

    update: float | None = None
    stopped_test_error: tuple | None = None
    test_error: tuple | None = None
    right_test_error: float | None = None
    wrong_test_error: float | None = None


@dataclass(frozen=True)
class RunFinding:
    """What one run says.

    Attributes
    ----------
    run : its number. inversion : its Inversion, without its record.
    update, train_error : of the record at which its set was taken; None without a set.
    test_error : at t*, without noise. last_test_error : tuple of float, per noise level, at the last test
        record, None of one that diverged. last_update : T.
    examples : number of examples it trains on. stragglers : size of its set, None without one.
    reference : RunReference, or None. left_out : dict that says which set it left out, or None.
    classes : dict of the name of a group to the Inversion of that class, None for a class of which the run
        trains on no example; None where inversions were sought over all classes.
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


def run_findings(history, found, counterparts):
    """The RunFinding of every run of a History: tuple.

    found : Stragglers of the History. counterparts : for every run its Counterpart, or None.
    """
    return tuple(_of_run(history, found, run, beside) for run, beside in enumerate(counterparts))


def _of_run(history, found, run, counterpart):
    record, inversion = found.records[run], found.inversions[run]
    sets = history.meta.get("sets")
    return RunFinding(
        run=history.runs[run],
        inversion=_kept(inversion),
        update=None if record is None else int(history.updates[record]),
        train_error=None if record is None else known(history.train_error[record, run]),
        test_error=known(history.test_error_at(inversion.update, run)),
        last_test_error=_per_noise(history.last_test_error(run)),
        last_update=int(history.updates[-1]),
        examples=int(history.trained_bits()[run].sum()),
        stragglers=int(found.sets[found.taken.index(run)].sum()) if run in found.taken else None,
        reference=None if counterpart is None else _beside(counterpart),
        left_out={name: values[run] for name, values in sets.items()} if sets else None,
        classes=None if found.by_class is None else _by_class(history, found.by_class[run]),
    )


def _by_class(history, inversions):
    return {name: one and _kept(one) for name, one in zip(history.classes, inversions, strict=True)}


def _kept(inversion):
    """An Inversion of plain numbers, without the record, which only the history knows."""
    told = {field.name: getattr(inversion, field.name) for field in fields(Inversion)}
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in told.items()}
    return replace(inversion, **plain | {"record": None, "loss_rise": known(inversion.loss_rise)})


def _beside(counterpart):
    return RunReference(
        update=known(counterpart.update),
        stopped_test_error=_per_noise(counterpart.stopped_test_error),
        test_error=_per_noise(counterpart.test_error),
        right_test_error=known(counterpart.right_test_error),
        wrong_test_error=known(counterpart.wrong_test_error),
    )


def _per_noise(errors):
    return None if errors is None else tuple(known(error) for error in errors)


def known(value):
    """A number as a float; None for None, NaN and infinities."""
    return float(value) if value is not None and np.isfinite(value) else None
