"""convx.signal beside SciPy and beside plain sums."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convx
from convx import signal
from convx._core import _distance
from convx._engine import costs, great_tiles
from convx._ops import large_kernels

MODES = ("full", "same", "valid")
DTYPES = "?bBhHilLefdFDg"


def array(rng, shape, dtype):
    if dtype == "?":
        return rng.integers(0, 2, shape).astype(bool)
    values = rng.integers(-9, 9, shape) if dtype in "bhil" else rng.integers(0, 9, shape)
    if np.dtype(dtype).kind in "fc":
        values = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return values.astype(dtype)


def plain_convolve(first, second):
    """All sums of products, in the arrays' own arithmetic."""
    shape = [n + k - 1 for n, k in zip(first.shape, second.shape)]
    total = np.zeros(shape, np.result_type(first, second))
    for place in np.ndindex(*second.shape):
        where = tuple(slice(start, start + n) for start, n in zip(place, first.shape))
        total[where] += first * second[place]
    return total


def centre(full, shape):
    starts = [(n - wanted) // 2 for n, wanted in zip(full.shape, shape)]
    return full[tuple(slice(start, start + n) for start, n in zip(starts, shape))]


def plain(first, second, mode):
    full = plain_convolve(first, second)
    if mode == "full":
        return full
    wanted = first.shape
    if mode == "valid":
        wanted = [abs(n - k) + 1 for n, k in zip(first.shape, second.shape)]
    return centre(full, wanted)


def assert_same(found, wanted):
    assert found.shape == wanted.shape
    assert found.dtype == wanted.dtype
    if found.dtype.kind in "bui":
        assert np.array_equal(found, wanted)
    else:
        scale = float(abs(wanted).max()) if wanted.size else 0.0
        precision = max(float(np.finfo(found.dtype).eps), 1e-15)
        assert np.allclose(found, wanted, rtol=0, atol=300 * precision * scale + 1e-30)


@st.composite
def pairs(draw):
    rank = draw(st.integers(1, 3))
    most = {1: 40, 2: 12, 3: 6}[rank]
    sizes = [draw(st.lists(st.integers(1, most), min_size=rank, max_size=rank)) for _ in range(2)]
    mode = draw(st.sampled_from(MODES))
    if mode == "valid":
        sizes = [[f(n, k) for n, k in zip(*sizes)] for f in (max, min)]
        sizes = sizes[:: draw(st.sampled_from((1, -1)))]
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    first, second = (array(rng, size, draw(st.sampled_from(DTYPES))) for size in sizes)
    return first, second, mode


@settings(max_examples=150, deadline=None)
@given(pairs(), st.sampled_from(("auto", "direct", "fft")))
def test_convolve_is_the_sum_of_products(pair, method):
    first, second, mode = pair
    if np.result_type(first, second) == np.float16:
        first, second = first.astype("f"), second.astype("f")
    assert_same(signal.convolve(first, second, mode, method), plain(first, second, mode))


@settings(max_examples=100, deadline=None)
@given(pairs())
def test_correlate_turns_and_conjugates(pair):
    first, second, mode = pair
    if np.result_type(first, second) == np.float16:
        first, second = first.astype("f"), second.astype("f")
    turned = np.flip(second.conj() if second.dtype.kind == "c" else second)
    assert_same(signal.correlate(first, second, mode), plain(first, turned, mode))


@settings(max_examples=100, deadline=None)
@given(pairs())
def test_scipy_agrees(pair):
    scipy_signal = pytest.importorskip("scipy.signal")
    first, second, mode = pair
    dtype = np.result_type(first, second)
    dtype = np.dtype("b") if dtype.kind == "b" else dtype
    first, second = first.astype(dtype), second.astype(dtype)
    if "e" in (first.dtype.char, second.dtype.char):
        first, second = first.astype("d"), second.astype("d")
    for name in ("convolve", "correlate"):
        wanted = getattr(scipy_signal, name)(first, second, mode, "direct")
        assert_same(getattr(signal, name)(first, second, mode), wanted)
    first, second = first.astype("D"), second.astype("D")
    assert_same(
        signal.fftconvolve(first, second, mode), scipy_signal.fftconvolve(first, second, mode)
    )


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(("convolve2d", "correlate2d")),
    pairs().filter(lambda pair: pair[0].ndim == 2),
    st.sampled_from(("fill", "wrap", "symm")),
    st.sampled_from((0, 3)),
)
def test_planes_are_those_of_scipy(name, pair, boundary, fillvalue):
    scipy_signal = pytest.importorskip("scipy.signal")
    first, second, mode = pair
    if np.result_type(first, second).kind == "b" or "e" in (first.dtype.char, second.dtype.char):
        first, second = first.astype("l"), second.astype("d")
    wanted = getattr(scipy_signal, name)(first, second, mode, boundary, fillvalue)
    for _ in range(2):  # the second time by the memo
        assert_same(getattr(signal, name)(first, second, mode, boundary, fillvalue), wanted)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("boundary", ["fill", "wrap", "symm"])
