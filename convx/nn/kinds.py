"""Kinds of convolution as layers, with weights that are learned; over two axes."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from convx import functional, grad
from convx.nn.initialization import bias_by_inputs, generator, per_axis, uniform_by_inputs
from convx.nn.module import Module, Parameter, Pullback


class _Chain(Module):
    """Convolutions one after the other; the last one has the bias."""

    function: ClassVar[str]
    bias: Parameter | None

    def __init__(self, stride: Any, padding: Any, dilation: Any, padding_mode: str) -> None:
        self.stride, self.padding, self.dilation = stride, padding, dilation
        self.padding_mode = padding_mode

    def weights(self) -> list[Any]:
        """Return the parameters in the order of the function, some of them in lists."""
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        """Return how the kernels slide, as the function takes it."""
        names = ("stride", "padding", "dilation", "padding_mode")
        return {name: getattr(self, name) for name in names}

    def vjp(self, x: Any, input_gradient: bool = True) -> tuple[Any, Pullback]:
        """Convolve, and return the pullback."""
        parameters = [*self.weights(), self.bias]
        arrays, options = [_data(one) for one in parameters], self.options()
        y = getattr(functional, self.function)(x, *arrays, **options)

        def pullback(dy: Any) -> Any:
            dx, *gradients = getattr(grad, self.function)(dy, x, *arrays, **options)
            _add(parameters, gradients)
            return dx

        return y, pullback

    def extra_repr(self) -> str:
        """Return the options."""
        return ", ".join(f"{name}={value!r}" for name, value in self.options().items())


def _data(parameter: Any) -> Any:
    """Return the arrays of parameters, in lists as they are; None where there is none."""
    if isinstance(parameter, list):
        return [_data(one) for one in parameter]
    return None if parameter is None else parameter.data


def _add(parameters: Any, gradients: Any) -> None:
    """Add gradients to the parameters in the same places."""
    for parameter, gradient in zip(parameters, gradients):
        if isinstance(parameter, list):
            _add(parameter, gradient)
        elif parameter is not None:
            parameter.add_grad(gradient)


class DepthwiseSeparableConv2d(_Chain):
    """Filters of single channels, then products over channels.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, dilation, bias, padding_mode
        As those of :class:`Conv2d`.
    depth_multiplier : int, default 1
        Filters of each channel.
    dtype, rng
        As those of :class:`Conv2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn
    >>> layer = nn.DepthwiseSeparableConv2d(3, 8, 3, padding=1, rng=0)
    >>> layer(np.ones((1, 3, 5, 5), np.float32)).shape
    (1, 8, 5, 5)
    >>> [(name, one.shape) for name, one in layer.named_parameters()]
    [('depthwise_weight', (3, 1, 3, 3)), ('pointwise_weight', (8, 3, 1, 1)), ('bias', (8,))]
    """

    function = "depthwise_separable_conv"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        depth_multiplier: int = 1,
        dtype: DTypeLike = np.float32,
        rng: object = None,
    ) -> None:
        super().__init__(stride, padding, dilation, padding_mode)
        source, between = generator(rng), in_channels * depth_multiplier
        size = per_axis(kernel_size, 2)
        self.depthwise_weight = uniform_by_inputs((between, 1, *size), source, dtype)
        self.pointwise_weight = uniform_by_inputs((out_channels, between, 1, 1), source, dtype)
        self.bias = bias_by_inputs(bias, out_channels, between, source, dtype)

    def weights(self) -> list[Any]:
        """Return the weights of both convolutions."""
        return [self.depthwise_weight, self.pointwise_weight]


class SpatiallySeparableConv2d(_Chain):
    """A convolution along each axis in turn: 3 + 3 taps, say, instead of 3 × 3.

    The first one, along the columns, mixes the channels; the second one, along the rows, filters
    each of its results by itself.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, dilation, bias, padding_mode
        As those of :class:`Conv2d`.
    dtype, rng
        As those of :class:`Conv2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn
    >>> layer = nn.SpatiallySeparableConv2d(3, 8, 3, padding=1, rng=0)
    >>> layer(np.ones((1, 3, 5, 5), np.float32)).shape
    (1, 8, 5, 5)
    >>> [(name, one.shape) for name, one in layer.named_parameters()]
    [('column_weight', (8, 3, 3)), ('row_weight', (8, 3)), ('bias', (8,))]
    """

    function = "spatially_separable_conv"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: DTypeLike = np.float32,
        rng: object = None,
    ) -> None:
        super().__init__(stride, padding, dilation, padding_mode)
        source, (high, wide) = generator(rng), per_axis(kernel_size, 2)
        self.column_weight = uniform_by_inputs((out_channels, in_channels, high), source, dtype)
        self.row_weight = uniform_by_inputs((out_channels, wide), source, dtype)
        self.bias = bias_by_inputs(bias, out_channels, wide, source, dtype)

    def weights(self) -> list[Any]:
        """Return the weights along both axes."""
        return [[self.column_weight, self.row_weight]]


class FlattenedConv2d(_Chain):
    """Products over channels, then a filter along each axis for every result by itself.

    Jin et al., "Flattened convolutional neural networks for feedforward acceleration", 2015.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, dilation, bias, padding_mode
        As those of :class:`Conv2d`.
    dtype, rng
        As those of :class:`Conv2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn
    >>> layer = nn.FlattenedConv2d(3, 8, 3, padding=1, bias=False, rng=0)
    >>> layer(np.ones((1, 3, 5, 5), np.float32)).shape
    (1, 8, 5, 5)
    >>> [(name, one.shape) for name, one in layer.named_parameters()]
    [('channel_weight', (8, 3)), ('column_weight', (8, 3)), ('row_weight', (8, 3))]
    """

    function = "flattened_conv"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: DTypeLike = np.float32,
        rng: object = None,
    ) -> None:
        super().__init__(stride, padding, dilation, padding_mode)
        source, (high, wide) = generator(rng), per_axis(kernel_size, 2)
        self.channel_weight = uniform_by_inputs((out_channels, in_channels), source, dtype)
        self.column_weight = uniform_by_inputs((out_channels, high), source, dtype)
        self.row_weight = uniform_by_inputs((out_channels, wide), source, dtype)
        self.bias = bias_by_inputs(bias, out_channels, wide, source, dtype)

    def weights(self) -> list[Any]:
        """Return the weights over channels, and those along both axes."""
        return [self.channel_weight, [self.column_weight, self.row_weight]]


class ShuffledGroupConv2d(_Chain):
    """A convolution in groups, a shuffle of channels, and products over channels in groups.

    Zhang et al., "ShuffleNet", 2018.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode
        As those of :class:`Conv2d`.
    channels_between : int, optional
        Channels between the two convolutions, as many as come out by default.
    dtype, rng
        As those of :class:`Conv2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn
    >>> layer = nn.ShuffledGroupConv2d(4, 8, 3, padding=1, groups=2, bias=False, rng=0)
    >>> layer(np.ones((1, 4, 5, 5), np.float32)).shape
    (1, 8, 5, 5)
    >>> [(name, one.shape) for name, one in layer.named_parameters()]
    [('first_weight', (8, 2, 3, 3)), ('second_weight', (8, 4, 1, 1))]
    """

    function = "shuffled_group_conv"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        channels_between: int | None = None,
        dtype: DTypeLike = np.float32,
        rng: object = None,
    ) -> None:
        super().__init__(stride, padding, dilation, padding_mode)
        self.groups, source = groups, generator(rng)
        between = out_channels if channels_between is None else channels_between
        first = (between, in_channels // groups, *per_axis(kernel_size, 2))
        second = (out_channels, between // groups, 1, 1)
        self.first_weight = uniform_by_inputs(first, source, dtype)
        self.second_weight = uniform_by_inputs(second, source, dtype)
        self.bias = bias_by_inputs(bias, out_channels, second[1], source, dtype)

    def weights(self) -> list[Any]:
        """Return the weights of both convolutions."""
        return [self.first_weight, self.second_weight]

    def options(self) -> dict[str, Any]:
        """Return how the kernels slide, and the groups."""
        return {**super().options(), "groups": self.groups}
