"""Pooling with a kernel, as in :mod:`torch.nn.functional`."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import lp_pool as _lp_pool
from convx._ops import pool as _pool

# Outputs, or outputs and indices.
Pooled = NDArray[Any] | tuple[NDArray[Any], NDArray[Any]]


def max_pool1d(
    input: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    dilation: object = 1,
    ceil_mode: object = False,
    return_indices: object = False,
    *,
    out: object = None,
) -> Pooled:
    """Greatest value of every window, over one axis.

    Parameters
    ----------
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item. In float16, float32,
        float64 or integers but uint64.
    kernel_size : int or tuple of int
        Samples of a window, for all axes or one for each.
    stride : int or tuple of int, optional
        Samples from one window to the next; ``kernel_size`` by default.
    padding : int, tuple, 'same' or 'valid', optional
        Samples before and after each axis, as of :func:`.conv_nd`, fewer than a window
        reaches over. It counts as minus infinity.
    dilation : int or tuple of int, optional
        Samples from one of a window to its next.
    ceil_mode : bool, optional
        Whether a last window counts that reaches beyond the padding, if it begins before it.
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
    convx.grad.max_pool1d : Its gradient.

    Notes
    -----
    Like ``torch.nn.functional.max_pool1d`` and its relatives. Padding takes no part: it counts as
    minus infinity. NaN is the greatest of all; of several, and of a window's several NaN,
    indices tell
    the first and the last in the order of the plane. A window that has nothing but padding, which
    dilation makes possible, gives minus infinity (the least integer) and index -1.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.array([[1.0, 5.0, 2.0, 3.0]])
    >>> F.max_pool1d(x, 2)
    array([[5., 3.]])
    >>> F.max_pool1d(x, 3, stride=1, padding=1, return_indices=True)[1]
    array([[1, 1, 1, 3]])
    """
    given = (kernel_size, stride, padding, dilation, ceil_mode)
    return _pool.max_pool(1, input, given, return_indices, out)  # type: ignore[no-any-return]


def max_pool2d(
    input: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    dilation: object = 1,
    ceil_mode: object = False,
    return_indices: object = False,
    *,
    out: object = None,
) -> Pooled:
    """Greatest value of every window, over two axes.

    Parameters, results and errors are those of :func:`max_pool1d`, for inputs
    (N, C, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.arange(16.0).reshape(1, 4, 4)
    >>> F.max_pool2d(x, 2)
    array([[[ 5.,  7.],
            [13., 15.]]])
    """
    given = (kernel_size, stride, padding, dilation, ceil_mode)
    return _pool.max_pool(2, input, given, return_indices, out)  # type: ignore[no-any-return]


def max_pool3d(
    input: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    dilation: object = 1,
    ceil_mode: object = False,
    return_indices: object = False,
    *,
    out: object = None,
) -> Pooled:
    """Greatest value of every window, over three axes.

    Parameters, results and errors are those of :func:`max_pool1d`, for inputs
    (N, C, D, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.arange(8.0).reshape(1, 2, 2, 2)
    >>> F.max_pool3d(x, 2)
    array([[[[7.]]]])
    """
    given = (kernel_size, stride, padding, dilation, ceil_mode)
    return _pool.max_pool(3, input, given, return_indices, out)  # type: ignore[no-any-return]


def avg_pool1d(
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
    """Average of every window, over one axis.

    Parameters
    ----------
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item. In float16, float32,
        float64 or integers but uint64.
    kernel_size : int or tuple of int
        Samples of a window, for all axes or one for each.
    stride : int or tuple of int, optional
        Samples from one window to the next; ``kernel_size`` by default.
    padding : int, tuple, 'same' or 'valid', optional
        Samples before and after each axis, as of :func:`.conv_nd`, fewer than a window
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
        Of the input's dtype; averages of integers are cut to whole numbers, towards zero.

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
    convx.grad.avg_pool1d : Its gradient.

    Notes
    -----
    Like ``torch.nn.functional.avg_pool1d`` and its relatives, of which the first has no
    ``divisor_override``. What a last window has beyond the padding never counts. A value that
    is not
    finite, or huge, has an effect on the windows that it is in, and on no others.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.array([[1.0, 5.0, 2.0, 3.0]])
    >>> F.avg_pool1d(x, 2)
    array([[3. , 2.5]])
    >>> F.avg_pool1d(x, 3, stride=1, padding=1, count_include_pad=False)[:, 0]
    array([3.])
    """
    given = (kernel_size, stride, padding, ceil_mode)
    return _pool.avg_pool(1, input, given, (count_include_pad, divisor_override), out, activation)


def avg_pool2d(
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
    """Average of every window, over two axes.

    Parameters, results and errors are those of :func:`avg_pool1d`, for inputs
    (N, C, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.arange(16.0).reshape(1, 4, 4)
    >>> F.avg_pool2d(x, 2)
    array([[[ 2.5,  4.5],
            [10.5, 12.5]]])
    """
    given = (kernel_size, stride, padding, ceil_mode)
    return _pool.avg_pool(2, input, given, (count_include_pad, divisor_override), out, activation)


def avg_pool3d(
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
    """Average of every window, over three axes.

    Parameters, results and errors are those of :func:`avg_pool1d`, for inputs
    (N, C, D, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.arange(8.0).reshape(1, 2, 2, 2)
    >>> F.avg_pool3d(x, 2)
    array([[[[3.5]]]])
    """
    given = (kernel_size, stride, padding, ceil_mode)
    return _pool.avg_pool(3, input, given, (count_include_pad, divisor_override), out, activation)


def lp_pool1d(
    input: object,
    norm_type: object,
    kernel_size: object,
    stride: object = None,
    ceil_mode: object = False,
    *,
    out: object = None,
) -> NDArray[Any]:
    r"""Norm of every window, over one axis.

    .. math:: y = \Bigl(\sum |x|^p\Bigr)^{1/p}

    Parameters
    ----------
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
    convx.grad.lp_pool1d : Its gradient.

    Notes
    -----
    This is the norm, as ONNX defines it. ``torch.nn.functional.lp_pool1d`` and its relatives take
    the powers of signed values, so that with *p* = 1 they return sums and with *p* = 3 perhaps NaN,
    and weight windows that reach beyond the end by what they lack.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.array([[3.0, -4.0, 1.0, 0.0]])
    >>> F.lp_pool1d(x, 2, 2)
    array([[5., 1.]])
    >>> F.lp_pool1d(x, 1, 2)
    array([[7., 1.]])
    """
    return _lp_pool.lp_pool(1, input, norm_type, (kernel_size, stride, ceil_mode), out)


def lp_pool2d(
    input: object,
    norm_type: object,
    kernel_size: object,
    stride: object = None,
    ceil_mode: object = False,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Norm of every window, over two axes.

    Parameters, results and errors are those of :func:`lp_pool1d`, for inputs
    (N, C, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.lp_pool2d(np.full((1, 2, 2), 2.0), 2, 2)
    array([[[4.]]])
    """
    return _lp_pool.lp_pool(2, input, norm_type, (kernel_size, stride, ceil_mode), out)


def lp_pool3d(
    input: object,
    norm_type: object,
    kernel_size: object,
    stride: object = None,
    ceil_mode: object = False,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Norm of every window, over three axes.

    Parameters, results and errors are those of :func:`lp_pool1d`, for inputs
    (N, C, D, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.lp_pool3d(np.ones((1, 2, 2, 2)), 3, 2)
    array([[[[2.]]]])
    """
    return _lp_pool.lp_pool(3, input, norm_type, (kernel_size, stride, ceil_mode), out)
