"""Kinds of convolution that are chains: forward step by step, backward by the chain rule.

A kind says what its steps are. Each step is one convolution of the engine, before which the
channels may be shuffled; the last one has the bias.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from convx._engine import arguments, dtypes
from convx._engine.dtypes import AnyArray
from convx._ops import conv as _conv

# What a kind is given besides arrays: stride, padding, dilation, padding mode, algorithm.
Given = tuple[object, object, object, object, object]


@dataclass(frozen=True, slots=True)
class Step:
    """A convolution of a chain.

    ``given`` are its options, as convolutions take them. Before it, the channels are dealt into
    ``dealt`` groups and taken up again, one from each group in turn.
    """

    weight: AnyArray
    given: tuple[object, ...]
    dealt: int = 1

    def shuffle(self, x: AnyArray) -> AnyArray:
        """Return an array with its channels shuffled."""
        return self._transpose(x, self.dealt)

    def unshuffle(self, x: AnyArray) -> AnyArray:
        """Undo the shuffle, which is also its adjoint."""
        return self._transpose(x, x.shape[self._channel_axis(x)] // self.dealt)

    def _transpose(self, x: AnyArray, rows: int) -> AnyArray:
        """Take the channels for a matrix of so many rows, and put the transpose in their place."""
        axis = self._channel_axis(x)
        matrix = (*x.shape[:axis], rows, x.shape[axis] // rows, *x.shape[axis + 1 :])
        return x.reshape(matrix).swapaxes(axis, axis + 1).reshape(x.shape)

    def _channel_axis(self, x: AnyArray) -> int:
        """The axis before the spatial ones; the batch may be left out."""
        return x.ndim - self.weight.ndim + 1


@dataclass(frozen=True, slots=True)
class Chain:
    """The steps of one kind, with operands of one type, and the type of the results."""

    arrays: dict[str, AnyArray]
    steps: Sequence[Step]
    dtype: np.dtype[Any]

    def apply(self, out: object) -> AnyArray:
        """Return the result of the last step."""
        (x,) = deque(self._inputs(), maxlen=1)  # the others are not kept
        step, bias = self.steps[-1], self.arrays["bias"]
        if out is None or x.dtype == self.dtype:
            result = _conv.conv(None, x, step.weight, bias, step.given, out)
            return result.astype(self.dtype, copy=False)
        result = _conv.conv(None, x, step.weight, bias, step.given)
        target = arguments.check_out(out, result.shape, self.dtype)
        target[...] = result
        return target

    def gradients(self) -> tuple[AnyArray, list[AnyArray], AnyArray | None]:
        """Gradients of the input, the weights of all steps, and the bias."""
        dy = self.arrays["grad_output"]
        bias: AnyArray | None = self.arrays["bias"]
        grad_bias, grad_weights = None, []
        for step, x in zip(reversed(self.steps), reversed(list(self._inputs()))):
            dy, dw, db = _conv.conv_gradients(None, dy, x, step.weight, bias, step.given)
            dy = step.unshuffle(dy)
            grad_weights.append(dw.astype(self.dtype, copy=False))
            if db is not None:
                grad_bias, bias = db.astype(self.dtype, copy=False), None
        return dy.astype(self.dtype, copy=False), grad_weights[::-1], grad_bias

    def _inputs(self) -> Iterator[AnyArray]:
        """What each step convolves."""
        x = self.arrays["input"]
        yield x
        for step, following in pairwise(self.steps):
            x = following.shuffle(_conv.conv(None, x, step.weight, None, step.given))
            yield x


# The kinds. Their arrays have the names of the arguments; with "grad_output" among them, there are
# gradients.


def depthwise_separable(given: Given, **given_arrays: object) -> Chain:
    """Filters for each channel by itself, then a product over the channels."""
    arrays, dtype = _operands(given_arrays)
    depthwise, pointwise = arrays["depthwise_weight"], arrays["pointwise_weight"]
    axes = arguments.spatial_axes(None, depthwise.ndim, "depthwise_weight")
    channels = _channels(arrays["input"], axes)
    arguments.check_depthwise(depthwise.shape, channels)
    arguments.check_pointwise(pointwise.shape, len(depthwise), axes)
    stride, padding, dilation, padding_mode, algorithm = given
    options = (stride, padding, dilation, channels, padding_mode, algorithm)
    steps = [Step(depthwise, options), Step(pointwise, _in_place(given))]
    return Chain(arrays, steps, dtype)


def spatially_separable(given: Given, factors: object, **given_arrays: object) -> Chain:
    """A convolution along each axis in turn."""
    named = arguments.factors(factors)
    arrays, dtype = _operands(given_arrays | named)
    channels = _channels(arrays["input"], len(named))
    return Chain(arrays, _lines(given, {name: arrays[name] for name in named}, channels), dtype)


def flattened(given: Given, factors: object, **given_arrays: object) -> Chain:
    """A product over the channels, then a convolution along each axis in turn."""
    named = arguments.factors(factors)
    arrays, dtype = _operands(given_arrays | named)
    weight = arrays["channel_weight"]
    arguments.check_channel_weight(weight.shape, _channels(arrays["input"], len(named)))
    first = Step(weight.reshape(*weight.shape, *(1 for _ in named)), _in_place(given))
    lines = _lines(given, {name: arrays[name] for name in named}, len(weight))
    return Chain(arrays, [first, *lines], dtype)


def shuffled_group(given: Given, groups: object, **given_arrays: object) -> Chain:
    """A convolution in groups, a shuffle of its channels, and another one in groups."""
    arrays, dtype = _operands(given_arrays)
    first, second = arrays["first_weight"], arrays["second_weight"]
    axes = arguments.spatial_axes(None, first.ndim, "first_weight")
    arguments.spatial_axes(axes, second.ndim, "second_weight")
    channels, between = _channels(arrays["input"], axes), len(first)
    number = arguments.check_groups(
        groups, input_channels=channels, channels_between=between, output_channels=len(second)
    )
    for name, count in (("first_weight", channels), ("second_weight", between)):
        why = f"{count} channels in {number} groups"
        arguments.check_channels(arrays[name].shape, 1, count // number, why, name)
    stride, padding, dilation, padding_mode, algorithm = given
    steps = [
        Step(first, (stride, padding, dilation, number, padding_mode, algorithm)),
        Step(second, (1, "same", 1, number, padding_mode, algorithm), dealt=number),
    ]
    return Chain(arrays, steps, dtype)


def factor_gradients(chain: Chain, grad_weights: Sequence[AnyArray]) -> tuple[AnyArray, ...]:
    """Return the gradients of factors, in their shapes, from those of the weights made of them."""
    gradients = []
    for axis, grad_weight in enumerate(grad_weights):
        shape = chain.arrays[f"factors[{axis}]"].shape
        if len(shape) == 1:  # all channels share it
            grad_weight = grad_weight.sum(axis=0, dtype=grad_weight.dtype)
        gradients.append(grad_weight.reshape(shape))
    return tuple(gradients)


def _operands(given: dict[str, object]) -> tuple[dict[str, AnyArray], np.dtype[Any]]:
    arrays, dtype = dtypes.operands(**given)
    return dict(zip(given, arrays)), dtype


def _channels(x: AnyArray, axes: int) -> int:
    arguments.check_batched(x.ndim, axes, "input")
    return int(x.shape[-axes - 1])


def _in_place(given: Given) -> tuple[object, ...]:
    """Options of a step that mixes channels and leaves the positions as they are."""
    *_, algorithm = given
    return (1, 0, 1, 1, "zeros", algorithm)


def _lines(given: Given, factors: dict[str, AnyArray], channels: int) -> list[Step]:
    """Steps along one axis each, from the first axis on."""
    for name, factor in factors.items():
        arguments.check_factor_axes(factor.ndim, name)
    axes, taps = len(factors), [factor.shape[-1] for factor in factors.values()]
    stride, padding, dilation, padding_mode, algorithm = given
    strides = arguments.per_axis(stride, axes, "stride", 1)
    dilations = arguments.per_axis(dilation, axes, "dilation", 1)
    pads = arguments.pads(padding, taps, dilations)
    steps = []
    for axis, (name, factor) in enumerate(factors.items()):
        weight = _as_weight(factor, channels)
        groups = arguments.check_factor(weight.shape, channels, name)
        along = partial(_along, axis, axes)
        options = (
            along(strides[axis], 1),
            along(pads[axis], (0, 0)),
            along(dilations[axis], 1),
            groups,
            padding_mode,
            algorithm,
        )
        steps.append(Step(weight.reshape(*weight.shape[:2], *along(taps[axis], 1)), options))
        channels = len(weight)
    return steps


def _along(axis: int, axes: int, value: Any, elsewhere: Any) -> tuple[Any, ...]:
    """Return a value for one axis, and another one for the others."""
    return (*[elsewhere] * axis, value, *[elsewhere] * (axes - axis - 1))


def _as_weight(factor: AnyArray, channels: int) -> AnyArray:
    """Return a factor as weights (filters, channels of a group, taps)."""
    if factor.ndim == 1:
        return np.broadcast_to(factor, (channels, 1, len(factor)))
    return factor if factor.ndim == 3 else factor[:, None]
