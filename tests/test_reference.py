"""The reference against the literal formula, NumPy, SciPy, PyTorch and sums done by hand.

The reference is what everything else is compared with, so nothing of convx is used to check it.
"""

import ast
import doctest
import itertools
import sys
from pathlib import Path

import numpy as np
import pytest

from convx import reference

NUMPY_NAME = {
    "zeros": "constant",
    "reflect": "reflect",
    "symmetric": "symmetric",
    "replicate": "edge",
    "circular": "wrap",
}
NDIMAGE_NAME = {
    "zeros": "constant",
    "reflect": "mirror",
    "symmetric": "reflect",
    "replicate": "nearest",
    "circular": "wrap",
}
MODES = list(NUMPY_NAME)

# Spatial size, kernel, and options of conv_nd. With 6 input channels and 4 output channels.
CONVOLUTIONS = [
    ((9,), (3,), {}),
    ((9,), (4,), {"stride": 3, "padding": 2}),
    ((12,), (3,), {"stride": 2, "padding": 5, "dilation": 4, "groups": 2}),
    ((9,), (4,), {"padding": "same", "dilation": 3}),
    ((9,), (2,), {"padding": "valid", "stride": 4}),
    ((5, 6), (1, 1), {"stride": 3}),
    ((5, 6), (3, 3), {"padding": 1}),
    ((7, 6), (3, 2), {"stride": (2, 1), "padding": (0, 3), "dilation": (1, 2), "groups": 2}),
    ((7, 6), (2, 4), {"stride": (3, 2), "padding": ((2, 0), (1, 4))}),
    ((5, 4), (4, 3), {"padding": "same", "stride": 2}),
    ((5, 3), (2, 3), {"padding": ((0, 1), (2, 3)), "groups": 2, "dilation": 2}),
    ((4, 5, 3), (2, 3, 1), {"padding": 1, "stride": 2}),
    ((4, 5, 6), (3, 2, 2), {"stride": (1, 2, 3), "padding": (2, 0, 1), "groups": 2}),
    ((4, 5, 3), (2, 3, 2), {"padding": "same", "dilation": (2, 1, 3)}),
]

# Spatial size, kernel, and options of conv_transpose_nd. With 4 input and 6 output channels.
TRANSPOSES = [
    ((5,), (3,), {}),
    ((5,), (4,), {"stride": 3, "padding": 1, "output_padding": 2, "groups": 2}),
    ((5,), (2,), {"stride": 2, "dilation": 4, "output_padding": 3}),
    ((4, 3), (3, 3), {"stride": 2, "padding": 1, "output_padding": 1}),
    ((4, 3), (2, 3), {"stride": (1, 3), "padding": (0, 2), "dilation": (3, 1), "groups": 2}),
    ((2, 1), (3, 1), {"stride": (2, 4), "output_padding": (0, 3)}),
    ((3, 2, 4), (2, 3, 1), {"stride": 2, "padding": (0, 1, 0), "groups": 2}),
    ((2, 3, 2), (2, 2, 3), {"stride": (3, 1, 2), "output_padding": (2, 0, 1), "dilation": 2}),
]


def name_of(case):
    size, kernel, options = case
    return f"{len(size)}d-k{'x'.join(map(str, kernel))}" + "".join(
        f"-{name}={value}" for name, value in options.items()
    ).replace(" ", "")


def torch_takes(case):
    """Whether torch knows the padding of a case: neither (low, high) pairs nor 'same' strides."""
    padding, stride = case[2].get("padding", 0), case[2].get("stride", 1)
    return np.ndim(padding) < 2 and (padding != "same" or stride == 1)


convolutions = pytest.mark.parametrize("case", CONVOLUTIONS, ids=name_of)
transposes = pytest.mark.parametrize("case", TRANSPOSES, ids=name_of)
modes = pytest.mark.parametrize("mode", MODES)


@pytest.fixture
def rng():
    return np.random.default_rng(2026)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def integers(rng, shape):
    """Small whole numbers: sums and products of these are exact, so tests may ask for equality."""
    return rng.integers(-9, 10, shape)


