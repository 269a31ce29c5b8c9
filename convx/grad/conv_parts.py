"""One gradient of a convolution alone, in the order of arguments of :mod:`torch.nn.grad`."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from convx._ops import conv as _conv


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
        As :func:`convx.grad.conv_nd`.

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
        As :func:`convx.grad.conv_nd`.

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
    >>> w, dy = np.ones((2, 1, 2)), np.ones((1, 2, 2))
    >>> grad.conv1d_input((1, 1, 3), w, dy).sum()
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
    >>> x, dy = np.ones((1, 1, 3)), np.ones((1, 2, 2))
    >>> grad.conv1d_weight(x, (2, 1, 2), dy).sum()
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
    >>> w, dy = np.ones((2, 1, 2, 2)), np.ones((1, 2, 2, 2))
    >>> grad.conv2d_input((1, 1, 3, 3), w, dy).sum()
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
    >>> x, dy = np.ones((1, 1, 3, 3)), np.ones((1, 2, 2, 2))
    >>> grad.conv2d_weight(x, (2, 1, 2, 2), dy).sum()
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
    >>> w, dy = np.ones((2, 1, 2, 2, 2)), np.ones((1, 2, 2, 2, 2))
    >>> grad.conv3d_input((1, 1, 3, 3, 3), w, dy).sum()
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
    >>> x, dy = np.ones((1, 1, 3, 3, 3)), np.ones((1, 2, 2, 2, 2))
    >>> grad.conv3d_weight(x, (2, 1, 2, 2, 2), dy).sum()
    np.float64(128.0)
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv_weight(3, input, weight_size, grad_output, given)
