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
from convx.grad.folding import (
    channel_shuffle,
    fold,
    pixel_shuffle,
    pixel_unshuffle,
    unfold,
)
from convx.grad.kinds import (
    depthwise_separable_conv,
    flattened_conv,
    shuffled_group_conv,
    spatially_separable_conv,
)
from convx.grad.linear import (
    linear,
)
from convx.grad.padding import (
    pad,
)
from convx.grad.resizing import (
    interpolate,
)

__all__ = [
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
    "depthwise_separable_conv",
    "flattened_conv",
    "fold",
    "interpolate",
    "linear",
    "pad",
    "pixel_shuffle",
    "pixel_unshuffle",
    "shuffled_group_conv",
    "spatially_separable_conv",
    "unfold",
]
