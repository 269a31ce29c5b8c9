"""What all normalisations share: segments, their parameters and the sums for their gradients.

Normalisations by batch, layer, group and instance are one operation on *segments*, parts of the
input that have a mean and a variance of their own. They differ in where segments lie and which
weight and bias belongs where: a `Layout`.
"""

from typing import Any, NamedTuple

import numpy as np

from convx._core import _normalization
from convx._core._sweep import Sweep
from convx._engine import arguments, dtypes, machine, sweeps
from convx._engine.dtypes import AnyArray

# Runs of neighbours that are shorter than this are no work for vectors.
SHORT = 16

Parameters = tuple[AnyArray | None, AnyArray | None]
Gradient = AnyArray | None


class Layout(NamedTuple):
    """Where segments lie, and their weights; the fields are those of kernels/sweeps.h."""

    segments: int
    segment_stride: int
    runs: int
    run_stride: int
    run_length: int
    by_element: int
    period: int
    segment_step: int
    run_step: int


def of_channels(items: int, channels: int, inner: int) -> Layout:
    """Segments are channels, with a run in each item."""
    return Layout(channels, inner, items, channels * inner, inner, 0, channels, 1, 0)


def of_instances(items: int, channels: int, inner: int) -> Layout:
    """Segments are the channels of each item."""
    return Layout(items * channels, inner, 1, 0, inner, 0, channels, 1, 0)


def of_groups(items: int, groups: int, channels: int, inner: int) -> Layout:
    """Segments are groups of channels of each item, with a run for each channel."""
    return Layout(items * groups, channels * inner, channels, inner, inner, 0, groups, channels, 1)


def of_elements(rows: int, length: int, period: int) -> Layout:
    """Segments are rows whose elements have weights of their own, which repeat after a period."""
    return Layout(rows, length, 1, 0, length, 1, period, length, 0)


class Case(NamedTuple):
    """One call: input in kernel form, where its segments lie, parameters and statistics."""

    x: AnyArray
    layout: Layout
    weight: AnyArray | None
    bias: AnyArray | None
    eps: float
    mean: AnyArray | None
    variance: AnyArray | None

    @property
    def operands(self) -> list[AnyArray]:
        """What is read while the result is written."""
        return [one for one in (self.x, self.weight, self.bias) if one is not None]

    def run(self, dy: AnyArray | None, y: AnyArray) -> tuple[Sweep, AnyArray | None]:
        """Normalise into ``y``, or put the gradient there; return sweep and sums for weights."""
        return _normalization.normalize(
            machine.ISA,
            tuple(self.layout),
            self.x,
            self.weight,
            self.bias,
            dy,
            y,
            self.eps,
            self.mean,
            self.variance,
            sweeps.threads_for(2 * self.x.nbytes),
        )


def case_of(
    x: AnyArray, layout: Layout, parameters: Parameters, eps: float, with_statistics: bool = False
) -> Case:
    """Return a case, with memory for the statistics of the input if they are asked for."""
    mean, variance = np.empty((2, layout.segments)) if with_statistics else (None, None)
    return Case(x, layout, *parameters, eps, mean, variance)


def kernel_parameters(
    weight: object, bias: object, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> tuple[Parameters, list[np.dtype[Any] | None]]:
    """Return weight and bias as a kernel reads them, and the dtypes of their gradients."""
    arrays: list[AnyArray | None] = []
    kinds: list[np.dtype[Any] | None] = []
    for value, name in ((weight, "weight"), (bias, "bias")):
        array, kind = (None, None) if value is None else dtypes.sweep_operand(value, name)
        if array is not None:
            arguments.check_shape(array.shape, shape, name, "for this input")
            if kind is not dtype:
                array = array.astype(dtype, copy=False)
        arrays.append(array)
        kinds.append(kind)
    return (arrays[0], arrays[1]), kinds


def normalized(
    case: Case, shape: tuple[int, ...], dtype: np.dtype[Any], out: Any
) -> tuple[Sweep, AnyArray]:
    """Return the sweep of a case and its result, in ``out`` if that is given."""
    y = sweeps.new_result(out, shape, dtype, *case.operands)
    sweep, _ = case.run(None, y)
    return sweep, sweeps.deliver(y, dtype, out)


def side_by_side(x: AnyArray) -> AnyArray:
    """Bring the values of each channel together: (1, channels, …)."""
    items, channels, inner = x.shape
    return np.ascontiguousarray(x.swapaxes(0, 1)).reshape(1, channels, items * inner)


def put_apart(found: AnyArray, target: AnyArray) -> None:
    """Undo that."""
    items, channels, inner = target.shape
    target[...] = found.reshape(channels, items, inner).swapaxes(0, 1)


def grad_operand(grad_output: object, shape: tuple[int, ...], x: AnyArray) -> AnyArray:
    """Return the gradient of the output in the type of ``x``."""
    dy, _ = dtypes.sweep_operand(grad_output, "grad_output")
    arguments.check_shape(dy.shape, shape, "grad_output", "as the output has")
    return np.ascontiguousarray(dy, dtype=x.dtype)


def parameter_gradients(
    sums: AnyArray, shape: tuple[int, ...], kinds: list[np.dtype[Any] | None]
) -> tuple[Gradient, Gradient]:
    """Return the gradients of weight and bias from the sums of dy, dy * normalised x."""
    weight, bias = kinds
    return (
        None if weight is None else sweeps.rounded(sums[..., 1].reshape(shape), weight),
        None if bias is None else sweeps.rounded(sums[..., 0].reshape(shape), bias),
    )


def no_gradients(
    kinds: list[np.dtype[Any] | None], shape: tuple[int, ...]
) -> tuple[Gradient, Gradient]:
    """Return the gradients of weight and bias where there is no input."""
    weight, bias = (None if kind is None else np.zeros(shape, kind) for kind in kinds)
    return weight, bias
