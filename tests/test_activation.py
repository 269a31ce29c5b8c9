"""Activations and their gradients against PyTorch, on its samples, and against the reference."""

import math

import numpy as np
import pytest
from hypothesis import strategies as st
from support import assert_same, randomly, run_python
from torch_samples import check_errors, check_gradients, check_samples, samples

import convx
from convx import functional as F
from convx import grad, reference

# By name: what PyTorch's table calls them, and options to try besides the defaults.
NAMES = {
    "relu": [{}],
    "relu6": [{}],
    "hardtanh": [{}, {"min_val": -0.5, "max_val": math.inf}, {"min_val": 2.0, "max_val": 2.0}],
    "leaky_relu": [{}, {"negative_slope": -1.5}],
    "elu": [{}, {"alpha": 1.7}, {"alpha": -0.5}],
    "celu": [{}, {"alpha": 1.7}, {"alpha": -20.0}],
    "selu": [{}],
    "gelu": [{}, {"approximate": "tanh"}],
    "silu": [{}],
    "mish": [{}],
    "hardsigmoid": [{}],
    "hardswish": [{}],
    "sigmoid": [{}],
    "tanh": [{}],
    "logsigmoid": [{}],
    "softplus": [{}, {"beta": 3.0, "threshold": 0.5}, {"beta": -0.7, "threshold": 30.0}],
}
CASES = [(name, options) for name, every in NAMES.items() for options in every]
each = pytest.mark.parametrize("name", NAMES)
each_case = pytest.mark.parametrize(("name", "options"), CASES, ids=str)
NOT_IN_PLACE = ("gelu", "sigmoid", "tanh", "logsigmoid", "softplus")
IN_PLACE = [name for name in NAMES if name not in NOT_IN_PLACE]
SPECIAL = [math.nan, math.inf, -math.inf, 0.0, -0.0, 3.0, -3.0, 6.0, 1.0, -1.0, 1e30, -1e30, 1e-40]


def in_torch(name):
    return name if name in ("sigmoid", "tanh") else f"nn.functional.{name}"


def in_reference(name, options):
    """The name and the options that the reference takes for the same."""
    given = dict(options)
    if given.pop("approximate", None):
        name = "gelu_tanh"
    return name, given


def of_torch(name):
    import torch

    return getattr(torch.nn.functional, name, None) or getattr(torch, name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@each
def test_samples(name, dtype):
    check_samples(in_torch(name), getattr(F, name), dtype)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64"])
@pytest.mark.parametrize("name", ["relu", "relu6", "hardtanh"])
def test_samples_of_integers(name, dtype):
    if (name, dtype) != ("hardtanh", "uint8"):  # whose bounds are negative
        check_samples(in_torch(name), getattr(F, name), dtype)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "hardsigmoid"])
def test_gradients(name):
    """Of hardsigmoid PyTorch's has a sixth of single precision, whatever the dtype."""
    check_gradients(in_torch(name), getattr(grad, name))


@pytest.mark.parametrize("name", ["gelu", "hardtanh", "prelu", "rrelu"])
def test_errors(name):
    check_errors(in_torch(name), getattr(F, name))


def test_samples_of_slopes():
    for dtype in ("float32", "float64"):
        check_samples("nn.functional.prelu", F.prelu, dtype)
        for arguments in ({}, {"training": False}):
            check_samples(
                "nn.functional.rrelu",
                F.rrelu,
                dtype,
                lambda _, options, given=arguments: options == given,
            )


def test_gradients_of_slopes():
    torch = pytest.importorskip("torch")
    seen = 0
    for arguments, options in samples("nn.functional.prelu", "float64"):
        x, weight = [*arguments, *options.values()]
        leaves = [one.detach().clone().requires_grad_() for one in (x, weight)]
        y = torch.nn.functional.prelu(*leaves)
        dy = torch.randn_like(y)
        expected = torch.autograd.grad(y, leaves, dy)
        found = grad.prelu(dy.numpy(), x.detach().numpy(), weight.detach().numpy())
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other.numpy(), rtol=1e-12, atol=1e-12)
        seen += 1
    assert seen > 5


