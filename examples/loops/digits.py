"""Record scikit-learn's MLPClassifier on its own digits.

`python digits.py DATASET` writes the data set, `python digits.py DATASET RUN HISTORY` trains one network.
"""

import sys

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

import strag


def train(data, run, path):
    """Train one network to tell even digits from odd ones, full batch, and save its history."""
    x, y = StandardScaler().fit_transform(data.x), data.groups
    model = MLPClassifier(
        (20,), "tanh", solver="sgd", learning_rate_init=0.2, momentum=0, batch_size=len(x), random_state=run
    )
    recorder = strag.Recorder(origin=data)
    for update in range(1, 801):
        model.partial_fit(x, y, classes=[0, 1])
        if update in recorder.due("log"):
            hidden = np.tanh(x @ model.coefs_[0] + model.intercepts_[0])
            output = hidden @ model.coefs_[1] + model.intercepts_[1]  # one, for the second class
            recorder.update(data.index, np.hstack([0 * output, output]), y, {"hidden": hidden})
            recorder.record(update)
    recorder.save(path)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        x, digits = load_digits(return_X_y=True)
        strag.data(x.astype(np.float32), digits, labels="parity", output=sys.argv[1])
    else:
        train(strag.read(sys.argv[1], "dataset"), int(sys.argv[2]), sys.argv[3])
