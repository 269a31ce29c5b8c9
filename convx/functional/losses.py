"""Losses under the names, arguments and results of :mod:`torch.nn.functional`.

Their deprecated options ``size_average`` and ``reduce`` are left out.
"""

from typing import Any

from numpy.typing import NDArray

from convx._ops import binary_cross_entropy as _binary
from convx._ops import cross_entropy as _cross_entropy
from convx._ops import losses as _losses


def mse_loss(
    input: object,
    target: object,
    reduction: object = "mean",
    weight: object = None,
    *,
    out: object = None,
) -> NDArray[Any]:
    r"""Squared difference of input and target.

    .. math:: l = (x - t)^2

    Parameters
    ----------
    input, target : array_like
        Of one shape, or of shapes that broadcast, which is warned of; in float16, float32 or
        float64. The target may be of integers.
    reduction : {'mean', 'sum', 'none'}, optional
        Whether the losses' mean or sum is returned, or all of them.
    weight : array_like, optional
        Of the input's shape: what each element's loss is multiplied by. The mean is divided by
        the sum of the weights.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Of the arrays' shape, or one without axes for 'mean' and 'sum'. The dtype is what NumPy
        promotes those of input and target to, integers left aside.

    Raises
    ------
    TypeError, ValueError
        If an array is of another dtype, shapes do not fit, or an option is out of range.

    See Also
    --------
    convx.grad.mse_loss : Its gradients.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.mse_loss([1.0, 2.0, 3.0], [1.0, 4.0, 2.0], "sum")
    array(5.)
    """
    return _losses.squared(input, target, weight, reduction, out)


def l1_loss(
    input: object,
    target: object,
    reduction: object = "mean",
    weight: object = None,
    *,
    out: object = None,
) -> NDArray[Any]:
    r"""Absolute difference of input and target.

    .. math:: l = |x - t|

    Parameters
    ----------
    input, target : array_like
        Of one shape, or of shapes that broadcast, which is warned of; in float16, float32 or
        float64. The target may be of integers.
    reduction : {'mean', 'sum', 'none'}, optional
        Whether the losses' mean or sum is returned, or all of them.
    weight : array_like, optional
        Of the input's shape: what each element's loss is multiplied by. The mean is divided by
        the sum of the weights.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Of the arrays' shape, or one without axes for 'mean' and 'sum'. The dtype is what NumPy
        promotes those of input and target to, integers left aside.

    Raises
    ------
    TypeError, ValueError
        If an array is of another dtype, shapes do not fit, or an option is out of range.

    See Also
    --------
    convx.grad.l1_loss : Its gradients.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.l1_loss([1.0, 2.0, 3.0], [1.0, 4.0, 2.0])
    array(1.)
    """
    return _losses.absolute(input, target, weight, reduction, out)


def smooth_l1_loss(
    input: object,
    target: object,
    reduction: object = "mean",
    beta: object = 1.0,
    *,
    out: object = None,
) -> NDArray[Any]:
    r"""Absolute difference of input and target, rounded off where it is small.

    .. math:: l = \begin{cases}
            (x - t)^2 / (2 \beta) & |x - t| < \beta \\
            |x - t| - \beta / 2 & \text{else}
        \end{cases}

    Parameters
    ----------
    input, target : array_like
        Of one shape, or of shapes that broadcast, which is warned of; in float16, float32 or
        float64. The target may be of integers.
    reduction : {'mean', 'sum', 'none'}, optional
        Whether the losses' mean or sum is returned, or all of them.
    beta : float, optional
        Where the square ends; 0 is :func:`l1_loss`.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Of the arrays' shape, or one without axes for 'mean' and 'sum'. The dtype is what NumPy
        promotes those of input and target to, integers left aside.

    Raises
    ------
    TypeError, ValueError
        If an array is of another dtype, shapes do not fit, or an option is out of range.

    See Also
    --------
    convx.grad.smooth_l1_loss : Its gradients.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.smooth_l1_loss([0.0, 3.0], [1.0, 0.0], "none", beta=2.0)
    array([0.25, 2.  ])
    """
    return _losses.smooth(input, target, reduction, beta, out)


