"""Gradients of rectified linear units with slopes that are learned or drawn."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import activation as _op


def prelu(grad_output: object, input: object, weight: object) -> tuple[NDArray[Any], NDArray[Any]]:
    r"""Gradients of :func:`convx.functional.prelu` with respect to input and weight.

    .. math::
        \bar x = \bar y \text{ where } x > 0, \text{ else } w_c \bar y, \quad
        \bar w_c = \sum_{x \le 0} x \bar y

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input, weight : array_like
        The arguments of :func:`convx.functional.prelu`.

    Returns
    -------
    grad_input, grad_weight : ndarray
        Of the shapes of input and weight, in the dtype that NumPy promotes those of the arrays to.

    Raises
    ------
    TypeError, ValueError
        As the function; ValueError too if the shape of `grad_output` is not that of the output.

    Examples
    --------
    >>> from convx import grad
    >>> dx, dw = grad.prelu([[1.0, 1.0], [1.0, 1.0]], [[-1.0, -1.0], [2.0, -4.0]], [0.5, 0.25])
    >>> dx
    array([[0.5 , 0.25],
           [1.  , 0.25]])
    >>> dw
    array([-1., -5.])
    """
    return _op.prelu_gradients(grad_output, input, weight)


def rrelu(
    grad_output: object,
    input: object,
    lower: object = 1 / 8,
    upper: object = 1 / 3,
    training: object = False,
    *,
    rng: object = None,
    out: object = None,
) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.rrelu` with respect to its input.

    .. math::
        \bar x = \bar y \text{ where } x > 0, \text{ else } a \bar y

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input, lower, upper, training
        The arguments of :func:`convx.functional.rrelu`.
    rng : optional
        What the function was given, so that the same slopes are drawn: the same seed, or a
        generator in the state that the function's was in.
    out : ndarray, optional
        Array of the result's shape and dtype to put it in. It may be `grad_output` or the input.

    Returns
    -------
    ndarray
        Gradient with respect to the input, of its shape, in the dtype that NumPy promotes those of
        the arrays to.

    Raises
    ------
    TypeError, ValueError
        As the function; ValueError too if the shape of `grad_output` is not that of the output.

    Examples
    --------
    >>> from convx import functional as F, grad
    >>> grad.rrelu([1.0, 1.0, 1.0], [-8.0, 0.0, 8.0], 0.25, 0.5)
    array([0.375, 0.375, 1.   ])
    >>> y = F.rrelu([-1.0, 8.0], training=True, rng=1)
    >>> bool(grad.rrelu([1.0, 1.0], [-1.0, 8.0], training=True, rng=1)[0] == -y[0])
    True
    """
    return _op.rrelu_gradient(grad_output, input, lower, upper, training, rng, out)
