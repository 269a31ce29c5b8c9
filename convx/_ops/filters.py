"""Correlations of arrays with a kernel along some of their axes: what filters are made of.

The arrays have no axes for channels. Axes without a kernel are a batch. What a dialect means by
"same", by an origin or by a convolution becomes pads and a turned kernel before it gets here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from convx._core._driver import Activation
from convx._core._memo import CallMemo
from convx._engine import arguments, boundary, dtypes, execution
from convx._engine.dtypes import AnyArray
from convx._engine.passes import Pass
from convx._ops import large_kernels, separable
from convx._ops.correlation import Correlation, Options

Pads = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Filtering(Correlation):
    """A correlation whose axes may have different borders."""

    borders: tuple[str, ...] = ()

    def halos(self) -> list[boundary.IndexMap | None]:
        """For each axis where its halo is taken from."""
        return [
            boundary.halo_sources(border, window.size, window.pad_low, window.pad_high)
            for border, window in zip(self.borders, self.windows)
        ]


class Shortcut(NamedTuple):
    """Where a call is remembered, how it was made, and what the memo makes of its weights."""

    memo: CallMemo
    call: execution.Call
    kernel: AnyArray


_memo = CallMemo(Activation())

# Taps along a line up to which sums are always direct, and elements from which they go by a sweep:
# it copies no tiles. The sums are the same; of fewer elements, the memo's call is faster.
MOST_LINE_TAPS = 31
LEAST_LINE = 2**17


def correlate(
    x: AnyArray,
    kernel: AnyArray,
    axes: tuple[int, ...],
    pads: Pads,
    borders: tuple[str, ...] = (),
    *,
    constant: complex = 0,
    stride: tuple[int, ...] = (),
    dilation: tuple[int, ...] = (),
    algorithm: str = "auto",
    out: AnyArray | None = None,
    shortcut: Shortcut | None = None,
) -> AnyArray:
    """Correlate ``x`` with ``kernel`` along ``axes``.

    Parameters
    ----------
    x : array
        Of a type that kernels compute, in native byte order; any strides.
    kernel : array
        One axis for each of ``axes``. Of the type of ``x``, or the real one of a complex type, or
        complex beside a real ``x``. Nothing is conjugated.
    axes : tuple of int
        Axes of ``x``, ascending, none negative.
    pads : tuple of pairs of int
        Samples before and after each of these axes. Negative ones crop, where the border is one of
        zeros.
    borders : tuple of str
        "zeros", "constant" or a mode of `boundary.SOURCES` for each of these axes; zeros if empty.
    constant : number
        What stands at borders called "constant".
    stride, dilation : tuple of int
        One for each of these axes; 1 if empty.
    algorithm : str
        One of `arguments.ALGORITHMS`.
    out : array or None
        Of the shape of the result; it may be of another type, and may overlap what is read.
    shortcut : Shortcut or None
        A memo that is to answer such calls, if ``x`` and ``kernel`` are its arrays.

    Returns
    -------
    array
        Of the type that is computed, C-contiguous, or ``out``.
    """
    if shortcut is None:
        given = (axes, pads, *borders, stride, dilation, algorithm)
        shortcut = Shortcut(_memo, (None, x, kernel, None, None, given), kernel)
        remembered = None if "constant" in borders else _memo.call(*shortcut.call, out)
        if remembered is not None:
            return remembered
    count = len(axes)
    read, pads = _cropped(x, axes, pads)
    borders = borders or ("zeros",) * count
    stride, dilation = stride or (1,) * count, dilation or (1,) * count
    if algorithm in ("auto", "direct") and set(stride) == {1}:
        line = _line(read, kernel, axes, pads, borders, dilation)
        if line is not None and not np.iscomplexobj(constant):
            fill = float(constant.real) if "constant" in borders else 0.0
            fits = out is not None and out.dtype == x.dtype
            sums = separable.along_line(read, line, fill, out if fits else None)
            return execution.deliver(sums, out)
    if "constant" in borders:
        read, pads, borders = _with_constant(read, axes, pads, borders, constant)
    of = _describe(read.shape, kernel.shape, axes, pads, borders, stride, dilation, algorithm)
    shape = (*x.shape[: axes[0]], *of.outputs)
    dtype = np.result_type(x, kernel)
    if 0 in shape or 0 in x.shape:
        return execution.deliver(np.zeros(shape, dtype), out)
    items, weight = read.reshape(of.input_shape), kernel.reshape(of.weight_shape)
    fits = out is not None and out.dtype == dtype
    target = out if fits else None
    great = large_kernels.planned(of, of.borders, dtype)
    if great is not None:
        found = large_kernels.run(of, great, items, weight, target)
        result = _run(of, items, weight, target) if found is None else found
        return execution.deliver(result.reshape(shape), out)
    result = _run(of, items, weight, target).reshape(shape)
    _remember(shortcut, of, x, kernel, items, weight, result)
    return execution.deliver(result, out)


def _remember(
    shortcut: Shortcut,
    of: Filtering,
    x: AnyArray,
    kernel: AnyArray,
    items: AnyArray,
    weight: AnyArray,
    result: AnyArray,
) -> None:
    """Let the memo answer calls like this one, if the arrays were taken as the memo has them."""
    as_given = shortcut.call[1] is x and shortcut.kernel is kernel
    if not (as_given and x.dtype == kernel.dtype and items.size == x.size):
        return
    if np.may_share_memory(items, x) and np.may_share_memory(weight, kernel):
        execution.remember(shortcut.memo, shortcut.call, of, "forward", (items, weight), result)


def correlate_pair(
    x: AnyArray,
    kernel: AnyArray,
    axes: tuple[int, ...],
    pads: Pads,
    borders: tuple[str, ...] = (),
    *,
    constant: complex = 0,
    stride: tuple[int, ...] = (),
    dilation: tuple[int, ...] = (),
    algorithm: str = "auto",
    out: AnyArray | None = None,
    shortcut: Shortcut | None = None,
) -> AnyArray:
    """Correlate two arrays of the same rank, whose other axes are broadcast.

    The arguments are those of :func:`correlate`. If both arrays have other axes, borders are zeros.
    """
    rest = [axis for axis in range(x.ndim) if axis not in axes]
    if any(kernel.shape[axis] > 1 for axis in rest):
        steps, gaps = stride or (1,) * len(axes), dilation or (1,) * len(axes)
        sums = _grouped(x, kernel, axes, rest, pads, steps, gaps, algorithm)
        return execution.deliver(sums, out)
    taps = kernel.reshape([kernel.shape[axis] for axis in axes]) if rest else kernel
    return correlate(
        x,
        taps,
        axes,
        pads,
        borders,
        constant=constant,
        stride=stride,
        dilation=dilation,
        algorithm=algorithm,
        out=out,
        shortcut=shortcut,
    )


def _grouped(
    x: AnyArray,
    kernel: AnyArray,
    axes: tuple[int, ...],
    rest: list[int],
    pads: Pads,
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    algorithm: str,
) -> AnyArray:
    """Correlate with a kernel for each place along the other axes: these are groups."""
    order = [*rest, *axes]
    shape = np.broadcast_shapes(*([one.shape[a] for a in rest] for one in (x, kernel)))
    arguments.check_filtered_rank(len(axes))
    groups = math.prod(shape)
    x, pads = _cropped(x, axes, pads)
    items, weights = (
        np.broadcast_to(
            one.transpose(order), (*shape, *(one.shape[axis] for axis in axes))
        ).reshape(groups, *(one.shape[axis] for axis in axes))
        for one in (x, kernel)
    )
    options = Options(
        kernel=weights.shape[1:],
        stride=stride,
        pads=pads,
        dilation=dilation,
        groups=groups,
        padding_mode="zeros",
        algorithm=algorithm,
    )
    windows = tuple(options.windows(items.shape[1:]))
    outputs = tuple(max(window.output_size, 0) for window in windows)
    zeros = ("zeros",) * len(axes)
    if 0 in outputs or not groups:
        sums = np.zeros((*shape, *outputs), np.result_type(x, kernel))
    else:
        of = Filtering(windows, outputs, 1, groups, groups, options, zeros)
        sums = _run(of, items[None], weights[:, None], None).reshape(*shape, *outputs)
    return np.ascontiguousarray(sums.transpose(np.argsort(order)))


def output_shape(
    shape: Sequence[int],
    kernel: Sequence[int],
    axes: Sequence[int],
    pads: Pads,
    stride: Sequence[int] = (),
    dilation: Sequence[int] = (),
) -> tuple[int, ...]:
    """Return the shape of the result of :func:`correlate`; no size is negative."""
    sizes = list(shape)
    steps, gaps = stride or (1,) * len(axes), dilation or (1,) * len(axes)
    for axis, k, (low, high), step, gap in zip(axes, kernel, pads, steps, gaps):
        sizes[axis] = max((sizes[axis] + low + high - gap * (k - 1) - 1) // step + 1, 0)
    return tuple(sizes)


def _cropped(x: AnyArray, axes: tuple[int, ...], pads: Pads) -> tuple[AnyArray, Pads]:
    """Return the samples that are left by negative pads, and the other pads."""
    if all(low >= 0 and high >= 0 for low, high in pads):
        return x, pads
    where = [slice(None)] * x.ndim
    for axis, (low, high) in zip(axes, pads):
        where[axis] = slice(max(-low, 0), x.shape[axis] - max(-high, 0))
    return x[tuple(where)], tuple((max(low, 0), max(high, 0)) for low, high in pads)


def _line(
    x: AnyArray,
    kernel: AnyArray,
    axes: tuple[int, ...],
    pads: Pads,
    borders: tuple[str, ...],
    dilation: tuple[int, ...],
) -> Pass | None:
    """Return the sweep along lines that a correlation is, if it is one that has few taps."""
    filtered = [
        place for place, taps in enumerate(kernel.shape) if taps > 1 or pads[place] != (0, 0)
    ]
    if len(filtered) != 1 or x.size < LEAST_LINE or x.dtype != kernel.dtype:
        return None
    (place,) = filtered
    axis, taps, gap, (low, high) = axes[place], kernel.size, dilation[place], pads[place]
    more = low + high - (taps - 1) * gap
    if x.dtype.char not in "fd" or taps > MOST_LINE_TAPS or not separable.is_line(x.shape, axis):
        return None
    if x.shape[axis] + more < 1:
        return None
    border = "constant" if borders[place] == "zeros" else borders[place]
    return Pass(axis, "weights", taps, low, border, tuple(kernel.ravel().tolist()), gap, more)


def _with_constant(
    x: AnyArray, axes: tuple[int, ...], pads: Pads, borders: tuple[str, ...], constant: complex
) -> tuple[AnyArray, Pads, tuple[str, ...]]:
    """Make borders of a constant part of the array, unless it is 0."""
    chosen = tuple("zeros" if border == "constant" else border for border in borders)
    if np.iscomplexobj(constant) and x.dtype.kind == "f":
        x = x.astype(np.result_type(x, np.complex64))
    fill = np.asarray(constant).astype(x.dtype)
    if fill == 0:
        return x, pads, chosen
    widths = [(0, 0)] * x.ndim
    rest = list(pads)
    for place, (axis, border) in enumerate(zip(axes, borders)):
        if border == "constant":
            widths[axis], rest[place] = pads[place], (0, 0)
    shape = tuple(low + size + high for size, (low, high) in zip(x.shape, widths))
    arguments.check_memory(shape, x.dtype.itemsize, "a padded input")
    padded = np.full(shape, fill)
    padded[tuple(slice(low, low + size) for size, (low, _) in zip(x.shape, widths))] = x
    return padded, tuple(rest), chosen


def _describe(
    shape: tuple[int, ...],
    kernel: tuple[int, ...],
    axes: tuple[int, ...],
    pads: Pads,
    borders: tuple[str, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    algorithm: str,
) -> Filtering:
    """Describe a correlation: axes before the first that is filtered are its batch.

    Those after it without a kernel have one of a single tap.
    """
    first, rank = axes[0], len(shape)
    arguments.check_filtered_rank(rank - first)
    place = {axis: index for index, axis in enumerate(axes)}

    def spread(values: tuple[Any, ...], other: object) -> tuple[Any, ...]:
        return tuple(values[place[axis]] if axis in place else other for axis in range(first, rank))

    options = Options(
        kernel=spread(kernel, 1),
        stride=spread(stride, 1),
        pads=spread(pads, (0, 0)),
        dilation=spread(dilation, 1),
        groups=1,
        padding_mode="zeros",
        algorithm=algorithm,
    )
    windows = tuple(options.windows(shape[first:]))
    arguments.check_memory(options.kernel, 64, "tables for the taps of a kernel")
    return Filtering(
        windows=windows,
        outputs=tuple(max(window.output_size, 0) for window in windows),
        batch=math.prod(shape[:first]),
        channels=1,
        filters=1,
        options=options,
        borders=spread(borders, "zeros"),
    )


def _run(of: Filtering, x: AnyArray, weight: AnyArray, out: AnyArray | None) -> AnyArray:
    """Run a correlation of one channel; the real and the imaginary parts are two, and filters."""
    if x.dtype.kind != "c" and weight.dtype.kind != "c":
        return execution.run(of, "forward", x, weight, None, out)
    return _run_complex(of, x, weight, out)


def _run_complex(of: Filtering, x: AnyArray, weight: AnyArray, out: AnyArray | None) -> AnyArray:
    """Run a correlation of complex numbers as one of their parts."""
    dtype = np.result_type(x, weight)
    if weight.dtype.kind != "c":  # both parts are items of the batch
        parts = np.concatenate([x.real, x.imag])
        twice = execution.run(replace(of, batch=2 * of.batch), "forward", parts, weight, None)
        whole = np.empty(of.output_shape, dtype)
        whole.real, whole.imag = twice[: of.batch], twice[of.batch :]
        return execution.deliver(whole, out)
    if x.dtype.kind != "c":
        filters = dtypes.split_complex(weight, 0)
        parts, of_parts = x, replace(of, filters=2 * of.filters)
    else:
        filters = dtypes.complex_matrix(weight)
        parts = dtypes.split_complex(x, 1)
        of_parts = replace(of, channels=2 * of.channels, filters=2 * of.filters)
    sums = execution.run(of_parts, "forward", parts, filters, None)
    return execution.deliver(dtypes.join_complex(sums, 1, dtype), out)
