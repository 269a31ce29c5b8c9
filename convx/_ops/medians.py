"""Medians of the windows of images."""

import math
from typing import Any

import numpy as np

from convx._core import _filter
from convx._core._memory import new_result
from convx._engine import arguments, boundary, copies, dtypes, execution, machine, sweeps
from convx._engine.dtypes import AnyArray

# Elements of a window up to which a kernel finds its median; its time grows with their square. It
# reads so many elements beyond the end of the padded image.
MOST_TAPS = 127
SLACK = 256
# Elements of the windows that NumPy looks at at once where there are more.
BLOCK = 2**20
# In which type medians are found: the same numbers in the same order.
Dtype = np.dtype[Any]
COMPUTED: dict[Dtype, Dtype] = {
    np.dtype(name): np.dtype("float32") for name in ("int8", "int16", "uint16")
}
COMPUTED |= {np.dtype(name): np.dtype("float64") for name in ("int32", "uint32")}


def median(value: object, kernel_size: object, out: object) -> AnyArray:
    """Return the median of the window around each element, with zeros beyond the edges."""
    given = dtypes.plain_array(value, "input")
    arguments.check_median_image(given.ndim, given.dtype)
    sizes = arguments.median_sizes(kernel_size)
    dtype = given.dtype.newbyteorder("=")
    target = None if out is None else arguments.check_out(out, given.shape, dtype)
    if given.size == 0:
        return execution.deliver(np.empty(given.shape, dtype), target)
    taps = math.prod(sizes)
    in_kernel = taps <= MOST_TAPS and dtype not in (np.int64, np.uint64)
    computed = COMPUTED.get(dtype, dtype) if in_kernel else dtype
    threads = sweeps.threads_for(given.size * computed.itemsize * taps) if in_kernel else 1
    by_columns = in_kernel and sizes == (3, 3)
    needed = 4 * threads * given.shape[1] if by_columns else given.size
    execution.note("median", 0, needed * computed.itemsize, threads)
    if execution.is_recording():
        return np.broadcast_to(np.zeros((), dtype), given.shape)
    if taps == 1:
        return execution.deliver(given.astype(dtype), target)
    x = given.astype(computed, copy=False)
    fits = target is not None and target.dtype == computed
    y = execution.target(target if fits else None, given.shape, computed, x)
    if by_columns:
        if not (x.flags.c_contiguous and x.flags.aligned):
            x = np.require(x, computed, ["C", "A"])
        _filter.median_of_3_by_3(machine.ISA, x, y, threads)
        return execution.deliver(y.astype(dtype, copy=False), target)
    memory, shape = _padded(x, sizes)
    if in_kernel:
        offsets = np.add.outer(np.arange(sizes[0]) * shape[1], np.arange(sizes[1])).ravel()
        starts = np.arange(len(given)) * shape[1]
        _filter.median(machine.ISA, offsets, starts, memory, y, threads)
    else:
        _partition(memory[: math.prod(shape)].reshape(shape), sizes, y)
    return execution.deliver(y.astype(dtype, copy=False), target)


def _padded(x: AnyArray, sizes: tuple[int, int]) -> tuple[AnyArray, tuple[int, ...]]:
    """Return memory that begins with an image in a frame of zeros, and the shape of both."""
    shape = tuple(size + taps - 1 for size, taps in zip(x.shape, sizes))
    size = math.prod(shape)
    arguments.check_memory((size + SLACK,), 8, "a padded input")
    maps = [
        boundary.axis_map("constant", size, taps // 2, taps // 2)
        for size, taps in zip(x.shape, sizes)
    ]
    memory = new_result((size + SLACK,), x.dtype)
    memory[size:] = 0
    copies.copy_along(x, maps, np.zeros((), x.dtype), memory[:size].reshape(shape))
    return memory, shape


def _partition(padded: AnyArray, sizes: tuple[int, int], y: AnyArray) -> None:
    """Find medians by NumPy, for some windows at a time."""
    windows = np.lib.stride_tricks.sliding_window_view(_in_order(padded), sizes)
    taps, (rows, columns) = math.prod(sizes), y.shape
    across = min(columns, max(1, BLOCK // taps))
    down = max(1, BLOCK // (taps * across))
    for row in range(0, rows, down):
        for column in range(0, columns, across):
            block = windows[row : row + down, column : column + across]
            flat = block.reshape(*block.shape[:2], taps)
            middle = np.partition(flat, taps // 2, axis=-1)[..., taps // 2]
            y[row : row + down, column : column + across] = _in_order(middle, y.dtype)


def _in_order(values: AnyArray, dtype: np.dtype[Any] | None = None) -> AnyArray:
    """Return floats as integers that are in the same order; or those as floats of a dtype."""
    if (dtype or values.dtype).kind != "f":
        return values
    bits = values.view(f"i{values.dtype.itemsize}")
    keys: AnyArray = bits ^ ((bits >> (8 * bits.itemsize - 1)) & np.iinfo(bits.dtype).max)
    return keys if dtype is None else keys.view(dtype)
