"""Functions of neural networks, under the names of :mod:`torch.nn.functional`."""

from convx.functional.activations import relu
from convx.functional.conv import (
    conv1d,
    conv2d,
    conv3d,
    conv_nd,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
    conv_transpose_nd,
)
from convx.functional.folding import channel_shuffle, fold, pixel_shuffle, pixel_unshuffle, unfold
from convx.functional.geometry import (
    conv_output_size,
    count_flops,
    count_parameters,
    receptive_field,
)
from convx.functional.kinds import (
    depthwise_separable_conv,
    flattened_conv,
    separate_kernel,
    shuffled_group_conv,
    spatially_separable_conv,
)
from convx.functional.linear import convolution_matrix, linear
from convx.functional.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    l1_loss,
    mse_loss,
    nll_loss,
    smooth_l1_loss,
)
from convx.functional.normalization import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    local_response_norm,
)
from convx.functional.padding import pad
from convx.functional.resizing import interpolate

__all__ = [
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "channel_shuffle",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_nd",
    "conv_output_size",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "conv_transpose_nd",
    "convolution_matrix",
    "count_flops",
    "count_parameters",
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
    "receptive_field",
    "relu",
    "separate_kernel",
    "shuffled_group_conv",
    "smooth_l1_loss",
    "spatially_separable_conv",
    "unfold",
]
