"""Gradients of the kinds of convolution that are made of several, by the chain rule.

What the convolutions before the last leave is computed again.
"""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from convx._ops import kinds as _kinds

Array = NDArray[Any]


def depthwise_separable_conv(
    grad_output: object,
    input: object,
    depthwise_weight: object,
    pointwise_weight: object,
    bias: object = None,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
) -> tuple[Array, Array, Array, Array | None]:
    """Gradients of :func:`convx.functional.depthwise_separable_conv`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input, depthwise_weight, pointwise_weight, bias
        The arrays that the function takes.
    stride, padding, dilation, padding_mode, algorithm
        Its options.

    Returns
    -------
    grad_input, grad_depthwise_weight, grad_pointwise_weight : ndarray
        Of the shapes of these arrays, in the dtype that NumPy promotes those of all arrays to.
    grad_bias : ndarray or None
        Of the shape of bias; None without one.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As the function; ValueError too if the shape of `grad_output` is not that of the output.

    Examples
    --------
    >>> from convx import grad
    >>> x, pointwise = [[1.0, 2.0, 4.0], [5.0, 5.0, 8.0]], [[[1.0], [1.0]]]
    >>> depthwise = [[[1.0, 1.0]], [[1.0, -1.0]]]
    >>> dx, dd, dp, db = grad.depthwise_separable_conv([[1.0, 1.0]], x, depthwise, pointwise)
    >>> dx
    array([[ 1.,  2.,  1.],
           [ 1.,  0., -1.]])
    >>> dd.tolist(), dp.tolist()
    ([[[3.0, 6.0]], [[10.0, 13.0]]], [[[9.0], [-3.0]]])
    """
    given = (stride, padding, dilation, padding_mode, algorithm)
    dx, (depthwise, pointwise), db = _kinds.depthwise_separable(
        given,
        grad_output=grad_output,
        input=input,
        depthwise_weight=depthwise_weight,
        pointwise_weight=pointwise_weight,
        bias=bias,
    ).gradients()
    return dx, depthwise, pointwise, db


def spatially_separable_conv(
    grad_output: object,
    input: object,
    factors: Sequence[object],
    bias: object = None,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
) -> tuple[Array, tuple[Array, ...], Array | None]:
    """Gradients of :func:`convx.functional.spatially_separable_conv`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input, factors, bias
        The arrays that the function takes.
    stride, padding, dilation, padding_mode, algorithm
        Its options.

    Returns
    -------
    grad_input : ndarray
        Of the shape of input, in the dtype that NumPy promotes those of all arrays to.
    grad_factors : tuple of ndarray
        Of the shape of each factor.
    grad_bias : ndarray or None
        Of the shape of bias; None without one.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As the function; ValueError too if the shape of `grad_output` is not that of the output.

    Examples
    --------
    >>> from convx import grad
    >>> x, factors = [[[1.0, 2.0], [3.0, 4.0]]], ([1.0, -1.0], [1.0, 10.0])
    >>> dx, (rows, columns), db = grad.spatially_separable_conv([[[1.0]]], x, factors)
    >>> dx
    array([[[  1.,  10.],
            [ -1., -10.]]])
    >>> rows, columns
    (array([21., 43.]), array([-2., -2.]))
    """
    given = (stride, padding, dilation, padding_mode, algorithm)
    chain = _kinds.spatially_separable(
        given, factors, grad_output=grad_output, input=input, bias=bias
    )
    dx, weights, db = chain.gradients()
    return dx, _kinds.factor_gradients(chain, weights), db


def flattened_conv(
    grad_output: object,
    input: object,
    channel_weight: object,
    factors: Sequence[object],
    bias: object = None,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
) -> tuple[Array, Array, tuple[Array, ...], Array | None]:
    """Gradients of :func:`convx.functional.flattened_conv`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input, channel_weight, factors, bias
        The arrays that the function takes.
    stride, padding, dilation, padding_mode, algorithm
        Its options.

    Returns
    -------
    grad_input, grad_channel_weight : ndarray
        Of the shapes of these arrays, in the dtype that NumPy promotes those of all arrays to.
    grad_factors : tuple of ndarray
        Of the shape of each factor.
    grad_bias : ndarray or None
        Of the shape of bias; None without one.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As the function; ValueError too if the shape of `grad_output` is not that of the output.

    Examples
    --------
    >>> from convx import grad
    >>> x, dy = [[1.0, 2.0], [10.0, 20.0]], [[1.0]]
    >>> dx, channels, (taps,), db = grad.flattened_conv(dy, x, [[2.0, 1.0]], ([[1.0, -1.0]],))
    >>> dx
    array([[ 2., -2.],
           [ 1., -1.]])
    >>> channels, taps
    (array([[ -1., -10.]]), array([[12., 24.]]))
    """
    given = (stride, padding, dilation, padding_mode, algorithm)
    chain = _kinds.flattened(
        given,
        factors,
        grad_output=grad_output,
        input=input,
        channel_weight=channel_weight,
        bias=bias,
    )
    dx, (across, *lines), db = chain.gradients()
    shape = chain.arrays["channel_weight"].shape
    return dx, across.reshape(shape), _kinds.factor_gradients(chain, lines), db


def shuffled_group_conv(
    grad_output: object,
    input: object,
    first_weight: object,
    second_weight: object,
    bias: object = None,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
) -> tuple[Array, Array, Array, Array | None]:
    """Gradients of :func:`convx.functional.shuffled_group_conv`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input, first_weight, second_weight, bias
        The arrays that the function takes.
    stride, padding, dilation, groups, padding_mode, algorithm
        Its options.

    Returns
    -------
    grad_input, grad_first_weight, grad_second_weight : ndarray
        Of the shapes of these arrays, in the dtype that NumPy promotes those of all arrays to.
    grad_bias : ndarray or None
        Of the shape of bias; None without one.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As the function; ValueError too if the shape of `grad_output` is not that of the output.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> x, same = [[1.0], [2.0], [4.0], [8.0]], np.tile(np.eye(2), (2, 1)).reshape(4, 2, 1)
    >>> dy, ones = [[1.0], [10.0]], np.ones((2, 2, 1))
    >>> dx, first, second, db = grad.shuffled_group_conv(dy, x, same, ones, groups=2)
    >>> dx.ravel()
    array([ 1., 10.,  1., 10.])
    >>> second.tolist()
    [[[1.0], [4.0]], [[20.0], [80.0]]]
    """
    given = (stride, padding, dilation, padding_mode, algorithm)
    dx, (first, second), db = _kinds.shuffled_group(
        given,
        groups,
        grad_output=grad_output,
        input=input,
        first_weight=first_weight,
        second_weight=second_weight,
        bias=bias,
    ).gradients()
    return dx, first, second, db
