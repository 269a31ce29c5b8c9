"""Normalisation by batch and instance, with running statistics, and the gradients.

A batch is normalised channel by channel. An activation, a residual and the gradients' sums come
with it, while a channel is in the cache. An instance has statistics of its own; where they are
given, it is normalised as a batch is.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from convx._core import _normalization
from convx._core._driver import Activation
from convx._core._sweep import Sweep, SweepMemo
from convx._engine import arguments, dtypes, machine, sweeps
from convx._engine.dtypes import AnyArray
from convx._ops import segments
from convx._ops.segments import Gradient

# Positions from which on gradients without known statistics are found from four sums in one reading
# rather than from two in each of two (AMD EPYC Genoa, November 2026; docs/kernels.md).
LONG = 512

_memo, _gradient_memo, _instance_memo = SweepMemo(), SweepMemo(), SweepMemo()


class _Channels(NamedTuple):
    """The arguments of batch_norm and instance_norm, checked; ``x`` is (items, channels, inner)."""

    x: AnyArray
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    parameters: segments.Parameters
    kinds: list[np.dtype[Any] | None]
    running: tuple[Any, Any]  # as given if they are updated, else as a kernel reads them
    momentum: float
    eps: float

    @property
    def channels(self) -> int:
        """How many there are; an input of one axis has its elements."""
        return self.shape[min(len(self.shape) - 1, 1)]


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
    writes = of_input and update
    mean = _running(running[0], "running_mean", channels, writes)
    variance = _running(running[1], "running_var", channels, writes)
    parameters, kinds = segments.kernel_parameters(weight, bias, (channels,), x.dtype)
    share = arguments.number(momentum, "momentum")
    folded = x.reshape(*shape[:2], math.prod(shape[2:])) if x.size else x
    return _Channels(folded, dtype, shape, parameters, kinds, (mean, variance), share, eps)


def _running(value: object, name: str, channels: int, writes: bool) -> AnyArray | None:
    """Return a running statistic, checked: itself if it is to be written."""
    if value is None:
        return None
    if writes:
        return arguments.running_to_write(value, name, channels)
    array, _ = dtypes.sweep_operand(value, name)
    arguments.check_shape(array.shape, (channels,), name, "for the input's channels")
    return array


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


class Ending(NamedTuple):
    """What follows a norm, as it is given."""

    activation: object = None
    negative_slope: object = None
    residual: object = None


Statistics = tuple[AnyArray, AnyArray]


class _Ended(NamedTuple):
    """What follows a norm, checked; the residual is as ``x`` is."""

    activation: Activation
    residual: AnyArray | None
    kind: np.dtype[Any] | None


NO_ENDING = _Ended(Activation(), None, None)


def _ended(of: _Channels, ending: Ending) -> _Ended:
    named = arguments.activation(ending.activation, ending.negative_slope, of.dtype)
    if ending.residual is None:
        return _Ended(Activation(*named), None, None)
    residual, kind = dtypes.sweep_operand(ending.residual, "residual")
    arguments.check_shape(residual.shape, of.shape, "residual", "as the input has")
    return _Ended(Activation(*named), residual.astype(of.x.dtype, copy=False), kind)


def _kernel_updates(of: _Channels, ended: _Ended, out: Any) -> bool:
    """Tell whether a kernel can update the running statistics: nothing else is in their memory."""
    first, second = of.running
    if first is None or not all(
        one.dtype is of.x.dtype and one.flags.carray for one in (first, second)
    ):
        return False
    others = [of.x, *of.parameters, ended.residual, out]
    return not any(
        one is not None and np.may_share_memory(running, one)
        for running, rest in ((first, [second, *others]), (second, others))
        for one in rest
    )


def _run_channels(
    of: _Channels,
    ended: _Ended,
    statistics: Statistics,
    y: AnyArray,
    *,
    of_input: bool,
    finds_moments: bool,
    running: tuple[Any, Any] = (None, None),
    dy: AnyArray | None = None,
    grad_residual: AnyArray | None = None,
) -> tuple[Sweep, AnyArray | None]:
    """Run the kernel of channels, on arrays that lie as the input does, of any shape.

    Return its sweep and sums.
    """
    x, residual, result, result_beside = of.x, ended.residual, y, grad_residual
    items, channels, inner = x.shape
    lie_apart = items > 1 and 1 < inner < segments.SHORT
    if lie_apart:
        x = segments.side_by_side(x)
        residual, dy = (
            None if one is None else segments.side_by_side(one.reshape(of.x.shape))
            for one in (residual, dy)
        )
        result = np.empty_like(x)
        result_beside = None if grad_residual is None else np.empty_like(x)
    mean, variance = statistics
    sweep, sums = _normalization.normalize_channels(
        machine.ISA,
        x,
        of.parameters,
        ended.activation,
        residual,
        dy,
        result,
        result_beside,
        of.eps,
        of_input,
        finds_moments,
        mean,
        variance,
        running,
        of.momentum,
        sweeps.threads_for(2 * x.nbytes),
    )
    if lie_apart:
        for target, found in ((y, result), (grad_residual, result_beside)):
            if target is not None and found is not None:
                segments.put_apart(found, target.reshape(items, channels, inner))
    return sweep, sums


def _no_statistics(of: _Channels) -> Statistics:
    """Return room for the mean and the variance of every channel."""
    return np.zeros(of.channels), np.zeros(of.channels)


def _normalized(
    of: _Channels, ended: _Ended, of_input: bool, out: Any
) -> tuple[Sweep | None, AnyArray, Statistics]:
    """Return the sweep, unless there is more to be done, the result, and the statistics."""
    statistics = _no_statistics(of) if of_input else of.running
    operands = [one for one in (of.x, *of.parameters, ended.residual) if one is not None]
    y, sweep = sweeps.new_result(out, of.shape, of.dtype, *operands), None
    if of.x.size:
        running = of.running if of_input and _kernel_updates(of, ended, out) else (None, None)
        sweep, _ = _run_channels(
            of, ended, statistics, y, of_input=of_input, finds_moments=of_input, running=running
        )
        if of_input and running[0] is None and of.running[0] is not None:
            mean, variance = statistics
            _update(of, mean, variance, of.x.shape[0] * of.x.shape[2])
            sweep = None
    return sweep, sweeps.deliver(y, of.dtype, out), statistics


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
    given = (input, running, weight, bias, training, momentum, eps)
    return batch_norm_activation(*given, Ending(), out)[0]


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
    if training and of.x.size and of.x.shape[2] >= LONG:
        layout = segments.of_channels(*of.x.shape)
        return _segment_gradients(of, segments.case_of(of.x, layout, of.parameters, of.eps), dy)
    return _gradients(of, NO_ENDING, training, dy)[1][:3]


def batch_norm_activation(
    input: object,
    running: tuple[object, object],
    weight: object,
    bias: object,
    training: bool,
    momentum: object,
    eps: object,
    ending: Ending,
    out: Any,
) -> tuple[AnyArray, Statistics]:
    """Normalise channels, add a residual, and activate; return the statistics too."""
    arrays = (input, *running, weight, bias, ending.residual)
    options = (training, momentum, eps, *ending[:2])
    if out is None:
        remembered: Any = _memo.call(arrays, options)
        if remembered is not None:
            return (remembered[0], (*remembered[1:],)) if training else (remembered, running)
    of = _batch_arguments(input, running, weight, bias, training, momentum, eps, True)
    sweep, y, statistics = _normalized(of, _ended(of, ending), training, out)
    _memo.remember(arrays, options, sweep, y)
    return y, statistics


def batch_norm_activation_gradients(
    grad_output: object,
    input: object,
    running: tuple[object, object],
    weight: object,
    bias: object,
    training: bool,
    momentum: object,
    eps: object,
    ending: Ending,
    statistics: object,
) -> tuple[Gradient, ...]:
    """Return the gradients of input, weight, bias and residual."""
    known = statistics if type(statistics) is tuple and len(statistics) == 2 else (None, None)
    arrays = (grad_output, input, *running, weight, bias, ending.residual, *known)
    options = (training, momentum, eps, *ending[:2])
    remembered: Any = _gradient_memo.call(arrays, options)
    if remembered is not None:
        dx, *beside, sums = remembered
        by_bias, by_weight = sweeps.rounded(sums, dx.dtype)
        return (
            dx,
            None if weight is None else by_weight,
            None if bias is None else by_bias,
            None if ending.residual is None else beside[0],
        )
    of = _batch_arguments(input, running, weight, bias, training, momentum, eps, False)
    ended = _ended(of, ending)
    dy = segments.grad_operand(grad_output, of.shape, of.x)
    sweep, gradients = _gradients(of, ended, training, dy, statistics)
    if ending.residual is None or ended.activation.name is not None:
        _gradient_memo.remember(arrays, options, sweep, gradients[0])
    return gradients


def _gradients(
    of: _Channels, ended: _Ended, of_input: bool, dy: AnyArray, statistics: object = None
) -> tuple[Sweep | None, tuple[Gradient, ...]]:
    """Return the sweep, and the gradients of input, weight, bias and residual."""
    sweep = None
    dx = sweeps.new_result(None, of.shape, of.x.dtype)
    finds_moments = of_input and statistics is None
    if finds_moments:
        own = _no_statistics(of)
    else:
        own = arguments.statistics(statistics, of.channels) if of_input else of.running
    activated = ended.activation.name is not None
    grad_residual = slopes = None
    if ended.kind is not None:
        grad_residual = sweeps.new_result(None, of.shape, dx.dtype) if activated else dy.copy()
        slopes = grad_residual if activated else None
    sums = np.zeros((2, of.channels))
    if of.x.size:
        sweep, found = _run_channels(
            of,
            ended,
            own,
            dx,
            of_input=of_input,
            finds_moments=finds_moments,
            dy=dy,
            grad_residual=slopes,
        )
        sums = np.asarray(found)
    if grad_residual is not None:
        assert ended.kind is not None
        grad_residual = sweeps.rounded(grad_residual, ended.kind)
    gradients = segments.parameter_gradients(sums.T, (of.channels,), of.kinds)
    return sweep, (sweeps.rounded(dx, of.dtype), *gradients, grad_residual)


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


def _instance_case(of: _Channels) -> segments.Case:
    layout = segments.of_instances(*of.x.shape)
    follows = of.running[0] is not None
    return segments.case_of(of.x, layout, of.parameters, of.eps, with_statistics=follows)


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
    arrays, options = (input, weight, bias), (of_input, momentum, eps)
    if out is None and running[0] is running[1] is None:
        remembered: AnyArray | None = _instance_memo.call(arrays, options)
        if remembered is not None:
            return remembered
    of = _instance_arguments(input, running, weight, bias, of_input, momentum, eps, True)
    if not of.x.size:
        return sweeps.deliver(sweeps.new_result(out, of.shape, of.dtype), of.dtype, out)
    if not of_input:
        return _normalized(of, NO_ENDING, False, out)[1]
    case = _instance_case(of)
    sweep, y = segments.normalized(case, of.shape, of.dtype, out)
    if case.mean is None or case.variance is None:
        _instance_memo.remember(arrays, options, sweep, y)
        return y
    items, channels, inner = of.x.shape
    mean, variance = (one.reshape(items, channels).mean(0) for one in (case.mean, case.variance))
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
    if not of_input:
        return _gradients(of, NO_ENDING, False, dy)[1][:3]
    return _segment_gradients(of, _instance_case(of), dy)


def _segment_gradients(of: _Channels, case: segments.Case, dy: AnyArray) -> tuple[Gradient, ...]:
    """Return the gradients of input, weight and bias from segments that lie in channels."""
    dx = sweeps.new_result(None, of.x.shape, of.x.dtype)
    _, sums = case.run(dy, dx)
    assert sums is not None
    channels = of.x.shape[1]
    by_channel = sums.sum(1) if len(sums) == channels else sums.reshape(-1, channels, 2).sum(0)
    grad_input = sweeps.rounded(dx.reshape(of.shape), of.dtype)
    return (grad_input, *segments.parameter_gradients(by_channel, (channels,), of.kinds))
