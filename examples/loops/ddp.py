"""Record a network that several processes train: `torchrun --nproc-per-node 2 ddp.py DATASET FILE`."""

import sys

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

import strag

EPOCHS, BATCH = 250, 1001


def network():
    """A perceptron with one hidden layer, whose activations are the output of `tanh`."""
    layers = {"fc1": nn.Linear(784, 20), "tanh": nn.Tanh(), "fc2": nn.Linear(20, 2)}
    model = nn.Sequential()
    for name, layer in layers.items():
        model.add_module(name, layer)
    return model


def main(data, path):
    """Train on a dataset file, record all its examples, and save the part of this process."""
    dist.init_process_group("gloo")
    torch.manual_seed(0)
    data = strag.read(data, "dataset")
    x = torch.from_numpy(data.x).flatten(1).float()
    x = (x - x.mean(0)) / x.std(0).clamp(min=1e-6)
    examples = TensorDataset(x, torch.from_numpy(data.groups))
    model = DistributedDataParallel(network())
    sampler = DistributedSampler(examples)
    loader = DataLoader(examples, BATCH, sampler=sampler)
    seen = strag.with_index(examples)
    all_seen = DataLoader(seen, 1000, sampler=DistributedSampler(seen, shuffle=False))
    recorder = strag.Recorder(model, ["tanh"], all_seen)
    optimizer, update = torch.optim.SGD(model.parameters(), lr=0.2), 0
    for epoch in range(EPOCHS):
        sampler.set_epoch(epoch)
        for batch, labels in loader:
            if update in recorder.due("log"):
                recorder.record(update)
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(batch), labels).backward()
            optimizer.step()
            update += 1
    recorder.record(update)
    recorder.save(path)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
