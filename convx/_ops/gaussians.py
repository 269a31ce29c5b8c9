"""Filters that are made of others: Gaussians, differences, and what derivatives add up to."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from convx._engine import arguments, dtypes, execution
from convx._engine.dtypes import AnyArray
from convx._engine.passes import Pass
from convx._ops import images, separable

# Standard deviations below which an axis stays as it is, as in SciPy.
NO_DEVIATION = 1e-15

Derivative = Callable[..., AnyArray]


def gaussian_weights(sigma: float, order: int, radius: int) -> AnyArray:
    """Return a Gaussian whose sum is 1, or its derivative of an order, as a kernel to correlate.

    A derivative is the Gaussian times a polynomial q, and the next one has q' - x q / sigma².
    """
    places = np.arange(-radius, radius + 1)
    variance = sigma * sigma
    bell: AnyArray = np.exp(-0.5 / variance * places**2)
    bell = bell / bell.sum()
    if order == 0:
        return bell
    exponents = np.arange(order + 1)
    step = np.diag(exponents[1:], 1) + np.diag(np.ones(order) / -variance, -1)
    polynomial = np.zeros(order + 1)
    polynomial[0] = 1
    for _ in range(order):
        polynomial = step.dot(polynomial)
    values: AnyArray = (places[:, None] ** exponents).dot(polynomial) * bell
    return values[::-1]


def gaussian_pass(
    x: AnyArray,
    axis: int,
    sigma: object,
    order: object,
    mode: object,
    truncate: object,
    radius: object,
) -> Pass:
    """Return the pass of a Gaussian along one axis."""
    deviation, taps = arguments.gaussian_radius(sigma, truncate, radius)
    derivative = arguments.gaussian_order(order)
    arguments.check_positive_deviation(deviation)
    weights = gaussian_weights(deviation, derivative, taps)
    return images.weighted(x, weights, axis, mode, 0)


def gaussian_filter1d(
    input: object,
    sigma: object,
    axis: object,
    order: object,
    output: object,
    mode: object,
    cval: object,
    truncate: object,
    radius: object,
    accumulate: object,
) -> AnyArray:
    """Filter with a Gaussian along one axis."""
    options = sigma, axis, order, mode, cval, truncate, radius, accumulate
    remembered, key = separable.at_once("gaussian_filter1d", input, output, *options)
    if remembered is not None:
        return remembered
    x = images.image(input)
    one = gaussian_pass(x, images.line(x, axis), sigma, order, mode, truncate, radius)
    return images.along(x, [one], output, cval, accumulate, key)


def gaussian_filter(
    input: object,
    sigma: object,
    order: object,
    output: object,
    mode: object,
    cval: object,
    truncate: object = 4.0,
    radius: object = None,
    axes: object = None,
    accumulate: object = None,
) -> AnyArray:
    """Filter with Gaussians along axes."""
    options = sigma, order, mode, cval, truncate, radius, axes, accumulate
    remembered, key = separable.at_once("gaussian_filter", input, output, *options)
    if remembered is not None:
        return remembered
    x = images.image(input)
    chosen = arguments.filter_axes(axes, x.ndim)
    values = [
        arguments.for_each(value, len(chosen), name)
        for value, name in ((sigma, "sigma"), (order, "order"), (mode, "mode"), (radius, "radius"))
    ]
    passes = []
    for axis, deviation, derivative, border, wide in zip(chosen, *values):
        arguments.gaussian_radius(deviation, truncate, wide)
        if deviation > NO_DEVIATION:
            one = gaussian_pass(x, axis, deviation, derivative, border, truncate, wide)
            passes.append(one)
    if x.dtype.kind == "c" and output is None:
        output = x.dtype
    return images.along(x, passes, output, cval, accumulate, key)


def smoothed_difference(
    input: object,
    smoothing: Sequence[int],
    axis: object,
    output: object,
    mode: object,
    cval: object,
    accumulate: object,
) -> AnyArray:
    """Take differences along an axis and weighted sums along all others."""
    options = tuple(smoothing), axis, mode, cval, accumulate
    remembered, key = separable.at_once("difference", input, output, *options)
    if remembered is not None:
        return remembered
    x = images.image(input)
    place = images.line(x, axis)
    modes = arguments.for_each(mode, x.ndim, "mode")
    passes = [images.weighted(x, [-1, 0, 1], place, modes[place], 0)]
    passes += [
        images.weighted(x, smoothing, other, modes[other], 0)
        for other in range(x.ndim)
        if other != place
    ]
    return images.along(x, passes, output, cval, accumulate, key)


def laplace(
    input: object, output: object, mode: object, cval: object, axes: object, accumulate: object
) -> AnyArray:
    """Add up second differences along axes, in one sweep if they are the last ones."""
    remembered, key = separable.at_once("laplace", input, output, mode, cval, axes, accumulate)
    if remembered is not None:
        return remembered
    x = images.image(input)
    chosen = arguments.filter_axes(axes, x.ndim)
    modes = arguments.for_each(mode, len(chosen), "mode")
    if x.dtype.kind != "c":
        out = images.result_for(output, x)
        fill, _ = arguments.constants(cval, False)
        passes = [
            images.weighted(x, [1, -2, 1], axis, border, 0) for axis, border in zip(chosen, modes)
        ]
        wish = arguments.accumulator(accumulate)
        if out.dtype.kind != "c":
            done = separable.added(x, passes, fill, out, wish, key)
            if done is not None:
                return done
        output = out

    def second_difference(
        x: AnyArray, axis: int, output: object, mode: object, cval: object
    ) -> AnyArray:
        one = images.weighted(x, [1, -2, 1], axis, mode, 0)
        return images.along(x, [one], output, cval, accumulate)

    return added_up(x, second_difference, output, modes, cval, (), None, chosen)


def added_up(
    input: object,
    derivative: Derivative,
    output: object,
    mode: object,
    cval: object,
    arguments_given: Sequence[Any],
    keywords_given: dict[str, Any] | None,
    axes: object,
    *,
    squared: bool = False,
) -> AnyArray:
    """Add up derivatives that a function computes along each axis, or their squares."""
    x, out, chosen, modes = _of_each_axis(input, output, mode, axes)
    keywords = keywords_given or {}
    read = x.copy() if np.may_share_memory(x, out) else x
    for number, (axis, border) in enumerate(zip(chosen, modes)):
        target = out.dtype if number else out
        part = derivative(read, axis, target, border, cval, *arguments_given, **keywords)
        if execution.is_recording():
            continue
        if squared:
            term = part if number else out
            np.multiply(term, term, term)
        if number:
            np.add(out, part, out)
    if not chosen:
        out[...] = dtypes.cast_like_c(x, out.dtype)
    return out


def length(
    input: object,
    derivative: Derivative,
    output: object,
    mode: object,
    cval: object,
    arguments_given: Sequence[Any],
    keywords_given: dict[str, Any] | None,
    axes: object,
) -> AnyArray:
    """Take the root of the sum of the squares of derivatives."""
    given = arguments_given, keywords_given, axes
    out = added_up(input, derivative, output, mode, cval, *given, squared=True)
    some = bool(arguments.filter_axes(axes, np.ndim(out)))
    if some and not execution.is_recording():
        with np.errstate(invalid="ignore"):
            np.sqrt(out, out, casting="unsafe")
    return out


def _of_each_axis(
    input: object, output: object, mode: object, axes: object
) -> tuple[AnyArray, AnyArray, tuple[int, ...], list[Any]]:
    x = images.image(input)
    out = images.result_for(output, x)
    chosen = arguments.filter_axes(axes, x.ndim)
    return x, out, chosen, arguments.for_each(mode, len(chosen), "mode")


def gaussian_laplace(
    input: object,
    sigma: object,
    output: object,
    mode: object,
    cval: object,
    axes: object,
    keywords: dict[str, Any],
) -> AnyArray:
    """Add up second derivatives of Gaussians."""
    return _of_derivatives(input, sigma, 2, output, mode, cval, axes, keywords, added_up)


def gaussian_gradient_magnitude(
    input: object,
    sigma: object,
    output: object,
    mode: object,
    cval: object,
    axes: object,
    keywords: dict[str, Any],
) -> AnyArray:
    """Take the length of the gradient of Gaussians."""
    return _of_derivatives(input, sigma, 1, output, mode, cval, axes, keywords, length)


def _of_derivatives(
    input: object,
    sigma: object,
    order: int,
    output: object,
    mode: object,
    cval: object,
    axes: object,
    keywords: dict[str, Any],
    combined: Callable[..., AnyArray],
) -> AnyArray:
    x = images.image(input)
    chosen = arguments.filter_axes(axes, x.ndim)
    given = dict(zip(chosen, arguments.for_each(sigma, len(chosen), "sigma")))
    deviations = tuple(given.get(axis, 0.0) for axis in range(x.ndim))

    def derivative(
        x: AnyArray, axis: int, output: object, mode: object, cval: object, **more: Any
    ) -> AnyArray:
        orders = tuple(order * (axis == other) for other in range(x.ndim))
        return gaussian_filter(x, deviations, orders, output, mode, cval, **more)

    return combined(x, derivative, output, mode, cval, (), keywords, chosen)
