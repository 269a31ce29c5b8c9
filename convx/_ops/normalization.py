"""Normalisation by batch and instance, with running statistics, and the gradients."""

import math
from typing import Any, NamedTuple

import numpy as np

from convx._engine import arguments, dtypes, sweeps
from convx._engine.dtypes import AnyArray
from convx._ops import segments
from convx._ops.segments import Gradient


class _Channels(NamedTuple):
    """The arguments of batch_norm and instance_norm, checked; ``x`` is (items, channels, inner)."""

    x: AnyArray
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    parameters: segments.Parameters
    kinds: list[np.dtype[Any] | None]
    running: tuple[Any, Any]
    momentum: float
    eps: float


def _channels(
    input: object,
    running: tuple[object, object],
    weight: object,
    bias: object,
    of_input: bool,
    momentum: object,
    eps: float,
    update: bool,
) -> _Channels:
    x, dtype = dtypes.sweep_operand(input, "input")
    shape = x.shape
    if x.size or x.ndim != 1:  # PyTorch takes an empty line, too
        arguments.check_channel_axis(shape, 2)
    channels = shape[min(x.ndim - 1, 1)]
    arguments.check_running_pair(*running, needed=not of_input)
    for value, name in zip(running, ("running_mean", "running_var"), strict=True):
        if value is not None and of_input and update:
            arguments.running_to_write(value, name, channels)
        elif value is not None:
            array, _ = dtypes.sweep_operand(value, name)
            arguments.check_shape(array.shape, (channels,), name, "for the input's channels")
    parameters, kinds = segments.kernel_parameters(weight, bias, (channels,), x.dtype)
    share = arguments.number(momentum, "momentum")
    folded = x.reshape(*shape[:2], math.prod(shape[2:])) if x.size else x
    return _Channels(folded, dtype, shape, parameters, kinds, running, share, eps)


def _given_case(of: _Channels, x: AnyArray) -> segments.Case:
    """Normalise every channel of every item by the running statistics."""
    statistics = [np.tile(np.asarray(one, np.float64), x.shape[0]) for one in of.running]
    given = (statistics[0], statistics[1])
    return segments.case_of(x, segments.of_instances(*x.shape), of.parameters, of.eps, given)


def _batch_case(of: _Channels, x: AnyArray, training: bool) -> segments.Case:
    if not training:
        return _given_case(of, x)
    return segments.case_of(x, segments.of_channels(*x.shape), of.parameters, of.eps)


def _side_by_side(x: AnyArray) -> AnyArray:
    """Bring the values of each channel together where they lie in short runs: (1, channels, …)."""
    items, channels, inner = x.shape
    if items == 1 or inner >= segments.SHORT:
        return x
    return np.ascontiguousarray(x.swapaxes(0, 1)).reshape(1, channels, items * inner)


def _apart(y: AnyArray, shape: tuple[int, ...]) -> AnyArray:
    """Undo that."""
    channels = shape[1]
    if y.shape[0] == shape[0]:
        return y.reshape(shape)
    return np.ascontiguousarray(y.reshape(channels, shape[0], -1).swapaxes(0, 1)).reshape(shape)


def _update(of: _Channels, mean: AnyArray, variance: AnyArray, count: int) -> None:
    """Let the running statistics follow those of the input, the variance without bias."""
    for running, value in zip(of.running, (mean, variance * (count / (count - 1))), strict=True):
        if running is not None:
            running[...] = (1 - of.momentum) * running.astype(np.float64) + of.momentum * value


def _batch_arguments(
    input: object,
    running: tuple[object, object],
    weight: object,
    bias: object,
    training: bool,
    momentum: object,
    eps: object,
    update: bool,
) -> _Channels:
    small = arguments.eps(eps, positive=training)
    of = _channels(input, running, weight, bias, training, momentum, small, update)
    if training and of.x.size:
        count = of.x.shape[0] * of.x.shape[2]
        arguments.check_several_values(count, "channel when training", of.shape)
    return of


