"""Filters of images, against the reference and against SciPy's."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convx
from convx import ndimage, reference

NUMBERS = ("float32", "float64", "uint8", "int8", "uint16", "int16", "int32", "uint32", "int64")
MODES = ("reflect", "mirror", "nearest", "wrap", "constant", "grid-mirror", "grid-wrap")
SHAPES = ((7,), (40,), (1,), (12, 9), (3, 70), (33, 5), (5, 6, 7), (2, 3, 4, 5))
EXTREMA = {"maximum": np.max, "minimum": np.min}


def image(rng, shape, dtype="float64"):
    low = 0 if np.dtype(dtype).kind == "u" else -60
    return (rng.random(shape) * 180 + low).astype(dtype)


def assert_near(got, expected, dtype):
    assert got.dtype == expected.dtype
    if np.dtype(dtype).kind == "f":
        scale = np.abs(expected).max(initial=1.0)
        allowed = 3e-5 if got.dtype == np.float32 else 1e-12
        np.testing.assert_allclose(got, expected, rtol=0, atol=allowed * scale)
    else:
        np.testing.assert_array_equal(got, expected)


@st.composite
def windows(draw, most=9):
    shape = draw(st.sampled_from(SHAPES))
    size = [draw(st.integers(1, most)) for _ in shape]
    origin = [draw(st.integers(-(n // 2), (n - 1) // 2)) for n in size]
    cval = draw(st.sampled_from((0.0, 3.0, -2.5)))
    return shape, size, origin, draw(st.sampled_from(MODES)), cval, draw(st.integers(0, 99))


# Against the reference


@settings(max_examples=60)
@given(windows())
def test_correlation_is_the_sum_over_windows(case):
    shape, size, origin, mode, cval, seed = case
    rng = np.random.default_rng(seed)
    x, w = image(rng, shape), rng.standard_normal(size)
    expected = np.tensordot(reference.image_windows(x, size, mode, cval, origin), w, axes=x.ndim)
    options = {"mode": mode, "cval": cval, "origin": origin}
    assert_near(ndimage.correlate(x, w, **options), expected, x.dtype)
    single = ndimage.correlate(x.astype("float32"), w, **options)
    assert_near(single, expected.astype("float32"), "float32")


@settings(max_examples=60)
@given(windows())
def test_windows_of_the_reference(case):
    shape, size, origin, mode, cval, seed = case
    x = image(np.random.default_rng(seed), shape)
    found = reference.image_windows(x, size, mode, cval, origin)
    axes = tuple(range(x.ndim, 2 * x.ndim))
    options = {"mode": mode, "cval": cval, "origin": origin}
    for name, extremum in EXTREMA.items():
        got = getattr(ndimage, f"{name}_filter")(x, size, **options)
        np.testing.assert_array_equal(got, extremum(found, axis=axes))
    if mode != "constant" or cval == 0:
        got = ndimage.uniform_filter(x, size, **options)
        np.testing.assert_allclose(got, found.mean(axis=axes), rtol=0, atol=1e-11)


@settings(max_examples=40)
@given(windows(5), st.sampled_from(NUMBERS))
def test_footprints(case, dtype):
    shape, size, origin, mode, _, seed = case
    rng = np.random.default_rng(seed)
    x, footprint = image(rng, shape, dtype), rng.random(size) < 0.5
    footprint.flat[0] = True
    found = reference.image_windows(x, size, mode, 3, origin)[..., footprint]
    for name, extremum in EXTREMA.items():
        got = getattr(ndimage, f"{name}_filter")(
            x, footprint=footprint, mode=mode, cval=3.0, origin=origin
        )
        np.testing.assert_array_equal(got, extremum(found, axis=-1))


@pytest.mark.parametrize("size", [2, 3, 4, 5, 9, 16, 17, 31, 65])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_long_windows(size, dtype):
    """Those that are cut, and put together of parts; over several bands and columns."""
    rng = np.random.default_rng(size)
    for shape in ((130, 70), (70, 300), (1, 5000), (5000, 1), (40, 5, 33)):
        x = image(rng, shape, dtype)
        axes = (0, 1)
        sizes = [size, min(size, 11)] + [1] * (len(shape) - 2)
        found = reference.image_windows(x, sizes)
        last = tuple(range(x.ndim, 2 * x.ndim))
        got = ndimage.maximum_filter(x, sizes[:2], axes=axes)
        np.testing.assert_array_equal(got, found.max(axis=last))
        if dtype != "uint8":
            got = ndimage.uniform_filter(x, sizes[:2], axes=axes)
            assert_near(got, found.mean(axis=last, dtype="float64").astype(dtype), dtype)


# Against SciPy


@pytest.fixture(scope="module")
def peer():
    return pytest.importorskip("scipy.ndimage")


@settings(max_examples=150, deadline=None)
@given(
    windows(),
    st.sampled_from(NUMBERS),
    st.sampled_from((None, "float64", "float32", "int32", "uint8")),
    st.booleans(),
)
def test_filters_along_an_axis_are_those_of_scipy(peer, case, dtype, output, mirrored):
    """Integers to the last bit, also where sums are rounded."""
    shape, size, origin, mode, cval, seed = case
    rng = np.random.default_rng(seed)
    x, axis = image(rng, shape, dtype), seed % len(shape)
    w = rng.standard_normal(size[axis])
    if mirrored:
        w = w + (1 if seed % 2 else -1) * w[::-1]
    if output == "uint8" and x.dtype.kind != "u":
        output = None
    options = {
        "axis": axis, "mode": mode, "cval": cval, "origin": origin[axis],
        "output": output and np.dtype(output),
    }  # fmt: skip
    for name in ("correlate1d", "convolve1d"):
        expected = getattr(peer, name)(x, w, **options)
        assert_near(getattr(ndimage, name)(x, w, **options), expected, expected.dtype)
    for name in ("maximum", "minimum", "uniform"):
        if name == "uniform" and x.dtype.kind == "f" and output in ("int32", "uint8"):
            continue  # SciPy's running sums have rounding errors of their own
        expected = getattr(peer, f"{name}_filter1d")(x, size[axis], **options)
        got = getattr(ndimage, f"{name}_filter1d")(x, size[axis], **options)
        assert_near(got, expected, expected.dtype)


COMPOSED = {
    "gaussian_filter": {"sigma": 1.3},
    "gaussian_laplace": {"sigma": 1.1},
    "gaussian_gradient_magnitude": {"sigma": 0.9},
    "laplace": {},
    "prewitt": {"axis": 0},
    "sobel": {},
    "uniform_filter": {"size": 4},
    "maximum_filter": {"size": 5},
}


@pytest.mark.parametrize("name", COMPOSED)
@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("shape", [(40,), (12, 19), (8, 9, 10), (4, 5, 6, 7), (20, 17, 3)])
def test_composed_filters_are_those_of_scipy(peer, name, dtype, shape):
    x = image(np.random.default_rng(3), shape, dtype)
    for mode in ("reflect", "constant", ["mirror", "wrap", "nearest", "constant"][: len(shape)]):
        for cval in (0.0, 2.0):
            options = {**COMPOSED[name], "mode": mode, "cval": cval}
            with np.errstate(invalid="ignore"):  # roots of sums that wrapped around
                expected = getattr(peer, name)(x, **options)
            assert_near(getattr(ndimage, name)(x, **options), expected, dtype)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_derivatives_of_gaussians(peer, order):
    x = image(np.random.default_rng(0), (30, 40))
    for options in ({"truncate": 3}, {"radius": 5}):
        expected = peer.gaussian_filter(x, 2.0, order, **options)
        assert_near(ndimage.gaussian_filter(x, 2.0, order, **options), expected, "float64")
        expected = peer.gaussian_filter1d(x, 1.5, 0, order, **options)
        assert_near(ndimage.gaussian_filter1d(x, 1.5, 0, order, **options), expected, "float64")


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("whole", [True, False])
def test_correlation_is_that_of_scipy(peer, dtype, whole):
    rng = np.random.default_rng(5)
    for shape, size in (((30,), (4,)), ((12, 13), (3, 4)), ((9, 8, 7), (3, 2, 5))):
        x = image(rng, shape, dtype)
        w = rng.integers(-3, 4, size).astype(float) if whole else rng.standard_normal(size)
        for name in ("correlate", "convolve"):
            expected = getattr(peer, name)(x, w, mode="mirror")
            assert_near(getattr(ndimage, name)(x, w, mode="mirror"), expected, dtype)


def test_axes_that_are_left_out_are_a_batch(peer):
    x = image(np.random.default_rng(1), (4, 9, 5, 8))
    w = np.random.default_rng(2).standard_normal((3, 4))
    for axes in ((1, 3), (0, 2), (-1, 1), (2, 0)):
        for name, args in (
            ("correlate", (w,)),
            ("gaussian_filter", (1.0,)),
            ("uniform_filter", ((3, 5),)),
            ("laplace", ()),
        ):
            expected = getattr(peer, name)(x, *args, axes=axes)
            assert_near(getattr(ndimage, name)(x, *args, axes=axes), expected, "float64")


def test_complex_numbers(peer):
    rng = np.random.default_rng(4)
    x = rng.standard_normal((9, 8)) + 1j * rng.standard_normal((9, 8))
    w = rng.standard_normal((3, 3)) + 1j * rng.standard_normal((3, 3))
    for a, b in ((x, w), (x.real, w), (x, w.real)):
        for name in ("correlate", "convolve"):
            cval = 1 + 2j if a.dtype.kind == "c" else 1.0
            options = {"mode": "constant", "cval": cval}
            expected = getattr(peer, name)(a, b, **options)
            np.testing.assert_allclose(getattr(ndimage, name)(a, b, **options), expected)
            one = getattr(peer, f"{name}1d")(a, b[0], **options)
            np.testing.assert_allclose(getattr(ndimage, f"{name}1d")(a, b[0], **options), one)
    np.testing.assert_allclose(ndimage.uniform_filter(x, 3), peer.uniform_filter(x, 3))
    single = x.astype("complex64")
    assert ndimage.correlate(single, w.real).dtype == np.complex64


# What filters promise beyond it


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_stays_in_its_windows(bad):
    for size in (3, 9, 31):
        x = np.ones((70, 80), np.float32)
        x[30, 40] = bad
        touched = reference.image_windows(x, (size, size)).sum(axis=(2, 3))
        expected = ~np.isfinite(touched)
        w = np.ones(size)
        for got in (
            ndimage.uniform_filter(x, size),
            ndimage.correlate1d(ndimage.correlate1d(x, w, 0), w, 1),
            ndimage.correlate(x, np.ones((size, size))),
            ndimage.maximum_filter(x, size),
        ):
            np.testing.assert_array_equal(~np.isfinite(got), expected)
        low = ndimage.minimum_filter(x, size)
        np.testing.assert_array_equal(np.isnan(low), expected & np.isnan(bad))


def test_bits_do_not_depend_on_threads_or_the_batch():
    x = image(np.random.default_rng(8), (5, 300, 200), "float32")
    for function, args in (
        (ndimage.gaussian_filter, (2.0,)),
        (ndimage.uniform_filter, (9,)),
        (ndimage.maximum_filter, (5,)),
        (ndimage.correlate, (np.ones((7, 5)) + np.eye(7, 5),)),
        (ndimage.laplace, ()),
    ):
        whole = function(x, *args, axes=(1, 2), workers=2)
        np.testing.assert_array_equal(whole, function(x, *args, axes=(1, 2), workers=1))
        np.testing.assert_array_equal(whole[3], function(x[3], *args))


@pytest.mark.parametrize("name", ["gaussian_filter", "correlate", "maximum_filter", "laplace"])
def test_arrays_of_any_layout(name):
    function = getattr(ndimage, name)
    args = {
        "gaussian_filter": (1.0,), "correlate": (np.arange(9.0).reshape(3, 3),),
        "maximum_filter": (3,), "laplace": (),
    }[name]  # fmt: skip
    x = image(np.random.default_rng(6), (24, 30), "float32")
    expected = function(x, *args)
    wide = np.zeros((48, 60), np.float32)
    wide[::2, ::2] = x
    frozen = x.copy()
    frozen.flags.writeable = False
    turned = np.asfortranarray(x)
    for same in (wide[::2, ::2], frozen, turned, x[::-1, ::-1][::-1, ::-1], x.astype(">f4")):
        got = function(same, *args)
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, expected)
    for out in (np.empty((24, 30), np.float32), wide[1::2, 1::2], np.empty((24, 30), ">f4")):
        assert function(x, *args, output=out) is out
        np.testing.assert_array_equal(out, expected)
    inplace = x.copy()
    assert function(inplace, *args, output=inplace) is inplace
    np.testing.assert_array_equal(inplace, expected)
    shifted = np.zeros((25, 30), np.float32)
    shifted[:24] = x
    function(shifted[:24], *args, output=shifted[1:])
    np.testing.assert_array_equal(shifted[1:], expected)
    assert function(np.empty((0, 5)), *args).shape == (0, 5)


def test_accumulation_in_double_precision(peer):
    x = np.random.default_rng(0).random((64, 64), np.float32) + np.float32(1000)
    for name, args in (("uniform_filter", (9,)), ("correlate", (np.ones((5, 5)),))):
        expected = getattr(peer, name)(x, *args)
        got = getattr(ndimage, name)(x, *args, accumulate="float64")
        np.testing.assert_allclose(got, expected, rtol=1.2e-7)


@pytest.mark.parametrize("name", ["correlate", "convolve"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int32", "complex128"])
@pytest.mark.parametrize("mode", ["reflect", "constant", "wrap"])
def test_stride_leaves_results_out(name, dtype, mode):
    rng = np.random.default_rng(5)
    x, function = image(rng, (11, 3, 9), dtype), getattr(ndimage, name)
    separable = np.multiply.outer(np.arange(1.0, 8), np.arange(1.0, 7))
    for weights in (rng.standard_normal((3, 2)), np.ones((2, 3)), separable, separable * 1j):
        options = {"mode": mode, "axes": (2, 0), "dilation": (1, 2)}
        whole = function(x, weights, **options)
        found = function(x, weights, **options, stride=(3, 2))
        assert found.dtype == whole.dtype
        assert found.shape == (6, 3, 3)
        single = found.dtype.char in "fF"
        off = 0 if found.dtype.kind in "iu" else 3e-6 if single else 1e-12
        scale = np.abs(whole).max()
        np.testing.assert_allclose(found, whole[::2, :, ::3], rtol=0, atol=off * scale)
        out = np.zeros(found.shape[::-1], found.dtype).T
        assert function(x, weights, out, **options, stride=(3, 2)) is out
        assert np.array_equal(out, found)
    with pytest.raises(ValueError, match="output must have shape"):
        function(x, np.ones((3, 3)), np.zeros(x.shape), axes=(0, 1), stride=2)


def test_dilation_is_a_kernel_with_holes():
    rng = np.random.default_rng(9)
    x, w = image(rng, (20, 22)), rng.standard_normal((3, 3))
    wide = np.zeros((5, 5))
    wide[::2, ::2] = w
    for name in ("correlate", "convolve"):
        function, along = getattr(ndimage, name), getattr(ndimage, f"{name}1d")
        assert_near(function(x, w, dilation=2), function(x, wide), "float64")
        assert_near(along(x, w[0], 0, dilation=2), along(x, wide[0], 0), "float64")


def test_explanations():
    x = np.ones((256, 256), np.float32)
    told = convx.explain(ndimage.gaussian_filter, x, 2)
    assert told.algorithm == "separable"
    assert told.flops == 2 * 2 * 17 * x.size
    assert told.output_shape == x.shape
    assert convx.explain(ndimage.correlate, x, np.eye(3)).algorithm == "direct"
    assert convx.explain(ndimage.correlate, x, np.ones((9, 9))).algorithm == "separable"
    assert convx.explain(ndimage.maximum_filter, x, footprint=np.eye(3)).algorithm == "footprint"
    np.testing.assert_array_equal(x, 1)


def test_small_calls_are_remembered_and_the_same():
    rng = np.random.default_rng(7)
    for mode in ("reflect", "constant"):
        for _ in range(3):
            x, w = image(rng, (16, 16), "float32"), rng.standard_normal((3, 3))
            expected = np.tensordot(reference.image_windows(x.astype(float), (3, 3), mode), w)
            got = ndimage.correlate(x, w, mode=mode)
            assert_near(got, expected.astype("float32"), "float32")
            turned = ndimage.convolve(x, w[::-1, ::-1], mode=mode)
            np.testing.assert_array_equal(turned, got)
    constant = ndimage.correlate(x, w, mode="constant", cval=5)
    assert np.abs(constant - got).max() > 1


# Errors


def test_names_and_signatures_are_those_of_scipy(peer):
    for name in ndimage.__all__:
        ours = inspect.signature(getattr(ndimage, name)).parameters
        theirs = inspect.signature(getattr(peer, name)).parameters
        shared = [one for one in ours if one in theirs]
        assert shared == list(theirs)
        for one in theirs:
            assert ours[one].default == theirs[one].default
            assert ours[one].kind == theirs[one].kind
        for one in set(ours) - set(theirs):
            assert ours[one].kind == inspect.Parameter.KEYWORD_ONLY


WRONG = [
    ("uniform_filter", (-1,), {}, ValueError, "size must be from 0"),
    ("uniform_filter1d", (0,), {}, RuntimeError, "size must be from 1"),
    ("maximum_filter", (2.0**40,), {}, ValueError, "size must be"),
    ("maximum_filter", (), {}, RuntimeError, "no footprint provided"),
    ("maximum_filter", (), {"footprint": np.zeros((2, 2))}, ValueError, "footprint must have"),
    ("maximum_filter", (3,), {"origin": 2}, ValueError, "origin must be from -1 to 1"),
    ("gaussian_filter", (-1.0,), {}, ValueError, "sigma must be finite and not negative"),
    ("gaussian_filter", (np.nan,), {}, ValueError, "sigma must be finite"),
    ("gaussian_filter", (np.inf,), {}, ValueError, "sigma must be finite"),
    ("gaussian_filter", (1e12,), {}, ValueError, "sigma times truncate"),
    ("gaussian_filter", (1.0,), {"radius": 1.5}, ValueError, "radius must be"),
    ("gaussian_filter", (1.0,), {"order": -1}, ValueError, "order must be non-negative"),
    ("gaussian_filter", (1.0,), {"mode": "odd"}, RuntimeError, "mode must be one of"),
    ("gaussian_filter", (1.0,), {"axes": (0, 0)}, ValueError, "axes must be unique"),
    ("gaussian_filter", (1.0,), {"axes": 2}, ValueError, "out of range"),
    ("gaussian_filter", ([1.0],), {}, RuntimeError, "must have length equal"),
    ("gaussian_filter", (1.0,), {"workers": 0}, ValueError, "workers must be positive"),
    ("gaussian_filter", (1.0,), {"accumulate": "half"}, ValueError, "accumulate must be"),
    ("correlate", (np.ones(3),), {}, RuntimeError, "weights.ndim"),
    ("correlate", (np.ones((3, 0)),), {}, ValueError, "weights|origin"),
    ("correlate", (np.ones((3, 3)),), {"mode": ["wrap"] * 2}, RuntimeError, "sequence of modes"),
    ("correlate", (np.ones((3, 3)),), {"origin": (0, 2)}, ValueError, "origin must be"),
    ("correlate1d", (np.ones((3, 3)),), {}, RuntimeError, "weights must have one axis"),
    ("correlate1d", ([],), {}, RuntimeError, "weights must have one axis"),
    ("correlate1d", ([1.0],), {"cval": 1j}, TypeError, "cval must be real"),
    ("correlate1d", ([1.0],), {"axis": 5}, ValueError, "out of bounds"),
]


@pytest.mark.parametrize(("name", "args", "options", "error", "says"), WRONG)
def test_errors(name, args, options, error, says):
    with pytest.raises(error, match=says) as caught:
        getattr(ndimage, name)(np.ones((8, 9)), *args, **options)
    assert isinstance(caught.value, ValueError | TypeError)


@pytest.mark.parametrize(
    ("output", "error"),
    [
        (np.empty((8, 8)), RuntimeError),
        (np.empty((8, 9), object), TypeError),
        (np.empty((8, 9), np.float16), TypeError),
        (np.broadcast_to(np.zeros(9), (8, 9)), ValueError),
        ("U3", TypeError),
        ([1.0], TypeError),
    ],
)
def test_outputs_that_cannot_be(output, error):
    for name, args in (("gaussian_filter", (1.0,)), ("correlate", (np.ones((3, 3)),))):
        with pytest.raises(error, match="output must"):
            getattr(ndimage, name)(np.ones((8, 9)), *args, output=output)


@pytest.mark.parametrize("dtype", ["float16", "longdouble", "object", "U3", "M8[s]"])
def test_inputs_that_cannot_be(dtype):
    x = np.zeros((4, 4)).astype(dtype)
    for name, args in (("gaussian_filter", (1.0,)), ("maximum_filter", (3,)), ("laplace", ())):
        with pytest.raises(TypeError, match="input must have a dtype"):
            getattr(ndimage, name)(x, *args)
    with pytest.raises(TypeError, match="masked"):
        ndimage.laplace(np.ma.masked_equal([1.0, 2.0], 1.0))
    with pytest.raises(TypeError, match="must be real"):
        ndimage.maximum_filter(np.ones(3, complex), 3)
