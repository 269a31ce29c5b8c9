"""Data to learn from: handwritten digits, files in MNIST's format, and batches of them.

``augmentation``
    `random_shift`: new pictures out of those that there are.
``digits``
    `mnist`: 5,000 digits that come with convx, or the full set from files.
``idx``
    `read_idx`: one array from an IDX file, the format that MNIST is distributed in.
``loader``
    `DataLoader`: shuffled batches, made ahead of need by a thread.
"""

from convx.data.augmentation import random_shift
from convx.data.digits import Digits, mnist
from convx.data.idx import read_idx
from convx.data.loader import DataLoader

__all__ = ["DataLoader", "Digits", "mnist", "random_shift", "read_idx"]
