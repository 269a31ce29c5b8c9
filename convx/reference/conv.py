"""Convolution, transposed convolution and their gradients: one sum, seen from three sides.

Take three arrays (``n`` counts the items of a batch, ``g`` the groups, ``c`` and ``k`` the input
and output channels of a group, ``p`` the output positions, ``t`` the taps of the kernel; ``p`` and
``t`` have one component for each spatial axis) and add up

    T(x, w, y) = sum of  y[n, g, k, p] * w[g, k, c, t] * pad(x)[n, g, c, p*stride + t*dilation]

over everything. T is linear in each of the three, and its derivatives are all there is:

- by y: the convolution of x with w (`conv_nd`);
- by x: the gradient of the input where y is that of the output (`conv_nd_input`), which is also
  the transposed convolution of y with w (`conv_transpose_nd`);
- by w: the gradient of the weight (`conv_nd_weight`).

Each is a loop over the taps. The samples that one tap meets, one for every output position, are a
strided slice of the padded array, and the sum over channels is a product of matrices. As in
PyTorch channels come before the spatial axes, the batch axis may be left out, and the kernel is
not flipped; complex numbers are never conjugated.
"""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convx.reference.boundary import pad, unpad

__all__ = [
    "conv_nd",
    "conv_nd_grad",
    "conv_nd_input",
    "conv_nd_weight",
    "conv_transpose_nd",
    "conv_transpose_nd_grad",
]

Array = NDArray[Any]
Ints = int | Sequence[int]
Padding = str | int | Sequence[int] | Sequence[tuple[int, int]]


def conv_nd(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
    groups: int = 1,
    *,
    padding_mode: str = "zeros",
) -> Array:
    """Convolve (cross-correlate) over any number of spatial axes.

    ``output[n, g, k, p] = bias[g, k]
    + sum over c, t of weight[g, k, c, t] * pad(input)[n, g, c, p*stride + t*dilation]``

    Parameters
    ----------
    input : ndarray, shape (N, Cin, *size) or (Cin, *size)
    weight : ndarray, shape (Cout, Cin/groups, *kernel)
    bias : ndarray, shape (Cout,), optional
    stride, dilation : int or one int for each spatial axis, default 1
        Distance between output positions, and between taps, in samples of the input.
    padding : int, one int or (low, high) for each spatial axis, 'valid' or 'same', default 0
        Samples added at the edges. 'same' adds ``dilation*(kernel - 1)`` to each axis, the
        smaller half before; 'valid' adds none.
    groups : int, default 1
        Number of groups of channels; every group is convolved by itself.
    padding_mode : str, default 'zeros'
        What is added at the edges, see `pad_indices`.

    Returns
    -------
    ndarray, shape (N, Cout, *out) or (Cout, *out)
        ``out = (low + size + high - dilation*(kernel - 1) - 1) // stride + 1`` on each axis.

    Examples
    --------
    >>> squares, slope = np.array([[0, 1, 4, 9, 16]]), np.array([[[-1, 0, 1]]])
    >>> conv_nd(squares, slope)
    array([[ 4,  8, 12]])
    >>> conv_nd(squares, slope, np.array([10]), stride=2, padding=1, padding_mode="replicate")
    array([[11, 18, 17]])
    """
    input, weight, bias = _promote(input, weight, bias)
    kernel = np.array(weight.shape[2:])
    rank = len(kernel)
    padded = pad(input, _pads(padding, kernel, dilation), padding_mode)
    out = (np.array(padded.shape[-rank:]) - (kernel - 1) * dilation - 1) // stride + 1
    output = np.zeros((*input.shape[: -rank - 1], len(weight), *out), input.dtype)
    weight = _by_group(weight, groups)
    for tap, window in _taps(kernel, out, stride, dilation):
        output += (weight[tap] @ _rows(padded[window], groups, rank)).reshape(output.shape)
    return output if bias is None else output + bias.reshape(-1, *[1] * rank)


def conv_nd_input(
    input_size: Sequence[int],
    weight: Array,
    grad_output: Array,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
    groups: int = 1,
    *,
    padding_mode: str = "zeros",
) -> Array:
    """Carry a gradient from the output of `conv_nd` back to its input.

    ``pad(grad_input)[n, g, c, p*stride + t*dilation]
    += sum over k of weight[g, k, c, t] * grad_output[n, g, k, p]`` for all p and t; then the halo
    is cropped, or folded back to the samples of which it was a copy (`unpad`).

    Parameters
    ----------
    input_size : sequence of int
        Shape of the input, (N, Cin, *size) or (Cin, *size).
    weight : ndarray, shape (Cout, Cin/groups, *kernel)
    grad_output : ndarray, shape (N, Cout, *out) or (Cout, *out)
    stride, padding, dilation, groups, padding_mode
        As in `conv_nd`.

    Returns
    -------
    ndarray, shape `input_size`

    Examples
    --------
    >>> conv_nd_input((1, 5), np.array([[[1, 10, 100]]]), np.array([[1, 2]]), stride=2)
    array([[  1,  10, 102,  20, 200]])
    """
    weight, grad_output = _promote(weight, grad_output)
    kernel = np.array(weight.shape[2:])
    rank = len(kernel)
    pads = _pads(padding, kernel, dilation)
    size = tuple(input_size[-rank:])
    padded = np.zeros((*input_size[:-rank], *(pads.sum(1) + size)), weight.dtype)
    weight, rows = _by_group(weight, groups), _rows(grad_output, groups, rank)
    for tap, window in _taps(kernel, grad_output.shape[-rank:], stride, dilation):
        padded[window] += (weight[tap].mT @ rows).reshape(padded[window].shape)
    return unpad(padded, size, pads, padding_mode)


