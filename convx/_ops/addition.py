"""Sums of whole arrays, as where ways through a network meet, and their gradients."""

from typing import Any

import numpy as np

from convx._engine import arguments, dtypes, execution, sweeps
from convx._engine.dtypes import AnyArray


def _operands(arrays: tuple[object, ...]) -> list[AnyArray]:
    if not arrays:
        raise TypeError("arrays must be one at least, got none")
    found = [dtypes.as_array(one, f"array {place}") for place, one in enumerate(arrays)]
    for place, one in enumerate(found):
        arguments.check_shape(one.shape, found[0].shape, f"array {place}", "that of the first")
    return found


def add(arrays: tuple[object, ...], out: Any = None) -> AnyArray:
    """Return the sum of arrays of one shape, in their order."""
    found = _operands(arrays)
    dtype = np.result_type(*found).newbyteorder("=")
    total = sweeps.new_copy(out, found[0].shape, dtype, *found)
    if len(found) == 1:
        np.copyto(total, found[0])
    else:
        np.add(found[0], found[1], out=total)
        for one in found[2:]:
            np.add(total, one, out=total)
    return execution.deliver(total, out)


def add_gradients(grad_output: object, arrays: tuple[object, ...]) -> tuple[AnyArray, ...]:
    """Return the gradient of each array: all are that of the sum."""
    found = _operands(arrays)
    dy = dtypes.as_array(grad_output, "grad_output")
    arguments.check_shape(dy.shape, found[0].shape, "grad_output", "of the output")
    return tuple(dy.astype(one.dtype.newbyteorder("=")) for one in found)
