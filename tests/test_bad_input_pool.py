"""Bad and odd input of pooling and unpooling, by the numbers of the table of test_bad_input.py."""

# ruff: noqa: E501 (a row of the table is a line)

import math

import numpy as np
import pytest
from test_bad_input import BIGGER, TOO_LARGE, Row, check_row

from convx import functional as F
from convx import grad

X1, X2 = np.arange(16.0).reshape(2, 8), np.arange(32.0).reshape(2, 4, 4)
ONES = np.ones((2, 4))
I1 = np.tile([0, 3, 4, 7], (2, 1))
Y2 = np.ones((2, 2, 2))

ROWS = [
    *(
        row
        for name, call in {
            "max": F.max_pool1d, "avg": F.avg_pool1d, "stochastic": F.stochastic_pool1d}.items()
        for row in [
            Row(1, f"stride 0, {name}", lambda f=call: f(X1, 2, 0), ValueError, "stride"),
            Row(2, f"stride -1, {name}", lambda f=call: f(X1, 2, -1), ValueError, "stride"),
            Row(4, f"stride 1.5, {name}", lambda f=call: f(X1, 2, 1.5), TypeError, "stride"),
            Row(5, f"stride (), {name}", lambda f=call: f(X1, 2, ()), ValueError, "stride"),
            Row(9, f"padding -1, {name}", lambda f=call: f(X1, 2, padding=-1), ValueError, "padding"),
            Row(11, f"padding 2**62, {name}", lambda f=call: f(X1, 2, padding=BIGGER), ValueError, "padding"),
            Row(12, f"kernel size 0, {name}", lambda f=call: f(X1, 0), ValueError, "kernel_size"),
            Row(13, f"kernel size -1, {name}", lambda f=call: f(X1, -1), ValueError, "kernel_size"),
            Row(13, f"kernel size 2**33, {name}", lambda f=call: f(X1, 2**33), ValueError, "kernel_size.*8589934592"),
            Row(15, f"kernel size 2**62 and padding 2**61, {name}", lambda f=call: f(X1, BIGGER, padding=2**61, ceil_mode=True), ValueError, "kernel_size"),
            Row(16, f"padding of the window, {name}", lambda f=call: f(X1, 3, padding=3), ValueError, "padding.* 3"),
            Row(17, f"kernel larger than the input, {name}", lambda f=call: f(X1, 9), ValueError, "9.* 8"),
            Row(22, f"input of another rank, {name}", lambda f=call: f(X1[0], 2), ValueError, "input"),
            Row(24, f"strings, {name}", lambda f=call: f(np.array([["a"]]), 1), TypeError, "input"),
            Row(24, f"bools, {name}", lambda f=call: f(X1 > 1, 1), TypeError, "input"),
            Row(26, f"no samples, {name}", lambda f=call: f(X1[:, :0], 1), ValueError, "input"),
            Row(79, f"out of another shape, {name}", lambda f=call: f(X1, 2, out=np.ones(3)), ValueError, "out"),
        ]
    ),
    Row(3, "stride 2**62", lambda: F.max_pool1d(X1, 2, BIGGER), X1[:, 1:2].copy()),
    Row(6, "dilation 0", lambda: F.max_pool1d(X1, 2, dilation=0), ValueError, "dilation"),
    Row(6, "dilation -1", lambda: F.max_pool2d(X2, 2, dilation=(1, -1)), ValueError, "dilation"),
    Row(7, "dilation 2**62", lambda: F.max_pool1d(X1, 2, padding=1, dilation=BIGGER), ValueError, "dilation"),
    Row(10, "padding 2**31", lambda: F.max_pool2d(X2, 2**31 + 1, 1, 2**31), MemoryError, "output"),
    Row(10, "padding 2**31 of sums", lambda: F.avg_pool2d(X2, 2**31 + 1, 1, 2**31), MemoryError, "output"),
    Row(10, "padding 2**31, one output", lambda: F.avg_pool1d(X1, 2**31 + 1, BIGGER, 2**31, count_include_pad=False), np.array([[0.0], [8.0]])),
    Row(14, "kernel 8.6e18", lambda: F.max_pool1d(X1, 8608480567731124087, padding=1250999896764, dilation=1250999896764, ceil_mode=True), ValueError, "kernel_size"),
    Row(14, "kernel 2**61 dilated", lambda: F.max_pool1d(X1, 2**61, padding=1250999896764, dilation=1250999896764, ceil_mode=True), ValueError, "kernel_size"),
    Row(15, "kernel 2**40 of one window", lambda: F.max_pool1d(X1, 2**40, 2**41, 2**40 - 1, ceil_mode=True), np.array([[0.0], [8.0]])),
    Row(25, "batch 0", lambda: F.avg_pool1d(np.ones((0, 2, 8)), 2), np.ones((0, 2, 4))),
    Row(25, "batch 0, gradient", lambda: grad.max_pool1d(np.ones((0, 2, 4)), np.ones((0, 2, 8)), 2), np.ones((0, 2, 8))),
    Row(32, "adaptive output 9e18", lambda: F.adaptive_avg_pool1d(X1, 9 * 10**18), ValueError, "output_size"),
    Row(32, "adaptive output 2**45", lambda: F.adaptive_max_pool1d(X1, 2**45), MemoryError, "output"),
    Row(32, "adaptive output 2**31 of two axes", lambda: F.adaptive_avg_pool2d(X2, 2**31), TOO_LARGE, "output"),
    Row(33, "adaptive output -1", lambda: F.adaptive_avg_pool1d(X1, -1), ValueError, "output_size"),
    Row(33, "adaptive output 0", lambda: F.adaptive_avg_pool2d(X2, (0, 2)), np.ones((2, 0, 2))),
    Row(33, "adaptive output 0, gradient", lambda: grad.adaptive_max_pool1d(np.ones((2, 0)), X1, 0), np.zeros((2, 8))),
    Row(33, "adaptive output 1.0", lambda: F.adaptive_avg_pool1d(X1, 1.0), TypeError, "output_size"),
    Row(33, "adaptive output of another rank", lambda: F.adaptive_avg_pool1d(X1, (1, 1)), ValueError, "output_size"),
    Row(34, "adaptive of no samples", lambda: F.adaptive_avg_pool2d(X2[:, :0], 2), ValueError, "input"),
    Row(34, "adaptive of no samples, gradient", lambda: grad.adaptive_avg_pool2d(np.ones((2, 2, 2)), X2[:, :0], 2), ValueError, "input"),
    Row(35, "index of the size", lambda: F.max_unpool1d(ONES, I1 + 1, 2), ValueError, "indices.* 8"),
    Row(35, "index far beyond", lambda: F.max_unpool1d(ONES, I1 * 10**15, 2), ValueError, "indices"),
    Row(35, "index of the size, gradient", lambda: grad.max_unpool1d(X1, ONES, I1 + 1, 2), ValueError, "indices"),
    Row(35, "index of uint64", lambda: F.max_unpool1d(ONES, np.full((2, 4), 2**64 - 1, "u8"), 2), ValueError, "indices"),
    Row(36, "index -1", lambda: F.max_unpool1d(ONES, I1 - 1, 2), ValueError, "indices.*-1"),
    Row(37, "index 2**32 + 3", lambda: F.max_unpool1d(ONES, I1 + 2**32, 2), ValueError, "indices"),
    Row(38, "indices of floats", lambda: F.max_unpool1d(ONES, I1 * 1.0, 2), TypeError, "indices"),
    Row(38, "indices of bools", lambda: F.max_unpool1d(ONES, I1 > 0, 2), TypeError, "indices"),
    Row(38, "indices of another shape", lambda: F.max_unpool1d(ONES, I1[:, :3], 2), ValueError, "indices"),
    Row(38, "indices of one item", lambda: F.max_unpool1d(ONES, I1[0], 2), ValueError, "indices"),
    Row(39, "indices twice", lambda: F.max_unpool1d([[1.0, 2.0]], [[3, 3]], 2), np.array([[0.0, 0, 0, 2]])),
    Row(40, "unpool to 2**40", lambda: F.max_unpool1d(ONES, I1, 2, output_size=(2**40,)), ValueError, "output_size"),
    Row(40, "unpool by stride 2**50", lambda: F.max_unpool1d(ONES, I1, 2, 2**50), MemoryError, "output"),
    Row(40, "unpool by stride 2**61", lambda: F.avg_unpool1d(ONES, 2, 2**61), ValueError, "stride"),
    Row(40, "unpool by stride 0", lambda: F.max_unpool1d(ONES, I1, 2, 0), ValueError, "stride"),
    Row(40, "unpool to a stride more", lambda: F.max_unpool1d(ONES, I1, 2, output_size=(10,)), ValueError, "output_size"),
    Row(40, "unpool to another rank", lambda: F.avg_unpool1d(ONES, 2, output_size=(8, 8)), ValueError, "output_size|must"),
    Row(40, "unpool by padding to nothing", lambda: F.max_unpool1d(ONES, I1, 2, padding=4), ValueError, "padding"),
    Row(41, "foreign indices", lambda: grad.max_pool1d(ONES, X1, 2, indices=I1 + 1), ValueError, "indices"),
    Row(41, "foreign indices below", lambda: grad.max_pool1d(ONES, X1, 2, indices=I1 - 2), ValueError, "indices"),
    Row(41, "foreign indices of another shape", lambda: grad.max_pool1d(ONES, X1, 2, indices=I1.T), ValueError, "indices"),
    Row(41, "foreign indices, adaptive", lambda: grad.adaptive_max_pool2d(Y2, X2, 2, indices=np.full((2, 2, 2), 16)), ValueError, "indices"),
    Row(41, "foreign indices, fractional", lambda: grad.fractional_max_pool2d(Y2, X2, 2, 2, indices=np.full((2, 2, 2), 16)), ValueError, "indices"),
    Row(42, "gradient of another shape", lambda: grad.max_pool1d(X1, X1, 2), ValueError, "grad_output"),
    Row(42, "gradient of another shape, avg", lambda: grad.avg_pool2d(X2, X2, 2), ValueError, "grad_output"),
    Row(42, "gradient of another shape, adaptive", lambda: grad.adaptive_avg_pool2d(X2, X2, 2), ValueError, "grad_output"),
    Row(42, "gradient of another shape, unpool", lambda: grad.max_unpool1d(ONES, ONES, I1, 2), ValueError, "grad_output"),
    Row(42, "gradient of another shape, norm", lambda: grad.lp_pool1d(X1, X1, 2, 2), ValueError, "grad_output"),
    *(
        Row(43, f"samples {value}", lambda v=value: F.fractional_max_pool2d(X2, 2, 2, _random_samples=np.full((1, 2, 2), v)), ValueError, "_random_samples")
        for value in (1.0, -0.1, math.nan, math.inf)
    ),
    Row(43, "samples of another shape", lambda: F.fractional_max_pool2d(X2, 2, 2, _random_samples=np.zeros((2, 2))), ValueError, "_random_samples"),
    Row(43, "samples of integers", lambda: F.fractional_max_pool2d(X2, 2, 2, _random_samples=np.zeros((1, 2, 2), int)), TypeError, "_random_samples"),
    Row(44, "ratio 2", lambda: F.fractional_max_pool2d(X2, 2, output_ratio=2.0), ValueError, "output_ratio"),
    Row(44, "ratio 0", lambda: F.fractional_max_pool2d(X2, 2, output_ratio=(0.5, 0.0)), ValueError, "output_ratio"),
    Row(44, "ratio NaN", lambda: F.fractional_max_pool2d(X2, 2, output_ratio=math.nan), ValueError, "output_ratio"),
    Row(44, "ratio and size", lambda: F.fractional_max_pool2d(X2, 2, 2, 0.5), ValueError, "output_ratio"),
    Row(44, "neither ratio nor size", lambda: F.fractional_max_pool2d(X2, 2), ValueError, "output_size"),
    Row(44, "kernel larger than the input", lambda: F.fractional_max_pool2d(X2, 5, 1), ValueError, "kernel"),
    Row(44, "more outputs than fit", lambda: F.fractional_max_pool2d(X2, 2, 4), ValueError, "output_size"),
    Row(56, "divisor_override 0", lambda: F.avg_pool2d(X2, 2, divisor_override=0), ValueError, "divisor_override"),
    Row(56, "divisor_override -1", lambda: F.avg_pool2d(X2, 2, divisor_override=-1), ValueError, "divisor_override"),
    Row(56, "divisor_override 1.5", lambda: F.avg_pool2d(X2, 2, divisor_override=1.5), TypeError, "divisor_override"),
    *(
        Row(57, f"norm_type {value}", lambda v=value: F.lp_pool1d(X1, v, 2), ValueError, "norm_type")
        for value in (0, -1, math.nan, -math.inf, 10**400)
    ),
    Row(57, "norm_type infinite", lambda: F.lp_pool1d(-X1, math.inf, 2), X1[:, 1::2].copy()),
    Row(57, "norm_type '2'", lambda: F.lp_pool1d(X1, "2", 2), TypeError, "norm_type"),
    Row(57, "norm_type True", lambda: F.lp_pool1d(X1, True, 2), TypeError, "norm_type"),
    Row(24, "ceil_mode 1", lambda: F.max_pool1d(X1, 2, ceil_mode=1), TypeError, "ceil_mode"),
    Row(24, "return_indices None", lambda: F.max_pool1d(X1, 2, return_indices=None), TypeError, "return_indices"),
    Row(24, "training 'no'", lambda: F.stochastic_pool1d(X1, 2, training="no"), TypeError, "training"),
    Row(24, "negative activations", lambda: F.stochastic_pool1d(-X1, 2), ValueError, "input"),
    Row(24, "infinite activations", lambda: F.stochastic_pool1d(np.full((1, 4), math.inf), 2), ValueError, "input"),
    Row(24, "unsigned 64 bits", lambda: F.max_pool1d(X1.astype("u8"), 2), TypeError, "input"),
    Row(22, "global pool without channels", lambda: F.global_avg_pool(X1), ValueError, "input"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number} {row.label}")
def test_table(row):
    check_row(row)