def huber_loss(
    input: object,
    target: object,
    reduction: object = "mean",
    delta: object = 1.0,
    weight: object = None,
    *,
    out: object = None,
) -> NDArray[Any]:
    r"""Half the squared difference of input and target, straight where it is large.

    .. math:: l = \begin{cases}
            (x - t)^2 / 2 & |x - t| \le \delta \\
            \delta (|x - t| - \delta / 2) & \text{else}
        \end{cases}

    Parameters
    ----------
    input, target : array_like
        Of one shape, or of shapes that broadcast, which is warned of; in float16, float32 or
        float64. The target may be of integers.
    reduction : {'mean', 'sum', 'none'}, optional
        Whether the losses' mean or sum is returned, or all of them.
    delta : float, optional
        Where the square ends; positive.
    weight : array_like, optional
        Of the input's shape: what each element's loss is multiplied by. The mean is divided by the
        number of elements.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Of the arrays' shape, or one without axes for 'mean' and 'sum'. The dtype is what NumPy
        promotes those of input and target to, integers left aside.

    Raises
    ------
    TypeError, ValueError
        If an array is of another dtype, shapes do not fit, or an option is out of range.

    See Also
    --------
    convx.grad.huber_loss : Its gradients.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.huber_loss([0.0, 3.0], [1.0, 0.0], "none", delta=2.0)
    array([0.5, 4. ])
    """
    return _losses.huber(input, target, reduction, delta, weight, out)


def binary_cross_entropy(
    input: object,
    target: object,
    weight: object = None,
    reduction: object = "mean",
    *,
    out: object = None,
) -> NDArray[Any]:
    r"""Cross entropy of the probabilities of two classes.

    .. math:: l = -w \big(t \log x + (1 - t) \log(1 - x)\big)

    Parameters
    ----------
    input, target : array_like
        Of one shape, in float16, float32 or float64, from 0 to 1; NaN is not
        allowed.
    weight : array_like, optional
        What each element's loss is multiplied by; it broadcasts to the input's shape.
    reduction : {'mean', 'sum', 'none'}, optional
        Whether the losses' mean or sum is returned, or all of them.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Of the arrays' shape, or one without axes for 'mean' and 'sum'. The dtype is what NumPy
        promotes those of input and target to, integers left aside.

    Raises
    ------
    TypeError, ValueError
        If an array is of another dtype, shapes do not fit, or an option is out of range.

    See Also
    --------
    convx.grad.binary_cross_entropy : Its gradients.

    Notes
    -----
    Logarithms are at least -100, as in PyTorch: a wrong certainty costs that much.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.binary_cross_entropy([0.0, 0.0], [0.0, 1.0], reduction="none")
    array([  0., 100.])
    """
    return _binary.of_probabilities(input, target, weight, reduction, out)


def binary_cross_entropy_with_logits(
    input: object,
    target: object,
    weight: object = None,
    reduction: object = "mean",
    pos_weight: object = None,
    *,
    out: object = None,
) -> NDArray[Any]:
    r"""Cross entropy of two classes, from logits.

    .. math:: l = -w \big(p\, t \log \sigma(x) + (1 - t) \log(1 - \sigma(x))\big)

    Parameters
    ----------
    input, target : array_like
        Of one shape, in float16, float32 or float64. The target may be of integers.
    weight : array_like, optional
        What each element's loss is multiplied by; it broadcasts to the input's shape.
    reduction : {'mean', 'sum', 'none'}, optional
        Whether the losses' mean or sum is returned, or all of them.
    pos_weight : array_like, optional
        p in the formula, which broadcasts to the input's shape: more than 1 makes it worse to
        miss the positive class.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Of the arrays' shape, or one without axes for 'mean' and 'sum'. The dtype is what NumPy
        promotes those of input and target to, integers left aside.

    Raises
    ------
    TypeError, ValueError
        If an array is of another dtype, shapes do not fit, or an option is out of range.

    See Also
    --------
    convx.grad.binary_cross_entropy_with_logits : Its gradients.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.binary_cross_entropy_with_logits([-200.0, 0.0], [1.0, 0.0], reduction="none")
    array([200.        ,   0.69314718])
    """
    return _binary.of_logits(input, target, weight, reduction, pos_weight, out)


