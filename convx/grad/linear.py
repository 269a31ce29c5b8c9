"""Gradients of the linear layer."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import linear as _linear


def linear(
    grad_output: object,
    input: object,
    weight: object,
    bias: object = None,
    *,
    input_gradient: object = True,
) -> tuple[Any, NDArray[Any], NDArray[Any] | None]:
    """Gradients of :func:`convx.functional.linear`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape (..., out_features).
    input, weight, bias : array_like
        The arguments of the layer.
    input_gradient : bool, default True
        Whether the gradient of the input is wanted; else there is None in its place.

    Returns
    -------
    tuple
        Gradients of input, weight and bias, of their shapes; None for a bias that is not there.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.linear`, and if `grad_output` has another shape.

    Examples
    --------
    >>> from convx import grad
    >>> grad.linear([[1.0, 10.0]], [[2.0, 3.0]], [[4.0, 5.0], [6.0, 7.0]], [0.0, 0.0])
    (array([[64., 75.]]), array([[ 2.,  3.],
           [20., 30.]]), array([ 1., 10.]))
    """
    return _linear.linear_gradients(grad_output, input, weight, bias, input_gradient)
