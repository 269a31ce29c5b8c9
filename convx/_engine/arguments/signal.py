"""Arguments of the functions that have SciPy's names in `convx.signal`.

Where SciPy has a message for an error, its words stand in the one here.
"""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convx._engine.arguments.convolution import MOST_AXES
from convx._engine.arguments.general import check_memory, integer, one_of, shown
from convx._engine.boundary import SIGNAL_BOUNDARIES, UPFIRDN_MODES

MODES = ("full", "same", "valid")
METHODS = ("auto", "direct", "fft")


def conv_mode(value: object) -> str:
    """Return the name of how much of a convolution is wanted."""
    if not isinstance(value, str) or value not in MODES:
        raise ValueError(
            f"acceptable mode flags are 'valid', 'same', or 'full', got mode={shown(value)}"
        )
    return value


def lag_mode(value: object) -> str:
    """Return the name of which lags are wanted."""
    if not isinstance(value, str) or value not in MODES:
        raise ValueError(f"Mode {value} is invalid, must be 'full', 'same' or 'valid'")
    return value


def conv_method(value: object) -> str:
    """Return the name of how a convolution is computed."""
    if not isinstance(value, str) or value not in METHODS:
        raise ValueError(
            f"Acceptable method flags are 'auto', 'direct', or 'fft', got method={shown(value)}"
        )
    return value


def signal_boundary(value: object) -> str:
    """Return the border mode that a boundary of two-dimensional functions stands for."""
    if not isinstance(value, str) or value not in SIGNAL_BOUNDARIES:
        raise ValueError(
            f"Acceptable boundary flags are {', '.join(map(repr, SIGNAL_BOUNDARIES))}, got "
            f"boundary={shown(value)}"
        )
    return SIGNAL_BOUNDARIES[value]


def upfirdn_mode(value: object) -> str:
    """Return the name of how a signal goes on beyond its ends."""
    name = value.lower() if isinstance(value, str) else value
    return one_of(name, tuple(UPFIRDN_MODES), "mode")


def fill_value(value: object, dtype: np.dtype[Any]) -> Any:
    """Return what stands beyond the edges of an image, in the dtype of the result."""
    array = np.asarray(value)
    if array.size != 1:
        raise ValueError(f"`fillvalue` must be scalar or an array with one element, got {value!r}")
    if array.dtype.kind not in "buifcO":
        raise TypeError(f"fillvalue must be a number, got {shown(value)}")
    drops_part = array.dtype.kind == "c" and dtype.kind not in "cO"
    with np.errstate(invalid="ignore"):
        filled = (array.real if drops_part else array).reshape(()).astype(dtype)
    if drops_part or (dtype.kind in "iu" and not abs(filled - array) < 1):
        raise ValueError(
            f"could not cast `fillvalue` directly to the output type {dtype}, got {shown(value)}"
        )
    return filled[()]


def check_same_rank(*ranks: int) -> None:
    """Raise unless two arrays have the same number of axes."""
    if len(set(ranks)) > 1:
        raise ValueError(f"in1 and in2 should have the same dimensionality, got {ranks} axes")


def check_planes(*ranks: int) -> None:
    """Raise unless both arrays have two axes."""
    if set(ranks) != {2}:
        raise ValueError(f"in1 and in2 must both be 2-D arrays, got {ranks} axes")


def check_not_empty(**shapes: tuple[int, ...]) -> None:
    """Raise if one of the arrays has no element."""
    for name, shape in shapes.items():
        if 0 in shape:
            raise ValueError(f"{name} cannot be empty, got shape {shape}")


def valid_swaps(shape: Sequence[int], kernel: Sequence[int], axes: Sequence[int]) -> bool:
    """Tell whether the second array is the one that the first slides over in mode 'valid'."""
    if all(shape[axis] >= kernel[axis] for axis in axes):
        return False
    if all(shape[axis] <= kernel[axis] for axis in axes):
        return True
    raise ValueError(
        "For 'valid' mode, one must be at least as large as the other in every dimension, got "
        f"{tuple(shape)} and {tuple(kernel)}"
    )


def filtered_axes(
    axes: Sequence[int], shape: tuple[int, ...], kernel: tuple[int, ...]
) -> tuple[int, ...]:
    """Return the axes to convolve along, ascending, but those where one array has one sample."""
    along = sorted(axis for axis in axes if shape[axis] != 1 and kernel[axis] != 1)
    rest = (axis for axis in range(len(shape)) if axis not in along)
    if any(shape[a] != kernel[a] and 1 not in (shape[a], kernel[a]) for a in rest):
        raise ValueError(f"incompatible shapes for in1 and in2: {shape} and {kernel}")
    return tuple(along)


def convolved_axes(value: Any, rank: int) -> list[int]:
    """Return the axes that are asked for, none negative: all of them by default."""
    if value is None:
        return list(range(rank))
    try:
        axes = [operator.index(axis) for axis in (value if np.iterable(value) else [value])]
    except TypeError:
        raise ValueError(
            f"axes must be a scalar or iterable of integers, got {shown(value)}"
        ) from None
    if not axes:
        raise ValueError("when provided, axes cannot be empty")
    if not all(-rank <= axis < rank for axis in axes):
        raise ValueError(f"axes exceeds dimensionality of input, got {axes} for {rank} axes")
    axes = [axis % rank for axis in axes]
    if len(set(axes)) != len(axes):
        raise ValueError(f"all axes must be unique, got {shown(value)}")
    return axes


