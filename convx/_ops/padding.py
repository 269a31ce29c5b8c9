"""Padding, and its gradient."""

from typing import Any

from convx._engine import arguments, boundary, copies, dtypes
from convx._engine.dtypes import AnyArray


def _maps(x: AnyArray, pad: object, mode: str) -> list[boundary.AxisMap]:
    pairs = arguments.pad_widths(pad, x.shape, mode)
    kept, sizes = x.shape[: x.ndim - len(pairs)], x.shape[x.ndim - len(pairs) :]
    padded = [size + low + high for size, (low, high) in zip(sizes, pairs)]
    arguments.check_memory((*kept, *padded), x.itemsize, "an output")
    return [boundary.axis_map(mode, size, *pair) for size, pair in zip(sizes, pairs)]


def pad(input: object, pad: object, mode: object, value: object, out: Any) -> AnyArray:
    """Pad or crop the last axes of an array."""
    x = dtypes.movable_array(input, "input")
    chosen = arguments.pad_mode(mode)
    maps = _maps(x, pad, chosen)
    fill = arguments.pad_value(value, chosen, x.dtype)
    return copies.copy_along(x, maps, fill, out)


def pad_gradient(
    grad_output: object, input: object, pad: object, mode: object, value: object
) -> AnyArray:
    """Give every sample the sum of the gradients of its copies."""
    x = dtypes.movable_array(input, "input")
    chosen = arguments.pad_mode(mode)
    maps = _maps(x, pad, chosen)
    fill = arguments.pad_value(value, chosen, x.dtype)
    y, dtype = dtypes.summable_operand(grad_output, "grad_output")
    shape = y.shape[:-1] if dtype.kind == "c" else y.shape
    expected = copies.copied_shape(x.shape, maps)
    arguments.check_shape(shape, expected, "grad_output", "of the padded input")
    return copies.fold_along(y, dtype, x.shape, maps, fill is not None)
