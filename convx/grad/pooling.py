"""Gradients of pooling with a kernel, under the names of the functions."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import lp_pool as _lp_pool
from convx._ops import pool as _pool


def max_pool1d(
    grad_output: object,
    input: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    dilation: object = 1,
    ceil_mode: object = False,
    return_indices: object = False,
    *,
    indices: object = None,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``max_pool1d``: each output's goes to its maximum.

    Parameters
    ----------
    grad_output : array_like
        Gradient of the output, of its shape.
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item. In float16, float32,
        float64 or integers but uint64.
    kernel_size : int or tuple of int
        Samples of a window, for all axes or one for each.
    stride : int or tuple of int, optional
        Samples from one window to the next; ``kernel_size`` by default.
    padding : int, tuple, 'same' or 'valid', optional
        Samples before and after each axis, as of :func:`convx.functional.conv_nd`, fewer than a
        window
        reaches over. It counts as minus infinity.
    dilation : int or tuple of int, optional
        Samples from one of a window to its next.
    ceil_mode : bool, optional
        Whether a last window counts that reaches beyond the padding, if it begins before it.
    return_indices : bool, optional
        Whether the function returned indices too, which have no gradient.
    indices : array_like of int, optional
        The indices of the maxima, if the function returned them: they are not looked for again.
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
    convx.functional.max_pool1d : The function.

    Notes
    -----
    Where windows overlap, gradients add up in the order of the outputs.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> x = np.array([[1.0, 5.0, 2.0, 3.0]])
    >>> grad.max_pool1d([[1.0, 10.0]], x, 2)
    array([[ 0.,  1.,  0., 10.]])
    """
    given = (kernel_size, stride, padding, dilation, ceil_mode)
    return _pool.max_pool_gradient(1, grad_output, input, given, indices, out)


