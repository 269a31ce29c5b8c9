"""Training and prediction: the small networks of :mod:`convx.nn.models`, beside PyTorch's.

A table of what is timed; :mod:`benchmarks.training_calls` has the networks in PyTorch, and tells
how each library trains and runs them.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.layers import Array

MODELS = ("lenet5", "small_resnet", "mobilenet")
# A step of training by Adam, and what the trained network predicts for many pictures and for one.
OPERATIONS = {"step": 32, "predict": 32, "predict one": 1}
PICTURE = (1, 28, 28)
CLASSES = 10
# So many batches are gone through over and over.
BATCHES = 8
# The embedded digits that are trained on, in steps.
STEPS_PER_EPOCH = 4000 // OPERATIONS["step"]


@dataclass(frozen=True, slots=True)
class TrainingCase:
    """A network to train or to run, on so many threads."""

    name: str
    operation: str
    threads: int
    dtype: str = "float32"

    @property
    def batch(self) -> int:
        """Pictures at a time."""
        return OPERATIONS[self.operation]

    def entries(self) -> dict[str, Any]:
        """What a record tells of the case."""
        return {
            "layer": self.name,
            "sizes": "×".join(map(str, (self.batch, *PICTURE))),
            "operation": self.operation,
            "dtype": self.dtype,
            "threads": self.threads,
        }

    def pictures(self, dtype: str | None = None) -> list[tuple[Array, Array]]:
        """Batches of noise and of classes, the same numbers in every process and type."""
        generator = np.random.default_rng(self.batch)
        shape = (self.batch, *PICTURE)
        return [
            (
                generator.standard_normal(shape).astype(dtype or self.dtype),
                generator.integers(0, CLASSES, self.batch),
            )
            for _ in range(BATCHES)
        ]


def weights(like: Mapping[str, tuple[int, ...]], dtype: str) -> dict[str, Array]:
    """Return parameters and statistics of such names and shapes, the same in every process."""
    return {name: _values(name, shape, dtype) for name, shape in like.items()}


def _values(name: str, shape: tuple[int, ...], dtype: str) -> Array:
    generator = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    if len(shape) > 1:  # so that values keep their size from layer to layer
        scale = np.sqrt(2 / np.prod(shape[1:]))
        return np.asarray(scale * generator.standard_normal(shape), dtype)
    if name.endswith(("bias", "mean")):
        return np.asarray(0.1 * generator.standard_normal(shape), dtype)
    return np.asarray(generator.uniform(0.5, 1.5, shape), dtype)
