"""Activations under the names, arguments and results of :mod:`torch.nn.functional`."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import activation as _activation


def relu(input: object, *, out: object = None) -> NDArray[Any]:
    """Rectified linear unit, ``max(x, 0)`` of every element.

    Parameters
    ----------
    input : array_like
        Of any shape, in float16, float32 or float64.
    out : ndarray, optional
        Array of the input's shape and dtype to put the result in. It may be the input itself.

    Returns
    -------
    ndarray
        Of the input's shape and dtype. NaN stays NaN.

    Raises
    ------
    TypeError
        If the input is of another dtype.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.relu([-1.0, 0.0, 2.0])
    array([0., 0., 2.])
    """
    return _activation.activation("relu", input, out=out)
