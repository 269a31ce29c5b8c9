"""Gradients of windows as columns, and of shuffles."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import folding as _folding


def unfold(
    grad_output: object,
    input: object,
    kernel_size: object,
    dilation: object = 1,
    padding: object = 0,
    stride: object = 1,
) -> NDArray[Any]:
    """Gradient of :func:`convx.functional.unfold`: a :func:`convx.functional.fold`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the columns, of their shape.
    input, kernel_size, dilation, padding, stride
        What was unfolded, and how. Of the input only the shape counts.

    Returns
    -------
    ndarray
        Of the input's shape and the dtype of `grad_output`.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As :func:`convx.functional.unfold`, and if `grad_output` has another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.unfold(np.ones((2, 2)), np.zeros((1, 3)), (2,))
    array([[1., 2., 1.]])
    """
    return _folding.unfold_gradient(grad_output, input, (kernel_size, dilation, padding, stride))


def fold(
    grad_output: object,
    input: object,
    output_size: object,
    kernel_size: object,
    dilation: object = 1,
    padding: object = 0,
    stride: object = 1,
) -> NDArray[Any]:
    """Gradient of :func:`convx.functional.fold`: a :func:`convx.functional.unfold`.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the folded array, of its shape.
    input, output_size, kernel_size, dilation, padding, stride
        What was folded, and how. Of the input only the shape counts.

    Returns
    -------
    ndarray
        Of the input's shape and the dtype of `grad_output`.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As :func:`convx.functional.fold`, and if `grad_output` has another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.fold([[1.0, 2.0, 3.0]], np.zeros((2, 2)), (3,), 2)
    array([[1., 2.],
           [2., 3.]])
    """
    options = (kernel_size, dilation, padding, stride)
    return _folding.fold_gradient(grad_output, input, output_size, options)


def pixel_shuffle(grad_output: object, input: object, upscale_factor: object) -> NDArray[Any]:
    """Gradient of :func:`convx.functional.pixel_shuffle`, which is the way back.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the shuffled array, of its shape.
    input, upscale_factor
        What was shuffled, and how. Of the input only the shape counts.

    Returns
    -------
    ndarray
        Of the input's shape and the dtype of `grad_output`.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.pixel_shuffle`, and if `grad_output` has another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.pixel_shuffle(np.arange(4.0).reshape(1, 2, 2), np.zeros((4, 1, 1)), 2).ravel()
    array([0., 1., 2., 3.])
    """
    return _folding.pixel_shuffle_gradient(grad_output, input, upscale_factor)


def pixel_unshuffle(grad_output: object, input: object, downscale_factor: object) -> NDArray[Any]:
    """Gradient of :func:`convx.functional.pixel_unshuffle`, which is the way back.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the collected channels, of their shape.
    input, downscale_factor
        What was collected, and how. Of the input only the shape counts.

    Returns
    -------
    ndarray
        Of the input's shape and the dtype of `grad_output`.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.pixel_unshuffle`, and if `grad_output` has another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> grad.pixel_unshuffle(np.arange(4.0).reshape(4, 1, 1), np.zeros((1, 2, 2)), 2)
    array([[[0., 1.],
            [2., 3.]]])
    """
    return _folding.pixel_unshuffle_gradient(grad_output, input, downscale_factor)


def channel_shuffle(grad_output: object, input: object, groups: object) -> NDArray[Any]:
    """Gradient of :func:`convx.functional.channel_shuffle`: the cards are collected again.

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the shuffled array, of its shape.
    input, groups
        What was shuffled, and how. Of the input only the shape counts.

    Returns
    -------
    ndarray
        Of the input's shape and the dtype of `grad_output`.

    Raises
    ------
    TypeError, ValueError
        As :func:`convx.functional.channel_shuffle`, and if `grad_output` has another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> dealt = np.array([0.0, 3, 1, 4, 2, 5]).reshape(1, 6, 1)
    >>> grad.channel_shuffle(dealt, dealt, 2).ravel()
    array([0., 1., 2., 3., 4., 5.])
    """
    return _folding.channel_shuffle_gradient(grad_output, input, groups)
