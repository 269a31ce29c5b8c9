"""Activations of whole arrays, and their gradients."""

import math
from typing import Any

import numpy as np

from convx._core import _activations
from convx._core._sweep import SweepMemo
from convx._engine import arguments, dtypes, machine, sweeps
from convx._engine.dtypes import AnyArray

# Self-normalising networks: mean 0 and variance 1 are kept (Klambauer et al., 2017).
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805

# Elements that share a slope, below which a slope for each element is faster.
LEAST_ROW = 32

Numbers = tuple[float, ...]

_memo, _gradient_memo = SweepMemo(), SweepMemo()


def activation(
    name: str, input: object, given: Numbers = (), *, inplace: object = False, out: Any = None
) -> AnyArray:
    """Apply an activation, which takes the numbers ``given``, to every element."""
    if out is None and inplace is False:
        remembered: AnyArray | None = _memo.call((input,), (name, given))
        if remembered is not None:
            return remembered
    out = arguments.place(input, inplace, out)
    x, dtype = dtypes.sweep_operand(input, "input")
    y = sweeps.new_result(out, x.shape, dtype, x, in_place=True)
    threads = sweeps.threads_for(x.nbytes)
    sweep = _activations.activate(machine.ISA, name, given, x, None, y, threads)
    result = sweeps.deliver(y, dtype, out)
    _memo.remember((input,), (name, given), sweep, result)
    return result


def activation_gradient(
    name: str, grad_output: object, input: object, given: Numbers = (), out: Any = None
) -> AnyArray:
    """Return the gradient of an activation's input."""
    arrays, options = (grad_output, input), (name, given)
    if out is None:
        remembered: AnyArray | None = _gradient_memo.call(arrays, options)
        if remembered is not None:
            return remembered
    (g, x), dtype = gradient_operands(grad_output, input)
    y = sweeps.new_result(out, x.shape, dtype, g, x, in_place=True)
    threads = sweeps.threads_for(x.nbytes)
    sweep = _activations.activate(machine.ISA, name, given, x, g, y, threads)
    result = sweeps.deliver(y, dtype, out)
    _gradient_memo.remember(arrays, options, sweep, result)
    return result


def gradient_operands(
    grad_output: object, input: object, **more: object
) -> tuple[list[AnyArray], np.dtype[Any]]:
    """Return a gradient and what it is one of, of one shape, and other operands."""
    operands, dtype = dtypes.sweep_operands(grad_output=grad_output, input=input, **more)
    arguments.check_shape(operands[0].shape, operands[1].shape, "grad_output", "of the output")
    return operands, dtype


def clamp(
    name: str,
    input: object,
    bounds: tuple[float, float],
    *,
    inplace: object = False,
    out: Any = None,
) -> AnyArray:
    """Keep every element within bounds, integers too."""
    if out is None and inplace is False:
        remembered: AnyArray | None = _memo.call((input,), (name, bounds))
        if remembered is not None:
            return remembered
    x = dtypes.as_array(input, "input")
    if x.dtype.kind not in "iu":
        return activation(name, input, bounds, inplace=inplace, out=out)
    target: Any = arguments.place(input, inplace, out)
    dtype = x.dtype.newbyteorder("=")
    low, high = bounds
    if name != "hardtanh":
        high = min(high, np.iinfo(dtype).max)
    low, high = arguments.integer_bounds(low, high, dtype)
    if target is not None:
        arguments.check_out(target, x.shape, dtype)
    result: AnyArray = np.asarray(np.clip(x.astype(dtype, copy=False), low, high, out=target))
    return result


def leaky_relu_given(negative_slope: object) -> Numbers:
    """Check what a leaky ReLU takes."""
    return (arguments.number(negative_slope, "negative_slope"),)


def elu_given(alpha: object) -> Numbers:
    """Check what an ELU takes."""
    return (arguments.number(alpha, "alpha"), 1.0, 1.0)


def celu_given(alpha: object) -> Numbers:
    """Check what a CELU takes, of which an ELU makes one."""
    value = arguments.number(alpha, "alpha")
    if value == 0 or math.isinf(1 / value):
        raise ValueError(f"alpha must not be 0, got {alpha}")
    return (value, 1 / value, 1.0)


def selu_given() -> Numbers:
    """Return what makes an ELU a SELU."""
    return (SELU_SCALE * SELU_ALPHA, 1.0, SELU_SCALE)


