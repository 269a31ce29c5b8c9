"""Nothing outside of the arrays is read or written, nothing of other calls shows in a result."""

import faulthandler
import sys

import numpy as np
import pytest
from support import Case, guarded, run_in_child, values

import convx
from convx import functional as F
from convx import grad, ndimage, signal
from convx._ops import filters

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pages are protected by mprotect")

MODES = ("zeros", "reflect", "symmetric", "replicate", "circular")


def random_case(rng, transposed):
    """Small shapes of all kinds: what runs over an edge does so at the edge of a page."""
    rank = int(rng.integers(1, 4))
    kernel = tuple(int(k) for k in rng.integers(1, [0, 10, 5, 4][rank], rank))
    stride = tuple(int(s) for s in rng.integers(1, 4, rank))
    dilation = tuple(int(d) for d in rng.integers(1, 3, rank))
    pads = tuple((int(low), int(high)) for low, high in rng.integers(0, 4, (rank, 2)))
    if rng.random() < 0.1:  # Winograd's algorithm has tiles for that
        kernel, stride, dilation = (3,) * rank, (2,) * rank, (1,) * rank
    if rng.random() < 0.4:  # the input may be read where it lies
        pads = ((0, 0),) * rank
        stride = (1,) * rank
    extents = [d * (k - 1) + 1 for d, k in zip(dilation, kernel)]
    least = [max(1, e - low - high) for e, (low, high) in zip(extents, pads)]
    if transposed:  # all that is cropped must be there
        least = [1 + -(-(low + high) // s) for s, (low, high) in zip(stride, pads)]
    size = tuple(n + int(rng.integers(0, [0, 60, 18, 6][rank])) for n in least)
    if rng.random() < 0.3:  # whole vectors
        size = (*size[:-1], -(-size[-1] // 16) * 16 + extents[-1] - 1 - sum(pads[-1]))
    if size[-1] < least[-1]:
        size = (*size[:-1], least[-1])
    return Case(
        size,
        kernel,
        batch=int(rng.integers(1, 3)),
        groups=int(rng.choice([1, 1, 2, 5])),
        channels=int(rng.choice([1, 2, 3, 8, 17])),
        filters=int(rng.choice([1, 2, 3, 5, 7, 13, 14, 16, 29])),
        seed=int(rng.integers(2**32)),
        transposed=transposed,
        options={
            "stride": stride,
            "dilation": dilation,
            "padding": pads,
            "padding_mode": MODES[rng.choice([0, 0, 0, 1, 2, 3, 4])],
            "algorithm": str(rng.choice(["auto", "auto", "winograd", "fft"])),
        },
    )


def run_between_forbidden_pages(side, transposed, dtype, seed, count):
    rng = np.random.default_rng(seed)
    name = "conv_transpose_nd" if transposed else "conv_nd"
    for _ in range(count):
        case = random_case(rng, transposed)
        arrays = case.arrays(dtype)
        expected = getattr(F, name)(*arrays, **case.all_options)
        dy = values(rng, expected.shape, dtype)
        gradients = getattr(grad, name)(dy, *arrays, **case.all_options)
        x, w, b = (guarded(array, side) for array in arrays)
        out = guarded(np.zeros_like(expected), side)
        threads = int(rng.integers(1, 3))
        with convx.threads(threads):
            getattr(F, name)(x, w, b, out=out, **case.all_options)
            results = getattr(grad, name)(guarded(dy, side), x, w, b, **case.all_options)
            if not transposed:
                prepared = convx.prepare_conv(w, b, **case.all_options)
                assert prepared(x, out=out.copy()).tobytes() == prepared(x.copy()).tobytes(), case
                activation = ["silu", "relu", None][rng.integers(3) if dy.dtype.kind == "f" else 2]
                conv = convx.prepare_conv(w, b, **case.all_options, activation=activation)
                finished = conv(x, guarded(dy, side), out=guarded(np.zeros_like(dy), side))
                assert finished.tobytes() == conv(x.copy(), dy).tobytes(), case
        assert out.tobytes() == expected.tobytes(), case
        for result, exactly in zip(results, gradients, strict=True):
            assert result.tobytes() == exactly.tobytes(), case
    return "done"


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("side", ["after", "before"])
@pytest.mark.parametrize(
    "count", [40, pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.timeout(400)])]
)
def test_forbidden_pages(side, transposed, dtype, count):
    def run():
        return run_between_forbidden_pages(side, transposed, dtype, 2026, count)

    outcome = run_in_child(run, seconds=20 + count // 3)
    assert outcome.value == "done", outcome


BIG = {
    "pointwise": Case((28, 32), (1, 1), channels=40, filters=33),
    "pointwise, narrow": Case((5, 7), (1, 1), batch=2, channels=150, filters=64),
    "pointwise, many channels": Case((3, 11), (1, 1), channels=64, filters=140),
    "pointwise, every other": Case(
        (9, 29), (1, 1), batch=2, channels=40, filters=66, options={"stride": 2}
    ),
    "pointwise, every other, whole vectors": Case(
        (7, 95), (1, 1), channels=9, filters=30, options={"stride": (3, 2)}
    ),
    "layer": Case((16, 18), (3, 3), channels=30, filters=28),
    "wide rows": Case((3, 2063), (3, 3), channels=3, filters=5),
    "long line": Case((9000,), (4,), channels=2, filters=3),
    "many taps": Case((40, 41), (20, 21), channels=2, filters=3),
    "depthwise": Case((30, 48), (3, 3), groups=30),
    "short rows": Case((14, 14), (3, 3), batch=2, groups=3, options={"padding": 1}),
    "rows of half a vector": Case((8, 8), (3, 3), batch=2, groups=3, options={"padding": 1}),
    "shorter than half a vector": Case((7, 7), (3, 3), batch=2, groups=3, options={"padding": 1}),
    "every other, short": Case(
        (14, 14), (3, 3), batch=2, groups=3, options={"padding": 1, "stride": 2}
    ),
    "shorter rows, 7 taps": Case((9, 13), (7, 7), groups=2, options={"padding": 3}),
    "5 taps": Case((28, 28), (5, 5), groups=3, options={"padding": 2}),
    "half a vector at the end": Case((14, 24), (7, 7), groups=2, options={"padding": 3}),
    "every other": Case((28, 28), (3, 3), groups=3, options={"padding": 1, "stride": 2}),
    "every other, 5 taps": Case((56, 56), (5, 5), groups=2, options={"padding": 2, "stride": 2}),
    "volumes": Case((3, 14, 14), (3, 3, 3), groups=3, options={"padding": 1}),
    "items side by side": Case(
        (10, 11), (3, 3), batch=61, channels=3, filters=6, options={"algorithm": "direct"}
    ),
    "a few": Case((13,), (9,), batch=12, channels=5, filters=7, options={"algorithm": "direct"}),
    "many filters": Case((6, 6), (3, 3), channels=3, filters=300),
    "many channels": Case((6, 6), (3, 3), channels=300, filters=9),
}


@pytest.mark.parametrize("side", ["after", "before"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_forbidden_pages_around_big_arrays(dtype, side):
    def run():
        for case in BIG.values():
            x, w, b = (guarded(array, side) for array in case.arrays(dtype))
            y = guarded(F.conv_nd(x, w, b, **case.all_options), side)
            F.conv_nd(x, w, b, out=y, **case.all_options)
            grad.conv_nd(y, x, w, b, **case.all_options)
        return "done"

    assert run_in_child(run).value == "done"


FILTERS = {
    "line": lambda x, out: signal.convolve(x, np.ones(5, x.dtype), "same", out=out),
    "line with one end": lambda x, out: ndimage.correlate1d(x, np.ones(4), output=out, origin=-2),
    "line with the other": lambda x, out: ndimage.correlate1d(x, np.ones(4), output=out, origin=1),
    "large kernel": lambda x, out: signal.convolve(x, np.ones(700, x.dtype), "same", out=out),
    "image": lambda x, out: ndimage.gaussian_filter(x, 1.5, output=out),
    "sum of axes": lambda x, out: ndimage.laplace(x, output=out),
    "extrema": lambda x, out: ndimage.maximum_filter(x, 5, output=out),
    "large image": lambda x, out: signal.convolve(x, np.ones((40, 50), x.dtype), "same", out=out),
    "medians": lambda x, out: signal.medfilt2d(x, 3, out=out),
    "more medians": lambda x, out: signal.medfilt2d(x, (5, 7), out=out),
}


@pytest.mark.parametrize("side", ["after", "before"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_forbidden_pages_around_filtered_arrays(monkeypatch, side, dtype):
    monkeypatch.setattr(filters, "LEAST_LINE", 0)
    rng = np.random.default_rng(1)

    def run():
        for name, function in FILTERS.items():
            lines = "line" in name or "kernel" in name
            for shape in ((1,), (17,), (2049,), (5000,)) if lines else ((1, 1), (9, 65), (70, 83)):
                x = guarded(rng.standard_normal(shape).astype(dtype), side)
                out = guarded(np.zeros_like(x), side)
                function(x, out)
                again = np.zeros_like(out)
                function(x.copy(), again)
                assert out.tobytes() == again.tobytes(), (name, shape)
        return "done"

    assert run_in_child(run).value == "done"


def test_a_forbidden_page_is_forbidden():
    """The tests above can fail."""
    array = guarded(np.ones(10))
    longer = np.lib.stride_tricks.as_strided(array, (11,), (8,))

    def read_on():
        faulthandler.disable()  # the report of a crash that is meant to be
        return longer.sum()

    with pytest.raises(pytest.fail.Exception, match="signal"):
        run_in_child(read_on)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("transposed", [False, True])
def test_nothing_of_other_calls_shows(transposed, dtype):
    """Scratch memory and results' memory are full of NaN, left there by the call before."""
    rng = np.random.default_rng(7)
    name = "conv_transpose_nd" if transposed else "conv_nd"
    poison = np.full((1, 20, 40, 40), np.nan, dtype)
    poisonous_weight = np.full((30, 20, 3, 3), np.nan, dtype)
    for _ in range(40):
        case = random_case(rng, transposed)
        arrays = case.arrays(dtype)
        with convx.threads(1):
            y = F.conv2d(poison, poisonous_weight, padding=1)
            grad.conv2d_weight(poison, poisonous_weight.shape, y, padding=1)
            del y
            result = getattr(F, name)(*arrays, **case.all_options)
            assert np.isfinite(result).all(), case
            F.conv2d(poison, poisonous_weight, padding=1)
            gradients = getattr(grad, name)(result, *arrays, **case.all_options)
            assert all(np.isfinite(one).all() for one in gradients), case
