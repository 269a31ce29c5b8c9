"""Forward and transposed convolution against PyTorch and SciPy, where they define the same."""

import numpy as np
import pytest
from hypothesis import strategies as st
from support import FLOATS, MODES, assert_close, convolutions, randomly, values

import convx
from convx import functional as F

# What numpy.pad and PyTorch call the modes, and what scipy.ndimage does.
TORCH_MODES = {
    "zeros": "constant",
    "reflect": "reflect",
    "replicate": "replicate",
    "circular": "circular",
}
NDIMAGE_MODES = {
    "zeros": "constant",
    "reflect": "mirror",
    "symmetric": "reflect",
    "replicate": "nearest",
    "circular": "wrap",
}

floats = st.sampled_from(FLOATS)
# PyTorch pads both sides alike, and with zeros, in the convolutions themselves.
of_torch = {"ranks": (1, 2, 3), "paddings": ("integers", "valid"), "modes": st.just("zeros")}


def check_torch(name, case, dtype):
    torch = pytest.importorskip("torch")
    arrays = case.arrays(dtype)

    def run(*arrays):
        options = {k: v for k, v in case.all_options.items() if k != "padding_mode"}
        if case.transposed and options["padding"] == "valid":
            options["padding"] = 0
        exact = [None if a is None else torch.from_numpy(a.astype("float64")) for a in arrays]
        return getattr(torch.nn.functional, name)(*exact, **options).numpy()

    magnitude = run(*(None if a is None else abs(a) for a in arrays))
    result = getattr(F, name)(*arrays, **case.all_options)
    told = convx.explain(getattr(F, name), *arrays, **case.all_options)
    assert_close(result, run(*arrays), magnitude, dtype, told.algorithm)


@randomly(60, case=convolutions(**of_torch), dtype=floats)
def test_torch_conv(case, dtype):
    check_torch(f"conv{len(case.size)}d", case, dtype)


@randomly(60, case=convolutions(transposed=True, **of_torch), dtype=floats)
def test_torch_conv_transpose(case, dtype):
    check_torch(f"conv_transpose{len(case.size)}d", case, dtype)


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("dilation", [1, 2, 3])
# Told of even kernels with odd dilations, which need a copy there.
@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_torch_same(kernel, dilation, rng):
    torch = pytest.importorskip("torch")
    x, w = values(rng, (1, 3, 9, 8)), values(rng, (2, 3, kernel, 2))
    options = {"padding": "same", "dilation": (dilation, 1)}
    expected = torch.nn.functional.conv2d(torch.from_numpy(x), torch.from_numpy(w), **options)
    np.testing.assert_allclose(F.conv2d(x, w, **options), expected.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("mode", TORCH_MODES)
def test_torch_padding_modes(mode, rank, rng):
    torch = pytest.importorskip("torch")
    x, w = values(rng, (2, 3, *(7,) * rank)), values(rng, (4, 3, *(3,) * rank))
    padding = tuple((2 + axis, 3 - axis) for axis in range(rank))
    last_first = [width for pair in reversed(padding) for width in pair]
    padded = torch.nn.functional.pad(torch.from_numpy(x), last_first, TORCH_MODES[mode])
    function = getattr(torch.nn.functional, f"conv{rank}d")
    expected = function(padded, torch.from_numpy(w), stride=2).numpy()
    result = F.conv_nd(x, w, stride=2, padding=padding, padding_mode=mode)
    np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-12)


def test_torch_integers_wrap_around(rng):
    torch = pytest.importorskip("torch")
    x, w = values(rng, (1, 2, 6, 6), "int32"), values(rng, (3, 2, 3, 3), "int32")
    expected = torch.nn.functional.conv2d(torch.from_numpy(x), torch.from_numpy(w)).numpy()
    np.testing.assert_array_equal(F.conv2d(x, w), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "int64"])
@pytest.mark.parametrize("shapes", [((50,), (7,)), ((15, 20), (4, 3)), ((6, 7, 8), (3, 2, 4))])
def test_scipy_correlate(shapes, dtype, rng):
    signal = pytest.importorskip("scipy.signal")
    size, kernel = shapes
    x, w = values(rng, size, dtype), values(rng, kernel, dtype)
    # SciPy conjugates the second array.
    full = signal.correlate(x, w.conj(), mode="full", method="direct")
    valid = signal.correlate(x, w.conj(), mode="valid", method="direct")
    pads = tuple((k - 1, k - 1) for k in kernel)
    error = 1e-5 if dtype == "float32" else 1e-13
    for expected, padding in ((full, pads), (valid, 0)):
        result = F.conv_nd(x[None], w[None, None], padding=padding)[0]
        assert result.dtype == expected.dtype
        np.testing.assert_allclose(result, expected, rtol=error, atol=error * w.size)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(11,), (9, 10), (4, 5, 6), (2, 3), (1, 2)])
def test_scipy_ndimage_correlate(size, mode, rng):
    ndimage = pytest.importorskip("scipy.ndimage")
    x, w = values(rng, size), values(rng, tuple(range(3, 3 + len(size))))
    expected = ndimage.correlate(x, w, mode=NDIMAGE_MODES[mode])
    pads = tuple((k // 2, (k - 1) // 2) for k in w.shape)
    result = F.conv_nd(x[None], w[None, None], padding=pads, padding_mode=mode)[0]
    np.testing.assert_allclose(result, expected, rtol=1e-11, atol=1e-12)


def test_scipy_kernel_much_wider_than_the_image(rng):
    ndimage = pytest.importorskip("scipy.ndimage")
    x, w = values(rng, (5, 3)), values(rng, (31, 41))
    for mode, name in NDIMAGE_MODES.items():
        if mode == "symmetric":  # SciPy 1.17 errs there; np.pad is asked elsewhere
            continue
        expected = ndimage.correlate(x, w, mode=name)
        result = F.conv2d(x[None], w[None, None], padding=(15, 20), padding_mode=mode)[0]
        np.testing.assert_allclose(result, expected, rtol=1e-10, atol=1e-11)
