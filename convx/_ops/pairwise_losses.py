"""What losses of pairs of elements share: operands, blocks, reductions, gradients.

Each is given by what it makes of two blocks of elements, and its derivatives: a `Pairwise`. Arrays
are gone through in blocks that stay in the cache; sums are of double precision over the blocks, in
their order.
"""

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from convx._engine import arguments, dtypes, sweeps
from convx._engine.dtypes import SWEEP_DTYPES, AnyArray

BLOCK = 16384  # elements

Gradient = AnyArray | None


class Pairwise(NamedTuple):
    """A loss of blocks (input, target, …) and its derivatives by the first two."""

    value: Callable[..., AnyArray]
    by_input: Callable[..., AnyArray]
    by_target: Callable[..., AnyArray]


class Operands(NamedTuple):
    """Arrays of a call: input, target, and others that are broadcast to their shape."""

    arrays: list[AnyArray]
    weight: AnyArray | None
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    reduction: str


def operands(
    input: object,
    target: object,
    weight: object,
    reduction: object,
    others: dict[str, object] | None = None,
    strict: bool = False,
) -> Operands:
    """Check arrays; ``strict`` ones may not be broadcast to one another, but the weights may."""
    chosen = arguments.reduction(reduction)
    x, t = dtypes.as_array(input, "input"), dtypes.as_array(target, "target")
    arguments.check_real_dtype(x.dtype, "input")
    arguments.check_real_dtype(t.dtype, "target", integers=True)
    dtype = (np.result_type(x, t) if t.dtype.kind == "f" else x.dtype).newbyteorder("=")
    if x.shape != t.shape:
        if strict:
            arguments.check_shape(t.shape, x.shape, "target", "as the input has")
        arguments.check_mutual_broadcast(x.shape, t.shape)
        warnings.warn(
            f"target of shape {t.shape} and input of shape {x.shape} are broadcast to one another",
            stacklevel=4,
        )
    shape = np.broadcast_shapes(x.shape, t.shape)
    arrays, w = [x, t], None
    for name, value in {"weight": weight, **(others or {})}.items():
        if value is None:
            continue
        array, _ = dtypes.sweep_operand(value, name)
        if strict:
            arguments.check_broadcast(array.shape, shape, name)
        else:
            arguments.check_shape(array.shape, shape, name, "as input and target have")
        if name == "weight":
            w = array
        else:
            arrays.append(array)
    return Operands(arrays, w, shape, dtype, chosen)


def _line(array: AnyArray, of: Operands) -> AnyArray:
    """Return the array, broadcast, as one line in the type of the computation; or its one value."""
    computed = SWEEP_DTYPES[of.dtype]
    if array.size == 1:
        return array.astype(computed).reshape(1)
    return np.ascontiguousarray(np.broadcast_to(array, of.shape), computed).reshape(-1)


def _blocks(arrays: list[AnyArray], of: Operands) -> Iterator[tuple[slice, list[AnyArray]]]:
    """Yield blocks of the arrays' elements, and where they stand in the line of all."""
    lines = [_line(one, of) for one in arrays]
    for first in range(0, math.prod(of.shape), BLOCK):
        place = slice(first, first + BLOCK)
        yield place, [line if line.size == 1 else line[place] for line in lines]


def _sum(function: Callable[..., AnyArray], arrays: list[AnyArray], of: Operands) -> float:
    total = 0.0
    with np.errstate(all="ignore"):
        for _, blocks in _blocks(arrays, of):
            total += float(np.sum(function(*blocks)))
    return total


def _fill(
    function: Callable[..., AnyArray], arrays: list[AnyArray], of: Operands, result: AnyArray
) -> AnyArray:
    flat = result.reshape(-1)
    with np.errstate(all="ignore"):
        for place, blocks in _blocks(arrays, of):
            flat[place] = function(*blocks)
    return result


def _weighted(function: Callable[..., AnyArray], of: Operands) -> Callable[..., AnyArray]:
    """The same with a weight as the last block, if there is one."""
    if of.weight is None:
        return function
    return lambda *blocks: function(*blocks[:-1]) * blocks[-1]


