"""The update in the name of a checkpoint, and whose parameters its tensors are, by their names."""

import os
import re

from strag.errors import StragError, bad_usage
from strag.parsing import read_whole
from strag.words import as_text, number_of

WRAPPERS = ("module", "_orig_mod")  # names that DataParallel and torch.compile put into those of parameters


def without_wrappers(tensors, wanted, path):
    """Remove the parts of names that DataParallel and torch.compile add: dict of tensors, set of parts.

    A name that the network has is kept. tensors : dict of name to array. wanted : the names that the network
    has. Raises StragError if two tensors get the same name.
    """
    renamed, former, removed = {}, {}, set()
    for name, array in tensors.items():
        parts = name.split(".")
        while ".".join(parts) not in wanted and (wrappers := [w for w in parts[:-1] if w in WRAPPERS]):
            parts.remove(wrappers[0])
            removed.add(wrappers[0])
        own = ".".join(parts)
        if own in renamed:
            problem = f"has '{as_text(own)}' twice: as '{as_text(former[own])}' and '{as_text(name)}'"
            raise StragError(problem, "save the state dict of one network", path)
        renamed[own], former[own] = array, name
    start = next(iter(renamed)).partition(".")[0] + "."
    inner = {name.removeprefix(start): array for name, array in renamed.items() if name.startswith(start)}
    if len(inner) == len(renamed) and inner.keys() == set(wanted) != renamed.keys():
        return inner, removed | {start[:-1]}
    return renamed, removed


def holder(tensors, wanted):
    """The first part of names below which all names of a network are, among others: text, or None."""
    for start in dict.fromkeys(name.partition(".")[0] for name in tensors):
        if wanted and all(f"{start}.{name}" in tensors for name in wanted):
            return start
    return None


def updates_of(paths, updates=None):
    """The update of every checkpoint: list of int, in the order of the paths.

    updates : numbers such as `0,100`, one per path, or None. They then are the last whole numbers in the
    names of the files without their endings, or of their folders where a name has none.

    Raises StragError for a checkpoint without a number, and for two of the same update.
    """
    remedy = "pass `updates` such as 0,100, one per checkpoint, in their order"
    numbers = _listed(updates, len(paths), remedy) if updates else [_last_number(path) for path in paths]
    for path, number in zip(paths, numbers, strict=True):
        if number is None:
            raise bad_usage("has no number in its name, so that its update is not known", remedy, path)
    for at, number in enumerate(numbers):
        first = numbers.index(number)
        if first < at:
            raise bad_usage(f"is of update {number}, and so is {paths[first]}", remedy, paths[at])
    return numbers


def _listed(text, count, remedy):
    """The numbers in a text, which must be as many as the checkpoints."""
    try:
        numbers = [read_whole(part.strip()) for part in text.split(",")]
    except ValueError:
        raise bad_usage(f"cannot read `updates` '{text}'", remedy) from None
    if len(numbers) != count:
        problem = f"`updates` has {number_of(len(numbers), 'number')} for {number_of(count, 'checkpoint')}"
        raise bad_usage(problem, "pass one per checkpoint, in their order")
    return numbers


def _last_number(path):
    """The last whole number in the name of a file, else in that of its folder: int, or None."""
    folder, name = os.path.split(os.path.abspath(path))
    for text in (os.path.splitext(name)[0], os.path.basename(folder)):
        numbers = re.findall(r"\d+", re.sub(r"\d+\.\d+", " ", text))
        if numbers and len(numbers[-1]) < 19:
            return int(numbers[-1])
    return None
