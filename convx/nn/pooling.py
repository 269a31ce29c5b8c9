"""Pools and unpooling as layers, with the arguments and defaults of :mod:`torch.nn`.

One class for each kind; the thin ones below it name the function of their number of axes.
"""

from typing import Any

from convx import functional, grad
from convx.nn.activations import ReLU
from convx.nn.function import FunctionLayer
from convx.nn.initialization import generator, per_axis
from convx.nn.module import Pullback


class _MaxPool(FunctionLayer):
    """Maxima of windows. With ``return_indices`` a call gives a pair, maxima and their indices."""

    hidden = ("return_indices",)

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            stride=kernel_size if stride is None else stride,
            padding=padding,
            dilation=dilation,
            ceil_mode=ceil_mode,
            return_indices=return_indices,
        )


class MaxPool1d(_MaxPool):
    """Maxima of windows, :func:`convx.functional.max_pool1d`."""

    function = "max_pool1d"


class MaxPool2d(_MaxPool):
    """Maxima of windows, :func:`convx.functional.max_pool2d`.

    Examples
    --------
    >>> from convx import nn
    >>> nn.MaxPool2d(2)([[[1.0, 2.0], [4.0, 3.0]]])
    array([[[4.]]])
    """

    function = "max_pool2d"


class MaxPool3d(_MaxPool):
    """Maxima of windows, :func:`convx.functional.max_pool3d`."""

    function = "max_pool3d"


class AveragePool(FunctionLayer):
    """Averages, which may be computed together with a ReLU before them."""

    def vjp(self, x: Any, *, before: ReLU | None = None, **_: Any) -> tuple[Any, Pullback]:
        """Return averages of the input, or of what goes ``before``, and the pullback of all."""
        options = self.options()
        if before is not None:
            options["activation"] = before.function
        y = getattr(functional, self.function)(x, **options)
        return y, lambda dy: getattr(grad, self.function)(dy, x, **options)


class AvgPool1d(AveragePool):
    """Averages of windows, :func:`convx.functional.avg_pool1d`."""

    function = "avg_pool1d"
    hidden = ("ceil_mode", "count_include_pad")

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(
            kernel_size=per_axis(kernel_size, 1),
            stride=per_axis(kernel_size if stride is None else stride, 1),
            padding=per_axis(padding, 1),
            ceil_mode=ceil_mode,
            count_include_pad=count_include_pad,
        )


class _AvgPool(AveragePool):
    """Averages of windows, with a divisor that may be given."""

    hidden = ("ceil_mode", "count_include_pad", "divisor_override")

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            stride=kernel_size if stride is None else stride,
            padding=padding,
            ceil_mode=ceil_mode,
            count_include_pad=count_include_pad,
            divisor_override=divisor_override,
        )


class AvgPool2d(_AvgPool):
    """Averages of windows, :func:`convx.functional.avg_pool2d`."""

    function = "avg_pool2d"


class AvgPool3d(_AvgPool):
    """Averages of windows, :func:`convx.functional.avg_pool3d`."""

    function = "avg_pool3d"


class _LPPool(FunctionLayer):
    """Norms of windows."""

    def __init__(
        self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
    ) -> None:
        super().__init__(
            norm_type=norm_type, kernel_size=kernel_size, stride=stride, ceil_mode=ceil_mode
        )


class LPPool1d(_LPPool):
    """Norms of windows, :func:`convx.functional.lp_pool1d`."""

    function = "lp_pool1d"


class LPPool2d(_LPPool):
    """Norms of windows, :func:`convx.functional.lp_pool2d`."""

    function = "lp_pool2d"


class LPPool3d(_LPPool):
    """Norms of windows, :func:`convx.functional.lp_pool3d`."""

    function = "lp_pool3d"


