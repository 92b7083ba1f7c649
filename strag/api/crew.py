"""How many processes train, with how many threads each."""

from dataclasses import dataclass

from strag.api.room import require_memory
from strag.api.sharing import cores
from strag.errors import StragNote, warn_caller
from strag.training.device import accelerators
from strag.training.loop import run_groups
from strag.training.plan import Size
from strag.words import number_of

IDLE = 1.1  # of the time of equal shares: more, and `auto` prefers one process with all threads


@dataclass(frozen=True)
class Crew:
    """The workers of a training: the device of each, and their number of threads."""

    devices: tuple
    threads: int


def hire(job, workers, device, threads=None, memory=None):
    """Give a Job its Crew, see `crew_for`. memory : GiB that all processes may need, or None.

    Raises StragError if the workers need more memory than there is.
    """
    job.crew = crew_for(workers, job.recipe, job.task.ends, device, threads)
    if job.crew is not None:
        require_memory(job.recipe, Size.of(job.task), memory, device, len(job.crew.devices))


def crew_for(workers, recipe, ends, device, threads=None):
    """The Crew that trains, or None for this process alone. Notes say where it is smaller than asked for.

    A group of runs is trained by one worker, so that there are at most as many workers as groups.

    Parameters
    ----------
    workers : number of processes; "auto" is one for each core, or for each graphics card, unless one process
        with all threads is faster; None is this process alone.
    recipe, ends : of what is trained. device : of torch. threads : of each worker, by default equal shares of
        the cores.
    """
    if workers is None:
        return None
    groups = run_groups(recipe, ends)
    devices = accelerators(device)
    places = len(devices) or cores()
    wanted = places if workers == "auto" else workers
    number = min(wanted, len(groups))
    waits = workers == "auto" and not devices and not _shares_well(number, groups, places)
    waits = waits and (threads is None or threads * number > places)  # else more processes use more cores
    alone = number == 1 or waits
    if number < wanted or (alone and wanted > 1):
        counted = f"{number_of(len(groups), 'group')} of runs for {wanted} workers"
        how = "" if threads else ", with all threads"
        used = f"this process trains alone{how}" if alone else f"{number} are used"
        warn_caller(f"there {'is' if len(groups) == 1 else 'are'} {counted}, so {used}", StragNote)
    if alone:
        return None
    chosen = [devices[at % len(devices)] if devices else device for at in range(number)]
    return Crew(tuple(chosen), threads or max(1, cores() // number))


def _shares_well(number, groups, places):
    """Whether workers with one thread each, a group at a time, keep all cores busy almost to the end."""
    rounds = -(-len(groups) // number)
    return number == places and rounds * number <= IDLE * len(groups)
