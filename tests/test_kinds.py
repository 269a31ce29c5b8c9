"""Kinds of convolution with their gradients, and the factors of kernels."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from support import MODES, assert_same, randomly, values

import convx
from convx import functional as F
from convx import grad, reference

KINDS = (
    "depthwise_separable_conv",
    "spatially_separable_conv",
    "flattened_conv",
    "shuffled_group_conv",
)


@dataclass(frozen=True)
class Case:
    """A call of one of the kinds: shapes of its arrays by name, and options."""

    kind: str
    shapes: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)
    seed: int = 0

    def arrays(self, dtype: str = "float64") -> dict[str, Any]:
        """Random arrays; the factors are a tuple of them, a bias may be None."""
        rng = np.random.default_rng(self.seed)

        def make(shape: Any) -> Any:
            if isinstance(shape, list):
                return tuple(map(make, shape))
            return None if shape is None else values(rng, shape, dtype)

        return {name: make(shape) for name, shape in self.shapes.items()}


def flat(arrays: Any) -> list[Any]:
    """All arrays of a nested tuple."""
    if isinstance(arrays, tuple):
        return [one for each in arrays for one in flat(each)]
    return [arrays]


@st.composite
def cases(draw: Any, kinds: Any = KINDS, modes: Any = tuple(MODES)) -> Case:
    kind = draw(st.sampled_from(kinds))
    axes = draw(st.integers(1, 3))
    few = st.integers(1, 3)
    kernel = tuple(draw(st.integers(1, 4)) for _ in range(axes))
    dilation = tuple(draw(few) for _ in range(axes))
    options: dict[str, Any] = {"stride": tuple(draw(few) for _ in range(axes))}
    options["dilation"] = dilation
    options["padding"] = draw(
        st.sampled_from(["same", "valid", 1, tuple((draw(few), draw(few)) for _ in range(axes))])
    )
    options["padding_mode"] = draw(st.sampled_from(modes))
    size = tuple(d * (k - 1) + 1 + draw(st.integers(0, 5)) for k, d in zip(kernel, dilation))
    c, k, m = draw(few), draw(few), draw(few)
    batch = draw(st.sampled_from([(), (1,), (2,), (0,)]))
    shapes: dict[str, Any] = {"input": (*batch, c, *size)}
    if kind == "depthwise_separable_conv":
        shapes |= {"depthwise_weight": (c * m, 1, *kernel)}
        shapes |= {"pointwise_weight": (k, c * m, *(1,) * axes)}
    elif kind == "spatially_separable_conv":
        shapes["factors"], k = [], c
        for taps in kernel:
            groups = draw(st.sampled_from([1, k]))
            more = groups * draw(few)
            shape, k = draw(
                st.sampled_from([((taps,), k), ((k * m, taps), k * m)])
                | st.just(((more, k // groups, taps), more))
            )
            shapes["factors"].append(shape)
    elif kind == "flattened_conv":
        shapes |= {"channel_weight": (k, c), "factors": [(k, taps) for taps in kernel]}
    else:
        groups = options["groups"] = draw(few)
        second = draw(st.sampled_from([(1,) * axes, (3,) * axes]))
        shapes["input"], k = (*batch, c * groups, *size), k * groups
        shapes |= {"first_weight": (m * groups, c, *kernel), "second_weight": (k, m, *second)}
    shapes["bias"] = draw(st.sampled_from([None, (k,)]))
    return Case(kind, shapes, options, draw(st.integers(0, 2**32 - 1)))


SMALL = {
    "depthwise_separable_conv": Case(
        "depthwise_separable_conv",
        {
            "input": (2, 3, 6, 7),
            "depthwise_weight": (6, 1, 3, 2),
            "pointwise_weight": (4, 6, 1, 1),
            "bias": (4,),
        },
        {"stride": (2, 1), "padding": 1},
    ),
    "spatially_separable_conv": Case(
        "spatially_separable_conv",
        {"input": (2, 4, 6, 7), "factors": [(3,), (4, 2, 5)], "bias": (4,)},
        {"stride": (1, 2), "padding": (1, 2), "padding_mode": "circular"},
    ),
    "flattened_conv": Case(
        "flattened_conv",
        {
            "input": (2, 3, 6, 7),
            "channel_weight": (5, 3),
            "factors": [(5, 3), (5, 2)],
            "bias": (5,),
        },
        {"dilation": (2, 1), "padding": ((2, 1), (0, 3)), "padding_mode": "replicate"},
    ),
    "shuffled_group_conv": Case(
        "shuffled_group_conv",
        {
            "input": (2, 6, 6, 7),
            "first_weight": (4, 3, 3, 3),
            "second_weight": (6, 2, 1, 1),
            "bias": (6,),
        },
        {"groups": 2, "stride": 2, "padding": 1},
    ),
}
each_kind = pytest.mark.parametrize("case", SMALL.values(), ids=SMALL)


def call(case: Case, arrays: Any, **options: Any) -> Any:
    return getattr(F, case.kind)(**arrays, **case.options, **options)


def gradients(case: Case, dy: Any, arrays: Any) -> Any:
    return getattr(grad, case.kind)(dy, **arrays, **case.options)


@randomly(150, case=cases())
def test_functions_are_their_full_convolutions(case):
    arrays = case.arrays()
    result = call(case, arrays)
    expected = getattr(reference, case.kind)(**arrays, **case.options)
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-11)


@randomly(100, case=cases())
def test_gradients_are_adjoint(case):
    """The functions are linear in each array: there are derivatives in closed form."""
    arrays = case.arrays()
    rng = np.random.default_rng(case.seed)
    bias = arrays["bias"]
    output = call(case, arrays)
    dy = values(rng, output.shape)
    found = gradients(case, dy, arrays)
    assert len(found) == len(arrays)
    linear = call(case, {**arrays, "bias": None})
    for one, dx in zip(flat(tuple(arrays.values())), flat(found), strict=True):
        if one is None:
            assert dx is None
            continue
        assert dx.shape == one.shape
        terms = bias.size and dy * (output - linear) if one is bias else dy * linear
        np.testing.assert_allclose((dx * one).sum(), terms.sum(), rtol=1e-9, atol=1e-9)


@each_kind
def test_gradients_numerically(case):
    arrays = case.arrays()
    dy = values(np.random.default_rng(1), call(case, arrays).shape)
    found = flat(gradients(case, dy, arrays))
    for array, dx in zip(flat(tuple(arrays.values())), found, strict=True):
        rng = np.random.default_rng(2)
        for place in map(tuple, rng.integers(0, array.shape, (5, array.ndim))):
            before, sums = array[place], []
            for step in (1, -1):
                array[place] = before + step
                sums.append((dy * call(case, arrays)).sum())
            array[place] = before
            np.testing.assert_allclose(dx[place], (sums[0] - sums[1]) / 2, rtol=1e-8, atol=1e-8)


def torch_composition(case: Case, arrays: dict[str, Any]) -> Any:
    """The same of PyTorch's functions, for two axes and zeros as padding."""
    import torch

    f, o = torch.nn.functional, case.options
    x, bias = arrays["input"], arrays["bias"]
    if case.kind == "depthwise_separable_conv":
        x = f.conv2d(x, arrays["depthwise_weight"], None, **o, groups=x.shape[1])
        return f.conv2d(x, arrays["pointwise_weight"], bias)
    if case.kind == "shuffled_group_conv":
        x = f.conv2d(x, arrays["first_weight"], None, **o)
        x = torch.channel_shuffle(x, o["groups"])
        return f.conv2d(x, arrays["second_weight"], bias, groups=o["groups"])
    if case.kind == "flattened_conv":
        x = f.conv2d(x, arrays["channel_weight"][:, :, None, None])
    for axis, factor in enumerate(arrays["factors"]):
        if factor.ndim == 1:
            factor = factor.expand(x.shape[1], -1)
        if factor.ndim == 2:
            factor = factor[:, None]
        along = {name: [1, 1] for name in ("stride", "dilation")} | {"padding": [0, 0]}
        for name, each in along.items():
            each[axis] = o.get(name, (1 - (name == "padding"),) * 2)[axis]
        groups = x.shape[1] // factor.shape[1]
        last = bias if axis else None
        x = f.conv2d(x, factor.unsqueeze(3 if axis == 0 else 2), last, **along, groups=groups)
    return x


