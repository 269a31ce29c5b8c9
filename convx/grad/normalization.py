"""Gradients of the normalisations: vector-Jacobian products under the names of the functions."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import group_normalization as _group
from convx._ops import local_response as _local_response
from convx._ops import normalization as _normalization
from convx._ops.segments import Gradient


def batch_norm(
    grad_output: object,
    input: object,
    running_mean: object,
    running_var: object,
    weight: object = None,
    bias: object = None,
    training: bool = False,
    momentum: object = 0.1,
    eps: object = 1e-5,
) -> tuple[Gradient, None, None, Gradient, Gradient]:
    """Gradients of :func:`convx.functional.batch_norm`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input, running_mean, running_var, weight, bias, training, momentum, eps
        The arguments of :func:`convx.functional.batch_norm`. Nothing is updated here.

    Returns
    -------
    grad_input : ndarray
        Of the input's shape and dtype. When training, mean and variance depend on the input.
    None, None
        In the places of the running statistics, of which there is no gradient.
    grad_weight, grad_bias : ndarray or None
        Of their shapes and dtypes; None where there is none.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.batch_norm`; ValueError too if the shape of `grad_output` is not
        that of the output.

    Examples
    --------
    >>> from convx import grad
    >>> dx, _, _, dw, db = grad.batch_norm(
    ...     [[4.0], [0.0]], [[2.0], [4.0]], [0.0], [3.0], [1.0], [0.0], eps=1.0
    ... )
    >>> dx, dw, db
    (array([[2.],
           [0.]]), array([4.]), array([4.]))
    """
    running = (running_mean, running_var)
    dx, dw, db = _normalization.batch_norm_gradients(
        grad_output, input, running, weight, bias, training, momentum, eps
    )
    return dx, None, None, dw, db


def batch_norm_activation(
    grad_output: object,
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
    statistics: object = None,
) -> tuple[Gradient, None, None, Gradient, Gradient, Gradient]:
    """Gradients of :func:`convx.functional.batch_norm_activation`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the result, of its shape.
    input, running_mean, running_var, weight, bias, training, momentum, eps, activation, \
negative_slope, residual
        The arguments of :func:`convx.functional.batch_norm_activation`. Nothing is updated here.
    statistics : tuple of array_like, optional
        Those that the function returned, when training; without them they are computed again.

    Returns
    -------
    grad_input : ndarray
        Of the input's shape and dtype.
    None, None
        In the places of the running statistics, of which there is no gradient.
    grad_weight, grad_bias, grad_residual : ndarray or None
        Of their shapes and dtypes; None where there is none.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.batch_norm_activation`; ValueError too if the shape of
        `grad_output` or of `statistics` does not fit.

    Examples
    --------
    >>> from convx import grad
    >>> dx, _, _, dw, db, dr = grad.batch_norm_activation(
    ...     [[4.0], [1.0]], [[2.0], [4.0]], [0.0], [3.0], [1.0], [0.0], eps=1.0,
    ...     activation="relu", residual=[[-2.0], [0.0]],
    ... )
    >>> dx, dw, db, dr
    (array([[0. ],
           [0.5]]), array([2.]), array([1.]), array([[0.],
           [1.]]))
    """
    dx, dw, db, dr = _normalization.batch_norm_activation_gradients(
        grad_output,
        input,
        (running_mean, running_var),
        weight,
        bias,
        training,
        momentum,
        eps,
        _normalization.Ending(activation, negative_slope, residual),
        statistics,
    )
    return dx, None, None, dw, db, dr


def instance_norm(
    grad_output: object,
    input: object,
    running_mean: object = None,
    running_var: object = None,
    weight: object = None,
    bias: object = None,
    use_input_stats: bool = True,
    momentum: object = 0.1,
    eps: object = 1e-5,
) -> tuple[Gradient, None, None, Gradient, Gradient]:
    """Gradients of :func:`convx.functional.instance_norm`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps
        The arguments of :func:`convx.functional.instance_norm`. Nothing is updated here.

    Returns
    -------
    grad_input : ndarray
        Of the input's shape and dtype.
    None, None
        In the places of the running statistics, of which there is no gradient.
    grad_weight, grad_bias : ndarray or None
        Of their shapes and dtypes; None where there is none.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.instance_norm`; ValueError too if the shape of `grad_output` is
        not that of the output.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> dx, *_ = grad.instance_norm([[[1.0, 0.0, 0.0]]], [[[1.0, 2.0, 3.0]]], eps=1e-12)
    >>> np.round(dx, 3)
    array([[[ 0.204, -0.408,  0.204]]])
    """
    running = (running_mean, running_var)
    dx, dw, db = _normalization.instance_norm_gradients(
        grad_output, input, running, weight, bias, use_input_stats, momentum, eps
    )
    return dx, None, None, dw, db


def layer_norm(
    grad_output: object,
    input: object,
    normalized_shape: object,
    weight: object = None,
    bias: object = None,
    eps: object = 1e-5,
) -> tuple[Gradient, Gradient, Gradient]:
    """Gradients of :func:`convx.functional.layer_norm`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input, normalized_shape, weight, bias, eps
        The arguments of :func:`convx.functional.layer_norm`.

    Returns
    -------
    grad_input : ndarray
        Of the input's shape and dtype.
    grad_weight, grad_bias : ndarray or None
        Of their shapes and dtypes; None where there is none.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.layer_norm`; ValueError too if the shape of `grad_output` is not
        that of the output.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> dx, dw, db = grad.layer_norm([[2.0, 3.0]], [[1.0, 3.0]], 2, bias=[0.0, 0.0])
    >>> dw, db
    (None, array([2., 3.]))
    """
    dx, dw, db = _group.layer_norm_gradients(
        grad_output, input, normalized_shape, weight, bias, eps
    )
    return dx, dw, db


def group_norm(
    grad_output: object,
    input: object,
    num_groups: object,
    weight: object = None,
    bias: object = None,
    eps: object = 1e-5,
) -> tuple[Gradient, Gradient, Gradient]:
    """Gradients of :func:`convx.functional.group_norm`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input, num_groups, weight, bias, eps
        The arguments of :func:`convx.functional.group_norm`.

    Returns
    -------
    grad_input : ndarray
        Of the input's shape and dtype.
    grad_weight, grad_bias : ndarray or None
        Of their shapes and dtypes; None where there is none.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.group_norm`; ValueError too if the shape of `grad_output` is not
        that of the output.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> dx, dw, db = grad.group_norm([[2.0, 3.0]], [[1.0, 3.0]], 1, bias=[0.0, 0.0])
    >>> dw, db
    (None, array([2., 3.]))
    """
    dx, dw, db = _group.group_norm_gradients(grad_output, input, num_groups, weight, bias, eps)
    return dx, dw, db


def local_response_norm(
    grad_output: object,
    input: object,
    size: object,
    alpha: object = 1e-4,
    beta: object = 0.75,
    k: object = 1.0,
) -> NDArray[Any]:
    """Gradient of :func:`convx.functional.local_response_norm` with respect to the input.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input, size, alpha, beta, k
        The arguments of :func:`convx.functional.local_response_norm`.

    Returns
    -------
    ndarray
        Of the input's shape and dtype.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.local_response_norm`, and TypeError for integers; ValueError too
        if the shape of `grad_output` is not that of the output.

    Examples
    --------
    >>> from convx import grad
    >>> grad.local_response_norm([[[8.0]]], [[[2.0]]], 1, alpha=1.0, beta=1.0, k=0.0)
    array([[[-2.]]])
    """
    return _local_response.local_response_norm_gradient(grad_output, input, size, alpha, beta, k)
