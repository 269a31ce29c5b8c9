"""Softmax and its relatives along an axis, as in PyTorch."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import softmax as _op


def softmax(
    input: object,
    dim: object = None,
    *,
    dtype: object = None,
    out: object = None,
) -> NDArray[Any]:
    r"""Softmax along an axis: positive shares whose sum is 1.

    .. math::
        y_i = e^{x_i} / \sum_j e^{x_j}

    Parameters
    ----------
    input : array_like
        Of any shape, in float16, float32 or float64; with `dtype` of any real dtype.
    dim : int, optional
        The axis, counted from the end if negative. If it is not told it is 0 for arrays of 0, 1 or
        3 axes, else 1, as in PyTorch, where leaving it out is deprecated.
    dtype : dtype, optional
        Float16, float32 or float64: what the input is converted to first.
    out : ndarray, optional
        Array of the result's shape and dtype to put it in. It may be the input itself.

    Returns
    -------
    ndarray
        Of the input's shape, in `dtype` or else the input's. It is NaN where the axis has
        a NaN or inf, or -inf alone.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.softmax([0.0, 0.0], 0)
    array([0.5, 0.5])
    """
    return _op.softmax(input, dim, dtype, out)


def log_softmax(
    input: object,
    dim: object = None,
    *,
    dtype: object = None,
    out: object = None,
) -> NDArray[Any]:
    r"""Logarithm of the softmax along an axis.

    .. math::
        y_i = x_i - \log \sum_j e^{x_j}

    Parameters, results and errors are those of :func:`softmax`.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.log_softmax([0.0, 0.0], 0)
    array([-0.69314718, -0.69314718])
    >>> F.log_softmax([[1000.0, 0.0]], dim=1)
    array([[    0., -1000.]])
    """
    return _op.softmax(input, dim, dtype, out, logarithm=True)


def softmin(
    input: object,
    dim: object = None,
    *,
    dtype: object = None,
    out: object = None,
) -> NDArray[Any]:
    r"""Softmax of the opposites along an axis.

    .. math::
        y_i = e^{-x_i} / \sum_j e^{-x_j}

    Parameters, results and errors are those of :func:`softmax`.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.softmin([0.0, 0.0], 0)
    array([0.5, 0.5])
    """
    return _op.softmax(input, dim, dtype, out, sign=-1)