def test_convolve2d_pads_as_numpy_does(rng, mode, boundary):
    image, kernel = rng.integers(-9, 9, (7, 5)), rng.integers(-9, 9, (4, 3))
    pads = {"full": ((3, 3), (2, 2)), "same": ((2, 1), (1, 1)), "valid": ((0, 0), (0, 0))}[mode]
    names = {"fill": "constant", "wrap": "wrap", "symm": "symmetric"}
    wanted = plain(np.pad(image, pads, names[boundary]), kernel, "valid")
    assert_same(signal.convolve2d(image, kernel, mode, boundary), wanted)


SHAPES = [
    ((4, 7), (1, 3), 1),
    ((4, 7), (4, 3), -1),
    ((1, 7), (4, 3), (1,)),
    ((7, 4), (3, 4), 0),
    ((2, 7, 3, 5), (1, 3, 3, 2), (1, 3)),
    ((2, 7, 3, 5), (2, 3, 1, 2), (3, 1)),
    ((3, 4, 1), (3, 7, 5), 1),
    ((3, 1), (1, 4), None),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("shape", "kernel", "axes"), SHAPES)
@pytest.mark.parametrize("dtype", "lfFD")
def test_other_axes_are_broadcast(rng, shape, kernel, axes, mode, dtype):
    first, second = array(rng, shape, dtype), array(rng, kernel, dtype)
    along = range(len(shape)) if axes is None else np.atleast_1d(axes) % len(shape)
    along = [axis for axis in along if shape[axis] > 1 and kernel[axis] > 1]
    rest = [axis for axis in range(len(shape)) if axis not in along]
    batch = np.broadcast_shapes(*([one[axis] for axis in rest] for one in (shape, kernel)))
    order = [*rest, *along]
    one, other = (
        np.broadcast_to(a.transpose(order), (*batch, *(a.shape[axis] for axis in along)))
        for a in (first, second)
    )
    places = (
        [plain(one[place], other[place], mode) for place in np.ndindex(*batch)] if along else []
    )
    if along:
        wanted = np.array(places).reshape(*batch, *places[0].shape).transpose(np.argsort(order))
        wanted = wanted.astype("d") if dtype == "l" else wanted
    else:
        wanted = first * (second[:, 1:2] if mode == "same" else second)
    for name in ("fftconvolve", "oaconvolve"):
        assert_same(getattr(signal, name)(first, second, mode, axes), wanted)


@pytest.fixture
def forgetful():
    """What is planned depends on estimates that a test may change."""

    def forget():
        large_kernels.planned.cache_clear()
        great_tiles.choose.cache_clear()

    forget()
    yield forget
    forget()


@pytest.fixture
def only_great_tiles(forgetful, monkeypatch):
    """Whatever the estimates are; at least one must come."""
    taken = []
    really = large_kernels._correlated
    monkeypatch.setattr(large_kernels, "_planned_cost", lambda *given: 1e300)
    monkeypatch.setattr(costs, "WHOLE", 1e300)
    monkeypatch.setattr(
        large_kernels, "_correlated", lambda *given: taken.append(1) or really(*given)
    )
    yield
    assert taken


