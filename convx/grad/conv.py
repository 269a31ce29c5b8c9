"""Gradients of the convolutions: vector-Jacobian products under the names of the functions.

Each takes the gradient of the output and the arguments of the function, and returns a gradient for
each array among them. Products are not conjugated: for complex arrays the gradients are the
transposes of the linear maps, as their formulas are written.
"""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

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
) -> Gradients:
    r"""Gradients of :func:`convx.functional.conv_nd` with respect to input, weight and bias.

    .. math::
        \frac{\partial}{\partial x_{n,c,i}} = \sum_{k,t} w_{k,c,t} \, g_{n,k,(i + l - t d)/s}, \quad
        \frac{\partial}{\partial w_{k,c,t}} = \sum_{n,p} g_{n,k,p} \, x_{n,c,\, p s + t d - l}, \quad
        \frac{\partial}{\partial b_k} = \sum_{n,p} g_{n,k,p}

    The first is the full convolution with the kernel turned by 180°.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input, weight, bias, stride, padding, dilation, groups, padding_mode, algorithm
        The arguments of :func:`convx.functional.conv_nd`.

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
    return _conv.conv_gradients(None, grad_output, input, weight, bias, given)


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
) -> Gradients:
    """Gradients of :func:`convx.functional.conv1d` with respect to input, weight and bias.

    Parameters, results and errors are those of :func:`conv_nd`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> dx, dw, db = grad.conv1d(np.ones((1, 2, 2)), np.ones((1, 1, 3)), np.ones((2, 1, 2)))
    >>> dw.shape
    (2, 1, 2)
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv_gradients(1, grad_output, input, weight, bias, given)


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
) -> Gradients:
    """Gradients of :func:`convx.functional.conv2d` with respect to input, weight and bias.

    Parameters, results and errors are those of :func:`conv_nd`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> dx, dw, db = grad.conv2d(np.ones((1, 2, 2, 2)), np.ones((1, 1, 3, 3)), np.ones((2, 1, 2, 2)))
    >>> dw.shape
    (2, 1, 2, 2)
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv_gradients(2, grad_output, input, weight, bias, given)


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
) -> Gradients:
    """Gradients of :func:`convx.functional.conv3d` with respect to input, weight and bias.

    Parameters, results and errors are those of :func:`conv_nd`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> dx, dw, db = grad.conv3d(np.ones((1, 2, 2, 2, 2)), np.ones((1, 1, 3, 3, 3)), np.ones((2, 1, 2, 2, 2)))
    >>> dw.shape
    (2, 1, 2, 2, 2)
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv_gradients(3, grad_output, input, weight, bias, given)


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
    return _conv.conv_transpose_gradients(None, grad_output, input, weight, bias, given)


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
) -> Gradients:
    """Gradients of :func:`convx.functional.conv_transpose1d`: input, weight and bias.

    Parameters, results and errors are those of :func:`conv_transpose_nd`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> dx, dw, db = grad.conv_transpose1d(np.ones((1, 1, 3)), np.ones((1, 2, 2)), np.ones((2, 1, 2)))
    >>> dx.shape
    (1, 2, 2)
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm, output_padding)
    return _conv.conv_transpose_gradients(1, grad_output, input, weight, bias, given)


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
) -> Gradients:
    """Gradients of :func:`convx.functional.conv_transpose2d`: input, weight and bias.

    Parameters, results and errors are those of :func:`conv_transpose_nd`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> dx, dw, db = grad.conv_transpose2d(np.ones((1, 1, 3, 3)), np.ones((1, 2, 2, 2)), np.ones((2, 1, 2, 2)))
    >>> dx.shape
    (1, 2, 2, 2)
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm, output_padding)
    return _conv.conv_transpose_gradients(2, grad_output, input, weight, bias, given)


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
) -> Gradients:
    """Gradients of :func:`convx.functional.conv_transpose3d`: input, weight and bias.

    Parameters, results and errors are those of :func:`conv_transpose_nd`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> dx, dw, db = grad.conv_transpose3d(np.ones((1, 1, 3, 3, 3)), np.ones((1, 2, 2, 2, 2)), np.ones((2, 1, 2, 2, 2)))
    >>> dx.shape
    (1, 2, 2, 2, 2)
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm, output_padding)
    return _conv.conv_transpose_gradients(3, grad_output, input, weight, bias, given)


def conv_nd_input(
    input_size: Sequence[int],
    weight: object,
    grad_output: object,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
) -> NDArray[Any]:
    """Gradient of :func:`convx.functional.conv_nd` with respect to the input alone.

    Parameters
    ----------
    input_size : sequence of int
        Shape of the input: several inputs may have given the same output.
    weight, stride, padding, dilation, groups, padding_mode, algorithm
        The arguments of :func:`convx.functional.conv_nd`.
    grad_output : array_like
        Gradient with respect to the output, of its shape.

    Returns
    -------
    ndarray
        Of the shape `input_size`.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As :func:`conv_nd`.

    Notes
    -----
    The order of the arguments is that of ``torch.nn.grad.conv2d_input``.

    Examples
    --------
    >>> from convx import grad
    >>> grad.conv_nd_input((1, 4), [[[1.0, 10.0]]], [[1.0, 1.0, 1.0]])
    array([[ 1., 11., 11., 10.]])
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv_input(None, input_size, weight, grad_output, given)