def check_broadcast_along(
    axes: Sequence[int], shape: tuple[int, ...], kernel: tuple[int, ...]
) -> None:
    """Raise unless there are axes to convolve along, and two arrays fit along the others."""
    if not axes:
        raise ValueError("in1 and in2 must have axes to convolve along, got 0 axes")
    rest = (axis for axis in range(len(shape)) if axis not in axes)
    if any(shape[a] != kernel[a] and 1 not in (shape[a], kernel[a]) for a in rest):
        raise ValueError(
            f"incompatible shapes for in1 and in2 along the axes not in {tuple(axes)}: {shape} and "
            f"{kernel}"
        )


def plane_axes(value: object, rank: int, kernel_rank: int) -> tuple[int, int]:
    """Return the two axes of images in an array, ascending; the second array is an image."""
    if value is None:
        check_planes(rank, kernel_rank)
        return 0, 1
    axes = convolved_axes(value, rank)
    if len(axes) != 2:
        raise ValueError(f"axes must be two axes of in1, got {shown(value)}")
    if kernel_rank != 2:
        raise ValueError(f"in2 must have two axes, those of an image, got {kernel_rank}")
    return min(axes), max(axes)


def lag_lengths(first: object, second: object) -> tuple[int, int]:
    """Return the lengths of two signals."""
    lengths = integer(first, "in1_len", 0), integer(second, "in2_len", 0)
    check_memory((sum(lengths),), 8, "lags")
    return lengths


def taps(value: NDArray[Any], name: str) -> NDArray[Any]:
    """Return the taps of a filter of one axis."""
    if value.ndim != 1 or value.size == 0:
        raise ValueError(f"{name} must be 1-D with non-zero length, got shape {value.shape}")
    return value


def rates(up: object, down: object) -> tuple[int, int]:
    """Return by how much a signal is upsampled, and downsampled."""
    found = integer(up, "up"), integer(down, "down")
    if min(found) < 1:
        raise ValueError(f"Both up and down must be >= 1, got {found}")
    return found


def filtered_axis(value: object, rank: int) -> int:
    """Return the axis of an array, none negative, that a filter goes along."""
    axis = integer(value, "axis")
    if not -rank <= axis < rank:
        raise ValueError(f"axis must be from {-rank} to {rank - 1}, got {axis}")
    return axis % rank


def check_separable_filter(image: int, **shapes: tuple[int, ...]) -> None:
    """Raise unless an image has two axes and the filters for it one, of odd lengths."""
    if image != 2:
        depth = "object too deep" if image > 2 else "object of too small depth"
        raise ValueError(f"input must have 2 axes, got {image}: {depth} for desired array")
    for name, shape in shapes.items():
        if len(shape) != 1:
            depth = "object too deep" if len(shape) > 1 else "object of too small depth"
            raise ValueError(f"{name} must have 1 axis, got {len(shape)}: {depth}")
        if shape[0] % 2 == 0:
            raise ValueError(f"{name} must be of odd length, got {shape[0]}")


def check_filtered_rank(axes: int) -> None:
    """Raise if there are more axes from the first that is filtered on than kernels can go over."""
    if axes > MOST_AXES:
        raise ValueError(
            f"arrays must have at most {MOST_AXES} axes from the first one that is filtered on, "
            f"got {axes}"
        )


def check_numbers(dtype: np.dtype[Any], name: str) -> None:
    """Raise unless there are numbers in an array, or Python objects that may be."""
    if dtype.kind not in "biufcO":
        raise TypeError(f"{name} must have a dtype of numbers, got {dtype}")


def check_computed(dtype: np.dtype[Any], name: str) -> None:
    """Raise unless what arrays are promoted to is float32, float64 or complex ones of these."""
    if dtype.char not in "fdFD":
        raise TypeError(f"{name} must have a dtype of numbers up to complex128, got {dtype}")


def check_real_filters(image: np.dtype[Any], **dtypes: np.dtype[Any]) -> None:
    """Raise if a filter is complex and the image is not."""
    for name, dtype in dtypes.items():
        if dtype.kind not in ("biuf" if image.kind != "c" else "biufc"):
            raise TypeError(f"{name} must not have complex taps for a real input, got {dtype}")


def check_median_image(axes: int, dtype: np.dtype[Any]) -> None:
    """Raise unless an image has two axes, and elements of a type that medians are taken of."""
    if axes != 2:
        depth = "object too deep" if axes > 2 else "object of too small depth"
        raise ValueError(f"input must have 2 axes, got {axes}: {depth} for desired array")
    if dtype.kind not in "iu" and dtype.newbyteorder("=") not in (np.float32, np.float64):
        raise ValueError(
            f"input must be of integers, float32 or float64: dtype={dtype} is not supported by "
            "medfilt2d"
        )


def median_sizes(value: object) -> tuple[int, int]:
    """Return rows and columns of a window, 3 by default."""
    given = 3 if value is None else value
    sizes = np.asarray(given)
    if sizes.dtype.kind not in "iu":
        raise TypeError(f"kernel_size must have integers, got {shown(given)}")
    if sizes.shape not in ((), (2,)):
        raise ValueError(f"kernel_size must be an integer or two of them, got {shown(given)}")
    rows, columns = sizes.tolist() if sizes.ndim else (sizes.item(),) * 2
    if min(rows, columns) < 1 or not rows % 2 == columns % 2 == 1:
        raise ValueError(
            "Each element of kernel_size should be odd, and positive, got "
            f"kernel_size={shown(given)}"
        )
    return rows, columns
