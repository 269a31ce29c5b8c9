"""Gradients of unpooling, under the names of the functions."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import unpool as _unpool


def max_unpool1d(
    grad_output: object,
    input: object,
    indices: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    output_size: object = None,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``max_unpool1d``: what came to the place of each value.

    Parameters
    ----------
    grad_output : array_like
        Gradient of the output, of its shape.
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item. In float16, float32 or
        float64.
    indices : array_like of int
        Of the input's shape: where each value goes, in its plane of the output.
    kernel_size : int or tuple of int
        Samples of a window, for all axes or one for each.
    stride : int or tuple of int, optional
        Samples from one window to the next; ``kernel_size`` by default.
    padding : int or tuple of int, optional
        Samples that windows reached beyond each end, and that the output lacks.
    output_size : tuple of int, optional
        Sizes of the output, less than a stride from ``(size - 1) * stride - 2 * padding +
        kernel_size``; those of batch and channels may come before.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Gradient of the input, of its shape and dtype.

    Raises
    ------
    TypeError
        If the input is of another dtype, or an option of the wrong type.
    ValueError
        If an option is out of range, or shapes do not fit one another.
    MemoryError
        If the result is larger than the machine's memory.

    See Also
    --------
    convx.functional.max_unpool1d : The function.

    Notes
    -----
    Indices have none. Of several values at an index the others than the last have gradient 0, for
    they have no effect.

    Examples
    --------
    >>> from convx import grad
    >>> grad.max_unpool1d([[1.0, 2.0, 3.0, 4.0]], [[0.0, 0.0]], [[1, 3]], 2)
    array([[2., 4.]])
    """
    given = (kernel_size, stride, padding, output_size)
    return _unpool.max_unpool_gradient(1, grad_output, input, indices, given, out)


def max_unpool2d(
    grad_output: object,
    input: object,
    indices: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    output_size: object = None,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``max_unpool2d``: what came to the place of each value.

    Parameters, results and errors are those of :func:`max_unpool1d`, for inputs
    (N, C, H, W) or without N.

    Examples
    --------
    >>> from convx import grad
    >>> grad.max_unpool2d([[[1.0, 2.0], [3.0, 4.0]]], [[[0.0]]], [[[2]]], 2)
    array([[[3.]]])
    """
    given = (kernel_size, stride, padding, output_size)
    return _unpool.max_unpool_gradient(2, grad_output, input, indices, given, out)


def max_unpool3d(
    grad_output: object,
    input: object,
    indices: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    output_size: object = None,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``max_unpool3d``: what came to the place of each value.

    Parameters, results and errors are those of :func:`max_unpool1d`, for inputs
    (N, C, D, H, W) or without N.

    Examples
    --------
    >>> from convx import grad
    >>> grad.max_unpool3d([[[[1.0, 2.0]]]], [[[[0.0]]]], [[[[1]]]], (1, 1, 2))
    array([[[[2.]]]])
    """
    given = (kernel_size, stride, padding, output_size)
    return _unpool.max_unpool_gradient(3, grad_output, input, indices, given, out)


def avg_unpool1d(
    grad_output: object,
    input: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    output_size: object = None,
    count_include_pad: object = True,
    divisor_override: object = None,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``avg_unpool1d``: averages of its windows.

    Parameters
    ----------
    grad_output : array_like
        Gradient of the output, of its shape.
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item. In float16, float32 or
        float64.
    kernel_size : int or tuple of int
        Samples of a window, for all axes or one for each.
    stride : int or tuple of int, optional
        Samples from one window to the next; ``kernel_size`` by default.
    padding : int or tuple of int, optional
        Samples that windows reached beyond each end, and that the output lacks.
    output_size : tuple of int, optional
        Sizes of the output, less than a stride from ``(size - 1) * stride - 2 * padding +
        kernel_size``; those of batch and channels may come before.
    count_include_pad : bool, optional
        Whether averages are over the samples of padding too.
    divisor_override : int, optional
        What sums are divided by, instead of the number of samples.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Gradient of the input, of its shape and dtype.

    Raises
    ------
    TypeError
        If the input is of another dtype, or an option of the wrong type.
    ValueError
        If an option is out of range, or shapes do not fit one another.
    MemoryError
        If the result is larger than the machine's memory.

    See Also
    --------
    convx.functional.avg_unpool1d : The function.

    Examples
    --------
    >>> from convx import grad
    >>> grad.avg_unpool1d([[1.0, 3.0, 5.0, 7.0]], [[0.0, 0.0]], 2)
    array([[2., 6.]])
    """
    given = (kernel_size, stride, padding, output_size)
    divisor = (count_include_pad, divisor_override)
    return _unpool.avg_unpool_gradient(1, grad_output, input, given, divisor, out)


def avg_unpool2d(
    grad_output: object,
    input: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    output_size: object = None,
    count_include_pad: object = True,
    divisor_override: object = None,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``avg_unpool2d``: averages of its windows.

    Parameters, results and errors are those of :func:`avg_unpool1d`, for inputs
    (N, C, H, W) or without N.

    Examples
    --------
    >>> from convx import grad
    >>> grad.avg_unpool2d([[[1.0, 2.0], [3.0, 4.0]]], [[[0.0]]], 2)
    array([[[2.5]]])
    """
    given = (kernel_size, stride, padding, output_size)
    divisor = (count_include_pad, divisor_override)
    return _unpool.avg_unpool_gradient(2, grad_output, input, given, divisor, out)


def avg_unpool3d(
    grad_output: object,
    input: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    output_size: object = None,
    count_include_pad: object = True,
    divisor_override: object = None,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``avg_unpool3d``: averages of its windows.

    Parameters, results and errors are those of :func:`avg_unpool1d`, for inputs
    (N, C, D, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.avg_unpool3d(np.ones((1, 2, 2, 2)), [[[[0.0]]]], 2)
    array([[[[1.]]]])
    """
    given = (kernel_size, stride, padding, output_size)
    divisor = (count_include_pad, divisor_override)
    return _unpool.avg_unpool_gradient(3, grad_output, input, given, divisor, out)
