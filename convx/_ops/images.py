"""Filters of images under SciPy's rules: element types, borders, origins, complex numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from convx._core._driver import Activation
from convx._core._memo import CallMemo
from convx._core._memory import new_result
from convx._engine import arguments, dtypes
from convx._engine.boundary import IMAGE_BORDERS
from convx._engine.dtypes import AnyArray
from convx._engine.passes import Pass
from convx._ops import footprint, image_correlation, separable
from convx._ops.filters import Shortcut


def image(value: object, name: str = "input") -> AnyArray:
    """Return an array of an element type that filters take."""
    array = value if type(value) is np.ndarray else dtypes.plain_array(value, name)
    arguments.check_image_dtype(array.dtype, name)
    return array


def result_for(
    output: object,
    x: AnyArray,
    is_complex: bool = False,
    shape: tuple[int, ...] | None = None,
) -> AnyArray:
    """Return the array that takes the result of a filter of ``x``, of its shape by default."""
    native, wanted = x.dtype.newbyteorder("="), shape or x.shape
    found = arguments.filter_output(output, wanted, native, is_complex)
    if not isinstance(found, np.ndarray):
        arguments.check_memory(wanted, found.itemsize, "an output")
        arguments.check_image_dtype(found, "output")
        return np.asarray(new_result(wanted, found))
    arguments.check_image_dtype(found.dtype, "output")
    return found


def line(x: AnyArray, axis: object) -> int:
    """Return the axis that a filter goes along."""
    return arguments.filter_axis(axis, x.ndim)


def weighted(
    x: AnyArray, weights: object, axis: int, mode: object, origin: object, dilation: object = 1
) -> Pass:
    """Return the pass of a correlation along one axis with real weights."""
    factors = np.asarray(weights, np.float64)
    arguments.line_weights(factors)
    taps = len(factors)
    low = taps // 2 + arguments.origin_of(origin, taps)
    gap = arguments.integer(dilation, "dilation", 1)
    border = arguments.filter_border(mode)
    return Pass(axis, "weights", taps, low * gap, border, tuple(factors.tolist()), gap)


def window(axis: int, what: str, size: object, mode: object, origin: object) -> Pass:
    """Return the pass of a mean, a maximum or a minimum of ``size`` elements along one axis."""
    taps = arguments.filter_size(size)
    low = taps // 2 + arguments.origin_of(origin, taps)
    return Pass(axis, what, taps, low, arguments.filter_border(mode))


def box(
    x: AnyArray, what: str, size: object, mode: object, origin: object, axes: object
) -> list[Pass]:
    """Return the passes of a window over several axes; those of one element are left out."""
    chosen = arguments.filter_axes(axes, x.ndim)
    given = [
        arguments.for_each(value, len(chosen), name)
        for value, name in ((size, "size"), (mode, "mode"), (origin, "origin"))
    ]
    # An axis of size 0 stays as it is, as one of size 1: SciPy's own tests ask for it, of means.
    least = 0 if what == "mean" else 1
    sizes = [max(arguments.filter_size(one, least), 1) for one in given[0]]
    passes = [window(axis, what, *one) for axis, *one in zip(chosen, sizes, *given[1:])]
    return [one for one in passes if one.taps > 1]


def along(
    x: AnyArray,
    passes: Sequence[Pass],
    output: object,
    cval: object = 0.0,
    accumulate: object = None,
    key: separable.Key = None,
) -> AnyArray:
    """Filter along axes; a complex image by its parts.

    The ``key`` is for calls like this one.
    """
    is_complex = x.dtype.kind == "c"
    real, imaginary = arguments.constants(cval, is_complex)
    out = result_for(output, x, is_complex)
    wish = arguments.accumulator(accumulate)
    if not is_complex and out.dtype.kind != "c":
        return separable.filtered(x, passes, real, out, wish, key)
    separable.filtered(x.real, passes, real, out.real, wish)
    if is_complex:
        separable.filtered(x.imag, passes, imaginary, out.imag, wish)
    else:
        out.imag = 0
    return out


def correlate1d(
    x: AnyArray,
    weights: AnyArray,
    axis: int,
    output: object,
    mode: object,
    cval: object,
    origin: object,
    dilation: object,
    accumulate: object,
) -> AnyArray:
    """Correlate along one axis; weights are taken as they are, not conjugated."""
    if weights.dtype.kind != "c":
        told = weights.dtype.str, weights.shape, weights.tobytes()
        options = told, axis, mode, cval, origin, dilation, accumulate
        remembered, key = separable.at_once("correlate1d", x, output, *options)
        if remembered is not None:
            return remembered
        one = weighted(x, weights, axis, mode, origin, dilation)
        return along(x, [one], output, cval, accumulate, key)

    def part(image: AnyArray, factors: AnyArray, fill: float, out: AnyArray | None) -> AnyArray:
        one = weighted(image, factors, axis, mode, origin, dilation)
        return along(image, [one], out, fill, accumulate)

    return _complex_parts(x, weights, output, cval, part, x.shape)


def _complex_parts(
    x: AnyArray,
    weights: AnyArray,
    output: object,
    cval: object,
    part: Any,
    shape: tuple[int, ...],
) -> AnyArray:
    """Put a correlation with complex weights together of those of the parts."""
    is_complex = x.dtype.kind == "c"
    real, imaginary = arguments.constants(cval, is_complex)
    out = result_for(output, x, True, shape)
    if not is_complex:
        part(x, weights.real, real, out.real)
        part(x, weights.imag, real, out.imag)
        return out
    whole = np.empty(shape, out.dtype)
    part(x.real, weights.real, real, whole.real)
    whole.real -= part(x.imag, weights.imag, imaginary, None)
    part(x.real, weights.imag, real, whole.imag)
    whole.imag += part(x.imag, weights.real, imaginary, None)
    out[...] = whole
    return out


_memo, _turning_memo = CallMemo(Activation()), CallMemo(Activation(), turns=True)
CONSTANT_MODES = tuple(mode for mode, border in IMAGE_BORDERS.items() if border == "constant")


def _remembered_weights(
    input: object, weights: object, turned: bool
) -> tuple[AnyArray, AnyArray] | None:
    """Return weights as the memo takes them and what it makes of them.

    None, if calls with arrays like these are not remembered: products of one factor for each axis
    are not, and larger kernels are looked at each time, for they may be such.
    """
    if type(input) is not np.ndarray or input.dtype.char not in "fd":
        return None
    kernel = weights if type(weights) is np.ndarray else np.asarray(weights)
    if kernel.size > image_correlation.MOST_KEPT_TAPS or kernel.dtype.kind not in "fiu":
        return None
    if image_correlation.pays_separated(kernel.shape):
        whole = np.ascontiguousarray(_turned(kernel) if turned else kernel, np.float64)
        if image_correlation.separated(whole, input.dtype, "zeros", 0.0) is not None:
            return None
    taken = kernel if kernel.dtype.char in "fd" else kernel.astype(input.dtype)
    return taken, np.ascontiguousarray(_turned(taken) if turned else taken, input.dtype)


def _is_own_type(output: object, input: object) -> bool:
    """Tell whether an output is no array, but the type that it has without being told."""
    if isinstance(output, np.ndarray) or type(input) is not np.ndarray or not input.dtype.isnative:
        return False
    return output is input.dtype or output is input.dtype.type


def correlate(
    input: object,
    weights: object,
    output: object,
    mode: object,
    cval: object,
    origin: object,
    axes: object,
    dilation: object,
    accumulate: object,
    stride: object = 1,
    *,
    turned: bool,
) -> AnyArray:
    """Correlate, or convolve if ``turned``, over several axes."""
    memo = _turning_memo if turned else _memo
    options = mode, cval, origin, axes, dilation, accumulate, stride
    wanted = None if output is not None and _is_own_type(output, input) else output
    looks = (  # such weights may be a product this time
        type(weights) is np.ndarray
        and weights.size >= image_correlation.LEAST_SEPARATED
        and image_correlation.pays_separated(weights.shape)
    )
    if not looks:
        known = memo.call(None, input, weights, None, None, options, wanted)
        if known is not None:
            return known
    return _correlate(input, weights, output, options, memo, wanted, looks, turned)


def _correlate(
    input: object,
    weights: object,
    output: object,
    options: tuple[Any, ...],
    memo: CallMemo,
    wanted: object,
    looks: bool,
    turned: bool,
) -> AnyArray:
    """Correlate, unless the memo knows the call once the weights are looked at."""
    mode, cval, origin, axes, dilation, accumulate, stride = options
    shortcut = None
    plain = type(dilation) is type(stride) is int and dilation == stride == 1
    if accumulate is None and plain and (cval == 0 or mode not in CONSTANT_MODES):
        taken = _remembered_weights(input, weights, turned)
        if taken is not None:
            call = None, input, taken[0], None, None, options
            known = memo.call(*call, wanted) if looks or taken[0] is not weights else None
            if known is not None:
                return known
            shortcut = Shortcut(memo, call, taken[1])
    key: separable.Key = None
    if accumulate is None and plain and _are_bytes(input, weights):
        factors = np.asarray(weights)
        told = factors.dtype.str, factors.shape, factors.tobytes()
        asked = told, mode, cval, origin, axes, turned
        remembered, key = separable.at_once("correlate", input, output, *asked)
        if remembered is not None:
            return remembered
    x = image(input)
    kernel = dtypes.plain_array(weights, "weights")
    if kernel.dtype.kind == "c" and not turned:
        kernel = kernel.conj()
    chosen = arguments.filter_axes(axes, x.ndim)
    arguments.check_ranks_agree(kernel.ndim, chosen, "weights")
    arguments.check_some_weights(kernel.shape)
    origins = arguments.for_each(origin, len(chosen), "origin")
    gaps, steps = (
        [arguments.integer(one, name, 1) for one in arguments.for_each(value, len(chosen), name)]
        for value, name in ((dilation, "dilation"), (stride, "stride"))
    )
    if len(chosen) < x.ndim:  # as SciPy does it: the kernel's axes are in the order of the image's
        order = sorted(range(len(chosen)), key=chosen.__getitem__)
        origins, gaps, steps = ([one[i] for i in order] for one in (origins, gaps, steps))
    places = sorted(chosen)
    along = footprint.spread(steps, places, x.ndim, 1)
    shape = tuple(-(-size // step) for size, step in zip(x.shape, along))
    if turned:
        kernel = _turned(kernel)
        origins = [-int(one) - (taps % 2 == 0) for one, taps in zip(origins, kernel.shape)]
    lows = [taps // 2 + arguments.origin_of(one, taps) for one, taps in zip(origins, kernel.shape)]
    border = arguments.filter_border(mode)
    wish = arguments.accumulator(accumulate)

    def part(image: AnyArray, factors: AnyArray, fill: float, out: AnyArray | None) -> AnyArray:
        target = result_for(None, image, False, shape) if out is None else out
        real = np.ascontiguousarray(factors, np.float64)
        return image_correlation.correlate(
            image, real, places, lows, border, fill, target, gaps, steps, wish, shortcut, key
        )

    if kernel.dtype.kind == "c":
        return _complex_parts(x, kernel, output, cval, part, shape)
    is_complex = x.dtype.kind == "c"
    real, imaginary = arguments.constants(cval, is_complex)
    out = result_for(output, x, is_complex, shape)
    if not places:
        out[...] = dtypes.cast_like_c(x * kernel, out.dtype)
    elif not is_complex and out.dtype.kind != "c":
        part(native(x), kernel, real, out)
    else:
        part(native(x.real), kernel, real, out.real)
        if is_complex:
            part(native(x.imag), kernel, imaginary, out.imag)
        else:
            out.imag = 0
    return out


def _turned(kernel: AnyArray) -> AnyArray:
    return kernel[(slice(None, None, -1),) * kernel.ndim]


def _are_bytes(x: object, weights: object) -> bool:
    """Tell whether bytes are filtered with a kernel with which they may stay bytes."""
    if type(x) is not np.ndarray or x.dtype != np.uint8 or type(weights) is not np.ndarray:
        return False
    return weights.dtype.kind in "fiu" and weights.size <= image_correlation.MOST_BYTE_TAPS


def native(x: AnyArray) -> AnyArray:
    """Return an array in the machine's byte order."""
    return x.astype(x.dtype.newbyteorder("="), copy=False)


