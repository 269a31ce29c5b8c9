"""What losses of pairs of elements share: operands, reductions, gradients."""

import math
import warnings
from typing import Any, NamedTuple

import numpy as np

from convx._core import _losses
from convx._core._sweep import Sweep, SweepMemo
from convx._engine import arguments, dtypes, machine, sweeps
from convx._engine.dtypes import SWEEP_DTYPES, AnyArray

Gradient = AnyArray | None

_memo = SweepMemo()


class Pairwise(NamedTuple):
    """A loss of pairs, by the name that the kernels have for it, and numbers that it takes."""

    name: str
    given: tuple[float, ...] = ()


class Operands(NamedTuple):
    """Arrays of a call: input, target, and what is broadcast to their shape."""

    input: AnyArray
    target: AnyArray
    positive: AnyArray | None
    weight: AnyArray | None
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    reduction: str


def operands(
    input: object,
    target: object,
    weight: object,
    reduction: object,
    pos_weight: object = None,
    strict: bool = False,
) -> Operands:
    """Check arrays; ``strict`` ones may not be broadcast to one another, but the weights may."""
    chosen = arguments.reduction(reduction)
    x, t = dtypes.as_array(input, "input"), dtypes.as_array(target, "target")
    arguments.check_real_dtype(x.dtype, "input")
    arguments.check_real_dtype(t.dtype, "target", integers=True)
    dtype = x.dtype
    if not (dtype is t.dtype and dtype.isnative):
        dtype = (np.result_type(x, t) if t.dtype.kind == "f" else dtype).newbyteorder("=")
    if x.shape != t.shape:
        if strict:
            arguments.check_shape(t.shape, x.shape, "target", "as the input has")
        arguments.check_mutual_broadcast(x.shape, t.shape)
        warnings.warn(
            f"target of shape {t.shape} and input of shape {x.shape} are broadcast to one another",
            stacklevel=4,
        )
    shape = x.shape if x.shape == t.shape else np.broadcast_shapes(x.shape, t.shape)
    weights: dict[str, AnyArray] = {}
    for name, value in (("weight", weight), ("pos_weight", pos_weight)):
        if value is None:
            continue
        weights[name], _ = dtypes.sweep_operand(value, name)
        if strict:
            arguments.check_broadcast(weights[name].shape, shape, name)
        else:
            arguments.check_shape(weights[name].shape, shape, name, "as input and target have")
    return Operands(x, t, weights.get("pos_weight"), weights.get("weight"), shape, dtype, chosen)


def _line(array: AnyArray | None, of: Operands) -> AnyArray | None:
    """Return one line of an array in the type of the computation, or a stretch of its one value."""
    if array is None:
        return None
    computed = SWEEP_DTYPES[of.dtype]
    if array.shape == of.shape and array.size != 1:
        return np.ascontiguousarray(array, computed).reshape(-1)
    if array.size == 1:
        return np.full(_losses.STRETCH, array.astype(computed).reshape(()))
    return np.ascontiguousarray(np.broadcast_to(array, of.shape), computed).reshape(-1)


def _lines(
    of: Operands, weight: AnyArray | None, grad: AnyArray | None = None
) -> tuple[AnyArray | None, ...]:
    return tuple(_line(one, of) for one in (of.input, of.target, of.positive, weight, grad))


def _threads(of: Operands) -> int:
    return sweeps.threads_for(2 * math.prod(of.shape) * SWEEP_DTYPES[of.dtype].itemsize)