def conv_nd_weight(
    input: object,
    weight_size: Sequence[int],
    grad_output: object,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
) -> NDArray[Any]:
    """Gradient of :func:`convx.functional.conv_nd` with respect to the weight alone.

    Parameters
    ----------
    input, stride, padding, dilation, groups, padding_mode, algorithm
        The arguments of :func:`convx.functional.conv_nd`.
    weight_size : sequence of int
        Shape of the weight.
    grad_output : array_like
        Gradient with respect to the output, of its shape.

    Returns
    -------
    ndarray
        Of the shape `weight_size`.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As :func:`conv_nd`.

    Notes
    -----
    The order of the arguments is that of ``torch.nn.grad.conv2d_weight``. The order of the sum
    depends on shapes alone, not on threads.

    Examples
    --------
    >>> from convx import grad
    >>> grad.conv_nd_weight([[1.0, 2.0, 3.0]], (1, 1, 2), [[1.0, 10.0]])
    array([[[21., 32.]]])
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv_weight(None, input, weight_size, grad_output, given)


def conv1d_input(
    input_size: Sequence[int],
    weight: object,
    grad_output: object,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
) -> NDArray[Any]:
    """Gradient of :func:`convx.functional.conv1d` with respect to the input alone.

    Parameters, results and errors are those of :func:`conv_nd_input`. Like
    ``torch.nn.grad.conv1d_input``.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.conv1d_input((1, 1, 3), np.ones((2, 1, 2)), np.ones((1, 2, 2))).sum()
    np.float64(8.0)
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv_input(1, input_size, weight, grad_output, given)


def conv1d_weight(
    input: object,
    weight_size: Sequence[int],
    grad_output: object,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
) -> NDArray[Any]:
    """Gradient of :func:`convx.functional.conv1d` with respect to the weight alone.

    Parameters, results and errors are those of :func:`conv_nd_weight`. Like
    ``torch.nn.grad.conv1d_weight``.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.conv1d_weight(np.ones((1, 1, 3)), (2, 1, 2), np.ones((1, 2, 2))).sum()
    np.float64(8.0)
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv_weight(1, input, weight_size, grad_output, given)


def conv2d_input(
    input_size: Sequence[int],
    weight: object,
    grad_output: object,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
) -> NDArray[Any]:
    """Gradient of :func:`convx.functional.conv2d` with respect to the input alone.

    Parameters, results and errors are those of :func:`conv_nd_input`. Like
    ``torch.nn.grad.conv2d_input``.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.conv2d_input((1, 1, 3, 3), np.ones((2, 1, 2, 2)), np.ones((1, 2, 2, 2))).sum()
    np.float64(32.0)
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv_input(2, input_size, weight, grad_output, given)


def conv2d_weight(
    input: object,
    weight_size: Sequence[int],
    grad_output: object,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
) -> NDArray[Any]:
    """Gradient of :func:`convx.functional.conv2d` with respect to the weight alone.

    Parameters, results and errors are those of :func:`conv_nd_weight`. Like
    ``torch.nn.grad.conv2d_weight``.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.conv2d_weight(np.ones((1, 1, 3, 3)), (2, 1, 2, 2), np.ones((1, 2, 2, 2))).sum()
    np.float64(32.0)
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv_weight(2, input, weight_size, grad_output, given)


def conv3d_input(
    input_size: Sequence[int],
    weight: object,
    grad_output: object,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
) -> NDArray[Any]:
    """Gradient of :func:`convx.functional.conv3d` with respect to the input alone.

    Parameters, results and errors are those of :func:`conv_nd_input`. Like
    ``torch.nn.grad.conv3d_input``.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.conv3d_input((1, 1, 3, 3, 3), np.ones((2, 1, 2, 2, 2)), np.ones((1, 2, 2, 2, 2))).sum()
    np.float64(128.0)
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv_input(3, input_size, weight, grad_output, given)


def conv3d_weight(
    input: object,
    weight_size: Sequence[int],
    grad_output: object,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: object = 1,
    *,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
) -> NDArray[Any]:
    """Gradient of :func:`convx.functional.conv3d` with respect to the weight alone.

    Parameters, results and errors are those of :func:`conv_nd_weight`. Like
    ``torch.nn.grad.conv3d_weight``.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.conv3d_weight(np.ones((1, 1, 3, 3, 3)), (2, 1, 2, 2, 2), np.ones((1, 2, 2, 2, 2))).sum()
    np.float64(128.0)
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv_weight(3, input, weight_size, grad_output, given)
