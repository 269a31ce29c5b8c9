"""What parameters begin with: the distributions of :mod:`torch.nn`."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from convx.nn.module import Parameter


def generator(rng: object) -> np.random.Generator:
    """Return the source of chance that ``rng`` stands for: None, a seed, or a generator."""
    return np.random.default_rng(rng)  # type: ignore[arg-type]


def per_axis(value: Any, axes: int) -> Any:
    """Return a value for each axis from one for all; what has a name stays as it is."""
    return value if isinstance(value, str | Sequence) else (value,) * axes


def uniform_by_inputs(
    shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike, inputs: int | None = None
) -> Parameter:
    """Draw evenly between ±1/√inputs, by default the numbers that each output is a sum of.

    It is what PyTorch begins with: He et al., "Delving deep into rectifiers", 2015, with a = √5.
    Numbers are drawn in double precision, so those of single precision are the same, rounded.
    """
    count = math.prod(shape[1:]) if inputs is None else inputs
    bound = 1 / math.sqrt(count) if count else 0.0
    return Parameter(rng.uniform(-bound, bound, shape).astype(dtype))


def bias_by_inputs(
    wanted: bool, size: int, inputs: int, rng: np.random.Generator, dtype: DTypeLike
) -> Parameter | None:
    """Draw a bias as the weights are drawn, or return None for a layer without one."""
    return uniform_by_inputs((size,), rng, dtype, inputs) if wanted else None
