"""What is known of convolutions before there are any arrays: sizes, fields of view, counts."""

from collections.abc import Sequence

from convx._ops import geometry as _geometry
from convx._ops.geometry import ReceptiveField, Sizes


def conv_output_size(
    size: object,
    kernel_size: object,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    *,
    ceil_mode: bool = False,
    transposed: bool = False,
    output_padding: object = 0,
) -> Sizes:
    r"""Size of the output of a convolution, a transposed convolution, or a pool.

    .. math:: \left\lfloor (n + l + h - d (k - 1) - 1) / s \right\rfloor + 1
        \qquad\text{or}\qquad (n - 1) s - l - h + d (k - 1) + p + 1

    where *l* and *h* are the paddings before and after, and *p* is the output padding.

    Parameters
    ----------
    size : int or tuple of int
        Of the input, without batch and channels.
    kernel_size, stride, padding, dilation : optional
        As in :func:`convx.functional.conv_nd`.
    ceil_mode : bool, optional
        Round up instead of down, as pools may: the last window may hang over the end, if it begins
        on the input or on the padding before it.
    transposed : bool, optional
        Of :func:`convx.functional.conv_transpose_nd`.
    output_padding : int or tuple of int, optional
        With ``transposed=True`` alone.

    Returns
    -------
    int or tuple of int
        One size for each axis; a single int if all that is given is for one.

    Raises
    ------
    TypeError, ValueError
        As the functions would for an input of that size.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.conv_output_size(224, 7, stride=2, padding=3)
    112
    >>> F.conv_output_size((32, 20), 3, padding=(1, 0))
    (32, 18)
    >>> F.conv_output_size(112, 3, stride=2), F.conv_output_size(112, 3, stride=2, ceil_mode=True)
    (55, 56)
    >>> F.conv_output_size(112, 4, stride=2, padding=1, transposed=True)
    224
    """
    return _geometry.output_size(
        size, kernel_size, stride, padding, dilation, ceil_mode, transposed, output_padding
    )


def receptive_field(layers: Sequence[object]) -> ReceptiveField:
    r"""Receptive field of a stack of convolutions and pools: what an output sees of the input.

    .. math:: r = 1 + \sum_l d_l (k_l - 1) \prod_{i<l} s_i, \quad
        S = \prod_l s_l, \quad o = - \sum_l p_l \prod_{i<l} s_i

    for its size, its stride and its offset, where layer *l* has kernels of size *k*, stride *s*,
    dilation *d*, and padding *p* before the first sample.

    Parameters
    ----------
    layers : sequence
        The layers in the order in which they are applied. Each is a tuple ``(kernel_size, stride,
        padding, dilation)``, of which all but the first may be left out from the end, a mapping
        with these keys, or the kernel size alone. The entries are what
        :func:`convx.functional.conv_nd` takes: an int for all axes, or one for each.

    Returns
    -------
    ReceptiveField
        A named tuple (size, stride, offset), of ints, or of tuples with one for each axis if any
        layer tells of axes: output p sees the samples from ``offset + p * stride`` on, `size` of
        them.

    Raises
    ------
    TypeError, ValueError
        If a layer is none of these, or an entry is out of range.

    References
    ----------
    Araujo, Norris, Sim, Computing Receptive Fields of Convolutional Neural Networks, Distill, 2019.

    Examples
    --------
    The first layers of ResNet: 7×7 with stride 2, max pool with stride 2, a block of two 3×3:

    >>> from convx import functional as F
    >>> F.receptive_field([(7, 2, 3), (3, 2, 1), (3, 1, 1), (3, 1, 1)])
    ReceptiveField(size=27, stride=4, offset=-13)
    >>> F.receptive_field([(3, 1), {"kernel_size": (1, 3), "dilation": 2}])
    ReceptiveField(size=(3, 7), stride=(1, 1), offset=(0, 0))
    """
    return _geometry.receptive_field(layers)


def count_parameters(
    in_channels: object,
    out_channels: object,
    kernel_size: object,
    groups: object = 1,
    bias: bool = False,
    *,
    kind: object = "conv",
) -> int:
    """How many weights a convolution has, or one of the kinds that do with fewer.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of input and output, C and K.
    kernel_size : int or tuple of int
        One for each spatial axis; an int is a kernel of one axis.
    groups : int, optional
        Of 'conv' and 'shuffled_group'; as many as C is a depthwise convolution.
    bias : bool, optional
        Count K numbers more.
    kind : {'conv', 'depthwise_separable', 'spatially_separable', 'flattened', 'shuffled_group'}
        The function, without ``_conv`` or ``_nd``. 'depthwise_separable' has one filter for each
        input channel; 'spatially_separable' mixes the channels with every factor, (K, C, k) and
        then (K, K, k); 'flattened' has (K, C) and (K, k) for each axis; 'shuffled_group' has K
        channels in between and a second convolution with kernels of size 1.

    Returns
    -------
    int

    Raises
    ------
    TypeError, ValueError
        If an argument is not an integer or out of range, or `groups` does not divide the channels
        or is more than 1 for a kind that has none.

    See Also
    --------
    count_flops : How many operations it takes.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.count_parameters(64, 128, (3, 3)), F.count_parameters(64, 128, (3, 3), groups=2)
    (73728, 36864)
    >>> F.count_parameters(64, 128, (3, 3), kind="depthwise_separable")
    8768
    >>> F.count_parameters(64, 128, (3, 3), kind="flattened")
    8960
    """
    return _geometry.count_parameters(in_channels, out_channels, kernel_size, groups, bias, kind)


def count_flops(
    input_size: object,
    in_channels: object,
    out_channels: object,
    kernel_size: object,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: object = 1,
    *,
    kind: object = "conv",
) -> int:
    """How many additions and multiplications a convolution takes for one item, or another kind.

    Products with padded zeros count, a bias does not: ``2 * outputs * K * C / groups * taps`` for
    'conv', and the sum over its convolutions for every other kind.

    Parameters
    ----------
    input_size : int or tuple of int
        Size of the input's spatial axes.
    in_channels, out_channels : int
        Channels of input and output, C and K.
    kernel_size, stride, padding, dilation, groups : optional
        As in :func:`convx.functional.conv_nd`.
    kind : {'conv', 'depthwise_separable', 'spatially_separable', 'flattened', 'shuffled_group'}
        As in :func:`count_parameters`.

    Returns
    -------
    int

    Raises
    ------
    TypeError, ValueError
        As :func:`conv_output_size` and :func:`count_parameters`.

    See Also
    --------
    convx.explain : Counts, algorithm and memory of a call with arrays.

    Notes
    -----
    These are the operations of the formula. An algorithm that transforms its operands does fewer.

    Examples
    --------
    >>> from convx import functional as F
    >>> full = F.count_flops((56, 56), 64, 128, 3, padding=1)
    >>> full
    462422016
    >>> fewer = F.count_flops((56, 56), 64, 128, 3, padding=1, kind="depthwise_separable")
    >>> round(full / fewer, 2)
    8.41
    """
    return _geometry.count_flops(
        input_size,
        in_channels,
        out_channels,
        kernel_size,
        stride,
        padding,
        dilation,
        groups,
        kind,
    )
