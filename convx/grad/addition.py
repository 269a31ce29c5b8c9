"""Gradients of the sum of arrays."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import addition as _op


def add(grad_output: object, *arrays: object) -> tuple[NDArray[Any], ...]:
    """Gradients of :func:`convx.functional.add`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the sum, of its shape.
    *arrays : array_like
        What was added.

    Returns
    -------
    tuple of ndarray
        For each array the gradient of the sum, in the array's dtype.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.add`; ValueError too if `grad_output` is of another shape.

    Examples
    --------
    >>> from convx import grad
    >>> grad.add([1.0, 2.0], [5.0, 6.0], [7.0, 8.0])
    (array([1., 2.]), array([1., 2.]))
    """
    return _op.add_gradients(grad_output, arrays)