def _sums(of: Operands, pairwise: Pairwise) -> tuple[Sweep, AnyArray]:
    """Return the sweep and the sums of stretches of losses."""
    size = math.prod(of.shape)
    lines, threads = _lines(of, of.weight), _threads(of)
    sums = np.empty(-(-size // _losses.STRETCH))
    sweep = _losses.pair_loss(machine.ISA, *pairwise, lines, 0, 1, size, None, sums, threads)
    return sweep, sums


def _total(sums: AnyArray) -> float:
    return float(np.add.reduce(sums))


def _count(of: Operands, by_weight: bool) -> float:
    """What the sum is divided by."""
    if of.reduction != "mean":
        return 1
    if by_weight and of.weight is not None:
        return float(np.sum(of.weight, dtype=np.float64))
    return math.prod(of.shape)


def number(value: float, dtype: np.dtype[Any], out: Any) -> AnyArray:
    """Return a reduced loss as an array without axes."""
    result = sweeps.rounded(np.asarray(value), dtype)
    if out is not None:
        arguments.check_out(out, (), dtype)
    return sweeps.deliver(result, dtype, out)


def ratio(total: float, count: float) -> float:
    """Return a mean; that of nothing is NaN."""
    if count:
        return total / count
    with np.errstate(all="ignore"):
        return float(np.float64(total) / np.float64(count))


def plain_mean(
    input: Any, target: object, weight: object, reduction: object, pairwise: Pairwise, out: Any
) -> AnyArray | None:
    """Return the mean of losses without weights if a call like this one is remembered."""
    if weight is not None or out is not None or type(reduction) is not str or reduction != "mean":
        return None
    sums = _memo.call((input, target), tuple(pairwise))
    return None if sums is None else number(_total(sums) / input.size, input.dtype, None)


def reduced_loss(of: Operands, pairwise: Pairwise, by_weight: bool, out: Any) -> AnyArray:
    """Return the losses, their sum, or their mean, by the weights if ``by_weight``."""
    if of.reduction != "none":
        sweep, sums = _sums(of, pairwise)
        is_plain = of.weight is of.positive is None and of.input.shape == of.target.shape
        if of.reduction == "mean" and is_plain:
            _memo.remember((of.input, of.target), tuple(pairwise), sweep, sums)
        return number(ratio(_total(sums), _count(of, by_weight)), of.dtype, out)
    read = [one for one in of[:4] if one is not None]
    y, size = sweeps.new_result(out, of.shape, of.dtype, *read), math.prod(of.shape)
    lines, threads = _lines(of, of.weight), _threads(of)
    _losses.pair_loss(machine.ISA, *pairwise, lines, 0, 1, size, y, None, threads)
    return sweeps.deliver(y, of.dtype, out)


def _room_for(array: AnyArray, of: Operands) -> Gradient:
    """Return memory for the gradient of an array, broadcast; integers have none."""
    if array.dtype.kind != "f":
        return None
    return sweeps.new_result(None, of.shape, SWEEP_DTYPES[of.dtype])


def _summed_to(gradient: Gradient, array: AnyArray | None) -> Gradient:
    """Return the gradient of an array that was broadcast."""
    if gradient is None or array is None:
        return None
    extra = gradient.ndim - array.ndim
    axes = tuple(
        axis
        for axis in range(gradient.ndim)
        if axis < extra or (array.shape[axis - extra] == 1 and gradient.shape[axis] != 1)
    )
    if axes:
        gradient = gradient.sum(axes).reshape(array.shape)
    return sweeps.rounded(gradient, array.dtype.newbyteorder("="))


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
    g: AnyArray | None = grad_output_of(grad_output, of.shape, of.reduction)
    factor, count = 1.0, _count(of, by_weight)
    if of.reduction != "none":
        factor, g = ratio(float(g), count), None  # type: ignore[arg-type]
    lines, threads, size = _lines(of, of.weight, g), _threads(of), math.prod(of.shape)
    by_input, by_target = _room_for(of.input, of), _room_for(of.target, of)
    _losses.pair_slopes(machine.ISA, *pairwise, lines, factor, size, by_input, by_target, threads)
    by_weights = None
    if of.weight is not None and to_weight:
        mean = 0.0
        if by_weight and of.reduction == "mean":
            mean = ratio(_total(_sums(of, pairwise)[1]), count)
        by_weights = _room_for(of.weight, of)
        lines = _lines(of, None, g)
        _losses.pair_loss(
            machine.ISA, *pairwise, lines, mean, factor, size, by_weights, None, threads
        )
    return (
        _summed_to(by_input, of.input),
        _summed_to(by_target, of.target),
        _summed_to(by_weights, of.weight),
    )
