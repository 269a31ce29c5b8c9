"""Reading and writing PNG and JPEG files as planes of samples, with Pillow.

=========================  ==========================================================
in the file                planes
=========================  ==========================================================
black and white, grey      1 of 8 bits
16-bit grey                1 of 16 bits
palette, CMYK              3 of 8 bits, after the conversion to RGB
RGB                        3 of 8 bits (Pillow keeps the upper byte of 16-bit colour)
any with transparency      as above, with the alpha channel apart
=========================  ==========================================================
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from convx._engine.files import open_regular, replacing

from .errors import CommandError

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["FORMATS", "Picture", "check_format", "read_picture", "require_pillow", "write_picture"]

Array: TypeAlias = npt.NDArray[Any]

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


@dataclass(frozen=True)
class Picture:
    """The samples of an image file.

    Parameters
    ----------
    planes : ndarray
        ``(1 or 3, height, width)`` samples of uint8 or uint16.
    alpha : ndarray, optional
        ``(height, width)`` samples of uint8.
    profile : bytes, optional
        The ICC colour profile of the file.
    """

    planes: Array
    alpha: Array | None = None
    profile: bytes | None = None


def require_pillow() -> None:
    """Say how to install Pillow where it is missing."""
    try:
        import PIL  # noqa: F401
    except ImportError as error:
        raise CommandError(
            "images need Pillow, which is not installed: pip install 'convx-cpu[images]'"
        ) from error


def read_picture(path: Path) -> Picture:
    """Read a PNG or JPEG file.

    Raises
    ------
    CommandError
        Pillow is missing, the file is missing or damaged, or it is so large that Pillow takes
        it for a decompression bomb.
    """
    require_pillow()
    from PIL import Image

    with open_regular(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        # Pillow's decoders raise many types on damaged files, SyntaxError among them.
        try:
            with Image.open(file, formats=sorted(set(FORMATS.values()))) as image:
                return _picture_of(image)
        except Image.UnidentifiedImageError as error:
            raise CommandError(f"{str(path)!r} is neither a PNG nor a JPEG image") from error
        except Exception as error:
            raise CommandError(f"cannot read {str(path)!r}: {error}") from error


def write_picture(path: Path, picture: Picture) -> None:
    """Write a PNG or JPEG file, whole or not at all."""
    image_format = FORMATS[path.suffix.lower()]
    check_format(path, picture)
    options: dict[str, Any] = {"quality": 95} if image_format == "JPEG" else {}
    if picture.profile:
        options["icc_profile"] = picture.profile
    with replacing(path) as file:
        _image_of(picture).save(file, format=image_format, **options)


def check_format(path: Path, picture: Picture) -> None:
    """Refuse what the format of the file cannot hold."""
    if FORMATS[path.suffix.lower()] != "JPEG":
        return
    if picture.alpha is not None:
        raise CommandError(f"{str(path)!r}: JPEG has no transparency, write a .png")
    if picture.planes.dtype != np.uint8:
        raise CommandError(f"{str(path)!r}: JPEG has no 16-bit samples, write a .png")


def _picture_of(image: Image.Image) -> Picture:
    from PIL import ImageOps

    profile = None if image.mode == "CMYK" else image.info.get("icc_profile")
    image = _in_plain_mode(ImageOps.exif_transpose(image))
    samples = np.atleast_3d(np.asarray(image))
    if image.mode.startswith("I"):
        return Picture(_planes_first(samples.astype(np.uint16)), None, profile)
    if image.mode.endswith("A"):
        return Picture(_planes_first(samples[..., :-1]), samples[..., -1], profile)
    return Picture(_planes_first(samples), None, profile)


def _in_plain_mode(image: Image.Image) -> Image.Image:
    """Convert to one of I, I;16, L, LA, RGB and RGBA."""
    if image.mode.startswith("I"):
        return image
    grey = image.mode in ("1", "L", "LA", "La")
    transparent = "transparency" in image.info or image.mode.lower().endswith("a")
    return image.convert(("L" if grey else "RGB") + ("A" if transparent else ""))


def _planes_first(samples: Array) -> Array:
    return np.ascontiguousarray(np.moveaxis(samples, -1, 0))


def _image_of(picture: Picture) -> Image.Image:
    from PIL import Image

    planes = list(picture.planes)
    if picture.alpha is not None:
        planes.append(picture.alpha)
    return Image.fromarray(planes[0] if len(planes) == 1 else np.stack(planes, axis=-1))