def softplus_given(beta: object, threshold: object) -> Numbers:
    """Check what a softplus takes."""
    return (
        arguments.number(beta, "beta"),
        arguments.number(threshold, "threshold", finite=False),
    )


def hardtanh_given(min_val: object, max_val: object) -> tuple[float, float]:
    """Check the bounds of a hard tanh."""
    return arguments.bounds(min_val, max_val, ("min_val", "max_val"))


def gelu_name(approximate: object) -> str:
    """Return which of the two GELUs is meant."""
    chosen = arguments.one_of(approximate, ("none", "tanh"), "approximate")
    return "gelu" if chosen == "none" else "gelu_tanh"


def _scale_negative(
    x: AnyArray, v: AnyArray, slopes: AnyArray, row: int, dtype: np.dtype[Any], out: Any
) -> AnyArray:
    """Return ``v`` where ``x > 0``, else ``v`` times a slope."""
    y = sweeps.new_result(out, x.shape, dtype, x, v, slopes, in_place=True)
    threads = sweeps.threads_for(x.nbytes)
    _activations.scale_negative(machine.ISA, x, v, slopes, row, y, threads)
    return sweeps.deliver(y, dtype, out)


def _slopes_of(weight: AnyArray, shape: tuple[int, ...]) -> tuple[AnyArray, int]:
    """Return slopes, and how many elements have one before it is the turn of the next."""
    arguments.check_slopes(weight, shape)
    if weight.size <= 1:
        return weight, max(1, math.prod(shape))
    row = math.prod(shape[2:])
    if row >= LEAST_ROW:
        return weight, row
    spread = weight.reshape(-1, *(1 for _ in shape[2:]))
    return np.ascontiguousarray(np.broadcast_to(spread, shape)), 1


def prelu(input: object, weight: object, out: Any = None) -> AnyArray:
    """Multiply negative elements by slopes that are learned."""
    (x, w), dtype = dtypes.sweep_operands(input=input, weight=weight)
    return _scale_negative(x, x, *_slopes_of(w, x.shape), dtype, out)


def prelu_gradients(
    grad_output: object, input: object, weight: object
) -> tuple[AnyArray, AnyArray]:
    """Return the gradients of input and weight."""
    (g, x, w), dtype = gradient_operands(grad_output, input, weight=weight)
    grad_input = _scale_negative(x, g, *_slopes_of(w, x.shape), dtype, None)
    axes = tuple(axis for axis in range(x.ndim) if axis != 1 or w.size == 1)
    products = np.where(x > 0, x.dtype.type(0), x * g)
    grad_weight = np.asarray(products.sum(axes)).reshape(w.shape)
    return grad_input, grad_weight.astype(dtype, copy=False)


def _random_slopes(
    x: AnyArray, lower: object, upper: object, training: object, rng: object
) -> tuple[AnyArray, int]:
    """Return the slopes of a randomised leaky ReLU, or their mean for all."""
    names = ("lower", "upper")
    low, high = (arguments.number(one, name) for one, name in zip((lower, upper), names))
    arguments.check_order(low, high, names)
    if not arguments.flag(training, "training"):
        return np.array([(low + high) / 2], x.dtype), max(1, x.size)
    drawn = arguments.generator(rng).random(x.shape, x.dtype)
    drawn *= x.dtype.type(high - low)
    drawn += x.dtype.type(low)
    return np.asarray(drawn), 1


def rrelu(
    input: object,
    lower: object,
    upper: object,
    training: object,
    inplace: object,
    rng: object,
    out: Any,
) -> AnyArray:
    """Multiply negative elements by slopes that are drawn."""
    out = arguments.place(input, inplace, out)
    x, dtype = dtypes.sweep_operand(input, "input")
    return _scale_negative(x, x, *_random_slopes(x, lower, upper, training, rng), dtype, out)


def rrelu_gradient(
    grad_output: object,
    input: object,
    lower: object,
    upper: object,
    training: object,
    rng: object,
    out: Any,
) -> AnyArray:
    """Return the gradient of the input, for slopes that are drawn again."""
    (g, x), dtype = gradient_operands(grad_output, input)
    return _scale_negative(x, g, *_random_slopes(x, lower, upper, training, rng), dtype, out)
