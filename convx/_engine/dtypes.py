"""Element types: which are computed as which, and how arrays of any kind become operands."""

from typing import Any, TypeGuard

import numpy as np
from numpy.typing import DTypeLike, NDArray

AnyArray = NDArray[Any]

# What kernels exist for, by the result's type. Sums of unsigned integers wrap around, and the low
# bits of a sum do not depend on the high ones: so narrower and signed integers are computed in
# unsigned ones and cut back. Half precision is computed in single precision and rounded once.
KERNEL_DTYPES = {
    np.dtype(result): np.dtype(kernel)
    for result, kernel in {
        "float16": "float32",
        "float32": "float32",
        "float64": "float64",
        "complex64": "float32",
        "complex128": "float64",
        "int8": "uint32",
        "uint8": "uint32",
        "int16": "uint32",
        "uint16": "uint32",
        "int32": "uint32",
        "uint32": "uint32",
        "int64": "uint64",
        "uint64": "uint64",
    }.items()
}

# What sweeps compute an element type in. Integers are compared, so they keep their sign, and there
# is none that holds uint64.
SWEEP_DTYPES = {
    np.dtype(result): np.dtype(computed)
    for result, computed in {
        "float16": "float32",
        "float32": "float32",
        "float64": "float64",
        "int8": "int64",
        "uint8": "int64",
        "int16": "int64",
        "uint16": "int64",
        "int32": "int64",
        "uint32": "int64",
        "int64": "int64",
    }.items()
}

# The usual types. NumPy has one object for each, which is found faster than it is compared.
SINGLE, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)

# Arguments that may be left out.
OPTIONAL = ("bias", "residual")


def _is_usual(value: Any) -> TypeGuard[AnyArray]:
    """Tell whether a value is a plain array of a usual type."""
    return type(value) is np.ndarray and (value.dtype is SINGLE or value.dtype is DOUBLE)


def plain_array(value: object, name: str) -> AnyArray:
    """Return ``value`` as a plain array of any type."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise TypeError(
            f"{name} must not have masked values; fill them first, {name}.filled(0) say"
        )
    if not isinstance(value, np.ndarray) and hasattr(value, "__dlpack__"):
        value = _from_dlpack(value, name)
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be an array of numbers: {error}") from None


def as_array(value: object, name: str) -> AnyArray:
    """Return ``value`` as a plain array of a type that can be convolved."""
    if _is_usual(value):
        return value
    array = plain_array(value, name)
    if array.dtype.kind not in "iufc" or array.dtype.newbyteorder("=") not in KERNEL_DTYPES:
        raise TypeError(
            f"{name} must have a dtype of float16, float32, float64, complex64, complex128 or an "
            f"integer one, got {array.dtype}"
        )
    return array


def movable_array(value: object, name: str) -> AnyArray:
    """Return ``value`` as a plain native array of a type that can be copied byte by byte."""
    if _is_usual(value):
        return value
    array = plain_array(value, name)
    if array.dtype.hasobject:
        raise TypeError(f"{name} must have a dtype without Python objects, got {array.dtype}")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _from_dlpack(value: Any, name: str) -> AnyArray:
    try:
        return np.from_dlpack(value)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise TypeError(f"{name} must be an array in the CPU's memory: {error}") from None


def operands(**values: object) -> tuple[list[Any], np.dtype[Any]]:
    """Return native arrays of one type from array-likes, and the type of the result.

    The names are those of the arguments, for errors. A bias or a residual may be None, and stays
    None. Mixed types are promoted as by NumPy. Half precision becomes single, for the result to be
    rounded once.
    """
    common = _common_type(values)
    if common is not None:
        return list(values.values()), common
    arrays = {
        name: None if value is None and name in OPTIONAL else as_array(value, name)
        for name, value in values.items()
    }
    dtype = np.result_type(*(array.dtype for array in arrays.values() if array is not None))
    dtype = dtype.newbyteorder("=")
    computed = np.dtype(np.float32) if dtype == np.float16 else dtype
    return [
        None if array is None else array.astype(computed, copy=False) for array in arrays.values()
    ], dtype


def filter_dtype(result: np.dtype[Any]) -> np.dtype[Any] | None:
    """Return what a filter with results of a dtype is computed in; None where only NumPy can."""
    if result.kind == "b":  # any number of true products is true
        return np.dtype(np.int64)
    if result == np.float16:
        return np.dtype(np.float32)
    if result in KERNEL_DTYPES:
        return result
    if result.kind in "fcO":
        return None
    raise TypeError(f"in1 and in2 must have a dtype of numbers, got {result}")


def as_filter_operand(array: AnyArray, computed: np.dtype[Any]) -> AnyArray:
    """Return an array in the type that is computed, or in its real one if the array is real."""
    if computed.kind == "c" and array.dtype.kind != "c":
        computed = np.empty(0, computed).real.dtype
    return array.astype(computed, copy=False)


def _common_type(values: dict[str, Any]) -> np.dtype[Any] | None:
    """Return the type of plain arrays that need no conversion, None if one of them may need it."""
    found = None
    for name, value in values.items():
        if _is_usual(value):
            if found is None:
                found = value.dtype
            elif value.dtype is not found:
                return None
        elif value is not None or name not in OPTIONAL:
            return None
    return found


def as_kernel_operand(
    array: AnyArray, dtype: np.dtype[Any], *, contiguous: bool = False
) -> AnyArray:
    """Return the array in a kernel's type, aligned, its strides whole numbers of elements."""
    if array.dtype.kind in "iu" and array.dtype.itemsize == dtype.itemsize:
        array = array.view(dtype)
    array = array.astype(dtype, copy=False)
    if is_kernel_layout(array, dtype, contiguous=contiguous):
        return array
    return np.require(np.ascontiguousarray(array), requirements="A").reshape(array.shape)