def conv_nd_weight(
    input: Array,
    weight_size: Sequence[int],
    grad_output: Array,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
    groups: int = 1,
    *,
    padding_mode: str = "zeros",
) -> Array:
    """Carry a gradient from the output of `conv_nd` back to its weight.

    ``grad_weight[g, k, c, t]
    = sum over n, p of grad_output[n, g, k, p] * pad(input)[n, g, c, p*stride + t*dilation]``

    Parameters
    ----------
    input : ndarray, shape (N, Cin, *size) or (Cin, *size)
    weight_size : sequence of int
        Shape of the weight, (Cout, Cin/groups, *kernel).
    grad_output : ndarray, shape (N, Cout, *out) or (Cout, *out)
    stride, padding, dilation, groups, padding_mode
        As in `conv_nd`.

    Returns
    -------
    ndarray, shape `weight_size`

    Examples
    --------
    >>> conv_nd_weight(np.array([[0, 1, 4, 9, 16]]), (1, 1, 3), np.array([[1, 0, 10]]))
    array([[[ 40,  91, 164]]])
    """
    input, grad_output = _promote(input, grad_output)
    kernel = np.array(weight_size[2:])
    rank = len(kernel)
    padded = pad(input, _pads(padding, kernel, dilation), padding_mode)
    grad_weight = _by_group(np.zeros(weight_size, input.dtype), groups)
    rows = _rows(grad_output, groups, rank)
    for tap, window in _taps(kernel, grad_output.shape[-rank:], stride, dilation):
        products = rows @ _rows(padded[window], groups, rank).mT
        items = tuple(range(products.ndim - 3))
        grad_weight[tap] = products.sum(items)
    return grad_weight.reshape(weight_size)


def conv_nd_grad(
    grad_output: Array,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
    groups: int = 1,
    *,
    padding_mode: str = "zeros",
) -> tuple[Array, Array, Array | None]:
    """Carry a gradient from the output of `conv_nd` back to all of its arrays.

    ``grad_bias[k] = sum over n, p of grad_output[n, k, p]``; for the other two see
    `conv_nd_input` and `conv_nd_weight`.

    Parameters
    ----------
    grad_output : ndarray, shape (N, Cout, *out) or (Cout, *out)
    input, weight, bias, stride, padding, dilation, groups, padding_mode
        The arguments of `conv_nd`.

    Returns
    -------
    grad_input, grad_weight, grad_bias : ndarray
        With the shapes of `input`, `weight` and `bias`; the last is None if `bias` is.

    Examples
    --------
    >>> x, w, y = np.array([[1, 2, 3]]), np.array([[[1, 10]]]), np.array([[1, 2]])
    >>> conv_nd_grad(y, x, w, np.array([0]))
    (array([[ 1, 12, 20]]), array([[[5, 8]]]), array([3]))
    """
    options = (stride, padding, dilation, groups)
    return (
        conv_nd_input(input.shape, weight, grad_output, *options, padding_mode=padding_mode),
        conv_nd_weight(input, weight.shape, grad_output, *options, padding_mode=padding_mode),
        None if bias is None else _grad_bias(grad_output, weight.ndim - 2),
    )


