"""Gradients of the activations: the derivative times the gradient of the output.

The arguments are those of the functions, but for ``inplace``. Where a function does not depend on
its input the gradient is 0, whatever that of the output is.
"""

from typing import Any

from numpy.typing import NDArray

from convx._ops import activation as _op


def relu(grad_output: object, input: object, *, out: object = None) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.relu` with respect to its input.

    .. math::
        \bar x = \bar y \text{ where } x > 0 \text{ or } x \text{ is NaN, else } 0

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input : array_like
        That of :func:`convx.functional.relu`, in float16, float32 or float64.
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
    >>> from convx import grad
    >>> grad.relu([1.0, 1.0, 1.0], [-1.0, 0.0, 2.0])
    array([0., 0., 1.])
    """
    return _op.activation_gradient("relu", grad_output, input, out=out)


def relu6(grad_output: object, input: object, *, out: object = None) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.relu6` with respect to its input.

    .. math::
        \bar x = \bar y \text{ where } 0 < x < 6, \text{ else } 0

    Parameters, results and errors are those of :func:`relu`.

    Examples
    --------
    >>> from convx import grad
    >>> grad.relu6([1.0, 1.0, 1.0], [-1.0, 3.0, 8.0])
    array([0., 1., 0.])
    """
    return _op.activation_gradient("relu6", grad_output, input, out=out)


def hardtanh(
    grad_output: object,
    input: object,
    min_val: object = -1.0,
    max_val: object = 1.0,
    *,
    out: object = None,
) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.hardtanh` with respect to its input.

    .. math::
        \bar x = \bar y \text{ where } \mathit{min\_val} < x < \mathit{max\_val}, \text{ else } 0

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input : array_like
        That of :func:`convx.functional.hardtanh`, in float16, float32 or float64.
    min_val, max_val : float, default -1 and 1
        The bounds. For integers they are cut to whole numbers, which the dtype must hold.
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
    >>> from convx import grad
    >>> grad.hardtanh([1.0, 1.0, 1.0], [-3.0, 0.5, 2.0])
    array([0., 1., 0.])
    """
    return _op.activation_gradient(
        "hardtanh", grad_output, input, _op.hardtanh_given(min_val, max_val), out=out
    )


def leaky_relu(
    grad_output: object, input: object, negative_slope: object = 0.01, *, out: object = None
) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.leaky_relu` with respect to its input.

    .. math::
        \bar x = \bar y \text{ where } x > 0, \text{ else } \mathit{negative\_slope} \cdot \bar y

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input : array_like
        That of :func:`convx.functional.leaky_relu`, in float16, float32 or float64.
    negative_slope : float, default 0.01
        The slope; it must be finite.
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
    >>> from convx import grad
    >>> grad.leaky_relu([1.0, 1.0, 1.0], [-1.0, 0.0, 2.0])
    array([0.01, 0.01, 1.  ])
    """
    return _op.activation_gradient(
        "leaky_relu", grad_output, input, _op.leaky_relu_given(negative_slope), out=out
    )


def elu(
    grad_output: object, input: object, alpha: object = 1.0, *, out: object = None
) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.elu` with respect to its input.

    .. math::
        \bar x = \bar y \text{ where } x > 0, \text{ else } \alpha e^x \bar y

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input : array_like
        That of :func:`convx.functional.elu`, in float16, float32 or float64.
    alpha : float, default 1
        Minus the limit at minus infinity.
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
    >>> grad.elu([1.0, 1.0, 1.0], [-np.inf, 0.0, 2.0])
    array([0., 1., 1.])
    """
    return _op.activation_gradient("elu", grad_output, input, _op.elu_given(alpha), out=out)


def celu(
    grad_output: object, input: object, alpha: object = 1.0, *, out: object = None
) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.celu` with respect to its input.

    .. math::
        \bar x = \bar y \text{ where } x > 0, \text{ else } e^{x / \alpha} \bar y

    Parameters, results and errors are those of :func:`elu`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.celu([1.0, 1.0, 1.0], [-np.inf, 0.0, 2.0])
    array([0., 1., 1.])
    """
    return _op.activation_gradient("elu", grad_output, input, _op.celu_given(alpha), out=out)


def selu(grad_output: object, input: object, *, out: object = None) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.selu` with respect to its input.

    .. math::
        \bar x = s \bar y \text{ where } x > 0, \text{ else } s \alpha e^x \bar y

    Parameters, results and errors are those of :func:`relu`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.selu([1.0, 1.0, 1.0], [-np.inf, 0.0, 2.0])
    array([0.        , 1.75809934, 1.05070099])
    """
    return _op.activation_gradient("elu", grad_output, input, _op.selu_given(), out=out)


def silu(grad_output: object, input: object, *, out: object = None) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.silu` with respect to its input.

    .. math::
        \bar x = \bar y \, \sigma(x) (1 + x \sigma(-x))

    Parameters, results and errors are those of :func:`relu`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.silu([1.0, 1.0, 1.0], [-np.inf, 0.0, 40.0])
    array([0. , 0.5, 1. ])
    """
    return _op.activation_gradient("silu", grad_output, input, out=out)


def mish(grad_output: object, input: object, *, out: object = None) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.mish` with respect to its input.

    .. math::
        \bar x = \bar y \, (t + x \sigma(x) (1 - t^2)), \quad t = \tanh(\log(1 + e^x))

    Parameters, results and errors are those of :func:`relu`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.mish([1.0, 1.0, 1.0], [-np.inf, 0.0, 40.0])
    array([0. , 0.6, 1. ])
    """
    return _op.activation_gradient("mish", grad_output, input, out=out)


def hardsigmoid(grad_output: object, input: object, *, out: object = None) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.hardsigmoid` with respect to its input.

    .. math::
        \bar x = \bar y / 6 \text{ where } -3 < x < 3, \text{ else } 0

    Parameters, results and errors are those of :func:`relu`.

    Examples
    --------
    >>> from convx import grad
    >>> grad.hardsigmoid([1.0, 1.0, 1.0], [-4.0, 0.0, 4.0])
    array([0.        , 0.16666667, 0.        ])
    """
    return _op.activation_gradient("hardsigmoid", grad_output, input, out=out)


def hardswish(grad_output: object, input: object, *, out: object = None) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.hardswish` with respect to its input.

    .. math::
        \bar x = \bar y \, (x / 3 + 1 / 2) \text{ where } -3 < x < 3, \;
        \bar y \text{ above}, \; 0 \text{ below}

    Parameters, results and errors are those of :func:`relu`.

    Examples
    --------
    >>> from convx import grad
    >>> grad.hardswish([1.0, 1.0, 1.0], [-4.0, 0.0, 4.0])
    array([0. , 0.5, 1. ])
    """
    return _op.activation_gradient("hardswish", grad_output, input, out=out)
