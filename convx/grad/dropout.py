"""Gradients of dropout: what was dropped has none."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import dropout as _op


def dropout(
    grad_output: object,
    input: object,
    p: object = 0.5,
    training: object = True,
    *,
    rng: object = None,
    out: object = None,
) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.dropout` with respect to its input.

    .. math::
        \bar x = \bar y / (1 - p) \text{ where kept, else } 0

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input, p, training
        The arguments of the function. Of the input shape and dtype alone matter.
    rng : optional
        What the function was given, so that chance drops the same: the same seed, or a generator in
        the state that the function's was in.
    out : ndarray, optional
        Array of the result's shape and dtype to put it in. It may be `grad_output`.

    Returns
    -------
    ndarray
        Gradient with respect to the input, of its shape, in the dtype that NumPy promotes those of
        the arrays to.

    Raises
    ------
    TypeError, ValueError
        As the function; ValueError too if the shape of `grad_output` is not that of the output.

    Examples
    --------
    >>> from convx import grad
    >>> grad.dropout([1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 3.0, 4.0], rng=3)
    array([2., 2., 2., 0.])
    """
    return _op.dropout_gradient(grad_output, input, p, training, rng, out)


def dropout1d(
    grad_output: object,
    input: object,
    p: object = 0.5,
    training: object = True,
    *,
    rng: object = None,
    out: object = None,
) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.dropout1d` with respect to its input.

    .. math::
        \bar x = \bar y / (1 - p) \text{ where kept, else } 0

    Parameters
    ----------
    grad_output : array_like
        Gradient with respect to the output, of its shape.
    input, p, training
        The arguments of the function. Of the input shape and dtype alone matter.
    rng : optional
        What the function was given, so that chance drops the same: the same seed, or a generator in
        the state that the function's was in.
    out : ndarray, optional
        Array of the result's shape and dtype to put it in. It may be `grad_output`.

    Returns
    -------
    ndarray
        Gradient with respect to the input, of its shape, in the dtype that NumPy promotes those of
        the arrays to.

    Raises
    ------
    TypeError, ValueError
        As the function; ValueError too if the shape of `grad_output` is not that of the output.

    Examples
    --------
    >>> from convx import grad
    >>> grad.dropout1d([[1.0, 1.0], [1.0, 1.0]], [[1.0, 2.0], [3.0, 4.0]], rng=3)
    array([[0., 0.],
           [0., 0.]])
    """
    axes = _op.leading_axes(input, "dropout1d", 3)
    return _op.dropout_gradient(grad_output, input, p, training, rng, out, axes)


def dropout2d(
    grad_output: object,
    input: object,
    p: object = 0.5,
    training: object = True,
    *,
    rng: object = None,
    out: object = None,
) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.dropout2d` with respect to its input.

    .. math::
        \bar x = \bar y / (1 - p) \text{ where kept, else } 0

    As in PyTorch an input of three axes is a batch of rows, not an image.

    Parameters, results and errors are those of :func:`dropout1d`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> x = np.ones((1, 4, 2, 2))
    >>> grad.dropout2d(x, x, rng=3)[0, :, 0, 0]
    array([0., 0., 2., 2.])
    """
    axes = _op.leading_axes(input, "dropout2d", 4)
    return _op.dropout_gradient(grad_output, input, p, training, rng, out, axes)


def dropout3d(
    grad_output: object,
    input: object,
    p: object = 0.5,
    training: object = True,
    *,
    rng: object = None,
    out: object = None,
) -> NDArray[Any]:
    r"""Gradient of :func:`convx.functional.dropout3d` with respect to its input.

    .. math::
        \bar x = \bar y / (1 - p) \text{ where kept, else } 0

    Parameters, results and errors are those of :func:`dropout1d`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import grad
    >>> x = np.ones((1, 4, 2, 2, 2))
    >>> grad.dropout3d(x, x, rng=3)[0, :, 0, 0, 0]
    array([0., 0., 2., 2.])
    """
    axes = _op.leading_axes(input, "dropout3d", 5)
    return _op.dropout_gradient(grad_output, input, p, training, rng, out, axes)
