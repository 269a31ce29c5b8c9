"""Stages of training: a convolution, a ReLU and averages of 2 by 2, all with items side by side.

The averages are a quarter of what a convolution computes, and that it is positive a bit: where
items lie side by side (:mod:`convx._engine.interleaving`) nothing else has to leave the cache, nor
to come back for the gradients.
"""

import math

import numpy as np

from convx._core._interleaving import InterleavedProgram, Rows
from convx._core._stages import Stage
from convx._engine import execution

Shape = tuple[int, ...]
DIVISOR = 4  # of the averages


def stage(
    of: execution.Map,
    in_shape: Shape,
    sums_shape: Shape,
    weight_shape: Shape,
    dtype: np.dtype[np.generic],
    input_gradient: bool,
) -> Stage | None:
    """Return what computes a convolution of contiguous arrays with averages, and their gradients.

    None if one of the convolutions is not computed with items side by side.
    """
    directions = [("forward", in_shape), ("weight_gradient", in_shape)]
    if input_gradient:
        directions.append(("adjoint", sums_shape))
    programs = []
    for direction, shape in directions:
        program = execution.program(of, direction, _strides(shape), dtype.name)
        if not isinstance(program, InterleavedProgram):
            return None
        programs.append(program)
    batch, filters, *sizes = sums_shape
    out_shape = (batch, filters, *(size // 2 for size in sizes))
    outputs = math.prod(out_shape[1:])
    blocks = Rows(programs[0].items_together, outputs, np.zeros(1, np.int64), outputs, 1)
    forward, gradient = programs[:2]
    adjoint = programs[2] if input_gradient else None
    shapes = (in_shape, out_shape, weight_shape)
    return Stage(forward, gradient, adjoint, blocks, dtype, *shapes, DIVISOR)


def _strides(shape: Shape) -> tuple[int, ...]:
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
