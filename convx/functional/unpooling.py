"""Unpooling, as in :mod:`torch.nn.functional`."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import unpool as _unpool


def max_unpool1d(
    input: object,
    indices: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    output_size: object = None,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Values back at their indices among zeros, over one axis.

    Parameters
    ----------
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
    convx.grad.max_unpool1d : Its gradient.

    Notes
    -----
    Like ``torch.nn.functional.max_unpool1d`` and its relatives. All indices are checked before
    anything is written. Of several values at an index the last one stays.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.max_unpool1d([[5.0, 3.0]], [[1, 3]], 2)
    array([[0., 5., 0., 3.]])
    """
    given = (kernel_size, stride, padding, output_size)
    return _unpool.max_unpool(1, input, indices, given, out)


def max_unpool2d(
    input: object,
    indices: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    output_size: object = None,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Values back at their indices among zeros, over two axes.

    Parameters, results and errors are those of :func:`max_unpool1d`, for inputs
    (N, C, H, W) or without N.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.max_unpool2d([[[5.0]]], [[[3]]], 2)
    array([[[0., 0.],
            [0., 5.]]])
    """
    given = (kernel_size, stride, padding, output_size)
    return _unpool.max_unpool(2, input, indices, given, out)


def max_unpool3d(
    input: object,
    indices: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    output_size: object = None,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Values back at their indices among zeros, over three axes.

    Parameters, results and errors are those of :func:`max_unpool1d`, for inputs
    (N, C, D, H, W) or without N.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.max_unpool3d([[[[5.0]]]], [[[[0]]]], (1, 1, 2))
    array([[[[5., 0.]]]])
    """
    given = (kernel_size, stride, padding, output_size)
    return _unpool.max_unpool(3, input, indices, given, out)


def avg_unpool1d(
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
    """Values spread evenly over their windows, over one axis.

    Where windows overlap, their parts add up: it is the adjoint of :func:`.avg_pool1d`.

    Parameters
    ----------
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
    convx.grad.avg_unpool1d : Its gradient.

    Notes
    -----
    PyTorch has no such function. With ``divisor_override=1`` every value is repeated all over its
    window: if windows do not overlap, :func:`.avg_pool1d` then gives the input back.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.avg_unpool1d([[4.0, 6.0]], 2)
    array([[2., 2., 3., 3.]])
    """
    given = (kernel_size, stride, padding, output_size)
    divisor = (count_include_pad, divisor_override)
    return _unpool.avg_unpool(1, input, given, divisor, out)


def avg_unpool2d(
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
    """Values spread evenly over their windows, over two axes.

    Parameters, results and errors are those of :func:`avg_unpool1d`, for inputs
    (N, C, H, W) or without N.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.avg_unpool2d([[[4.0]]], 2)
    array([[[1., 1.],
            [1., 1.]]])
    """
    given = (kernel_size, stride, padding, output_size)
    divisor = (count_include_pad, divisor_override)
    return _unpool.avg_unpool(2, input, given, divisor, out)


def avg_unpool3d(
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
    """Values spread evenly over their windows, over three axes.

    Parameters, results and errors are those of :func:`avg_unpool1d`, for inputs
    (N, C, D, H, W) or without N.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.avg_unpool3d([[[[8.0]]]], 2).ravel()
    array([1., 1., 1., 1., 1., 1., 1., 1.])
    """
    given = (kernel_size, stride, padding, output_size)
    divisor = (count_include_pad, divisor_override)
    return _unpool.avg_unpool(3, input, given, divisor, out)
