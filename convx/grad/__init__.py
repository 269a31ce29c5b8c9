"""Gradients of the functions in :mod:`convx.functional`, under the same names."""

from convx.grad.conv import (
    conv1d,
    conv2d,
    conv3d,
    conv_nd,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
    conv_transpose_nd,
)
from convx.grad.conv_parts import (
    conv1d_input,
    conv1d_weight,
    conv2d_input,
    conv2d_weight,
    conv3d_input,
    conv3d_weight,
    conv_nd_input,
    conv_nd_weight,
)
from convx.grad.folding import channel_shuffle, fold, pixel_shuffle, pixel_unshuffle, unfold
from convx.grad.kinds import (
    depthwise_separable_conv,
    flattened_conv,
    shuffled_group_conv,
    spatially_separable_conv,
)
from convx.grad.linear import linear
from convx.grad.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    l1_loss,
    mse_loss,
    nll_loss,
    smooth_l1_loss,
)
from convx.grad.normalization import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    local_response_norm,
)
from convx.grad.padding import pad
from convx.grad.resizing import interpolate

__all__ = [
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "channel_shuffle",
    "conv1d",
    "conv1d_input",
    "conv1d_weight",
    "conv2d",
    "conv2d_input",
    "conv2d_weight",
    "conv3d",
    "conv3d_input",
    "conv3d_weight",
    "conv_nd",
    "conv_nd_input",
    "conv_nd_weight",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "conv_transpose_nd",
    "cross_entropy",
    "depthwise_separable_conv",
    "flattened_conv",
    "fold",
    "group_norm",
    "huber_loss",
    "instance_norm",
    "interpolate",
    "l1_loss",
    "layer_norm",
    "linear",
    "local_response_norm",
    "mse_loss",
    "nll_loss",
    "pad",
    "pixel_shuffle",
    "pixel_unshuffle",
    "shuffled_group_conv",
    "smooth_l1_loss",
    "spatially_separable_conv",
    "unfold",
]
