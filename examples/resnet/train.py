"""Train a ResNet-18 on augmented images and record it on the clean ones: python train.py DATA HISTORY"""

import argparse

import torch
from resnet import ResNet18
from torch.nn.functional import cross_entropy, pad
from torch.utils.data import DataLoader

import strag

# The means over positions are what the average pooling before the readout sees. Flattened maps also say where
# in the image something is, which crops and flips train the network to ignore, and cost more to record.
LAYERS = ["layer1:mean", "layer2:mean", "layer3:mean"]


def augmented(x, margin):
    """Each image [B, c, h, w] cropped at random after padding with zeros, and flipped or not."""
    h, w = x.shape[2:]
    top, left = torch.randint(2 * margin + 1, (2, len(x))).tolist()
    padded = pad(x, [margin] * 4)
    crops = [image[:, a : a + h, b : b + w] for image, a, b in zip(padded, top, left, strict=True)]
    return torch.stack([crop.flip(2) if torch.rand(()) < 0.5 else crop for crop in crops])


def train(data, epochs, width, seed, batch=128, lr=0.05):
    """Train a network by gradient descent with momentum: the Recorder of its training."""
    torch.manual_seed(seed)
    loader = DataLoader(strag.with_index(data), batch, shuffle=True)
    x, _, _ = loader.dataset[0]
    model = ResNet18(len(data.grouping.names), x.shape[0], width)
    descent = torch.optim.SGD(model.parameters(), lr, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(descent, epochs * len(loader))
    recorder, update = strag.Recorder(model, LAYERS, data), 0
    for _ in range(epochs):
        for x, y, _ in loader:
            if update in recorder.due("log"):
                recorder.record(update)
            descent.zero_grad()
            cross_entropy(model(augmented(x, x.shape[2] // 8)), y).backward()
            descent.step()
            schedule.step()
            update += 1
    recorder.record(update)
    return recorder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="a dataset file of strag")
    parser.add_argument("history", help="the file to write")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--width", type=int, default=16, help="channels of the first stage")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the initial weights, the batches and the crops"
    )
    options = parser.parse_args()
    recorder = train(strag.read(options.data), options.epochs, options.width, options.seed)
    recorder.save(options.history)
    print({name: round(value, 4) for name, value in recorder.last.items()})
