"""Pooling that draws, as in :mod:`torch.nn.functional`."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import random_pool as _random_pool

# Outputs, or outputs and indices.
Pooled = NDArray[Any] | tuple[NDArray[Any], NDArray[Any]]


def fractional_max_pool2d(
    input: object,
    kernel_size: object,
    output_size: object = None,
    output_ratio: object = None,
    return_indices: object = False,
    _random_samples: object = None,
    *,
    rng: object = None,
    out: object = None,
) -> Pooled:
    """Greatest values of windows at random places, over two axes.

    Windows begin a real number of samples apart, cut to whole numbers: window *i* of *o* begins at
    ``floor((i + u) * a) - floor(u * a)`` with ``a = (size - kernel_size) / (o - 1)`` and a
    random *u*
    of each plane and axis, and the last one at the end.

    Parameters
    ----------
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item. In float16, float32 or
        float64.
    kernel_size : int or tuple of int
        Samples of a window, for all axes or one for each.
    output_size : int or tuple of int, optional
        Outputs along each axis.
    output_ratio : float or tuple of float, optional
        Outputs as a part of the input's size, between 0 and 1; instead of ``output_size``.
    return_indices : bool, optional
        Whether to return indices too.
    _random_samples : array_like, optional
        Shape (N, C, axes), in [0, 1): where the windows of each plane begin; drawn if not given.
        For two axes the last one has the first sample, as in PyTorch.
    rng : optional
        What :func:`numpy.random.default_rng` takes: a seed or a generator.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray, or tuple of two ndarrays
        The maxima, of the input's dtype, and with ``return_indices`` where they lie: int64 indices
        in the planes of the input.

    Raises
    ------
    TypeError
        If the input is of another dtype, or an option of the wrong type.
    ValueError
        If an option is out of range, or shapes do not fit one another.
    MemoryError
        If the result is larger than the machine's memory.

    See Also
    --------
    convx.grad.fractional_max_pool2d : Its gradient.

    Notes
    -----
    B. Graham, "Fractional max-pooling", 2014, as ``torch.nn.functional.fractional_max_pool2d`` and
    its relative compute it from the same samples. The same ``rng`` gives the same windows.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.arange(16.0).reshape(1, 4, 4)
    >>> F.fractional_max_pool2d(x, 2, output_size=3, _random_samples=[[[0.5, 0.5]]])
    array([[[ 5.,  6.,  7.],
            [ 9., 10., 11.],
            [13., 14., 15.]]])
    """
    given = (kernel_size, output_size, output_ratio, _random_samples, rng)
    return _random_pool.fractional_max_pool(  # type: ignore[no-any-return]
        2, input, given, return_indices, out
    )


def fractional_max_pool3d(
    input: object,
    kernel_size: object,
    output_size: object = None,
    output_ratio: object = None,
    return_indices: object = False,
    _random_samples: object = None,
    *,
    rng: object = None,
    out: object = None,
) -> Pooled:
    """Greatest values of windows at random places, over three axes.

    Parameters, results and errors are those of :func:`fractional_max_pool2d`, for inputs
    (N, C, D, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.arange(8.0).reshape(1, 2, 2, 2)
    >>> F.fractional_max_pool3d(x, 2, output_size=1, rng=0)
    array([[[[7.]]]])
    """
    given = (kernel_size, output_size, output_ratio, _random_samples, rng)
    return _random_pool.fractional_max_pool(  # type: ignore[no-any-return]
        3, input, given, return_indices, out
    )


def stochastic_pool1d(
    input: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    dilation: object = 1,
    ceil_mode: object = False,
    training: object = True,
    *,
    rng: object = None,
    out: object = None,
) -> NDArray[Any]:
    r"""Values drawn from every window by their share of its sum, over one axis.

    .. math:: p_i = x_i / \sum_j x_j, \qquad y = x_i \text{ with probability } p_i

    Parameters
    ----------
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item. In float16, float32 or
        float64.
    kernel_size : int or tuple of int
        Samples of a window, for all axes or one for each.
    stride : int or tuple of int, optional
        Samples from one window to the next; ``kernel_size`` by default.
    padding : int, tuple, 'same' or 'valid', optional
        Samples before and after each axis, as of :func:`.conv_nd`, fewer than a window
        reaches over. It is never drawn.
    dilation : int or tuple of int, optional
        Samples from one of a window to its next.
    ceil_mode : bool, optional
        Whether a last window counts that reaches beyond the padding, if it begins before it.
    training : bool, optional
        Whether to draw, or to take the mean of what could be drawn.
    rng : optional
        What :func:`numpy.random.default_rng` takes: a seed or a generator.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Of the input's dtype. Without ``training`` the mean ``sum(p * x)``. Windows of zeros
        give 0, and
        those with NaN give NaN.

    Raises
    ------
    TypeError
        If the input is of another dtype, or an option of the wrong type.
    ValueError
        If an option is out of range, or shapes do not fit one another.
    MemoryError
        If the result is larger than the machine's memory.

    See Also
    --------
    convx.grad.stochastic_pool1d : Its gradient.

    Notes
    -----
    M. D. Zeiler and R. Fergus, "Stochastic pooling for regularization of deep convolutional neural
    networks", ICLR 2013. Activations must not be negative: it comes after :func:`.relu`. The same
    ``rng`` gives the same draws.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.array([[0.0, 5.0, 1.0, 3.0]])
    >>> F.stochastic_pool1d(x, 2, training=False)
    array([[5. , 2.5]])
    >>> F.stochastic_pool1d(x, 2, rng=1)
    array([[5., 3.]])
    """
    given = (kernel_size, stride, padding, dilation, ceil_mode)
    return _random_pool.stochastic_pool(1, input, given, training, rng, out)


def stochastic_pool2d(
    input: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    dilation: object = 1,
    ceil_mode: object = False,
    training: object = True,
    *,
    rng: object = None,
    out: object = None,
) -> NDArray[Any]:
    """Values drawn from every window by their share of its sum, over two axes.

    Parameters, results and errors are those of :func:`stochastic_pool1d`, for inputs
    (N, C, H, W) or without N.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.stochastic_pool2d([[[0.0, 4.0], [0.0, 0.0]]], 2, rng=0)
    array([[[4.]]])
    """
    given = (kernel_size, stride, padding, dilation, ceil_mode)
    return _random_pool.stochastic_pool(2, input, given, training, rng, out)


def stochastic_pool3d(
    input: object,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    dilation: object = 1,
    ceil_mode: object = False,
    training: object = True,
    *,
    rng: object = None,
    out: object = None,
) -> NDArray[Any]:
    """Values drawn from every window by their share of its sum, over three axes.

    Parameters, results and errors are those of :func:`stochastic_pool1d`, for inputs
    (N, C, D, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.stochastic_pool3d(np.ones((1, 2, 2, 2)), 2, rng=0)
    array([[[[1.]]]])
    """
    given = (kernel_size, stride, padding, dilation, ceil_mode)
    return _random_pool.stochastic_pool(3, input, given, training, rng, out)
