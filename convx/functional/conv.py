"""Convolutions under the names, arguments and results of :mod:`torch.nn.functional`.

All of them are cross-correlations, as in neural networks: the kernel is not turned round. Flip it
over its spatial axes, ``weight[:, :, ::-1, ::-1]``, for the convolution of mathematics.
"""

from typing import Any

from numpy.typing import NDArray

from convx._ops import conv as _conv


def conv_nd(
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
    out: object = None,
) -> NDArray[Any]:
    r"""Cross-correlate an input of many channels with kernels, over any number of spatial axes.

    .. math:: y_{n,k,p} = b_k + \sum_{c,t} w_{k,c,t} \, x_{n,c,\, p s + t d - l}

    where *p* and *t* run over positions and taps, *s* is the stride, *d* the dilation and *l* the
    padding before the first sample.

    Parameters
    ----------
    input : array_like
        Shape (N, C, *spatial), or (C, *spatial) for a single item.
    weight : array_like
        Shape (K, C / groups, *kernel). Its spatial axes tell the rank, from 1 to 30.
    bias : array_like, optional
        Shape (K,): added to every output of a channel.
    stride : int or tuple of int, optional
        Samples from one position of the kernel to the next; for all axes, or one for each.
    padding : int, tuple, 'same' or 'valid', optional
        Samples put before and after each axis: for all axes, one for each, or a pair (low, high)
        for each. 'same' pads ``dilation * (kernel - 1)`` in all, the odd one after, so that with
        stride 1 the size stays; 'valid' is 0.
    dilation : int or tuple of int, optional
        Samples from one tap to the next.
    groups : int, optional
        Input and output channels are dealt into so many groups that do not mix. As many as input
        channels is a depthwise convolution.
    padding_mode : {'zeros', 'reflect', 'symmetric', 'replicate', 'circular'}, optional
        What the padding holds, as :func:`numpy.pad` understands it ('replicate' is its 'edge',
        'circular' its 'wrap'). It may be wider than the input.
    algorithm : {'auto', 'direct', 'winograd', 'fft', 'inner_product'}, optional
        'direct' sums products one by one, in the order of (channel, tap). The others transform
        tiles along the last axis or the last two, in float32 and float64: 'winograd' for kernels
        of 2 to 24 taps along these axes, with a stride of more taps than that, or of 3 to 5 with
        dilation; 'fft' for kernels of any size with few channels in a group, if the stride is 1.
        'inner_product' is for kernels of one tap without padding and groups, in the same types: two
        of three products are computed at once [1]_. Where an algorithm is not to be had, it is
        the direct one. 'auto' takes what is estimated to be fastest, inner products only on
        processors where additions cost nothing beside them (AMD's Zen 4, with AVX-512).
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in. It may overlap the others.

    Returns
    -------
    ndarray
        Shape (N, K, *outputs), without N for a single item, where on each axis there are
        ``floor((size + pads - dilation * (kernel - 1) - 1) / stride) + 1`` outputs. The dtype is
        what NumPy promotes those of the arrays to. float16 is computed in float32. Integers are
        exact and wrap around.

    Raises
    ------
    TypeError
        If an array is of a dtype that is not computed (bool, object, longdouble …), or an option
        is of the wrong type.
    ValueError
        If shapes do not fit one another, or an option is out of range.
    MemoryError
        If the result is larger than the machine's memory.

    See Also
    --------
    convx.grad.conv_nd : Its gradients.
    conv_transpose_nd : Its adjoint.
    convx.prepare_conv : The same with weights that are packed once.

    Notes
    -----
    Names, arguments and results are those of ``torch.nn.functional.conv2d`` and its relatives.
    Besides, 'same' goes with strides, paddings may differ on the two sides, and boundaries are not
    only zeros.

    The result has the same bits for any number of threads, for an item alone and in a batch, and
    by the same algorithm on all processors with fused multiply-add.

    References
    ----------
    .. [1] S. Winograd, "A new algorithm for inner product", IEEE Transactions on Computers C-17
       (1968).

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> x = np.arange(6.0).reshape(1, 6)
    >>> F.conv_nd(x, [[[1.0, 10.0]]], stride=2)
    array([[10., 32., 54.]])
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv(None, input, weight, bias, given, out)


def conv1d(
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
    out: object = None,
) -> NDArray[Any]:
    """Cross-correlate over one axis, an input (N, C, L) with weights (K, C / groups, k).

    Parameters, results and errors are those of :func:`conv_nd`, which also takes a single item
    without N. Like ``torch.nn.functional.conv1d``.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.conv1d([[1.0, 2.0, 3.0, 4.0]], [[[1.0, 10.0]]])
    array([[21., 32., 43.]])
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv(1, input, weight, bias, given, out)


