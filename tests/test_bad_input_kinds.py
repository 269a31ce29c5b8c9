"""Bad and odd input of the kinds of convolution: each in a forked child, no signal, no hang."""

import numpy as np
import pytest
from support import run_in_child

from convx import functional as F
from convx import grad

X = np.ones((1, 2, 5, 5))
FACTORS = (np.ones((3, 3)), np.ones((3, 3)))
ONES = np.ones((2, 2, 3, 3))
CALLS = {
    "depthwise_separable_conv": (X, np.ones((2, 1, 3, 3)), np.ones((3, 2, 1, 1))),
    "spatially_separable_conv": (X, (np.ones(3), np.ones((2, 3)))),
    "flattened_conv": (X, np.ones((3, 2)), FACTORS),
    "shuffled_group_conv": (X, ONES, ONES),
}
TOO_LARGE = (ValueError, MemoryError)
OPTIONS = [
    ({"stride": -1}, ValueError, "stride"),
    ({"stride": 2**63}, ValueError, "stride"),
    ({"stride": 1.5}, TypeError, "stride"),
    ({"stride": (1, 2, 3)}, ValueError, "stride"),
    ({"padding": -(2**62)}, ValueError, "padding"),
    ({"padding": 2**61}, TOO_LARGE, "padding"),
    ({"padding": 2**40}, TOO_LARGE, "output"),
    ({"padding": "same "}, ValueError, "padding"),
    ({"dilation": 2**61}, ValueError, "dilation"),
    ({"dilation": 0}, ValueError, "dilation"),
    ({"padding_mode": "constant"}, ValueError, "padding_mode"),
    ({"algorithm": "best"}, ValueError, "algorithm"),
    ({"bias": np.ones((1, 3))}, ValueError, "bias"),
    ({"bias": np.array(["a", "b", "c"])}, TypeError, "bias"),
]


def outcomes(kind):
    """What becomes of a function and its gradient with each of the options."""
    found = []
    for options, _, _ in OPTIONS:
        for function, arrays in (
            (getattr(F, kind), CALLS[kind]),
            (getattr(grad, kind), (np.ones((1, 3, 3, 3)), *CALLS[kind])),
        ):
            try:
                function(*arrays, **options)
            except Exception as error:
                found.append((options, type(error), str(error)))
            else:
                found.append((options, None, ""))
    return found


@pytest.mark.parametrize("kind", CALLS)
def test_options(kind):
    found = run_in_child(lambda: outcomes(kind)).value
    expected = [row for row in OPTIONS for _ in range(2)]
    for (options, error, message), (_, allowed, says) in zip(found, expected, strict=True):
        assert error is not None, options
        assert issubclass(error, allowed), options
        assert says in message, options


OTHERS = [
    (lambda: F.conv_output_size(2**62, 2**62, 2**62, 2**61), ValueError, "padding"),
    (lambda: F.conv_output_size(5, 3, padding=9, transposed=True), ValueError, "padding"),
    (lambda: F.receptive_field([(2**63,)]), ValueError, "kernel_size"),
    (lambda: F.count_parameters(2**63, 1, 1), ValueError, "in_channels"),
    (lambda: F.count_flops(4, 1, 1, 2**62), ValueError, "kernel"),
    (lambda: F.shuffled_group_conv(X, ONES, ONES, groups=2**62), ValueError, "groups"),
    (lambda: F.shuffled_group_conv(X, ONES, ONES, groups=0), ValueError, "groups"),
    (lambda: F.separate_kernel(np.full((3, 3), "a")), TypeError, "kernel"),
    (lambda: F.separate_kernel([[1.0], [1.0, 2.0]]), ValueError, "kernel"),
]


@pytest.mark.parametrize(("call", "error", "says"), OTHERS)
def test_others(call, error, says):
    outcome = run_in_child(call)
    assert outcome.error is error
    assert says in outcome.message


def test_nothing_of_a_batch_of_nothing():
    x, dy = np.ones((0, 2, 5, 5)), np.ones((0, 2, 3, 3))
    assert F.shuffled_group_conv(x, ONES, ONES).shape == dy.shape
    dx, first, second, db = grad.shuffled_group_conv(dy, x, ONES, ONES)
    assert (dx.shape, db) == (x.shape, None)
    assert not first.any()
    assert not second.any()
