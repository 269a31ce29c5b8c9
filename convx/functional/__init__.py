"""Functions of neural networks, under the names of :mod:`torch.nn.functional`."""

from convx.functional.activations import (
    celu,
    elu,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    mish,
    relu,
    relu6,
    selu,
    silu,
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
from convx.functional.dropout import (
    dropout,
    dropout1d,
    dropout2d,
    dropout3d,
)
from convx.functional.slopes import (
    prelu,
    rrelu,
)
from convx.functional.smooth import gelu, logsigmoid, sigmoid, softplus, tanh
from convx.functional.softmax import (
    log_softmax,
    softmax,
    softmin,
)

__all__ = [
    "celu",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_nd",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "conv_transpose_nd",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "elu",
    "gelu",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "rrelu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "tanh",
]
