"""Filters that change the rate of a signal, and separable filters of images."""

import math
from typing import Any

import numpy as np

from convx._core._memory import new_result
from convx._engine import arguments, boundary, dtypes, execution
from convx._engine.dtypes import AnyArray
from convx._engine.passes import Pass
from convx._ops import filters
from convx._ops.separable import at_once, filtered

# Element types that sweeps along axes read.
SWEPT = "?bBhHiIlLqQfd"


def upfirdn(
    h: object,
    x: object,
    up: object,
    down: object,
    axis: object,
    mode: object,
    cval: object,
    out: object,
) -> AnyArray:
    """Insert zeros between samples, filter, and keep every so manieth.

    Output m sums ``h[m * down - k * up] * x[k]``: those whose m are equal modulo ``up / gcd`` have
    the taps of one phase, and are a correlation with a stride. No zero is inserted.
    """
    taps = arguments.taps(_operand(h, "h"), "h")
    array = _operand(x, "x")
    place = arguments.filtered_axis(axis, array.ndim)
    ups, downs = arguments.rates(up, down)
    name = arguments.upfirdn_mode(mode)
    dtype = np.result_type(taps, array, np.float32)
    arguments.check_computed(dtype, "h and x")
    taps, array = (dtypes.as_filter_operand(one, dtype) for one in (taps, array))
    size = array.shape[place]
    if size == 0:
        raise ValueError(f"x must have samples along axis {place}, got shape {array.shape}")
    constant = arguments.number(cval, "cval", finite=False)
    length = ((size - 1) * ups + len(taps) - 1) // downs + 1
    shape = (*array.shape[:place], length, *array.shape[place + 1 :])
    arguments.check_memory(shape, dtype.itemsize, "an output")
    target = None if out is None else arguments.check_out(out, shape, dtype)
    reach = -(-len(taps) // ups)
    border = boundary.UPFIRDN_MODES[name]
    before = 0
    if border is None:
        array, before, border = _extended(array, place, reach, name), reach, "zeros"
    phases = ups // math.gcd(ups, downs)
    step = downs * phases // ups
    result = np.zeros(shape, dtype) if phases > 1 else None
    along = (slice(None),) * place
    for first in range(min(phases, length)):
        start, phase = divmod(first * downs, ups)
        phase_taps = np.ascontiguousarray(taps[phase::ups][::-1])
        count = -(-(length - first) // phases)
        if len(phase_taps) == 0:
            continue
        low = len(phase_taps) - 1 - start
        reached = (count - 1) * step + len(phase_taps)
        part = _along(
            array,
            phase_taps,
            place,
            low - before,
            reached,
            step,
            border,
            constant,
            target if phases == 1 else None,
        )
        if result is None:
            return part
        result[(*along, slice(first, None, phases))] = part
    assert result is not None
    return execution.deliver(result, target)


def _along(
    x: AnyArray,
    taps: AnyArray,
    axis: int,
    low: int,
    reached: int,
    step: int,
    border: str,
    constant: float,
    out: AnyArray | None,
) -> AnyArray:
    """Correlate so many samples along an axis with taps, from ``low`` before the first of them."""
    high = reached - low - x.shape[axis]
    if -step < high < 0:  # no more outputs fit into these, and the memo takes whole arrays
        high = 0
    if border == "constant" and constant == 0:
        border = "zeros"
    if border != "zeros" and min(low, high) < 0:
        source = boundary.sources_of(border, np.arange(-low, reached - low), x.shape[axis])
        taken = np.take(x, source, axis)
        np.moveaxis(taken, axis, 0)[source < 0] = constant
        x, low, high, border = taken, 0, 0, "zeros"
    borders = () if border == "zeros" else (border,)
    return filters.correlate(
        x, taps, (axis,), ((low, high),), borders, constant=constant, stride=(step,), out=out
    )


def _extended(x: AnyArray, axis: int, width: int, mode: str) -> AnyArray:
    """Return the signal with so many samples before and after it, which follow a trend."""
    size = x.shape[axis]
    x = np.moveaxis(x, axis, -1)
    places = np.concatenate([np.arange(-width, 0), np.arange(size, size + width)])
    first, last = x[..., :1], x[..., -1:]
    if mode in boundary.UPSIDE_DOWN:
        beyond = _odd(x, places, boundary.UPSIDE_DOWN[mode])
    else:
        if mode == "line":
            slope = (last - first) / max(size - 1, 1)
            slopes = slope, slope
        else:
            slopes = x[..., 1:2] - first, last - x[..., -2:-1]
            if size == 1:
                slopes = np.zeros_like(first), np.zeros_like(first)
        before = first + slopes[0] * places[:width]
        after = last + slopes[1] * (places[width:] - size + 1)
        beyond = np.concatenate([before, after], -1)
    whole = np.concatenate([beyond[..., :width], x, beyond[..., width:]], -1)
    return np.ascontiguousarray(np.moveaxis(whole.astype(x.dtype, copy=False), -1, axis))


def _odd(x: AnyArray, places: AnyArray, border: str) -> AnyArray:
    """Return samples beyond the ends: turned upside down with every turn back."""
    size = x.shape[-1]
    source = boundary.sources_of(border, places, size)
    if border == boundary.MIRROR:
        upside = (places // size) % 2 == 1
        return np.where(upside, -x[..., source], x[..., source])
    period = max(size - 1, 1)
    turns = places // period
    first, last = x[..., :1], x[..., -1:]
    mirrored = turns % 2 == 1
    inside = x[..., source]
    rise = last - first
    beyond: AnyArray = np.where(mirrored, first + last - inside, inside) + rise * turns
    return beyond


def separable(image: object, row: object, column: object, out: object) -> AnyArray:
    """Convolve an image with a filter along its rows, then with one along its columns."""
    across, down = _operand(row, "hrow"), _operand(column, "hcol")
    told = (one.dtype.str + str(one.shape) for one in (across, down))
    remembered, key = at_once("sepfir2d", image, out, *told, across.tobytes(), down.tobytes())
    if remembered is not None:
        return remembered
    x = _operand(image, "input")
    arguments.check_separable_filter(x.ndim, hrow=across.shape, hcol=down.shape)
    dtype = np.result_type(x, np.float32)
    arguments.check_computed(dtype, "input")
    arguments.check_real_filters(dtype, hrow=across.dtype, hcol=down.dtype)
    target = None if out is None else arguments.check_out(out, x.shape, dtype)
    if x.dtype.char in SWEPT and x.size:
        passes = [_mirrored_pass(1, across, dtype), _mirrored_pass(0, down, dtype)]
        result = new_result(x.shape, dtype) if target is None else target
        return filtered(x, passes, 0.0, result, key=key)
    found = x.astype(dtype, copy=False)
    if x.size == 0:
        return execution.deliver(found.copy(), target)
    for axis, taps in ((1, across), (0, down)):
        turned = dtypes.as_filter_operand(taps[::-1], dtype)
        half = len(taps) // 2
        found = filters.correlate(found, turned, (axis,), ((half, half),), (boundary.MIRROR,))
    return execution.deliver(found, target)


def _mirrored_pass(axis: int, taps: AnyArray, dtype: np.dtype[Any]) -> Pass:
    """Return the pass of a convolution along an axis, at whose ends the image is mirrored."""
    turned = dtypes.as_filter_operand(taps[::-1], dtype)
    return Pass(axis, "weights", len(taps), len(taps) // 2, boundary.MIRROR, tuple(turned.tolist()))


def _operand(value: object, name: str) -> AnyArray:
    array: AnyArray = dtypes.plain_array(value, name)
    arguments.check_numbers(array.dtype, name)
    return array
