"""Pooling to outputs of a given size, as in :mod:`torch.nn.functional`."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import lp_pool as _lp_pool
from convx._ops import pool as _pool

# Outputs, or outputs and indices.
Pooled = NDArray[Any] | tuple[NDArray[Any], NDArray[Any]]


def adaptive_max_pool1d(
    input: object,
    output_size: object,
    return_indices: object = False,
    *,
    out: object = None,
) -> Pooled:
    """Greatest values of windows that share out one axis.

    Output *i* of *o* has the samples from ``floor(i * size / o)`` up to ``ceil((i + 1) * size /
    o)``, so
    that windows overlap by a sample where the size does not divide.

    Parameters
    ----------
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item. In float16, float32 or
        float64.
    output_size : int or tuple of int
        Outputs along each axis; None keeps the input's size.
    return_indices : bool, optional
        Whether to return indices too.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray, or tuple of two ndarrays
        The maxima, of the input's dtype, and with ``return_indices`` where they lie: int64 indices
        in the planes of the input.

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
    convx.grad.adaptive_max_pool1d : Its gradient.

    Notes
    -----
    Like ``torch.nn.functional.adaptive_max_pool1d`` and its relatives. NaN and ties are as in
    :func:`.max_pool1d`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.array([[1.0, 5.0, 2.0, 3.0, 0.0]])
    >>> F.adaptive_max_pool1d(x, 2)
    array([[5., 3.]])
    """
    return _pool.adaptive_max_pool(  # type: ignore[no-any-return]
        1, input, output_size, return_indices, out
    )


def adaptive_max_pool2d(
    input: object,
    output_size: object,
    return_indices: object = False,
    *,
    out: object = None,
) -> Pooled:
    """Greatest values of windows that share out two axes.

    Parameters, results and errors are those of :func:`adaptive_max_pool1d`, for inputs
    (N, C, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.arange(16.0).reshape(1, 4, 4)
    >>> F.adaptive_max_pool2d(x, (2, None))
    array([[[ 4.,  5.,  6.,  7.],
            [12., 13., 14., 15.]]])
    """
    return _pool.adaptive_max_pool(  # type: ignore[no-any-return]
        2, input, output_size, return_indices, out
    )


def adaptive_max_pool3d(
    input: object,
    output_size: object,
    return_indices: object = False,
    *,
    out: object = None,
) -> Pooled:
    """Greatest values of windows that share out three axes.

    Parameters, results and errors are those of :func:`adaptive_max_pool1d`, for inputs
    (N, C, D, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.arange(8.0).reshape(1, 2, 2, 2)
    >>> F.adaptive_max_pool3d(x, 1)
    array([[[[7.]]]])
    """
    return _pool.adaptive_max_pool(  # type: ignore[no-any-return]
        3, input, output_size, return_indices, out
    )


def adaptive_avg_pool1d(
    input: object,
    output_size: object,
    *,
    activation: object = None,
    out: object = None,
) -> NDArray[Any]:
    """Averages of windows that share out one axis.

    Windows are those of :func:`adaptive_max_pool1d`.

    Parameters
    ----------
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
        Of the input's dtype.

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
    convx.grad.adaptive_avg_pool1d : Its gradient.

    Notes
    -----
    Like ``torch.nn.functional.adaptive_avg_pool1d`` and its relatives.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.adaptive_avg_pool1d([[1.0, 5.0, 3.0]], 2)
    array([[3., 4.]])
    """
    return _pool.adaptive_avg_pool(1, input, output_size, out, activation)


def adaptive_avg_pool2d(
    input: object,
    output_size: object,
    *,
    activation: object = None,
    out: object = None,
) -> NDArray[Any]:
    """Averages of windows that share out two axes.

    Parameters, results and errors are those of :func:`adaptive_avg_pool1d`, for inputs
    (N, C, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.arange(16.0).reshape(1, 4, 4)
    >>> F.adaptive_avg_pool2d(x, 1)
    array([[[7.5]]])
    """
    return _pool.adaptive_avg_pool(2, input, output_size, out, activation)


def adaptive_avg_pool3d(
    input: object,
    output_size: object,
    *,
    activation: object = None,
    out: object = None,
) -> NDArray[Any]:
    """Averages of windows that share out three axes.

    Parameters, results and errors are those of :func:`adaptive_avg_pool1d`, for inputs
    (N, C, D, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.arange(8.0).reshape(1, 2, 2, 2)
    >>> F.adaptive_avg_pool3d(x, (1, 1, None))
    array([[[[3., 4.]]]])
    """
    return _pool.adaptive_avg_pool(3, input, output_size, out, activation)


def global_max_pool(input: object, *, out: object = None) -> NDArray[Any]:
    """Greatest value of every plane.

    Parameters
    ----------
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item. In float16, float32 or
        float64.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Shape (N, C, 1, …), with the input's number of axes and dtype.

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
    convx.grad.global_max_pool : Its gradient.

    Notes
    -----
    As ONNX defines it, for any number of axes: adaptive pooling to size 1. N is not optional here.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.global_max_pool([[[1.0, 5.0, 3.0]]])
    array([[[5.]]])
    """
    return _pool.global_max_pool(input, out)


def global_avg_pool(input: object, *, out: object = None) -> NDArray[Any]:
    """Average of every plane.

    Parameters
    ----------
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item. In float16, float32 or
        float64.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Shape (N, C, 1, …), with the input's number of axes and dtype.

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
    convx.grad.global_avg_pool : Its gradient.

    Notes
    -----
    As ONNX defines it, for any number of axes: adaptive pooling to size 1. N is not optional here.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.global_avg_pool([[[1.0, 5.0, 3.0]]])
    array([[[3.]]])
    """
    return _pool.global_avg_pool(input, out)


def global_lp_pool(input: object, norm_type: object = 2, *, out: object = None) -> NDArray[Any]:
    """Norm of every plane.

    Parameters
    ----------
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
        Shape (N, C, 1, …), with the input's number of axes and dtype.

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
    convx.grad.global_lp_pool : Its gradient.

    Notes
    -----
    As ONNX defines it, for any number of axes: adaptive pooling to size 1. N is not optional here.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.global_lp_pool([[[3.0, -4.0, 0.0]]])
    array([[[5.]]])
    """
    return _lp_pool.global_lp_pool(input, norm_type, out)