def batch_norm(
    input: object,
    running: tuple[object, object],
    weight: object,
    bias: object,
    training: bool,
    momentum: object,
    eps: object,
    out: Any,
) -> AnyArray:
    """Normalise channels over batch and space, and update running statistics when training."""
    of = _batch_arguments(input, running, weight, bias, training, momentum, eps, True)
    if not of.x.size:
        return sweeps.deliver(sweeps.new_result(out, of.shape, of.dtype), of.dtype, out)
    x = _side_by_side(of.x)
    case = _batch_case(of, x, training)
    if x is of.x:
        y = segments.normalized(case, of.shape, of.dtype, out)
    else:
        sweeps.new_result(out, of.shape, of.dtype)  # checks `out`
        y = np.empty_like(x)
        case.run(None, y)
        y = sweeps.deliver(_apart(y, of.shape), of.dtype, out)
    if training:
        _update(of, case.mean, case.variance, x.shape[0] * x.shape[2])
    return y


def batch_norm_gradients(
    grad_output: object,
    input: object,
    running: tuple[object, object],
    weight: object,
    bias: object,
    training: bool,
    momentum: object,
    eps: object,
) -> tuple[Gradient, ...]:
    """Return the gradients of input, weight and bias."""
    of = _batch_arguments(input, running, weight, bias, training, momentum, eps, False)
    dy = segments.grad_operand(grad_output, of.shape, of.x)
    if not of.x.size:
        return (
            np.empty(of.shape, of.dtype),
            *segments.no_gradients(of.kinds, of.shape[1:2] or of.shape),
        )
    x = _side_by_side(of.x)
    return _channel_gradients(of, _batch_case(of, x, training), dy)


def _channel_gradients(of: _Channels, case: segments.Case, dy: AnyArray) -> tuple[Gradient, ...]:
    x = case.x
    dy = dy.reshape(of.x.shape) if x is of.x else _side_by_side(dy.reshape(of.x.shape))
    dx = sweeps.new_result(None, x.shape, x.dtype)
    sums = case.run(dy, dx)
    assert sums is not None
    channels = of.x.shape[1]
    by_channel = sums.sum(1) if len(sums) == channels else sums.reshape(-1, channels, 2).sum(0)
    grad_input = sweeps.rounded(_apart(dx, of.shape), of.dtype)
    return (grad_input, *segments.parameter_gradients(by_channel, (channels,), of.kinds))


def _instance_arguments(
    input: object,
    running: tuple[object, object],
    weight: object,
    bias: object,
    of_input: bool,
    momentum: object,
    eps: object,
    update: bool,
) -> _Channels:
    small = arguments.eps(eps)
    of = _channels(input, running, weight, bias, of_input, momentum, small, update)
    if of_input:
        arguments.check_several_values(math.prod(of.shape[2:]), "channel of an item", of.shape)
    return of


def _instance_case(of: _Channels, of_input: bool) -> segments.Case:
    if not of_input:
        return _given_case(of, of.x)
    return segments.case_of(of.x, segments.of_instances(*of.x.shape), of.parameters, of.eps)


def instance_norm(
    input: object,
    running: tuple[object, object],
    weight: object,
    bias: object,
    of_input: bool,
    momentum: object,
    eps: object,
    out: Any,
) -> AnyArray:
    """Normalise every channel of every item over space."""
    of = _instance_arguments(input, running, weight, bias, of_input, momentum, eps, True)
    if not of.x.size:
        return sweeps.deliver(sweeps.new_result(out, of.shape, of.dtype), of.dtype, out)
    case = _instance_case(of, of_input)
    y = segments.normalized(case, of.shape, of.dtype, out)
    if of_input:
        items, channels, inner = of.x.shape
        mean, variance = (
            one.reshape(items, channels).mean(0) for one in (case.mean, case.variance)
        )
        _update(of, mean, variance, inner)
    return y


def instance_norm_gradients(
    grad_output: object,
    input: object,
    running: tuple[object, object],
    weight: object,
    bias: object,
    of_input: bool,
    momentum: object,
    eps: object,
) -> tuple[Gradient, ...]:
    """Return the gradients of input, weight and bias."""
    of = _instance_arguments(input, running, weight, bias, of_input, momentum, eps, False)
    dy = segments.grad_operand(grad_output, of.shape, of.x)
    if not of.x.size:
        return (
            np.empty(of.shape, of.dtype),
            *segments.no_gradients(of.kinds, of.shape[1:2] or of.shape),
        )
    return _channel_gradients(of, _instance_case(of, of_input), dy)
