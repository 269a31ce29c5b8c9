"""The operations of convx in plain NumPy: slow, short and meant to be read.

In reading order:

``boundary``
    What an array looks like beyond its edges: :func:`pad_indices`, :func:`pad` and its adjoint
    :func:`unpad`.
``conv``
    Convolution, transposed convolution and their gradients, for any number of spatial axes.
``activations``
    What a prepared convolution may end with: :func:`activate`.
``kinds``
    Kinds of convolution with fewer weights, put together to full ones.
``folding``
    Windows as columns and back, :func:`unfold` and :func:`fold`, and shuffles.
``resizing``
    :func:`interpolate`, by the matrix of each axis.
``linear``
    :func:`linear`, and a convolution as a matrix.

Nothing here is shared with the compiled engine, so the tests can hold one against the other. The
arguments are trusted, not checked, and the arithmetic is done in the dtype that NumPy's promotion
gives the operands: for a float64 oracle pass float64 arrays.
"""

from convx.reference.activations import (
    activate,
)
from convx.reference.boundary import (
    pad,
    pad_indices,
    unpad,
)
from convx.reference.conv import (
    conv_nd,
    conv_nd_grad,
    conv_nd_input,
    conv_nd_weight,
    conv_transpose_nd,
    conv_transpose_nd_grad,
)
from convx.reference.folding import (
    channel_shuffle,
    fold,
    pixel_shuffle,
    pixel_unshuffle,
    unfold,
)
from convx.reference.kinds import (
    depthwise_separable_conv,
    flattened_conv,
    shuffled_group_conv,
    spatially_separable_conv,
)
from convx.reference.linear import (
    convolution_matrix,
    linear,
)
from convx.reference.resizing import (
    interpolate,
    resize_matrix,
)

__all__ = [
    "activate",
    "channel_shuffle",
    "conv_nd",
    "conv_nd_grad",
    "conv_nd_input",
    "conv_nd_weight",
    "conv_transpose_nd",
    "conv_transpose_nd_grad",
    "convolution_matrix",
    "depthwise_separable_conv",
    "flattened_conv",
    "fold",
    "interpolate",
    "linear",
    "pad",
    "pad_indices",
    "pixel_shuffle",
    "pixel_unshuffle",
    "resize_matrix",
    "shuffled_group_conv",
    "spatially_separable_conv",
    "unfold",
    "unpad",
]
