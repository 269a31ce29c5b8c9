"""Kinds of convolution that are made of several: fewer weights and operations than the full one.

They have no counterpart in :mod:`torch.nn.functional`; their options are those of
:func:`convx.functional.conv_nd`, and the rank is told by the weights.
"""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from convx._ops import kinds as _kinds
from convx._ops import separation as _separation


def depthwise_separable_conv(
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
    out: object = None,
) -> NDArray[Any]:
    """Filter every channel by itself, then mix the channels at each position.

    The same as :func:`conv_nd` with the weight ``sum over m of pointwise[k, m] * depthwise[m, t]``,
    where m runs over the filters of channel c: C·taps + K·C numbers instead of K·C·taps.

    Parameters
    ----------
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item.
    depthwise_weight : array_like
        Shape (M, 1, *kernel), M a multiple of C: filters ``c * M / C`` and following are those of
        channel c. Its spatial axes tell the rank.
    pointwise_weight : array_like
        Shape (K, M, 1, …), with as many spatial axes of size 1.
    bias : array_like, optional
        Shape (K,): added to the result.
    stride, padding, dilation, padding_mode : optional
        Of the depthwise convolution, as in :func:`conv_nd`.
    algorithm : {'auto', 'direct', 'winograd', 'fft', 'inner_product'}, optional
        Of both convolutions, as in :func:`conv_nd`.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Shape (N, K, *outputs), without N for a single item. Sizes and dtype are as in
        :func:`conv_nd`; float16 is rounded once, at the end.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As :func:`conv_nd`.

    See Also
    --------
    convx.grad.depthwise_separable_conv : Its gradients.

    References
    ----------
    Howard et al., MobileNets, 2017; Chollet, Xception, 2017.

    Examples
    --------
    Channels 0 and 1 are filtered by (1, 1) and (1, -1), then added:

    >>> from convx import functional as F
    >>> x = [[1.0, 2.0, 4.0], [5.0, 5.0, 8.0]]
    >>> F.depthwise_separable_conv(x, [[[1.0, 1.0]], [[1.0, -1.0]]], [[[1.0], [1.0]]])
    array([[3., 3.]])
    """
    given = (stride, padding, dilation, padding_mode, algorithm)
    return _kinds.depthwise_separable(
        given,
        input=input,
        depthwise_weight=depthwise_weight,
        pointwise_weight=pointwise_weight,
        bias=bias,
    ).apply(out)


def spatially_separable_conv(
    input: object,
    factors: Sequence[object],
    bias: object = None,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
    out: object = None,
) -> NDArray[Any]:
    """Convolve along one axis after another, by a kernel that is given as one factor for each.

    The same as :func:`conv_nd` with the outer product of the factors, but a k×k kernel takes 2·k
    products for each output instead of k². :func:`separate_kernel` finds the factors of a kernel.

    Parameters
    ----------
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item.
    factors : sequence of array_like
        One for each spatial axis, applied in their order. Of shape (taps,) it is the same for all
        channels; of (M, taps), M a multiple of C, it has filters for each channel by itself; of
        (K, C / groups, taps) it mixes channels, in as many groups as its second axis asks for. C is
        the number of channels that the factors before leave.
    bias : array_like, optional
        One number for each output channel: added to the result.
    stride, padding, dilation, padding_mode : optional
        As in :func:`conv_nd`; each factor gets those of its axis.
    algorithm : {'auto', 'direct', 'winograd', 'fft', 'inner_product'}, optional
        Of all convolutions, as in :func:`conv_nd`.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Shape (N, K, *outputs), without N for a single item; K is what the factors make of C. Sizes
        and dtype are as in :func:`conv_nd`; float16 is rounded once, at the end.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As :func:`conv_nd`; TypeError too if `factors` is an array instead of a sequence of them.

    See Also
    --------
    separate_kernel : The factors of a kernel.
    convx.grad.spatially_separable_conv : Its gradients.

    Examples
    --------
    Sobel's kernel smooths down the columns and takes a difference along the rows:

    >>> import numpy as np
    >>> from convx import functional as F
    >>> image = np.array([[[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]]])
    >>> F.spatially_separable_conv(image, ([1, 2, 1], [-1, 0, 1]))
    array([[[4, 4]]])
    """
    given = (stride, padding, dilation, padding_mode, algorithm)
    return _kinds.spatially_separable(given, factors, input=input, bias=bias).apply(out)


