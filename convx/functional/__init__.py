"""Functions of neural networks, under the names of :mod:`torch.nn.functional`."""

from convx.functional.activations import (
    relu,
)
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
from convx.functional.folding import (
    channel_shuffle,
    fold,
    pixel_shuffle,
    pixel_unshuffle,
    unfold,
)
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
from convx.functional.linear import (
    convolution_matrix,
    linear,
)
from convx.functional.padding import (
    pad,
)
from convx.functional.resizing import (
    interpolate,
)

__all__ = [
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
    "depthwise_separable_conv",
    "flattened_conv",
    "fold",
    "interpolate",
    "linear",
    "pad",
    "pixel_shuffle",
    "pixel_unshuffle",
    "receptive_field",
    "relu",
    "separate_kernel",
    "shuffled_group_conv",
    "spatially_separable_conv",
    "unfold",
]
