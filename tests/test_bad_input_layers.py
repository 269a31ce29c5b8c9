"""Bad input of normalisations and losses, each in a forked child: an error that names what is wrong."""

# ruff: noqa: E501 (a row of the table is a line)

import re

import numpy as np
import pytest
from support import run_in_child

from convx import functional as F
from convx import grad

X, W = np.arange(24.0).reshape(2, 3, 4), np.ones(3)
T = np.array([[0, 1, 2, 0], [1, 1, 2, 2]])
READ_ONLY = np.frombuffer(bytes(24))
ALL = TypeError, ValueError

ROWS = [
    ("no channels", lambda: F.batch_norm(W, W, W), ValueError, "input"),
    ("a number", lambda: F.batch_norm(1.0, W, W), ValueError, "input"),
    ("integers", lambda: F.batch_norm(X.astype(int), W, W), TypeError, "input"),
    ("complex", lambda: F.layer_norm(X.astype(complex), (4,)), TypeError, "input"),
    ("no statistics", lambda: F.batch_norm(X, None, None), ValueError, "running_mean"),
    ("one statistic", lambda: F.batch_norm(X, W, None), ValueError, "running_var"),
    ("statistics of another length", lambda: F.batch_norm(X, W[:2], W), ValueError, "running_mean"),
    ("statistics of another length, training", lambda: F.batch_norm(X, W.copy(), np.ones(4), training=True), ValueError, "running_var"),
    ("statistics in a list", lambda: F.batch_norm(X, [0.0] * 3, W.copy(), training=True), TypeError, "running_mean"),
    ("read-only statistics", lambda: F.batch_norm(X, READ_ONLY, READ_ONLY, training=True), ValueError, "running_mean.*writable"),
    ("statistics without memory", lambda: F.batch_norm(X, np.broadcast_to(1.0, 3).copy(), np.lib.stride_tricks.as_strided(np.ones(1), (3,), (0,)), training=True), ValueError, "running_var"),
    ("statistics of integers", lambda: F.batch_norm(X, np.zeros(3, int), np.ones(3, int), training=True), TypeError, "running_mean"),
    ("weight of another length", lambda: F.batch_norm(X, W, W, np.ones(4)), ValueError, "weight"),
    ("weight of two axes", lambda: F.instance_norm(X, weight=np.ones((3, 1))), ValueError, "weight"),
    ("bias of another length", lambda: F.group_norm(X, 3, None, np.ones(4)), ValueError, "bias"),
    ("bias of strings", lambda: F.group_norm(X, 3, None, ["a", "b", "c"]), TypeError, "bias"),
    ("one value", lambda: F.batch_norm(X[:1, :, :1], None, None, training=True), ValueError, "more than one value"),
    ("one position", lambda: F.instance_norm(X[:, :, :1]), ValueError, "more than one value"),
    ("no position", lambda: F.instance_norm(X[:, :, 0]), ValueError, "more than one value"),
    ("momentum None", lambda: F.batch_norm(X, W, W, momentum=None), TypeError, "momentum"),
    ("momentum NaN", lambda: F.batch_norm(X, W, W, momentum=float("nan")), ValueError, "momentum"),
    ("eps 0, training", lambda: F.batch_norm(X, None, None, training=True, eps=0), ValueError, "eps"),
    ("eps -1", lambda: F.batch_norm(X, W, W, eps=-1), ValueError, "eps"),
    ("eps a string", lambda: F.layer_norm(X, (4,), eps="1"), TypeError, "eps"),
    ("eps True", lambda: F.layer_norm(X, (4,), eps=True), TypeError, "eps"),
    ("eps inf", lambda: F.layer_norm(X, (4,), eps=float("inf")), ValueError, "eps"),
    ("eps of 5000 digits", lambda: F.layer_norm(X, (4,), eps=10**5000), ValueError, "eps"),
    ("no normalized axes", lambda: F.layer_norm(X, ()), ValueError, "normalized_shape"),
    ("other normalized axes", lambda: F.layer_norm(X, (3,)), ValueError, "normalized_shape"),
    ("too many normalized axes", lambda: F.layer_norm(X, (1, 2, 3, 4)), ValueError, "normalized_shape"),
    ("normalized axes of floats", lambda: F.layer_norm(X, (4.0,)), TypeError, "normalized_shape"),
    ("normalized axis -1", lambda: F.layer_norm(X, -1), ValueError, "normalized_shape"),
    ("groups 0", lambda: F.group_norm(X, 0), ValueError, "num_groups"),
    ("groups -3", lambda: F.group_norm(X, -3), ValueError, "num_groups"),
    ("groups that do not divide", lambda: F.group_norm(X, 2), ValueError, "num_groups"),
    ("groups 2**64", lambda: F.group_norm(X, 2**64), ValueError, "num_groups"),
    ("groups 1.0", lambda: F.group_norm(X, 1.0), TypeError, "num_groups"),
    ("size 0", lambda: F.local_response_norm(X, 0), ValueError, "size"),
    ("size 2.0", lambda: F.local_response_norm(X, 2.0), TypeError, "size"),
    ("alpha None", lambda: F.local_response_norm(X, 2, None), TypeError, "alpha"),
    ("no spatial axis", lambda: F.local_response_norm(X[0], 2), ValueError, "input"),
    ("gradient of another shape", lambda: grad.batch_norm(X[:1], X, W, W), ValueError, "grad_output"),
    ("gradient of another shape, layer", lambda: grad.layer_norm(X[0], X, (4,)), ValueError, "grad_output"),
    ("gradient of integers", lambda: grad.local_response_norm(X, X.astype(int), 2), TypeError, "input"),
    ("target -1", lambda: F.cross_entropy(X, T - 1), ValueError, "target.*-1"),
    ("target C", lambda: F.cross_entropy(X, T + 1), ValueError, "target.*3"),
    ("target 2**62", lambda: F.nll_loss(X, T + 2**62), ValueError, "target"),
    ("target -2**63", lambda: F.cross_entropy(X, np.full(T.shape, np.iinfo("i8").min)), ValueError, "target"),
    ("target 2**63", lambda: F.cross_entropy(X, T.astype("u8") + np.uint64(2**63)), ValueError, "target"),
    ("target 2**32 + 1", lambda: grad.cross_entropy(1.0, X, T + 2**32), ValueError, "target"),
    ("target C, gradient", lambda: grad.nll_loss(1.0, X, T + 1), ValueError, "target"),
    ("target of floats", lambda: F.cross_entropy(X, T.astype(float)), TypeError, "target"),
    ("target of bools", lambda: F.nll_loss(X, T > 1), TypeError, "target"),
    ("target of another shape", lambda: F.cross_entropy(X, T[:1]), ValueError, "target"),
    ("target with classes, of integers", lambda: F.cross_entropy(X, X.astype(int)), TypeError, "target"),
    ("ignored probabilities", lambda: F.cross_entropy(X, X, ignore_index=1), ValueError, "ignore_index"),
    ("ignore_index 1.0", lambda: F.cross_entropy(X, T, ignore_index=1.0), TypeError, "ignore_index"),
    ("no classes", lambda: F.cross_entropy(X[:, :0], T), ValueError, "input"),
    ("no classes, likelihood", lambda: F.nll_loss(X[:, :0], T), ValueError, "input"),
    ("logits a number", lambda: F.cross_entropy(1.0, 0), ValueError, "input"),
    ("weight of other classes", lambda: F.cross_entropy(X, T, np.ones(4)), ValueError, "weight"),
    ("weight a number", lambda: F.nll_loss(X, T, 1.0), ValueError, "weight"),
    ("smoothing 1.1", lambda: F.cross_entropy(X, T, label_smoothing=1.1), ValueError, "label_smoothing"),
    ("smoothing NaN", lambda: F.cross_entropy(X, T, label_smoothing=float("nan")), ValueError, "label_smoothing"),
    ("reduction 'avg'", lambda: F.cross_entropy(X, T, reduction="avg"), ValueError, "reduction"),
    ("reduction None", lambda: F.mse_loss(X, X, None), TypeError, "reduction"),
    ("shapes that do not broadcast", lambda: F.mse_loss(X, X[:, :2]), ValueError, "target"),
    ("input of integers", lambda: F.l1_loss(X.astype(int), X), TypeError, "input"),
    ("target complex", lambda: F.mse_loss(X, X.astype(complex)), TypeError, "target"),
    ("weights of another shape", lambda: F.huber_loss(X, X, weight=W), ValueError, "weight"),
    ("beta -1", lambda: F.smooth_l1_loss(X, X, beta=-1), ValueError, "beta"),
    ("delta 0", lambda: F.huber_loss(X, X, delta=0), ValueError, "delta"),
    ("no probabilities", lambda: F.binary_cross_entropy(X, X / 24), ValueError, "input"),
    ("a target that is none", lambda: F.binary_cross_entropy(X / 24, X), ValueError, "target"),
    ("NaN is no probability", lambda: F.binary_cross_entropy(X * np.nan, X / 24), ValueError, "input"),
    ("weight that does not broadcast", lambda: F.binary_cross_entropy(X / 24, X / 24, np.ones(5)), ValueError, "weight"),
    ("pos_weight of more axes", lambda: F.binary_cross_entropy_with_logits(X, X, pos_weight=np.ones((5, 2, 3, 4))), ValueError, "pos_weight"),
    ("gradient of a mean that is no number", lambda: grad.mse_loss(X, X, X), ValueError, "grad_output"),
    ("gradient of all that is a number", lambda: grad.cross_entropy(1.0, X, T, reduction="none"), ValueError, "grad_output"),
    ("out of another dtype", lambda: F.cross_entropy(X, T, out=np.empty((), "f4")), TypeError, "out"),
]  # fmt: skip


@pytest.mark.parametrize(("label", "call", "error", "says"), ROWS, ids=[row[0] for row in ROWS])
def test_row(label, call, error, says):
    outcome = run_in_child(call)
    assert outcome.error is error, outcome
    assert re.search(says, outcome.message), outcome.message
