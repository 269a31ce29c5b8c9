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
    activation: object = None,
    negative_slope: object = None,
) -> PreparedConv:
    """Prepare a cross-correlation with fixed weights, for inference and repeated filters.

    What networks do next can be done while the sums are in the cache: adding a residual, and an
    activation.

    Parameters
    ----------
    weight, bias, stride, padding, dilation, groups, padding_mode, algorithm
        The arguments of :func:`convx.functional.conv_nd`. The arrays are copied.
    activation : {'relu', 'relu6', 'silu', 'hardswish', 'leaky_relu', 'sigmoid', 'tanh'}, optional
        What the results go through, as defined by the functions of these names in PyTorch. Only
        for float16, float32 and float64.
    negative_slope : float, optional
        What 'leaky_relu' multiplies negative numbers with, 0.01 by default; for no other.

    Returns
    -------
    PreparedConv
        ``y = conv(x)`` gives what ``conv_nd(x, weight, …)`` would, to the last bit if both take the
        same `algorithm`: 'auto' may choose another one, as weights that are kept need not be
        transformed in every call. ``conv(x, residual)`` gives ``activation(conv_nd(x, weight, …) +
        residual)``: the residual has the shape of the result, and takes part in the promotion of
        dtypes. ``conv(x, out=y)`` puts the result into `y`, which may be the residual too.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.conv_nd`; what depends on the input or the residual is raised by
        the call. TypeError too if there is an activation, and weights or results are integers or
        complex; ValueError if there is none of that name, or if `negative_slope` is not finite or
        given for another activation.

    Examples
    --------
    >>> import convx
    >>> smooth = convx.prepare_conv([[[0.25, 0.5, 0.25]]], padding=1, padding_mode="replicate")
    >>> smooth([[0.0, 4.0, 8.0, 8.0]])
    array([[1., 4., 7., 8.]])

    A convolution with a residual and an activation:

    >>> slope = convx.prepare_conv([[[-0.5, 0.0, 0.5]]], padding=1, activation="relu")
    >>> slope([[0.0, 4.0, 8.0, 8.0]])
    array([[2., 4., 2., 0.]])
    >>> slope([[0.0, 4.0, 8.0, 8.0]], [[0.0, 1.0, -9.0, 5.0]])
    array([[2., 5., 0., 1.]])
    """
    given = (stride, padding, dilation, groups, padding_mode, algorithm)
    return PreparedConv(weight, bias, given, activation, negative_slope)
