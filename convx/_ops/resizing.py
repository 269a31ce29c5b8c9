"""Resizing of the spatial axes of an array, and its gradient."""

from typing import Any

import numpy as np

from convx._engine import arguments, copies, dtypes, resampling, sweeps
from convx._engine.dtypes import AnyArray

# size, scale_factor, mode, align_corners, recompute_scale_factor, antialias
Options = tuple[object, object, object, object, object, object]


def _resizings(
    shape: tuple[int, ...], dtype: np.dtype[Any], options: Options
) -> tuple[list[resampling.Resizing], str, bool]:
    size, scale_factor, mode, align_corners, recompute, antialias = options
    name, aligned, smooths = arguments.resize_mode(mode, align_corners, antialias, shape)
    if name == "area" and size is None:
        recompute = True
    wanted = arguments.resized(shape[2:], size, scale_factor, recompute)
    # nearest pixels are those of PyTorch's coordinates, which are in single precision for all else
    single = name.startswith("nearest") and dtype not in (np.float64, np.complex128)
    computed = np.dtype(np.float32 if single else np.float64)
    axes = [
        resampling.Resizing(one, many, scale, aligned, computed)
        for one, (many, scale) in zip(shape[2:], wanted)
    ]
    return axes, name, smooths


def interpolate(input: object, options: Options, out: Any) -> AnyArray:
    """Resize an array (N, C, *spatial)."""
    x = dtypes.movable_array(input, "input")
    axes, mode, smooths = _resizings(x.shape, x.dtype, options)
    if mode.startswith("nearest"):
        maps = [axis.copies(mode == "nearest-exact") for axis in axes]
        return copies.copy_along(x, maps, None, out)
    operand, dtype = dtypes.sweep_operand(x, "input")
    result = sweeps.new_result(out, (*x.shape[:2], *(one.wanted for one in axes)), dtype, operand)
    tables = [axis.taps(mode, smooths).in_type(operand.dtype) for axis in axes]
    return sweeps.deliver(_along_all(operand, tables, result), dtype, out)


def interpolate_gradient(grad_output: object, input: object, options: Options) -> AnyArray:
    """Give every sample the gradients of the outputs that it is in, by its weights there."""
    x = dtypes.movable_array(input, "input")
    axes, mode, smooths = _resizings(x.shape, x.dtype, options)
    operand, dtype = dtypes.sweep_operand(grad_output, "grad_output")
    expected = (*x.shape[:2], *(one.wanted for one in axes))
    arguments.check_shape(operand.shape, expected, "grad_output", "of the resized input")
    result = sweeps.new_result(None, x.shape, dtype)
    tables = [axis.taps(mode, smooths).adjoint().in_type(operand.dtype) for axis in axes]
    return sweeps.deliver(_along_all(operand, tables, result), dtype, None)


def _along_all(x: AnyArray, tables: list[resampling.Taps], result: AnyArray) -> AnyArray:
    """Apply the tables of all spatial axes; the last one writes into ``result``."""
    *before, last = resampling.order(tables)
    for axis in before:
        x = resampling.resample(x, 2 + axis, tables[axis])
    return resampling.resample(x, 2 + last, tables[last], result)
