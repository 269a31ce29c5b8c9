"""Gradients of the convolutions: vector-Jacobian products under the names of the functions.

Each takes the gradient of the output and the arguments of the function, and returns a gradient for
each array among them. Products are not conjugated: for complex arrays the gradients are the
transposes of the linear maps, as their formulas are written.
"""

from convx._ops import conv as _conv
from convx._ops.conv import Gradients


def conv_nd(
    grad_output: object,
    input: object,
    weight: object,
    bias: object = None,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
    input_gradient: object = True,
) -> Gradients:
    r"""Gradients of :func:`convx.functional.conv_nd` with respect to input, weight and bias.

    .. math::
        \bar x_{n,c,i} = \sum_{k,t} w_{k,c,t} \, \bar y_{n,k,(i + l - t d)/s}, \quad
        \bar w_{k,c,t} = \sum_{n,p} \bar y_{n,k,p} \, x_{n,c,\, p s + t d - l}, \quad
        \bar b_k = \sum_{n,p} \bar y_{n,k,p}

    The first is the full convolution with the kernel turned by 180°.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input, weight, bias, stride, padding, dilation, groups, padding_mode, algorithm
        The arguments of :func:`convx.functional.conv_nd`.
    input_gradient : bool, default True
        Whether the gradient of the input is wanted; else there is None in its place.

    Returns
    -------
    grad_input, grad_weight : ndarray
        Of the shapes of input and weight, in the dtype that NumPy promotes those of the arrays to.
    grad_bias : ndarray or None
        Of the shape of bias; None without one.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As :func:`convx.functional.conv_nd`; ValueError too if the shape of `grad_output` is not
        that of the output.

    Examples
    --------
    >>> from convx import grad
    >>> dx, dw, db = grad.conv_nd([[1.0, 1.0]], [[1.0, 2.0, 3.0]], [[[1.0, 10.0]]])
    >>> dx
    array([[ 1., 11., 10.]])
    >>> dw
    array([[[3., 5.]]])
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv_gradients(None, grad_output, input, weight, bias, given, input_gradient)


def conv1d(
    grad_output: object,
    input: object,
    weight: object,
    bias: object = None,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
    input_gradient: object = True,
) -> Gradients:
    """Gradients of :func:`convx.functional.conv1d` with respect to input, weight and bias.

    Parameters, results and errors are those of :func:`conv_nd`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> x, w, dy = np.ones((1, 1, 3)), np.ones((2, 1, 2)), np.ones((1, 2, 2))
    >>> dx, dw, db = grad.conv1d(dy, x, w)
    >>> dw.shape
    (2, 1, 2)
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv_gradients(1, grad_output, input, weight, bias, given, input_gradient)


def conv2d(
    grad_output: object,
    input: object,
    weight: object,
    bias: object = None,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
    input_gradient: object = True,
) -> Gradients:
    """Gradients of :func:`convx.functional.conv2d` with respect to input, weight and bias.

    Parameters, results and errors are those of :func:`conv_nd`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> x, w, dy = np.ones((1, 1, 3, 3)), np.ones((2, 1, 2, 2)), np.ones((1, 2, 2, 2))
    >>> dx, dw, db = grad.conv2d(dy, x, w)
    >>> dw.shape
    (2, 1, 2, 2)
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv_gradients(2, grad_output, input, weight, bias, given, input_gradient)


def conv3d(
    grad_output: object,
    input: object,
    weight: object,
    bias: object = None,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
    input_gradient: object = True,
) -> Gradients:
    """Gradients of :func:`convx.functional.conv3d` with respect to input, weight and bias.

    Parameters, results and errors are those of :func:`conv_nd`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> x, w, dy = np.ones((1, 1, 3, 3, 3)), np.ones((2, 1, 2, 2, 2)), np.ones((1, 2, 2, 2, 2))
    >>> dx, dw, db = grad.conv3d(dy, x, w)
    >>> dw.shape
    (2, 1, 2, 2, 2)
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv_gradients(3, grad_output, input, weight, bias, given, input_gradient)


