"""The gradient of padding."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import padding as _padding


def pad(
    grad_output: object,
    input: object,
    pad: object,
    mode: object = "constant",
    value: object = None,
) -> NDArray[Any]:
    """Gradient of :func:`convx.functional.pad`: every sample gets the sum over its copies.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the padded array, of its shape; of a dtype of numbers.
    input, pad, mode, value
        What was padded, and how. Of the input only the shape counts.

    Returns
    -------
    ndarray
        Of the input's shape and the dtype of `grad_output`. What was cropped has gradient 0, and
        constants give theirs to nobody. The order of the sums depends on shapes alone.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As :func:`convx.functional.pad`, and if `grad_output` has another shape.

    Examples
    --------
    >>> from convx import grad
    >>> grad.pad([1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [3.0, 4.0, 5.0], (1, 2), mode="reflect")
    array([2., 3., 1.])
    """
    return _padding.pad_gradient(grad_output, input, pad, mode, value)