def flattened_conv(
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
    out: object = None,
) -> NDArray[Any]:
    """Convolve with filters that are products of one vector across channels and one for each axis.

    In two dimensions the same as :func:`conv_nd` with the weight ``channel_weight[k, c] *
    factors[0][k, i] * factors[1][k, j]``: C + 2·taps numbers for each filter instead of C·taps².

    Parameters
    ----------
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item.
    channel_weight : array_like
        Shape (K, C): applied first.
    factors : sequence of array_like
        One of shape (K, taps) for each spatial axis, applied in their order; what
        :func:`spatially_separable_conv` takes will do too.
    bias : array_like, optional
        Shape (K,): added to the result.
    stride, padding, dilation, padding_mode : optional
        As in :func:`conv_nd`; each factor gets those of its axis.
    algorithm : {'auto', 'direct', 'winograd', 'fft', 'inner_product'}, optional
        Of all convolutions, as in :func:`conv_nd`.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Shape (N, K, *outputs), without N for a single item. Sizes and dtype are as in
        :func:`conv_nd`; float16 is rounded once, at the end.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As :func:`spatially_separable_conv`.

    See Also
    --------
    convx.grad.flattened_conv : Its gradients.

    References
    ----------
    Jin, Dundar, Culurciello, Flattened Convolutional Neural Networks for Feedforward Acceleration,
    2014.

    Examples
    --------
    >>> from convx import functional as F
    >>> x = [[[1.0, 2.0], [3.0, 4.0]], [[10.0, 20.0], [30.0, 40.0]]]
    >>> F.flattened_conv(x, [[2.0, 1.0]], ([[1.0, -1.0]], [[1.0, 1.0]]))
    array([[[-48.]]])
    """
    given = (stride, padding, dilation, padding_mode, algorithm)
    return _kinds.flattened(
        given, factors, input=input, channel_weight=channel_weight, bias=bias
    ).apply(out)


def shuffled_group_conv(
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
    out: object = None,
) -> NDArray[Any]:
    """Convolve in groups, shuffle the channels, and convolve in groups again.

    One grouped convolution after another would never let the groups exchange anything. The shuffle
    deals every group of the first out to all groups of the second: channel ``i * (M / groups) + j``
    becomes channel ``j * groups + i``.

    Parameters
    ----------
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item.
    first_weight : array_like
        Shape (M, C / groups, *kernel).
    second_weight : array_like
        Shape (K, M / groups, *kernel), often with kernels of size 1. This convolution has stride 1,
        dilation 1 and the padding 'same', so that it keeps the size.
    bias : array_like, optional
        Shape (K,): added to the result.
    stride, padding, dilation : optional
        Of the first convolution, as in :func:`conv_nd`.
    groups : int, optional
        Of both convolutions; divides C, M and K.
    padding_mode, algorithm : optional
        Of both convolutions, as in :func:`conv_nd`.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Shape (N, K, *outputs), without N for a single item. Sizes and dtype are as in
        :func:`conv_nd`; float16 is rounded once, at the end.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As :func:`conv_nd`.

    See Also
    --------
    convx.grad.shuffled_group_conv : Its gradients.

    References
    ----------
    Zhang, Zhou, Lin, Sun, ShuffleNet, 2017.

    Examples
    --------
    Four channels in two groups; the second convolution adds what is in a group after the shuffle,
    channels 0 and 2, and channels 1 and 3:

    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = [[1.0], [2.0], [4.0], [8.0]]
    >>> same = np.tile(np.eye(2), (2, 1)).reshape(4, 2, 1)
    >>> F.shuffled_group_conv(x, same, np.ones((2, 2, 1)), groups=2)
    array([[ 5.],
           [10.]])
    """
    given = (stride, padding, dilation, padding_mode, algorithm)
    return _kinds.shuffled_group(
        given,
        groups,
        input=input,
        first_weight=first_weight,
        second_weight=second_weight,
        bias=bias,
    ).apply(out)


def separate_kernel(kernel: object, tol: object = None) -> tuple[NDArray[Any], ...]:
    """Take a kernel apart into one factor for each axis, whose outer product it is.

    Parameters
    ----------
    kernel : array_like
        Of any number of axes. Gaussian, box and Sobel kernels are separable; Laplace's is not.
    tol : float, optional
        How far the product may be off the kernel anywhere, relative to the kernel's largest
        element: by default 8 units of rounding of its dtype. With more, the factors are those of a
        kernel nearby.

    Returns
    -------
    tuple of ndarray
        A vector for each axis. The largest element (by its size; the first of equal ones) of each
        but the last is 1; scale and sign are in the last. They have the kernel's dtype, float64
        for integers.

    Raises
    ------
    TypeError
        If the kernel is of a dtype that is not computed, or `tol` is not a number.
    ValueError
        If there are no such factors within `tol`; the message tells how far the nearest product is
        off. ValueError too if the kernel is empty or not finite, or `tol` negative.

    See Also
    --------
    spatially_separable_conv : Convolution with such factors.

    Notes
    -----
    The direction of each factor is the left singular vector of the largest singular value of the
    kernel unfolded along that axis. A kernel is an outer product where all these unfoldings have
    rank 1.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    >>> rows, columns = F.separate_kernel(sobel)
    >>> rows.round(12), columns.round(12)
    (array([0.5, 1. , 0.5]), array([-2.,  0.,  2.]))
    >>> F.separate_kernel([[0, 1, 0], [1, -4, 1], [0, 1, 0]])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: kernel must be an outer product ...
    """
    return _separation.separate_kernel(kernel, tol)
