"""A sheet of labelled pictures, drawn with Pillow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from convx._engine.files import replacing

if TYPE_CHECKING:
    from PIL import Image, ImageFont

__all__ = ["Panel", "write_sheet"]

Array: TypeAlias = npt.NDArray[Any]

WIDTH = 1760
GAP = 8
LABEL_HEIGHT = 26
PAPER, INK = (250, 250, 248), (32, 32, 32)


@dataclass(frozen=True)
class Panel:
    """One picture of the sheet.

    Parameters
    ----------
    label : str
        Written above the picture.
    samples : ndarray
        ``(height, width)`` or ``(3, height, width)``, black at 0 and white at 1.
    """

    label: str
    samples: Array


def write_sheet(path: Path, rows: Sequence[Sequence[Panel]]) -> None:
    """Draw the rows one below the other, each as wide as the sheet, into a PNG file."""
    strips = [_draw_row(row) for row in rows]
    sheet = _blank(WIDTH, sum(strip.height for strip in strips) + GAP)
    top = 0
    for strip in strips:
        sheet.paste(strip, (0, top))
        top += strip.height
    with replacing(path) as file:
        sheet.save(file, format="PNG")


def _draw_row(row: Sequence[Panel]) -> Image.Image:
    from PIL import ImageDraw

    width = (WIDTH - GAP) // len(row) - GAP
    images = [_scaled_to(width, panel.samples) for panel in row]
    strip = _blank(WIDTH, LABEL_HEIGHT + max(image.height for image in images))
    pen, font = ImageDraw.Draw(strip), _font()
    for column, (panel, image) in enumerate(zip(row, images, strict=True)):
        left = GAP + column * (width + GAP)
        pen.text((left, LABEL_HEIGHT - 4), panel.label, fill=INK, font=font, anchor="ls")
        strip.paste(image, (left, LABEL_HEIGHT))
    return strip


def _scaled_to(width: int, samples: Array) -> Image.Image:
    from PIL import Image

    pixels = np.rint(255 * np.clip(samples, 0, 1)).astype(np.uint8)
    if pixels.ndim == 3:
        pixels = np.ascontiguousarray(np.moveaxis(pixels, 0, -1))
    image = Image.fromarray(pixels).convert("RGB")
    height = round(image.height * width / image.width)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _blank(width: int, height: int) -> Image.Image:
    from PIL import Image

    return Image.new("RGB", (width, height), PAPER)


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(16)
