"""Gradients of sigmoids and smooth rectifiers."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import activation as _op


def sigmoid(grad_output: object, input: object, *, out: object = None) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.sigmoid` with respect to its input.

    .. math::
        \bar x = \bar y \, \sigma(x) \sigma(-x)

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input : array_like
        That of :func:`convx.functional.sigmoid`, in float16, float32 or float64.
    out : ndarray, optional
        Array of the result's shape and dtype to put it in. It may be `grad_output` or the
        input.

    Returns
    -------
    ndarray
        Gradient with respect to the input, of its shape, in the dtype that NumPy promotes
        those of the arrays to.

    Raises
    ------
    TypeError, ValueError
        As the function; ValueError too if the shape of `grad_output` is not that of the
        output.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.sigmoid([1.0, 1.0, 1.0], [-np.inf, 0.0, np.inf])
    array([0.  , 0.25, 0.  ])
    """
    return _op.activation_gradient("sigmoid", grad_output, input, out=out)


def tanh(grad_output: object, input: object, *, out: object = None) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.tanh` with respect to its input.

    .. math::
        \bar x = \bar y / \cosh^2 x

    Parameters, results and errors are those of :func:`sigmoid`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.tanh([1.0, 1.0, 1.0], [-np.inf, 0.0, np.inf])
    array([0., 1., 0.])
    """
    return _op.activation_gradient("tanh", grad_output, input, out=out)


def logsigmoid(grad_output: object, input: object, *, out: object = None) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.logsigmoid` with respect to its input.

    .. math::
        \bar x = \bar y \, \sigma(-x)

    Parameters, results and errors are those of :func:`sigmoid`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.logsigmoid([1.0, 1.0], [-np.inf, np.inf])
    array([1., 0.])
    """
    return _op.activation_gradient("logsigmoid", grad_output, input, out=out)


def softplus(
    grad_output: object,
    input: object,
    beta: object = 1.0,
    threshold: object = 20.0,
    *,
    out: object = None,
) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.softplus` with respect to its input.

    .. math::
        \bar x = \sigma(\beta x) \bar y \text{ where } \beta x \le \mathit{threshold},
        \text{ else } \bar y

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input : array_like
        That of :func:`convx.functional.softplus`, in float16, float32 or float64.
    beta : float, default 1
        How sharply the function bends.
    threshold : float, default 20
        From where on the function is the identity.
    out : ndarray, optional
        Array of the result's shape and dtype to put it in. It may be `grad_output` or the
        input.

    Returns
    -------
    ndarray
        Gradient with respect to the input, of its shape, in the dtype that NumPy promotes
        those of the arrays to.

    Raises
    ------
    TypeError, ValueError
        As the function; ValueError too if the shape of `grad_output` is not that of the
        output.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.softplus([1.0, 1.0], [-np.inf, 30.0])
    array([0., 1.])
    """
    return _op.activation_gradient(
        "softplus", grad_output, input, _op.softplus_given(beta, threshold), out=out
    )


def gelu(
    grad_output: object, input: object, approximate: object = "none", *, out: object = None
) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.gelu` with respect to its input.

    .. math::
        \bar x = \bar y \, (\Phi(x) + x \varphi(x)), \quad \varphi(x) = e^{-x^2 / 2} / \sqrt{2 \pi}

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input : array_like
        That of :func:`convx.functional.gelu`, in float16, float32 or float64.
    approximate : {'none', 'tanh'}, default 'none'
        With 'tanh', ``y = x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x**3))) / 2`` instead.
    out : ndarray, optional
        Array of the result's shape and dtype to put it in. It may be `grad_output` or the
        input.

    Returns
    -------
    ndarray
        Gradient with respect to the input, of its shape, in the dtype that NumPy promotes
        those of the arrays to.

    Raises
    ------
    TypeError, ValueError
        As the function; ValueError too if the shape of `grad_output` is not that of the
        output.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.gelu([1.0, 1.0, 1.0], [-np.inf, 0.0, 9.0])
    array([-0. ,  0.5,  1. ])
    """
    return _op.activation_gradient(_op.gelu_name(approximate), grad_output, input, out=out)