def conv2d(
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
    out: object = None,
) -> NDArray[Any]:
    """Cross-correlate over two axes, an input (N, C, H, W) with weights (K, C / groups, kH, kW).

    Parameters, results and errors are those of :func:`conv_nd`, which also takes a single item
    without N. Like ``torch.nn.functional.conv2d``.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> image = np.arange(9.0).reshape(1, 3, 3)
    >>> diagonal = np.eye(2).reshape(1, 1, 2, 2)
    >>> F.conv2d(image, diagonal)
    array([[[ 4.,  6.],
            [10., 12.]]])
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv(2, input, weight, bias, given, out)


def conv3d(
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
    out: object = None,
) -> NDArray[Any]:
    """Cross-correlate over three axes, an input (N, C, D, H, W) with kernels (kD, kH, kW).

    Parameters, results and errors are those of :func:`conv_nd`, which also takes a single item
    without N. Like ``torch.nn.functional.conv3d``.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> volume = np.ones((1, 3, 3, 3))
    >>> F.conv3d(volume, np.ones((1, 1, 2, 2, 2)), stride=2, padding=1)[0, 1]
    array([[2., 4.],
           [4., 8.]])
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return _conv.conv(3, input, weight, bias, given, out)


def conv_transpose_nd(
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
    out: object = None,
) -> NDArray[Any]:
    r"""Transposed convolution: the adjoint of :func:`conv_nd` with the same weights and options.

    Every input adds the kernel, times its value, to the output around its place,

    .. math:: y_{n,c,\, p s + t d - l} \mathrel{+}= w_{k,c,t} \, x_{n,k,p}

    so that ``(conv_nd(a, w) * b).sum() == (a * conv_transpose_nd(b, w)).sum()``.

    Parameters
    ----------
    input : array_like
        Shape (N, K, *spatial), or (K, *spatial) for a single item.
    weight : array_like
        Shape (K, C / groups, *kernel): what :func:`conv_nd` takes from C to K channels.
    bias : array_like, optional
        Shape (C,): added to every output of a channel.
    stride, dilation : int or tuple of int, optional
        As in :func:`conv_nd`: samples between the places of neighbouring inputs, and between taps.
    padding : int, tuple, 'same' or 'valid', optional
        What :func:`conv_nd` would pad is cropped from the output.
    output_padding : int or tuple of int, optional
        Samples more at the end of each axis: less than stride or dilation, whichever is larger.
    groups : int, optional
        As in :func:`conv_nd`.
    padding_mode : {'zeros', 'reflect', 'symmetric', 'replicate', 'circular'}, optional
        For all but 'zeros' the padding is not cropped but folded back: added to the samples that
        :func:`conv_nd` takes it from. 'circular' gives the periodic transposed convolution.
    algorithm : {'auto', 'direct', 'winograd', 'fft', 'inner_product'}, optional
        As in :func:`conv_nd`; 'winograd' with any stride, for those phases of the result that
        have 2 to 5 taps.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Shape (N, C, *outputs), without N for a single item, where each axis has ``(size - 1) *
        stride - pads + dilation * (kernel - 1) + output_padding + 1`` outputs. Dtypes as in
        :func:`conv_nd`.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As :func:`conv_nd`; ValueError too if nothing is left of the output.

    See Also
    --------
    conv_nd : What it is the adjoint of.
    convx.grad.conv_transpose_nd : Its gradients.

    Notes
    -----
    Like ``torch.nn.functional.conv_transpose2d`` and its relatives, groups before dilation. Each
    output phase is one convolution with the taps that reach it: no zeros are inserted.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.conv_transpose_nd([[1.0, 10.0]], [[[1.0, 2.0]]], stride=2, output_padding=1)
    array([[ 1.,  2., 10., 20.,  0.]])
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm, output_padding)
    return _conv.conv_transpose(None, input, weight, bias, given, out)


def conv_transpose1d(
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
    out: object = None,
) -> NDArray[Any]:
    """Transposed convolution over one axis, of an input (N, K, L).

    Parameters, results and errors are those of :func:`conv_transpose_nd`, which also takes a
    single item without N. Like ``torch.nn.functional.conv_transpose1d``.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.conv_transpose1d([[1.0, 2.0]], [[[1.0, 1.0, 1.0]]], stride=2)
    array([[1., 1., 3., 2., 2.]])
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm, output_padding)
    return _conv.conv_transpose(1, input, weight, bias, given, out)


def conv_transpose2d(
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
    out: object = None,
) -> NDArray[Any]:
    """Transposed convolution over two axes, of an input (N, K, H, W).

    Parameters, results and errors are those of :func:`conv_transpose_nd`, which also takes a
    single item without N. Like ``torch.nn.functional.conv_transpose2d``.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.conv_transpose2d(np.eye(2).reshape(1, 2, 2), np.full((1, 1, 2, 2), 5.0), stride=2)
    array([[[5., 5., 0., 0.],
            [5., 5., 0., 0.],
            [0., 0., 5., 5.],
            [0., 0., 5., 5.]]])
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm, output_padding)
    return _conv.conv_transpose(2, input, weight, bias, given, out)


def conv_transpose3d(
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
    out: object = None,
) -> NDArray[Any]:
    """Transposed convolution over three axes, of an input (N, K, D, H, W).

    Parameters, results and errors are those of :func:`conv_transpose_nd`, which also takes a
    single item without N. Like ``torch.nn.functional.conv_transpose3d``.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F
    >>> F.conv_transpose3d(np.ones((1, 1, 1, 2)), np.ones((1, 1, 1, 1, 2)))
    array([[[[1., 2., 1.]]]])
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm, output_padding)
    return _conv.conv_transpose(3, input, weight, bias, given, out)