def cross_entropy(
    input: object,
    target: object,
    weight: object = None,
    ignore_index: object = -100,
    reduction: object = "mean",
    label_smoothing: object = 0.0,
    *,
    out: object = None,
) -> NDArray[Any]:
    r"""Cross entropy between the softmax of logits and classes, or probabilities of them.

    .. math:: l = -\sum_c w_c\, q_c \log \operatorname{softmax}(x)_c

    Parameters
    ----------
    input : array_like
        Logits of shape (N, C, *positions), or (C,) for a single item, in float16, float32 or
        float64; C is the number of classes.
    target : array_like
        Class indices, integers from 0 to C - 1, of the input's shape without C; q is 1 there. Or
        floats of the input's shape: q itself.
    weight : array_like, optional
        Shape (C,): the weights of the classes.
    ignore_index : int, optional
        A target that costs nothing and does not count. Probabilities cannot be ignored, and it
        must be negative then.
    reduction : {'mean', 'sum', 'none'}, optional
        Whether the losses' mean or sum is returned, or all of them.
    label_smoothing : float, optional
        From 0 to 1, the share of q that is spread evenly over all classes.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Without axes for 'mean', which is the sum divided by that of the targets' weights, or
        for probabilities by the number of columns, and for
        'sum'; else of the input's shape without C. Of the input's dtype.

    Raises
    ------
    TypeError, ValueError
        If an array is of another dtype, shapes do not fit, or an option is out of range.
    ValueError
        If a target is no class, before anything is computed.

    See Also
    --------
    convx.grad.cross_entropy : Its gradients.

    Notes
    -----
    The mean over nothing, or over targets that are all ignored, is NaN.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.cross_entropy([[0.0, 0.0], [1000.0, 0.0]], [0, 1], reduction="none")
    array([6.93147181e-01, 1.00000000e+03])
    """
    return _cross_entropy.cross_entropy(
        input, target, weight, ignore_index, reduction, label_smoothing, out
    )


def nll_loss(
    input: object,
    target: object,
    weight: object = None,
    ignore_index: object = -100,
    reduction: object = "mean",
    *,
    out: object = None,
) -> NDArray[Any]:
    r"""Negative log-likelihood of the classes, from logarithms of probabilities.

    .. math:: l = -w_t\, x_t

    Parameters
    ----------
    input : array_like
        Logarithms of shape (N, C, *positions), or (C,) for a single item, in float16, float32 or
        float64; C is the number of classes.
    target : array_like
        Class indices, integers from 0 to C - 1, of the input's shape without C.
    weight : array_like, optional
        Shape (C,): the weights of the classes.
    ignore_index : int, optional
        A target that costs nothing and does not count.
    reduction : {'mean', 'sum', 'none'}, optional
        Whether the losses' mean or sum is returned, or all of them.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Without axes for 'mean', which is the sum divided by that of the targets' weights, and
        for 'sum'; else of the input's shape without C. Of the input's dtype.

    Raises
    ------
    TypeError, ValueError
        If an array is of another dtype, shapes do not fit, or an option is out of range.
    ValueError
        If a target is no class, before anything is computed.

    See Also
    --------
    convx.grad.nll_loss : Its gradients.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.nll_loss([[-1.0, -2.0], [-3.0, -4.0]], [1, 0])
    array(2.5)
    """
    return _cross_entropy.nll_loss(input, target, weight, ignore_index, reduction, out)
