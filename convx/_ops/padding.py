"""Padding, and its gradient."""

from operator import attrgetter
from typing import Any

from convx._core._memo import Kept
from convx._engine import arguments, boundary, copies, dtypes
from convx._engine.dtypes import AnyArray


def _maps(shape: tuple[int, ...], item: int, pad: object, mode: str) -> list[boundary.AxisMap]:
    pairs = arguments.pad_widths(pad, shape, mode)
    kept, sizes = shape[: len(shape) - len(pairs)], shape[len(shape) - len(pairs) :]
    padded = [size + low + high for size, (low, high) in zip(sizes, pairs)]
    arguments.check_memory((*kept, *padded), item, "an output")
    return [boundary.axis_map(mode, size, *pair) for size, pair in zip(sizes, pairs)]


def _find_copy(shape: tuple[int, ...], item: int, pad: object, mode: str) -> copies.Copy:
    return copies.plan_copy(shape, _maps(shape, item, pad, mode), item, _fills(mode))


def _find_fold(shape: tuple[int, ...], item: int, pad: object, mode: str) -> copies.Fold:
    return copies.plan_fold(shape, _maps(shape, item, pad, mode), _fills(mode))


def _fills(mode: str) -> bool:
    return mode == "constant"


_copy_of = Kept(_find_copy, attrgetter("is_small"))
_fold_of = Kept(_find_fold, attrgetter("is_small"))


def pad(input: object, pad: object, mode: object, value: object, out: Any) -> AnyArray:
    """Pad or crop the last axes of an array."""
    x = dtypes.movable_array(input, "input")
    chosen = arguments.pad_mode(mode)
    copy = _copy_of(x.shape, x.itemsize, pad, chosen)
    return copies.run_copy(x, copy, arguments.pad_value(value, chosen, x.dtype), out)


def pad_gradient(
    grad_output: object, input: object, pad: object, mode: object, value: object
) -> AnyArray:
    """Give every sample the sum of the gradients of its copies."""
    x = dtypes.movable_array(input, "input")
    chosen = arguments.pad_mode(mode)
    fold = _fold_of(x.shape, x.itemsize, pad, chosen)
    arguments.pad_value(value, chosen, x.dtype)
    y, dtype = dtypes.summable_operand(grad_output, "grad_output")
    shape = y.shape[:-1] if dtype.kind == "c" else y.shape
    arguments.check_shape(shape, fold.copied, "grad_output", "of the padded input")
    return copies.run_fold(y, dtype, fold)
