"""Normalisations as layers, with the arguments, parameters and buffers of :mod:`torch.nn`."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from convx import functional, grad
from convx.nn.function import FunctionLayer
from convx.nn.module import AnyArray, Module, Parameter, Pullback


class _Normalization(Module):
    """What normalisations share: a weight and a bias for each of some features, or none."""

    weight: Parameter | None
    bias: Parameter | None

    def _scale(self, shape: Any, affine: bool, bias: bool, dtype: DTypeLike) -> None:
        self.weight = Parameter(np.ones(shape, dtype)) if affine else None
        self.bias = Parameter(np.zeros(shape, dtype)) if affine and bias else None

    def _arrays(self) -> tuple[AnyArray | None, AnyArray | None]:
        return (
            None if self.weight is None else self.weight.data,
            None if self.bias is None else self.bias.data,
        )

    def _add(self, dx: Any, *gradients: Any) -> Any:
        """Add to the parameters' gradients, which come last, and return that of the input."""
        for parameter, gradient in zip((self.weight, self.bias), gradients[-2:]):
            if parameter is not None:
                parameter.add_grad(gradient)
        return dx


class _ChannelNorm(_Normalization):
    """Normalisation of channels, with running statistics."""

    buffers_of = ("running_mean", "running_var", "num_batches_tracked")
    function: ClassVar[str]
    axes: ClassVar[tuple[int, ...]]  # numbers of axes that an input may have

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        dtype: DTypeLike,
        bias: bool,
    ) -> None:
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self._scale(num_features, affine, bias, dtype)
        tracked = track_running_stats
        self.running_mean = np.zeros(num_features, dtype) if tracked else None
        self.running_var = np.ones(num_features, dtype) if tracked else None
        self.num_batches_tracked = np.zeros((), np.int64) if tracked else None

    def vjp(self, x: Any, input_gradient: bool = True) -> tuple[Any, Pullback]:
        """Normalise, in training by the input's own statistics, and return the pullback."""
        given = self._given(np.ndim(x))
        y = getattr(functional, self.function)(x, *given)
        return y, lambda dy: self._add(*getattr(grad, self.function)(dy, x, *given))

    def _given(self, ndim: int) -> tuple[Any, ...]:
        """Return what the function takes besides the input, and count the batch."""
        if ndim not in self.axes:
            allowed = " or ".join(map(str, self.axes))
            raise ValueError(f"input must have {allowed} axes, got {ndim}")
        by_input = self.training or self.running_mean is None
        running = (self.running_mean, self.running_var)
        share = self._share() if self.training and self.running_mean is not None else 0.0
        if by_input and not self.training:
            running = (None, None)
        return (*running, *self._arrays(), by_input, share, self.eps)

    def _share(self) -> float:
        """Count the batch, and return what part it has in the running statistics."""
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        return 1 / int(self.num_batches_tracked) if self.momentum is None else self.momentum

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class BatchNorm(_ChannelNorm):
    """Normalisation of channels over batch and space."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: DTypeLike = np.float32,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype, bias)

    def vjp(
        self,
        x: Any,
        input_gradient: bool = True,
        *,
        activation: FunctionLayer | None = None,
        residual: Any = None,
    ) -> tuple[Any, Pullback]:
        """Normalise, add a residual, and apply an activation; the pullback is that of all.

        With a residual it returns the gradients of input and residual.
        """
        given = self._given(np.ndim(x))
        options = {} if activation is None else activation.options()
        options |= {"activation": activation and activation.function, "residual": residual}
        y, found = functional.batch_norm_activation(x, *given, **options)

        def pullback(dy: Any) -> Any:
            *gradients, dr = grad.batch_norm_activation(dy, x, *given, **options, statistics=found)
            dx = self._add(*gradients)
            return dx if residual is None else (dx, dr)

        return y, pullback


class BatchNorm1d(BatchNorm):
    """Normalisation of channels over the batch, for arrays (N, C) or (N, C, L)."""

    axes = (2, 3)


class BatchNorm2d(BatchNorm):
    """Normalisation of channels over the batch, for arrays (N, C, H, W).

    Ioffe and Szegedy, "Batch normalization", 2015; :func:`convx.functional.batch_norm`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn
    >>> layer = nn.BatchNorm2d(1)
    >>> layer(np.array([[[[1.0, 3.0]]]], np.float32)).round(3)
    array([[[[-1.,  1.]]]], dtype=float32)
    >>> layer.running_mean, layer.running_var, int(layer.num_batches_tracked)
    (array([0.2], dtype=float32), array([1.1], dtype=float32), 1)
    """

    axes = (4,)


class BatchNorm3d(BatchNorm):
    """Normalisation of channels over the batch, for arrays (N, C, D, H, W)."""

    axes = (5,)


class InstanceNorm(_ChannelNorm):
    """Normalisation of each channel of each item over space."""

    function = "instance_norm"

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        dtype: DTypeLike = np.float32,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype, bias)

    def _share(self) -> float:
        assert self.momentum is not None
        return self.momentum

    def vjp(self, x: Any, input_gradient: bool = True) -> tuple[Any, Pullback]:
        """Normalise, an item without a batch too."""
        if np.ndim(x) != self.axes[0]:
            return super().vjp(x, input_gradient)
        y, pullback = super().vjp(x[None])
        return y[0], lambda dy: pullback(dy[None])[0]


class InstanceNorm1d(InstanceNorm):
    """Normalisation of each channel of each item, for arrays (N, C, L) or (C, L)."""

    axes = (2, 3)


class InstanceNorm2d(InstanceNorm):
    """Normalisation of each channel of each item, for arrays (N, C, H, W) or (C, H, W).

    Ulyanov et al., "Instance normalization", 2016; :func:`convx.functional.instance_norm`.
    """

    axes = (3, 4)


class InstanceNorm3d(InstanceNorm):
    """Normalisation of each channel of each item, for arrays (N, C, D, H, W) or (C, D, H, W)."""

    axes = (4, 5)


class LayerNorm(_Normalization):
    """Normalisation of each item over its last axes, :func:`convx.functional.layer_norm`.

    Ba et al., "Layer normalization", 2016.
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: DTypeLike = np.float32,
    ) -> None:
        is_number = isinstance(normalized_shape, int)
        self.normalized_shape = (normalized_shape,) if is_number else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._scale(self.normalized_shape, elementwise_affine, bias, dtype)

    def vjp(self, x: Any, input_gradient: bool = True) -> tuple[Any, Pullback]:
        """Normalise, and return the pullback."""
        given = (self.normalized_shape, *self._arrays(), self.eps)
        y = functional.layer_norm(x, *given)
        return y, lambda dy: self._add(*grad.layer_norm(dy, x, *given))

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class GroupNorm(_Normalization):
    """Normalisation of groups of channels of each item, :func:`convx.functional.group_norm`.

    Wu and He, "Group normalization", 2018.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        dtype: DTypeLike = np.float32,
        bias: bool = True,
    ) -> None:
        if num_channels % num_groups:
            raise ValueError(f"num_channels must be divisible by {num_groups}, got {num_channels}")
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        self._scale(num_channels, affine, bias, dtype)

    def vjp(self, x: Any, input_gradient: bool = True) -> tuple[Any, Pullback]:
        """Normalise, and return the pullback."""
        given = (self.num_groups, *self._arrays(), self.eps)
        y = functional.group_norm(x, *given)
        return y, lambda dy: self._add(*grad.group_norm(dy, x, *given))

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(FunctionLayer):
    """Division by neighbouring channels' power, :func:`convx.functional.local_response_norm`."""

    function = "local_response_norm"

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__(size=size, alpha=alpha, beta=beta, k=k)

    def extra_repr(self) -> str:
        """Return the arguments, the first without its name."""
        return super().extra_repr().removeprefix("size=")
