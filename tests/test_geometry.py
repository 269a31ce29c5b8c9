"""What shapes alone tell: output sizes, receptive fields, parameters and operations."""

import re
from itertools import product

import numpy as np
import pytest
from hypothesis import strategies as st
from support import randomly

import convx
from convx import functional as F
from convx import reference

few = st.integers(1, 4)
layer = st.tuples(few, few, st.integers(0, 3), few)


@randomly(100, layers=st.lists(layer, max_size=4), size=st.integers(1, 40))
def test_receptive_field_is_what_outputs_depend_on(layers, size):
    """Seen with a stack of ones: an input is in the field of an output that it changes."""
    field = F.receptive_field(layers)
    composed, n = np.eye(size), size
    for kernel, stride, padding, dilation in layers:
        if n + 2 * padding < dilation * (kernel - 1) + 1:
            return
        n = F.conv_output_size(n, kernel, stride, padding, dilation)
        full = {"stride": stride, "padding": padding, "dilation": dilation}
        composed = reference.conv_nd(composed[:, None], np.ones((1, 1, kernel)), **full)[:, 0]
    assert composed.shape == (size, n)
    for output in range(n):
        seen = np.flatnonzero(composed[:, output])
        begin = field.offset + output * field.stride
        inside = range(max(begin, 0), min(begin + field.size, size))
        assert set(seen) <= set(inside)
        if all(dilation == 1 and stride <= kernel for kernel, stride, _, dilation in layers):
            at_edges = any(padding for _, _, padding, _ in layers)
            assert at_edges or list(seen) == list(inside)
    whole = (size - 2 * field.offset - field.size) // field.stride + 1
    assert n == whole  # the stack is one window