@each_kind
def test_against_pytorch(case):
    torch = pytest.importorskip("torch")
    options = {k: v for k, v in case.options.items() if k != "padding_mode"}
    case = Case(case.kind, case.shapes, options)
    if case.kind == "flattened_conv":
        case.options["padding"] = (1, 2)
    arrays = case.arrays()

    def tensors(one: Any) -> Any:
        return (
            tuple(map(tensors, one))
            if isinstance(one, tuple)
            else torch.tensor(one).requires_grad_()
        )

    given = {name: tensors(one) for name, one in arrays.items()}
    expected = torch_composition(case, given)
    np.testing.assert_allclose(call(case, arrays), expected.detach(), rtol=1e-12, atol=1e-12)
    dy = values(np.random.default_rng(3), expected.shape)
    leaves = flat(tuple(given.values()))
    exact = torch.autograd.grad(expected, leaves, torch.from_numpy(dy))
    for one, other in zip(flat(gradients(case, dy, arrays)), exact, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)


@each_kind
@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "complex64", "complex128", "int8", "uint16", "int64"]
)
def test_dtypes(case, dtype):
    arrays = case.arrays(dtype)
    wide = {"float16": "float64", "float32": "float64", "complex64": "complex128"}.get(dtype, dtype)

    def widened(one: Any) -> Any:
        return tuple(map(widened, one)) if isinstance(one, tuple) else one.astype(wide)

    exact = {name: widened(one) for name, one in arrays.items()}
    result, expected = call(case, arrays), call(case, exact)
    assert result.dtype == dtype
    found = flat(gradients(case, result, arrays))
    assert {one.dtype for one in found} == {np.dtype(dtype)}
    if np.dtype(dtype).kind in "iu":  # wraps around, as the reference does
        exactly = getattr(reference, case.kind)(**arrays, **case.options)
        assert_same(result, exactly.astype(dtype))
    elif dtype == "float16":  # rounded once, not after every step
        np.testing.assert_array_max_ulp(result, expected.astype(dtype), 1)
    else:
        np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)


