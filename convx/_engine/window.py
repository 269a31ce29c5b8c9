"""Sizes: what a window that slides along one axis reads and writes, in both directions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.int64]

# The place in the kernel of a tap that has no weight.
NO_WEIGHT = -1


@dataclass(frozen=True, slots=True)
class AxisTaps:
    """What one pass sums along an axis.

    Output ``o`` lies at ``out_start + o * out_step`` and takes, from each tap, the input
    coordinate ``o * stride + coordinates[tap]``; ``kernel[tap]`` is the tap's place in the kernel,
    or ``NO_WEIGHT``.
    """

    outputs: int
    stride: int
    coordinates: Table
    kernel: Table
    out_start: int = 0
    out_step: int = 1


@dataclass(frozen=True, slots=True)
class Window:
    """A window of ``kernel`` taps, ``dilation`` apart, that steps over a padded axis."""

    size: int
    kernel: int
    stride: int = 1
    dilation: int = 1
    pad_low: int = 0
    pad_high: int = 0

    @property
    def extent(self) -> int:
        """Samples from the first tap to the last."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def padded_size(self) -> int:
        """Size of the axis with its padding."""
        return self.size + self.pad_low + self.pad_high

    @property
    def output_size(self) -> int:
        """Positions of the window, 0 or less where it does not fit."""
        return (self.padded_size - self.extent) // self.stride + 1

    def pooled_size(self, ceil_mode: bool) -> int:
        """Positions of a window for pooling, 0 or less where it does not fit.

        With ``ceil_mode`` the last one may reach beyond the padding, but not begin there.
        """
        if not ceil_mode:
            return self.output_size
        positions = -(-(self.padded_size - self.extent) // self.stride) + 1
        begins_inside = (positions - 1) * self.stride < self.size + self.pad_low
        return positions if begins_inside else positions - 1

    def padded(self) -> "Window":
        """The same window over the axis with its halo."""
        return Window(self.padded_size, self.kernel, self.stride, self.dilation)

    def then(self, following: "Window") -> "Window":
        """One window that does what this one and another one on its outputs do in a row.

        Its positions are exactly those of the two: floors of quotients nest.
        """
        step = self.stride
        return Window(
            self.size,
            kernel=self.extent + (following.extent - 1) * step,
            stride=step * following.stride,
            pad_low=self.pad_low + following.pad_low * step,
            pad_high=self.pad_high + following.pad_high * step,
        )

    @classmethod
    def of_transpose(
        cls,
        size: int,
        kernel: int,
        stride: int,
        dilation: int,
        pad_low: int,
        pad_high: int,
        output_padding: int,
    ) -> "Window":
        """Window whose adjoint turns ``size`` samples into the transposed convolution's output."""
        full = (size - 1) * stride + dilation * (kernel - 1) + 1 + output_padding
        return cls(full - pad_low - pad_high, kernel, stride, dilation, pad_low, pad_high)

    def forward(self, outputs: int) -> list[AxisTaps]:
        """The one pass of the convolution, for its first ``outputs`` positions."""
        taps = np.arange(self.kernel)
        stride = self.stride if outputs > 1 else 1
        return [AxisTaps(outputs, stride, taps * self.dilation - self.pad_low, taps)]

    def adjoint(self) -> list[AxisTaps]:
        """Passes that carry the output back to the input, one for each phase that a tap reaches.

        Input ``i`` is read by output ``o`` at the tap where ``o * stride + tap * dilation - pad_low
        == i``, so the inputs of one phase ``i % stride`` share their taps: no zeros are inserted.
        """
        taps = np.arange(self.kernel)
        phases = (taps * self.dilation - self.pad_low) % self.stride
        passes = []
        for phase in np.unique(phases[phases < self.size]).tolist():
            chosen = taps[phases == phase]
            outputs = -(-(self.size - phase) // self.stride)
            coordinates = (phase + self.pad_low - chosen * self.dilation) // self.stride
            step = self.stride if outputs > 1 else 1
            passes.append(AxisTaps(outputs, 1, coordinates, chosen, phase, step))
        return passes