@pytest.mark.parametrize("dtype", "fdFD")
@pytest.mark.parametrize(
    ("shape", "kernel"),
    [((50,), (40,)), ((9000,), (900,)), ((70, 90), (9, 40)), ((40, 11, 13), (8, 3, 4))],
)
@pytest.mark.parametrize("mode", MODES)
def test_great_tiles(only_great_tiles, rng, shape, kernel, mode, dtype):
    first, second = array(rng, shape, dtype), array(rng, kernel, dtype)
    wanted = signal.convolve(first, second, mode, "direct")
    assert_same(signal.convolve(first, second, mode), wanted)
    real = second.real.copy()
    assert_same(signal.convolve(first, real, mode), signal.convolve(first, real, mode, "direct"))


@pytest.mark.parametrize(
    "points",
    [
        *((1, 32), (1, 64), (1, 96), (1, 160), (1, 288), (1, 480), (1, 4096)),
        *((48, 64), (80, 96), (144, 288), (240, 320), (64, 1024)),
    ],
)
@pytest.mark.parametrize("dtype", "fdD")
def test_lines_of_any_points(only_great_tiles, monkeypatch, rng, points, dtype):
    """Of one row and of several, whose places begin with steps by 3, 5, and end with 2, 4, 8."""
    monkeypatch.setattr(great_tiles, "LINES", (points,))
    first, second = array(rng, (3000,), dtype), array(rng, (32,), dtype)
    wanted = signal.convolve(first, second, "same", "direct")
    assert_same(signal.convolve(first, second, "same"), wanted)


@pytest.mark.parametrize(
    "points",
    [(32, 64), (40, 160), (48, 96), (144, 192), (96, 288), (240, 320), (320, 480), (576, 512)],
)
@pytest.mark.parametrize("kernel", [(9, 12), (32, 1)])
@pytest.mark.parametrize("dtype", "fdD")
def test_planes_of_any_points(only_great_tiles, monkeypatch, rng, points, kernel, dtype):
    monkeypatch.setattr(great_tiles, "POINTS", points[:1])
    monkeypatch.setattr(great_tiles, "ROW_POINTS", points[1:])
    first, second = array(rng, (130, 170), dtype), array(rng, kernel, dtype)
    wanted = signal.convolve(first, second, "same", "direct")
    assert_same(signal.convolve(first, second, "same"), wanted)