@each_case
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_values_are_those_of_torch(name, options, dtype):
    """But for limits at infinities, and for gelu of large numbers, where PyTorch has NaN."""
    torch = pytest.importorskip("torch")
    x = np.array(32 * SPECIAL, dtype)  # whole vectors: PyTorch treats NaN otherwise in what is left
    leaf = torch.from_numpy(x.copy()).requires_grad_()
    y = of_torch(name)(leaf, **options)
    (dx,) = torch.autograd.grad(y, leaf, torch.ones_like(y))
    called, given = in_reference(name, options)
    forward = getattr(F, name)(x, **options), y.detach().numpy()
    backward = getattr(grad, name)(np.ones_like(x), x, **options), dx.numpy()
    for (found, expected), limit in (
        (forward, reference.activate(x, called, **given)),
        (backward, reference.derivative(x, called, **given)),
    ):
        expected = np.where(np.isnan(expected) & ~np.isnan(x), limit, expected)
        np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-6)


# Accuracy, in units in the last place of the result. Where a function crosses 0, or is the sum of
# parts that cancel, the unit is that of 1 or of the argument.


def ladder(dtype):
    """Values of all sizes, close together where functions bend."""
    largest = 110.0 if dtype == "float32" else 750.0
    sizes = np.concatenate(
        [np.geomspace(1e-30, 1, 3000), np.linspace(0, 12, 20001), np.linspace(12, largest, 6001)]
    )
    return np.concatenate([sizes, -sizes]).astype(dtype)


def worst(found, expected, scale):
    """The largest error in units in the last place of ``scale``."""
    unit = np.spacing(np.maximum(abs(scale), np.finfo(found.dtype).tiny).astype(found.dtype))
    error = abs(found.astype(expected.dtype) - expected) / unit
    assert not np.isnan(error).any()
    return float(error.max())


def spread(name, options, x):
    """By how much more an error may be that the exponential makes of its argument's."""
    if options.get("approximate") == "tanh":
        return 1 + abs(x) + 0.1 * abs(x) ** 3
    if options.get("beta", 1) != 1 or options.get("alpha", 1) != 1:
        return 1 + abs(x)
    if name == "gelu" and x.dtype != np.float64:  # the reference has no more than float64
        return 1 + x * x
    return 1.0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@each_case
def test_accuracy(name, options, dtype):
    x = ladder(dtype)
    if name == "gelu":  # beyond, the share that the reference computes is subnormal
        x = x[abs(x) < 37]
    wide = x.astype("float64" if dtype == "float32" else "longdouble")
    called, given = in_reference(name, options)
    more = spread(name, options, wide)
    expected = reference.activate(wide, called, **given)
    found, most = getattr(F, name)(x, **options), 8 if name == "gelu" else 5
    assert worst(found, expected, expected * more) <= most
    slope = reference.derivative(wide, called, **given)
    found = getattr(grad, name)(np.ones_like(x), x, **options)
    crosses = name in ("gelu", "silu", "mish", "hardswish")
    assert worst(found, slope, np.maximum(abs(slope), 1) if crosses else slope * more) <= 5


@each_case
def test_derivative_is_the_gradient(name, options):
    """Numerically, away from corners."""
    x = np.linspace(-4.03, 7.1, 401)
    step = 1e-6
    function = getattr(F, name)
    numeric = (function(x + step, **options) - function(x - step, **options)) / (2 * step)
    dy = np.linspace(-2, 2, 401)
    np.testing.assert_allclose(getattr(grad, name)(dy, x, **options), dy * numeric, atol=1e-8)


# Arrays of all kinds


@each_case
def test_half_precision_is_rounded_once(name, options):
    x = np.linspace(-9, 9, 1001).astype(np.float16)
    single = x.astype(np.float32)
    assert_same(
        getattr(F, name)(x, **options), getattr(F, name)(single, **options).astype(np.float16)
    )
    dy = np.float16(3) * np.ones_like(x)
    assert_same(
        getattr(grad, name)(dy, x, **options),
        getattr(grad, name)(dy.astype(np.float32), single, **options).astype(np.float16),
    )


@each
def test_layouts(name):
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 5, 7, 6))
    function, gradient = getattr(F, name), getattr(grad, name)
    y, dx = function(x), gradient(dy, x)
    for change in (
        lambda a: a.astype(">f8"),
        np.asfortranarray,
        lambda a: np.repeat(a, 2, 1)[:, ::2],
        lambda a: a[::-1].copy()[::-1],
        np.ndarray.tolist,
    ):
        assert_same(function(change(x)), y)
        assert_same(gradient(change(dy), change(x)), dx)
    frozen = x.copy()
    frozen.flags.writeable = False
    assert_same(function(frozen), y)
    assert function(x[:0]).shape == (0, 7, 6)
    assert function(np.float32(2)).shape == ()


