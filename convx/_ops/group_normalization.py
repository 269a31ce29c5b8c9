"""Normalisation by layer and group, and the gradients."""

import math
from typing import Any, NamedTuple

import numpy as np

from convx._core._memo import Kept
from convx._core._sweep import Sweep, SweepMemo
from convx._engine import arguments, dtypes, sweeps
from convx._engine.dtypes import AnyArray
from convx._ops import segments
from convx._ops.segments import Gradient

_normalized_shape = Kept(arguments.normalized_shape, lambda shape: True)
_layer_memo, _group_memo, _layer_gradient_memo = SweepMemo(), SweepMemo(), SweepMemo()


class _Grouped(NamedTuple):
    """The arguments of layer_norm and group_norm, checked."""

    case: segments.Case | None
    x: AnyArray
    dtype: np.dtype[Any]
    parameter_shape: tuple[int, ...]
    kinds: list[np.dtype[Any] | None]


def _by_element(
    x: AnyArray, rows: int, period: int, parameters: segments.Parameters, repeats: int, eps: float
) -> segments.Case:
    """Give every element its weight and bias; 1 and 0 where there are none."""
    length = x.size // rows
    weight, bias = parameters
    each = (
        _of_elements(weight, 1, period * length, repeats, x),
        _of_elements(bias, 0, period * length, repeats, x),
    )
    return segments.case_of(x, segments.of_elements(rows, length, period), each, eps)


def _of_elements(
    parameter: AnyArray | None, absent: int, count: int, repeats: int, x: AnyArray
) -> AnyArray:
    if parameter is None:
        return np.full(count, absent, x.dtype)
    return parameter if repeats == 1 else np.repeat(parameter.reshape(-1), repeats)


def _layer(
    input: object, normalized_shape: object, weight: object, bias: object, eps: object
) -> _Grouped:
    x, dtype = dtypes.sweep_operand(input, "input")
    shape = _normalized_shape(normalized_shape, x.shape)
    parameters, kinds = segments.kernel_parameters(weight, bias, shape, x.dtype)
    number, case = arguments.eps(eps), None
    if x.size:
        length = math.prod(shape)
        rows = x.size // length
        if weight is None and bias is None:
            case = segments.case_of(x, segments.of_instances(rows, 1, length), parameters, number)
        else:
            case = _by_element(x, rows, 1, parameters, 1, number)
    return _Grouped(case, x, dtype, shape, kinds)


def _group(
    input: object, num_groups: object, weight: object, bias: object, eps: object
) -> _Grouped:
    x, dtype = dtypes.sweep_operand(input, "input")
    arguments.check_channel_axis(x.shape, 2)
    groups = arguments.group_channels(num_groups, x.shape)
    channels = x.shape[1]
    parameters, kinds = segments.kernel_parameters(weight, bias, (channels,), x.dtype)
    number, case = arguments.eps(eps), None
    if x.size:
        items, inner = x.shape[0], x.size // (x.shape[0] * channels)
        if inner < segments.SHORT:
            case = _by_element(x, items * groups, groups, parameters, inner, number)
        else:
            layout = segments.of_groups(items, groups, channels // groups, inner)
            case = segments.case_of(x, layout, parameters, number)
    return _Grouped(case, x, dtype, (channels,), kinds)


def _grouped_result(of: _Grouped, out: Any) -> tuple[Sweep | None, AnyArray]:
    """Return the sweep and the result."""
    if of.case is None:
        return None, sweeps.deliver(sweeps.new_result(out, of.x.shape, of.dtype), of.dtype, out)
    return segments.normalized(of.case, of.x.shape, of.dtype, out)


def _grouped_gradients(
    grad_output: object, of: _Grouped
) -> tuple[Sweep | None, tuple[Gradient, ...]]:
    """Return the sweep and the gradients."""
    dy = segments.grad_operand(grad_output, of.x.shape, of.x)
    if of.case is None:
        none = segments.no_gradients(of.kinds, of.parameter_shape)
        return None, (np.empty(of.x.shape, of.dtype), *none)
    dx = sweeps.new_result(None, of.x.shape, of.x.dtype)
    sweep, sums = of.case.run(dy, dx)
    assert sums is not None
    parameters = _of_parameters(sums, of.case.layout.by_element, of.parameter_shape, of.kinds)
    return sweep, (sweeps.rounded(dx, of.dtype), *parameters)


def _of_parameters(
    sums: AnyArray, by_element: int, shape: tuple[int, ...], kinds: list[np.dtype[Any] | None]
) -> tuple[Gradient, Gradient]:
    """Return the gradients of weight and bias from the sums of elements or of runs."""
    count = math.prod(shape)
    if by_element:
        pairs = np.add.reduce(sums, 0).reshape(2, count, -1)
        sums = pairs[..., 0].T if pairs.shape[2] == 1 else pairs.sum(-1).T
    elif any(kind is not None for kind in kinds):
        sums = sums.reshape(-1, count, 2).sum(0)
    return segments.parameter_gradients(sums, shape, kinds)


def layer_norm(
    input: object, normalized_shape: object, weight: object, bias: object, eps: object, out: Any
) -> AnyArray:
    """Normalise over the last axes."""
    arrays, options = (input, weight, bias), (normalized_shape, eps)
    if out is None:
        remembered: AnyArray | None = _layer_memo.call(arrays, options)
        if remembered is not None:
            return remembered
    sweep, y = _grouped_result(_layer(input, normalized_shape, weight, bias, eps), out)
    _layer_memo.remember(arrays, options, sweep, y)
    return y


def layer_norm_gradients(
    grad_output: object,
    input: object,
    normalized_shape: object,
    weight: object,
    bias: object,
    eps: object,
) -> tuple[Gradient, ...]:
    """Return the gradients of input, weight and bias."""
    arrays, options = (grad_output, input, weight, bias), (normalized_shape, eps)
    remembered: Any = _layer_gradient_memo.call(arrays, options)
    if remembered is not None:
        dx, sums = remembered
        return (dx, *_of_remembered(sums, weight, bias))
    sweep, gradients = _grouped_gradients(
        grad_output, _layer(input, normalized_shape, weight, bias, eps)
    )
    _layer_gradient_memo.remember(arrays, options, sweep, gradients[0])
    return gradients


def _of_remembered(sums: AnyArray, weight: Any, bias: Any) -> tuple[Gradient, Gradient]:
    """Return the gradients of weight and bias that a layer has both of, or neither."""
    if weight is None or bias is None:
        return None, None
    return _of_parameters(sums, 1, weight.shape, [weight.dtype, bias.dtype])


def group_norm(
    input: object, num_groups: object, weight: object, bias: object, eps: object, out: Any
) -> AnyArray:
    """Normalise over groups of channels and space."""
    arrays, options = (input, weight, bias), (num_groups, eps)
    if out is None:
        remembered: AnyArray | None = _group_memo.call(arrays, options)
        if remembered is not None:
            return remembered
    sweep, y = _grouped_result(_group(input, num_groups, weight, bias, eps), out)
    _group_memo.remember(arrays, options, sweep, y)
    return y


def group_norm_gradients(
    grad_output: object,
    input: object,
    num_groups: object,
    weight: object,
    bias: object,
    eps: object,
) -> tuple[Gradient, ...]:
    """Return the gradients of input, weight and bias."""
    _, gradients = _grouped_gradients(grad_output, _group(input, num_groups, weight, bias, eps))
    return gradients