def pairs(case):
    """Spell out the padding of a case as (low, high) pairs, stride and dilation as tuples."""
    size, kernel, options = case
    rank = len(size)
    stride, dilation = (
        (value,) * rank if isinstance(value, int) else value
        for value in (options.get("stride", 1), options.get("dilation", 1))
    )
    padding = options.get("padding", 0)
    if padding == "same":
        totals = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        return [(total // 2, (total + 1) // 2) for total in totals], stride, dilation
    if padding == "valid":
        padding = 0
    if isinstance(padding, int):
        padding = (padding,) * rank
    return [(p, p) if isinstance(p, int) else p for p in padding], stride, dilation


def numpy_pad(array, pads, mode):
    return np.pad(array, [(0, 0)] * (array.ndim - len(pads)) + list(pads), NUMPY_NAME[mode])


def torch_conv(torch, x, w, b, case, mode):
    """Convolve torch tensors with torch, after padding them by the index map of np.pad."""
    pads, stride, dilation = pairs(case)
    rank = len(pads)
    for axis, (low, high) in enumerate(pads, x.ndim - rank):
        index = np.arange(x.shape[axis])
        if mode == "zeros":
            index = np.pad(index, (low, high), constant_values=x.shape[axis])
            x = torch.cat([x, torch.zeros_like(x.narrow(axis, 0, 1))], axis)
        else:
            index = np.pad(index, (low, high), NUMPY_NAME[mode])
        x = x.index_select(axis, torch.from_numpy(index))
    function = getattr(torch.nn.functional, f"conv{rank}d")
    return function(x, w, b, stride, 0, dilation, case[2].get("groups", 1))


def literal_conv(padded, weight, out, stride, dilation, groups):
    """Sum over every single index, as the formula says."""
    outputs, channels, *kernel = weight.shape
    y = np.zeros((len(padded), outputs, *out), padded.dtype)
    for n, k in np.ndindex(len(padded), outputs):
        first = k // (outputs // groups) * channels
        for p in np.ndindex(*out):
            for c, *t in np.ndindex(channels, *kernel):
                at = (i * s + j * d for i, s, j, d in zip(p, stride, t, dilation, strict=True))
                y[n, k, *p] += weight[k, c, *t] * padded[n, first + c, *at]
    return y


def test_doctests():
    for module in (reference.activations, reference.boundary, reference.conv):
        result = doctest.testmod(module)
        assert result.attempted
        assert not result.failed


def test_it_needs_numpy_alone():
    """An oracle that shared code with what it checks would share its errors."""
    for file in Path(reference.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert not node.level
                names = [node.module]
            for name in names:
                home = name.split(".")[0]
                assert (
                    home == "numpy"
                    or home in sys.stdlib_module_names
                    or name.startswith("convx.reference.")
                ), name


class TestBoundary:
    @modes
    def test_numpy_pad(self, mode):
        for size, low, high in itertools.product((1, 2, 3, 5), range(9), (0, 1, 4, 13)):
            line = np.arange(1, size + 1)
            index = reference.pad_indices(size, low, high, mode)
            expected = np.pad(line, (low, high), NUMPY_NAME[mode])
            np.testing.assert_array_equal(np.append(line, 0)[index], expected)

    @modes
    def test_crop(self, mode):
        for low, high in itertools.product(range(-3, 8), repeat=2):
            wide = reference.pad_indices(6, 10, 10, mode)
            index = reference.pad_indices(6, low, high, mode)
            np.testing.assert_array_equal(index, wide[10 - low : 16 + high])

    def test_crop_by_hand(self):
        x = np.arange(5)
        np.testing.assert_array_equal(reference.pad(x, [(-1, -2)]), [1, 2])
        np.testing.assert_array_equal(reference.pad(x, [(-3, 3)], "circular"), [3, 4, 0, 1, 2])
        np.testing.assert_array_equal(reference.pad(x, [(-5, 0)]), [])

    @modes
    def test_trailing_axes(self, rng, mode):
        x = integers(rng, (2, 3, 4, 5))
        for pads in ([(2, 7)], [(0, 3), (11, 0)], [(1, 1), (4, 0), (0, 6)]):
            np.testing.assert_array_equal(reference.pad(x, pads, mode), numpy_pad(x, pads, mode))

    @modes
    def test_unpad_is_the_adjoint(self, rng, mode):
        for pads in ([(0, 0), (3, 1)], [(9, 2), (0, 14)], [(-1, 2), (5, -3)], [(-2, -1), (-4, 0)]):
            x = integers(rng, (2, 4, 6))
            padded = reference.pad(x, pads, mode)
            y = integers(rng, padded.shape)
            back = reference.unpad(y, x.shape[1:], pads, mode)
            assert back.shape == x.shape
            assert (padded * y).sum() == (x * back).sum()

    @modes
    def test_dtype(self, mode):
        for dtype in (np.int8, np.uint64, np.float16, np.float32, np.complex64):
            x = np.ones(3, dtype)
            assert reference.pad(x, [(1, 2)], mode).dtype == dtype
            assert reference.unpad(x, [1], [(1, 1)], mode).dtype == dtype

    def test_zeros_beyond_an_infinite_edge(self):
        x = np.array([np.inf, np.nan])
        np.testing.assert_array_equal(reference.pad(x, [(1, 1)]), [0, np.inf, np.nan, 0])

    def test_unknown_mode(self):
        with pytest.raises(ValueError, match=r"padding_mode must be 'zeros'.*, got 'mirror'"):
            reference.pad_indices(3, 1, 1, "mirror")


class TestConv:
    def test_by_hand(self):
        x = np.arange(1, 10).reshape(1, 1, 3, 3)
        w = np.array([[[[1, 0], [0, -10]]]])
        # Top left minus ten times bottom right: the kernel is not flipped.
        np.testing.assert_array_equal(
            reference.conv_nd(x, w, np.array([1000])), [[[[951, 942], [924, 915]]]]
        )
        np.testing.assert_array_equal(
            reference.conv_nd(x, w, stride=2, padding=1), [[[[-10, -30], [-70, -85]]]]
        )
        np.testing.assert_array_equal(reference.conv_nd(x, w, dilation=2), [[[[-89]]]])
        np.testing.assert_array_equal(
            reference.conv_nd(x, w, padding="same"),
            [[[[-49, -58, 3], [-76, -85, 6], [7, 8, 9]]]],
        )

    def test_channels_and_groups_by_hand(self):
        x = np.array([[1, 2], [10, 20], [100, 200], [1000, 2000]])
        w = np.array([[[1], [2]], [[3], [4]]])
        np.testing.assert_array_equal(reference.conv_nd(x, w, groups=2), [[21, 42], [4300, 8600]])
        np.testing.assert_array_equal(
            reference.conv_nd(x, np.array([[[1]], [[2]], [[3]], [[4]]]), groups=4),
            [[1, 2], [20, 40], [300, 600], [4000, 8000]],
        )
        np.testing.assert_array_equal(
            reference.conv_nd(x, np.array([[[1], [1], [1], [1]]])), [[1111, 2222]]
        )

    @modes
    @convolutions
    def test_literal_sum(self, rng, case, mode):
        size, kernel, options = case
        groups = options.get("groups", 1)
        pads, stride, dilation = pairs(case)
        x, w = integers(rng, (1, 2, *size)), integers(rng, (2, 2 // groups, *kernel))
        y = reference.conv_nd(x, w, **options, padding_mode=mode)
        padded = numpy_pad(x, pads, mode)
        expected = literal_conv(padded, w, y.shape[2:], stride, dilation, groups)
        np.testing.assert_array_equal(y, expected)

    @modes
    @convolutions
    def test_torch(self, torch, rng, case, mode):
        size, kernel, options = case
        x = rng.standard_normal((2, 6, *size))
        w = rng.standard_normal((4, 6 // options.get("groups", 1), *kernel))
        b = rng.standard_normal(4)
        expected = torch_conv(torch, *map(torch.from_numpy, (x, w, b)), case, mode).numpy()
        y = reference.conv_nd(x, w, b, **options, padding_mode=mode)
        assert y.shape == expected.shape
        np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)

    @pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
    @pytest.mark.parametrize("case", list(filter(torch_takes, CONVOLUTIONS)), ids=name_of)
    def test_torch_signature(self, torch, rng, case):
        """Every argument goes straight to torch, by position."""
        size, kernel, options = case
        arguments = [
            options.get(name, default)
            for name, default in (("stride", 1), ("padding", 0), ("dilation", 1), ("groups", 1))
        ]
        x, w, b = (
            rng.standard_normal(shape)
            for shape in ((3, 6, *size), (4, 6 // arguments[3], *kernel), (4,))
        )
        function = getattr(torch.nn.functional, f"conv{len(size)}d")
        for item in (x, x[1]):
            expected = function(*map(torch.from_numpy, (item, w, b)), *arguments).numpy()
            y = reference.conv_nd(item, w, b, *arguments)
            assert y.shape == expected.shape
            np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)

    @pytest.mark.parametrize(
        ("size", "kernel"), [((9,), (4,)), ((5, 7), (3, 2)), ((4, 3, 5, 3), (2, 3, 1, 2))]
    )
    def test_scipy_signal(self, rng, size, kernel):
        signal = pytest.importorskip("scipy.signal")
        x, w = integers(rng, size), integers(rng, kernel)
        for mode, padding in (("valid", 0), ("full", tuple(k - 1 for k in kernel))):
            np.testing.assert_array_equal(
                reference.conv_nd(x[None], w[None, None], padding=padding)[0],
                signal.correlate(x, w, mode, method="direct"),
            )

    @modes
    @pytest.mark.parametrize(
        ("size", "kernel"), [((6,), (5,)), ((4, 5), (3, 7)), ((2, 3, 1), (5, 9, 3))]
    )
    def test_scipy_ndimage(self, rng, size, kernel, mode):
        ndimage = pytest.importorskip("scipy.ndimage")
        x, w = integers(rng, size), integers(rng, kernel)
        np.testing.assert_array_equal(
            reference.conv_nd(x[None], w[None, None], padding="same", padding_mode=mode)[0],
            ndimage.correlate(x, w, mode=NDIMAGE_NAME[mode]),
        )

    @modes
    def test_four_axes(self, rng, mode):
        x, w = integers(rng, (1, 2, 3, 4, 2, 3)), integers(rng, (2, 1, 2, 3, 1, 2))
        stride, dilation = (1, 2, 3, 1), (2, 1, 1, 2)
        y = reference.conv_nd(x, w, None, stride, 2, dilation, 2, padding_mode=mode)
        padded = numpy_pad(x, [(2, 2)] * 4, mode)
        np.testing.assert_array_equal(y, literal_conv(padded, w, y.shape[2:], stride, dilation, 2))

    def test_unbatched(self, rng):
        x, w, b = (integers(rng, shape) for shape in ((3, 2, 5, 6), (4, 2, 2, 3), (4,)))
        together = reference.conv_nd(x, w, b, 2, 1)
        for item, expected in zip(x, together, strict=True):
            np.testing.assert_array_equal(reference.conv_nd(item, w, b, 2, 1), expected)

    def test_empty(self):
        assert reference.conv_nd(np.ones((0, 2, 5)), np.ones((3, 2, 2))).shape == (0, 3, 4)
        y = reference.conv_nd(np.ones((2, 0, 5)), np.ones((3, 0, 2)), np.array([1.0, 2, 3]))
        np.testing.assert_array_equal(y, np.broadcast_to([[[1], [2], [3]]], (2, 3, 4)))

    def test_infinite_weight_and_padding(self):
        """Padding with zeros means zeros: they multiply the weight like any other sample."""
        with np.errstate(invalid="ignore"):
            y = reference.conv_nd(np.ones((1, 2)), np.array([[[np.inf, 1, 1]]]), padding=1)
        np.testing.assert_array_equal(y, [[np.nan, np.inf]])


class TestDtypes:
    @pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.float16, np.float32])
    def test_kept(self, dtype):
        x, w, b = np.ones((2, 2, 4), dtype), np.ones((2, 2, 2), dtype), np.ones(2, dtype)
        y = reference.conv_nd(x, w, b)
        assert y.dtype == dtype
        assert reference.conv_transpose_nd(y, w, b).dtype == dtype
        for gradient in reference.conv_nd_grad(y, x, w, b):
            assert gradient.dtype == dtype
        for gradient in reference.conv_transpose_nd_grad(x, y, w, b):
            assert gradient.dtype == dtype

    def test_promoted(self):
        """Operands are promoted before the arithmetic, so a wide bias makes it wide."""
        x, w = np.full((1, 1), 100, np.int8), np.full((1, 1, 1), 2, np.int8)
        assert reference.conv_nd(x, w).item() == 200 - 256
        assert reference.conv_nd(x, w, np.array([0], np.int32)).item() == 200
        assert reference.conv_nd(x.astype(np.float32), w).dtype == np.float32
        assert reference.conv_nd(x.astype(np.int32), w.astype(np.float32)).dtype == np.float64

    def test_integers_wrap(self):
        x = np.full((1, 3), 200, np.uint8)
        np.testing.assert_array_equal(
            reference.conv_nd(x, np.array([[[2, 3]]], np.uint8)), [[1000 % 256] * 2]
        )
        big = np.array([[2**62, 2**62 + 1]])
        np.testing.assert_array_equal(
            reference.conv_nd(big, np.array([[[3, 1]]])), [[1]]
        )  # 3 * 2**62 + 2**62 + 1 = 2**64 + 1

    def test_complex_is_not_conjugated(self, torch, rng):
        def draw(shape):
            return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)

        x, w = draw((2, 3, 6)), draw((4, 3, 2))
        y = reference.conv_nd(x, w, stride=2)
        expected = torch.nn.functional.conv1d(torch.tensor(x), torch.tensor(w), stride=2)
        np.testing.assert_allclose(y, expected.numpy(), rtol=1e-12)
        g = draw(y.shape)
        expected = torch.nn.functional.conv_transpose1d(torch.tensor(g), torch.tensor(w), stride=2)
        np.testing.assert_allclose(
            reference.conv_transpose_nd(g, w, stride=2), expected.numpy(), rtol=1e-12
        )
        gradient = reference.conv_nd_input(x.shape, w, g, stride=2)
        np.testing.assert_allclose((y * g).sum(), (x * gradient).sum(), rtol=1e-12)


class TestConvTranspose:
    def test_by_hand(self):
        x, w = np.array([[[1, 2], [3, 4]]]), np.array([[[[1, 10], [100, 1000]]]])
        np.testing.assert_array_equal(
            reference.conv_transpose_nd(x, w, np.array([5])),
            [[[6, 17, 25], [108, 1239, 2045], [305, 3405, 4005]]],
        )
        np.testing.assert_array_equal(
            reference.conv_transpose_nd(x, w, stride=2, padding=1, output_padding=(0, 1)),
            [[[1000, 200, 2000], [30, 4, 40]]],
        )

    def test_channels_and_groups_by_hand(self):
        x = np.array([[1], [10]])
        w = np.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])
        np.testing.assert_array_equal(reference.conv_transpose_nd(x, w), [[51, 62], [73, 84]])
        np.testing.assert_array_equal(
            reference.conv_transpose_nd(x, w, groups=2), [[1, 2], [3, 4], [50, 60], [70, 80]]
        )

    def test_folding_by_hand(self):
        """The halo comes back: to the edge, to the mirror image, to the other end."""
        x, w = np.array([[1, 10, 100]]), np.array([[[1, 2, 3]]])
        full = [[1, 12, 123, 230, 300]]
        np.testing.assert_array_equal(reference.conv_transpose_nd(x, w), full)
        for mode, expected in {
            "zeros": [12, 123, 230],
            "replicate": [12 + 1, 123, 230 + 300],
            "symmetric": [12 + 1, 123, 230 + 300],
            "reflect": [12, 123 + 1 + 300, 230],
            "circular": [12 + 300, 123, 230 + 1],
        }.items():
            y = reference.conv_transpose_nd(x, w, padding=1, padding_mode=mode)
            np.testing.assert_array_equal(y, [expected])

    @transposes
    def test_torch(self, torch, rng, case):
        size, kernel, options = case
        arguments = [
            options.get(name, default)
            for name, default in (
                *(("stride", 1), ("padding", 0), ("output_padding", 0)),
                *(("groups", 1), ("dilation", 1)),
            )
        ]
        x, w, b = (
            rng.standard_normal(shape)
            for shape in ((3, 4, *size), (4, 6 // arguments[3], *kernel), (6,))
        )
        function = getattr(torch.nn.functional, f"conv_transpose{len(size)}d")
        for item in (x, x[1]):
            expected = function(*map(torch.from_numpy, (item, w, b)), *arguments).numpy()
            y = reference.conv_transpose_nd(item, w, b, *arguments)
            assert y.shape == expected.shape
            np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)

    @modes
    @convolutions
    def test_adjoint_of_conv(self, rng, case, mode):
        size, kernel, options = case
        stride = pairs(case)[1]
        x = integers(rng, (2, 6, *size))
        w = integers(rng, (4, 6 // options.get("groups", 1), *kernel))
        y = reference.conv_nd(x, w, **options, padding_mode=mode)
        g = integers(rng, y.shape)
        back = reference.conv_transpose_nd(g, w, **options, padding_mode=mode)
        # What the last stride leaves over at the end of x is what output_padding puts back.
        spare = tuple(n - m for n, m in zip(size, back.shape[2:], strict=True))
        assert all(0 <= n < s for n, s in zip(spare, stride, strict=True))
        back = reference.conv_transpose_nd(g, w, **options, output_padding=spare, padding_mode=mode)
        assert back.shape == x.shape
        assert (y * g).sum() == (x * back).sum()
        again = reference.conv_nd_input(x.shape, w, g, **options, padding_mode=mode)
        np.testing.assert_array_equal(back, again)

    def test_empty(self):
        assert reference.conv_transpose_nd(np.ones((0, 2, 5)), np.ones((2, 3, 2))).shape == (
            0,
            3,
            6,
        )
        y = reference.conv_transpose_nd(np.ones((0, 5)), np.ones((0, 2, 2)), np.array([1.0, 2]))
        np.testing.assert_array_equal(y, np.broadcast_to([[1], [2]], (2, 6)))


class TestGradients:
    @modes
    @convolutions
    def test_conv_autograd(self, torch, rng, case, mode):
        size, kernel, options = case
        x = rng.standard_normal((2, 6, *size))
        w = rng.standard_normal((4, 6 // options.get("groups", 1), *kernel))
        b = rng.standard_normal(4)
        leaves = [torch.tensor(array, requires_grad=True) for array in (x, w, b)]
        y = torch_conv(torch, *leaves, case, mode)
        g = rng.standard_normal(y.shape)
        expected = torch.autograd.grad(y, leaves, torch.from_numpy(g))
        gradients = reference.conv_nd_grad(g, x, w, b, **options, padding_mode=mode)
        for gradient, its in zip(gradients, expected, strict=True):
            assert gradient.shape == its.shape
            np.testing.assert_allclose(gradient, its.numpy(), rtol=1e-11, atol=1e-11)

    @transposes
    def test_conv_transpose_autograd(self, torch, rng, case):
        size, kernel, options = case
        x = rng.standard_normal((2, 4, *size))
        w = rng.standard_normal((4, 6 // options.get("groups", 1), *kernel))
        b = rng.standard_normal(6)
        leaves = [torch.tensor(array, requires_grad=True) for array in (x, w, b)]
        function = getattr(torch.nn.functional, f"conv_transpose{len(size)}d")
        y = function(*leaves, **options)
        g = rng.standard_normal(y.shape)
        expected = torch.autograd.grad(y, leaves, torch.from_numpy(g))
        gradients = reference.conv_transpose_nd_grad(g, x, w, b, **options)
        for gradient, its in zip(gradients, expected, strict=True):
            assert gradient.shape == its.shape
            np.testing.assert_allclose(gradient, its.numpy(), rtol=1e-11, atol=1e-11)

    def test_torch_nn_grad(self, torch, rng):
        """The argument order of torch.nn.grad."""
        grad = pytest.importorskip("torch.nn.grad")
        x, w = rng.standard_normal((2, 4, 7, 6)), rng.standard_normal((6, 2, 3, 2))
        options = ((2, 1), (1, 0), (1, 2), 2)
        g = rng.standard_normal(reference.conv_nd(x, w, None, *options).shape)
        tx, tw, tg = map(torch.from_numpy, (x, w, g))
        np.testing.assert_allclose(
            reference.conv_nd_input(x.shape, w, g, *options),
            grad.conv2d_input(x.shape, tw, tg, *options).numpy(),
            rtol=1e-12,
            atol=1e-12,
        )
        np.testing.assert_allclose(
            reference.conv_nd_weight(x, w.shape, g, *options),
            grad.conv2d_weight(tx, w.shape, tg, *options).numpy(),
            rtol=1e-12,
            atol=1e-12,
        )

    @modes
    @pytest.mark.parametrize(
        ("function", "gradient", "weight", "options"),
        [
            (
                reference.conv_nd,
                reference.conv_nd_grad,
                (4, 1, 2, 3),
                {"stride": (2, 1), "padding": ((3, 4), (0, 5)), "dilation": (1, 2), "groups": 2},
            ),
            (
                reference.conv_transpose_nd,
                reference.conv_transpose_nd_grad,
                (2, 2, 2, 3),
                {"stride": (2, 1), "padding": ((1, 0), (0, 2)), "dilation": (3, 1), "groups": 2},
            ),
            (
                reference.conv_transpose_nd,
                reference.conv_transpose_nd_grad,
                (2, 2, 2, 2),
                {"padding": "same", "output_padding": (2, 0), "dilation": (3, 1)},
            ),
        ],
        ids=["conv", "conv_transpose", "conv_transpose-output_padding-above-stride"],
    )
    def test_numerical(self, rng, function, gradient, weight, options, mode):
        arrays = [rng.standard_normal(shape) for shape in ((2, 2, 3, 2), weight)]
        outputs = function(*arrays, **options, padding_mode=mode).shape[1]
        arrays.append(rng.standard_normal(outputs))
        y = function(*arrays, **options, padding_mode=mode)
        g = rng.standard_normal(y.shape)
        gradients = gradient(g, *arrays, **options, padding_mode=mode)
        for array, its_gradient in zip(arrays, gradients, strict=True):
            assert its_gradient.shape == array.shape
            numerical = np.empty_like(array)
            for i in np.ndindex(array.shape):
                kept, sums = array[i], []
                for step in (0.5, -0.5):  # the output is linear in each array: any step will do
                    array[i] = kept + step
                    sums.append((function(*arrays, **options, padding_mode=mode) * g).sum())
                array[i] = kept
                numerical[i] = sums[0] - sums[1]
            np.testing.assert_allclose(its_gradient, numerical, rtol=1e-10, atol=1e-10)

    @modes
    def test_unbatched(self, rng, mode):
        x, w, b = (integers(rng, shape) for shape in ((3, 4, 5, 6), (4, 2, 2, 3), (4,)))
        for function, gradient in (
            (reference.conv_nd, reference.conv_nd_grad),
            (reference.conv_transpose_nd, reference.conv_transpose_nd_grad),
        ):
            options = {"stride": 2, "padding": 1, "groups": 2, "padding_mode": mode}
            g = integers(rng, function(x, w, b, **options).shape)
            together = gradient(g, x, w, b, **options)
            alone = [gradient(g[n], x[n], w, b, **options) for n in range(3)]
            np.testing.assert_array_equal(together[0], np.stack([item[0] for item in alone]))
            for which in (1, 2):
                np.testing.assert_array_equal(together[which], sum(item[which] for item in alone))

    def test_no_bias(self):
        x, w = np.ones((1, 3)), np.ones((1, 1, 2))
        assert reference.conv_nd_grad(np.ones((1, 2)), x, w)[2] is None
        assert reference.conv_transpose_nd_grad(np.ones((1, 4)), x, w)[2] is None

    def test_empty(self):
        x, w, b = np.ones((0, 2, 5)), np.ones((3, 2, 2)), np.ones(3)
        gradients = reference.conv_nd_grad(np.ones((0, 3, 4)), x, w, b)
        for gradient, array in zip(gradients, (x, w, b), strict=True):
            np.testing.assert_array_equal(gradient, np.zeros_like(array))
        gradients = reference.conv_transpose_nd_grad(np.ones((0, 2, 6)), np.ones((0, 3, 5)), w)
        np.testing.assert_array_equal(gradients[1], np.zeros_like(w))
