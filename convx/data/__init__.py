"""Data to learn from: handwritten digits, files in MNIST's format, and batches of them.

``digits``
    `mnist`: 5,000 digits that come with convx, or the full set from files.
``idx``
    `read_idx`: one array from an IDX file, the format that MNIST is distributed in.
``loader``
    `DataLoader`: shuffled batches, made ahead of need by a thread.
"""

from convx.data.digits import Digits, mnist
from convx.data.idx import read_idx
from convx.data.loader import DataLoader

__all__ = ["DataLoader", "Digits", "mnist", "read_idx"]
