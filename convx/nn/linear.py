"""The linear layer, and changes of shape."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from convx import functional, grad
from convx.nn.initialization import bias_by_inputs, generator, uniform_by_inputs
from convx.nn.module import Module, Pullback


class Linear(Module):
    """Product of the last axis with a matrix that is learned: ``y = x Wᵀ + b``.

    Parameters
    ----------
    in_features, out_features : int
        Sizes of the last axis of input and output.
    bias : bool, default True
        Whether a number is added to each output.
    dtype : dtype_like, default float32
        That of the parameters.
    rng : None, int, or Generator, optional
        What weights and bias are drawn with, evenly between ±1/√in_features.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn
    >>> layer = nn.Linear(3, 2, rng=0)
    >>> layer(np.ones((5, 3), np.float32)).shape, layer.weight.shape
    ((5, 2), (2, 3))
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: DTypeLike = np.float32,
        rng: object = None,
    ) -> None:
        functional.count_parameters(in_features, out_features, 1)  # checks them
        self.in_features, self.out_features = in_features, out_features
        source = generator(rng)
        self.weight = uniform_by_inputs((out_features, in_features), source, dtype)
        self.bias = bias_by_inputs(bias, out_features, in_features, source, dtype)

    def vjp(self, x: Any, input_gradient: bool = True) -> tuple[Any, Pullback]:
        """Multiply, and return the pullback."""
        weight, bias = self.weight.data, None if self.bias is None else self.bias.data

        def pullback(dy: Any) -> Any:
            dx, dw, db = grad.linear(dy, x, weight, bias, input_gradient=input_gradient)
            self.weight.add_grad(dw)
            if self.bias is not None:
                self.bias.add_grad(db)
            return dx

        return functional.linear(x, weight, bias), pullback

    def extra_repr(self) -> str:
        """Return the sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Flatten(Module):
    """Several axes become one, by default all but the first.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn
    >>> nn.Flatten()(np.ones((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def vjp(self, x: Any, **_: Any) -> tuple[Any, Pullback]:
        """Return the array in its new shape."""
        x = np.asarray(x)
        shape, axes = x.shape, range(x.ndim)
        first, last = axes[self.start_dim], axes[self.end_dim]
        joined = (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])
        return x.reshape(joined), lambda dy: np.reshape(dy, shape)

    def extra_repr(self) -> str:
        """Return the axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """One axis becomes several; a size may be -1.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn
    >>> nn.Unflatten(1, (3, 4))(np.ones((2, 12))).shape
    (2, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def vjp(self, x: Any, **_: Any) -> tuple[Any, Pullback]:
        """Return the array in its new shape."""
        shape = np.shape(x)
        axis = range(len(shape))[self.dim]
        parted = (*shape[:axis], *self.unflattened_size, *shape[axis + 1 :])
        return np.reshape(x, parted), lambda dy: np.reshape(dy, shape)

    def extra_repr(self) -> str:
        """Return the axis and its sizes."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