@each_kind
def test_mixed_dtypes_are_promoted_together(case):
    arrays = case.arrays("float32")
    arrays["bias"] = arrays["bias"].astype("float64")
    assert call(case, arrays).dtype == "float64"
    dy = call(case, case.arrays("float32"))
    found = flat(gradients(case, dy.astype("float64"), case.arrays("float32")))
    assert {one.dtype for one in found} == {np.dtype("float64")}


@each_kind
def test_layouts_threads_and_items(case):
    arrays = case.arrays("float32")
    expected = call(case, arrays)

    def strange(one: Any) -> Any:
        if isinstance(one, tuple):
            return tuple(map(strange, one))
        wide = np.zeros((*one.shape[:-1], 2 * one.shape[-1]), one.dtype.newbyteorder())
        wide[..., ::2] = one
        wide.flags.writeable = False
        return wide[..., ::2]

    other = {name: strange(one) for name, one in arrays.items()}
    assert_same(call(case, other), expected)
    with convx.threads(2):
        assert_same(call(case, arrays), expected)
    alone = call(case, {**arrays, "input": arrays["input"][1]})
    assert_same(alone, expected[1])
    for one, another in zip(
        flat(gradients(case, expected, arrays)), flat(gradients(case, expected, other)), strict=True
    ):
        assert_same(one, another)