def max_pool2d(
    grad_output: object,
    input: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    dilation: object = 1,
    ceil_mode: object = False,
    return_indices: object = False,
    *,
    indices: object = None,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``max_pool2d``: each output's goes to its maximum.

    Parameters, results and errors are those of :func:`max_pool1d`, for inputs
    (N, C, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> x = np.arange(16.0).reshape(1, 4, 4)
    >>> grad.max_pool2d(np.ones((1, 2, 2)), x, 2)
    array([[[0., 0., 0., 0.],
            [0., 1., 0., 1.],
            [0., 0., 0., 0.],
            [0., 1., 0., 1.]]])
    """
    given = (kernel_size, stride, padding, dilation, ceil_mode)
    return _pool.max_pool_gradient(2, grad_output, input, given, indices, out)


def max_pool3d(
    grad_output: object,
    input: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    dilation: object = 1,
    ceil_mode: object = False,
    return_indices: object = False,
    *,
    indices: object = None,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``max_pool3d``: each output's goes to its maximum.

    Parameters, results and errors are those of :func:`max_pool1d`, for inputs
    (N, C, D, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> x = np.arange(8.0).reshape(1, 2, 2, 2)
    >>> grad.max_pool3d([[[[3.0]]]], x, 2).ravel()
    array([0., 0., 0., 0., 0., 0., 0., 3.])
    """
    given = (kernel_size, stride, padding, dilation, ceil_mode)
    return _pool.max_pool_gradient(3, grad_output, input, given, indices, out)


def avg_pool1d(
    grad_output: object,
    input: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    ceil_mode: object = False,
    count_include_pad: object = True,
    divisor_override: object = None,
    *,
    activation: object = None,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``avg_pool1d``: each output's is spread evenly over its window.

    Parameters
    ----------
    grad_output : array_like
        Gradient of the output, of its shape.
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item. In float16, float32,
        float64 or integers but uint64.
    kernel_size : int or tuple of int
        Samples of a window, for all axes or one for each.
    stride : int or tuple of int, optional
        Samples from one window to the next; ``kernel_size`` by default.
    padding : int, tuple, 'same' or 'valid', optional
        Samples before and after each axis, as of :func:`convx.functional.conv_nd`, fewer than a
        window
        reaches over. It counts as zeros.
    ceil_mode : bool, optional
        Whether a last window counts that reaches beyond the padding, if it begins before it.
    count_include_pad : bool, optional
        Whether averages are over the samples of padding too.
    divisor_override : int, optional
        What sums are divided by, instead of the number of samples.
    activation : {'relu'}, optional
        What the input goes through before, in the same pass over windows of 2 by 2.
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
    convx.functional.avg_pool1d : The function.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.avg_pool1d([[2.0, 10.0]], np.zeros((1, 4)), 2)
    array([[1., 1., 5., 5.]])
    """
    given = (kernel_size, stride, padding, ceil_mode)
    divisor = (count_include_pad, divisor_override)
    return _pool.avg_pool_gradient(1, grad_output, input, given, divisor, out, activation)


def avg_pool2d(
    grad_output: object,
    input: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    ceil_mode: object = False,
    count_include_pad: object = True,
    divisor_override: object = None,
    *,
    activation: object = None,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``avg_pool2d``: each output's is spread evenly over its window.

    Parameters, results and errors are those of :func:`avg_pool1d`, for inputs
    (N, C, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.avg_pool2d([[[4.0]]], np.zeros((1, 2, 3)), 2)
    array([[[1., 1., 0.],
            [1., 1., 0.]]])
    """
    given = (kernel_size, stride, padding, ceil_mode)
    divisor = (count_include_pad, divisor_override)
    return _pool.avg_pool_gradient(2, grad_output, input, given, divisor, out, activation)


def avg_pool3d(
    grad_output: object,
    input: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    ceil_mode: object = False,
    count_include_pad: object = True,
    divisor_override: object = None,
    *,
    activation: object = None,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``avg_pool3d``: each output's is spread evenly over its window.

    Parameters, results and errors are those of :func:`avg_pool1d`, for inputs
    (N, C, D, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.avg_pool3d([[[[8.0]]]], np.zeros((1, 2, 2, 2)), 2).ravel()
    array([1., 1., 1., 1., 1., 1., 1., 1.])
    """
    given = (kernel_size, stride, padding, ceil_mode)
    divisor = (count_include_pad, divisor_override)
    return _pool.avg_pool_gradient(3, grad_output, input, given, divisor, out, activation)


def lp_pool1d(
    grad_output: object,
    input: object,
    norm_type: object,
    kernel_size: object,
    stride: object = None,
    ceil_mode: object = False,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``lp_pool1d``: values over the norm, to the power p - 1.

    Parameters
    ----------
    grad_output : array_like
        Gradient of the output, of its shape.
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item. In float16, float32 or
        float64.
    norm_type : float
        The power *p*, positive; infinity gives the greatest absolute value.
    kernel_size : int or tuple of int
        Samples of a window, for all axes or one for each.
    stride : int or tuple of int, optional
        Samples from one window to the next; ``kernel_size`` by default.
    ceil_mode : bool, optional
        Whether a last window counts that reaches beyond the padding, if it begins before it.
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
    convx.functional.lp_pool1d : The function.

    Notes
    -----
    It is 0 where the norm has no slope: at windows of zeros, and for *p* up to 1 at zeros.

    Examples
    --------
    >>> from convx import grad
    >>> grad.lp_pool1d([[5.0, 1.0]], [[3.0, -4.0, 0.0, 0.0]], 2, 2)
    array([[ 3., -4.,  0.,  0.]])
    """
    given = (kernel_size, stride, ceil_mode)
    return _lp_pool.lp_pool_gradient(1, grad_output, input, norm_type, given, out)


def lp_pool2d(
    grad_output: object,
    input: object,
    norm_type: object,
    kernel_size: object,
    stride: object = None,
    ceil_mode: object = False,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``lp_pool2d``: values over the norm, to the power p - 1.

    Parameters, results and errors are those of :func:`lp_pool1d`, for inputs
    (N, C, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.lp_pool2d([[[2.0]]], np.ones((1, 2, 2)), 2, 2)
    array([[[1., 1.],
            [1., 1.]]])
    """
    given = (kernel_size, stride, ceil_mode)
    return _lp_pool.lp_pool_gradient(2, grad_output, input, norm_type, given, out)


def lp_pool3d(
    grad_output: object,
    input: object,
    norm_type: object,
    kernel_size: object,
    stride: object = None,
    ceil_mode: object = False,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``lp_pool3d``: values over the norm, to the power p - 1.

    Parameters, results and errors are those of :func:`lp_pool1d`, for inputs
    (N, C, D, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.lp_pool3d([[[[1.0]]]], np.ones((1, 2, 2, 2)), 1, 2).ravel()
    array([1., 1., 1., 1., 1., 1., 1., 1.])
    """
    given = (kernel_size, stride, ceil_mode)
    return _lp_pool.lp_pool_gradient(3, grad_output, input, norm_type, given, out)
