"""Gradients of pooling to outputs of a given size, under the names of the functions."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import lp_pool as _lp_pool
from convx._ops import pool as _pool


def adaptive_max_pool1d(
    grad_output: object,
    input: object,
    output_size: object,
    return_indices: object = False,
    *,
    indices: object = None,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``adaptive_max_pool1d``: each output's goes to its maximum.

    Parameters
    ----------
    grad_output : array_like
        Gradient of the output, of its shape.
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item. In float16, float32 or
        float64.
    output_size : int or tuple of int
        Outputs along each axis; None keeps the input's size.
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
    convx.functional.adaptive_max_pool1d : The function.

    Examples
    --------
    >>> from convx import grad
    >>> grad.adaptive_max_pool1d([[1.0, 10.0]], [[1.0, 5.0, 2.0, 3.0]], 2)
    array([[ 0.,  1.,  0., 10.]])
    """
    return _pool.adaptive_max_pool_gradient(1, grad_output, input, output_size, indices, out)


def adaptive_max_pool2d(
    grad_output: object,
    input: object,
    output_size: object,
    return_indices: object = False,
    *,
    indices: object = None,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``adaptive_max_pool2d``: each output's goes to its maximum.

    Parameters, results and errors are those of :func:`adaptive_max_pool1d`, for inputs
    (N, C, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> x = np.arange(16.0).reshape(1, 4, 4)
    >>> grad.adaptive_max_pool2d([[[1.0]]], x, 1)[0, 3]
    array([0., 0., 0., 1.])
    """
    return _pool.adaptive_max_pool_gradient(2, grad_output, input, output_size, indices, out)


def adaptive_max_pool3d(
    grad_output: object,
    input: object,
    output_size: object,
    return_indices: object = False,
    *,
    indices: object = None,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``adaptive_max_pool3d``: each output's goes to its maximum.

    Parameters, results and errors are those of :func:`adaptive_max_pool1d`, for inputs
    (N, C, D, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> x = np.arange(8.0).reshape(1, 2, 2, 2)
    >>> grad.adaptive_max_pool3d([[[[3.0]]]], x, 1).ravel()
    array([0., 0., 0., 0., 0., 0., 0., 3.])
    """
    return _pool.adaptive_max_pool_gradient(3, grad_output, input, output_size, indices, out)


def adaptive_avg_pool1d(
    grad_output: object,
    input: object,
    output_size: object,
    *,
    activation: object = None,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``adaptive_avg_pool1d``: each output's is spread evenly over its window.

    Parameters
    ----------
    grad_output : array_like
        Gradient of the output, of its shape.
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item. In float16, float32 or
        float64.
    output_size : int or tuple of int
        Outputs along each axis; None keeps the input's size.
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
    convx.functional.adaptive_avg_pool1d : The function.

    Examples
    --------
    >>> from convx import grad
    >>> grad.adaptive_avg_pool1d([[2.0, 4.0]], [[1.0, 5.0, 3.0]], 2)
    array([[1., 3., 2.]])
    """
    return _pool.adaptive_avg_pool_gradient(1, grad_output, input, output_size, out, activation)


def adaptive_avg_pool2d(
    grad_output: object,
    input: object,
    output_size: object,
    *,
    activation: object = None,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``adaptive_avg_pool2d``: each output's is spread evenly over its window.

    Parameters, results and errors are those of :func:`adaptive_avg_pool1d`, for inputs
    (N, C, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.adaptive_avg_pool2d([[[4.0]]], np.zeros((1, 2, 2)), 1)
    array([[[1., 1.],
            [1., 1.]]])
    """
    return _pool.adaptive_avg_pool_gradient(2, grad_output, input, output_size, out, activation)


def adaptive_avg_pool3d(
    grad_output: object,
    input: object,
    output_size: object,
    *,
    activation: object = None,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``adaptive_avg_pool3d``: each output's is spread evenly over its window.

    Parameters, results and errors are those of :func:`adaptive_avg_pool1d`, for inputs
    (N, C, D, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.adaptive_avg_pool3d([[[[8.0]]]], np.zeros((1, 2, 2, 2)), 1).ravel()
    array([1., 1., 1., 1., 1., 1., 1., 1.])
    """
    return _pool.adaptive_avg_pool_gradient(3, grad_output, input, output_size, out, activation)


def global_max_pool(grad_output: object, input: object, *, out: object = None) -> NDArray[Any]:
    """Gradient of ``global_max_pool``.

    Parameters
    ----------
    grad_output : array_like
        Gradient of the output, of its shape.
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item. In float16, float32 or
        float64.
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
    convx.functional.global_max_pool : The function.

    Examples
    --------
    >>> from convx import grad
    >>> grad.global_max_pool([[[2.0]]], [[[1.0, 5.0, 3.0]]])
    array([[[0., 2., 0.]]])
    """
    return _pool.global_max_pool_gradient(grad_output, input, out)


def global_avg_pool(grad_output: object, input: object, *, out: object = None) -> NDArray[Any]:
    """Gradient of ``global_avg_pool``.

    Parameters
    ----------
    grad_output : array_like
        Gradient of the output, of its shape.
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item. In float16, float32 or
        float64.
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
    convx.functional.global_avg_pool : The function.

    Examples
    --------
    >>> from convx import grad
    >>> grad.global_avg_pool([[[3.0]]], [[[1.0, 5.0, 3.0]]])
    array([[[1., 1., 1.]]])
    """
    return _pool.global_avg_pool_gradient(grad_output, input, out)


def global_lp_pool(
    grad_output: object,
    input: object,
    norm_type: object = 2,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``global_lp_pool``.

    Parameters
    ----------
    grad_output : array_like
        Gradient of the output, of its shape.
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item. In float16, float32 or
        float64.
    norm_type : float, optional
        The power, 2 by default, as of :func:`.lp_pool1d`.
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
    convx.functional.global_lp_pool : The function.

    Examples
    --------
    >>> from convx import grad
    >>> grad.global_lp_pool([[[5.0]]], [[[3.0, -4.0, 0.0]]])
    array([[[ 3., -4.,  0.]]])
    """
    return _lp_pool.global_lp_pool_gradient(grad_output, input, norm_type, out)
