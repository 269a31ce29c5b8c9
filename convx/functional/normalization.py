"""Normalisations under the names, arguments and results of :mod:`torch.nn.functional`."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import group_normalization as _group
from convx._ops import local_response as _local_response
from convx._ops import normalization as _normalization


def batch_norm(
    input: object,
    running_mean: object,
    running_var: object,
    weight: object = None,
    bias: object = None,
    training: bool = False,
    momentum: object = 0.1,
    eps: object = 1e-5,
    *,
    out: object = None,
) -> NDArray[Any]:
    r"""Normalise every channel over the batch and all positions.

    .. math:: y_{n,c,p} = \frac{x_{n,c,p} - \mu_c}{\sqrt{\sigma_c^2 + \epsilon}} w_c + b_c

    Parameters
    ----------
    input : array_like
        Shape (N, C, *spatial), with any number of spatial axes, in float16, float32 or float64.
    running_mean, running_var : array_like or None
        Shape (C,). When training, statistics that follow those of the input: they are updated in
        place, and must be writable arrays; both may be None. Else they are the mean and variance
        to normalise by.
    weight, bias : array_like, optional
        Shape (C,): what the normalised values are multiplied by, and what is added.
    training : bool, optional
        Whether mean and variance are those of the input; the variance is divided by the number of
        values.
    momentum : float, optional
        Share of the new statistics in the running ones,
        ``(1 - momentum) * running + momentum * new``. The new variance is the one without bias,
        divided by the number of values less one.
    eps : float, optional
        Added to the variance; positive when training.
    out : ndarray, optional
        Array of the input's shape and dtype to put the result in. It may be the input itself.

    Returns
    -------
    ndarray
        Of the input's shape and dtype.

    Raises
    ------
    TypeError
        If an array is of another dtype, or a running statistic to be updated is no array.
    ValueError
        If shapes do not fit, a running statistic cannot be written or is missing, `eps` is out of
        range, or a channel has one value alone when training.

    See Also
    --------
    convx.grad.batch_norm : Its gradients.

    Notes
    -----
    As ``torch.nn.functional.batch_norm``. Sums are of double precision, in an order that depends
    on nothing but the shape, and differences from the mean are exact to rounding however large it
    is.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> mean, var = np.zeros(1), np.ones(1)
    >>> F.batch_norm([[2.0], [4.0]], mean, var, training=True, eps=1e-12)
    array([[-1.],
           [ 1.]])
    >>> mean, var
    (array([0.3]), array([1.1]))
    """
    running = (running_mean, running_var)
    return _normalization.batch_norm(input, running, weight, bias, training, momentum, eps, out)


def batch_norm_activation(
    input: object,
    running_mean: object,
    running_var: object,
    weight: object = None,
    bias: object = None,
    training: bool = False,
    momentum: object = 0.1,
    eps: object = 1e-5,
    *,
    activation: object = None,
    negative_slope: object = None,
    residual: object = None,
    out: object = None,
) -> tuple[NDArray[Any], tuple[NDArray[Any], NDArray[Any]]]:
    r"""Batch norm, to which a residual may be added, and an activation, all in one.

    .. math:: y = activation(batch\_norm(x) + residual)

    Parameters
    ----------
    input, running_mean, running_var, weight, bias, training, momentum, eps
        As those of :func:`batch_norm`.
    activation : {'relu', 'relu6', 'silu', 'hardswish', 'leaky_relu', 'sigmoid', 'tanh'}, optional
        What the sum goes through.
    negative_slope : float, optional
        That of a leaky ReLU, 0.01 by default.
    residual : array_like, optional
        What is added before the activation, of the input's shape.
    out : ndarray, optional
        Array of the input's shape and dtype to put the result in.

    Returns
    -------
    result : ndarray
        Of the input's shape and dtype.
    statistics : tuple of ndarray
        Mean and variance of each channel that it was normalised by, in float64. With them
        :func:`convx.grad.batch_norm_activation` need not compute them again.

    Raises
    ------
    TypeError, ValueError
        As :func:`batch_norm`; ValueError too if the residual is of another shape, or there is no
        such activation.

    See Also
    --------
    convx.grad.batch_norm_activation : Its gradients.

    Notes
    -----
    Ioffe and Szegedy, "Batch normalization", 2015, followed by a rectifier; with the residual it is
    the end of a block of He et al., "Deep residual learning for image recognition", 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.array([[2.0], [4.0]])
    >>> y, (mean, var) = F.batch_norm_activation(
    ...     x, None, None, training=True, eps=1e-12, activation="relu", residual=[[0.5], [0.5]]
    ... )
    >>> y
    array([[0. ],
           [1.5]])
    >>> mean, var
    (array([3.]), array([1.]))
    """
    return _normalization.batch_norm_activation(
        input,
        (running_mean, running_var),
        weight,
        bias,
        training,
        momentum,
        eps,
        _normalization.Ending(activation, negative_slope, residual),
        out,
    )


def instance_norm(
    input: object,
    running_mean: object = None,
    running_var: object = None,
    weight: object = None,
    bias: object = None,
    use_input_stats: bool = True,
    momentum: object = 0.1,
    eps: object = 1e-5,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Normalise every channel of every item over all positions.

    Parameters
    ----------
    input : array_like
        Shape (N, C, *spatial), in float16, float32 or float64.
    running_mean, running_var : array_like, optional
        Shape (C,). With `use_input_stats`, statistics that follow the means over the batch of
        those of the input: they are updated in place, and must be writable arrays. Else they are
        the mean and variance to normalise by.
    weight, bias : array_like, optional
        Shape (C,): what the normalised values are multiplied by, and what is added.
    use_input_stats : bool, optional
        Whether mean and variance are those of the input, for each channel of each item.
    momentum : float, optional
        Share of the new statistics in the running ones, as in :func:`batch_norm`.
    eps : float, optional
        Added to the variance.
    out : ndarray, optional
        Array of the input's shape and dtype to put the result in. It may be the input itself.

    Returns
    -------
    ndarray
        Of the input's shape and dtype.

    Raises
    ------
    TypeError, ValueError
        As :func:`batch_norm`; ValueError if there is a single position, with `use_input_stats`.

    See Also
    --------
    convx.grad.instance_norm : Its gradients.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.instance_norm([[[1.0, 3.0], [10.0, 30.0]]], eps=1e-12)
    array([[[-1.,  1.],
            [-1.,  1.]]])
    """
    running = (running_mean, running_var)
    return _normalization.instance_norm(
        input, running, weight, bias, use_input_stats, momentum, eps, out
    )


