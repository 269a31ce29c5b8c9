"""The linear layer, and a convolution as a matrix."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convx.reference.conv import conv_nd

__all__ = ["convolution_matrix", "linear"]


def linear(x: NDArray[Any], weight: NDArray[Any], bias: NDArray[Any] | None = None) -> NDArray[Any]:
    """Multiply the last axis by a matrix (outputs, inputs), and add the bias.

    Examples
    --------
    >>> linear(np.array([1, 2]), np.array([[3, 4], [5, 6]]), np.array([10, 20]))
    array([21, 37])
    """
    y: NDArray[Any] = (x[..., np.newaxis, :] * weight).sum(-1, dtype=np.result_type(x, weight))
    return y if bias is None else y + bias


def convolution_matrix(
    weight: NDArray[Any], sizes: Sequence[int], groups: int = 1, **options: Any
) -> NDArray[Any]:
    """Convolve every array that has a single 1: the results are the columns of the matrix.

    Examples
    --------
    >>> convolution_matrix(np.array([[[1, 2]]]), [3])
    array([[1, 2, 0],
           [0, 1, 2]])
    """
    shape = (weight.shape[1] * groups, *sizes)
    inputs = int(np.prod(shape))
    ones = np.eye(inputs, dtype=weight.dtype).reshape(inputs, *shape)
    return conv_nd(ones, weight, groups=groups, **options).reshape(inputs, -1).T