def sweep_operand(value: object, name: str, kinds: str = "f") -> tuple[AnyArray, np.dtype[Any]]:
    """Return an array-like as a sweep reads it, and the dtype that its results have.

    ``kinds`` are the kinds of dtype that are allowed, of "f" and "iu".
    """
    if _is_usual(value):
        flags = value.flags
        if flags.c_contiguous and flags.aligned:
            return value, value.dtype
    array = as_array(value, name)
    dtype = array.dtype.newbyteorder("=")
    computed = SWEEP_DTYPES.get(dtype)
    if computed is None or dtype.kind not in kinds:
        allowed = "float16, float32, float64" + (" or an integer one" if "i" in kinds else "")
        raise TypeError(f"{name} must have a dtype of {allowed}, got {array.dtype}")
    return as_kernel_operand(array, computed, contiguous=True), dtype


def summable_operand(value: object, name: str) -> tuple[AnyArray, np.dtype[Any]]:
    """Return an array-like as a sweep adds its numbers, and the dtype that the sums have.

    Complex numbers are two numbers, on an axis of their own at the end. Sums of unsigned integers
    are those of signed ones.
    """
    if _is_usual(value) and is_kernel_layout(value, value.dtype, contiguous=True):
        return value, value.dtype
    array = as_array(value, name)
    dtype = array.dtype.newbyteorder("=")
    if dtype.kind == "c":
        array = np.ascontiguousarray(array, dtype).reshape(array.shape)
        return array[..., np.newaxis].view(dtype.type(0).real.dtype), dtype
    if dtype == np.uint64:
        array = array.astype(dtype, copy=False).view(np.int64)
    computed = SWEEP_DTYPES[array.dtype.newbyteorder("=")]
    return as_kernel_operand(array, computed, contiguous=True), dtype


