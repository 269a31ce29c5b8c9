"""Resizing under the name, arguments and results of :mod:`torch.nn.functional`."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import resizing as _resizing


def interpolate(
    input: object,
    size: object = None,
    scale_factor: object = None,
    mode: object = "nearest",
    align_corners: object = None,
    recompute_scale_factor: object = None,
    antialias: object = False,
    *,
    out: object = None,
) -> NDArray[Any]:
    """Resize the spatial axes of an array.

    Parameters
    ----------
    input : array_like
        Shape (N, C, *spatial), with any number of spatial axes. In float16, float32 or float64; for
        the nearest modes of any dtype but those with Python objects.
    size : int or sequence of int, optional
        The spatial sizes wanted, for all axes or one for each.
    scale_factor : float or sequence of float, optional
        Instead of `size`: the sizes are ``floor(size * scale_factor)``.
    mode : str, optional
        ================  =========================================================
        'nearest'         the pixel in which the left edge of the new one lies
        'nearest-exact'   the pixel in which its middle lies
        'linear'          between the two pixels next to its middle, on every axis
        'bilinear'        the same, for two spatial axes
        'trilinear'       the same, for three spatial axes
        'bicubic'         between four pixels on every axis, for two spatial axes
        'area'            the mean of all pixels that it touches
        ================  =========================================================
    align_corners : bool, optional
        For the modes between pixels: whether the middles of the first and of the last pixels stay
        where they are. Otherwise their outer edges do.
    recompute_scale_factor : bool, optional
        Whether coordinates follow the sizes that come out, and not the `scale_factor` given.
    antialias : bool, optional
        For the modes between pixels: whether, where an axis shrinks, a new pixel takes from as many
        old ones as it is wide.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Shape (N, C, *sizes), of the input's dtype. float16 is computed in float32.

    Raises
    ------
    TypeError
        If the dtype is another, or an option is of the wrong type.
    ValueError
        If both or none of `size` and `scale_factor` are given, a size would be 0, or options do not
        go together.
    MemoryError
        If the result is larger than the machine's memory.

    See Also
    --------
    convx.grad.interpolate : Its gradient.

    Notes
    -----
    Like ``torch.nn.functional.interpolate``, of which it has the rules for coordinates and the
    cubic kernels (parameter -0.75, and -0.5 with `antialias`). Weights of 0 are left out, so that
    infinities and NaN do not spread to pixels that do not depend on them.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.interpolate([[[0.0, 4.0, 8.0]]], 6, mode="linear")
    array([[[0., 1., 3., 5., 7., 8.]]])
    >>> F.interpolate([[[1, 2, 3]]], scale_factor=2)
    array([[[1, 1, 2, 2, 3, 3]]])
    """
    options = (size, scale_factor, mode, align_corners, recompute_scale_factor, antialias)
    return _resizing.interpolate(input, options, out)
