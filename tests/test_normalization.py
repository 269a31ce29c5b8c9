"""Normalisations against PyTorch's samples, the reference, and themselves in other arrangements."""

from itertools import chain

import numpy as np
import pytest
from hypothesis import strategies as st
from support import assert_same, guarded, randomly, run_in_child, run_python
from torch_samples import (
    as_numpy,
    assert_alike,
    check_errors,
    check_gradients,
    check_samples,
    samples,
)

import convx
from convx import functional as F
from convx import grad, reference

NAMES = ["batch_norm", "layer_norm", "group_norm", "instance_norm", "local_response_norm"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_samples(name, dtype):
    check_samples(f"nn.functional.{name}", getattr(F, name), dtype)


def test_samples_of_integers():
    torch = pytest.importorskip("torch")
    for arguments, options in samples("nn.functional.local_response_norm", "int64"):
        if not arguments[0].numel():  # comes back as it is, of integers, from PyTorch
            continue
        expected = torch.nn.functional.local_response_norm(*arguments, **options)
        result = F.local_response_norm(*as_numpy(arguments), **options)
        assert_alike(result, expected, 5e-7, 0)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_of_samples(name):
    check_gradients(f"nn.functional.{name}", getattr(grad, name))


def test_errors_of_samples():
    check_errors("nn.functional.group_norm", F.group_norm)


# Against the reference

shapes = st.tuples(
    st.integers(1, 4),
    st.integers(1, 6),
    st.one_of(
        st.just(()),
        st.tuples(st.integers(1, 40)),
        st.tuples(st.integers(1, 70), st.integers(1, 70)),
        st.just((5000,)),
    ),
).map(lambda shape: (*shape[:2], *shape[2]))


def arrays_of(shape, seed, given_parameters, dtype="float64"):
    rng = np.random.default_rng(seed)
    x, dy = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
    weight, bias = (
        rng.standard_normal(shape[1]).astype(dtype) if there else None for there in given_parameters
    )
    return x + rng.standard_normal(), dy, weight, bias


pairs = st.tuples(st.booleans(), st.booleans())


def assert_near(result, expected, rtol=1e-9):
    assert type(result) is np.ndarray
    np.testing.assert_allclose(result, expected, rtol=rtol, atol=rtol)


def check_parameter_gradients(dw, db, weight, bias, dy, normalised, axes):
    for found, given, expected in ((dw, weight, dy * normalised), (db, bias, dy)):
        if given is None:
            assert found is None
        else:
            assert_near(found, expected.sum(axes).reshape(given.shape))


@randomly(60, shape=shapes, seed=st.integers(0, 99), given_parameters=pairs)
def test_batch_norm(shape, seed, given_parameters):
    x, dy, weight, bias = arrays_of(shape, seed, given_parameters)
    count, axes = x.size // shape[1], (0, *range(2, x.ndim))
    if count == 1:
        with pytest.raises(ValueError, match="more than one value"):
            F.batch_norm(x, None, None, training=True)
        return
    running = np.full(shape[1], 3.0), np.full(shape[1], 2.0)
    result = F.batch_norm(x, *running, weight, bias, training=True, momentum=0.25)
    assert_near(result, reference.batch_norm(x, None, None, weight, bias, training=True))
    mean, variance = (one.reshape(-1) for one in reference.moments(x, axes))
    assert_near(running[0], 0.75 * 3 + 0.25 * mean)
    assert_near(running[1], 0.75 * 2 + 0.25 * variance * count / (count - 1))
    dx, no_mean, no_var, dw, db = grad.batch_norm(dy, x, *running, weight, bias, training=True)
    assert no_mean is no_var is None
    w = np.ones(shape[1]) if weight is None else weight
    weighted = dy * w.reshape(-1, *(1,) * (x.ndim - 2))
    assert_near(dx, reference.normalize_gradient(weighted, x, axes), 1e-8)
    normalised = reference.batch_norm(x, None, None, training=True)
    check_parameter_gradients(dw, db, weight, bias, dy, normalised, axes)


@randomly(40, shape=shapes, seed=st.integers(0, 99), given_parameters=pairs)
def test_batch_norm_by_given_statistics(shape, seed, given_parameters):
    x, dy, weight, bias = arrays_of(shape, seed, given_parameters)
    running = x.reshape(-1)[: shape[1]].repeat(shape[1])[: shape[1]], np.arange(1.0, shape[1] + 1)
    before = [one.copy() for one in running]
    result = F.batch_norm(x, *running, weight, bias)
    assert_near(result, reference.batch_norm(x, *running, weight, bias))
    dx, _, _, dw, db = grad.batch_norm(dy, x, *running, weight, bias)
    assert_near(dx, reference.batch_norm(dy, 0 * running[0], running[1], weight))
    normalised, axes = reference.batch_norm(x, *running), (0, *range(2, x.ndim))
    check_parameter_gradients(dw, db, weight, bias, dy, normalised, axes)
    for one, other in zip(running, before, strict=True):
        assert_same(one, other)


@randomly(60, shape=shapes, seed=st.integers(0, 99), given_parameters=pairs)
def test_instance_norm(shape, seed, given_parameters):
    x, dy, weight, bias = arrays_of(shape, seed, given_parameters)
    axes = tuple(range(2, x.ndim))
    if x.size == shape[0] * shape[1]:
        with pytest.raises(ValueError, match="more than one value"):
            F.instance_norm(x)
        return
    running = np.full(shape[1], 3.0), np.full(shape[1], 2.0)
    result = F.instance_norm(x, *running, weight, bias, momentum=1.0)
    assert_near(result, reference.instance_norm(x, weight, bias))
    assert_near(running[0], x.mean((0, *axes)))
    assert_near(running[1], x.var(axes, ddof=1).mean(0))
    given_statistics = F.instance_norm(x, *running, weight, bias, use_input_stats=False)
    assert_near(given_statistics, reference.batch_norm(x, *running, weight, bias))
    dx, _, _, dw, db = grad.instance_norm(dy, x, None, None, weight, bias)
    w = np.ones(shape[1]) if weight is None else weight
    weighted = dy * w.reshape(-1, *(1,) * len(axes))
    assert_near(dx, reference.normalize_gradient(weighted, x, axes), 1e-8)
    normalised = reference.instance_norm(x)
    check_parameter_gradients(dw, db, weight, bias, dy, normalised, (0, *axes))


@randomly(
    60, shape=shapes, seed=st.integers(0, 99), groups=st.integers(1, 4), given_parameters=pairs
)
def test_group_norm(shape, seed, groups, given_parameters):
    shape = (shape[0], shape[1] * groups, *shape[2:])
    x, dy, weight, bias = arrays_of(shape, seed, given_parameters)
    if x.size == groups:
        with pytest.raises(ValueError, match="more than one value"):
            F.group_norm(x, groups)
        return
    result = F.group_norm(x, groups, weight, bias)
    assert_near(result, reference.group_norm(x, groups, weight, bias))
    dx, dw, db = grad.group_norm(dy, x, groups, weight, bias)
    w = np.ones(shape[1]) if weight is None else weight
    weighted = dy * w.reshape(-1, *(1,) * (x.ndim - 2))
    grouped = (shape[0], groups, -1)
    expected = reference.normalize_gradient(weighted.reshape(grouped), x.reshape(grouped), (2,))
    assert_near(dx, expected.reshape(shape), 1e-8)
    normalised = reference.group_norm(x, groups)
    check_parameter_gradients(dw, db, weight, bias, dy, normalised, (0, *range(2, x.ndim)))


@randomly(60, shape=shapes, seed=st.integers(0, 99), last=st.integers(1, 3), given_parameters=pairs)
def test_layer_norm(shape, seed, last, given_parameters):
    x, dy, _, _ = arrays_of(shape, seed, (False, False))
    inner = shape[-last:]
    rng = np.random.default_rng(seed)
    weight, bias = (rng.standard_normal(inner) if there else None for there in given_parameters)
    result = F.layer_norm(x, inner, weight, bias)
    assert_near(result, reference.layer_norm(x, inner, weight, bias))
    dx, dw, db = grad.layer_norm(dy, x, inner, weight, bias)
    weighted = dy if weight is None else dy * weight
    axes = tuple(range(x.ndim - len(inner), x.ndim))
    assert_near(dx, reference.normalize_gradient(weighted, x, axes), 1e-8)
    outer = tuple(range(x.ndim - len(inner)))
    normalised = reference.layer_norm(x, inner)
    check_parameter_gradients(dw, db, weight, bias, dy, normalised, outer)


@randomly(40, shape=shapes, seed=st.integers(0, 99), size=st.integers(1, 9))
def test_local_response_norm(shape, seed, size):
    if len(shape) < 3:
        shape = (*shape, 3)
    x, dy, _, _ = arrays_of(shape, seed, (False, False))
    options = {"alpha": 0.5, "beta": 0.6, "k": 2.0}
    assert_near(
        F.local_response_norm(x, size, **options), reference.local_response_norm(x, size, **options)
    )
    dx = grad.local_response_norm(dy, x, size, **options)
    step = 1e-6 * np.random.default_rng(seed).standard_normal(shape)
    ahead, behind = (F.local_response_norm(x + s, size, **options) for s in (step, -step))
    np.testing.assert_allclose(
        (dx * 2 * step).sum(), (dy * (ahead - behind)).sum(), rtol=1e-5, atol=1e-10
    )


# Accuracy


@pytest.mark.parametrize("shape", [(8, 3, 1000), (64, 3), (2, 3, 20000)])
def test_a_large_mean_costs_no_accuracy(rng, shape):
    """The float32 values of mean 1e4 are spread over some thousands of steps of theirs."""
    x = (1e4 + rng.standard_normal(shape)).astype(np.float32)
    exact = reference.batch_norm(x.astype(float), None, None, training=True)
    running = np.zeros(3), np.zeros(3)
    result = F.batch_norm(x, *running, training=True, momentum=1)
    np.testing.assert_allclose(result, exact, atol=2e-6)
    axes = (0, *range(2, x.ndim))
    np.testing.assert_allclose(running[0], x.mean(axes, dtype=float), rtol=1e-14)
    np.testing.assert_allclose(running[1], x.astype(float).var(axes, ddof=1), rtol=1e-12)
    dy = rng.standard_normal(shape).astype(np.float32)
    dx = grad.batch_norm(dy, x, None, None, training=True)[0]
    expected = reference.normalize_gradient(dy.astype(float), x.astype(float), axes)
    np.testing.assert_allclose(dx, expected, atol=4e-6)


def test_constant_channels():
    x = np.full((4, 2, 100), 0.1, np.float32)
    running = np.zeros(2, np.float32), np.ones(2, np.float32)
    result = F.batch_norm(x, *running, bias=[3.0, 4.0], training=True, momentum=1)
    assert_same(result, np.broadcast_to(np.float32([[3], [4]]), x.shape).copy())
    assert_same(running[0], np.full(2, 0.1, np.float32))
    assert_same(running[1], np.zeros(2, np.float32))


def test_an_outlier_in_front(rng):
    x = rng.standard_normal((1, 1, 10000))
    x[0, 0, 0] = 1e9
    np.testing.assert_allclose(
        F.batch_norm(x, None, None, training=True),
        reference.batch_norm(x, None, None, training=True),
        rtol=1e-7,
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 77])
def test_what_is_not_finite_stays_in_its_segment(bad, place, rng):
    x = rng.standard_normal((2, 3, 100))
    x[0, 1, place] = bad
    running = np.zeros(3), np.ones(3)
    result = F.batch_norm(x, *running, training=True)
    assert np.isnan(result).all((0, 2)).tolist() == [False, True, False]
    assert np.isnan(running[1]).tolist() == [False, True, False]
    assert np.isfinite(result[:, [0, 2]]).all()
    np.testing.assert_equal(running[0][1], 0.1 * bad)
    assert np.isnan(F.instance_norm(x)).all(2).sum() == 1
    assert np.isnan(F.batch_norm(x, np.zeros(3), np.ones(3))).sum() == np.isnan(x).sum()


