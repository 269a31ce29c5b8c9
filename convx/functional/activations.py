"""Activations under the names, arguments and results of :mod:`torch.nn.functional`."""

import math
from typing import Any

from numpy.typing import NDArray

from convx._ops import activation as _op


def relu(input: object, inplace: object = False, *, out: object = None) -> NDArray[Any]:
    r"""Rectified linear unit: negative elements become 0.

    .. math::
        y = \max(x, 0)

    Parameters
    ----------
    input : array_like
        Of any shape, in float16, float32, float64, or integers.
    inplace : bool, default False
        Whether the result goes into the input, which must then be a writable NumPy array.
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
    >>> F.relu([-1.0, 0.0, 2.0])
    array([0., 0., 2.])
    """
    return _op.clamp("relu", input, (0, math.inf), inplace=inplace, out=out)


def relu6(input: object, inplace: object = False, *, out: object = None) -> NDArray[Any]:
    r"""Rectified linear unit that ends at 6.

    .. math::
        y = \min(\max(x, 0), 6)

    Parameters, results and errors are those of :func:`relu`.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.relu6([-1.0, 3.0, 8.0])
    array([0., 3., 6.])
    """
    return _op.clamp("relu6", input, (0, 6), inplace=inplace, out=out)


def hardtanh(
    input: object,
    min_val: object = -1.0,
    max_val: object = 1.0,
    inplace: object = False,
    *,
    out: object = None,
) -> NDArray[Any]:
    r"""Elements kept within bounds.

    .. math::
        y = \min(\max(x, \mathit{min\_val}), \mathit{max\_val})

    Parameters
    ----------
    input : array_like
        Of any shape, in float16, float32, float64, or integers.
    min_val, max_val : float, default -1 and 1
        The bounds. For integers they are cut to whole numbers, which the dtype must hold.
    inplace : bool, default False
        Whether the result goes into the input, which must then be a writable NumPy array.
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
    >>> F.hardtanh([-3.0, 0.5, 2.0])
    array([-1. ,  0.5,  1. ])
    """
    return _op.clamp(
        "hardtanh", input, _op.hardtanh_given(min_val, max_val), inplace=inplace, out=out
    )


def leaky_relu(
    input: object, negative_slope: object = 0.01, inplace: object = False, *, out: object = None
) -> NDArray[Any]:
    r"""Rectified linear unit with a slope for negative elements.

    .. math::
        y = x \text{ where } x > 0, \text{ else } \mathit{negative\_slope} \cdot x

    Parameters
    ----------
    input : array_like
        Of any shape, in float16, float32 or float64.
    negative_slope : float, default 0.01
        The slope; it must be finite.
    inplace : bool, default False
        Whether the result goes into the input, which must then be a writable NumPy array.
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
    >>> F.leaky_relu([-1.0, 0.0, 2.0])
    array([-0.01,  0.  ,  2.  ])
    """
    return _op.activation(
        "leaky_relu", input, _op.leaky_relu_given(negative_slope), inplace=inplace, out=out
    )


def elu(
    input: object, alpha: object = 1.0, inplace: object = False, *, out: object = None
) -> NDArray[Any]:
    r"""Exponential linear unit.

    .. math::
        y = x \text{ where } x \ge 0, \text{ else } \alpha (e^x - 1)

    Parameters
    ----------
    input : array_like
        Of any shape, in float16, float32 or float64.
    alpha : float, default 1
        Minus the limit at minus infinity.
    inplace : bool, default False
        Whether the result goes into the input, which must then be a writable NumPy array.
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
    >>> F.elu([-np.inf, 0.0, 2.0])
    array([-1.,  0.,  2.])
    """
    return _op.activation("elu", input, _op.elu_given(alpha), inplace=inplace, out=out)


def celu(
    input: object, alpha: object = 1.0, inplace: object = False, *, out: object = None
) -> NDArray[Any]:
    r"""Exponential linear unit whose derivative is continuous.

    .. math::
        y = x \text{ where } x \ge 0, \text{ else } \alpha (e^{x / \alpha} - 1)

    Parameters, results and errors are those of :func:`elu`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.celu([-np.inf, 0.0, 2.0])
    array([-1.,  0.,  2.])
    """
    return _op.activation("elu", input, _op.celu_given(alpha), inplace=inplace, out=out)


def selu(input: object, inplace: object = False, *, out: object = None) -> NDArray[Any]:
    r"""Scaled exponential linear unit, which keeps mean 0 and variance 1.

    .. math::
        y = s x \text{ where } x \ge 0, \text{ else } s \alpha (e^x - 1), \quad
        s = 1.0507009873554805, \quad \alpha = 1.6732632423543772

    Parameters
    ----------
    input : array_like
        Of any shape, in float16, float32 or float64.
    inplace : bool, default False
        Whether the result goes into the input, which must then be a writable NumPy array.
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
    >>> F.selu([-np.inf, 0.0, 2.0])
    array([-1.75809934,  0.        ,  2.10140197])
    """
    return _op.activation("elu", input, _op.selu_given(), inplace=inplace, out=out)


def silu(input: object, inplace: object = False, *, out: object = None) -> NDArray[Any]:
    r"""Sigmoid linear unit, also called swish.

    .. math::
        y = x \sigma(x), \quad \sigma(x) = 1 / (1 + e^{-x})

    Parameters, results and errors are those of :func:`selu`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.silu([-np.inf, 0.0, 40.0])
    array([-0.,  0., 40.])
    """
    return _op.activation("silu", input, inplace=inplace, out=out)


def mish(input: object, inplace: object = False, *, out: object = None) -> NDArray[Any]:
    r"""Mish, a smooth rectifier.

    .. math::
        y = x \tanh(\log(1 + e^x))

    Parameters, results and errors are those of :func:`selu`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.mish([-np.inf, 0.0, 40.0])
    array([-0.,  0., 40.])
    """
    return _op.activation("mish", input, inplace=inplace, out=out)


def hardsigmoid(input: object, inplace: object = False, *, out: object = None) -> NDArray[Any]:
    r"""Sigmoid made of straight lines.

    .. math::
        y = \min(\max(x + 3, 0), 6) / 6

    Parameters, results and errors are those of :func:`selu`.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.hardsigmoid([-4.0, 0.0, 4.0])
    array([0. , 0.5, 1. ])
    """
    return _op.activation("hardsigmoid", input, inplace=inplace, out=out)


def hardswish(input: object, inplace: object = False, *, out: object = None) -> NDArray[Any]:
    r"""Swish made of a parabola between straight lines.

    .. math::
        y = x \min(\max(x + 3, 0), 6) / 6

    Parameters, results and errors are those of :func:`selu`.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.hardswish([-4.0, 0.0, 4.0])
    array([0., 0., 4.])
    """
    return _op.activation("hardswish", input, inplace=inplace, out=out)