@each_kind
@pytest.mark.parametrize("dtype", ["float16", "float32", "complex64"])
def test_out(case, dtype):
    arrays = case.arrays(dtype)
    expected = call(case, arrays)
    out = np.empty_like(expected)
    assert call(case, arrays, out=out) is out
    assert_same(out, expected)
    with pytest.raises(ValueError, match=r"out must have the shape"):
        call(case, arrays, out=out[..., :1])
    with pytest.raises(TypeError, match=r"out must have the dtype"):
        call(case, arrays, out=np.empty(out.shape))


@each_kind
def test_out_may_be_an_argument(case):
    """Its bytes are read before they are written."""
    arrays = case.arrays()
    expected = call(case, arrays)
    memory = np.zeros(max(arrays["input"].size, expected.size))
    x = memory[: arrays["input"].size].reshape(arrays["input"].shape)
    x[...] = arrays["input"]
    out = memory[: expected.size].reshape(expected.shape)
    assert_same(call(case, {**arrays, "input": x}, out=out), expected)


def test_explain_sums_over_the_steps():
    x, depthwise = np.ones((1, 64, 56, 56), "f4"), np.ones((64, 1, 3, 3), "f4")
    pointwise = np.ones((128, 64, 1, 1), "f4")
    told = convx.explain(F.depthwise_separable_conv, x, depthwise, pointwise, padding=1)
    counted = F.count_flops((56, 56), 64, 128, 3, padding=1, kind="depthwise_separable")
    assert (told.flops, told.output_shape) == (counted, (1, 128, 56, 56))


ones = np.ones
BAD = [
    ("depthwise_separable_conv", (ones((4, 5)), ones((6, 1, 3)), ones((2, 6, 1))), "depthwise"),
    ("depthwise_separable_conv", (ones((4, 5)), ones((4, 2, 3)), ones((2, 4, 1))), "depthwise"),
    ("depthwise_separable_conv", (ones((0, 5)), ones((4, 1, 3)), ones((2, 4, 1))), "depthwise"),
    ("depthwise_separable_conv", (ones((4, 5)), ones((4, 3)), ones((2, 4, 1))), "depthwise"),
    ("depthwise_separable_conv", (ones((4, 5)), ones((4, 1, 3)), ones((2, 4, 3))), "pointwise"),
    ("depthwise_separable_conv", (ones((4, 5)), ones((4, 1, 3)), ones((2, 3, 1))), "pointwise"),
    ("depthwise_separable_conv", (ones((4, 5)), ones((4, 1, 3)), ones((2, 4))), "pointwise"),
    ("depthwise_separable_conv", (ones(4), ones((4, 1, 3)), ones((2, 4, 1))), "input"),
    ("depthwise_separable_conv", (ones((4, 5)), ones((4, 1, 7)), ones((2, 4, 1))), "dilation"),
    ("spatially_separable_conv", (ones((1, 5, 5)), ()), "factors must have"),
    ("spatially_separable_conv", (ones((1, 5, 5)), [ones(3), ones(())]), r"factors\[1\]"),
    ("spatially_separable_conv", (ones((1, 5, 5)), [ones(3), ones(0)]), r"factors\[1\]"),
    ("spatially_separable_conv", (ones((3, 5, 5)), [ones(3), ones((4, 3))]), r"factors\[1\]"),
    ("spatially_separable_conv", (ones((4, 5, 5)), [ones((3, 2, 3)), ones(3)]), r"factors\[0\]"),
    ("spatially_separable_conv", (ones((4, 5, 5)), [ones((3, 0, 3)), ones(3)]), r"factors\[0\]"),
    ("spatially_separable_conv", (ones((4, 5, 5)), [ones((0, 4, 3)), ones(3)]), r"factors\[0\]"),
    ("spatially_separable_conv", (ones((5, 5)), [ones(3), ones(3)]), "input"),
    ("flattened_conv", (ones((3, 5)), ones((4, 2)), [ones((4, 3))]), "channel_weight"),
    ("flattened_conv", (ones((3, 5)), ones((4, 3, 1)), [ones((4, 3))]), "channel_weight"),
    ("flattened_conv", (ones((3, 5)), ones((4, 3)), [ones((3, 3))]), r"factors\[0\]"),
    ("shuffled_group_conv", (ones((3, 5)), ones((4, 2, 1)), ones((4, 4, 1))), "first_weight"),
    ("shuffled_group_conv", (ones((3, 5)), ones((4, 3, 1)), ones((4, 2, 1))), "second_weight"),
    ("shuffled_group_conv", (ones((3, 5)), ones((4, 3, 1)), ones((4, 4, 1, 1))), "second_weight"),
    ("shuffled_group_conv", (ones((3, 5)), ones((4, 3)), ones((4, 4, 1))), "first_weight"),
]