def means(
    input: object,
    size: object,
    output: object,
    mode: object,
    cval: object,
    origin: object,
    axes: object,
    accumulate: object,
) -> AnyArray:
    """Return means of boxes."""
    options = size, mode, cval, origin, axes, accumulate
    remembered, key = separable.at_once("mean", input, output, *options)
    if remembered is not None:
        return remembered
    x = image(input)
    passes = box(x, "mean", size, mode, origin, axes)
    return along(x, passes, output, cval, accumulate, key)


def along_one_axis(
    input: object,
    size: object,
    axis: object,
    output: object,
    mode: object,
    cval: object,
    origin: object,
    accumulate: object = None,
    *,
    what: str,
) -> AnyArray:
    """Return means, maxima or minima of windows along an axis."""
    options = size, axis, mode, cval, origin, accumulate
    remembered, key = separable.at_once(what + " along an axis", input, output, *options)
    if remembered is not None:
        return remembered
    x = image(input) if what == "mean" else real_image(input)
    one = window(line(x, axis), what, size, mode, origin)
    return along(x, [one], output, cval, accumulate, key)


def extrema(
    input: object,
    size: object,
    footprint_given: object,
    output: object,
    mode: object,
    cval: object,
    origin: object,
    axes: object,
    *,
    what: str,
) -> AnyArray:
    """Return maxima or minima over windows."""
    mask, told = None, None
    if footprint_given is not None:
        mask = np.asarray(footprint_given, bool)
        told = mask.shape, mask.tobytes()
    remembered, key = separable.at_once(what, input, output, size, told, mode, cval, origin, axes)
    if remembered is not None:
        return remembered
    arguments.window_given(size, footprint_given)
    if mask is not None:
        arguments.check_some_taps(mask)
        if mask.all():
            size, mask = mask.shape, None
    x = real_image(input)
    if mask is None:
        return along(x, box(x, what, size, mode, origin, axes), output, cval, None, key)
    chosen = arguments.filter_axes(axes, x.ndim)
    out = result_for(output, x)
    arguments.check_ranks_agree(mask.ndim, chosen, "footprint")
    origins = arguments.for_each(origin, len(chosen), "origin")
    if len(chosen) < x.ndim:
        origins = [origins[i] for i in sorted(range(len(chosen)), key=chosen.__getitem__)]
    lows = [taps // 2 + arguments.origin_of(one, taps) for one, taps in zip(origins, mask.shape)]
    border = arguments.filter_border(mode)
    places = sorted(chosen)
    whole = mask.reshape(footprint.spread(mask.shape, places, x.ndim, 1))
    fill, _ = arguments.constants(cval, False)
    all_lows = footprint.spread(lows, places, x.ndim, 0)
    key = key if x is input and x.dtype.isnative else None
    return footprint.extrema(native(x), what, whole, all_lows, border, fill, out, key)


def real_image(input: object) -> AnyArray:
    """Return an image that is not complex."""
    x = image(input)
    arguments.check_real_image(x.dtype)
    return x
