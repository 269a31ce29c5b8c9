"""Dropout of elements and of channels, and their gradients: the same product with other arrays."""

from typing import Any

import numpy as np

from convx._core import _activations
from convx._engine import arguments, dtypes, machine, sweeps
from convx._engine.dtypes import AnyArray
from convx._ops.activation import gradient_operands

DRAWS = 2**32


def _factor(p: float) -> float:
    """What is left is multiplied by; all of it is dropped if p is 1."""
    return 0.0 if p == 1 else 1 / (1 - p)


def _dropped(
    x: AnyArray, dtype: np.dtype[Any], axes: int, p: float, rng: object, out: Any
) -> AnyArray:
    """Return ``x`` without what chance drops: elements, or slices along the first ``axes``."""
    y = sweeps.new_result(out, x.shape, dtype, x, in_place=True)
    if axes == 0:
        low, high = arguments.generator(rng).integers(DRAWS, size=2).tolist()
        share = min(round(p * DRAWS), DRAWS - 1)
        threads = sweeps.threads_for(x.nbytes)
        _activations.drop(machine.ISA, x, _factor(p), share, (low, high), y, threads)
    else:
        sides = (*x.shape[:axes], *(1 for _ in x.shape[axes:]))
        kept = arguments.generator(rng).random(sides) >= p
        np.multiply(x, kept * x.dtype.type(_factor(p)), out=y)
    return sweeps.deliver(y, dtype, out)


def dropout(
    input: object,
    p: object,
    training: object,
    inplace: object,
    rng: object,
    out: Any,
    axes: int = 0,
) -> AnyArray:
    """Drop elements by chance, or slices along the first ``axes``."""
    chance = arguments.probability(p)
    learning = arguments.flag(training, "training")
    out = arguments.place(input, inplace, out)
    x, dtype = dtypes.sweep_operand(input, "input")
    if learning:
        return _dropped(x, dtype, axes, chance, rng, out)
    y = sweeps.new_result(out, x.shape, dtype, x, in_place=True)
    np.copyto(y, x)
    return sweeps.deliver(y, dtype, out)


def dropout_gradient(
    grad_output: object,
    input: object,
    p: object,
    training: object,
    rng: object,
    out: Any,
    axes: int = 0,
) -> AnyArray:
    """Return the gradient of the input, for chance that is drawn again."""
    (g, _), dtype = gradient_operands(grad_output, input)
    return dropout(g.astype(dtype, copy=False), p, training, False, rng, out, axes)


def leading_axes(input: object, name: str, batched: int) -> int:
    """Return how many axes there are before the spatial ones, of which all slices are dropped."""
    ndim = dtypes.as_array(input, "input").ndim
    arguments.check_axes(ndim, (batched - 1, batched), name)
    return 2 if ndim == batched or name == "dropout2d" else 1
