"""Windows as columns, and shuffles, as in :mod:`torch.nn.functional`."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import folding as _folding


def unfold(
    input: object,
    kernel_size: object,
    dilation: object = 1,
    padding: object = 0,
    stride: object = 1,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Lay out all windows of an array as the columns of a matrix (im2col).

    Parameters
    ----------
    input : array_like
        Shape (N, C, *spatial) or (C, *spatial), of any dtype but those with Python objects.
    kernel_size : int or sequence of int
        Samples of a window. As many spatial axes as there are entries; an integer means two, as in
        PyTorch.
    dilation, stride : int or sequence of int, optional
        Distances between the samples of a window, and from one window to the next.
    padding : int or sequence of int, optional
        Zeros put before and after each axis.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Shape (N, C * taps, positions), or without N: a column for each position of the window, in
        it for each channel the samples of the window, both in C order.

    Raises
    ------
    TypeError
        If an argument is of the wrong type.
    ValueError
        If shapes do not fit, or an option is out of range.
    MemoryError
        If the result, or the input with its zeros, is larger than the machine's memory.

    See Also
    --------
    fold : Its adjoint.
    convx.grad.unfold : Its gradient.

    Notes
    -----
    Like ``torch.nn.functional.unfold``, for any number of spatial axes. A convolution is a product
    with this matrix, but :func:`conv_nd` never makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.unfold(np.arange(9).reshape(1, 3, 3), 2)
    array([[0, 1, 3, 4],
           [1, 2, 4, 5],
           [3, 4, 6, 7],
           [4, 5, 7, 8]])
    """
    return _folding.unfold(input, (kernel_size, dilation, padding, stride), out)


def fold(
    input: object,
    output_size: object,
    kernel_size: object,
    dilation: object = 1,
    padding: object = 0,
    stride: object = 1,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Sum up columns where their windows stand in an array (col2im).

    Parameters
    ----------
    input : array_like
        Shape (N, C * taps, positions), or without N, as :func:`unfold` makes it.
    output_size : int or sequence of int
        The spatial sizes; their number tells the rank. If it is an integer, `kernel_size` does; if
        both are, there are two axes, as in PyTorch.
    kernel_size, dilation, padding, stride : int or sequence of int
        As those of :func:`unfold`.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Shape (N, C, *output_size), or without N, of the input's dtype. Where windows overlap, it
        has their sum; where there is none, 0. float16 is computed in float32. The order of the
        sums depends on shapes alone.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As :func:`unfold`, and if the input has not as many rows or columns as the windows ask for.

    See Also
    --------
    unfold : Its adjoint.
    convx.grad.fold : Its gradient.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> columns = F.unfold(np.ones((1, 3, 3)), 2)
    >>> F.fold(columns, 3, 2)
    array([[[1., 2., 1.],
            [2., 4., 2.],
            [1., 2., 1.]]])
    """
    return _folding.fold(input, output_size, (kernel_size, dilation, padding, stride), out)


def pixel_shuffle(input: object, upscale_factor: object, *, out: object = None) -> NDArray[Any]:
    """Spread groups of channels out in space: r² channels become tiles of r by r pixels.

    Parameters
    ----------
    input : array_like
        Shape (..., C * r², H, W), of any dtype but those with Python objects.
    upscale_factor : int or sequence of int
        r; or one for each spatial axis, of which there are then as many.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Shape (..., C, H * r, W * r).

    Raises
    ------
    TypeError
        If the factor is no integer.
    ValueError
        If it is not positive, or r² does not divide the channels.

    See Also
    --------
    pixel_unshuffle : The way back, which is also the gradient.

    Notes
    -----
    Like ``torch.nn.functional.pixel_shuffle``, for any number of axes.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.pixel_shuffle(np.arange(8).reshape(4, 1, 2), 2)
    array([[[0, 2, 1, 3],
            [4, 6, 5, 7]]])
    """
    return _folding.pixel_shuffle(input, upscale_factor, out)


def pixel_unshuffle(input: object, downscale_factor: object, *, out: object = None) -> NDArray[Any]:
    """Collect tiles of r by r pixels as r² channels.

    Parameters
    ----------
    input : array_like
        Shape (..., C, H * r, W * r), of any dtype but those with Python objects.
    downscale_factor : int or sequence of int
        r; or one for each spatial axis, of which there are then as many.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Shape (..., C * r², H, W).

    Raises
    ------
    TypeError
        If the factor is no integer.
    ValueError
        If it is not positive, or does not divide the sizes.

    See Also
    --------
    pixel_shuffle : The way back, which is also the gradient.

    Notes
    -----
    Like ``torch.nn.functional.pixel_unshuffle``, for any number of axes.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.pixel_unshuffle(np.arange(8).reshape(1, 2, 4), 2)
    array([[[0, 2]],
    <BLANKLINE>
           [[1, 3]],
    <BLANKLINE>
           [[4, 6]],
    <BLANKLINE>
           [[5, 7]]])
    """
    return _folding.pixel_unshuffle(input, downscale_factor, out)


def channel_shuffle(input: object, groups: object, *, out: object = None) -> NDArray[Any]:
    """Deal the channels of each group out to all groups, as one deals cards.

    Parameters
    ----------
    input : array_like
        Shape (N, C, *spatial), of any dtype but those with Python objects.
    groups : int
        A divisor of C.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Of the input's shape: channel ``i * groups + j`` is channel ``i`` of group ``j``.

    Raises
    ------
    TypeError
        If `groups` is no integer.
    ValueError
        If it is not positive, or does not divide the channels; if there is no spatial axis.

    See Also
    --------
    convx.grad.channel_shuffle : Its gradient.

    Notes
    -----
    Like ``torch.channel_shuffle``. It lets the groups of one grouped convolution meet in the next.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.channel_shuffle(np.arange(6).reshape(1, 6, 1), 2).ravel()
    array([0, 3, 1, 4, 2, 5])
    """
    return _folding.channel_shuffle(input, groups, out)
