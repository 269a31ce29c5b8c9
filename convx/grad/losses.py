"""Gradients of the losses: vector-Jacobian products under the names of the functions."""

from convx._ops import binary_cross_entropy as _binary
from convx._ops import cross_entropy as _cross_entropy
from convx._ops import losses as _losses
from convx._ops.pairwise_losses import Gradient


def mse_loss(
    grad_output: object,
    input: object,
    target: object,
    reduction: object = "mean",
    weight: object = None,
) -> tuple[Gradient, Gradient, Gradient]:
    """Gradients of :func:`convx.functional.mse_loss`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape: a number for 'mean' and 'sum'.
    input, target, reduction, weight
        The arguments of :func:`convx.functional.mse_loss`.

    Returns
    -------
    grad_input, grad_target : ndarray
        Of their shapes and dtypes; None for a target of integers.
    grad_weight : ndarray or None
        Of the weight's shape and dtype; None without one.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.mse_loss`; ValueError too if the shape of
        `grad_output` is not that of the output.

    Examples
    --------
    >>> from convx import grad
    >>> grad.mse_loss(1.0, [3.0], [1.0])[0]
    array([4.])
    """
    dx, dt, dw = _losses.squared_gradients(grad_output, input, target, weight, reduction)
    return dx, dt, dw


def l1_loss(
    grad_output: object,
    input: object,
    target: object,
    reduction: object = "mean",
    weight: object = None,
) -> tuple[Gradient, Gradient, Gradient]:
    """Gradients of :func:`convx.functional.l1_loss`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape: a number for 'mean' and 'sum'.
    input, target, reduction, weight
        The arguments of :func:`convx.functional.l1_loss`.

    Returns
    -------
    grad_input, grad_target : ndarray
        Of their shapes and dtypes; None for a target of integers. 0 where input and target
        are equal.
    grad_weight : ndarray or None
        Of the weight's shape and dtype; None without one.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.l1_loss`; ValueError too if the shape of
        `grad_output` is not that of the output.

    Examples
    --------
    >>> from convx import grad
    >>> grad.l1_loss(1.0, [3.0], [1.0])[0]
    array([1.])
    """
    dx, dt, dw = _losses.absolute_gradients(grad_output, input, target, weight, reduction)
    return dx, dt, dw


def smooth_l1_loss(
    grad_output: object,
    input: object,
    target: object,
    reduction: object = "mean",
    beta: object = 1.0,
) -> tuple[Gradient, Gradient]:
    """Gradients of :func:`convx.functional.smooth_l1_loss`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape: a number for 'mean' and 'sum'.
    input, target, reduction, beta
        The arguments of :func:`convx.functional.smooth_l1_loss`.

    Returns
    -------
    grad_input, grad_target : ndarray
        Of their shapes and dtypes; None for a target of integers.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.smooth_l1_loss`; ValueError too if the shape of
        `grad_output` is not that of the output.

    Examples
    --------
    >>> from convx import grad
    >>> grad.smooth_l1_loss(1.0, [3.0], [1.0], beta=4.0)[0]
    array([0.5])
    """
    dx, dt = _losses.smooth_gradients(grad_output, input, target, reduction, beta)
    return dx, dt


def huber_loss(
    grad_output: object,
    input: object,
    target: object,
    reduction: object = "mean",
    delta: object = 1.0,
    weight: object = None,
) -> tuple[Gradient, Gradient, Gradient]:
    """Gradients of :func:`convx.functional.huber_loss`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape: a number for 'mean' and 'sum'.
    input, target, reduction, delta, weight
        The arguments of :func:`convx.functional.huber_loss`.

    Returns
    -------
    grad_input, grad_target : ndarray
        Of their shapes and dtypes; None for a target of integers.
    grad_weight : ndarray or None
        Of the weight's shape and dtype; None without one.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.huber_loss`; ValueError too if the shape of
        `grad_output` is not that of the output.

    Examples
    --------
    >>> from convx import grad
    >>> grad.huber_loss(1.0, [3.0], [1.0], delta=4.0)[0]
    array([2.])
    """
    dx, dt, dw = _losses.huber_gradients(grad_output, input, target, reduction, delta, weight)
    return dx, dt, dw


