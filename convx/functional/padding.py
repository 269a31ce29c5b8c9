"""Padding under the name, arguments and results of :mod:`torch.nn.functional`."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import padding as _padding


def pad(
    input: object,
    pad: object,
    mode: object = "constant",
    value: object = None,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Put samples before and after the last axes of an array, or crop it.

    Parameters
    ----------
    input : array_like
        Of any shape, and any dtype but those with Python objects: nothing is computed.
    pad : sequence of int
        Samples before and after the last axis, then before and after the last but one, and so on.
        Negative numbers crop, in every mode. They may be larger than the array.
    mode : {'constant', 'reflect', 'symmetric', 'replicate', 'circular'}, optional
        What is put there; a table is in the notes.
    value : scalar, optional
        The constant, 0 if it is not given. Only for mode 'constant'.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in. It may overlap the input.

    Returns
    -------
    ndarray
        Of the input's dtype, in the machine's byte order.

    Raises
    ------
    TypeError
        If the dtype is one of objects, or an argument of the wrong type.
    ValueError
        If `pad` is odd, too long, or crops more than there is; if a mode is to continue an axis
        without samples; if the constant does not fit the dtype.
    MemoryError
        If the result is larger than the machine's memory.

    See Also
    --------
    convx.grad.pad : Its gradient.

    Notes
    -----
    ===========  =======================
    mode         two more on either side
    ===========  =======================
    constant     ``0 0 | 1 2 3 4 | 0 0``
    reflect      ``3 2 | 1 2 3 4 | 3 2``
    symmetric    ``2 1 | 1 2 3 4 | 4 3``
    replicate    ``1 1 | 1 2 3 4 | 4 4``
    circular     ``3 4 | 1 2 3 4 | 1 2``
    ===========  =======================

    Like ``torch.nn.functional.pad``, which has no 'symmetric', and limits the rank and, but for
    'replicate', the width. A single sample reflected is repeated. In mode 'circular' a cropped axis
    continues with what is left of it, in the others with all of it, as there.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.pad([[1, 2, 3], [4, 5, 6]], (2, 2, 0, 1), mode="reflect")
    array([[3, 2, 1, 2, 3, 2, 1],
           [6, 5, 4, 5, 6, 5, 4],
           [3, 2, 1, 2, 3, 2, 1]])
    >>> F.pad([1, 2, 3, 4], (-1, 2), value=9)
    array([2, 3, 4, 9, 9])
    """
    return _padding.pad(input, pad, mode, value, out)
