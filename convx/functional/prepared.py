"""Convolutions with weights that stay: packed once, applied to many inputs."""

from convx._ops.conv import PreparedConv


def prepare_conv(
    weight: object,
    bias: object = None,
    *,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: object = 1,
    padding_mode: object = "zeros",
    algorithm: object = "auto",
) -> PreparedConv:
    """Prepare a cross-correlation with fixed weights, for inference and repeated filters.

    Parameters
    ----------
    weight, bias, stride, padding, dilation, groups, padding_mode, algorithm
        The arguments of :func:`convx.functional.conv_nd`. The arrays are copied.

    Returns
    -------
    PreparedConv
        ``y = conv(x)`` gives what ``conv_nd(x, weight, …)`` would, to the last bit if both take the
        same `algorithm`: 'auto' may choose another one, as weights that are kept need not be
        transformed in every call. ``conv(x, out=y)`` puts the result into `y`.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.conv_nd`; what depends on the input's shape is raised by the
        call.

    Examples
    --------
    >>> import convx
    >>> smooth = convx.prepare_conv([[[0.25, 0.5, 0.25]]], padding=1, padding_mode="replicate")
    >>> smooth([[0.0, 4.0, 8.0, 8.0]])
    array([[1., 4., 7., 8.]])
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return PreparedConv(weight, bias, given)
