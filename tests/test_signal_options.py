"""axes, stride and dilation of convx.signal, which SciPy does not have, by what they mean."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convx
from convx import signal

MODES = ("full", "same", "valid")
DTYPES = "BldfDOg"


def array(rng, shape, dtype):
    values = rng.integers(0, 9, shape)
    if dtype in "dfDg":
        values = rng.standard_normal(shape)
    return (values + 1j * rng.standard_normal(shape) if dtype == "D" else values).astype(dtype)


def spread(kernel, gaps):
    """A kernel with zeros between its elements."""
    shape = [(k - 1) * gap + 1 for k, gap in zip(kernel.shape, gaps)]
    wide = np.zeros(shape, kernel.dtype)
    wide[tuple(slice(None, None, gap) for gap in gaps)] = kernel
    return wide


def assert_close(found, wanted):
    assert found.shape == wanted.shape
    assert found.dtype == wanted.dtype
    if found.dtype.kind in "iu" or found.dtype == object:
        assert np.array_equal(found, wanted)
    else:
        atol = 1e-4 if found.dtype == np.float32 else 1e-11
        np.testing.assert_allclose(found, wanted, rtol=0, atol=atol)


def slides(shape, kernel):
    """Whether one of the arrays is at least as large as the other along every axis."""
    signs = {np.sign(n - k) for n, k in zip(shape, kernel)}
    return not signs >= {-1, 1}


@st.composite
def cases(draw, rank=None):
    rank = rank or draw(st.integers(1, 3))
    shape, kernel = (
        draw(st.tuples(*[st.integers(1, most)] * rank)) for most in (9 if rank > 1 else 40, 4)
    )
    stride, gaps = (draw(st.tuples(*[st.integers(1, 3)] * rank)) for _ in range(2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtypes = st.sampled_from(DTYPES)
    return array(rng, shape, draw(dtypes)), array(rng, kernel, draw(dtypes)), stride, gaps


@settings(max_examples=150, deadline=None)
@given(cases(), st.sampled_from(MODES), st.sampled_from(("convolve", "correlate")))
def test_slices_of_all_sums_with_a_kernel_that_has_zeros(case, mode, name):
    x, kernel, stride, gaps = case
    function, wide = getattr(signal, name), spread(kernel, gaps)
    if mode == "valid" and not slides(x.shape, wide.shape):
        with pytest.raises(ValueError, match="For 'valid' mode"):
            function(x, kernel, mode, stride=stride, dilation=gaps)
        return
    wanted = function(x, wide, mode)[tuple(slice(None, None, step) for step in stride)]
    assert_close(function(x, kernel, mode, stride=stride, dilation=gaps), wanted)


@settings(max_examples=100, deadline=None)
@given(
    cases(rank=2),
    st.sampled_from(MODES),
    st.sampled_from(("fill", "wrap", "symm")),
    st.sampled_from(("convolve2d", "correlate2d")),
    st.sampled_from((0, 2)),
)
def test_planes_have_borders(case, mode, boundary, name, fill):
    x, kernel, stride, gaps = case
    function, wide = getattr(signal, name), spread(kernel, gaps)
    if mode == "valid" and not slides(x.shape, wide.shape):
        return
    wanted = function(x, wide, mode, boundary, fill)[:: stride[0], :: stride[1]]
    found = function(x, kernel, mode, boundary, fill, stride=stride, dilation=gaps)
    assert_close(found, wanted)


@pytest.mark.parametrize("dtype", "ldfDO")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("axes", [(1, 2), (2, 0), 1, -1])
def test_other_axes_are_a_batch(rng, axes, mode, dtype):
    x = array(rng, (5, 7, 6), dtype)
    named = [axes] if isinstance(axes, int) else list(axes)
    along = sorted(axis % 3 for axis in named)
    sizes = [3 if axis in along else 1 for axis in range(3)]
    for rest in (1, None):  # one kernel for all of the batch, or one for each
        shape = [k if a in along else (rest or n) for a, (k, n) in enumerate(zip(sizes, x.shape))]
        kernel = array(rng, shape, dtype)
        stride = tuple(range(1, len(named) + 1))
        found = signal.convolve(x, kernel, mode, axes=axes, stride=stride, dilation=2)
        steps = [1] * 3
        for axis, step in zip(named, stride):
            steps[axis] = step
        places = [range(1) if axis in along else range(x.shape[axis]) for axis in range(3)]
        for place in np.ndindex(*map(len, places)):
            where = tuple(slice(None) if a in along else place[a] for a in range(3))
            one = tuple(slice(None) if a in along else place[a] % shape[a] for a in range(3))
            wide = spread(kernel[one], (2,) * len(along))
            wanted = signal.convolve(x[where], wide, mode)
            wanted = wanted[tuple(slice(None, None, steps[axis]) for axis in along)]
            assert_close(found[where], wanted)


@pytest.mark.parametrize("axes", [(0, 2), (2, 0)])
def test_images_in_an_array(rng, axes):
    images, kernel = rng.standard_normal((8, 3, 9)), rng.standard_normal((3, 2))
    found = signal.correlate2d(images, kernel, "same", "symm", axes=axes, stride=(1, 2))
    turned = kernel if axes == (0, 2) else kernel.T
    steps = (1, 2) if axes == (0, 2) else (2, 1)
    for number in range(3):
        one = signal.correlate2d(images[:, number], turned, "same", "symm")
        assert_close(found[:, number], one[:: steps[0], :: steps[1]])


def test_bits_do_not_depend_on_threads_or_batch(rng):
    x, kernel = rng.standard_normal((5, 300, 200)), rng.standard_normal((1, 9, 9))
    options = {"axes": (1, 2), "stride": 2, "dilation": (1, 3)}
    one = signal.convolve(x, kernel, "same", **options, workers=1)
    assert np.array_equal(signal.convolve(x, kernel, "same", **options, workers=2), one)
    assert np.array_equal(signal.convolve(x[2:3], kernel, "same", **options), one[2:3])


def test_result_goes_to_out_and_is_explained(rng):
    x, kernel = rng.standard_normal((30, 31)), rng.standard_normal((3, 3))
    wanted = signal.correlate(x, kernel, stride=(2, 3))
    out = np.zeros((11, 16)).T
    assert signal.correlate(x, kernel, stride=(2, 3), out=out) is out
    assert np.array_equal(out, wanted)
    told = convx.explain(signal.correlate, x, kernel, stride=(2, 3))
    assert told.output_shape == (16, 11)
    for one in (np.asfortranarray(x), x.astype(">f8"), x[::-1].copy()[::-1]):
        one.flags.writeable = False
        assert np.array_equal(signal.correlate(one, kernel, stride=(2, 3)), wanted)


@pytest.mark.parametrize("name", ["convolve", "correlate", "convolve2d", "correlate2d"])
@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"stride": 0}, ValueError, "stride must be positive, got 0"),
        ({"stride": 1.5}, TypeError, "stride must be an integer"),
        ({"stride": (1, 2, 3)}, ValueError, "stride must be an integer or have 2"),
        ({"dilation": -1}, ValueError, "dilation must be positive, got -1"),
        ({"dilation": True}, TypeError, "dilation must be an integer, got the bool"),
        ({"axes": 5}, ValueError, "axes exceeds dimensionality"),
        ({"axes": (1, 1)}, ValueError, "axes must be unique"),
        ({"dilation": 2**40}, MemoryError, "an output of shape"),
    ],
)
def test_errors_name_the_option(name, options, error, words):
    with pytest.raises(error, match=words):
        getattr(signal, name)(np.ones((4, 5)), np.ones((2, 3)), **options)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: signal.convolve(np.ones((4, 5)), np.ones((3, 2)), axes=1), "incompatible shapes"),
        (lambda: signal.convolve(1.0, 2.0, stride=2), "must have axes to convolve along"),
        (lambda: signal.convolve(np.ones(3), np.ones((2, 2)), stride=2), "same dimensionality"),
        (lambda: signal.convolve2d(np.ones((2, 3, 4)), np.ones((2, 2)), axes=(1,)), "two axes"),
        (lambda: signal.convolve2d(np.ones((2, 3, 4)), np.ones(2), axes=(1, 2)), "in2 must have"),
        (lambda: signal.convolve2d(np.ones((2, 3, 4)), np.ones((2, 2)), stride=2), "2-D arrays"),
        (lambda: signal.convolve(np.ones((0, 3)), np.ones((2, 2)), stride=2), "cannot be empty"),
    ],
)
def test_errors_of_arrays(call, words):
    with pytest.raises(ValueError, match=words):
        call()
