"""Windows as columns and back, and shuffles of pixels and channels: copies, but for the sums."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from convx._engine import arguments, boundary, copies, dtypes, sweeps
from convx._engine.dtypes import AnyArray
from convx._engine.window import Window

# kernel_size, dilation, padding, stride
Options = tuple[object, object, object, object]


def _moved(view: AnyArray, shape: tuple[int, ...], x: AnyArray, out: Any) -> AnyArray:
    """A copy of a view of ``x``, of the shape given, in memory of its own."""
    result = sweeps.new_copy(out, shape, x.dtype, x)
    np.copyto(result.reshape(view.shape), view)
    return sweeps.deliver(result, x.dtype, out)


# Windows


def unfold(input: object, options: Options, out: Any) -> AnyArray:
    """Lay out every window of an array as a column."""
    x = dtypes.movable_array(input, "input")
    return _columns(x, arguments.unfold_windows(x.shape, *options), out)


def fold(input: object, output_size: object, options: Options, out: Any) -> AnyArray:
    """Sum up columns where their windows stand."""
    columns, dtype = _summable(input, "input")
    windows = arguments.fold_windows(columns.shape, output_size, *options)
    return _sums(columns, dtype, windows, out)


def unfold_gradient(grad_output: object, input: object, options: Options) -> AnyArray:
    """Sum up the gradients of all columns that a sample is in."""
    shape = dtypes.movable_array(input, "input").shape
    windows = arguments.unfold_windows(shape, *options)
    columns, dtype = _summable(grad_output, "grad_output")
    expected = _columns_shape(shape, windows)
    arguments.check_shape(columns.shape, expected, "grad_output", "of the unfolded input")
    return _sums(columns, dtype, windows, None)


def fold_gradient(
    grad_output: object, input: object, output_size: object, options: Options
) -> AnyArray:
    """Give every column the gradients of the samples that it was added to."""
    shape = dtypes.movable_array(input, "input").shape
    windows = arguments.fold_windows(shape, output_size, *options)
    gradient = dtypes.movable_array(grad_output, "grad_output")
    taps = math.prod(window.kernel for window in windows)
    expected = (*shape[:-2], shape[-2] // taps, *(window.size for window in windows))
    arguments.check_shape(gradient.shape, expected, "grad_output", "of the folded input")
    return _columns(gradient, windows, None)


def _summable(value: object, name: str) -> tuple[AnyArray, np.dtype[Any]]:
    """An array and the dtype of its sums: those of half precision are made in single precision."""
    array = dtypes.as_array(value, name)
    dtype = array.dtype.newbyteorder("=")
    return array.astype(np.float32 if dtype == np.float16 else dtype, copy=False), dtype


def _columns_shape(shape: Sequence[int], windows: Sequence[Window]) -> tuple[int, ...]:
    *batch, channels = shape[: len(shape) - len(windows)]
    taps = math.prod(window.kernel for window in windows)
    return (*batch, channels * taps, math.prod(window.output_size for window in windows))


def _columns(x: AnyArray, windows: Sequence[Window], out: Any) -> AnyArray:
    shape = _columns_shape(x.shape, windows)
    arguments.check_memory(shape, x.itemsize, "an output")
    padded_shape = (*x.shape[: x.ndim - len(windows)], *(w.padded_size for w in windows))
    arguments.check_memory(padded_shape, max(x.itemsize, 32), "the padded input")
    maps = [boundary.axis_map("constant", w.size, w.pad_low, w.pad_high) for w in windows]
    padded = x
    if any(w.pad_low or w.pad_high for w in windows):
        padded = copies.copy_along(x, maps, np.zeros((), x.dtype))
    axes = tuple(range(x.ndim - len(windows), x.ndim))
    seen = np.lib.stride_tricks.sliding_window_view(padded, [w.extent for w in windows], axes)
    strides = [slice(None, None, w.stride) for w in windows]
    dilations = [slice(None, None, w.dilation) for w in windows]
    every: list[Any] = [slice(None)] * axes[0]
    seen = seen[tuple(every + strides + dilations)]
    taps = [axis + len(windows) for axis in axes]
    return _moved(seen.transpose([*range(axes[0]), *taps, *axes]), shape, x, out)


def _sums(columns: AnyArray, dtype: np.dtype[Any], windows: Sequence[Window], out: Any) -> AnyArray:
    """Fold axis by axis, the last first, so that the sums of one are the terms of the next."""
    kernel, places = [w.kernel for w in windows], [w.output_size for w in windows]
    batch = columns.shape[:-2]
    channels = columns.shape[-2] // math.prod(kernel)
    shape = (*batch, channels, *(w.size for w in windows))
    arguments.check_memory(shape, dtype.itemsize, "an output")
    if out is not None:
        arguments.check_out(out, shape, dtype)
    sums = columns.reshape(-1, *kernel, *places)
    for axis in reversed(range(len(windows))):
        sums = _fold_axis(sums, axis + 1, windows[axis])
    return sweeps.deliver(np.ascontiguousarray(sums.reshape(shape)), dtype, out)


def _fold_axis(columns: AnyArray, axis: int, window: Window) -> AnyArray:
    """Fold axis ``axis``, the last one of taps, and that of its places, as many axes behind it."""
    columns = np.moveaxis(columns, axis, 0)
    place = 2 * axis - 1  # of one tap's terms, and of the sums
    along = (slice(None),) * place
    shape = list(columns.shape[1:])
    shape[place] = window.padded_size
    arguments.check_memory(shape, columns.itemsize, "the padded output")
    sums = np.zeros(shape, columns.dtype)
    if window.kernel <= window.output_size:
        terms, step, apart = columns, window.dilation, window.stride
    else:
        terms, step, apart = columns.swapaxes(0, place + 1), window.stride, window.dilation
    reach = (terms.shape[place + 1] - 1) * apart + 1
    for index, term in enumerate(terms):
        sums[(*along, slice(index * step, index * step + reach, apart))] += term
    return sums[(*along, slice(window.pad_low, window.pad_low + window.size))]


# Shuffles


def pixel_shuffle(input: object, factor: object, out: Any) -> AnyArray:
    """Spread groups of channels out in space."""
    x = dtypes.movable_array(input, "input")
    return _spread(x, arguments.shuffle_factors(factor, x.ndim, "upscale_factor"), out)


def pixel_unshuffle(input: object, factor: object, out: Any) -> AnyArray:
    """Collect tiles of pixels as channels."""
    x = dtypes.movable_array(input, "input")
    return _collect(x, arguments.shuffle_factors(factor, x.ndim, "downscale_factor"), out)


def pixel_shuffle_gradient(grad_output: object, input: object, factor: object) -> AnyArray:
    """The tiles of the gradient, as channels again."""
    shape = dtypes.movable_array(input, "input").shape
    factors = arguments.shuffle_factors(factor, len(shape), "upscale_factor")
    gradient = dtypes.movable_array(grad_output, "grad_output")
    expected = _spread_shape(shape, factors)
    arguments.check_shape(gradient.shape, expected, "grad_output", "of the shuffled input")
    return _collect(gradient, factors, None)


def pixel_unshuffle_gradient(grad_output: object, input: object, factor: object) -> AnyArray:
    """The channels of the gradient, spread out in space again."""
    shape = dtypes.movable_array(input, "input").shape
    factors = arguments.shuffle_factors(factor, len(shape), "downscale_factor")
    gradient = dtypes.movable_array(grad_output, "grad_output")
    expected = _collected_shape(shape, factors)
    arguments.check_shape(gradient.shape, expected, "grad_output", "of the unshuffled input")
    return _spread(gradient, factors, None)


def _spread_shape(shape: Sequence[int], factors: Sequence[int]) -> tuple[int, ...]:
    *batch, channels = shape[: len(shape) - len(factors)]
    tile = math.prod(factors)
    arguments.check_divides(tile, channels, "upscale_factor ** axes", "the channels")
    sizes = shape[len(shape) - len(factors) :]
    return (*batch, channels // tile, *(n * r for n, r in zip(sizes, factors)))


def _collected_shape(shape: Sequence[int], factors: Sequence[int]) -> tuple[int, ...]:
    *batch, channels = shape[: len(shape) - len(factors)]
    sizes = shape[len(shape) - len(factors) :]
    for size, factor in zip(sizes, factors):
        arguments.check_divides(factor, size, "downscale_factor", "the spatial sizes")
    return (*batch, channels * math.prod(factors), *(n // r for n, r in zip(sizes, factors)))


def _spread(x: AnyArray, factors: Sequence[int], out: Any) -> AnyArray:
    shape = _spread_shape(x.shape, factors)
    arguments.check_memory(shape, x.itemsize, "an output")
    axes, lead = len(factors), x.ndim - len(factors)
    split = x.reshape(*shape[:lead], *factors, *x.shape[lead:])
    pairs = [axis for i in range(axes) for axis in (lead + axes + i, lead + i)]
    return _moved(split.transpose([*range(lead), *pairs]), shape, x, out)


def _collect(x: AnyArray, factors: Sequence[int], out: Any) -> AnyArray:
    shape = _collected_shape(x.shape, factors)
    axes, lead = len(factors), x.ndim - len(factors)
    pairs = [one for n, r in zip(shape[lead:], factors) for one in (n, r)]
    split = x.reshape(*x.shape[:lead], *pairs)
    tiles, places = (range(lead + first, lead + 2 * axes, 2) for first in (1, 0))
    return _moved(split.transpose([*range(lead), *tiles, *places]), shape, x, out)


def channel_shuffle(input: object, groups: object, out: Any) -> AnyArray:
    """Deal the channels of each group out to all groups."""
    x = dtypes.movable_array(input, "input")
    return _dealt(x, arguments.shuffle_groups(groups, x.shape), out)


def channel_shuffle_gradient(grad_output: object, input: object, groups: object) -> AnyArray:
    """Collect the channels of each group again."""
    shape = dtypes.movable_array(input, "input").shape
    number = arguments.shuffle_groups(groups, shape)
    gradient = dtypes.movable_array(grad_output, "grad_output")
    arguments.check_shape(gradient.shape, shape, "grad_output", "of the input")
    return _dealt(gradient, shape[1] // number, None)


def _dealt(x: AnyArray, groups: int, out: Any) -> AnyArray:
    batch, channels, *sizes = x.shape
    within = channels // groups if groups else 0
    return _moved(x.reshape(batch, groups, within, *sizes).swapaxes(1, 2), x.shape, x, out)
