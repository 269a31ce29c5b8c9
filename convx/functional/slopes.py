"""Rectified linear units with slopes that are learned or drawn, as in PyTorch."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import activation as _op


def prelu(input: object, weight: object, *, out: object = None) -> NDArray[Any]:
    r"""Rectified linear unit whose slopes for negative elements are learned.

    .. math::
        y = x \text{ where } x > 0, \text{ else } w_c x

    Parameters
    ----------
    input : array_like
        Of any shape, in float16, float32 or float64. Channels are its second axis.
    weight : array_like
        The slopes: one, or one for each channel.
    out : ndarray, optional
        Array of the result's shape and dtype to put it in. It may be the input itself.

    Returns
    -------
    ndarray
        Of the input's shape, in the dtype that NumPy promotes those of the arrays to.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.prelu([[-1.0, -1.0], [2.0, -4.0]], [0.5, 0.25])
    array([[-0.5 , -0.25],
           [ 2.  , -1.  ]])
    """
    return _op.prelu(input, weight, out)


def rrelu(
    input: object,
    lower: object = 1 / 8,
    upper: object = 1 / 3,
    training: object = False,
    inplace: object = False,
    *,
    rng: object = None,
    out: object = None,
) -> NDArray[Any]:
    r"""Rectified linear unit whose slopes for negative elements are drawn.

    .. math::
        y = x \text{ where } x > 0, \text{ else } a x, \quad
        a \sim U(\mathit{lower}, \mathit{upper})

    Parameters
    ----------
    input : array_like
        Of any shape, in float16, float32 or float64.
    lower, upper : float, default 1/8 and 1/3
        Between which slopes are drawn evenly, one for each element.
    training : bool, default False
        Whether slopes are drawn; else all are the mean of `lower` and `upper`.
    inplace : bool, default False
        Whether the result goes into the input, which must then be a writable NumPy array.
    rng : optional
        Anything that :func:`numpy.random.default_rng` takes: equal seeds draw equal slopes, and a
        generator goes on from where it is.
    out : ndarray, optional
        Array of the input's shape and dtype to put the result in. It may be the input itself.

    Returns
    -------
    ndarray
        Of the input's shape and dtype.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.rrelu([-8.0, 0.0, 8.0], 0.25, 0.5)
    array([-3.,  0.,  8.])
    >>> y = F.rrelu([-8.0, 0.0, 8.0], 0.25, 0.5, training=True, rng=1)
    >>> bool(-4 <= y[0] <= -2)
    True
    """
    return _op.rrelu(input, lower, upper, training, inplace, rng, out)
