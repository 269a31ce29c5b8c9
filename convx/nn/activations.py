"""Activations as layers, with the arguments and defaults of :mod:`torch.nn`.

With ``inplace=True`` a call writes into its input, as in PyTorch; ``vjp`` does not, for the way
back needs the input.
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from convx import functional, grad
from convx.nn.function import FunctionLayer
from convx.nn.module import Module, Parameter, Pullback


class _Activation(FunctionLayer):
    """An activation, which may be asked to work in place."""

    def __init__(self, inplace: bool = False, **options: object) -> None:
        super().__init__(**options)
        self.inplace = inplace

    def extra_repr(self) -> str:
        told = super().extra_repr()
        if not self.inplace:
            return told
        return f"{told}, inplace=True" if told else "inplace=True"


class ReLU(_Activation):
    """Rectified linear unit, :func:`convx.functional.relu`."""

    function = "relu"


class ReLU6(_Activation):
    """Rectified linear unit that ends at 6, :func:`convx.functional.relu6`."""

    function = "relu6"


class SiLU(_Activation):
    """Sigmoid linear unit, :func:`convx.functional.silu`."""

    function = "silu"


class Mish(_Activation):
    """Self-regularised activation, :func:`convx.functional.mish`."""

    function = "mish"


class SELU(_Activation):
    """Scaled exponential linear unit, :func:`convx.functional.selu`."""

    function = "selu"


class Hardswish(_Activation):
    """Piecewise approximation of SiLU, :func:`convx.functional.hardswish`."""

    function = "hardswish"


class Hardsigmoid(_Activation):
    """Piecewise linear approximation of the sigmoid, :func:`convx.functional.hardsigmoid`."""

    function = "hardsigmoid"


class LeakyReLU(_Activation):
    """Rectified linear unit with a slope for negative numbers."""

    function = "leaky_relu"

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace, negative_slope=negative_slope)


class ELU(_Activation):
    """Exponential linear unit, :func:`convx.functional.elu`."""

    function = "elu"

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace, alpha=alpha)


class CELU(_Activation):
    """Continuously differentiable ELU, :func:`convx.functional.celu`."""

    function = "celu"

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace, alpha=alpha)


class Hardtanh(_Activation):
    """Bounds for every element, :func:`convx.functional.hardtanh`."""

    function = "hardtanh"

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace, min_val=min_val, max_val=max_val)


class GELU(FunctionLayer):
    """Gaussian error linear unit, :func:`convx.functional.gelu`."""

    function = "gelu"

    def __init__(self, approximate: str = "none") -> None:
        super().__init__(approximate=approximate)


class Softplus(FunctionLayer):
    """Smooth rectifier, :func:`convx.functional.softplus`."""

    function = "softplus"

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__(beta=beta, threshold=threshold)


class Sigmoid(FunctionLayer):
    """Logistic function, :func:`convx.functional.sigmoid`."""

    function = "sigmoid"


class LogSigmoid(FunctionLayer):
    """Logarithm of the sigmoid, :func:`convx.functional.logsigmoid`."""

    function = "logsigmoid"


class Tanh(FunctionLayer):
    """Hyperbolic tangent, :func:`convx.functional.tanh`."""

    function = "tanh"


class Softmax(FunctionLayer):
    """Exponentials along an axis over their sum, :func:`convx.functional.softmax`."""

    function = "softmax"

    def __init__(self, dim: int | None = None) -> None:
        super().__init__(dim=dim)


class LogSoftmax(Softmax):
    """Logarithm of the softmax, :func:`convx.functional.log_softmax`."""

    function = "log_softmax"


class Softmin(Softmax):
    """Softmax of the negatives, :func:`convx.functional.softmin`."""

    function = "softmin"


class Softmax2d(Softmax):
    """Softmax over the channels of images, the third axis from the end."""

    hidden = ("dim",)

    def __init__(self) -> None:
        super().__init__(dim=-3)


class RReLU(_Activation):
    """Leaky ReLU whose slopes are drawn in training, :func:`convx.functional.rrelu`.

    ``rng`` is what :func:`numpy.random.default_rng` takes.
    """

    function = "rrelu"

    def __init__(
        self,
        lower: float = 1 / 8,
        upper: float = 1 / 3,
        inplace: bool = False,
        *,
        rng: object = None,
    ) -> None:
        super().__init__(inplace, lower=lower, upper=upper)
        self.rng: Any = np.random.default_rng(rng)  # type: ignore[arg-type]

    def options(self) -> dict[str, Any]:
        """Return the options, with a seed that forward and backward pass both draw from."""
        seed = int(self.rng.integers(2**63)) if self.training else None
        return {**super().options(), "training": self.training, "rng": seed}


class PReLU(Module):
    """Leaky ReLU whose slopes are learned, one or one for each channel.

    Examples
    --------
    >>> from convx import nn
    >>> nn.PReLU()([[-4.0, 4.0]])
    array([[-1.,  4.]])
    """

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, *, dtype: DTypeLike = np.float32
    ) -> None:
        self.num_parameters = num_parameters
        self.weight = Parameter(np.full(num_parameters, init, dtype))

    def vjp(self, x: Any, input_gradient: bool = True) -> tuple[Any, Pullback]:
        """Scale negative elements."""
        weight = self.weight.data

        def pullback(dy: Any) -> Any:
            dx, dw = grad.prelu(dy, x, weight)
            self.weight.add_grad(dw)
            return dx

        return functional.prelu(x, weight), pullback

    def extra_repr(self) -> str:
        """Return the number of slopes."""
        return f"num_parameters={self.num_parameters}"


# What a prepared convolution can end with, and batch norm.
FUSED = (Hardswish, LeakyReLU, ReLU, ReLU6, Sigmoid, SiLU, Tanh)