def conv_transpose_nd(
    grad_output: object,
    input: object,
    weight: object,
    bias: object = None,
    stride: object = 1,
    padding: object = 0,
    output_padding: object = 0,
    groups: object = 1,
    dilation: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
    input_gradient: object = True,
) -> Gradients:
    """Gradients of :func:`convx.functional.conv_transpose_nd`: input, weight and bias.

    That of the input is the convolution of `grad_output`; that of the weight is the convolution's,
    with input and output changed round.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input, weight, bias, stride, padding, output_padding, groups, dilation, padding_mode, algorithm
        The arguments of :func:`convx.functional.conv_transpose_nd`.
    input_gradient : bool, default True
        Whether the gradient of the input is wanted; else there is None in its place.

    Returns
    -------
    grad_input, grad_weight : ndarray
        Of the shapes of input and weight, in the dtype that NumPy promotes those of the arrays to.
    grad_bias : ndarray or None
        Of the shape of bias; None without one.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As :func:`convx.functional.conv_transpose_nd`; ValueError too if the shape of `grad_output`
        is not that of the output.

    Examples
    --------
    >>> from convx import grad
    >>> dx, dw, db = grad.conv_transpose_nd([[1.0, 2.0, 3.0]], [[1.0, 1.0]], [[[1.0, 10.0]]])
    >>> dx
    array([[21., 32.]])
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm, output_padding)
    return _conv.conv_transpose_gradients(
        None, grad_output, input, weight, bias, given, input_gradient
    )


def conv_transpose1d(
    grad_output: object,
    input: object,
    weight: object,
    bias: object = None,
    stride: object = 1,
    padding: object = 0,
    output_padding: object = 0,
    groups: object = 1,
    dilation: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
    input_gradient: object = True,
) -> Gradients:
    """Gradients of :func:`convx.functional.conv_transpose1d`: input, weight and bias.

    Parameters, results and errors are those of :func:`conv_transpose_nd`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> x, w, dy = np.ones((1, 2, 2)), np.ones((2, 1, 2)), np.ones((1, 1, 3))
    >>> dx, dw, db = grad.conv_transpose1d(dy, x, w)
    >>> dx.shape
    (1, 2, 2)
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm, output_padding)
    return _conv.conv_transpose_gradients(
        1, grad_output, input, weight, bias, given, input_gradient
    )


def conv_transpose2d(
    grad_output: object,
    input: object,
    weight: object,
    bias: object = None,
    stride: object = 1,
    padding: object = 0,
    output_padding: object = 0,
    groups: object = 1,
    dilation: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
    input_gradient: object = True,
) -> Gradients:
    """Gradients of :func:`convx.functional.conv_transpose2d`: input, weight and bias.

    Parameters, results and errors are those of :func:`conv_transpose_nd`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> x, w, dy = np.ones((1, 2, 2, 2)), np.ones((2, 1, 2, 2)), np.ones((1, 1, 3, 3))
    >>> dx, dw, db = grad.conv_transpose2d(dy, x, w)
    >>> dx.shape
    (1, 2, 2, 2)
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm, output_padding)
    return _conv.conv_transpose_gradients(
        2, grad_output, input, weight, bias, given, input_gradient
    )


def conv_transpose3d(
    grad_output: object,
    input: object,
    weight: object,
    bias: object = None,
    stride: object = 1,
    padding: object = 0,
    output_padding: object = 0,
    groups: object = 1,
    dilation: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
    input_gradient: object = True,
) -> Gradients:
    """Gradients of :func:`convx.functional.conv_transpose3d`: input, weight and bias.

    Parameters, results and errors are those of :func:`conv_transpose_nd`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> x, w, dy = np.ones((1, 2, 2, 2, 2)), np.ones((2, 1, 2, 2, 2)), np.ones((1, 1, 3, 3, 3))
    >>> dx, dw, db = grad.conv_transpose3d(dy, x, w)
    >>> dx.shape
    (1, 2, 2, 2, 2)
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm, output_padding)
    return _conv.conv_transpose_gradients(
        3, grad_output, input, weight, bias, given, input_gradient
    )
