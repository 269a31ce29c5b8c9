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
from convx.functional.folding import (
    channel_shuffle,
    fold,
    pixel_shuffle,
    pixel_unshuffle,
    unfold,
)
from convx.functional.linear import convolution_matrix, linear
from convx.functional.padding import pad
from convx.functional.resizing import interpolate

__all__ = [
    "channel_shuffle",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_nd",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "conv_transpose_nd",
    "convolution_matrix",
    "fold",
    "interpolate",
    "linear",
    "pad",
    "pixel_shuffle",
    "pixel_unshuffle",
    "relu",
    "unfold",
]
