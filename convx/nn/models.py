"""Networks for small pictures, of ordinary layers; their parts can be looked at and replaced."""

import numpy as np
from numpy.typing import DTypeLike

from convx.nn.activations import ReLU, ReLU6
from convx.nn.containers import Residual, Sequential
from convx.nn.conv import Conv2d
from convx.nn.initialization import generator
from convx.nn.linear import Flatten, Linear
from convx.nn.module import Module
from convx.nn.normalization import BatchNorm2d
from convx.nn.pooling import AdaptiveAvgPool2d


def lenet5(
    classes: int = 10, channels: int = 1, *, dtype: DTypeLike = np.float32, rng: object = None
) -> Sequential:
    """Return LeNet-5, for pictures of any size from 14 by 14; its own is 28 by 28.

    6 maps by 5 by 5 taps, averages to 14 by 14, 16 maps by 5 by 5 taps, averages to 5 by 5, and
    120, 84 and at last ``classes`` outputs. LeCun et al., "Gradient-based learning applied to
    document recognition", 1998, with all maps connected, and ReLU.

    Parameters
    ----------
    classes, channels : int
        Outputs, and channels of the pictures.
    dtype : dtype_like, default float32
        That of the parameters.
    rng : None, int, or Generator, optional
        What the parameters are drawn with.

    Returns
    -------
    Sequential
        From pictures (N, channels, H, W) to logits (N, classes).

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn
    >>> model = nn.models.lenet5(rng=0)
    >>> model(np.zeros((2, 1, 28, 28), np.float32)).shape
    (2, 10)
    >>> sum(one.data.size for one in model.parameters())
    61706
    """
    source = generator(rng)
    return Sequential(
        Conv2d(channels, 6, 5, padding=2, dtype=dtype, rng=source),
        ReLU(),
        AdaptiveAvgPool2d(14),
        Conv2d(6, 16, 5, dtype=dtype, rng=source),
        ReLU(),
        AdaptiveAvgPool2d(5),
        Flatten(),
        Linear(400, 120, dtype=dtype, rng=source),
        ReLU(),
        Linear(120, 84, dtype=dtype, rng=source),
        ReLU(),
        Linear(84, classes, dtype=dtype, rng=source),
    )


def _normalized(
    inputs: int,
    outputs: int,
    size: int,
    source: np.random.Generator,
    dtype: DTypeLike,
    stride: int = 1,
    groups: int = 1,
) -> list[Module]:
    """Return a convolution that keeps the size, and batch norm."""
    conv = Conv2d(
        inputs, outputs, size, stride, size // 2, 1, groups, False, dtype=dtype, rng=source
    )
    return [conv, BatchNorm2d(outputs, dtype=dtype)]


def _block(
    inputs: int, outputs: int, stride: int, source: np.random.Generator, dtype: DTypeLike
) -> Residual:
    """Return two convolutions of 3 by 3, and the way around them."""
    main = Sequential(
        *_normalized(inputs, outputs, 3, source, dtype, stride),
        ReLU(),
        *_normalized(outputs, outputs, 3, source, dtype),
    )
    shortcut = None
    if stride != 1 or inputs != outputs:
        shortcut = Sequential(*_normalized(inputs, outputs, 1, source, dtype, stride))
    return Residual(main, shortcut, ReLU())


def small_resnet(
    classes: int = 10,
    channels: int = 1,
    width: int = 16,
    blocks: int = 1,
    *,
    dtype: DTypeLike = np.float32,
    rng: object = None,
) -> Sequential:
    """Return a residual network of three stages, as He et al. (2016) have for small pictures.

    Parameters
    ----------
    classes, channels : int
        Outputs, and channels of the pictures.
    width : int, default 16
        Channels of the first stage; the next ones have two and four times as many, at half and a
        quarter of the size.
    blocks : int, default 1
        Residual blocks of each stage; 3 of them make ResNet-20.
    dtype : dtype_like, default float32
        That of the parameters.
    rng : None, int, or Generator, optional
        What the parameters are drawn with.

    Returns
    -------
    Sequential
        From pictures (N, channels, H, W) to logits (N, classes).

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn
    >>> model = nn.models.small_resnet(rng=0).eval()
    >>> model(np.zeros((2, 1, 28, 28), np.float32)).shape
    (2, 10)
    """
    source = generator(rng)
    layers: list[Module] = [*_normalized(channels, width, 3, source, dtype), ReLU()]
    inputs = width
    for stage in range(3):
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            layers.append(_block(inputs, width << stage, stride, source, dtype))
            inputs = width << stage
    head = Linear(inputs, classes, dtype=dtype, rng=source)
    return Sequential(*layers, AdaptiveAvgPool2d(1), Flatten(), head)


def mobilenet(
    classes: int = 10,
    channels: int = 1,
    width: int = 16,
    *,
    dtype: DTypeLike = np.float32,
    rng: object = None,
) -> Sequential:
    """Return a small MobileNet: filters of single channels and products over channels by turns.

    Howard et al., "MobileNets: efficient convolutional neural networks for mobile vision
    applications", 2017.

    Parameters
    ----------
    classes, channels : int
        Outputs, and channels of the pictures.
    width : int, default 16
        Channels after the first convolution; there are eight times as many at the end.
    dtype : dtype_like, default float32
        That of the parameters.
    rng : None, int, or Generator, optional
        What the parameters are drawn with.

    Returns
    -------
    Sequential
        From pictures (N, channels, H, W) to logits (N, classes).

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn
    >>> model = nn.models.mobilenet(rng=0).eval()
    >>> model(np.zeros((2, 1, 28, 28), np.float32)).shape
    (2, 10)
    """
    source = generator(rng)
    layers: list[Module] = [*_normalized(channels, width, 3, source, dtype), ReLU6()]
    inputs = width
    for factor, stride in ((2, 1), (4, 2), (4, 1), (8, 2), (8, 1)):
        outputs = factor * width
        layers += _normalized(inputs, inputs, 3, source, dtype, stride, groups=inputs)
        layers += [ReLU6(), *_normalized(inputs, outputs, 1, source, dtype), ReLU6()]
        inputs = outputs
    head = Linear(inputs, classes, dtype=dtype, rng=source)
    return Sequential(*layers, AdaptiveAvgPool2d(1), Flatten(), head)
