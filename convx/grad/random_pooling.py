"""Gradients of pooling that draws, under the names of the functions."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import random_pool as _random_pool


def fractional_max_pool2d(
    grad_output: object,
    input: object,
    kernel_size: object,
    output_size: object = None,
    output_ratio: object = None,
    return_indices: object = False,
    _random_samples: object = None,
    *,
    indices: object = None,
    rng: object = None,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``fractional_max_pool2d``, by the same samples.

    Parameters
    ----------
    grad_output : array_like
        Gradient of the output, of its shape.
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
        Whether the function returned indices too, which have no gradient.
    _random_samples : array_like, optional
        Shape (N, C, axes), in [0, 1): where the windows of each plane begin; drawn if not given.
        For two axes the last one has the first sample, as in PyTorch.
    indices : array_like of int, optional
        The indices of the maxima, if the function returned them: they are not looked for again.
    rng : optional
        What :func:`numpy.random.default_rng` takes: a seed or a generator.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Gradient of the input, of its shape and dtype.

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
    convx.functional.fractional_max_pool2d : The function.

    Notes
    -----
    ``rng`` must draw what it drew for the function: the same seed, or a generator in the same
    state.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> x = np.arange(16.0).reshape(1, 4, 4)
    >>> grad.fractional_max_pool2d([[[1.0]]], x, 2, output_size=1, rng=0)[0, 3]
    array([0., 0., 0., 1.])
    """
    given = (kernel_size, output_size, output_ratio, _random_samples, rng)
    return _random_pool.fractional_max_pool_gradient(2, grad_output, input, given, indices, out)


def fractional_max_pool3d(
    grad_output: object,
    input: object,
    kernel_size: object,
    output_size: object = None,
    output_ratio: object = None,
    return_indices: object = False,
    _random_samples: object = None,
    *,
    indices: object = None,
    rng: object = None,
    out: object = None,
) -> NDArray[Any]:
    """Gradient of ``fractional_max_pool3d``, by the same samples.

    Parameters, results and errors are those of :func:`fractional_max_pool2d`, for inputs
    (N, C, D, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> x = np.arange(8.0).reshape(1, 2, 2, 2)
    >>> grad.fractional_max_pool3d([[[[3.0]]]], x, 2, output_size=1, rng=0).ravel()
    array([0., 0., 0., 0., 0., 0., 0., 3.])
    """
    given = (kernel_size, output_size, output_ratio, _random_samples, rng)
    return _random_pool.fractional_max_pool_gradient(3, grad_output, input, given, indices, out)


def stochastic_pool1d(
    grad_output: object,
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
    """Gradient of ``stochastic_pool1d``, by the same draws.

    Parameters
    ----------
    grad_output : array_like
        Gradient of the output, of its shape.
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item. In float16, float32 or
        float64.
    kernel_size : int or tuple of int
        Samples of a window, for all axes or one for each.
    stride : int or tuple of int, optional
        Samples from one window to the next; ``kernel_size`` by default.
    padding : int, tuple, 'same' or 'valid', optional
        Samples before and after each axis, as of :func:`convx.functional.conv_nd`, fewer than a
        window
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
        Gradient of the input, of its shape and dtype.

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
    convx.functional.stochastic_pool1d : The function.

    Notes
    -----
    ``rng`` must draw what it drew for the function: the same seed, or a generator in the same
    state.

    Examples
    --------
    >>> from convx import grad
    >>> grad.stochastic_pool1d([[1.0, 10.0]], [[0.0, 5.0, 0.0, 3.0]], 2, rng=1)
    array([[ 0.,  1.,  0., 10.]])
    """
    given = (kernel_size, stride, padding, dilation, ceil_mode)
    return _random_pool.stochastic_pool_gradient(1, grad_output, input, given, training, rng, out)


def stochastic_pool2d(
    grad_output: object,
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
    """Gradient of ``stochastic_pool2d``, by the same draws.

    Parameters, results and errors are those of :func:`stochastic_pool1d`, for inputs
    (N, C, H, W) or without N.

    Examples
    --------
    >>> from convx import grad
    >>> grad.stochastic_pool2d([[[1.0]]], [[[0.0, 4.0], [0.0, 0.0]]], 2, rng=0)
    array([[[0., 1.],
            [0., 0.]]])
    """
    given = (kernel_size, stride, padding, dilation, ceil_mode)
    return _random_pool.stochastic_pool_gradient(2, grad_output, input, given, training, rng, out)


def stochastic_pool3d(
    grad_output: object,
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
    """Gradient of ``stochastic_pool3d``, by the same draws.

    Parameters, results and errors are those of :func:`stochastic_pool1d`, for inputs
    (N, C, D, H, W) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.stochastic_pool3d([[[[8.0]]]], np.ones((1, 2, 2, 2)), 2, training=False).ravel()
    array([1., 1., 1., 1., 1., 1., 1., 1.])
    """
    given = (kernel_size, stride, padding, dilation, ceil_mode)
    return _random_pool.stochastic_pool_gradient(3, grad_output, input, given, training, rng, out)
