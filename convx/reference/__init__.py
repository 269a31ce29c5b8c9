"""The operations of convx in plain NumPy: slow, short and meant to be read.

Its files, in reading order:

``boundary``
    What an array looks like beyond its edges: :func:`pad_indices`, :func:`pad` and its adjoint
    :func:`unpad`.
``conv``
    Convolution, transposed convolution and their gradients, for any number of spatial axes.
``activations``
    Activations and their derivatives, :func:`activate` and :func:`derivative`; :func:`softmax` and
    its gradient.
``kinds``
    Kinds of convolution with fewer weights, put together to full ones.
``folding``
    Windows as columns and back, :func:`unfold` and :func:`fold`, and shuffles.
``images``
    :func:`image_windows`, of which the filters of images are made.
``resizing``
    :func:`interpolate`, by the matrix of each axis.
``linear``
    :func:`linear`, and a convolution as a matrix.
``normalization``
    :func:`batch_norm` and its relatives: means and variances over some axes.
``losses``
    :func:`cross_entropy` and other losses, element by element.
``pooling``
    Maxima, averages and norms of windows, one by one.

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
from convx.reference.folding import channel_shuffle, fold, pixel_shuffle, pixel_unshuffle, unfold
from convx.reference.images import image_windows
from convx.reference.kinds import (
    depthwise_separable_conv,
    flattened_conv,
    shuffled_group_conv,
    spatially_separable_conv,
)
from convx.reference.linear import convolution_matrix, linear
from convx.reference.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    l1_loss,
    log_softmax,
    mse_loss,
    nll_loss,
    one_hot,
    smooth_l1_loss,
)
from convx.reference.normalization import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    local_response_norm,
    moments,
    normalize_gradient,
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
from convx.reference.resizing import interpolate, resize_matrix

__all__ = [
    "activate",
    "adaptive_pool",
    "avg_pool",
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "channel_shuffle",
    "conv_nd",
    "conv_nd_grad",
    "conv_nd_input",
    "conv_nd_weight",
    "conv_transpose_nd",
    "conv_transpose_nd_grad",
    "convolution_matrix",
    "cross_entropy",
    "depthwise_separable_conv",
    "derivative",
    "flattened_conv",
    "fold",
    "group_norm",
    "huber_loss",
    "image_windows",
    "instance_norm",
    "interpolate",
    "l1_loss",
    "layer_norm",
    "linear",
    "local_response_norm",
    "log_softmax",
    "lp_norm",
    "max_pool",
    "mean",
    "moments",
    "mse_loss",
    "nll_loss",
    "normalize_gradient",
    "one_hot",
    "pad",
    "pad_indices",
    "pixel_shuffle",
    "pixel_unshuffle",
    "place_of_max",
    "pool",
    "resize_matrix",
    "shuffled_group_conv",
    "smooth_l1_loss",
    "softmax",
    "softmax_gradient",
    "spatially_separable_conv",
    "unfold",
    "unpad",
    "windows",
]
