"""Gradients of a convolution and what often follows it."""

from convx._ops import stages as _stages
from convx._ops.conv import Gradients


def conv2d_relu_avg_pool(
    grad_output: object,
    input: object,
    weight: object,
    bias: object,
    kept: object,
    output_size: object,
    *,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: object = 1,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
    input_gradient: object = True,
) -> Gradients:
    """Gradients of :func:`convx.functional.conv2d_relu_avg_pool`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the averages, of their shape.
    input, weight, bias, output_size
        The arguments of :func:`convx.functional.conv2d_relu_avg_pool`.
    kept : ndarray
        What that returned besides the averages.
    stride, padding, dilation, groups, padding_mode, algorithm
        Its options.
    input_gradient : bool, default True
        Whether the gradient of the input is wanted; else there is None in its place.

    Returns
    -------
    grad_input, grad_weight : ndarray
        Of the shapes of input and weight.
    grad_bias : ndarray or None
        Of the shape of bias; None without one.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As :func:`convx.functional.conv2d_relu_avg_pool`; ValueError too if the shape of
        `grad_output` is not that of the averages.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F, grad
    >>> x, weight = np.array([[[1.0, -2.0], [3.0, 4.0]]]), np.ones((1, 1, 1, 1))
    >>> averages, kept = F.conv2d_relu_avg_pool(x, weight, None, 1)
    >>> dx, dw, _ = grad.conv2d_relu_avg_pool([[[4.0]]], x, weight, None, kept, 1)
    >>> dx, dw
    (array([[[1., 0.],
            [1., 1.]]]), array([[[[8.]]]]))
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _stages.conv_relu_pool_gradients(
        grad_output, input, weight, bias, kept, output_size, given, input_gradient
    )
