"""The geometry of a convolution: checked options, shapes, and plans of its maps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from convx._engine import arguments, boundary
from convx._engine.plan import plan
from convx._engine.problem import Axis, Plan, Problem
from convx._engine.window import Window


@dataclass(frozen=True, slots=True)
class Options:
    """How a kernel slides: the options of one convolution, checked, one entry for each axis."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pads: arguments.Pads
    dilation: tuple[int, ...]
    groups: int
    padding_mode: str
    algorithm: str
    output_padding: tuple[int, ...] = ()
    prepared: bool = False  # the weights are kept in the form that the algorithm wants

    def windows(self, sizes: Sequence[int]) -> list[Window]:
        """Windows over an input of the given sizes."""
        return [
            Window(size, k, s, d, low, high)
            for size, k, s, d, (low, high) in zip(
                sizes, self.kernel, self.stride, self.dilation, self.pads
            )
        ]

    def windows_of_transpose(self, sizes: Sequence[int]) -> list[Window]:
        """Windows whose adjoint takes an input of the given sizes."""
        return [
            Window.of_transpose(size, k, s, d, low, high, extra)
            for size, k, s, d, (low, high), extra in zip(
                sizes, self.kernel, self.stride, self.dilation, self.pads, self.output_padding
            )
        ]


def parse_options(
    kernel: Sequence[int],
    stride: object,
    padding: object,
    dilation: object,
    groups: object,
    padding_mode: object,
    algorithm: object,
    output_padding: object = 0,
) -> Options:
    """Check the options that do not depend on the arrays."""
    axes = len(kernel)
    dilations = arguments.per_axis(dilation, axes, "dilation", 1)
    return Options(
        kernel=tuple(kernel),
        stride=arguments.per_axis(stride, axes, "stride", 1),
        pads=arguments.pads(padding, kernel, dilations),
        dilation=dilations,
        groups=arguments.integer(groups, "groups", 1),
        padding_mode=arguments.padding_mode(padding_mode),
        algorithm=arguments.algorithm(algorithm),
        output_padding=arguments.per_axis(output_padding, axes, "output_padding", 0),
    )


@dataclass(frozen=True, slots=True)
class Correlation:
    """A convolution between arrays of known shapes; its maps can be planned in all directions.

    ``windows`` slide over the input's axes; the first ``outputs`` of their positions are used,
    which is all of them but for a transposed convolution with much output padding.
    """

    windows: tuple[Window, ...]
    outputs: tuple[int, ...]
    batch: int
    channels: int
    filters: int
    options: Options

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input, with a batch axis."""
        return (self.batch, self.channels, *(window.size for window in self.windows))

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the output, with a batch axis."""
        return (self.batch, self.filters, *self.outputs)

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weights."""
        return (self.filters, self.channels // self.options.groups, *self.options.kernel)

    @property
    def pads_by_index(self) -> bool:
        """Whether the halo is taken from the input itself."""
        return self.options.padding_mode != "zeros"

    def halos(self) -> list[boundary.IndexMap | None]:
        """For each axis where its halo is taken from."""
        sources = []
        for window in self.windows:
            low, high = window.pad_low, window.pad_high
            if self.pads_by_index:
                arguments.check_memory((low + high,), 32, "tables for padding")
            sources.append(boundary.halo_sources(self.options.padding_mode, window.size, low, high))
        return sources

    def of_parts(self) -> "Correlation":
        """The same between real and imaginary parts as channels of their own."""
        return replace(self, channels=2 * self.channels, filters=2 * self.filters)

    def direct(self) -> "Correlation":
        """Return the same, computed by the direct algorithm."""
        return replace(self, options=replace(self.options, algorithm="direct"))

    def plan(self, direction: str, strides: tuple[int, ...], dtype: str, threads: int) -> Plan:
        """Plan one of the maps, from an array with the given strides in elements.

        ``direction`` is "forward", "weight_gradient", or "adjoint", whose result still has the
        halo where the padding is taken from the input.
        """
        sizes, groups = [window.size for window in self.windows], self.options.groups
        if direction == "adjoint":
            windows = [window.padded() if self.pads_by_index else window for window in self.windows]
            taps = [window.adjoint() for window in windows]
            in_sizes, out_sizes = self.outputs, [window.size for window in windows]
            channels, filters = self.filters, self.channels
            halos: list[boundary.IndexMap | None] = [None] * len(sizes)
        else:
            taps = [window.forward(n) for window, n in zip(self.windows, self.outputs)]
            in_sizes, out_sizes = tuple(sizes), list(self.outputs)
            channels, filters = self.channels, self.filters
            halos = self.halos()
        out_shape = (self.batch, filters, *out_sizes)
        arguments.check_memory(out_shape, np.dtype(dtype).itemsize, "the padded output")
        out_strides = [math.prod(out_shape[axis + 1 :]) for axis in range(len(out_shape))]
        axes = [
            [Axis(one, size, stride, out_stride, halo, window.pad_low) for one in passes]
            for passes, size, stride, out_stride, halo, window in zip(
                taps, in_sizes, strides[2:], out_strides[2:], halos, self.windows
            )
        ]
        problem = Problem(
            kind="weight_gradient" if direction == "weight_gradient" else "forward",
            dtype=dtype,
            kernel=self.options.kernel,
            batch=self.batch,
            groups=groups,
            channels=channels // groups,
            filters=filters // groups,
            in_batch=strides[0],
            in_channel=strides[1],
            out_batch=out_strides[0],
            out_channel=out_strides[1],
            weights_transposed=direction == "adjoint",
            weights_prepared=self.options.prepared,
            threads=threads,
        )
        return plan(problem, axes, out_shape, self.options.algorithm)


def of_conv(
    input_shape: tuple[int, ...], weight_shape: tuple[int, ...], options: Options
) -> Correlation:
    """Check a convolution's shapes against its options; ``input_shape`` has a batch axis."""
    batch, channels, *sizes = input_shape
    arguments.check_positive_sizes(sizes, "input", "spatial axis")
    check_weight(weight_shape, output_channels=weight_shape[0])
    arguments.check_groups(options.groups, input_channels=channels, output_channels=weight_shape[0])
    arguments.check_channels(
        weight_shape,
        1,
        channels // options.groups,
        f"an input of {channels} channels in {options.groups} groups",
    )
    windows = tuple(options.windows(sizes))
    arguments.check_windows(windows)
    outputs = tuple(window.output_size for window in windows)
    return Correlation(windows, outputs, batch, channels, weight_shape[0], options)


def of_transpose(
    input_shape: tuple[int, ...], weight_shape: tuple[int, ...], options: Options
) -> Correlation:
    """Check a transposed convolution's shapes; the result is what it is the adjoint of."""
    batch, channels, *sizes = input_shape
    arguments.check_positive_sizes(sizes, "input", "spatial axis")
    check_weight(weight_shape, output_channels=weight_shape[1])
    arguments.check_groups(options.groups, input_channels=channels)
    arguments.check_channels(weight_shape, 0, channels, f"an input of {channels} channels")
    windows = tuple(options.windows_of_transpose(sizes))
    arguments.check_transpose(windows, options.output_padding)
    filters = weight_shape[1] * options.groups
    return Correlation(windows, tuple(sizes), batch, filters, channels, options)


def check_weight(shape: tuple[int, ...], output_channels: int) -> None:
    """Check what the weights' shape says by itself."""
    arguments.check_output_channels(output_channels)
    arguments.check_positive_sizes(shape[2:], "weight", "kernel axis")
    arguments.check_memory(shape[2:], 64, "tables for the taps of weight")
