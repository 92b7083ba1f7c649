"""The device and the threads that training runs on."""

import torch

from strag.errors import bad_usage
from strag.values import choice

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(name):
    """The torch device called `name`; `auto` is an accelerator if one is available.

    Raises StragError for a device that this machine or this torch lacks.
    """
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    choice(*DEVICES)(name, "device")
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if there[device])
    if not there[name]:
        raise bad_usage(f"`device` {name} is not available here", "use `device` cpu")
    return name


def set_threads(threads):
    """Let torch use this many processor threads; None leaves its default."""
    if threads is not None:
        torch.set_num_threads(threads)


def environment(device):
    """Return what the numbers may depend on in addition to the recipe: device, torch version, threads."""
    return {"device": device, "torch": torch.__version__, "threads": torch.get_num_threads()}