def sweep_operands(**values: object) -> tuple[list[AnyArray], np.dtype[Any]]:
    """Return floating array-likes as a sweep reads them, of one type, and that of the result.

    The names are those of the arguments, for errors. Mixed types are promoted as by NumPy.
    """
    found = [sweep_operand(value, name) for name, value in values.items()]
    dtype = found[0][1]
    if (dtype is SINGLE or dtype is DOUBLE) and all(one is dtype for _, one in found):
        return [array for array, _ in found], dtype
    dtype = np.result_type(*(one for _, one in found))
    computed = SWEEP_DTYPES[dtype]
    return [array.astype(computed, copy=False) for array, _ in found], dtype


def is_kernel_layout(array: AnyArray, dtype: np.dtype[Any], *, contiguous: bool = False) -> bool:
    """Tell whether a kernel can read an array of its type where it lies."""
    if not array.flags.aligned or (contiguous and not array.flags.c_contiguous):
        return False
    return all(stride % dtype.itemsize == 0 for stride in array.strides)


def is_plain(array: AnyArray) -> bool:
    """Tell whether an array is of native float32 or float64, contiguous and aligned."""
    dtype, flags = array.dtype, array.flags
    return dtype.char in "fd" and dtype.isnative and flags.c_contiguous and flags.aligned


def cast_like_c(array: AnyArray, dtype: np.dtype[Any]) -> AnyArray:
    """Return numbers in another type, floating ones as integers modulo its range, as C does it."""
    if array.dtype.kind != "f" or dtype.kind not in "iub":
        return array.astype(dtype, copy=False)
    with np.errstate(invalid="ignore"):
        if dtype.itemsize < 8:
            return array.astype(np.int64).astype(dtype)
        if dtype.kind == "i":
            return array.astype(dtype)
        large = array >= 2.0**63
        low = np.where(large, array - 2.0**63, array).astype(np.int64).view(np.uint64)
        return low + (large.astype(np.uint64) << np.uint64(63))


def split_complex(array: AnyArray, axis: int) -> AnyArray:
    """Return real and imaginary parts as neighbours along ``axis``, in an array of reals."""
    parts = np.stack([array.real, array.imag], axis=axis + 1)
    shape = (*array.shape[:axis], 2 * array.shape[axis], *array.shape[axis + 1 :])
    return parts.reshape(shape)


def join_complex(array: AnyArray, axis: int, dtype: DTypeLike) -> AnyArray:
    """Return the complex array whose parts are neighbours along ``axis``."""
    shape = (*array.shape[:axis], array.shape[axis] // 2, *array.shape[axis + 1 :])
    joined = np.empty(shape, dtype)
    every_other = [slice(None)] * array.ndim
    for part, start in ((joined.real, 0), (joined.imag, 1)):
        every_other[axis] = slice(start, None, 2)
        part[...] = array[tuple(every_other)]
    return joined


def complex_matrix(weight: AnyArray) -> AnyArray:
    """Return, for weights (filters, channels, …), those between real and imaginary parts."""
    filters, channels, *kernel = weight.shape
    matrix = np.empty((filters, 2, channels, 2, *kernel), weight.real.dtype)
    matrix[:, 0, :, 0] = matrix[:, 1, :, 1] = weight.real
    matrix[:, 1, :, 0] = weight.imag
    matrix[:, 0, :, 1] = -weight.imag
    return matrix.reshape(2 * filters, 2 * channels, *kernel)


def from_products(matrix: AnyArray, dtype: DTypeLike) -> AnyArray:
    """Return the complex products whose parts' products :func:`complex_matrix` lays out."""
    filters, channels, *kernel = matrix.shape
    parts = matrix.reshape(filters // 2, 2, channels // 2, 2, *kernel)
    products = np.empty((filters // 2, channels // 2, *kernel), dtype)
    products.real = parts[:, 0, :, 0] - parts[:, 1, :, 1]
    products.imag = parts[:, 0, :, 1] + parts[:, 1, :, 0]
    return products
