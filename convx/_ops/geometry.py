"""What shapes alone tell: output sizes, receptive fields, parameters and operations."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from convx._engine import arguments
from convx._engine.window import Window
from convx._ops.correlation import Options, parse_options

# One integer for each axis, or a single one where nothing told of axes.
Sizes = int | tuple[int, ...]


class ReceptiveField(NamedTuple):
    """What an output of a stack of layers sees of the input, on each axis.

    Output ``p`` sees the samples from ``offset + p * stride`` on, ``size`` of them.

    Attributes
    ----------
    size : int or tuple of int
        Samples from the first that an output sees to the last.
    stride : int or tuple of int
        Samples from what one output sees to what the next one sees; also called jump.
    offset : int or tuple of int
        The first sample that output 0 sees: below 0, it is in the padding.
    """

    size: Sizes
    stride: Sizes
    offset: Sizes


def output_size(
    size: object,
    kernel_size: object,
    stride: object,
    padding: object,
    dilation: object,
    ceil_mode: object,
    transposed: object,
    output_padding: object,
) -> Sizes:
    """Return the size of a convolution's, a transposed convolution's or a pool's output."""
    rounds_up = arguments.flag(ceil_mode, "ceil_mode")
    backward = arguments.flag(transposed, "transposed")
    arguments.check_direction(backward, rounds_up, output_padding)
    axes = arguments.axes_told(size, kernel_size, stride, padding, dilation, output_padding)
    sizes = arguments.per_axis(size, axes or 1, "size", 1)
    options = _options(axes, kernel_size, stride, padding, dilation, output_padding)
    if backward:
        windows = options.windows_of_transpose(sizes)
        arguments.check_transpose(windows, options.output_padding)
        return _told([window.size for window in windows], axes)
    windows = options.windows(sizes)
    arguments.check_windows(windows, rounds_up)
    return _told([window.pooled_size(rounds_up) for window in windows], axes)


def receptive_field(layers: object) -> ReceptiveField:
    """Return the receptive field of a stack: that of the one window that its windows make."""
    given = [arguments.layer(one) for one in arguments.check_sequence_of_layers(layers)]
    axes = arguments.axes_told(*(entry for layer in given for entry in layer))
    stack = [Window(1, 1)] * (axes or 1)
    for layer in given:
        windows = _options(axes, *layer).windows([1] * len(stack))
        stack = [before.then(window) for before, window in zip(stack, windows)]
    return ReceptiveField(
        _told([window.extent for window in stack], axes),
        _told([window.stride for window in stack], axes),
        _told([-window.pad_low for window in stack], axes),
    )


class Stage(NamedTuple):
    """One convolution of a kind: the shape of its weights, and the axes that it slides along."""

    weight: tuple[int, ...]
    along: Sequence[int]


def stages(
    kind: str, channels: int, filters: int, kernel: Sequence[int], groups: int
) -> list[Stage]:
    """Return the convolutions that a kind is made of."""
    axes = range(len(kernel))
    point = (1,) * len(kernel)
    if kind == "conv":
        return [Stage((filters, channels // groups, *kernel), axes)]
    if kind == "shuffled_group":
        first = Stage((filters, channels // groups, *kernel), axes)
        return [first, Stage((filters, filters // groups, *point), ())]
    if kind == "depthwise_separable":
        return [Stage((channels, 1, *kernel), axes), Stage((filters, channels, *point), ())]
    lines = [(*point[:axis], kernel[axis], *point[axis + 1 :]) for axis in axes]
    if kind == "flattened":
        first = Stage((filters, channels, *point), ())
        return [first, *(Stage((filters, 1, *line), [axis]) for axis, line in enumerate(lines))]
    return [
        Stage((filters, filters if axis else channels, *line), [axis])
        for axis, line in enumerate(lines)
    ]


def count_parameters(
    in_channels: object,
    out_channels: object,
    kernel_size: object,
    groups: object,
    bias: object,
    kind: object,
) -> int:
    """Return how many numbers the weights of a kind of convolution have."""
    kernel = _options(arguments.axes_told(kernel_size), kernel_size).kernel
    made_of, filters = _stages(in_channels, out_channels, kernel, groups, kind)
    biases = filters if arguments.flag(bias, "bias") else 0
    return sum(math.prod(stage.weight) for stage in made_of) + biases


def count_flops(
    input_size: object,
    in_channels: object,
    out_channels: object,
    kernel_size: object,
    stride: object,
    padding: object,
    dilation: object,
    groups: object,
    kind: object,
) -> int:
    """Return how many additions and multiplications a kind of convolution takes for one item."""
    axes = arguments.axes_told(input_size, kernel_size, stride, padding, dilation)
    sizes = list(arguments.per_axis(input_size, axes or 1, "input_size", 1))
    options = _options(axes, kernel_size, stride, padding, dilation)
    windows = options.windows(sizes)
    arguments.check_windows(windows)
    made_of, _ = _stages(in_channels, out_channels, options.kernel, groups, kind)
    flops = 0
    for stage in made_of:
        for axis in stage.along:
            sizes[axis] = windows[axis].output_size
        flops += 2 * math.prod(stage.weight) * math.prod(sizes)
    return flops


def _options(
    axes: int | None,
    kernel_size: object,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    output_padding: object = 0,
) -> Options:
    kernel = arguments.per_axis(kernel_size, axes or 1, "kernel_size", 1)
    return parse_options(kernel, stride, padding, dilation, 1, "zeros", "auto", output_padding)


def _stages(
    in_channels: object,
    out_channels: object,
    kernel: Sequence[int],
    groups: object,
    kind: object,
) -> tuple[list[Stage], int]:
    channels = arguments.integer(in_channels, "in_channels", 1)
    filters = arguments.integer(out_channels, "out_channels", 1)
    name, number = arguments.kind(kind, groups, in_channels=channels, out_channels=filters)
    return stages(name, channels, filters, kernel, number), filters


def _told(sizes: Sequence[int], axes: int | None) -> Sizes:
    return sizes[0] if axes is None else tuple(sizes)