def test_receptive_field_of_axes():
    field = F.receptive_field(
        [((3, 5), 2, ((1, 0), (2, 3))), {"kernel_size": 3, "dilation": (1, 2)}, 2]
    )
    assert field == ((3 + 2 * 2 + 4 // 2, 5 + 4 * 2 + 2), (2, 2), (-1, -2))
    assert F.receptive_field([]) == (1, 1, 0)
    assert F.receptive_field([(4, 1, "same", 3)]) == (10, 1, -4)


@pytest.mark.parametrize(
    ("layers", "error"),
    [
        (3, TypeError),
        ("abc", TypeError),
        ([None], TypeError),
        ([()], ValueError),
        ([(3, 1, 0, 1, 1)], ValueError),
        ([{"stride": 1}], ValueError),
        ([{"kernel_size": 3, "groups": 1}], ValueError),
        ([(0,)], ValueError),
        ([(3, 0)], ValueError),
        ([((3, 3), (1, 1, 1))], ValueError),
        ([(3.0,)], TypeError),
        ([((),)], ValueError),
    ],
)
def test_bad_layers(layers, error):
    with pytest.raises(error):
        F.receptive_field(layers)


@randomly(
    100,
    size=st.integers(1, 30),
    kernel=few,
    stride=few,
    padding=st.integers(0, 3),
    dilation=few,
    extra=st.integers(0, 3),
)
def test_output_sizes_are_those_of_the_functions(size, kernel, stride, padding, dilation, extra):
    x, w = np.ones((1, size)), np.ones((1, 1, kernel))
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    for told, function in (
        ({}, lambda: F.conv1d(x, w, **options)),
        (
            {"transposed": True, "output_padding": extra},
            lambda: F.conv_transpose1d(x, w, **options, output_padding=extra),
        ),
    ):
        try:
            expected = function().shape[1]
        except ValueError as error:
            message = re.escape(str(error))
            with pytest.raises(ValueError, match=message):
                F.conv_output_size(size, kernel, **options, **told)
        else:
            assert F.conv_output_size(size, kernel, **options, **told) == expected


def test_ceil_mode_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    seen = 0
    for size, kernel, stride, padding, dilation in product(
        range(1, 12), (1, 2, 3, 4), (1, 2, 3), (0, 1, 2), (1, 2)
    ):
        if 2 * padding > kernel:
            continue
        try:
            expected = torch.nn.functional.max_pool1d(
                torch.ones(1, size), kernel, stride, padding, dilation, ceil_mode=True
            ).shape[1]
        except RuntimeError:
            with pytest.raises(ValueError, match="padded"):
                F.conv_output_size(size, kernel, stride, padding, dilation, ceil_mode=True)
            continue
        found = F.conv_output_size(size, kernel, stride, padding, dilation, ceil_mode=True)
        assert found == expected, (size, kernel, stride, padding, dilation)
        seen += 1
    assert seen > 100


def test_output_sizes_of_axes():
    assert F.conv_output_size((10, 11), (3, 5), stride=2) == (4, 4)
    assert F.conv_output_size(10, (3, 5)) == (8, 6)
    assert F.conv_output_size([10], 3) == (8,)
    assert F.conv_output_size(10, 3, padding="same") == 10


@pytest.mark.parametrize(
    ("arguments", "options", "error", "named"),
    [
        ((10, 0), {}, ValueError, "kernel_size"),
        ((0, 1), {}, ValueError, "size"),
        ((2, 3), {}, ValueError, "padded"),
        ((2.5, 3), {}, TypeError, "size"),
        (((4, 4), (1, 1, 1)), {}, ValueError, "kernel_size"),
        ((10, 3), {"output_padding": 1}, ValueError, "output_padding"),
        ((10, 3), {"transposed": True, "ceil_mode": True}, ValueError, "ceil_mode"),
        ((10, 3), {"transposed": True, "output_padding": 1}, ValueError, "output_padding"),
        ((2**62, 3), {"padding": 5}, ValueError, "padding"),
        (((), 3), {}, ValueError, "axes"),
    ],
)
def test_bad_sizes(arguments, options, error, named):
    with pytest.raises(error, match=named):
        F.conv_output_size(*arguments, **options)


KIND_ARRAYS = {
    "conv": lambda c, k, t, g: [(k, c // g, *t)],
    "depthwise_separable": lambda c, k, t, g: [(c, 1, *t), (k, c, *(1,) * len(t))],
    "spatially_separable": lambda c, k, t, g: [(k, k if i else c, n) for i, n in enumerate(t)],
    "flattened": lambda c, k, t, g: [(k, c), *((k, n) for n in t)],
    "shuffled_group": lambda c, k, t, g: [(k, c // g, *t), (k, k // g, *(1,) * len(t))],
}


@pytest.mark.parametrize("kind", KIND_ARRAYS)
@pytest.mark.parametrize("kernel", [(3,), (3, 5), (2, 3, 4)])
def test_counts_are_those_of_arrays(kind, kernel):
    """Of the weights that the functions take, and of what `explain` tells of calls with them."""
    groups = 2 if kind in ("conv", "shuffled_group") else 1
    arrays = [np.ones(one) for one in KIND_ARRAYS[kind](4, 6, kernel, groups)]
    parameters = F.count_parameters(4, 6, kernel, groups, kind=kind)
    assert parameters == sum(one.size for one in arrays)
    assert F.count_parameters(4, 6, kernel, groups, True, kind=kind) == parameters + 6
    size = (9, 8, 7)[: len(kernel)]
    options = {"stride": 2, "padding": 1, **({"groups": groups} if groups > 1 else {})}
    given = {
        "spatially_separable": lambda: (arrays,),
        "flattened": lambda: (arrays[0], arrays[1:]),
    }.get(kind, lambda: arrays)()
    function = getattr(F, "conv_nd" if kind == "conv" else f"{kind}_conv")
    told = convx.explain(function, np.ones((1, 4, *size)), *given, **options)
    assert F.count_flops(size, 4, 6, kernel, **options, kind=kind) == told.flops


def test_the_textbook_example():
    """64 to 128 channels, 3×3: with two groups half of the weights."""
    assert F.count_parameters(64, 128, (3, 3)) == 73728
    assert F.count_parameters(64, 128, (3, 3), groups=2) == 36864
    assert F.count_parameters(64, 64, (3, 3), groups=64) == 64 * 9


@pytest.mark.parametrize(
    ("arguments", "options", "error", "named"),
    [
        ((0, 1, 3), {}, ValueError, "in_channels"),
        ((1, 1.0, 3), {}, TypeError, "out_channels"),
        ((4, 6, 3), {"groups": 3}, ValueError, "groups must divide"),
        ((4, 6, 3), {"groups": 2, "kind": "flattened"}, ValueError, "groups must be 1"),
        ((4, 6, 3), {"kind": "full"}, ValueError, "kind"),
        ((4, 6, 3), {"kind": None}, TypeError, "kind"),
        ((4, 6, ()), {}, ValueError, "axes"),
    ],
)
def test_bad_counts(arguments, options, error, named):
    with pytest.raises(error, match=named):
        F.count_parameters(*arguments, **options)
    with pytest.raises(error, match=named):
        F.count_flops(9, *arguments, **options)
