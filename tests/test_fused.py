"""Residuals and activations of prepared convolutions: results, accuracy, and what changes no bit.

The bits are held against those of two calls: the convolution alone, and the activation alone, which
a convolution without channels computes from its residual.
"""

from fractions import Fraction

import numpy as np
import pytest
from agnostic_cases import ACTIVATIONS
from hypothesis import strategies as st
from support import DTYPES, FLOATS, INTEGERS, assert_same, convolutions, randomly, values

import convx
from convx import functional as F
from convx import reference

# Items, channels, filters, sizes, kernel, options.
CASES = {
    "rows": (2, 5, 7, (9, 32), (3, 3), {"padding": 1}),
    "odd rows": (1, 3, 30, (11, 23), (3, 3), {}),
    "panels": (2, 40, 30, (14, 14), (3, 3), {"padding": 1, "algorithm": "direct"}),
    "several steps": (3, 130, 17, (7, 7), (3, 3), {"padding": 1, "algorithm": "direct"}),
    "pointwise": (2, 30, 50, (15, 13), (1, 1), {}),
    "many taps": (1, 1, 2, (60, 61), (21, 23), {"algorithm": "direct"}),
    "one output": (4, 20, 30, (3, 3), (3, 3), {"algorithm": "direct"}),
    "strided": (1, 8, 12, (31, 33), (3, 3), {"stride": 2, "padding": 1}),
    "dilated": (1, 8, 12, (31, 33), (3, 3), {"dilation": 3, "algorithm": "direct"}),
    "a line": (2, 3, 5, (501,), (4,), {"padding": ((3, 0),)}),
    "groups": (2, 12, 20, (11, 12), (3, 3), {"groups": 4, "algorithm": "direct"}),
    "one filter": (1, 1, 1, (50, 61), (3, 3), {"padding": 1, "algorithm": "direct"}),
    "flat": (2, 5, 10, (9, 11), (4, 4), {"groups": 5}),
    "lanes": (2, 37, 37, (19, 23), (3, 3), {"padding": 1, "groups": 37}),
    "lanes of planes": (2, 40, 40, (7, 7), (3, 3), {"padding": 1, "groups": 40, "stride": 2}),
    "lanes, two filters": (1, 20, 40, (9, 31), (5, 5), {"padding": 2, "groups": 20}),
    "tiles": (3, 17, 30, (14, 15), (3, 3), {"padding": 1, "algorithm": "winograd"}),
    "tiles in steps": (1, 700, 9, (12, 12), (3, 3), {"padding": 1, "algorithm": "winograd"}),
    "tiles of phases": (2, 8, 9, (23, 40), (3, 3), {"dilation": 2, "algorithm": "winograd"}),
    "tiles of five taps": (1, 6, 7, (11, 30), (3, 5), {"padding": 2, "algorithm": "winograd"}),
    "tiles in groups": (2, 12, 20, (11, 12), (3, 3), {"groups": 4, "algorithm": "winograd"}),
    "volume": (1, 6, 7, (5, 9, 10), (3, 3, 3), {"padding": 1, "algorithm": "winograd"}),
    "spectra": (2, 2, 3, (60, 61), (7, 7), {"padding": 3, "algorithm": "fft"}),
    "spectra of phases": (1, 1, 1, (97, 90), (9, 9), {"dilation": 2, "algorithm": "fft"}),
    "spectra of groups": (2, 20, 20, (37, 33), (5, 5), {"groups": 20, "algorithm": "fft"}),
    "reflected": (1, 4, 5, (15, 9), (3, 3), {"padding": 4, "padding_mode": "reflect"}),
    "wrapped around": (1, 4, 5, (9, 15), (3, 3), {"padding": 2, "padding_mode": "circular"}),
    "no channels": (2, 0, 5, (9, 15), (3, 3), {}),
    "no items": (0, 4, 5, (9, 15), (3, 3), {}),
}


