"""Arguments of filters of images, as SciPy's ``ndimage`` takes them.

Where SciPy raises RuntimeError, so do these, which are ValueError or TypeError as well.
"""

import math
import operator
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from convx._core._filter import TYPES
from convx._engine.arguments.general import integer, shown
from convx._engine.boundary import IMAGE_BORDERS

# Taps beyond which a kernel is a mistake: of 2 GiB in double precision.
MOST_TAPS = 2**28
# Of a derivative, whose polynomial takes the square of it in memory.
MOST_ORDER = 1000


class FilterValueError(ValueError, RuntimeError):
    """A value that a filter of images cannot take."""


class FilterTypeError(TypeError, RuntimeError):
    """An element type that a filter of images cannot take."""


def filter_axes(axes: object, ndim: int) -> tuple[int, ...]:
    """Return the axes to filter, none of them negative."""
    if axes is None:
        return tuple(range(ndim))
    given = tuple(axes) if isinstance(axes, Iterable) else (axes,)
    found = tuple(filter_axis(one, ndim, "axes") for one in given)
    if len(set(found)) < len(found):
        raise ValueError(f"axes must be unique, got {shown(axes)}")
    return found


def filter_axis(value: object, ndim: int, name: str = "axis") -> int:
    """Return one axis, not negative."""
    axis = operator.index(value)  # type: ignore[arg-type]
    if not -ndim <= axis < ndim:
        raise (
            np.exceptions.AxisError(axis, ndim)
            if name == "axis"
            else ValueError(
                f"axes must be from {-ndim} to {ndim - 1}, specified axis: {axis} is out of range"
            )
        )
    return axis % ndim


def for_each(value: object, count: int, name: str) -> list[Any]:
    """Return one value for each of the axes, from one for all of them or a sequence."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return [value] * count
    values = list(value)
    if len(values) != count:
        raise FilterValueError(
            f"{name}: sequence argument must have length equal to input rank, or to the number "
            f"of axes, {count}, got {len(values)}"
        )
    return values


def filter_border(mode: object) -> str:
    """Return what a mode's border is called here."""
    if not isinstance(mode, str):
        raise FilterValueError(
            f"mode must be one name here, a sequence of modes is not supported, got {shown(mode)}"
        )
    if mode not in IMAGE_BORDERS:
        names = ", ".join(map(repr, IMAGE_BORDERS))
        raise FilterValueError(f"mode must be one of {names}, got {shown(mode)}")
    return IMAGE_BORDERS[mode]


