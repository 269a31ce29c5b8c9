"""Bad and odd input of activations, softmax and dropout: no crash, no hang, an error that tells.

The numbers of the rows are those of the list that test_bad_input.py tells of.
"""

import math

import numpy as np
import pytest
from test_bad_input import BIGGER, Row, broadcast, check_row, nested

from convx import functional as F
from convx import grad

X = np.linspace(-2.0, 2.0, 12).reshape(3, 4)
IMAGE = np.ones((2, 3, 4, 4))
BOTH = (TypeError, ValueError)

ROWS = [
    Row(4, "p True", lambda: F.dropout(X, True), TypeError, "p must"),
    Row(4, "p '0.5'", lambda: F.dropout(X, "0.5"), TypeError, "p must"),
    Row(4, "p NaN", lambda: F.dropout(X, math.nan), ValueError, "p must"),
    Row(4, "p -0.1", lambda: F.dropout2d(IMAGE, -0.1), ValueError, "p must"),
    Row(4, "p 1.1", lambda: grad.dropout3d(IMAGE, IMAGE, 1.1), ValueError, "p must"),
    Row(4, "p of 5000 digits", lambda: F.dropout(X, 10**5000), ValueError, "p must"),
    Row(4, "p an array", lambda: F.dropout(X, np.array([0.5])), TypeError, "p must"),
    Row(4, "training 'no'", lambda: F.dropout(X, 0.5, "no"), TypeError, "training"),
    Row(4, "training an array", lambda: F.rrelu(X, training=X), TypeError, "training"),
    Row(4, "inplace 1", lambda: F.relu(X.copy(), 1), TypeError, "inplace"),
    Row(4, "rng a string", lambda: F.dropout(X, rng="seed"), BOTH, "rng"),
    Row(4, "rng -1", lambda: F.dropout(X, rng=-1), BOTH, "rng"),
    Row(4, "rng a float", lambda: F.rrelu(X, training=True, rng=0.5), TypeError, "rng"),
    Row(4, "negative_slope None", lambda: F.leaky_relu(X, None), TypeError, "negative_slope"),
    Row(4, "negative_slope inf", lambda: F.leaky_relu(X, math.inf), ValueError, "negative_slope"),
    Row(4, "negative_slope 1e400", lambda: F.leaky_relu(X, 10**400), ValueError, "negative_slope"),
    Row(
        4,
        "negative_slope nested",
        lambda: F.leaky_relu(X, nested(10**4)),
        TypeError,
        "negative_slope",
    ),
    Row(4, "alpha NaN", lambda: F.elu(X, math.nan), ValueError, "alpha"),
    Row(4, "alpha 0 of celu", lambda: F.celu(X, 0), ValueError, "alpha"),
    Row(4, "alpha 1e-320 of celu", lambda: grad.celu(X, X, 1e-320), ValueError, "alpha"),
    Row(4, "beta inf", lambda: F.softplus(X, math.inf), ValueError, "beta"),
    Row(4, "threshold NaN", lambda: F.softplus(X, 1, math.nan), ValueError, "threshold"),
    Row(4, "bounds turned", lambda: F.hardtanh(X, 2, 1), ValueError, "min_val"),
    Row(4, "bound NaN", lambda: F.hardtanh(X, math.nan, 1), ValueError, "min_val"),
    Row(
        4,
        "bound that int8 does not hold",
        lambda: F.hardtanh(np.int8([1]), -1, 200),
        ValueError,
        "max_val",
    ),
    Row(
        4,
        "bound that uint8 does not hold",
        lambda: F.hardtanh(np.uint8([1])),
        ValueError,
        "min_val",
    ),
    Row(
        4,
        "bound inf of integers",
        lambda: F.hardtanh(np.int8([1]), 0, math.inf),
        ValueError,
        "max_val",
    ),
    Row(4, "lower above upper", lambda: F.rrelu(X, 0.5, 0.1), ValueError, "lower"),
    Row(4, "upper inf", lambda: F.rrelu(X, 0.5, math.inf, True), ValueError, "upper"),
    Row(4, "approximate True", lambda: F.gelu(X, True), TypeError, "approximate"),
    Row(4, "approximate 'erf'", lambda: F.gelu(X, "erf"), ValueError, "approximate"),
    Row(4, "dim 2", lambda: F.softmax(X, 2), ValueError, "dim"),
    Row(4, "dim -3", lambda: F.log_softmax(X, -3), ValueError, "dim"),
    Row(4, "dim 2**62", lambda: grad.softmax(X, X, BIGGER), ValueError, "dim"),
    Row(4, "dim 2**64", lambda: F.softmin(X, 2**64), ValueError, "dim"),
    Row(4, "dim 1.0", lambda: F.softmax(X, 1.0), TypeError, "dim"),
    Row(4, "dim True", lambda: F.softmax(X, True), TypeError, "dim"),
    Row(4, "dim 1 of a number", lambda: F.softmax(1.0, 1), ValueError, "dim"),
    Row(23, "dtype int32", lambda: F.softmax(X, 1, dtype=np.int32), TypeError, "dtype"),
    Row(23, "dtype nonsense", lambda: F.softmax(X, 1, dtype="f9"), TypeError, "dtype"),
    Row(22, "dropout1d of four axes", lambda: F.dropout1d(IMAGE), ValueError, "axes"),
    Row(22, "dropout2d of two axes", lambda: F.dropout2d(X), ValueError, "axes"),
    Row(22, "dropout3d of a number", lambda: F.dropout3d(1.0), ValueError, "axes"),
    Row(20, "slopes of another channel", lambda: F.prelu(X, [1.0, 2.0]), ValueError, "weight"),
    Row(20, "slopes of two axes", lambda: F.prelu(X, np.ones((1, 1))), ValueError, "weight"),
    Row(20, "slopes none", lambda: F.prelu(X, []), BOTH, "weight"),
    Row(24, "bool", lambda: F.relu(X > 0), TypeError, "input"),
    Row(24, "object", lambda: F.softmax(X.astype(object), 1), TypeError, "input"),
    Row(24, "strings", lambda: F.tanh("x"), TypeError, "input"),
    Row(24, "complex", lambda: F.sigmoid(X + 1j), TypeError, "input"),
    Row(24, "complex relu", lambda: F.relu(X + 1j), TypeError, "input"),
    Row(24, "integers of silu", lambda: F.silu(np.arange(3)), TypeError, "input"),
    Row(24, "integers of dropout", lambda: F.dropout(np.arange(3)), TypeError, "input"),
    Row(
        24,
        "integers of a gradient",
        lambda: grad.relu(np.ones(3), np.arange(3)),
        TypeError,
        "input",
    ),
    Row(24, "ragged lists", lambda: F.relu([[1.0], [1.0, 2.0]]), BOTH, "input"),
    Row(72, "masked array", lambda: F.relu(np.ma.masked_equal(X, X[0, 0])), TypeError, "masked"),
    Row(42, "gradient of another shape", lambda: grad.relu(X[:2], X), ValueError, "grad_output"),
    Row(
        42,
        "gradient that would broadcast",
        lambda: grad.softmax(X[:1], X, 1),
        ValueError,
        "grad_output",
    ),
    Row(42, "gradient of dropout", lambda: grad.dropout(X[:2], X), ValueError, "grad_output"),
    Row(42, "gradient of prelu", lambda: grad.prelu(X.T, X, [1.0]), ValueError, "grad_output"),
    Row(
        77,
        "read-only in place",
        lambda: F.silu(np.broadcast_to(X, (2, 3, 4)), True),
        ValueError,
        "read-only",
    ),
    Row(77, "a list in place", lambda: F.elu([1.0], 1.0, True), TypeError, "input"),
    Row(79, "out of another shape", lambda: F.gelu(X, out=np.empty(12)), ValueError, "out"),
    Row(
        79,
        "out of another dtype",
        lambda: F.softmax(X, 1, out=np.empty((3, 4), np.float32)),
        TypeError,
        "out",
    ),
    Row(79, "out a list", lambda: grad.mish(X, X, out=[]), TypeError, "out"),
    Row(79, "out and in place", lambda: F.relu(X, True, out=X), ValueError, "out"),
    Row(74, "broadcast input", lambda: F.relu(broadcast(2, 3)), np.ones((2, 3))),
    Row(73, "negative strides", lambda: F.relu(X[::-1, ::-1]), np.maximum(X, 0)[::-1, ::-1]),
    Row(31, "larger than memory", lambda: F.relu(broadcast(2**40)), MemoryError, "allocate|bytes"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number} {row.label}")
def test_table(row):
    check_row(row)
