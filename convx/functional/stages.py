"""A convolution and what often follows it, as one stage of training."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import stages as _stages


def conv2d_relu_avg_pool(
    input: object,
    weight: object,
    bias: object,
    output_size: object,
    *,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: object = 1,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
    input_gradient: object = True,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Convolve over two axes, and average what a ReLU leaves, as a stage of training.

    The same as :func:`adaptive_avg_pool2d` of :func:`relu` of :func:`conv2d`. Batches of small
    planes, averaged over blocks of 2 by 2, take less time in one go, for what the convolution
    computes is not kept.

    Parameters
    ----------
    input, weight, bias, stride, padding, dilation, groups, padding_mode, algorithm
        The arguments of :func:`conv2d`.
    output_size : int or tuple of int
        Averages along each axis, as :func:`adaptive_avg_pool2d` takes it.
    input_gradient : bool, default True
        Whether the gradient of the input will be wanted.

    Returns
    -------
    averages : ndarray
        Shape (N, K, *outputs), without N for a single item.
    kept : ndarray
        What :func:`convx.grad.conv2d_relu_avg_pool` takes: the sums of the convolution, or bytes
        that tell which of them are positive.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As :func:`conv2d` and :func:`adaptive_avg_pool2d`.

    See Also
    --------
    convx.grad.conv2d_relu_avg_pool : Its gradients.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.array([[[1.0, -2.0], [3.0, 4.0]]])
    >>> averages, kept = F.conv2d_relu_avg_pool(x, np.ones((1, 1, 1, 1)), None, 1)
    >>> averages
    array([[[2.]]])
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _stages.conv_relu_pool(input, weight, bias, output_size, given, input_gradient)