@pytest.mark.parametrize(("dtype", "line"), [("float32", 16), ("float64", 8)])
def test_great_tiles_have_outputs_of_whole_lines(dtype, line):
    """If it takes hardly more of them, never fewer outputs than there are."""
    for outputs, taps, rows in itertools.product((5, 100, 1024, 10**5), (2, 15, 64, 127), (1, 31)):
        axis = great_tiles.GreatAxis(outputs + taps - 1, taps)
        above = (great_tiles.GreatAxis(1024, rows, rows // 2, rows // 2),) if rows > 1 else ()
        for one in great_tiles.tilings(great_tiles.Plane(above, axis, dtype, 1)):
            most = (math.prod(one.points) if one.chained else one.points[1]) - taps + 1
            fewest = -(-outputs // most)
            assert one.tile[1] <= most
            assert one.tile[1] * one.tiles[1] >= outputs
            assert one.tiles[1] <= fewest * (1 + great_tiles.MORE_TILES)
            lines = most // line
            several = one.chained and one.points[0] > 1
            if lines and not several and -(-outputs // (lines * line)) == fewest:
                assert one.tile[1] % line == 0


@pytest.mark.parametrize("boundary", ["fill", "wrap", "symm"])
@pytest.mark.parametrize("mode", MODES)
def test_great_tiles_have_borders(only_great_tiles, rng, boundary, mode):
    image, kernel = rng.standard_normal((40, 50)), rng.standard_normal((33, 20))
    names = {"fill": "constant", "wrap": "wrap", "symm": "symmetric"}
    pads = {"full": ((32, 32), (19, 19)), "same": ((16, 16), (10, 9)), "valid": ((0, 0),) * 2}[mode]
    wanted = plain(np.pad(image, pads, names[boundary]), kernel, "valid")
    assert_same(signal.convolve2d(image, kernel, mode, boundary), wanted)


@pytest.mark.parametrize("axes", [0, 1, 2, (1, 2)])
def test_great_tiles_have_items(only_great_tiles, rng, axes):
    along = np.atleast_1d(axes)
    x = rng.standard_normal((70, 80, 60))
    taps = rng.standard_normal([40 if axis in along else 1 for axis in range(3)])
    wanted = np.fft.irfftn(
        np.fft.rfftn(x, (128,) * len(along), along)
        * np.fft.rfftn(taps, (128,) * len(along), along),
        (128,) * len(along),
        along,
    )
    sizes = [n + (39 if axis in along else 0) for axis, n in enumerate(x.shape)]
    found = signal.fftconvolve(x, taps, axes=axes)
    assert_same(found, wanted[tuple(slice(n) for n in sizes)])


@pytest.mark.parametrize("shape", [(20_000,), (150, 140)])
@pytest.mark.parametrize("dtype", "fdD")
def test_two_large_arrays(forgetful, monkeypatch, rng, shape, dtype):
    first, second = array(rng, shape, dtype), array(rng, [n * 2 // 3 for n in shape], dtype)
    wanted = signal.convolve(first, second)
    monkeypatch.setattr(costs, "WHOLE", 0)
    forgetful()
    for mode in MODES:
        full = wanted if mode == "full" else None
        size = shape if mode == "same" else [abs(n - k) + 1 for n, k in zip(shape, second.shape)]
        full = centre(wanted, size) if full is None else full
        assert_same(signal.fftconvolve(first, second, mode), full)


@pytest.mark.parametrize(
    ("shape", "kernel"), [((200_000,), (90_000,)), ((300, 280), (170, 260)), ((30, 28, 31),) * 2]
)
@pytest.mark.parametrize("dtype", "fd")
def test_tiles_grow_with_the_kernel(only_great_tiles, monkeypatch, rng, shape, kernel, dtype):
    monkeypatch.setattr(great_tiles, "MOST_POINTS", 2**10)
    first, second = array(rng, shape, dtype), array(rng, kernel, dtype)
    sizes = [n + k - 1 for n, k in zip(shape, kernel)]
    spectra = [np.fft.rfftn(one.astype(float), sizes, range(len(shape))) for one in (first, second)]
    full = np.fft.irfftn(spectra[0] * spectra[1], sizes, range(len(shape)))
    for mode in ("full", "same"):
        wanted = full if mode == "full" else centre(full, shape)
        found = signal.fftconvolve(first, second, mode)
        assert found.dtype == first.dtype
        off = (2e-6 if dtype == "f" else 1e-14) * np.sqrt(second.size) * 10
        np.testing.assert_allclose(found, wanted, rtol=0, atol=off)


def test_bits_do_not_depend_on_threads_or_batch(only_great_tiles, rng):
    x = rng.standard_normal((3, 300, 200), np.float32)
    kernel = rng.standard_normal((1, 40, 50), np.float32)
    alone = signal.fftconvolve(x, kernel, axes=(1, 2), workers=1)
    together = signal.fftconvolve(x, kernel, axes=(1, 2), workers=2)
    assert np.array_equal(alone, together)
    assert np.array_equal(signal.fftconvolve(x[1:2], kernel, axes=(1, 2)), alone[1:2])


@pytest.mark.parametrize("dtype", "fdFD")
@pytest.mark.parametrize(
    ("shape", "kernel"),
    [((70_000,), (600,)), ((300_000,), (9000,)), ((500, 600), (33, 1)), ((70, 72, 74), (9, 8, 7))],
)
def test_kernels_are_shared_out(only_great_tiles, rng, shape, kernel, dtype):
    """Of a line, a chain, columns and a volume: rows, columns and chains are those of threads.

    Where processors are apart, each thread has them all.
    """
    first, second = array(rng, shape, dtype), array(rng, kernel, dtype)
    alone = signal.fftconvolve(first, second, workers=1)
    try:
        for apart in (False, True, None) * 3:
            _distance.assume_apart(apart)
            assert np.array_equal(signal.fftconvolve(first, second, workers=2), alone)
    finally:
        _distance.assume_apart(None)
    sizes = [n + k - 1 for n, k in zip(shape, kernel)]
    along = range(len(shape))
    spectra = [np.fft.fftn(one.astype(complex), sizes, along) for one in (first, second)]
    wanted = np.fft.ifftn(spectra[0] * spectra[1], sizes, along)
    wanted = wanted if dtype in "FD" else wanted.real
    off = (2e-6 if dtype in "fF" else 1e-14) * np.sqrt(second.size) * 10
    np.testing.assert_allclose(alone, wanted, rtol=0, atol=off)


@pytest.mark.parametrize("shape", [(3, 3), (15, 15), (60, 60)])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_where_it_is(rng, shape, value):
    image, kernel = rng.standard_normal((200, 200)), rng.standard_normal(shape)
    image[100, 100] = value
    for found in (signal.convolve(image, kernel), signal.fftconvolve(image, kernel)):
        where = np.zeros(found.shape, bool)
        where[100 : 100 + shape[0], 100 : 100 + shape[1]] = True
        assert np.array_equal(~np.isfinite(found), where)


def test_fft_warns_of_what_is_not_finite():
    with pytest.warns(RuntimeWarning, match="Use of fft convolution"):
        signal.convolve([1.0, np.nan, 2.0], [1.0, 2.0], method="fft")


def test_objects_keep_their_arithmetic():
    thirds = np.array([Fraction(1, 3), Fraction(1, 6)])
    found = signal.convolve(thirds, np.array([1, 2]))
    assert found.tolist() == [Fraction(1, 3), Fraction(5, 6), Fraction(1, 3)]


def test_extended_precision_is_kept(rng):
    tiny = np.longdouble(2) ** -60
    found = signal.convolve(np.array([1, tiny]), np.array([1, tiny]))
    assert found.tolist() == [1, 2 * tiny, tiny * tiny]
    x, taps = rng.standard_normal(9000).astype("g"), rng.standard_normal(2000).astype("g")
    wanted = signal.convolve(x.astype("d"), taps.astype("d"))
    assert np.allclose(signal.fftconvolve(x, taps).astype("d"), wanted, rtol=0, atol=1e-10)


def test_integers_wrap_and_large_ones_are_exact():
    assert signal.convolve(np.array([200], "B"), np.array([2], "B")).tolist() == [144]
    large = np.array([2**40 + 1], np.int64)
    assert signal.convolve(large, np.array([3, 1]), method="fft").tolist() == [
        3 * 2**40 + 3,
        2**40 + 1,
    ]


@pytest.mark.parametrize("shape", [(40,), (9, 9), (63, 63)])
@pytest.mark.parametrize("dtype", "bBhHilL")
def test_integers_in_floats_are_exact_and_wrap(rng, shape, dtype):
    size = 120 if len(shape) > 1 else 5000
    most = min(np.iinfo(dtype).max, 2**15)
    image = rng.integers(0, most, (size,) * len(shape)).astype(dtype)
    kernel = rng.integers(0, most, shape).astype(dtype)
    wanted = signal.convolve(image, kernel, method="direct")
    assert_same(signal.convolve(image, kernel), wanted)
    low = image.astype("l") - most // 2
    taps = kernel.astype("l")
    assert_same(signal.convolve(low, taps), signal.convolve(low, taps, method="direct"))


def test_any_layout(rng):
    image, kernel = rng.standard_normal((20, 30)), rng.standard_normal((3, 4))
    wanted = signal.convolve2d(image, kernel)
    odd = np.zeros((20, 60))[:, ::2]
    odd[...] = image
    frozen = image.copy()
    frozen.setflags(write=False)
    for same in (odd, np.asfortranarray(image), image.astype(">f8"), frozen, image.tolist()):
        found = signal.convolve2d(same, kernel)
        assert np.array_equal(found, wanted)
        assert found.dtype == np.float64


def test_result_goes_to_out(rng):
    image, kernel = rng.standard_normal((20, 30)), rng.standard_normal((3, 3))
    out = np.empty((20, 30))
    assert signal.convolve2d(image, kernel, "same", out=out) is out
    wanted = signal.convolve2d(image, kernel, "same")
    assert np.array_equal(out, wanted)
    assert signal.convolve2d(image, kernel, "same", out=image) is image
    assert np.array_equal(image, wanted)
    for call in (
        lambda: signal.convolve(image, kernel, out=out),
        lambda: signal.fftconvolve(image, kernel, out=out),
        lambda: signal.upfirdn([1.0], image, 2, out=out),
    ):
        with pytest.raises(ValueError, match="out must have the shape"):
            call()
    with pytest.raises(TypeError, match="out must have the dtype"):
        signal.convolve(image, kernel, "same", out=out.astype("f"))


def test_explain_tells_the_algorithm():
    image = np.ones((1024, 1024), np.float32)
    kernels = {"direct": np.ones((3, 3), np.float32), "fft": np.ones((63, 63), np.float32)}
    for algorithm, kernel in kernels.items():
        told = convx.explain(signal.convolve2d, image, kernel, "same")
        assert told.algorithm == algorithm
        assert told.output_shape == image.shape
        assert told.threads >= 1
        assert signal.choose_conv_method(image, kernel) == algorithm
    method, times = signal.choose_conv_method(image[:64, :64], kernels["direct"], measure=True)
    assert method == min(times, key=times.get)


def test_upfirdn_is_what_it_says(rng):
    for up, down, taps, size in itertools.product((1, 2, 3, 4), (1, 2, 3, 6), (1, 2, 5), (1, 7)):
        h, x = rng.standard_normal(taps), rng.standard_normal((2, size))
        sparse = np.zeros((2, (size - 1) * up + 1))
        sparse[:, ::up] = x
        wanted = np.array([np.convolve(h, row)[::down] for row in sparse])
        assert_same(signal.upfirdn(h, x, up, down), wanted)
        assert_same(signal.upfirdn(h, x.T, up, down, axis=0), wanted.T)


MODES_OF_UPFIRDN = [
    "constant",
    "wrap",
    "edge",
    "smooth",
    "symmetric",
    "reflect",
    "antisymmetric",
    "antireflect",
    "line",
]


@pytest.mark.parametrize("mode", MODES_OF_UPFIRDN)
@pytest.mark.parametrize("dtype", "lfD")
def test_upfirdn_goes_on_as_scipy_does(rng, mode, dtype):
    scipy_signal = pytest.importorskip("scipy.signal")
    for up, down, taps in itertools.product((1, 2, 3), (1, 2, 5), (1, 4, 9)):
        for shape, axis in (((2,), 0), ((5, 3), 0), ((2, 11, 2), 1)):
            h, x = array(rng, taps, dtype), array(rng, shape, dtype)
            cval = 2.5 if mode == "constant" else 0
            wanted = scipy_signal.upfirdn(h, x, up, down, axis, mode, cval)
            assert_same(signal.upfirdn(h, x, up, down, axis, mode, cval), wanted)


@pytest.mark.parametrize("dtype", "?Blefd")
def test_sepfir2d_mirrors(rng, dtype):
    image, row, column = array(rng, (6, 8), dtype), [1.0, 2.0, 4.0], [3.0, 1.0, 5.0, 0.0, 2.0]
    computed = np.result_type(image, np.float32)
    wide = np.pad(image.astype(computed), ((2, 2), (1, 1)), "symmetric")
    wanted = plain(wide, np.multiply.outer(column, row).astype(computed), "valid")
    assert_same(signal.sepfir2d(image, row, column), wanted)


def test_lags_count_from_the_last_tap():
    for mode, first, second in itertools.product(MODES, (4, 5, 9), (4, 5, 9)):
        ones = np.ones(first), np.ones(second)
        lags = signal.correlation_lags(first, second, mode)
        assert lags.shape == signal.correlate(*ones, mode).shape
        middle = (first + second - 1) // 2 - (second - 1)
        assert mode != "same" or lags[first // 2] == middle
        assert mode != "full" or (lags[0], lags[-1]) == (1 - second, first - 1)
        assert mode != "valid" or sorted((lags[0], lags[-1]), key=abs) == [0, first - second]


ones = np.ones


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: signal.convolve([], [1]), ValueError, "in1 cannot be empty"),
        (lambda: signal.convolve(*[ones((1,) * 33)] * 2), ValueError, "at most 30 axes"),
        (lambda: signal.correlate([1], []), ValueError, "in2 cannot be empty"),
        (lambda: signal.convolve2d(ones((0, 2)), ones((1, 1))), ValueError, "cannot be empty"),
        (lambda: signal.convolve([1], 2), ValueError, "same dimensionality"),
        (lambda: signal.convolve([1], [2], "spam"), ValueError, "acceptable mode flags"),
        (lambda: signal.convolve([1], [2], None), ValueError, "acceptable mode flags"),
        (lambda: signal.convolve([1], [2], "full", "spam"), ValueError, "Acceptable method flags"),
        (lambda: signal.convolve(["a"], [2]), TypeError, "in1 must have a dtype of numbers"),
        (lambda: signal.convolve2d([1], [2]), ValueError, "2-D"),
        (lambda: signal.convolve2d([[1]], [[2]], "full", "spam"), ValueError, "boundary flags"),
        (lambda: signal.convolve2d([[1]], [[2]], fillvalue=1j), ValueError, "could not cast"),
        (lambda: signal.convolve2d([[1]], [[2]], fillvalue=np.nan), ValueError, "could not cast"),
        (lambda: signal.convolve2d([[1]], [[2]], fillvalue=[]), ValueError, "scalar"),
        (lambda: signal.convolve2d([[1]], [[2]], fillvalue="x"), TypeError, "fillvalue must be"),
        (lambda: signal.convolve(ones((2, 3)), ones((3, 2)), "valid"), ValueError, "at least as"),
        (lambda: signal.fftconvolve([1], [2], axes=[]), ValueError, "axes cannot be empty"),
        (lambda: signal.fftconvolve([1], [2], axes=[1.0]), ValueError, "iterable of integers"),
        (lambda: signal.fftconvolve([1], [2], axes=1), ValueError, "exceeds dimensionality"),
        (lambda: signal.fftconvolve([1], [2], axes=[0, 0]), ValueError, "must be unique"),
        (lambda: signal.oaconvolve(ones((2, 4)), ones((3, 4)), axes=1), ValueError, "incompatible"),
        (lambda: signal.convolve([1], [2], workers=0), ValueError, "workers must be positive"),
        (lambda: signal.convolve([1], [2], workers=1.5), TypeError, "workers must be an integer"),
        (lambda: signal.convolve([1], [2], out=[0]), TypeError, "out must be a NumPy array"),
        (lambda: signal.upfirdn([], [1]), ValueError, "h must be 1-D"),
        (lambda: signal.upfirdn([1], []), ValueError, "x must have samples"),
        (lambda: signal.upfirdn([1], [1], 0), ValueError, "must be >= 1"),
        (lambda: signal.upfirdn([1], [1], 1.5), TypeError, "up must be an integer"),
        (lambda: signal.upfirdn([1], [1], axis=1), ValueError, "axis must be from -1 to 0"),
        (lambda: signal.upfirdn([1], [1], mode="spam"), ValueError, "mode must be one of"),
        (lambda: signal.upfirdn([1], [1], cval=1j), TypeError, "cval must be a real number"),
        (lambda: signal.upfirdn(ones(1, "g"), [1]), TypeError, "up to complex128"),
        (lambda: signal.sepfir2d(ones((3, 3)), [1, 2], [1]), ValueError, "odd length"),
        (lambda: signal.sepfir2d(ones(3), [1], [1]), ValueError, "too small depth"),
        (lambda: signal.sepfir2d(ones((3, 3)), [[1]], [1]), ValueError, "too deep"),
        (lambda: signal.sepfir2d(ones((3, 3)), [1j], [1]), TypeError, "complex"),
        (lambda: signal.correlation_lags(1, 1, "spam"), ValueError, "Mode spam is invalid"),
        (lambda: signal.correlation_lags(-1, 1), ValueError, "in1_len must be non-negative"),
    ],
)
def test_errors_name_the_argument(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_masked_values_are_refused():
    masked = np.ma.array([1.0, 2.0], mask=[True, False])
    with pytest.raises(TypeError, match="must not have masked values"):
        signal.convolve(masked, [1.0])
