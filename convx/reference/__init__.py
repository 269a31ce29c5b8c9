"""The operations of convx in plain NumPy: slow, short and meant to be read.

Four files, in reading order:

``boundary``
    What an array looks like beyond its edges: :func:`pad_indices`, :func:`pad` and its adjoint
    :func:`unpad`.
``conv``
    Convolution, transposed convolution and their gradients, for any number of spatial axes.
``activations``
    What a prepared convolution may end with: :func:`activate`.
``pooling``
    Maxima, averages and norms of windows, one by one.

Nothing here is shared with the compiled engine, so the tests can hold one against the other. The
arguments are trusted, not checked, and the arithmetic is done in the dtype that NumPy's promotion
gives the operands: for a float64 oracle pass float64 arrays.
"""

from convx.reference.activations import activate
from convx.reference.boundary import pad, pad_indices, unpad
from convx.reference.conv import (
    conv_nd,
    conv_nd_grad,
    conv_nd_input,
    conv_nd_weight,
    conv_transpose_nd,
    conv_transpose_nd_grad,
)
from convx.reference.pooling import (
    adaptive_pool,
    avg_pool,
    lp_norm,
    max_pool,
    mean,
    place_of_max,
    pool,
    windows,
)

__all__ = [
    "activate",
    "adaptive_pool",
    "avg_pool",
    "conv_nd",
    "conv_nd_grad",
    "conv_nd_input",
    "conv_nd_weight",
    "conv_transpose_nd",
    "conv_transpose_nd_grad",
    "lp_norm",
    "max_pool",
    "mean",
    "pad",
    "pad_indices",
    "place_of_max",
    "pool",
    "unpad",
    "windows",
]
