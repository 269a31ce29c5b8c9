"""Convolutions as layers, ordinary and transposed, over any number of axes."""

import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from convx import functional, grad
from convx.nn.initialization import bias_by_inputs, generator, per_axis, uniform_by_inputs
from convx.nn.module import Module, Pullback
from convx.nn.pooling import AdaptiveAvgPool2d


class Conv(Module):
    """Cross-correlation with weights that are learned; :class:`Conv2d` and others fix the axes.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of input and output.
    kernel_size, stride, padding, dilation, groups, padding_mode
        As those of :func:`convx.functional.conv_nd`.
    bias : bool, default True
        Whether a number is added to each output channel.
    dtype : dtype_like, default float32
        That of the parameters.
    rng : None, int, or Generator, optional
        What weights and bias are drawn with, evenly between ±1/√(channels of a group · taps).

    Attributes
    ----------
    weight : Parameter
        Shape (out_channels, in_channels / groups, *kernel_size).
    bias : Parameter or None
        Shape (out_channels,).

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn
    >>> layer = nn.Conv2d(3, 8, 3, padding=1, rng=0)
    >>> y, pullback = layer.vjp(np.ones((2, 3, 5, 5), np.float32))
    >>> y.shape, pullback(y).shape, layer.weight.grad.shape, layer.bias.grad.shape
    ((2, 8, 5, 5), (2, 3, 5, 5), (8, 3, 3, 3), (8,))
    """

    axes: ClassVar[int]
    transposed: ClassVar[bool] = False

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
        dtype: DTypeLike = np.float32,
        rng: object = None,
    ) -> None:
        functional.count_parameters(in_channels, out_channels, kernel_size, groups)  # checks them
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = per_axis(kernel_size, self.axes)
        self.stride = per_axis(stride, self.axes)
        self.padding = per_axis(padding, self.axes)
        self.dilation = per_axis(dilation, self.axes)
        self.output_padding: Any = (0,) * self.axes
        self.padding_mode = padding_mode
        channels = (out_channels, in_channels)[:: -1 if self.transposed else 1]
        shape = (channels[0], channels[1] // groups, *self.kernel_size)
        source = generator(rng)
        self.weight = uniform_by_inputs(shape, source, dtype)
        self.bias = bias_by_inputs(bias, out_channels, math.prod(shape[1:]), source, dtype)

    def arrays(self) -> tuple[Any, Any]:
        """Return weight and bias as arrays; None for a bias that is not there."""
        return self.weight.data, None if self.bias is None else self.bias.data

    def options(self) -> dict[str, Any]:
        """Return how the kernel slides, as the functions take it."""
        return {
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "groups": self.groups,
            "padding_mode": self.padding_mode,
        }

    def __call__(self, x: Any) -> Any:
        """Convolve."""
        return functional.conv_nd(x, *self.arrays(), **self.options())

    def vjp(
        self, x: Any, input_gradient: bool = True, *, averages: AdaptiveAvgPool2d | None = None
    ) -> tuple[Any, Pullback]:
        """Convolve, and return the pullback; perhaps of ``averages`` of what a ReLU leaves."""
        arrays, options = self.arrays(), self.options()
        if averages is None:
            y = functional.conv_nd(x, *arrays, **options)
            options["input_gradient"] = input_gradient
            return y, lambda dy: self._add(grad.conv_nd(dy, x, *arrays, **options))
        options |= {"input_gradient": input_gradient, **averages.options()}
        y, kept = functional.conv2d_relu_avg_pool(x, *arrays, **options)
        options["kept"] = kept
        return y, lambda dy: self._add(grad.conv2d_relu_avg_pool(dy, x, *arrays, **options))

    def _add(self, gradients: tuple[Any, Any, Any]) -> Any:
        """Add to the parameters' gradients, and return that of the input."""
        dx, dw, db = gradients
        self.weight.add_grad(dw)
        if self.bias is not None:
            self.bias.add_grad(db)
        return dx

    def extra_repr(self) -> str:
        """Return the arguments, those that slide only where they are not the default."""
        told = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"
        told += f", stride={self.stride}"
        for name, default in (
            ("padding", (0,) * self.axes),
            ("dilation", (1,) * self.axes),
            ("output_padding", (0,) * self.axes),
            ("groups", 1),
        ):
            if getattr(self, name) != default:
                told += f", {name}={getattr(self, name)}"
        told += "" if self.bias is not None else ", bias=False"
        return told + (
            "" if self.padding_mode == "zeros" else f", padding_mode={self.padding_mode}"
        )


class Conv1d(Conv):
    """Cross-correlation over one axis: :class:`Conv` for arrays (N, C, L) or (C, L)."""

    axes = 1


class Conv2d(Conv):
    """Cross-correlation over two axes: :class:`Conv` for arrays (N, C, H, W) or (C, H, W)."""

    axes = 2


class Conv3d(Conv):
    """Cross-correlation over three axes: :class:`Conv` for arrays (N, C, D, H, W)."""

    axes = 3


class ConvTranspose(Conv):
    """Transposed convolution with weights that are learned.

    The arguments are those of :class:`Conv`, in PyTorch's order, and ``output_padding``.

    Attributes
    ----------
    weight : Parameter
        Shape (in_channels, out_channels / groups, *kernel_size).
    bias : Parameter or None
        Shape (out_channels,).

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn
    >>> layer = nn.ConvTranspose2d(8, 3, 4, stride=2, padding=1, rng=0)
    >>> layer(np.ones((2, 8, 5, 5), np.float32)).shape
    (2, 3, 10, 10)
    >>> layer(np.ones((2, 8, 5, 5), np.float32), output_size=(11, 10)).shape
    (2, 3, 11, 10)
    """

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        *,
        dtype: DTypeLike = np.float32,
        rng: object = None,
    ) -> None:
        given = (in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)
        super().__init__(*given, padding_mode, dtype=dtype, rng=rng)
        self.output_padding = per_axis(output_padding, self.axes)

    def options(self, x: Any = None, output_size: Any = None) -> dict[str, Any]:
        """Return how the kernel slides, with what output padding gives an output of a size."""
        extra = self.output_padding
        if output_size is not None:
            least = functional.conv_output_size(
                np.shape(x)[-self.axes :],
                self.kernel_size,
                self.stride,
                self.padding,
                self.dilation,
                transposed=True,
            )
            wanted = per_axis(output_size, self.axes)[-self.axes :]
            extra = tuple(np.subtract(wanted, least).tolist())
        return {**super().options(), "output_padding": extra}

    def __call__(self, x: Any, output_size: Any = None) -> Any:
        """Convolve; ``output_size``, the spatial sizes of the output, sets the output padding."""
        return functional.conv_transpose_nd(x, *self.arrays(), **self.options(x, output_size))

    def vjp(  # type: ignore[override]
        self, x: Any, input_gradient: bool = True, *, output_size: Any = None
    ) -> tuple[Any, Pullback]:
        """Convolve, and return the pullback."""
        arrays, options = self.arrays(), self.options(x, output_size)
        y = functional.conv_transpose_nd(x, *arrays, **options)
        options["input_gradient"] = input_gradient
        return y, lambda dy: self._add(grad.conv_transpose_nd(dy, x, *arrays, **options))


class ConvTranspose1d(ConvTranspose):
    """Transposed convolution over one axis: :class:`ConvTranspose` for arrays (N, C, L)."""

    axes = 1


class ConvTranspose2d(ConvTranspose):
    """Transposed convolution over two axes: :class:`ConvTranspose` for arrays (N, C, H, W)."""

    axes = 2


class ConvTranspose3d(ConvTranspose):
    """Transposed convolution over three axes: :class:`ConvTranspose` for (N, C, D, H, W)."""

    axes = 3