# Arrangements

CALLS = {
    "batch_norm": lambda x, w, f=F.batch_norm, **o: f(x, None, None, w, w, training=True, **o),
    "batch_norm, given": lambda x, w, f=F.batch_norm, **o: f(x, w, abs(w), w, w, **o),
    "instance_norm": lambda x, w, f=F.instance_norm, **o: f(x, None, None, w, w, **o),
    "group_norm": lambda x, w, f=F.group_norm, **o: f(x, 2, w, w, **o),
    "layer_norm": lambda x, w, f=F.layer_norm, **o: f(x, x.shape[-1:], x[0, 0, 0], x[0, 0, 1], **o),
    "local_response_norm": lambda x, w, f=F.local_response_norm, **o: f(x, 3, 0.5, **o),
}
calls = pytest.mark.parametrize("name", CALLS)


def gradient_of(name, dy, x, w):
    function = getattr(grad, name.split(",")[0])
    result = CALLS[name](x, w, f=lambda *arguments, **o: function(dy, *arguments, **o))
    return [one for one in (result if isinstance(result, tuple) else (result,)) if one is not None]


@calls
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(3, 4, 5, 7), (2, 4, 100, 90), (40, 4, 50, 21), (3, 4, 2, 3)])
def test_threads_change_no_bits(name, dtype, shape, rng):
    x, dy = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
    w = rng.standard_normal(4).astype(dtype)
    results = []
    for count in (1, 2):
        with convx.threads(count):
            results.append([CALLS[name](x, w), *gradient_of(name, dy, x, w)])
    for one, other in zip(*results, strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("shape", [(3, 9, 279, 279), (40, 9, 77, 77)])
def test_gradients_of_large_batches(shape, rng):
    """What is asked for early changes no bits: those of channels alone, which come from a cache."""
    x, dy = (rng.standard_normal(shape, np.float32) for _ in range(2))
    w = rng.standard_normal(9).astype(np.float32)
    dx, dw, db = gradient_of("batch_norm", dy, x, w)
    for few in (slice(0, 2), slice(7, 9)):
        alone = gradient_of("batch_norm", dy[:, few].copy(), x[:, few].copy(), w[few])
        for one, other in zip(alone, (dx[:, few], dw[few], db[few]), strict=True):
            assert_same(one, other)


@pytest.mark.parametrize("rows", [2, 4, 5, 17, 40])
def test_long_rows(rows, rng):
    """Few ones are shared out by chunks among threads, many as they are."""
    x, dy = rng.standard_normal((2, rows, 9, 1000))
    weight, bias = rng.standard_normal((2, 9, 1000))
    results = []
    for count in (1, 2):
        with convx.threads(count):
            y = F.layer_norm(x, (9, 1000), weight, bias)
            results.append([y, *grad.layer_norm(dy, x, (9, 1000), weight, bias)])
    for one, other in zip(*results, strict=True):
        assert_same(one, other)
    y, dx, dw, db = results[0]
    assert_near(y, reference.layer_norm(x, (9, 1000), weight, bias))
    assert_near(dx, reference.normalize_gradient(dy * weight, x, (1, 2)))
    assert_near(dw, (dy * reference.layer_norm(x, (9, 1000))).sum(0))
    assert_near(db, dy.sum(0))


@calls
def test_other_layouts(name, rng):
    x, dy = (rng.standard_normal((3, 4, 9, 20)).astype(np.float32) for _ in range(2))
    w = rng.standard_normal(4).astype(np.float32)
    expected = [CALLS[name](x, w), *gradient_of(name, dy, x, w)]
    turned = np.ascontiguousarray(x.T).T
    swapped, read_only = x.astype(">f4"), np.frombuffer(x.tobytes(), "f4").reshape(x.shape)
    odd = np.frombuffer(b"?" + x.tobytes(), "f4", x.size, 1).reshape(x.shape)
    for other in (turned, swapped, read_only, odd):
        results = [CALLS[name](other, w), *gradient_of(name, dy, other, w)]
        for one, exactly in zip(results, expected, strict=True):
            assert_same(one, exactly)


@calls
def test_half_precision(name, rng):
    x, dy = (rng.standard_normal((3, 4, 9, 20)).astype(np.float16) for _ in range(2))
    w = rng.standard_normal(4).astype(np.float16)
    singles = [one.astype(np.float32) for one in (x, dy, w)]
    expected = [
        CALLS[name](singles[0], singles[2]),
        *gradient_of(name, singles[1], singles[0], singles[2]),
    ]
    for one, exactly in zip(
        [CALLS[name](x, w), *gradient_of(name, dy, x, w)], expected, strict=True
    ):
        assert_same(one, exactly.astype(np.float16))


@calls
@pytest.mark.parametrize("shape", [(3, 4, 9, 20), (3, 4, 2, 2)])
def test_out(name, shape, rng):
    x, w = rng.standard_normal(shape), rng.standard_normal(4)
    expected = CALLS[name](x, w)
    out = np.empty(shape)
    assert CALLS[name](x, w, out=out) is out
    assert_same(out, expected)
    turned = np.empty(shape[::-1]).T
    assert CALLS[name](x, w, out=turned) is turned
    assert_same(turned.copy("C"), expected)
    assert CALLS[name](x, w, out=x) is x
    assert_same(x, expected)
    with pytest.raises(ValueError, match="out must"):
        CALLS[name](x, w, out=np.empty(3))


@pytest.mark.parametrize("name", ["batch_norm, given", "instance_norm", "group_norm", "layer_norm"])
def test_an_item_alone(name, rng):
    x, w = rng.standard_normal((3, 4, 9, 20)).astype("f4"), rng.standard_normal(4).astype("f4")
    if name == "layer_norm":
        whole, alone = (F.layer_norm(one, (9, 20)) for one in (x, x[1:2]))
    else:
        whole, alone = CALLS[name](x, w), CALLS[name](x[1:2], w)
    assert_same(alone, whole[1:2].copy())


INSTRUCTION_SETS = """
import hashlib, numpy as np
from convx import functional as F, grad
rng = np.random.default_rng(0)
said = hashlib.sha256()
for dtype in ("f4", "f8"):
    for shape in ((3, 4, 50, 21), (5, 4, 3), (5, 4, 2)):
        x, dy = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
        w, m = rng.standard_normal(4).astype(dtype), rng.standard_normal(shape[-1]).astype(dtype)
        results = [F.batch_norm(x, None, None, w, w, training=True), F.group_norm(x, 2, w, w),
                   F.layer_norm(x, shape[-1:], m, m), *grad.layer_norm(dy, x, shape[-1:], m, m),
                   *grad.group_norm(dy, x, 2, w, w),
                   *grad.batch_norm(dy, x, None, None, w, w, True), F.batch_norm(x, w, w * w),
                   *grad.batch_norm(dy, x, w, w * w, w, w)]
        for one in results:
            if one is not None:
                said.update(one.tobytes())
print(said.hexdigest())
"""


def test_instruction_sets_change_no_bits():
    try:
        said = {run_python(INSTRUCTION_SETS, CONVX_ISA=isa) for isa in ("avx2", "avx512")}
    except AssertionError as error:
        if "CONVX_ISA" in str(error):
            pytest.skip("the machine has not both")
        raise
    assert len(said) == 1


@pytest.mark.parametrize("shape", [(0, 3, 5), (2, 3, 0), (2, 0, 4)])
def test_no_elements(shape):
    x, w = np.ones(shape, np.float32), np.ones(shape[1], np.float32)
    running = np.zeros(shape[1]), np.ones(shape[1])
    assert_same(F.batch_norm(x, *running, w, training=True), x)
    assert running[0].sum() == 0
    dx, _, _, dw, db = grad.batch_norm(x, x, *running, w, w, training=True)
    assert_same(dx, x)
    assert_same(dw, np.zeros_like(w))
    assert_same(db, np.zeros_like(w))
    assert_same(F.instance_norm(x, *running, w), x)
    assert_same(F.layer_norm(x, shape[2:]), x)
    assert_same(grad.group_norm(x, x, 1, w)[1], np.zeros_like(w))
    assert_same(F.local_response_norm(x, 2), x)


def test_running_statistics_of_other_types(rng):
    x = rng.standard_normal((4, 2, 30)).astype(np.float32)
    plain = np.zeros(2), np.ones(2)
    F.batch_norm(x, *plain, training=True)
    for dtype in (">f4", "f2"):
        memory = np.zeros(4, dtype), np.ones(4, dtype)
        F.batch_norm(x, memory[0][::2], memory[1][::2], training=True)
        for one, exactly in zip(memory, plain, strict=True):
            np.testing.assert_array_equal(one[::2], exactly.astype(dtype))
            assert (one[1::2] == one[1]).all()
    with pytest.raises(ValueError, match="running_mean"):
        F.batch_norm(x, None, plain[1], training=True)


@pytest.mark.parametrize("side", ["after", "before"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(3, 4, 5, 7), (3, 4, 2, 3), (1, 4, 2, 4099)])
def test_nothing_beyond_the_arrays_is_touched(side, dtype, shape, rng):
    x, dy = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
    w = rng.standard_normal(4).astype(dtype)
    names = [name for name in CALLS if name != "local_response_norm"]
    expected = [[CALLS[name](x, w), *gradient_of(name, dy, x, w)] for name in names]

    def call():
        held = [guarded(one, side) for one in (dy, x, w)]
        out = guarded(x, side)
        return [
            [CALLS[name](*held[1:], out=out).copy(), *gradient_of(name, *held)] for name in names
        ]

    outcome = run_in_child(call)
    assert outcome.error is None, outcome
    for one, exactly in zip(chain(*outcome.value), chain(*expected), strict=True):
        assert_same(one, exactly)