def binary_cross_entropy(
    grad_output: object,
    input: object,
    target: object,
    weight: object = None,
    reduction: object = "mean",
) -> tuple[Gradient, Gradient, None]:
    """Gradients of :func:`convx.functional.binary_cross_entropy`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape: a number for 'mean' and 'sum'.
    input, target, weight, reduction
        The arguments of :func:`convx.functional.binary_cross_entropy`.

    Returns
    -------
    grad_input, grad_target : ndarray
        Of their shapes and dtypes; None for a target of integers.
    None
        In the place of the weight, of which PyTorch has no gradient either.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.binary_cross_entropy`; ValueError too if the shape of
        `grad_output` is not that of the output.

    Examples
    --------
    >>> from convx import grad
    >>> dx, dt, _ = grad.binary_cross_entropy(1.0, [0.5], [1.0])
    >>> dx, dt
    (array([-2.]), array([0.]))
    """
    dx, dt = _binary.of_probabilities_gradients(grad_output, input, target, weight, reduction)
    return dx, dt, None


def binary_cross_entropy_with_logits(
    grad_output: object,
    input: object,
    target: object,
    weight: object = None,
    reduction: object = "mean",
    pos_weight: object = None,
) -> tuple[Gradient, Gradient, None, None]:
    """Gradients of :func:`convx.functional.binary_cross_entropy_with_logits`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape: a number for 'mean' and 'sum'.
    input, target, weight, reduction, pos_weight
        The arguments of :func:`convx.functional.binary_cross_entropy_with_logits`.

    Returns
    -------
    grad_input, grad_target : ndarray
        Of their shapes and dtypes; None for a target of integers.
    None, None
        In the places of the weights, of which PyTorch has no gradient either.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.binary_cross_entropy_with_logits`; ValueError too if the shape of
        `grad_output` is not that of the output.

    Examples
    --------
    >>> from convx import grad
    >>> grad.binary_cross_entropy_with_logits(1.0, [0.0], [1.0])[0]
    array([-0.5])
    """
    dx, dt = _binary.of_logits_gradients(grad_output, input, target, weight, reduction, pos_weight)
    return dx, dt, None, None


def cross_entropy(
    grad_output: object,
    input: object,
    target: object,
    weight: object = None,
    ignore_index: object = -100,
    reduction: object = "mean",
    label_smoothing: object = 0.0,
) -> tuple[Gradient, Gradient, Gradient]:
    """Gradients of :func:`convx.functional.cross_entropy`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape: a number for 'mean' and 'sum'.
    input, target, weight, ignore_index, reduction, label_smoothing
        The arguments of :func:`convx.functional.cross_entropy`.

    Returns
    -------
    grad_input : ndarray
        Of the input's shape and dtype.
    grad_target, grad_weight : ndarray or None
        Of their shapes and dtypes for targets that are probabilities; None for class indices, and
        without a weight.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.cross_entropy`; ValueError too if the shape of
        `grad_output` is not that of the output.

    Examples
    --------
    >>> from convx import grad
    >>> grad.cross_entropy(1.0, [[0.0, 0.0]], [1])[0]
    array([[ 0.5, -0.5]])
    """
    return _cross_entropy.cross_entropy_gradients(
        grad_output, input, target, weight, ignore_index, reduction, label_smoothing
    )


def nll_loss(
    grad_output: object,
    input: object,
    target: object,
    weight: object = None,
    ignore_index: object = -100,
    reduction: object = "mean",
) -> tuple[Gradient, None, None]:
    """Gradients of :func:`convx.functional.nll_loss`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape: a number for 'mean' and 'sum'.
    input, target, weight, ignore_index, reduction
        The arguments of :func:`convx.functional.nll_loss`.

    Returns
    -------
    grad_input : ndarray
        Of the input's shape and dtype.
    None, None
        In the places of the target, and of the weight, of which PyTorch has no gradient either.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.nll_loss`; ValueError too if the shape of
        `grad_output` is not that of the output.

    Examples
    --------
    >>> from convx import grad
    >>> grad.nll_loss(1.0, [[-1.0, -2.0]], [1])[0]
    array([[ 0., -1.]])
    """
    return _cross_entropy.nll_loss_gradient(
        grad_output, input, target, weight, ignore_index, reduction
    )
