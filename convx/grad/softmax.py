"""Gradients of softmax and its relatives along an axis."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import softmax as _op


def softmax(
    grad_output: object,
    input: object,
    dim: object = None,
    *,
    dtype: object = None,
    out: object = None,
) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.softmax` with respect to its input.

    .. math::
        \bar x_i = y_i \bigl(\bar y_i - \sum_j y_j \bar y_j\bigr)

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input : array_like
        That of the function, in float16, float32 or float64.
    dim : int, optional
        The axis, counted from the end if negative. If it is not told it is 0 for arrays of 0, 1 or
        3 axes, else 1, as in PyTorch, where leaving it out is deprecated.
    dtype : dtype, optional
        Float16, float32 or float64: what the input is converted to first.
    out : ndarray, optional
        Array of the result's shape and dtype to put it in. It may be `grad_output` or the
        input.

    Returns
    -------
    ndarray
        Gradient with respect to the input, of its shape. With `dtype` in the input's dtype, else in
        the dtype that NumPy promotes those of the arrays to.

    Raises
    ------
    TypeError, ValueError
        As the function; ValueError too if the shape of `grad_output` is not that of the output.

    Examples
    --------
    >>> from convx import grad
    >>> grad.softmax([1.0, 0.0], [0.0, 0.0], 0)
    array([ 0.25, -0.25])
    """
    return _op.softmax_gradient(grad_output, input, dim, dtype, out)


def log_softmax(
    grad_output: object,
    input: object,
    dim: object = None,
    *,
    dtype: object = None,
    out: object = None,
) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.log_softmax` with respect to its input.

    .. math::
        \bar x_i = \bar y_i - e^{y_i} \sum_j \bar y_j

    Parameters, results and errors are those of :func:`softmax`.

    Examples
    --------
    >>> from convx import grad
    >>> grad.log_softmax([1.0, 0.0], [0.0, 0.0], 0)
    array([ 0.5, -0.5])
    """
    return _op.softmax_gradient(grad_output, input, dim, dtype, out, logarithm=True)


def softmin(
    grad_output: object,
    input: object,
    dim: object = None,
    *,
    dtype: object = None,
    out: object = None,
) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.softmin` with respect to its input.

    .. math::
        \bar x_i = -y_i \bigl(\bar y_i - \sum_j y_j \bar y_j\bigr)

    Parameters, results and errors are those of :func:`softmax`.

    Examples
    --------
    >>> from convx import grad
    >>> grad.softmin([1.0, 0.0], [0.0, 0.0], 0)
    array([-0.25,  0.25])
    """
    return _op.softmax_gradient(grad_output, input, dim, dtype, out, sign=-1)