class _AdaptiveAvgPool(AveragePool):
    """Averages of windows that share out each axis."""

    def __init__(self, output_size: Any) -> None:
        super().__init__(output_size=output_size)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """Averages of windows that share out an axis, :func:`convx.functional.adaptive_avg_pool1d`."""

    function = "adaptive_avg_pool1d"


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Averages of windows that share out each axis.

    Examples
    --------
    >>> from convx import nn
    >>> nn.AdaptiveAvgPool2d(1)([[[1.0, 2.0], [4.0, 3.0]]])
    array([[[2.5]]])
    """

    function = "adaptive_avg_pool2d"


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """Averages of windows that share out the axes, :func:`convx.functional.adaptive_avg_pool3d`."""

    function = "adaptive_avg_pool3d"


class _AdaptiveMaxPool(FunctionLayer):
    """Maxima of windows that share out each axis, and their indices if these are wanted."""

    hidden = ("return_indices",)

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size=output_size, return_indices=return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """Maxima of windows that share out an axis, :func:`convx.functional.adaptive_max_pool1d`."""

    function = "adaptive_max_pool1d"


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """Maxima of windows that share out both axes, :func:`convx.functional.adaptive_max_pool2d`."""

    function = "adaptive_max_pool2d"


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """Maxima of windows that share out the axes, :func:`convx.functional.adaptive_max_pool3d`."""

    function = "adaptive_max_pool3d"


class _FractionalMaxPool(FunctionLayer):
    """Maxima of windows whose places are drawn, Graham, "Fractional max-pooling", 2014.

    ``rng`` is what :func:`numpy.random.default_rng` takes.
    """

    def __init__(
        self,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        *,
        rng: object = None,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            output_size=output_size,
            output_ratio=output_ratio,
            return_indices=return_indices,
        )
        self.rng = generator(rng)

    def options(self) -> dict[str, Any]:
        """Return the options, with a seed that forward and backward pass both draw from."""
        return {**super().options(), "rng": int(self.rng.integers(2**63))}

    def extra_repr(self) -> str:
        """Return nothing, as PyTorch does."""
        return ""


class FractionalMaxPool2d(_FractionalMaxPool):
    """Maxima of windows whose places are drawn, :func:`convx.functional.fractional_max_pool2d`."""

    function = "fractional_max_pool2d"


class FractionalMaxPool3d(_FractionalMaxPool):
    """Maxima of windows whose places are drawn, :func:`convx.functional.fractional_max_pool3d`."""

    function = "fractional_max_pool3d"


class _StochasticPool(FunctionLayer):
    """One element of each window, drawn in proportion to its size; its mean in use.

    Zeiler and Fergus, "Stochastic pooling", 2013. ``rng`` is what
    :func:`numpy.random.default_rng` takes.
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        *,
        rng: object = None,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            stride=kernel_size if stride is None else stride,
            padding=padding,
            dilation=dilation,
            ceil_mode=ceil_mode,
        )
        self.rng = generator(rng)

    def options(self) -> dict[str, Any]:
        """Return the options, with a seed that forward and backward pass both draw from."""
        seed = int(self.rng.integers(2**63)) if self.training else None
        return {**super().options(), "training": self.training, "rng": seed}


class StochasticPool1d(_StochasticPool):
    """An element of each window, drawn by its size, :func:`convx.functional.stochastic_pool1d`."""

    function = "stochastic_pool1d"


class StochasticPool2d(_StochasticPool):
    """An element of each window, drawn by its size, :func:`convx.functional.stochastic_pool2d`."""

    function = "stochastic_pool2d"


class StochasticPool3d(_StochasticPool):
    """An element of each window, drawn by its size, :func:`convx.functional.stochastic_pool3d`."""

    function = "stochastic_pool3d"


class _MaxUnpool(FunctionLayer):
    """Maxima put back where they came from, ``layer(x, indices, output_size=None)``."""

    axes: int

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__(
            kernel_size=per_axis(kernel_size, self.axes),
            stride=per_axis(kernel_size if stride is None else stride, self.axes),
            padding=per_axis(padding, self.axes),
        )

    def __call__(self, x: Any, indices: Any, output_size: Any = None) -> Any:
        """Put every maximum at its index."""
        return self.vjp(x, indices, output_size)[0]

    def vjp(self, x: Any, indices: Any, output_size: Any = None, **_: Any) -> tuple[Any, Pullback]:
        """Put every maximum at its index, and return the pullback."""
        options = {**self.options(), "output_size": output_size}
        y = getattr(functional, self.function)(x, indices, **options)
        return y, lambda dy: getattr(grad, self.function)(dy, x, indices, **options)


class MaxUnpool1d(_MaxUnpool):
    """Maxima put back where they came from, :func:`convx.functional.max_unpool1d`."""

    function = "max_unpool1d"
    axes = 1


class MaxUnpool2d(_MaxUnpool):
    """Maxima put back where they came from, :func:`convx.functional.max_unpool2d`."""

    function = "max_unpool2d"
    axes = 2


class MaxUnpool3d(_MaxUnpool):
    """Maxima put back where they came from, :func:`convx.functional.max_unpool3d`."""

    function = "max_unpool3d"
    axes = 3
