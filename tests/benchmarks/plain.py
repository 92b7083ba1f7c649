"""The paper's protocol as a user of torch would write it without strag: loops, one network at a time.

They train the same network on the same standardised inputs as strag, those that vary, and look at the
same things at every update: training error, misclassified examples, radii and distance of the two
classes; test error if asked for. Two loops are for perceptrons, and the third, with two
passes, is for any network.
"""

import torch


def network(inputs, width=20):
    """One hidden layer of tanh units and two logits, torch's default initialisation."""
    return torch.nn.Sequential(torch.nn.Linear(inputs, width), torch.nn.Tanh(), torch.nn.Linear(width, 2))


def geometry(hidden, y):
    """Radii of the two classes and the distance between them."""
    h = hidden / hidden.norm(dim=1, keepdim=True)
    means = [h[y == c].mean(dim=0) for c in (0, 1)]
    radii = [(h[y == c] - means[c]).square().sum(dim=1).mean().sqrt().item() for c in (0, 1)]
    return radii, (means[0] - means[1]).norm().item()


def notebook_like(x, y, x_test, y_test, updates, lr=0.1):
    """One update after the other, with a pass of its own for everything that is looked at.

    Five passes: gradient, training error, test error, radii, misclassified examples; four without a test
    set (x_test None).
    """
    net, seen = network(x.shape[1]), []
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    criterion = torch.nn.CrossEntropyLoss()
    for _ in range(updates):
        optimizer.zero_grad()
        criterion(net(x), y).backward()
        optimizer.step()
        with torch.no_grad():
            error = (net(x).argmax(dim=1) != y).float().mean().item()
            test = None
            if x_test is not None:
                test = (net(x_test).argmax(dim=1) != y_test).float().mean().item()
            radii, distance = geometry(net[:2](x), y)
            wrong = torch.nonzero(net(x).argmax(dim=1) != y).flatten().numpy()
        seen.append((error, test, radii, distance, wrong))
    return seen


def careful(x, y, x_test, y_test, updates, lr=0.1):
    """The same with one pass for gradient, training error, radii and misclassified examples."""
    net, seen = network(x.shape[1]), []
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    for _ in range(updates):
        hidden = net[:2](x)
        logits = net[2](hidden)
        loss = torch.nn.functional.cross_entropy(logits, y)
        optimizer.zero_grad()
        loss.backward()
        with torch.no_grad():
            wrong = logits.argmax(dim=1) != y
            radii, distance = geometry(hidden, y)
            test = None
            if x_test is not None:
                test = (net(x_test).argmax(dim=1) != y_test).float().mean().item()
        optimizer.step()
        seen.append((wrong.float().mean().item(), test, radii, distance, wrong.numpy()))
    return seen


def convolutional(shape, channels=(8, 16)):
    """The network of `--model cnn` for images (c, h, w) and two classes: maps with tanh, and a readout."""
    layers, (below, h, w) = [], shape
    for above in channels:
        layers += [torch.nn.Conv2d(below, above, 5, stride=2, padding=2), torch.nn.Tanh()]
        below, h, w = above, -(-h // 2), -(-w // 2)
    return torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Linear(below * h * w, 2))


def two_passes(net, x, y, epochs, lr=0.1, batch_size=None):
    """Train a network epoch by epoch, and look at it in a second pass after each; net[:2] is its first layer.

    batch_size : number of examples in a mini-batch; None is the full batch, and an epoch is an update.
    """
    optimizer, seen = torch.optim.SGD(net.parameters(), lr=lr), []
    for _ in range(epochs):
        batches = [slice(None)]
        if batch_size is not None:
            batches = torch.randperm(len(x), device=x.device).split(batch_size)
        for batch in batches:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(x[batch]), y[batch]).backward()
            optimizer.step()
        with torch.no_grad():
            hidden = net[:2](x)
            wrong = net[2:](hidden).argmax(dim=1) != y
            radii, _ = geometry(hidden.flatten(1), y)
            seen.append((wrong.float().mean().item(), radii, wrong.cpu().numpy()))
    return seen