def arrays_of(case, dtype, rng):
    batch, channels, filters, size, kernel, options = CASES[case]
    x = values(rng, (batch, channels, *size), dtype)
    w = values(rng, (filters, channels // options.get("groups", 1), *kernel), dtype)
    w = w / np.sqrt(max(1, w[0].size)).astype(dtype)
    return x, w, values(rng, (filters,), dtype), options


def activated(v, activation, **slope):
    """The activation alone."""
    nothing = convx.prepare_conv(np.zeros((1, 0, 1), v.dtype), activation=activation, **slope)
    items = v.reshape(-1, 1, v.shape[-1])
    return nothing(np.zeros((len(items), 0, v.shape[-1]), v.dtype), items).reshape(v.shape)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", CASES)
def test_bits_of_two_calls(case, dtype, rng):
    """With a residual or without, for any number of threads, an item alone, and into ``out``."""
    x, w, b, options = arrays_of(case, dtype, rng)
    plain = convx.prepare_conv(w, b, **options)
    y = plain(x)
    r = values(rng, y.shape, dtype)
    assert_same(plain(x, r), y + r)
    for activation in ACTIVATIONS:
        conv = convx.prepare_conv(w, b, **options, activation=activation)
        expected = activated(y, activation)
        with_residual = activated(y + r, activation)
        for threads in (1, 2, 3):
            with convx.threads(threads):
                assert_same(conv(x), expected)
                assert_same(conv(x, r), with_residual)
                assert_same(conv(x, residual=r), with_residual)  # remembered
        out = np.full_like(y, 7)
        assert conv(x, r, out=out) is out
        assert_same(out, with_residual)
        for n in range(len(x)):
            assert_same(conv(x[n], r[n]), with_residual[n])
            assert_same(conv(x[n : n + 1]), expected[n : n + 1])


@randomly(100, case=convolutions(), activation=st.sampled_from(ACTIVATIONS), with_r=st.booleans())
def test_against_reference(case, activation, with_r):
    x, w, b = case.arrays("float64")
    expected = reference.conv_nd(x, w, b, **case.all_options)
    r = values(np.random.default_rng(1), expected.shape) if with_r else None
    conv = convx.prepare_conv(w, b, **case.all_options, activation=activation)
    expected = reference.activate(expected if r is None else expected + r, activation)
    np.testing.assert_allclose(conv(x, r), expected, rtol=1e-8, atol=1e-8)


def numbers(dtype, rng):
    """Numbers of all sizes, and those where exponentials get subnormal, then 0."""
    info = np.finfo(dtype)
    logs = rng.uniform(np.log(info.tiny) - 3, np.log(info.max), 20000)
    lowest = -np.log(info.smallest_subnormal.astype("float64")) + 8
    parts = [np.exp(logs) * rng.choice([-1, 1], logs.size)]
    parts += [rng.uniform(-size, size, 20000) for size in (1, 4, 20, lowest)]
    steps = np.arange(-lowest, lowest, 0.5) * np.log(2)  # halfway between powers of 2
    return np.concatenate([*parts, steps]).astype(dtype)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_accuracy(activation, dtype, rng):
    """At most 3 units in the last place, subnormal results included."""
    if np.finfo(np.longdouble).nmant < 63:
        pytest.skip("there is no type more precise than float64")
    x = numbers(dtype, rng)
    slope = {"negative_slope": 0.25} if activation == "leaky_relu" else {}
    exact = reference.activate(x.astype(np.longdouble), activation, **slope)
    y = activated(x, activation, **slope)
    unit = np.spacing(np.abs(exact.astype(dtype)))
    assert (np.abs(y - exact) / unit).max() <= 3


@pytest.mark.parametrize("dtype", [*FLOATS, "float16"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_what_is_not_finite_and_what_is_extreme(activation, dtype, rng):
    info = np.finfo(dtype)
    extreme = [np.inf, info.max, 1, info.tiny, info.smallest_subnormal, 0.0]
    extreme = np.array([*extreme, *(-one for one in extreme), np.nan], dtype)
    wide = extreme.astype("float64" if dtype == "float64" else "float32")
    expected = reference.activate(wide, activation).astype(dtype)
    for length in (1, 5, 16, 37):
        place = np.arange(length) % len(extreme)
        result = activated(extreme[place], activation)
        np.testing.assert_allclose(result, expected[place], rtol=1e-3 if info.bits == 16 else 1e-6)
    assert np.isnan(activated(np.array([np.nan, 0], dtype), activation)).tolist() == [True, False]


def test_zero_stays_zero():
    zeros = np.array([0.0, -0.0] * 9)
    for activation in (*ACTIVATIONS, None):
        if activation != "sigmoid":
            assert (activated(zeros, activation) == 0).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_torch(activation, rng):
    torch = pytest.importorskip("torch")
    x = np.concatenate([rng.uniform(-9, 9, 500), [np.nan, 0, 3, -3, 6, 200, -200, np.inf]])
    function = getattr(torch.nn.functional, activation)
    expected = function(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(activated(x, activation), expected, rtol=1e-13, atol=1e-15)
    if activation == "leaky_relu":
        expected = function(torch.from_numpy(x), 0.3).numpy()
        np.testing.assert_allclose(activated(x, activation, negative_slope=0.3), expected, 1e-13)


@pytest.mark.parametrize("slope", [0, -1, 0.5, np.float32(0.5), Fraction(1, 2), np.int8(2)])
def test_negative_slope(slope):
    x = np.array([-4.0, 3.0, -0.5])
    y = activated(x, "leaky_relu", negative_slope=slope)
    np.testing.assert_array_equal(y, [-4 * float(slope), 3, -0.5 * float(slope)])


# Types


def test_half_precision_is_rounded_once(rng):
    x, w = values(rng, (2, 30, 9, 9), "float16"), values(rng, (5, 30, 3, 3), "float16")
    r = values(rng, (2, 5, 7, 7), "float16")
    for activation in (None, *ACTIVATIONS):
        wide = convx.prepare_conv(w.astype("float32"), activation=activation)
        conv = convx.prepare_conv(w, activation=activation)
        with np.errstate(over="ignore"):
            assert_same(conv(x, r), wide(x.astype("float32"), r).astype("float16"))
            assert_same(conv(x), wide(x.astype("float32")).astype("float16"))
            out = r.copy()
            assert conv(x, out, out=out) is out
            assert_same(out, conv(x, r))


@pytest.mark.parametrize("dtype", DTYPES)
def test_residuals_of_every_type(dtype, rng):
    x, w = values(rng, (2, 4, 9, 9), dtype), values(rng, (6, 4, 3, 3), dtype)
    conv = convx.prepare_conv(w, padding=1)
    r = values(rng, (2, 6, 9, 9), dtype)
    with np.errstate(over="ignore"):
        expected = conv(x) + r
    if dtype == "float16":
        expected = (conv(x.astype("float32")) + r).astype(dtype)
    for given in (r, r[:, :, ::-1].copy()[:, :, ::-1], r.astype(r.dtype.newbyteorder())):
        assert_same(conv(x, given), expected)
        assert_same(conv(x[0], given[0]), expected[0])
        out = np.empty_like(expected)
        assert conv(x, given, out=out) is out
        assert_same(out, expected)


@pytest.mark.parametrize("dtype", ["int32", "complex128"])
def test_residuals_of_convolutions_without_channels(dtype, rng):
    r = values(rng, (1, 3, 5), dtype)
    conv = convx.prepare_conv(np.zeros((3, 0, 2), dtype), np.arange(3).astype(dtype))
    assert_same(conv(np.zeros((1, 0, 6), dtype), r), r + np.arange(3).astype(dtype)[:, None])


def test_a_residual_takes_part_in_promotion(rng):
    x, w = values(rng, (1, 2, 30), "float32"), values(rng, (3, 2, 5), "float32")
    r = values(rng, (1, 3, 26))
    conv = convx.prepare_conv(w, activation="tanh")
    expected = activated(F.conv1d(x.astype("float64"), w) + r, "tanh")
    for _ in range(2):
        assert_same(conv(x, r), expected)
        assert conv(x).dtype == np.float32
        assert conv(x, r.astype("float16")).dtype == np.float32
        assert conv(x, np.ones((1, 3, 26), "int8")).dtype == np.float32
    integers = convx.prepare_conv(np.ones((1, 1, 2), "int16"))
    line = np.arange(4, dtype="int16").reshape(1, 4)
    assert_same(integers(line, [[0.5, 1.5, 2.5]]), np.array([[1.5, 4.5, 7.5]]))
    complexes = integers(line, np.array([[1j, 2j, 3j]], "complex64"))
    assert_same(complexes, np.array([[1 + 1j, 3 + 2j, 5 + 3j]], "complex64"))


# Layouts


def layouts(r):
    """The same numbers elsewhere in memory."""
    odd = np.empty(r.nbytes + 1, "u1")[1:].view(r.dtype).reshape(r.shape)
    odd[...] = r
    read_only = r.copy()
    read_only.flags.writeable = False
    yield from (odd, read_only, r.astype(r.dtype.newbyteorder()), r.tolist())
    yield from (np.asfortranarray(r), r[..., ::-1].copy()[..., ::-1])
    wide = np.zeros((*r.shape[:-1], 2 * r.shape[-1]), r.dtype)
    wide[..., ::2] = r
    yield wide[..., ::2]


@pytest.mark.parametrize("dtype", FLOATS)
def test_layouts_of_residuals(dtype, rng):
    x, w = values(rng, (2, 3, 9, 8), dtype), values(rng, (4, 3, 3, 3), dtype)
    r = values(rng, (2, 4, 9, 8), dtype)
    conv = convx.prepare_conv(w, padding=1, activation="silu")
    expected = conv(x, r)
    for given in layouts(r):
        if isinstance(given, list) and dtype == "float32":
            continue
        for _ in range(2):
            assert_same(conv(x, given), expected)
    one = np.broadcast_to(r[:, :1, :1, :1], r.shape)
    assert_same(conv(x, one), conv(x, one.copy()))
    assert_same(conv(x[:0], r[:0]), expected[:0])


@pytest.mark.parametrize("activation", [None, "relu", "tanh"])
@pytest.mark.parametrize("case", ["rows", "lanes", "tiles", "spectra", "no channels"])
def test_out_that_overlaps_the_residual(case, activation, rng):
    x, w, b, options = arrays_of(case, "float32", rng)
    conv = convx.prepare_conv(w, b, **options, activation=activation)
    r = values(rng, conv(x).shape, "float32")
    expected = conv(x, r)
    memory = np.empty(2 * r.size + 1, "float32")
    for _ in range(2):
        for shift in (0, 1, r.size // 2, r.size):
            given = memory[: r.size].reshape(r.shape)
            out = memory[shift : shift + r.size].reshape(r.shape)
            given[...] = r
            assert conv(x, given, out=out) is out
            assert_same(out.copy(), expected)
        given = np.asfortranarray(r)
        conv(x, given, out=given)
        np.testing.assert_array_equal(given, expected)


# The shortcut of repeated calls


def test_repeated_calls_with_and_without(rng):
    x, w, b = values(rng, (1, 2, 9, 9)), values(rng, (2, 2, 3, 3)), values(rng, (2,))
    r = values(rng, (1, 2, 7, 7))
    for bias in (b, None):
        conv = convx.prepare_conv(w, bias, activation="silu")
        plain = F.conv2d(x, w, bias)
        for _ in range(4):
            assert_same(conv(x), activated(plain, "silu"))
            assert_same(conv(x, r), activated(plain + r, "silu"))
            assert_same(conv(x[0], r[0]), activated(plain + r, "silu")[0])
            assert_same(conv(x, r[..., ::-1]), activated(plain + r[..., ::-1], "silu"))
            r += 1  # the values are not remembered
            with pytest.raises(ValueError, match="residual"):
                conv(x, r[0])
            with pytest.raises(ValueError, match="residual"):
                conv(x, r[..., 1:])


def test_conversions_of_the_same_weights_do_not_mix(rng):
    """Programs are shared by prepared convolutions; what comes after is not."""
    x, w = values(rng, (1, 2, 9, 9)), values(rng, (2, 2, 3, 3))
    convs = {name: convx.prepare_conv(w, activation=name) for name in (None, *ACTIVATIONS)}
    steep = convx.prepare_conv(w, activation="leaky_relu", negative_slope=3)
    y = F.conv2d(x, w)
    for _ in range(3):
        for name, conv in convs.items():
            assert_same(conv(x), activated(y, name))
        assert_same(steep(x), activated(y, "leaky_relu", negative_slope=3))


# Results that an algorithm cannot give


@pytest.mark.parametrize("algorithm", ["winograd", "fft"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
def test_what_is_computed_once_more_is_finished_once(algorithm, value, rng):
    """The residual is added once, and what is not finite stays where it is."""
    x, w = values(rng, (1, 3, 20, 20), "float32"), values(rng, (4, 3, 3, 3), "float32")
    w[:, :, 1, 1] = 1
    x[0, 1, 7, 8] = value
    r = values(rng, (1, 4, 20, 20), "float32")
    directly = convx.prepare_conv(w, padding=1, algorithm="direct")(x)
    for activation in (None, *ACTIVATIONS):
        options = {"padding": 1, "algorithm": algorithm, "activation": activation}
        conv = convx.prepare_conv(w, **options)
        assert convx.explain(conv, x, r).algorithm == algorithm
        for _ in range(2):
            assert_same(conv(x, r), activated(directly + r, activation))


@pytest.mark.parametrize("algorithm", ["winograd", "fft", "direct"])
def test_a_residual_that_is_not_finite_stays_in_its_place(algorithm, rng):
    x, w = values(rng, (1, 3, 20, 20)), values(rng, (4, 3, 3, 3))
    conv = convx.prepare_conv(w, padding=1, algorithm=algorithm)
    r = values(rng, (1, 4, 20, 20))
    expected = conv(x, r)
    r[0, 2, 3, 4], r[0, 1, 5, 6] = np.nan, np.inf
    expected[0, 2, 3, 4], expected[0, 1, 5, 6] = np.nan, np.inf
    np.testing.assert_array_equal(conv(x, r), expected)


# What is told, and what is refused


def test_explain(rng):
    x, w = np.ones((2, 8, 20, 20)), np.ones((16, 8, 3, 3))
    conv = convx.prepare_conv(w, activation="relu")
    told = convx.explain(conv, x, np.ones((2, 16, 18, 18)))
    assert told == convx.explain(conv, x)
    assert told.output_shape == (2, 16, 18, 18)
    with pytest.raises(ValueError, match="residual"):
        convx.explain(conv, x, np.ones((2, 16, 18, 17)))
    assert "relu" in repr(conv)
    assert "leaky_relu" in repr(convx.prepare_conv(w, activation="leaky_relu"))


W = np.ones((2, 1, 3))
BAD = {
    "no such activation": ({"activation": "gelu"}, ValueError, "activation .* 'relu', .* 'gelu'"),
    "no name": ({"activation": 1}, TypeError, "activation must be a string"),
    "a function": ({"activation": np.tanh}, TypeError, "activation must be a string"),
    "a list": ({"activation": ["relu"]}, TypeError, "activation"),
    "slope of none": ({"negative_slope": 0.1}, ValueError, "negative_slope"),
    "slope of another": (
        {"activation": "relu", "negative_slope": 0.1}, ValueError, "negative_slope .* 'relu'"),
    "slope nan": ({"negative_slope": np.nan}, ValueError, "negative_slope must be finite"),
    "slope inf": ({"negative_slope": -np.inf}, ValueError, "negative_slope must be finite"),
    "slope huge": ({"negative_slope": 10**400}, ValueError, "negative_slope must be finite"),
    "slope text": ({"negative_slope": "0.1"}, TypeError, "negative_slope must be a real number"),
    "slope bool": ({"negative_slope": True}, TypeError, "negative_slope"),
    "slope complex": ({"negative_slope": 1j}, TypeError, "negative_slope"),
    "slope array": ({"negative_slope": np.ones(2)}, TypeError, "negative_slope"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_options(case):
    options, error, message = BAD[case]
    if set(options) == {"negative_slope"} and case != "slope of none":
        options = {"activation": "leaky_relu", **options}
    with pytest.raises(error, match=message):
        convx.prepare_conv(W, **options)


def test_a_slope_is_finite_in_the_type_that_is_computed_in():
    for dtype in ("float16", "float32"):
        with pytest.raises(ValueError, match="negative_slope must be finite"):
            convx.prepare_conv(W.astype(dtype), activation="leaky_relu", negative_slope=1e39)
    convx.prepare_conv(W, activation="leaky_relu", negative_slope=1e39)


@pytest.mark.parametrize("dtype", [*INTEGERS, "complex64", "complex128"])
def test_activations_are_for_floating_types(dtype):
    for weight, bias in ((W.astype(dtype), None), (W.astype("complex64"), np.ones(2, dtype))):
        with pytest.raises(TypeError, match=r"activation .* (complex|u?int)"):
            convx.prepare_conv(weight, bias, activation="relu")
    conv = convx.prepare_conv(W, activation="relu")
    if dtype.startswith("complex"):
        with pytest.raises(TypeError, match=r"activation .* complex128"):
            conv(np.ones((1, 1, 5), dtype))
        with pytest.raises(TypeError, match=r"activation .* complex128"):
            conv(np.ones((1, 1, 5)), np.ones((1, 2, 3), dtype))
    else:
        assert conv(np.ones((1, 1, 5), dtype)).dtype == np.float64


def test_bad_residuals():
    conv, x = convx.prepare_conv(W, activation="relu"), np.ones((4, 1, 5))
    for shape in [(4, 2, 4), (2, 3), (1, 2, 3), (4, 2, 3, 1), (), (4, 2, 0)]:
        with pytest.raises(ValueError, match=r"residual must have shape \(4, 2, 3\)"):
            conv(x, np.ones(shape))
    with pytest.raises(ValueError, match=r"residual must have shape \(2, 3\)"):
        conv(x[0], np.ones((1, 2, 3)))
    for wrong in (np.ones((4, 2, 3), bool), np.ones((4, 2, 3), object), "residual"):
        with pytest.raises(TypeError, match="residual"):
            conv(x, wrong)
    masked = np.ma.masked_equal(np.eye(3)[None, :2], 0)
    with pytest.raises(TypeError, match="residual"):
        conv(x, masked)
    with pytest.raises(TypeError, match="positional"):
        conv(x, None, np.ones((4, 2, 3)))  # out is a keyword
