"""The device that training runs on, and its number of threads."""

import torch

from strag.errors import bad_usage
from strag.values import choice

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(name):
    """Return the name of the torch device to use; `auto` chooses an accelerator if one is available.

    Raises StragError for an unknown name, and for a device that is not available.
    """
    is_available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    choice(*DEVICES)(name, "device")
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if is_available[device])
    if not is_available[name]:
        raise bad_usage(f"`device` {name} is not available here", "use `device` cpu")
    return name


def accelerators(device):
    """Return the names of all graphics cards that `device` stands for: list, empty on the CPU."""
    return [f"cuda:{card}" for card in range(torch.cuda.device_count())] if device == "cuda" else []


def set_threads(threads):
    """Make torch use this many processor threads; None keeps torch's default."""
    if threads is not None:
        torch.set_num_threads(threads)


def environment(device, threads=None):
    """Return what results may depend on besides the recipe: device, torch version, and threads: dict.

    threads : of each process that trains, by default those of this one.
    """
    return {"device": device, "torch": torch.__version__, "threads": threads or torch.get_num_threads()}