@each
def test_out(name):
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 6, 301))
    function, gradient = getattr(F, name), getattr(grad, name)
    y, dx = function(x), gradient(dy, x)
    places = [np.empty_like(x), np.empty((6, 602))[:, ::2], np.empty((301, 6)).T]
    for out in places:
        assert function(x, out=out) is out
        np.testing.assert_array_equal(out, y)
        assert gradient(dy, x, out=out) is out
        np.testing.assert_array_equal(out, dx)
    for same in (0, 1):  # the result in the place of the input, of the gradient
        arrays = [dy.copy(), x.copy()]
        gradient(*arrays, out=arrays[same])
        assert_same(arrays[same], dx)
    within = np.concatenate([x, x])
    function(within[:6], out=within[2:8])
    np.testing.assert_array_equal(within[2:8], y)
    here = x.copy()
    assert function(here, out=here) is here
    assert_same(here, y)


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place(name):
    function = getattr(F, name)
    x = np.random.default_rng(0).standard_normal((6, 301))
    for change in (np.copy, np.asfortranarray, lambda a: np.repeat(a, 2, 0)[::2], np.float16):
        here = change(x)
        y = function(here)
        assert function(here, inplace=True) is here
        np.testing.assert_array_equal(here, y)
    frozen = x.copy()
    frozen.flags.writeable = False
    for wrong in (frozen, np.broadcast_to(x, (2, 6, 301))):
        with pytest.raises(ValueError, match=r"read-only|memory of its own"):
            function(wrong, inplace=True)
    with pytest.raises(TypeError, match="input must be a NumPy array"):
        function([1.0], inplace=True)
    with pytest.raises(ValueError, match="out must be None"):
        function(x, inplace=True, out=x)
    with pytest.raises(TypeError, match="byte order"):
        function(x.astype(">f8"), inplace=True)


@pytest.mark.parametrize("name", ["relu", "relu6", "hardtanh"])
def test_integers_in_place(name):
    x = np.arange(-9, 9, dtype="int16").reshape(3, 6)
    expected = getattr(F, name)(x.astype(">i2"))
    assert expected.dtype == x.dtype
    assert getattr(F, name)(x, inplace=True) is x
    np.testing.assert_array_equal(x, expected)


@randomly(
    30,
    name=st.sampled_from(sorted(NAMES)),
    shape=st.lists(st.integers(1, 40), max_size=3),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_reference(name, shape, dtype, seed):
    """Every length of the last vector."""
    rng = np.random.default_rng(seed)
    x, dy = (3 * rng.standard_normal((2, *shape))).astype(dtype)
    tolerance = 8 * np.finfo(dtype).eps
    expected = reference.activate(np.float64(x), name)
    np.testing.assert_allclose(getattr(F, name)(x), expected, rtol=tolerance, atol=tolerance)
    expected = np.float64(dy) * reference.derivative(np.float64(x), name)
    np.testing.assert_allclose(
        getattr(grad, name)(dy, x), expected, rtol=tolerance, atol=4 * tolerance
    )


@each_case
def test_bits_depend_on_the_element_alone(name, options):
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 37, 9001), np.float32)
    function, gradient = getattr(F, name), getattr(grad, name)
    y, dx = function(x, **options), gradient(dy, x, **options)
    with convx.threads(1):
        assert_same(function(x, **options), y)
        assert_same(gradient(dy, x, **options), dx)
    assert_same(function(x[5, 3:7], **options), y[5, 3:7])
    assert_same(gradient(dy[5, 3:7], x[5, 3:7], **options), dx[5, 3:7])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@each_case
def test_no_nan_becomes_a_number(name, options, dtype):
    """Whatever its other bits are, which would be in the way where exponents are added up."""
    quiet = np.array(np.nan, dtype).view(dtype.replace("float", "uint"))
    others = quiet + np.array([0, 1, 2, 1000], quiet.dtype)
    signs = quiet.dtype.type(1) << (8 * quiet.itemsize - 1)
    x = np.concatenate([others, others | signs]).repeat(9).view(dtype)
    assert np.isnan(getattr(F, name)(x, **options)).all()


INSTRUCTION_SETS = """
import hashlib, sys, numpy as np
from convx import functional as F, grad
rng = np.random.default_rng(0)
said = hashlib.sha256()
for dtype in ("f4", "f8"):
    x, dy = (8 * rng.standard_normal((2, 5003))).astype(dtype)
    for name in sys.argv[1:]:
        said.update(getattr(F, name)(x).tobytes())
        said.update(getattr(grad, name)(dy, x).tobytes())
print(said.hexdigest())
"""