def layer_norm(
    input: object,
    normalized_shape: object,
    weight: object = None,
    bias: object = None,
    eps: object = 1e-5,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Normalise over the last axes, with a weight and a bias for each element of them.

    Parameters
    ----------
    input : array_like
        Shape (…, *normalized_shape), in float16, float32 or float64.
    normalized_shape : int or sequence of int
        The sizes of the axes to normalise over.
    weight, bias : array_like, optional
        Shape `normalized_shape`: what the normalised values are multiplied by, and what is added.
    eps : float, optional
        Added to the variance.
    out : ndarray, optional
        Array of the input's shape and dtype to put the result in. It may be the input itself.

    Returns
    -------
    ndarray
        Of the input's shape and dtype.

    Raises
    ------
    TypeError, ValueError
        If an array is of another dtype, or shapes do not fit.

    See Also
    --------
    convx.grad.layer_norm : Its gradients.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.layer_norm([[1.0, 3.0], [10.0, 30.0]], (2,), weight=[1.0, 5.0], eps=1e-12)
    array([[-1.,  5.],
           [-1.,  5.]])
    """
    return _group.layer_norm(input, normalized_shape, weight, bias, eps, out)


def group_norm(
    input: object,
    num_groups: object,
    weight: object = None,
    bias: object = None,
    eps: object = 1e-5,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Normalise groups of channels of every item over channels and positions.

    Parameters
    ----------
    input : array_like
        Shape (N, C, *spatial), in float16, float32 or float64.
    num_groups : int
        The channels are dealt into so many groups, in order; it divides C.
    weight, bias : array_like, optional
        Shape (C,): what the normalised values are multiplied by, and what is added.
    eps : float, optional
        Added to the variance.
    out : ndarray, optional
        Array of the input's shape and dtype to put the result in. It may be the input itself.

    Returns
    -------
    ndarray
        Of the input's shape and dtype.

    Raises
    ------
    TypeError, ValueError
        If an array is of another dtype, or shapes do not fit; ValueError if a single group has a
        single value.

    See Also
    --------
    convx.grad.group_norm : Its gradients.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.group_norm([[1.0, 3.0, 10.0, 30.0]], 2, eps=1e-12)
    array([[-1.,  1., -1.,  1.]])
    """
    return _group.group_norm(input, num_groups, weight, bias, eps, out)


def local_response_norm(
    input: object,
    size: object,
    alpha: object = 1e-4,
    beta: object = 0.75,
    k: object = 1.0,
    *,
    out: object = None,
) -> NDArray[Any]:
    r"""Divide by a power of the mean square over neighbouring channels.

    .. math:: y_c = x_c \Big(k + \frac{\alpha}{size} \sum_{i} x_i^2 \Big)^{-\beta}

    The sum is over `size` channels from ``c - size // 2`` on, as far as they are.

    Parameters
    ----------
    input : array_like
        Shape (N, C, *spatial) with at least one spatial axis, in float16, float32 or float64.
        Integers are squared and averaged as integers, and the result is float32.
    size : int
        How many channels are neighbours.
    alpha, beta, k : float, optional
        As in the formula.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in. It may be the input itself.

    Returns
    -------
    ndarray
        Of the input's shape and dtype.

    Raises
    ------
    TypeError, ValueError
        If the input is of another dtype or has fewer axes, or an option is out of range.

    See Also
    --------
    convx.grad.local_response_norm : Its gradient.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.local_response_norm([[[2.0], [4.0]]], 2, alpha=2.0, beta=1.0, k=0.0)
    array([[[0.5],
            [0.2]]])
    """
    return _local_response.local_response_norm(input, size, alpha, beta, k, out)