def filter_size(value: object, least: int = 1, name: str = "size") -> int:
    """Return the taps of a window along an axis; a float that is whole will do, as for SciPy."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    size = integer(value, name)
    if not least <= size <= MOST_TAPS:
        raise FilterValueError(f"{name} must be from {least} to {MOST_TAPS}, got {shown(value)}")
    return size


def origin_of(value: object, taps: int) -> int:
    """Return how far a window is shifted."""
    origin = operator.index(value)  # type: ignore[arg-type]
    if not -(taps // 2) <= origin <= (taps - 1) // 2:
        raise ValueError(
            f"origin must be from {-(taps // 2)} to {(taps - 1) // 2} for {taps} taps, got {origin}"
        )
    return origin


def gaussian_radius(sigma: object, truncate: object, radius: object) -> tuple[float, int]:
    """Return the standard deviation and the taps on each side of the middle."""
    try:
        if isinstance(sigma, str | bytes) or isinstance(truncate, str | bytes):
            raise TypeError
        deviation, ratio = float(sigma), float(truncate)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise TypeError(
            f"sigma and truncate must be numbers, got {shown(sigma)} and {shown(truncate)}"
        ) from None
    if not (math.isfinite(deviation) and deviation >= 0):
        raise ValueError(f"sigma must be finite and not negative, got {deviation}")
    if ratio < 0:
        raise ValueError(f"truncate must not be negative, got {ratio}")
    if radius is None:
        wide = ratio * deviation + 0.5
        if not (math.isfinite(wide) and wide <= MOST_TAPS / 2):
            raise ValueError(
                f"sigma times truncate must be below {MOST_TAPS // 2}, got {deviation} and {ratio}"
            )
        wished: object = int(wide)
    else:
        wished = radius
    if not isinstance(wished, int | np.integer) or not 0 <= wished <= MOST_TAPS // 2:
        raise ValueError(f"radius must be a nonnegative integer, got {shown(wished)}")
    return deviation, int(wished)


def gaussian_order(value: object) -> int:
    """Return which derivative of a Gaussian is wanted."""
    order = integer(value, "order", 0)
    if order > MOST_ORDER:
        raise ValueError(f"order must be at most {MOST_ORDER}, got {order}")
    return order


def line_weights(weights: NDArray[Any]) -> None:
    """Check weights of a filter along one axis."""
    if weights.ndim != 1 or weights.shape[0] < 1:
        raise FilterValueError(
            f"weights must have one axis and one element at least, got shape {weights.shape}"
        )


def check_some_weights(shape: Sequence[int]) -> None:
    """Check that a kernel has elements."""
    if 0 in shape:
        raise FilterValueError(f"weights must have an element at least, got shape {shape}")


def check_image_dtype(dtype: np.dtype[Any], name: str) -> None:
    """Check that filters take an element type."""
    if dtype.str[1:] not in TYPES and dtype.str[1:] not in ("c8", "c16"):
        raise FilterTypeError(
            f"{name} must have a dtype of bool, float32, float64, complex64, complex128 or an "
            f"integer one: array type {dtype} not supported"
        )


def check_real_image(dtype: np.dtype[Any]) -> None:
    """Check that an element type is ordered."""
    if dtype.kind == "c":
        raise TypeError(f"input must be real, Complex type not supported, got {dtype}")


def check_positive_deviation(value: float) -> None:
    """Check that a Gaussian along one axis has a width."""
    if value == 0:
        raise ValueError(f"sigma must be positive along one axis, got {value}")


def check_ranks_agree(ndim: int, axes: Sequence[int], name: str) -> None:
    """Check that a kernel or a footprint has as many axes as are filtered."""
    if ndim != len(axes):
        raise FilterValueError(f"{name}.ndim ({ndim}) must match len(axes) ({len(axes)})")


def check_some_taps(footprint: NDArray[Any]) -> None:
    """Check that a footprint has elements."""
    if not footprint.any():
        raise ValueError(
            f"footprint must have a true element, got shape {footprint.shape} without: "
            "All-zero footprint is not supported."
        )


def window_given(size: object, footprint: object) -> None:
    """Check that a window is told in one way."""
    if size is not None and footprint is not None:
        warnings.warn("ignoring size because footprint is set", UserWarning, stacklevel=4)
    if size is None and footprint is None:
        raise FilterValueError("size or footprint must be given, no footprint provided")


def constants(cval: object, is_complex: bool) -> tuple[float, float]:
    """Return real and imaginary parts of what stands beyond the border."""
    if np.ndim(cval) != 0:  # type: ignore[arg-type]
        raise TypeError(f"cval must be a number, got {shown(cval)}")
    if np.iscomplexobj(cast(Any, cval)) and not is_complex:
        raise FilterTypeError(f"cval must be real when the input is real, got {shown(cval)}")
    try:
        value = complex(cval)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        raise TypeError(f"cval must be a number, got {shown(cval)}") from None
    return value.real, value.imag


def accumulator(value: object) -> np.dtype[Any] | None:
    """Return the type that sums are asked to be computed in, at least."""
    if value is None:
        return None
    if value in ("float32", "float64"):
        return None if value == "float32" else np.dtype(np.float64)
    raise ValueError(f"accumulate must be None, 'float32' or 'float64', got {shown(value)}")


def filter_output(
    output: object, shape: tuple[int, ...], dtype: np.dtype[Any], is_complex: bool
) -> NDArray[Any] | np.dtype[Any]:
    """Return the array that takes the result, or the type that a new one is to have."""
    if output is None:
        return np.promote_types(dtype, np.complex64) if is_complex else dtype
    if isinstance(output, type | np.dtype | str):
        told = np.dtype(output)
        if is_complex and told.kind != "c":
            if isinstance(output, str):
                raise FilterValueError(f"output must have complex dtype, got {output!r}")
            warnings.warn("promoting specified output dtype to complex", stacklevel=4)
            told = np.promote_types(told, np.complex64)
        if not issubclass(told.type, np.number | np.bool_):
            raise FilterTypeError(f"output must have numeric dtype, got {told}")
        return told
    array = np.asarray(output)
    if array is not output:
        raise TypeError(f"output must be an array or a dtype, got {type(output).__name__}")
    if array.shape != shape:
        raise FilterValueError(f"output must have shape {shape}, got {array.shape}")
    if is_complex and array.dtype.kind != "c":
        raise FilterTypeError(f"output must have complex dtype, got {array.dtype}")
    if not array.flags.writeable:
        raise ValueError("output must be writable, got a read-only array")
    if array.size and any(step == 0 and n > 1 for step, n in zip(array.strides, array.shape)):
        raise ValueError(
            f"output must have memory of its own for every element, got strides {array.strides}"
        )
    return array
