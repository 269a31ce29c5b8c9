"""The linear layer, and convolutions as matrices."""

from typing import Any

from numpy.typing import NDArray

from convx._ops import linear as _linear
from convx._ops import matrix as _matrix


def linear(
    input: object, weight: object, bias: object = None, *, out: object = None
) -> NDArray[Any]:
    """Multiply the last axis by a matrix: ``y = x Wᵀ + b``.

    Parameters
    ----------
    input : array_like
        Shape (..., in_features).
    weight : array_like
        Shape (out_features, in_features), or (in_features,) for a single output without an axis.
    bias : array_like, optional
        Shape (out_features,), or () for a single output.
    out : ndarray, optional
        Array of the result's shape and dtype to put the result in.

    Returns
    -------
    ndarray
        Shape (..., out_features). The dtype is what NumPy promotes those of the arrays to. float16
        is computed in float32.

    Raises
    ------
    TypeError
        If an array is of a dtype that is not computed.
    ValueError
        If shapes do not fit one another.

    See Also
    --------
    convx.grad.linear : Its gradients.

    Notes
    -----
    Like ``torch.nn.functional.linear``. Products of few items, and very large ones, are NumPy's,
    and so are their threads and the order of their sums: other than elsewhere in convx the last
    bits may depend on the batch. Where they must not, take :func:`conv_nd` with a kernel of one
    tap.

    Examples
    --------
    >>> from convx import functional as F
    >>> F.linear([[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0], [7.0, 8.0]], [100.0, 200.0, 300.0])
    array([[111., 217., 323.]])
    """
    return _linear.linear(input, weight, bias, out)


def convolution_matrix(
    weight: object,
    input_size: object,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: object = 1,
    *,
    padding_mode: object = "zeros",
    sparse: object = False,
) -> Any:
    """Write a convolution out as a matrix C, so that ``y.ravel() == C @ x.ravel()``.

    ``C.T @ y.ravel()`` is then the transposed convolution of y.

    Parameters
    ----------
    weight : array_like
        Shape (K, C / groups, *kernel), or only (*kernel) for one channel and one filter.
    input_size : sequence of int
        The spatial sizes of the input; as many as the kernel has axes.
    stride, padding, dilation, groups, padding_mode
        As those of :func:`conv_nd`.
    sparse : bool, optional
        Whether only the entries that a tap stands in are wanted.

    Returns
    -------
    ndarray or tuple
        Shape (K * outputs, C * inputs), of the weight's dtype. If `sparse` is true, ``((data,
        indices, indptr), shape)``: compressed rows, the columns of each ascending, as
        ``scipy.sparse.csr_array`` takes them.

    Raises
    ------
    TypeError, ValueError
        As :func:`conv_nd`.
    MemoryError
        If the matrix is larger than the machine's memory.

    See Also
    --------
    conv_nd : The product without the matrix.
    unfold : The other way to make a product of a convolution.

    Examples
    --------
    A kernel of 2 by 2 goes over an image of 2 by 3:

    >>> from convx import functional as F
    >>> F.convolution_matrix([[1, 2], [3, 4]], (2, 3))
    array([[1, 2, 0, 3, 4, 0],
           [0, 1, 2, 0, 3, 4]])

    With SciPy, ``csr_array(*F.convolution_matrix(weight, input_size, sparse=True))`` is the sparse
    matrix.

    >>> (data, indices, indptr), shape = F.convolution_matrix([1, 2], (3,), sparse=True)
    >>> data, indices, indptr, shape
    (array([1, 2, 1, 2]), array([0, 1, 1, 2]), array([0, 2, 4]), (2, 3))
    """
    options = (stride, padding, dilation, groups, padding_mode)
    return _matrix.convolution_matrix(weight, input_size, options, sparse)
