"""A convolution, a ReLU and averages, as one stage of training where that is possible."""

from typing import Any

import numpy as np

from convx._core._memo import Kept
from convx._core._stages import Stage
from convx._engine import arguments, dtypes, execution, stages
from convx._engine.dtypes import AnyArray
from convx._engine.threads import get_num_threads
from convx._ops import conv, pool, pool_tables
from convx._ops.correlation import of_conv, parse_options

AXES = 2
Given = tuple[object, ...]


def conv_relu_pool(
    input: object,
    weight: object,
    bias: object,
    output_size: object,
    given: Given,
    input_gradient: object,
) -> tuple[AnyArray, AnyArray]:
    """Return averages of what a ReLU leaves of a convolution, and what their gradient needs."""
    wanted = arguments.flag(input_gradient, "input_gradient")
    stage = _stage_of(input, weight, bias, output_size, given, wanted)
    result = stage.run(input, weight, bias) if stage else None
    if result is not None:
        return result
    sums = conv.conv(AXES, input, weight, bias, given)
    return pool.adaptive_avg_pool(AXES, sums, output_size, None, "relu"), sums


def conv_relu_pool_gradients(
    grad_output: Any,
    input: object,
    weight: object,
    bias: object,
    kept: Any,
    output_size: object,
    given: Given,
    input_gradient: object,
) -> conv.Gradients:
    """Return the gradients of input, weight and bias, that of the input only if it is wanted."""
    wanted = arguments.flag(input_gradient, "input_gradient")
    sums = np.asarray(kept)
    if sums.dtype == np.uint8:
        stage = _stage_of(input, weight, bias, output_size, given, wanted)
        if stage and _is_plain(grad_output, input) and stage.takes_kept(grad_output, sums):
            result: conv.Gradients | None = stage.gradients(grad_output, input, weight, bias, sums)
            if result is not None:
                return result
        sums = conv.conv(AXES, input, weight, bias, given)
    slopes = pool.adaptive_avg_pool_gradient(AXES, grad_output, sums, output_size, None, "relu")
    return conv.conv_gradients(AXES, slopes, input, weight, bias, given, wanted)


def _is_plain(array: Any, like: Any) -> bool:
    """Tell whether an array is plain, and of another's type."""
    return type(array) is np.ndarray and array.dtype is like.dtype and dtypes.is_plain(array)


def _stage_of(
    x: Any, w: Any, b: Any, output_size: object, given: Given, input_gradient: bool
) -> Stage | None:
    """Return the stage that computes a call, None if the arrays or sizes are not for one."""
    if not type(x) is type(w) is np.ndarray or not x.ndim == w.ndim == AXES + 2:
        return None
    if not (_is_plain(x, x) and _is_plain(w, x)) or execution.is_recording():
        return None
    if b is not None and not (_is_plain(b, x) and b.shape == w.shape[:1]):
        return None
    options = (output_size, given, input_gradient, get_num_threads())
    found: tuple[Stage | None] = _stage(x.shape, w.shape, x.dtype.char, *options)
    return found[0]


def _find_stage(
    in_shape: tuple[int, ...],
    weight_shape: tuple[int, ...],
    dtype: str,
    output_size: object,
    given: Given,
    input_gradient: bool,
    threads: int,
) -> tuple[Stage | None]:
    of = of_conv(in_shape, weight_shape, parse_options(weight_shape[2:], *given))
    windows = pool_tables.adaptive_means(of.output_shape, AXES, output_size)
    if not windows.pooling.takes_relu() or of.pads_by_index:
        return (None,)
    shapes = (of.input_shape, of.output_shape, of.weight_shape)
    return (stages.stage(of, *shapes, np.dtype(dtype), input_gradient),)


_stage = Kept(_find_stage, lambda _: True)