def test_instruction_sets_change_no_bits():
    try:
        said = {run_python(INSTRUCTION_SETS, *NAMES, CONVX_ISA=isa) for isa in ("avx2", "avx512")}
    except AssertionError as error:
        if "CONVX_ISA" in str(error):
            pytest.skip("the machine has not both")
        raise
    assert len(said) == 1


# Slopes


@randomly(
    30,
    shape=st.lists(st.integers(1, 70), min_size=1, max_size=4).filter(
        lambda s: math.prod(s) < 9**5
    ),
    one=st.booleans(),
    dtype=st.sampled_from(["float32", "float64", "float16"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_prelu(shape, one, dtype, seed):
    rng = np.random.default_rng(seed)
    x, dy = rng.standard_normal((2, *shape)).astype(dtype)
    channels = 1 if one or len(shape) == 1 else shape[1]
    weight = rng.standard_normal(channels).astype(dtype)
    sides = (-1, *(1 for _ in shape[2:])) if len(shape) > 1 else (1,)
    slopes = weight.reshape(sides)
    np.testing.assert_array_equal(F.prelu(x, weight), np.where(x > 0, x, x * slopes))
    dx, dw = grad.prelu(dy, x, weight)
    np.testing.assert_array_equal(dx, np.where(x > 0, dy, dy * slopes))
    products = np.where(x > 0, 0, np.float64(x) * np.float64(dy))
    exactly = np.broadcast_to(slopes, shape)
    sums = [products[exactly == w].sum() for w in weight]
    scale = abs(products).sum() * 4 * np.finfo(dtype).eps
    assert (dw.dtype, dw.shape) == (weight.dtype, weight.shape)
    if len(set(weight.tolist())) == weight.size:
        np.testing.assert_allclose(dw, sums, atol=scale)


def test_prelu_of_odd_shapes():
    assert F.prelu(2.0, [0.5]) == 2
    assert F.prelu(np.ones((2, 0)), np.ones(0)).shape == (2, 0)
    dx, dw = grad.prelu(np.ones((2, 0)), np.ones((2, 0)), np.ones(0))
    assert (dx.shape, dw.shape) == ((2, 0), (0,))
    x = np.array([-2.0, 3.0])
    F.prelu(x, 0.25, out=x)
    np.testing.assert_array_equal(x, [-0.5, 3])
    assert F.prelu(np.float32([-1]), np.float64(0.1)).dtype == np.float64


def test_rrelu_draws_slopes():
    x = np.full((40, 50), -1.0)
    slopes = -F.rrelu(x, 0.25, 0.75, training=True, rng=5)
    assert slopes.min() >= 0.25
    assert slopes.max() <= 0.75
    assert slopes.std() > 0.1
    assert abs(slopes.mean() - 0.5) < 0.02
    assert_same(F.rrelu(x, 0.25, 0.75, True, rng=5), -slopes)
    assert not np.array_equal(F.rrelu(x, 0.25, 0.75, True, rng=6), -slopes)
    dy = np.full_like(x, 2.0)
    assert_same(grad.rrelu(dy, x, 0.25, 0.75, True, rng=5), 2 * slopes)
    assert_same(F.rrelu(-x, 0.25, 0.75, True), -x)
    state = np.random.default_rng(7)
    first, second = (F.rrelu(x, training=True, rng=state) for _ in range(2))
    assert not np.array_equal(first, second)
    here = x.copy()
    F.rrelu(here, 0.25, 0.75, True, True, rng=5)
    assert_same(here, -slopes)
    assert F.rrelu(x.astype(np.float16), training=True).dtype == np.float16


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_results(dtype):
    """What is stored past the caches, from wherever on, is what a part alone has."""
    size = 2**24 // np.dtype(dtype).itemsize + 4567
    x = np.linspace(-9, 9, size + 1, dtype=dtype)
    y = np.empty_like(x)
    for part, out in ((x[1:], None), (x[:-1], y[:-1]), (x[:-1], y[1:])):
        for function in (F.sigmoid, lambda one, out=None: grad.sigmoid(one, one, out=out)):
            found = function(part, out=out)
            for here in (slice(0, 999), slice(70_000, 90_000), slice(size - 5000, size)):
                assert_same(found[here], function(part[here]))
