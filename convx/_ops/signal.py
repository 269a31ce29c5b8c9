"""Convolutions and correlations of two arrays of the same rank, as in signal processing.

Each becomes a correlation of ``x`` with a ``kernel``, which is turned and conjugated beforehand.
"""

import math
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from convx._core._driver import Activation
from convx._core._memo import CallMemo
from convx._engine import arguments, dtypes, execution, sweeps
from convx._engine.dtypes import AnyArray
from convx._ops import filters, plain
from convx._ops.filters import Pads

_memo, _turning_memo = CallMemo(Activation()), CallMemo(Activation(), turns=True)

MANY_TAPS = 256  # from which integers are summed in float64, where that is exact
MOST_EXACT = 2**53
MOST_TRANSFORMED = 2**36  # 2**53 / 8 roundings / the square root of 2**19 points / 8 for safety


class Options(NamedTuple):
    """What SciPy's functions do not have, as it came: axes, stride, dilation."""

    axes: object = None
    stride: object = 1
    dilation: object = 1

    def per_axis(
        self, along: tuple[int, ...], rank: int
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Stride and dilation of each of the ascending axes, given in the order of `axes`."""
        given = arguments.convolved_axes(self.axes, rank)
        stride, gaps = (
            arguments.per_axis(value, len(given), name, 1)
            for value, name in ((self.stride, "stride"), (self.dilation, "dilation"))
        )
        places = [given.index(axis) for axis in along]
        return tuple(stride[i] for i in places), tuple(gaps[i] for i in places)


PLAIN = Options()


def options_of(axes: object, stride: object, dilation: object) -> Options:
    """Return the options, ``PLAIN`` if there is nothing that SciPy does not have."""
    if axes is None and type(stride) is type(dilation) is int and stride == dilation == 1:
        return PLAIN
    return Options(axes, stride, dilation)


class Pair(NamedTuple):
    """What is correlated with what, how, and how the call is remembered."""

    x: AnyArray
    kernel: AnyArray
    axes: tuple[int, ...]
    pads: Pads
    borders: tuple[str, ...] = ()
    constant: complex = 0
    algorithm: str = "auto"
    shortcut: filters.Shortcut | None = None
    stride: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()


def convolve(
    in1: object,
    in2: object,
    mode: object,
    method: object,
    out: object,
    turned: bool = True,
    options: Options = PLAIN,
) -> Any:
    """Convolve, or correlate if the second array is not ``turned``."""
    if options is not PLAIN:
        return _convolve_with_options(in1, in2, mode, method, out, turned, options)
    memo = _turning_memo if turned else _memo
    in1, in2 = _as_doubles(in1, in2)
    call = None, in1, in2, None, None, ("convolve", mode, method)
    remembered = memo.call(*call, out)
    if remembered is not None:
        return remembered
    first, second = _operand(in1, "in1"), _operand(in2, "in2")
    arguments.check_same_rank(first.ndim, second.ndim)
    chosen, algorithm = arguments.conv_mode(mode), arguments.conv_method(method)
    if first.ndim == 0:
        return first * (second if turned else _conjugate(second))
    arguments.check_not_empty(in1=first.shape, in2=second.shape)
    whole = _turned(second) if turned else _conjugate(second)
    axes = tuple(range(first.ndim))
    dtype = np.result_type(first, second)
    x, kernel, pads = _placed(first, whole, axes, chosen)
    # Transforms that are asked for are looked at afterwards, each time.
    shortcut = None if algorithm == "fft" else filters.Shortcut(memo, call, whole)
    pair = Pair(x, kernel, axes, pads, algorithm=algorithm, shortcut=shortcut)
    result = _filter(_cheaper(pair), dtype, out)
    if algorithm == "fft" and dtype.kind in "fc" and not np.isfinite(result).all():
        warnings.warn(
            "Use of fft convolution on input with NAN or inf: it is computed directly instead, so "
            "that they get into those outputs alone whose sums they are in.",
            category=RuntimeWarning,
            stacklevel=3,
        )
    return result


def _convolve_with_options(
    in1: object,
    in2: object,
    mode: object,
    method: object,
    out: object,
    turned: bool,
    options: Options,
) -> Any:
    """The same with axes that are broadcast, a stride, or gaps in the second array."""
    first, second = _operand(in1, "in1"), _operand(in2, "in2")
    arguments.check_same_rank(first.ndim, second.ndim)
    chosen, algorithm = arguments.conv_mode(mode), arguments.conv_method(method)
    arguments.check_not_empty(in1=first.shape, in2=second.shape)
    along = tuple(sorted(arguments.convolved_axes(options.axes, first.ndim)))
    arguments.check_broadcast_along(along, first.shape, second.shape)
    stride, gaps = options.per_axis(along, first.ndim)
    kernel = np.flip(second, along) if turned else _conjugate(second)
    dtype = np.result_type(first, kernel)
    sizes = [(kernel.shape[axis] - 1) * gap + 1 for axis, gap in zip(along, gaps)]
    wanted = [first.shape[axis] for axis in along]
    if chosen == "valid" and any(k > n for k, n in zip(sizes, wanted)):
        kernel, gaps = _spread(kernel, along, gaps), (1,) * len(along)
        first, kernel, pads = _placed(first, kernel, along, chosen)
    else:
        pads = _pads(chosen, sizes)
    pair = Pair(first, kernel, along, pads, algorithm=algorithm, stride=stride, dilation=gaps)
    return _filter(pair, dtype, out)


def _spread(kernel: AnyArray, axes: tuple[int, ...], gaps: tuple[int, ...]) -> AnyArray:
    """Return a kernel with zeros between its elements."""
    shape, where = list(kernel.shape), [slice(None)] * kernel.ndim
    for axis, gap in zip(axes, gaps):
        shape[axis], where[axis] = (shape[axis] - 1) * gap + 1, slice(None, None, gap)
    arguments.check_memory(tuple(shape), kernel.itemsize, "a kernel with gaps")
    spread = np.zeros(shape, kernel.dtype)
    spread[tuple(where)] = kernel
    return spread


def convolve_floats(in1: object, in2: object, mode: object, axes: object, out: object) -> Any:
    """Convolve along some axes and broadcast along the others, with floating results."""
    in1, in2 = _as_doubles(in1, in2)
    call = None, in1, in2, None, None, ("floats", mode, axes)
    remembered = _turning_memo.call(*call, out)
    if remembered is not None:
        return remembered
    first, second = _operand(in1, "in1"), _operand(in2, "in2")
    arguments.check_same_rank(first.ndim, second.ndim)
    if first.ndim == 0:
        return first * second
    if 0 in first.shape or 0 in second.shape:
        return execution.deliver(np.empty(0), _checked(out, (0,), np.dtype(np.float64)))
    chosen = arguments.conv_mode(mode)
    asked = arguments.convolved_axes(axes, first.ndim)
    along = arguments.filtered_axes(asked, first.shape, second.shape)
    single = [axis for axis in asked if first.shape[axis] == 1]
    if chosen == "same" and single:
        second = _middle(second, single)
    if not along:  # SciPy transforms nothing then, and keeps the dtype
        product = first * second
        return execution.deliver(product, _checked(out, product.shape, product.dtype))
    first, second = _as_floats(first), _as_floats(second)
    dtype = np.result_type(first, second)
    kernel, shortcut = np.flip(second, along), None
    if axes is None and second is in2 and len(along) == first.ndim:
        kernel = _turned(second)
        shortcut = filters.Shortcut(_turning_memo, call, kernel)
    x, kernel, pads = _placed(first, kernel, along, chosen)
    return _filter(_cheaper(Pair(x, kernel, along, pads, shortcut=shortcut)), dtype, out)


def convolve_planes(
    in1: object,
    in2: object,
    mode: object,
    border: object,
    fillvalue: object,
    out: object,
    turned: bool = True,
    options: Options = PLAIN,
) -> AnyArray:
    """Convolve two images, or correlate them if the second is not ``turned``."""
    if options is not PLAIN:
        given = mode, border, fillvalue, out, turned, options
        return _convolve_planes_with_options(in1, in2, *given)
    memo = _turning_memo if turned else _memo
    in1, in2 = _as_doubles(in1, in2)
    call = None, in1, in2, None, None, ("planes", mode, border, fillvalue)
    remembered = memo.call(*call, out)
    if remembered is not None:
        return remembered
    first, second = _operand(in1, "in1"), _operand(in2, "in2")
    arguments.check_planes(first.ndim, second.ndim)
    arguments.check_not_empty(in1=first.shape, in2=second.shape)
    chosen, edge = arguments.conv_mode(mode), arguments.signal_boundary(border)
    dtype = np.result_type(first, second)
    fill = arguments.fill_value(fillvalue, dtype)
    swapped = chosen == "valid" and arguments.valid_swaps(first.shape, second.shape, (0, 1))
    if swapped:
        first, second = second, first
    kernel = _turned(second) if turned else _conjugate(second)
    pads = tuple((k - 1, k - 1) if chosen == "full" else (0, 0) for k in kernel.shape)
    if chosen == "same":
        pads = tuple(
            (k // 2, (k - 1) // 2) if turned else ((k - 1) // 2, k // 2) for k in kernel.shape
        )
    borders = (edge, edge)
    if edge == "constant" and fill == 0:
        borders = ("zeros", "zeros")
    shortcut = None if swapped else filters.Shortcut(memo, call, kernel)
    pair = Pair(first, kernel, (0, 1), pads, borders, fill, shortcut=shortcut)
    if not (swapped and not turned):
        return _filter(_cheaper(pair), dtype, out)
    backwards = np.ascontiguousarray(np.flip(_filter(_cheaper(pair), dtype, None)))
    return execution.deliver(backwards, _checked(out, backwards.shape, dtype))


def _convolve_planes_with_options(
    in1: object,
    in2: object,
    mode: object,
    border: object,
    fillvalue: object,
    out: object,
    turned: bool,
    options: Options,
) -> AnyArray:
    """The same of all the images along two axes, with a stride, or gaps in the second array."""
    first, second = _operand(in1, "in1"), _operand(in2, "in2")
    along = arguments.plane_axes(options.axes, first.ndim, second.ndim)
    arguments.check_not_empty(in1=first.shape, in2=second.shape)
    chosen, edge = arguments.conv_mode(mode), arguments.signal_boundary(border)
    dtype = np.result_type(first, second)
    fill = arguments.fill_value(fillvalue, dtype)
    stride, gaps = options.per_axis(along, first.ndim)
    if options.axes is not None and arguments.convolved_axes(options.axes, first.ndim) != [*along]:
        second = second.T
    sizes = [(taps - 1) * gap + 1 for taps, gap in zip(second.shape, gaps)]
    swapped = chosen == "valid" and any(k > first.shape[axis] for k, axis in zip(sizes, along))
    if swapped and not turned:  # SciPy conjugates what slides over the other
        first, kernel = _conjugate(first), second
    else:
        kernel = np.flip(second) if turned else _conjugate(second)
    kernel = np.expand_dims(kernel, [axis for axis in range(first.ndim) if axis not in along])
    if swapped:
        kernel, gaps = _spread(kernel, along, gaps), (1, 1)
        first, kernel, pads = _placed(first, kernel, along, chosen)
        return _filter(Pair(first, kernel, along, pads, stride=stride), dtype, out)
    pads = _pads(chosen, sizes)
    if chosen == "same" and not turned:
        pads = tuple((high, low) for low, high in pads)
    borders = ("zeros", "zeros") if edge == "constant" and fill == 0 else (edge, edge)
    pair = Pair(first, kernel, along, pads, borders, fill, stride=stride, dilation=gaps)
    return _filter(pair, dtype, out)


def planned(in1: object, in2: object, mode: object) -> str:
    """Return the method by which a convolution would be computed."""
    with execution.recording() as programs:
        convolve(in1, in2, mode, "auto", None)
    return "fft" if any(one.plan.algorithm == "fft" for one in programs) else "direct"


def _middle(array: AnyArray, axes: list[int]) -> AnyArray:
    """Return what 'same' keeps where the first array has one sample along some axes."""
    where = [slice(None)] * array.ndim
    for axis in axes:
        start = (array.shape[axis] - 1) // 2
        where[axis] = slice(start, start + 1)
    return array[tuple(where)]


def _operand(value: object, name: str) -> AnyArray:
    array = dtypes.plain_array(value, name)
    arguments.check_numbers(array.dtype, name)
    return array


def _as_doubles(one: object, other: object) -> tuple[object, object]:
    """Return numbers beside float64 as float64, which the memo takes; other arrays as given."""
    if type(one) is not np.ndarray or type(other) is not np.ndarray or one.dtype is other.dtype:
        return one, other
    types = one.dtype, other.dtype
    are_plain = all(of.kind in "iuf" and of.itemsize <= 8 for of in types)
    if not are_plain or np.float64 not in types:
        return one, other
    return one.astype(np.float64, copy=False), other.astype(np.float64, copy=False)


def _turned(array: AnyArray) -> AnyArray:
    return array[(slice(None, None, -1),) * array.ndim].copy()


def _conjugate(array: AnyArray) -> AnyArray:
    return array.conj() if array.dtype.kind == "c" else array


def _as_floats(array: AnyArray) -> AnyArray:
    if array.dtype == np.float16:
        return array.astype(np.float32)
    return array.astype(np.float64) if array.dtype.kind in "biuO" else array


def _placed(
    first: AnyArray, kernel: AnyArray, axes: tuple[int, ...], mode: str
) -> tuple[AnyArray, AnyArray, Pads]:
    """Return what slides over what, and how far beyond its ends."""
    if mode == "valid" and arguments.valid_swaps(first.shape, kernel.shape, axes):
        first, kernel = np.flip(kernel, axes), np.flip(first, axes)
    return first, kernel, _pads(mode, [kernel.shape[axis] for axis in axes])


def _pads(mode: str, taps: Sequence[int]) -> Pads:
    """Return how far a kernel goes beyond both ends of each axis."""
    if mode == "full":
        return tuple((k - 1, k - 1) for k in taps)
    if mode == "same":
        return tuple((k // 2, (k - 1) // 2) for k in taps)
    return ((0, 0),) * len(taps)


def _cheaper(pair: Pair) -> Pair:
    """Let the smaller array be the kernel: what is beyond either of them is zero."""
    sizes = [[array.shape[axis] for axis in pair.axes] for array in (pair.x, pair.kernel)]
    if math.prod(sizes[1]) <= math.prod(sizes[0]) or any(one != "zeros" for one in pair.borders):
        return pair
    pads = tuple((n + low - k, n + high - k) for n, k, (low, high) in zip(*sizes, pair.pads))
    x, kernel = np.flip(pair.kernel, pair.axes), np.flip(pair.x, pair.axes)
    return pair._replace(x=x, kernel=kernel, pads=pads, shortcut=None)


def _filter(pair: Pair, dtype: np.dtype[Any], out: object) -> AnyArray:
    """Correlate in the type that is computed, and return the result in its dtype."""
    sizes = [pair.kernel.shape[axis] for axis in pair.axes]
    rest = [list(one.shape) for one in (pair.x, pair.kernel)]
    shape = filters.output_shape(
        pair.x.shape, sizes, pair.axes, pair.pads, pair.stride, pair.dilation
    )
    shape = tuple(
        size if axis in pair.axes else max(one[axis] for one in rest)
        for axis, size in enumerate(shape)
    )
    dtype = dtype.newbyteorder("=")
    computed = dtypes.filter_dtype(dtype)
    arguments.check_memory(shape, dtype.itemsize, "an output")
    target = _checked(out, shape, dtype)
    if computed is None:
        return execution.deliver(_plainly(pair, dtype), target)
    if _is_exact_in_floats(pair, sizes):
        computed = np.dtype(np.float64)
    x, kernel = (dtypes.as_filter_operand(one, computed) for one in (pair.x, pair.kernel))
    sums = filters.correlate_pair(
        x,
        kernel,
        pair.axes,
        pair.pads,
        pair.borders,
        constant=pair.constant,
        stride=pair.stride,
        dilation=pair.dilation,
        algorithm=pair.algorithm,
        out=target if dtype == computed else None,
        shortcut=pair.shortcut,
    )
    if dtype == computed:
        return sums
    if dtype.kind in "iu":  # whole numbers that wrap around
        sums = np.rint(sums).astype(np.int64)
    return execution.deliver(sweeps.rounded(sums, dtype), target)


def _plainly(pair: Pair, dtype: np.dtype[Any]) -> AnyArray:
    """Correlate in plain NumPy, with zeros in gaps, and keep what a stride does not leave out."""
    x, kernel = (one.astype(dtype, copy=False) for one in (pair.x, pair.kernel))
    borders = pair.borders or ("zeros",) * len(pair.axes)
    if pair.dilation:
        kernel = _spread(kernel, pair.axes, pair.dilation)
    sums = plain.correlate(x, kernel, pair.axes, pair.pads, borders, pair.constant)
    where = [slice(None)] * x.ndim
    for axis, step in zip(pair.axes, pair.stride):
        where[axis] = slice(None, None, step)
    return np.ascontiguousarray(sums[tuple(where)])


def _is_exact_in_floats(pair: Pair, taps: list[int]) -> bool:
    """Tell whether many integers are summed in float64 without an error that rounding leaves.

    Transforms have an error of a few roundings of the square root of their points, times the norms
    of what they multiply.
    """
    count = math.prod(taps)
    kinds = pair.x.dtype.kind, pair.kernel.dtype.kind
    if pair.algorithm == "direct" or count < MANY_TAPS or not set(kinds) <= set("iu"):
        return False
    if 0 in pair.x.shape:
        return False
    x, kernel = (max(abs(int(one.max())), abs(int(one.min()))) for one in (pair.x, pair.kernel))
    largest = max(x, int(abs(pair.constant))) * kernel
    return count * largest < MOST_EXACT and math.isqrt(count) * largest < MOST_TRANSFORMED


def _checked(out: object, shape: tuple[int, ...], dtype: np.dtype[Any]) -> AnyArray | None:
    return None if out is None else arguments.check_out(out, shape, dtype)
