"""Filters that change the rate of a signal."""

from typing import Any

from numpy.typing import ArrayLike, NDArray

from convx._engine.threads import workers_or_all
from convx._ops import multirate

AnyArray = NDArray[Any]


def upfirdn(
    h: ArrayLike,
    x: ArrayLike,
    up: int = 1,
    down: int = 1,
    axis: int = -1,
    mode: str = "constant",
    cval: float = 0,
    *,
    out: AnyArray | None = None,
    workers: int | None = None,
) -> AnyArray:
    """Insert zeros between samples, filter, and keep every so manieth.

    Parameters
    ----------
    h : array_like
        Taps of the filter, at least one.
    x : array_like
        The signals.
    up, down : int, optional
        One sample becomes `up` before the filter; one of `down` is kept after it.
    axis : int, optional
        The axis of `x` that is filtered along.
    mode : str, optional
        What is beyond the ends of a signal: 'constant', 'wrap', 'edge', 'symmetric', 'reflect' as
        of `numpy.pad`; 'antisymmetric' and 'antireflect', turned upside down; 'smooth', on with the
        slope at the end; 'line', on with that from the first sample to the last.
    cval : float, optional
        What ``mode='constant'`` goes on with.
    out : ndarray, optional
        Takes the result: of its shape and dtype.
    workers : int, optional
        Threads to use at most.

    Returns
    -------
    ndarray
        Of the shape of `x` but along `axis`, where it has
        ``((n - 1) * up + len(h) - 1) // down + 1`` samples, in the dtype that `h`, `x` and float32
        are promoted to.

    Raises
    ------
    ValueError, TypeError
        If an argument is not what it may be.

    See Also
    --------
    scipy.signal.upfirdn : The function that this one stands for.

    Examples
    --------
    >>> from convx import signal
    >>> signal.upfirdn([1, 1, 1], [1, 2, 3], up=3)
    array([1., 1., 1., 2., 2., 2., 3., 3., 3.])
    """
    with workers_or_all(workers):
        return multirate.upfirdn(h, x, up, down, axis, mode, cval, out)
