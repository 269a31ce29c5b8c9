"""Resizing of the spatial axes of an array, and its gradient."""

from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from convx._core._memo import Kept
from convx._engine import arguments, copies, dtypes, resampling, sweeps
from convx._engine.dtypes import AnyArray

# size, scale_factor, mode, align_corners, recompute_scale_factor, antialias
Options = tuple[object, object, object, object, object, object]


class _Resized(NamedTuple):
    """The options of a call, checked; of nearest neighbours, the copy that they are."""

    axes: list[resampling.Resizing]
    mode: str
    smooths: bool
    copy: copies.Copy | None

    @property
    def is_small(self) -> bool:
        return self.copy is None or self.copy.is_small


def _find_resized(
    shape: tuple[int, ...],
    item: int,
    in_double: bool,
    size: object,
    scale_factor: object,
    mode: object,
    align_corners: object,
    recompute: object,
    antialias: object,
) -> _Resized:
    name, aligned, smooths = arguments.resize_mode(mode, align_corners, antialias, shape)
    if name == "area" and size is None:
        recompute = True
    wanted = arguments.resized(shape[2:], size, scale_factor, recompute)
    # nearest pixels are those of PyTorch's coordinates, which are in single precision for all else
    is_nearest = name.startswith("nearest")
    computed = np.dtype(np.float32 if is_nearest and not in_double else np.float64)
    axes = [
        resampling.Resizing(one, many, scale, aligned, computed)
        for one, (many, scale) in zip(shape[2:], wanted)
    ]
    copy = None
    if is_nearest:
        resized = (*shape[:2], *(many for many, _ in wanted))
        arguments.check_memory(resized, item, "an output")
        maps = [axis.copies(name == "nearest-exact") for axis in axes]
        copy = copies.plan_copy(shape, maps, item, False)
    return _Resized(axes, name, smooths, copy)


_kept = Kept(_find_resized, attrgetter("is_small"))


def _resized(x: AnyArray, options: Options) -> _Resized:
    in_double = x.dtype in (np.float64, np.complex128)
    found: _Resized = _kept(x.shape, x.itemsize, in_double, *options)
    return found


def interpolate(input: object, options: Options, out: Any) -> AnyArray:
    """Resize an array (N, C, *spatial)."""
    x = dtypes.movable_array(input, "input")
    axes, mode, smooths, copy = _resized(x, options)
    if copy is not None:
        return copies.run_copy(x, copy, None, out)
    operand, dtype = dtypes.sweep_operand(x, "input")
    result = sweeps.new_result(out, (*x.shape[:2], *(one.wanted for one in axes)), dtype, operand)
    tables = [axis.taps(mode, smooths).in_type(operand.dtype) for axis in axes]
    return sweeps.deliver(_along_all(operand, tables, result), dtype, out)


def interpolate_gradient(grad_output: object, input: object, options: Options) -> AnyArray:
    """Give every sample the gradients of the outputs that it is in, by its weights there."""
    x = dtypes.movable_array(input, "input")
    axes, mode, smooths, _ = _resized(x, options)
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