def conv_transpose_nd(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
    *,
    padding_mode: str = "zeros",
) -> Array:
    """Transpose a convolution: every input sample adds a multiple of the kernel to the output.

    ``pad(output)[n, g, k, p*stride + t*dilation]
    += sum over c of weight[g, c, k, t] * input[n, g, c, p]`` for all p and t; then the halo is
    cropped or folded back as in `conv_nd_input`, and the bias is added. Without a bias, and with
    the same options, ``sum(conv_nd(x, weight) * y) == sum(x * conv_transpose_nd(y, weight))``.

    Parameters
    ----------
    input : ndarray, shape (N, Cin, *size) or (Cin, *size)
    weight : ndarray, shape (Cin, Cout/groups, *kernel)
    bias : ndarray, shape (Cout,), optional
    output_padding : int or one int for each spatial axis, default 0
        Additional length at the end of the output.
    stride, padding, groups, dilation, padding_mode
        Those of the `conv_nd` that leads from the output back to the input.

    Returns
    -------
    ndarray, shape (N, Cout, *out) or (Cout, *out)
        ``out = (size - 1)*stride + dilation*(kernel - 1) + 1 + output_padding - low - high``.

    Examples
    --------
    >>> conv_transpose_nd(np.array([[1, 2]]), np.array([[[1, 10, 100]]]), stride=2)
    array([[  1,  10, 102,  20, 200]])
    >>> conv_transpose_nd(np.array([[1, 2]]), np.array([[[1, 10, 100]]]), stride=2, padding=1)
    array([[ 10, 102,  20]])
    """
    input, weight, bias = _promote(input, weight, bias)
    kernel = np.array(weight.shape[2:])
    rank = len(kernel)
    halo = _pads(padding, kernel, dilation).sum(1)
    size = np.array(input.shape[-rank:])
    out = (size - 1) * stride + (kernel - 1) * dilation + 1 + output_padding - halo
    output = conv_nd_input(
        (*input.shape[: -rank - 1], weight.shape[1] * groups, *out),
        *(weight, input, stride, padding, dilation, groups),
        padding_mode=padding_mode,
    )
    return output if bias is None else output + bias.reshape(-1, *[1] * rank)


def conv_transpose_nd_grad(
    grad_output: Array,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
    *,
    padding_mode: str = "zeros",
) -> tuple[Array, Array, Array | None]:
    """Carry a gradient from the output of `conv_transpose_nd` back to all of its arrays.

    The transpose of the transpose is the convolution: ``grad_input = conv_nd(grad_output,
    weight)``, cut to the size of the input where `output_padding` leaves room for more. In the
    gradient of the weight, too, the output takes the part that the input has in `conv_nd`.

    Parameters
    ----------
    grad_output : ndarray, shape (N, Cout, *out) or (Cout, *out)
    input, weight, bias, stride, padding, output_padding, groups, dilation, padding_mode
        The arguments of `conv_transpose_nd`.

    Returns
    -------
    grad_input, grad_weight, grad_bias : ndarray
        With the shapes of `input`, `weight` and `bias`; the last is None if `bias` is.

    Examples
    --------
    >>> x, w, y = np.array([[1, 2]]), np.array([[[1, 10]]]), np.array([[1, 2, 3]])
    >>> conv_transpose_nd_grad(y, x, w, np.array([0]))
    (array([[21, 32]]), array([[[5, 8]]]), array([6]))
    """
    rank = weight.ndim - 2
    options = (stride, padding, dilation, groups)
    grad_input = conv_nd(grad_output, weight, None, *options, padding_mode=padding_mode)
    inside: Any = (..., *map(slice, input.shape[-rank:]))
    return (
        grad_input[inside],
        conv_nd_weight(grad_output, weight.shape, input, *options, padding_mode=padding_mode),
        None if bias is None else _grad_bias(grad_output, rank),
    )


def _grad_bias(grad_output: Array, rank: int) -> Array:
    """Sum over everything but the channels."""
    channel = grad_output.ndim - rank - 1
    others = tuple(axis for axis in range(grad_output.ndim) if axis != channel)
    return np.asarray(grad_output.sum(others, dtype=grad_output.dtype))


def _taps(
    kernel: Array, out: Array | tuple[int, ...], stride: Ints, dilation: Ints
) -> Iterator[tuple[Any, Any]]:
    """Yield the index of every tap, and that of the samples it meets in the padded array."""
    steps = np.broadcast_to(stride, len(kernel))
    for tap in np.ndindex(*kernel):
        start = np.multiply(tap, dilation)
        yield (..., *tap), (..., *map(slice, start, start + out * steps, steps))


def _by_group(weight: Array, groups: int) -> Array:
    """View (K, C, *kernel) as (groups, K/groups, C, *kernel), a matrix for each group and tap."""
    return weight.reshape(groups, len(weight) // groups, *weight.shape[1:])


def _rows(array: Array, groups: int, rank: int) -> Array:
    """Reshape (..., C, *size) to (..., groups, C/groups, samples), a row for each channel."""
    *batch, channels = array.shape[:-rank]
    return array.reshape(*batch, groups, channels // groups, prod(array.shape[-rank:]))


def _pads(padding: Padding, kernel: Array, dilation: Ints) -> Array:
    """Spell padding out as a table with a line (low, high) for each spatial axis."""
    if padding == "same":
        total = (kernel - 1) * dilation
        return np.stack([total // 2, total - total // 2], axis=1)
    pads = np.array(0 if padding == "valid" else padding)
    return np.broadcast_to(pads[:, None] if pads.ndim == 1 else pads, (len(kernel), 2))


def _promote(*arrays: Array | None) -> tuple[Any, ...]:
    """Give all arrays the dtype that NumPy gives to a sum of them; None stays None."""
    dtype = np.result_type(*[array for array in arrays if array is not None])
    return tuple(array if array is None else array.astype(dtype) for array in arrays)
