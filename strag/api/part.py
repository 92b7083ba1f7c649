"""The part of a training that a process trains, also as a scheduler numbers its processes."""

import os

from strag.errors import bad_usage
from strag.training.parts import Part
from strag.values import refused

ARRAYS = {  # the variable with the index of a task in an array of jobs, by scheduler
    "SLURM_ARRAY_TASK_ID": "Slurm",
    "PBS_ARRAY_INDEX": "PBS",
    "PBS_ARRAYID": "PBS",
    "SGE_TASK_ID": "SGE",
}
RANKS = (("RANK", "WORLD_SIZE"), ("SLURM_PROCID", "SLURM_NTASKS"))  # of torchrun, and of srun
NUMBER = "%p"  # in the name of an output, the number of the part
_HELP = "pass K/N such as 3/8, or auto/N in an array of jobs"


def part(value, name):
    """The check of `part`: a text, see `read_part`. It becomes a Part, and its variables or None."""
    if not isinstance(value, str):
        raise refused(value, name, "text such as '3/8', 'auto/8' or 'auto'")
    return read_part(value)


def outputs_of(part, source, *names):
    """The names of the outputs of a Part, with its number in the place of %p; those that are None stay None.

    source : the variables that the part was taken from, or None. Raises StragError if a number that a
    scheduler sets is not in the name of a file, which all parts would then write.
    """
    if part is None:
        return names
    if source and any(name not in (None, "-") and NUMBER not in name for name in names):
        problem = "every part needs its own file, but a name has no %p for the number of the part"
        raise bad_usage(problem, "name the file such as h.%p.safetensors")
    return tuple(name and name.replace(NUMBER, str(part.number)) for name in names)


def read_part(text, environment=os.environ):
    """The Part that a text stands for, and the variables that it was taken from: (Part, text or None).

    `K/N` is part K of N. `auto/N` takes K from the index of the task in an array of Slurm, PBS or SGE. `auto`
    takes K = rank + 1 and N from torchrun, or from srun. Raises StragError where these are not set, or
    contradict each other.
    """
    number, slash, of = text.partition("/")
    if slash and not _is_natural(of):
        raise bad_usage(f"cannot read '{text}'", _HELP)
    if text == "auto":
        return _of_ranks(environment)
    if number == "auto" and slash:
        return _of_array(int(of), environment)
    if not slash or not _is_natural(number):
        raise bad_usage(f"cannot read '{text}'", _HELP)
    return Part(int(number), int(of)), None


def _is_natural(text):
    return text.isascii() and text.isdecimal() and len(text) < 10


def _of_array(of, environment):
    """Part K of `of`, K being the index of this task in an array."""
    found = {name: environment[name] for name in ARRAYS if _is_natural(environment.get(name, ""))}
    if not found:
        raise bad_usage(
            "'auto' needs the index of a task in an array, which no scheduler has set",
            f"submit an array of jobs, numbered 1 to {of}, or pass K/{of}",
        )
    if len(set(found.values())) > 1:
        shown = ", but ".join(f"{name} is {value}" for name, value in found.items())
        raise bad_usage(shown, f"pass K/{of}")
    name, value = next(iter(found.items()))
    if not 1 <= int(value) <= of:
        raise bad_usage(f"{name} is {value}, not 1 to {of}", f"number the array from 1 to {of}")
    return Part(int(value), of), name


def _of_ranks(environment):
    """The part of this process among those that torchrun or srun started."""
    array = next((name for name in ARRAYS if _is_natural(environment.get(name, ""))), None)
    if array:
        raise bad_usage(f"{array} says that this is a task of an array", "pass auto/N, N being its length")
    for rank, size in RANKS:
        values = [environment.get(name, "") for name in (rank, size)]
        if rank == "SLURM_PROCID" and "SLURM_STEP_ID" not in environment:
            continue  # a batch script itself, which srun did not start
        if all(map(_is_natural, values)):
            return Part(int(values[0]) + 1, int(values[1])), f"{rank} and {size}"
    raise bad_usage("'auto' needs the ranks that torchrun or srun set", _HELP)
