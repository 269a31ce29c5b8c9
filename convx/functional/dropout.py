"""Dropout as in PyTorch, of elements and of channels; ``rng`` is the source of chance."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import dropout as _op


def dropout(
    input: object,
    p: object = 0.5,
    training: object = True,
    inplace: object = False,
    *,
    rng: object = None,
    out: object = None,
) -> NDArray[Any]:
    r"""Elements dropped by chance, the others multiplied by ``1 / (1 - p)``.

    .. math::
        y = x / (1 - p) \text{ with probability } 1 - p, \text{ else } 0 \cdot x

    Parameters
    ----------
    input : array_like
        Of any shape, in float16, float32 or float64.
    p : float, default 0.5
        Probability of being dropped. With 1 everything is, and the result is 0.
    training : bool, default True
        Whether anything is dropped; else the result equals the input.
    inplace : bool, default False
        Whether the result goes into the input, which must then be a writable NumPy array.
    rng : optional
        Anything that :func:`numpy.random.default_rng` takes: equal seeds drop the same, and a
        generator goes on from where it is.
    out : ndarray, optional
        Array of the result's shape and dtype to put it in. It may be the input itself.

    Returns
    -------
    ndarray
        Of the input's shape and dtype, memory of its own unless `inplace` or `out` is given.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.dropout([1.0, 2.0, 3.0, 4.0], rng=3)
    array([2., 4., 6., 0.])
    """
    return _op.dropout(input, p, training, inplace, rng, out)


def dropout1d(
    input: object,
    p: object = 0.5,
    training: object = True,
    inplace: object = False,
    *,
    rng: object = None,
    out: object = None,
) -> NDArray[Any]:
    r"""Channels dropped by chance, of rows.

    .. math::
        y = x / (1 - p) \text{ with probability } 1 - p, \text{ else } 0 \cdot x

    Parameters
    ----------
    input : array_like
        Batch and channels before the spatial axes; the batch may be left out, in float16,
        float32 or float64.
    p : float, default 0.5
        Probability of being dropped. With 1 everything is, and the result is 0.
    training : bool, default True
        Whether anything is dropped; else the result equals the input.
    inplace : bool, default False
        Whether the result goes into the input, which must then be a writable NumPy array.
    rng : optional
        Anything that :func:`numpy.random.default_rng` takes: equal seeds drop the same, and a
        generator goes on from where it is.
    out : ndarray, optional
        Array of the result's shape and dtype to put it in. It may be the input itself.

    Returns
    -------
    ndarray
        Of the input's shape and dtype, memory of its own unless `inplace` or `out` is given.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.dropout1d([[1.0, 2.0], [3.0, 4.0]], rng=3)
    array([[0., 0.],
           [0., 0.]])
    """
    axes = _op.leading_axes(input, "dropout1d", 3)
    return _op.dropout(input, p, training, inplace, rng, out, axes)


def dropout2d(
    input: object,
    p: object = 0.5,
    training: object = True,
    inplace: object = False,
    *,
    rng: object = None,
    out: object = None,
) -> NDArray[Any]:
    r"""Channels dropped by chance, of images.

    .. math::
        y = x / (1 - p) \text{ with probability } 1 - p, \text{ else } 0 \cdot x

    As in PyTorch an input of three axes is a batch of rows, not an image.

    Parameters, results and errors are those of :func:`dropout1d`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.ones((1, 4, 2, 2))
    >>> F.dropout2d(x, rng=3)[0, :, 0, 0]
    array([0., 0., 2., 2.])
    """
    axes = _op.leading_axes(input, "dropout2d", 4)
    return _op.dropout(input, p, training, inplace, rng, out, axes)


def dropout3d(
    input: object,
    p: object = 0.5,
    training: object = True,
    inplace: object = False,
    *,
    rng: object = None,
    out: object = None,
) -> NDArray[Any]:
    r"""Channels dropped by chance, of volumes.

    .. math::
        y = x / (1 - p) \text{ with probability } 1 - p, \text{ else } 0 \cdot x

    Parameters, results and errors are those of :func:`dropout1d`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.ones((1, 4, 2, 2, 2))
    >>> F.dropout3d(x, rng=3)[0, :, 0, 0, 0]
    array([0., 0., 2., 2.])
    """
    axes = _op.leading_axes(input, "dropout3d", 5)
    return _op.dropout(input, p, training, inplace, rng, out, axes)
