"""A training loop of one's own, which knows nothing of strag, and two ways to log it.

    python loop.py SEED FOLDER

writes FOLDER/training_dynamics/dynamics_epoch_X.jsonl and FOLDER/predictions.npz. A perceptron with 20 hidden
units tells even from odd digits of mnist8k, with mini-batches. strag is used for the images only.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

import strag

EPOCHS, SIZE = 80, 2048


def main(seed, folder):
    """Train one network and log it."""
    data = strag.data("mnist8k", size=SIZE)
    x, y = torch.from_numpy(data.x).flatten(1) / 255, torch.from_numpy(data.groups)
    guids = [f"digit-{row:05}" for row in range(len(y))]
    torch.manual_seed(seed)
    body = nn.Sequential(nn.Linear(784, 20), nn.Tanh())
    head = nn.Linear(20, 2)
    descent = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)
    logged = folder / "training_dynamics"
    logged.mkdir(parents=True, exist_ok=True)
    snapshots, updates = [], 0
    for epoch in range(EPOCHS):
        with open(logged / f"dynamics_epoch_{epoch}.jsonl", "w") as log:
            for batch in torch.randperm(len(y)).split(128):
                with torch.no_grad():  # a snapshot, once per epoch: all examples, the same parameters
                    if updates % 16 == 0:
                        h = body(x)
                        snapshots.append((updates, head(h).numpy(), h.numpy()))
                logits = head(body(x[batch]))
                descent.zero_grad()
                nn.functional.cross_entropy(logits, y[batch]).backward()
                descent.step()
                updates += 1
                for row, z in zip(batch.tolist(), logits.tolist(), strict=True):  # online
                    line = {"guid": guids[row], f"logits_epoch_{epoch}": z, "gold": int(y[row])}
                    log.write(json.dumps(line) + "\n")
    at, logits, h = map(np.stack, zip(*snapshots, strict=True))
    np.savez(
        folder / "predictions.npz",
        predictions=logits.argmax(axis=2),
        labels=y.numpy(),
        logits=logits,
        updates=at,
        ids=guids,
        classes=["even", "odd"],
        **{"activations.hidden": h},
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
