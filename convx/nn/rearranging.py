"""Layers that move or resize: shuffles of channels and pixels, windows as columns, resizing."""

from typing import Any

from convx.nn.function import FunctionLayer


class ChannelShuffle(FunctionLayer):
    """Channels dealt into groups, then taken by turns, :func:`convx.functional.channel_shuffle`."""

    function = "channel_shuffle"

    def __init__(self, groups: int) -> None:
        super().__init__(groups=groups)


class PixelShuffle(FunctionLayer):
    """Channels become finer pixels, :func:`convx.functional.pixel_shuffle`."""

    function = "pixel_shuffle"

    def __init__(self, upscale_factor: int) -> None:
        super().__init__(upscale_factor=upscale_factor)


class PixelUnshuffle(FunctionLayer):
    """Pixels become channels, :func:`convx.functional.pixel_unshuffle`."""

    function = "pixel_unshuffle"

    def __init__(self, downscale_factor: int) -> None:
        super().__init__(downscale_factor=downscale_factor)


class Unfold(FunctionLayer):
    """Windows become columns, :func:`convx.functional.unfold`."""

    function = "unfold"

    def __init__(
        self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__(kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)


class Fold(FunctionLayer):
    """Columns become windows, added where they overlap, :func:`convx.functional.fold`."""

    function = "fold"

    def __init__(
        self,
        output_size: Any,
        kernel_size: Any,
        dilation: Any = 1,
        padding: Any = 0,
        stride: Any = 1,
    ) -> None:
        super().__init__(
            output_size=output_size,
            kernel_size=kernel_size,
            dilation=dilation,
            padding=padding,
            stride=stride,
        )


class Upsample(FunctionLayer):
    """Resize to a size or by a factor, :func:`convx.functional.interpolate`.

    Examples
    --------
    >>> from convx import nn
    >>> nn.Upsample(scale_factor=2)([[[1.0, 2.0]]])
    array([[[1., 1., 2., 2.]]])
    """

    function = "interpolate"

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        factor = (
            tuple(map(float, scale_factor)) if isinstance(scale_factor, tuple) else scale_factor
        )
        super().__init__(
            size=size,
            scale_factor=float(factor) if isinstance(factor, int) else factor,
            mode=mode,
            align_corners=align_corners,
            recompute_scale_factor=recompute_scale_factor,
        )

    def extra_repr(self) -> str:
        """Return the factor or the size, and the mode."""
        own = vars(self)
        name = "size" if own["scale_factor"] is None else "scale_factor"
        return f"{name}={own[name]}, mode={own['mode']!r}"
