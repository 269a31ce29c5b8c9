"""The sum of ways through a network that meet."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import addition as _op


def add(*arrays: object, out: object = None) -> NDArray[Any]:
    """Add arrays of one shape, in their order.

    Parameters
    ----------
    *arrays : array_like
        One or more, of floating, integer or complex dtypes.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Of their shape, and of the dtype that NumPy promotes theirs to. Its memory is that of an
        earlier result where there is one that nobody holds, which makes it faster than ``x + y``.

    Raises
    ------
    TypeError
        If there is no array, or one is of a dtype that is not computed.
    ValueError
        If shapes differ.

    See Also
    --------
    convx.grad.add : Its gradients.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.add([1.0, 2.0], [10.0, 20.0], [100.0, 200.0])
    array([111., 222.])
    """
    return _op.add(arrays, out)