@pytest.mark.parametrize(("kind", "arguments", "named"), BAD)
def test_shapes_that_do_not_fit(kind, arguments, named):
    with pytest.raises(ValueError, match=named):
        getattr(F, kind)(*arguments)
    with pytest.raises(ValueError, match=named):
        getattr(grad, kind)(np.ones((1, 1)), *arguments)


@each_kind
def test_bad_options(case):
    arrays = case.arrays()
    plain = Case(case.kind, case.shapes, {"groups": 2} if "groups" in case.options else {})
    for options, error, named in (
        ({"stride": 0}, ValueError, "stride"),
        ({"dilation": (1, 1, 1)}, ValueError, "dilation"),
        ({"padding": -1}, ValueError, "padding"),
        ({"padding": "SAME"}, ValueError, "padding"),
        ({"padding_mode": "edge"}, ValueError, "padding_mode"),
        ({"algorithm": 3}, TypeError, "algorithm"),
        ({"bias": np.ones(7)}, ValueError, "bias"),
        ({"input": np.ones(3, bool)}, TypeError, "input"),
    ):
        with pytest.raises(error, match=named):
            call(plain, {**arrays, **options})
    with pytest.raises(ValueError, match="grad_output"):
        gradients(plain, np.ones((1, 1, 1, 1)), arrays)


def test_factors_are_a_sequence():
    """Rows of an array might be the factors, or one factor for each channel: neither is guessed."""
    for factors in (np.ones((2, 3)), "ab", None, 3):
        with pytest.raises(TypeError, match="factors must be a sequence"):
            F.spatially_separable_conv(np.ones((1, 5, 5)), factors)


def test_groups_must_divide():
    x, first, second = np.ones((4, 5)), np.ones((6, 2, 1)), np.ones((4, 3, 1))
    with pytest.raises(ValueError, match="groups must divide input channels, got 3 for 4"):
        F.shuffled_group_conv(x, first, second, groups=3)
    with pytest.raises(ValueError, match="groups must divide channels between, got 4 for 6"):
        F.shuffled_group_conv(x, first, second, groups=4)


# Factors of kernels


def gaussian(sigma: float, size: int, axes: int) -> Any:
    x = np.arange(size) - size // 2
    squares = sum(np.meshgrid(*[x**2] * axes, indexing="ij"))
    return np.exp(-squares / (2 * sigma**2))


SEPARABLE = {
    "sobel": np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
    "box": np.full((5, 5), 1 / 25),
    "gaussian 2-D": gaussian(1.5, 9, 2),
    "gaussian 3-D": gaussian(2.0, 7, 3).astype("float32"),
    "gaussian 4-D": gaussian(1.0, 3, 4),
    "one axis": np.array([1.0, -3.0, 2.0]),
    "row": np.array([[1.0, -3.0, 2.0]]),
    "one element": np.array([[[-7.0]]]),
    "zeros": np.zeros((3, 2)),
    "tiny": 1e-300 * gaussian(1.0, 3, 2),
    "huge": 1e300 * gaussian(1.0, 3, 2),
    "half": gaussian(1.0, 5, 2).astype("float16"),
    "complex": np.multiply.outer([1, 2j], [1 - 1j, 3, 1j]),
}


