"""The operations of convx in plain NumPy: slow, short and meant to be read.

Three files, in reading order:

``boundary``
    What an array looks like beyond its edges: :func:`pad_indices`, :func:`pad` and its adjoint
    :func:`unpad`.
``conv``
    Convolution, transposed convolution and their gradients, for any number of spatial axes.
``activations``
    Activations and their derivatives, :func:`activate` and :func:`derivative`; :func:`softmax` and
    its gradient.

Nothing here is shared with the compiled engine, so the tests can hold one against the other. The
arguments are trusted, not checked, and the arithmetic is done in the dtype that NumPy's promotion
gives the operands: for a float64 oracle pass float64 arrays.
"""

from convx.reference.activations import activate, derivative, softmax, softmax_gradient
from convx.reference.boundary import pad, pad_indices, unpad
from convx.reference.conv import (
    conv_nd,
    conv_nd_grad,
    conv_nd_input,
    conv_nd_weight,
    conv_transpose_nd,
    conv_transpose_nd_grad,
)

__all__ = [
    "activate",
    "conv_nd",
    "conv_nd_grad",
    "conv_nd_input",
    "conv_nd_weight",
    "conv_transpose_nd",
    "conv_transpose_nd_grad",
    "derivative",
    "pad",
    "pad_indices",
    "softmax",
    "softmax_gradient",
    "unpad",
]
