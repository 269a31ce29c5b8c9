"""Sigmoids and smooth rectifiers under the names, arguments and results of PyTorch."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import activation as _op


def sigmoid(input: object, *, out: object = None) -> NDArray[Any]:
    r"""Logistic sigmoid.

    .. math::
        y = 1 / (1 + e^{-x})

    Parameters
    ----------
    input : array_like
        Of any shape, in float16, float32 or float64.
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
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.sigmoid([-np.inf, 0.0, np.inf])
    array([0. , 0.5, 1. ])
    """
    return _op.activation("sigmoid", input, out=out)


def tanh(input: object, *, out: object = None) -> NDArray[Any]:
    r"""Hyperbolic tangent.

    .. math::
        y = (e^x - e^{-x}) / (e^x + e^{-x})

    Parameters, results and errors are those of :func:`sigmoid`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.tanh([-np.inf, 0.0, np.inf])
    array([-1.,  0.,  1.])
    """
    return _op.activation("tanh", input, out=out)


def logsigmoid(input: object, *, out: object = None) -> NDArray[Any]:
    r"""Logarithm of the logistic sigmoid.

    .. math::
        y = -\log(1 + e^{-x})

    Parameters, results and errors are those of :func:`sigmoid`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.logsigmoid([-np.inf, np.inf])
    array([-inf,   0.])
    """
    return _op.activation("logsigmoid", input, out=out)


def softplus(
    input: object, beta: object = 1.0, threshold: object = 20.0, *, out: object = None
) -> NDArray[Any]:
    r"""Smooth rectifier.

    .. math::
        y = \log(1 + e^{\beta x}) / \beta \text{ where } \beta x \le \mathit{threshold},
        \text{ else } x

    Parameters
    ----------
    input : array_like
        Of any shape, in float16, float32 or float64.
    beta : float, default 1
        How sharply the function bends.
    threshold : float, default 20
        From where on the function is the identity.
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
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.softplus([-np.inf, 30.0])
    array([ 0., 30.])
    """
    return _op.activation("softplus", input, _op.softplus_given(beta, threshold), out=out)


def gelu(input: object, approximate: object = "none", *, out: object = None) -> NDArray[Any]:
    r"""Gaussian error linear unit.

    .. math::
        y = x \Phi(x), \quad \Phi(x) = \frac{1}{2} \operatorname{erfc}(-x / \sqrt 2)

    Parameters
    ----------
    input : array_like
        Of any shape, in float16, float32 or float64.
    approximate : {'none', 'tanh'}, default 'none'
        With 'tanh', ``y = x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x**3))) / 2`` instead.
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
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.gelu([-np.inf, 0.0, 9.0])
    array([0., 0., 9.])
    """
    return _op.activation(_op.gelu_name(approximate), input, out=out)