@pytest.mark.parametrize("name", SEPARABLE)
def test_factors_of_separable_kernels(name):
    kernel = SEPARABLE[name]
    factors = F.separate_kernel(kernel)
    dtype = kernel.dtype if kernel.dtype.kind in "fc" else np.dtype("float64")
    assert [(one.shape, one.dtype) for one in factors] == [((n,), dtype) for n in kernel.shape]
    for factor in factors[:-1]:
        assert factor[np.argmax(np.abs(factor))] == 1
    wide = [one.astype(np.result_type(one, "float64")) for one in factors]
    made = wide[0]
    for one in wide[1:]:
        made = np.multiply.outer(made, one)
    limit = 32 * np.finfo(dtype).eps * np.abs(kernel).max()
    assert np.abs(made - kernel).max() <= limit


def test_sign_and_scale_are_in_the_last_factor():
    rows, columns = F.separate_kernel(-np.outer([1.0, -4.0, 2.0], [3.0, 6.0]))
    np.testing.assert_allclose(rows, [-0.25, 1, -0.5], rtol=1e-14)
    np.testing.assert_allclose(columns, [12, 24], rtol=1e-14)
    rows, _ = F.separate_kernel(np.outer([-2.0, 2.0], [1.0, 1.0]))  # the first of equal ones
    np.testing.assert_allclose(rows, [1, -1], rtol=1e-14)


@pytest.mark.parametrize(
    "kernel",
    [
        [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
        np.eye(3),
        np.stack([np.ones((3, 3)), np.eye(3)]),
        gaussian(1.0, 5, 2) + 1e-10 * np.eye(5),
    ],
)
def test_kernels_that_are_not_separable(kernel):
    with pytest.raises(ValueError, match=r"kernel must be an outer product .* got one that is"):
        F.separate_kernel(kernel)


def test_tolerance():
    exact = gaussian(1.0, 5, 2)
    noisy = exact + 1e-4 * np.random.default_rng(0).standard_normal((5, 5))
    rows, columns = F.separate_kernel(noisy, tol=1e-3)
    assert np.abs(np.outer(rows, columns) - noisy).max() < 1e-3
    u, s, v = np.linalg.svd(noisy)
    np.testing.assert_allclose(np.outer(rows, columns), s[0] * np.outer(u[:, 0], v[0]), rtol=1e-9)
    with pytest.raises(ValueError, match="kernel must be an outer product"):
        F.separate_kernel(noisy, tol=1e-6)
    F.separate_kernel(np.eye(3), tol=2)


@pytest.mark.parametrize(
    ("kernel", "options", "error", "named"),
    [
        (3.0, {}, ValueError, "kernel"),
        (np.ones((0, 3)), {}, ValueError, "kernel"),
        ([[1, np.nan]], {}, ValueError, "kernel must be finite"),
        ([[1, np.inf]], {}, ValueError, "kernel must be finite"),
        (["a"], {}, TypeError, "kernel"),
        ([[1.0]], {"tol": -1}, ValueError, "tol"),
        ([[1.0]], {"tol": np.nan}, ValueError, "tol"),
        ([[1.0]], {"tol": np.inf}, ValueError, "tol"),
        ([[1.0]], {"tol": "small"}, TypeError, "tol"),
        ([[1.0]], {"tol": True}, TypeError, "tol"),
    ],
)
def test_bad_kernels(kernel, options, error, named):
    with pytest.raises(error, match=named):
        F.separate_kernel(kernel, **options)


@pytest.mark.parametrize("mode", MODES)
def test_a_separated_kernel_filters_the_same(mode):
    image, kernel = values(np.random.default_rng(0), (1, 2, 9, 11)), gaussian(1.2, 5, 2)
    options = {"padding": "same", "padding_mode": mode, "stride": (1, 2)}
    whole = F.conv2d(image, np.broadcast_to(kernel, (2, 1, 5, 5)), groups=2, **options)
    parts = F.spatially_separable_conv(image, F.separate_kernel(kernel), **options)
    np.testing.assert_allclose(parts, whole, rtol=1e-12, atol=1e-12)
