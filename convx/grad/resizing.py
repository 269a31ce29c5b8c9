"""The gradient of resizing."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import resizing as _resizing


def interpolate(
    grad_output: object,
    input: object,
    size: object = None,
    scale_factor: object = None,
    mode: object = "nearest",
    align_corners: object = None,
    recompute_scale_factor: object = None,
    antialias: object = False,
) -> NDArray[Any]:
    """Gradient of :func:`convx.functional.interpolate`: its weights, transposed.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the resized array, of its shape; in float16, float32 or float64.
    input, size, scale_factor, mode, align_corners, recompute_scale_factor, antialias
        What was resized, and how. Of the input only shape and dtype count.

    Returns
    -------
    ndarray
        Of the input's shape and the dtype of `grad_output`. The order of the sums depends on shapes
        and options alone.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As :func:`convx.functional.interpolate`, and if `grad_output` has another shape.

    Examples
    --------
    >>> from convx import grad
    >>> grad.interpolate([[[1.0, 1.0, 1.0, 1.0]]], [[[0.0, 4.0]]], 4, mode="linear")
    array([[[2., 2.]]])
    """
    options = (size, scale_factor, mode, align_corners, recompute_scale_factor, antialias)
    return _resizing.interpolate_gradient(grad_output, input, options)
