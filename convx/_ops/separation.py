"""Taking a kernel apart into one factor for each axis."""

from typing import Any

import numpy as np

from convx._engine import arguments, dtypes
from convx._engine.dtypes import AnyArray

# Rounding errors of a kernel that was made as a product, in units of its type's rounding.
ROUNDING = 8
# Elements count as equally large up to this, so that rounding does not choose among them.
EQUAL = 1e-9


def separate_kernel(kernel: object, tol: object) -> tuple[AnyArray, ...]:
    """Return factors whose outer product is the kernel.

    The direction of each is that of the largest singular value where its axis stands against all
    the others. All but the last are scaled so that their largest element is 1.
    """
    array = dtypes.as_array(kernel, "kernel")
    arguments.check_kernel(array)
    dtype = array.dtype.newbyteorder("=") if array.dtype.kind in "fc" else np.dtype(np.float64)
    limit = ROUNDING * float(np.finfo(dtype).eps) if tol is None else arguments.tolerance(tol)
    wide = array.astype(np.result_type(dtype, np.float64))
    scale = float(np.abs(wide).max())
    wide = wide / (scale or 1.0)
    factors = [_direction(wide, axis) for axis in range(wide.ndim - 1)]
    factors.append(_projection(wide, factors))
    error = float(np.abs(wide - outer(factors)).max())
    arguments.check_separable(error, limit)
    factors[-1] = factors[-1] * scale
    return tuple(factor.astype(dtype) for factor in factors)


def outer(factors: list[AnyArray]) -> AnyArray:
    """Outer product of vectors."""
    product: AnyArray = np.ones(())
    for factor in factors:
        product = np.multiply.outer(product, factor)
    return product


def _direction(kernel: AnyArray, axis: int) -> AnyArray:
    unfolded = np.moveaxis(kernel, axis, 0).reshape(kernel.shape[axis], -1)
    vector: AnyArray = np.linalg.svd(unfolded, full_matrices=False)[0][:, 0]
    sizes = np.abs(vector)
    first_of_largest = np.argmax(sizes > (1 - EQUAL) * sizes.max())
    scaled: AnyArray = vector / vector[first_of_largest]
    return scaled


def _projection(kernel: AnyArray, factors: list[AnyArray]) -> AnyArray:
    """Return the last factor that fits best with the others."""
    rest: Any = kernel
    for factor in factors:
        rest = np.tensordot(factor.conj(), rest, axes=1) / np.vdot(factor, factor).real
    return np.asarray(rest)