def _all(of: Operands) -> list[AnyArray]:
    return of.arrays if of.weight is None else [*of.arrays, of.weight]


def _count(of: Operands, by_weight: bool) -> float:
    """What the sum is divided by."""
    if of.reduction != "mean":
        return 1
    if by_weight and of.weight is not None:
        return _sum(lambda weight: weight, [of.weight], of)
    return math.prod(of.shape)


def number(value: float, dtype: np.dtype[Any], out: Any) -> AnyArray:
    """Return a reduced loss as an array without axes."""
    result = sweeps.rounded(np.asarray(value), dtype)
    if out is not None:
        arguments.check_out(out, (), dtype)
    return sweeps.deliver(result, dtype, out)


def ratio(total: float, count: float) -> float:
    """Return a mean; that of nothing is NaN."""
    with np.errstate(all="ignore"):
        return float(np.float64(total) / np.float64(count))


def reduced_loss(of: Operands, pairwise: Pairwise, by_weight: bool, out: Any) -> AnyArray:
    """Return the losses, their sum, or their mean, by the weights if ``by_weight``."""
    value = _weighted(pairwise.value, of)
    if of.reduction == "none":
        y = sweeps.new_result(out, of.shape, of.dtype, *_all(of))
        return sweeps.deliver(_fill(value, _all(of), of, y), of.dtype, out)
    return number(ratio(_sum(value, _all(of), of), _count(of, by_weight)), of.dtype, out)


def _summed_to(array: AnyArray, shape: tuple[int, ...], dtype: np.dtype[Any]) -> AnyArray:
    """Return the gradient of what was broadcast."""
    extra = array.ndim - len(shape)
    axes = tuple(
        axis
        for axis in range(array.ndim)
        if axis < extra or (shape[axis - extra] == 1 and array.shape[axis] != 1)
    )
    return sweeps.rounded(array.sum(axes).reshape(shape) if axes else array, dtype)


def grad_output_of(grad_output: object, shape: tuple[int, ...], reduction: str) -> AnyArray:
    """Return the gradient of a loss, a number if it was reduced, in double precision or its own."""
    g, _ = dtypes.sweep_operand(grad_output, "grad_output")
    expected = shape if reduction == "none" else ()
    arguments.check_shape(g.shape, expected, "grad_output", "as the output has")
    return g


def loss_gradients(
    grad_output: object,
    of: Operands,
    pairwise: Pairwise,
    by_weight: bool,
    to_weight: bool = True,
) -> tuple[Gradient, Gradient, Gradient]:
    """Return the gradients of input, target and, if asked for, weight.

    ``by_weight`` tells whether a mean is the sum divided by that of the weights.
    """
    g = grad_output_of(grad_output, of.shape, of.reduction)
    count = _count(of, by_weight)
    with np.errstate(all="ignore"):
        g = g if of.reduction == "none" else np.asarray(ratio(float(g), count))
    computed = SWEEP_DTYPES[of.dtype]

    def gradient(of_array: AnyArray, function: Callable[..., AnyArray]) -> Gradient:
        if of_array.dtype.kind != "f":
            return None
        times = _weighted(function, of)
        full = sweeps.new_result(None, of.shape, computed)
        _fill(lambda g, *blocks: times(*blocks) * g, [g, *_all(of)], of, full)
        return _summed_to(full, of_array.shape, of_array.dtype.newbyteorder("="))

    x, t = of.arrays[:2]
    by_input, by_target = gradient(x, pairwise.by_input), gradient(t, pairwise.by_target)
    by_weights = None
    if of.weight is not None and to_weight:
        mean = 0.0
        if by_weight and of.reduction == "mean":
            mean = ratio(_sum(_weighted(pairwise.value, of), _all(of), of), count)
        full = sweeps.new_result(None, of.shape, computed)
        _fill(lambda g, *blocks: (pairwise.value(*blocks) - mean) * g, [g, *of.arrays], of, full)
        by_weights = _summed_to(full, of.weight.shape, of.weight.dtype)
    return by_input, by_target, by_weights
