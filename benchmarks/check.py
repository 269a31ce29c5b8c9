"""Whether a result is right: some of its elements, summed in float64 as the formulas have it.

This shares no code with any library that it checks.
"""

from collections.abc import Iterator

import numpy as np

from benchmarks.layers import Array, Case, Layer, operands

SAMPLES = 48

# Largest error allowed, relative to the root mean square of the exact values. It is there to
# catch wrong results, not to compare accuracies.
TOLERANCE = {"float32": 1e-3, "float64": 1e-9}


def error_of(case: Case, result: Array) -> float:
    """Return the largest error of a few elements, relative to their root mean square.

    It is infinite for a result of the wrong size or type, and where an element is not finite.
    """
    shape = case.result_shape
    if result.size != np.prod(shape) or result.dtype != case.dtype:
        return np.inf
    result = result.reshape(shape)
    if not np.isfinite(result).all():
        return np.inf
    generator = np.random.default_rng(0)
    places = [tuple(generator.integers(0, shape).tolist()) for _ in range(SAMPLES)]
    exact = np.array([_exact(case, place) for place in places])
    scale = np.sqrt(np.mean(exact**2))
    errors = np.abs([result[place] for place in places] - exact)
    return float(errors.max() / scale) if scale else float(errors.max())


def _exact(case: Case, place: tuple[int, ...]) -> float:
    """One element of the result: a sum of products over all that meet in it."""
    layer, arrays = case.layer, operands(case.layer, case.dtype)
    per_group, filters = layer.channels // layer.groups, layer.filters // layer.groups
    if case.operation == "grad_input":
        item, channel, *position = place
        group = channel // per_group
        of_group = np.arange(group * filters, (group + 1) * filters)
        meeting = list(_meeting(layer, input=position))
        left = arrays.grad_output[item][np.ix_(of_group, *(o for o, _, _ in meeting))]
        right = arrays.weight[:, channel % per_group]
        right = right[np.ix_(of_group, *(t for _, t, _ in meeting))]
    elif case.operation == "grad_weight":
        k, channel, *taps = place
        items = np.arange(layer.batch)
        meeting = list(_meeting(layer, tap=taps))
        left = arrays.grad_output[:, k][np.ix_(items, *(o for o, _, _ in meeting))]
        right = arrays.input[:, k // filters * per_group + channel]
        right = right[np.ix_(items, *(i for _, _, i in meeting))]
    else:
        item, k, *position = place
        channels = np.arange(per_group)
        meeting = list(_meeting(layer, output=position))
        left = arrays.weight[k][np.ix_(channels, *(t for _, t, _ in meeting))]
        right = arrays.input[item]
        right = right[np.ix_(k // filters * per_group + channels, *(i for _, _, i in meeting))]
    return float(np.sum(left.astype(np.float64) * right.astype(np.float64)))


def _meeting(layer: Layer, **fixed: list[int]) -> Iterator[tuple[Array, Array, Array]]:
    """For each axis all triples (output, tap, input) that meet and have the fixed coordinate."""
    ((role, coordinates),) = fixed.items()
    for axis, coordinate in enumerate(coordinates):
        outputs, taps = np.arange(layer.output_size[axis]), np.arange(layer.kernel[axis])
        if role == "output":
            outputs = np.array([coordinate])
        elif role == "tap":
            taps = np.array([coordinate])
        output, tap = (one.ravel() for one in np.meshgrid(outputs, taps, indexing="ij"))
        input = output * layer.stride - layer.padding + tap * layer.dilation
        meets = (input >= 0) & (input < layer.size[axis])
        if role == "input":
            meets &= input == coordinate
        yield output[meets], tap[meets], input[meets]
