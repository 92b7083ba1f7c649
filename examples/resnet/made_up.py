"""Make up colour images of stripes, rather level or rather upright: python made_up.py EXAMPLES FILE.npz

Stripes near 45 degrees are hard to tell apart. Neither crops nor flips change the class of an image.
"""

import sys

import numpy as np

SIDE = 16


def stripes(examples, seed=0):
    """Images, uint8 [P, SIDE, SIDE, 3], and the names of their classes [P]."""
    random = np.random.default_rng(seed)
    angle = random.uniform(0, np.pi / 2, (examples, 1, 1))
    phase, length = random.uniform(0, 2 * np.pi, angle.shape), random.uniform(4, 8, angle.shape)
    sign = random.choice([-1, 1], angle.shape)
    y, x = np.mgrid[:SIDE, :SIDE]
    wave = np.sin(phase + 2 * np.pi / length * (sign * np.sin(angle) * x + np.cos(angle) * y))
    colour = random.uniform(30, 100, (examples, 1, 1, 3))
    noisy = 128 + colour * wave[..., None] + random.normal(0, 40, (examples, SIDE, SIDE, 3))
    return noisy.clip(0, 255).astype(np.uint8), np.where(angle.ravel() > np.pi / 4, "upright", "level")


if __name__ == "__main__":
    images, labels = stripes(int(sys.argv[1]))
    np.savez(sys.argv[2], x=images, y=labels)
