"""A convolution, a ReLU and averages as one stage: the bits of one after the other."""

import numpy as np
import pytest
from support import assert_same, check_bits, guarded, small_integers

import convx
from convx import functional as F
from convx import grad, nn, reference
from convx._core._driver import instruction_sets

# Items, channels, filters, sizes, kernel, padding: LeNet's two, an odd number of items and of
# filters, rows of all kinds of lengths, several parts; averages of wide planes.
STAGES = [
    (32, 1, 6, (28, 28), (5, 5), 2),
    (32, 6, 16, (14, 14), (5, 5), 0),
    (27, 3, 7, (8, 12), (3, 3), 0),
    (16, 5, 8, (10, 6), (3, 3), 1),
    (45, 2, 5, (6, 20), (3, 5), (1, 0)),
    (8, 2, 5, (66, 68), (3, 3), 0),
]


def arrays_of(stage, dtype="float32"):
    batch, channels, filters, sizes, kernel, padding = stage
    rng = np.random.default_rng(batch)
    x = rng.standard_normal((batch, channels, *sizes)).astype(dtype)
    w = rng.standard_normal((filters, channels, *kernel)).astype(dtype)
    b = rng.standard_normal(filters).astype(dtype)
    outputs = F.conv2d(x[:1], w, b, padding=padding).shape[2:]
    size = tuple(one // 2 for one in outputs)
    dy = rng.standard_normal((batch, filters, *size)).astype(dtype)
    return (dy, x, w, b), size, {"padding": padding, "algorithm": "direct"}


def staged(dy, x, w, b, size, input_gradient=True, **options):
    """Compute everything as a stage; returns what was kept as well."""
    more = {**options, "input_gradient": input_gradient}
    y, kept = F.conv2d_relu_avg_pool(x, w, b, size, **more)
    return kept, y, *grad.conv2d_relu_avg_pool(dy, x, w, b, kept, size, **more)


def one_by_one(dy, x, w, b, size, **options):
    sums = F.conv2d(x, w, b, **options)
    slopes = grad.relu(grad.adaptive_avg_pool2d(dy, sums, size), sums)
    y = F.adaptive_avg_pool2d(F.relu(sums), size)
    return y, *grad.conv2d(slopes, x, w, b, **options)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("stage", STAGES)
def test_bits_are_those_of_one_after_the_other(stage, dtype):
    arrays, size, options = arrays_of(stage, dtype)
    expected = one_by_one(*arrays, size, **options)
    for threads in (1, 2):
        with convx.threads(threads):
            _, *found = staged(*arrays, size, **options)
        for one, other in zip(found, expected):
            assert_same(one, other)


def test_what_is_a_stage():
    """Batches whose convolutions have items side by side, and averages over blocks of 2 by 2."""
    arrays, size, options = arrays_of(STAGES[1])
    with convx.threads(2):
        assert staged(*arrays, size, **options)[0].dtype == np.uint8
        assert staged(*arrays, size, padding=0)[0].dtype == np.uint8
        dy, x, w, b = arrays
        other = np.ones((len(x), len(w), 1, 1), "float32")
        assert staged(other, x, w, b, 1, **options)[0].dtype == np.float32
        few = staged(dy[:3], x[:3], w, b, size, **options)
        assert few[0].dtype == np.float32
        some = staged(dy[:16], x[:16], w, b, size, **options)
        assert some[0].dtype == np.float32  # there is a part for one thread
    with convx.threads(1):
        some = staged(dy[:16], x[:16], w, b, size, **options)
        assert some[0].dtype == np.uint8
        # the gradient of a single channel has no items side by side
        dy, x, w, b = arrays_of(STAGES[0])[0]
        assert staged(dy, x, w, b, 14, padding=2)[0].dtype == np.float32
        kept, *_, dx, _, _ = staged(dy, x, w, b, 14, input_gradient=False, padding=2)
        assert kept.dtype == np.uint8
        assert dx is None


def test_against_the_reference():
    (dy, x, w, b), size, options = arrays_of(STAGES[2], "float64")
    sums = reference.conv_nd(x, w, b, padding=options["padding"])
    n, k, h, width = sums.shape
    blocks = np.maximum(sums, 0).reshape(n, k, h // 2, 2, width // 2, 2)
    slopes = np.repeat(np.repeat(dy / 4, 2, 2), 2, 3) * (sums > 0)
    dx, dw, db = reference.conv_nd_grad(slopes, x, w, b, padding=options["padding"])
    with convx.threads(1):
        _, *found = staged(dy, x, w, b, size, **options)
    expected = (blocks.mean((3, 5)), dx, dw, db)
    for one, other in zip(found, expected):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("place", ["x", "w", "b"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite(place, value):
    """It goes where it goes in one after the other, through weights next to zeros as well."""
    (dy, x, w, b), size, options = arrays_of(STAGES[1])
    {"x": x, "w": w, "b": b}[place].reshape(-1)[5] = value
    with convx.threads(1), np.errstate(all="ignore"):
        _, *found = staged(dy, x, w, b, size, **options)
        for one, other in zip(found, one_by_one(dy, x, w, b, size, **options)):
            np.testing.assert_array_equal(one, other)


def test_without_bias_or_input_gradient():
    (dy, x, w, _), size, options = arrays_of(STAGES[1])
    with convx.threads(1):
        kept, y, dx, dw, db = staged(dy, x, w, None, size, False, **options)
        assert kept.dtype == np.uint8
    expected = one_by_one(dy, x, w, None, size, **options)
    assert_same(y, expected[0])
    assert_same(dw, expected[2])
    assert dx is None
    assert db is None


def test_other_threads_and_arrays_on_the_way_back():
    """What was kept of a stage is enough, whatever computes the gradients."""
    (dy, x, w, b), size, options = arrays_of(STAGES[1])
    dy, x = dy[:16], x[:16]
    with convx.threads(1):
        _, kept = F.conv2d_relu_avg_pool(x, w, b, size, **options)
    assert kept.dtype == np.uint8
    expected = one_by_one(dy, x, w, b, size, **options)[1:]
    turned = np.asfortranarray(dy)
    for threads, slopes, held in ((2, dy, kept), (1, turned, kept), (1, dy, kept[:-1])):
        with convx.threads(threads):
            found = grad.conv2d_relu_avg_pool(slopes, x, w, b, held, size, **options)
        for one, other in zip(found, expected):
            assert_same(one, other)
    with pytest.raises(ValueError, match="grad_output"):
        grad.conv2d_relu_avg_pool(dy[:, :, 1:], x, w, b, kept, size, **options)
    swapped = x.astype(">f4")
    assert_same(
        F.conv2d_relu_avg_pool(swapped, w, b, size, **options)[0].astype("f4"),
        F.conv2d_relu_avg_pool(x, w, b, size, **options)[0],
    )


@pytest.mark.parametrize("side", ["before", "after"])
def test_nothing_is_read_beyond_the_arrays(side):
    arrays, size, options = arrays_of(STAGES[2])
    with convx.threads(1):
        _, *found = staged(*(guarded(one, side) for one in arrays), size, **options)
        for one, other in zip(found, staged(*arrays, size, **options)[1:]):
            assert_same(one, other)


def every_stage():
    """Return the bytes of all results but what is kept."""
    results = []
    for stage in STAGES:
        for dtype in ("float32", "float64"):
            arrays, size, options = arrays_of(stage, dtype)
            results += staged(*arrays, size, **options)[1:]
    return b"".join(one.tobytes() for one in results)


def test_bits_on_all_threads_and_wide_vectors():
    check_bits(every_stage, {"avx512", "avx2"} & set(instruction_sets()))


def test_layers_are_a_stage(monkeypatch):
    """A convolution, a ReLU and adaptive averages, one after the other in a model."""
    (dy, x, w, b), size, _ = arrays_of(STAGES[1])
    layers = (nn.Conv2d(6, 16, 5, rng=0), nn.ReLU(), nn.AdaptiveAvgPool2d(size))
    layers[0].weight.data, layers[0].bias.data = w, b
    calls, function = [], F.conv2d_relu_avg_pool

    def counted(*given, **options):
        calls.append(1)
        return function(*given, **options)

    monkeypatch.setattr(F, "conv2d_relu_avg_pool", counted)
    expected = one_by_one(dy, x, w, b, size)
    for others in ((), (nn.Identity(),)):
        model = nn.Sequential(*layers, *others)
        model.zero_grad()
        y, pullback = model.vjp(x)
        results = (y, pullback(dy), layers[0].weight.grad, layers[0].bias.grad)
        for one, other in zip(results, expected):
            assert_same(one, other)
    assert len(calls) == 2
    nn.Sequential(layers[0], nn.ReLU(), nn.AvgPool2d(2)).vjp(x)
    nn.Sequential(nn.ConvTranspose2d(6, 5, 3), *layers[1:]).vjp(x)
    nn.Sequential(layers[0], nn.Identity(), *layers[1:]).vjp(x)
    assert len(calls) == 2


# Gradients of biases, whose sums are those of stages


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "shape", [(3, 5, 1, 1), (9, 3, 4, 5), (2, 4, 45, 46), (5, 1, 1, 2049), (1, 2, 3, 7)]
)
def test_gradient_of_the_bias(shape, dtype):
    rng = np.random.default_rng(3)
    x, w = np.ones((shape[0], 1, *shape[2:]), dtype), np.ones((shape[1], 1, 1, 1), dtype)
    b = np.zeros(shape[1], dtype)
    whole = small_integers(rng, shape, dtype)
    assert_same(grad.conv2d(whole, x, w, b)[2], whole.sum((0, 2, 3)))
    dy = rng.standard_normal(shape).astype(dtype)
    exact = dy.astype("float64").sum((0, 2, 3))
    magnitude = np.abs(dy.astype("float64")).sum((0, 2, 3))
    error = np.abs(grad.conv2d(dy, x, w, b)[2] - exact)
    assert (error <= 8 * np.finfo(dtype).eps * magnitude).all()
    for side in ("before", "after"):
        assert_same(grad.conv2d(guarded(dy, side), x, w, b)[2], grad.conv2d(dy, x, w, b)[2])


def every_bias():
    """Return the bytes of a gradient that several threads compute."""
    dy = np.random.default_rng(0).standard_normal((33, 7, 60, 61)).astype("float32")
    x, w = np.ones((33, 1, 60, 61), "float32"), np.ones((7, 1, 1, 1), "float32")
    return grad.conv2d(dy, x, w, np.zeros(7, "float32"))[2].tobytes()


def test_bits_of_the_bias():
    check_bits(every_bias, instruction_sets())
