"""Bad and odd input of padding, folding, shuffles, resizing, the linear layer and matrices.

As in test_bad_input.py, whose numbers of rows go on here.
"""

# ruff: noqa: E501 (a row of the table is a line)

import math

import numpy as np
import pytest
from test_bad_input import BIGGER, TOO_LARGE, Row, broadcast, check_row, nested

from convx import functional as F
from convx import grad

X, IMAGE = np.arange(6.0).reshape(2, 3), np.arange(32.0).reshape(1, 2, 4, 4)
NOTHING = np.empty((2, 0))
COLUMNS = np.ones((1, 8, 9))  # of windows of 2 by 2 over IMAGE
W = np.ones((3, 2))

ROWS = [
    Row(24, "pad objects", lambda: F.pad(X.astype(object), (1, 1)), TypeError, "input"),
    Row(24, "pad strings of any length", lambda: F.pad(np.full(3, "a", np.dtypes.StringDType()), (1, 1)), TypeError, "input"),
    Row(24, "pad structures of objects", lambda: F.pad(np.zeros(3, "f4,O"), (1, 1)), TypeError, "input"),
    Row(24, "pad structures of nothing", lambda: F.pad(np.zeros(3, "V0"), (1, 1)), np.zeros(5, "V0")),
    Row(24, "pad None", lambda: F.pad(None, (1, 1)), TypeError, "input"),
    Row(24, "pad a ragged list", lambda: F.pad([[1, 2], [3]], (1, 1)), (TypeError, ValueError), "input"),
    Row(24, "gradient of pad, bool", lambda: grad.pad([True, True], [1.0, 2.0], (0, 0)), TypeError, "grad_output"),
    Row(24, "gradient of pad, strings", lambda: grad.pad(["a", "b"], [1.0, 2.0], (0, 0)), TypeError, "grad_output"),
    Row(24, "fold bools", lambda: F.fold(COLUMNS > 0, 4, 2), TypeError, "input"),
    Row(24, "interpolate integers", lambda: F.interpolate(IMAGE.astype(int), 3, mode="bilinear"), TypeError, "input"),
    Row(24, "interpolate complex numbers", lambda: F.interpolate(IMAGE + 1j, 3, mode="area"), TypeError, "input"),
    Row(24, "interpolate objects", lambda: F.interpolate(IMAGE.astype(object), 3), TypeError, "input"),
    Row(24, "linear bools", lambda: F.linear(X > 0, X), TypeError, "input"),
    Row(24, "matrix of bools", lambda: F.convolution_matrix(X > 0, (4, 4)), TypeError, "weight"),
    Row(42, "gradient of pad of another shape", lambda: grad.pad(X, X, (1, 1)), ValueError, "grad_output"),
    Row(42, "gradient of unfold of another shape", lambda: grad.unfold(COLUMNS[..., 1:], IMAGE, 2), ValueError, "grad_output"),
    Row(42, "gradient of fold of another shape", lambda: grad.fold(IMAGE[..., 1:], COLUMNS, 4, 2), ValueError, "grad_output"),
    Row(42, "gradient of interpolate of another shape", lambda: grad.interpolate(IMAGE, IMAGE, 5), ValueError, "grad_output"),
    Row(42, "gradient of pixel_shuffle of another shape", lambda: grad.pixel_shuffle(IMAGE, np.ones((1, 4, 2, 2)), 2), ValueError, "grad_output"),
    Row(42, "gradient of pixel_unshuffle of another shape", lambda: grad.pixel_unshuffle(IMAGE, IMAGE, 2), ValueError, "grad_output"),
    Row(42, "gradient of channel_shuffle of another shape", lambda: grad.channel_shuffle(IMAGE[0], IMAGE, 2), ValueError, "grad_output"),
    Row(42, "gradient of linear of another shape", lambda: grad.linear(X, X, X), ValueError, "grad_output"),
    Row(50, "mode 'Reflect'", lambda: F.pad(X, (1, 1), "Reflect"), ValueError, "mode"),
    Row(50, "mode 'zeros'", lambda: F.pad(X, (1, 1), "zeros"), ValueError, "mode.*constant"),
    Row(50, "mode None", lambda: F.pad(X, (1, 1), None), TypeError, "mode"),
    Row(50, "mode 1", lambda: F.pad(X, (1, 1), 1), TypeError, "mode"),
    Row(52, "reflected 4 times", lambda: F.pad([1, 2, 3], (0, 8), "reflect"), np.array([1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3])),
    Row(52, "round 3 times", lambda: F.pad([1, 2], (5, 0), "circular"), np.array([2, 1, 2, 1, 2, 1, 2])),
    Row(52, "one sample reflected", lambda: F.pad([[5], [7]], (2, 1), "reflect"), np.array([[5] * 4, [7] * 4])),
    Row(53, "reflect nothing", lambda: F.pad(NOTHING, (1, 1), "reflect"), ValueError, "pad"),
    Row(53, "replicate nothing", lambda: F.pad(NOTHING, (1, 0), "replicate"), ValueError, "pad"),
    Row(53, "circular nothing", lambda: F.pad(NOTHING, (0, 1), "circular"), ValueError, "pad"),
    Row(53, "symmetric nothing, cropped", lambda: F.pad(NOTHING, (2, -1), "symmetric"), ValueError, "pad"),
    Row(53, "circular, all cropped", lambda: F.pad([1, 2, 3], (-3, 2), "circular"), ValueError, "pad"),
    Row(53, "circular, all cropped from behind", lambda: F.pad([1, 2, 3], (4, -3), "circular"), ValueError, "pad"),
    Row(53, "circular, more than all cropped", lambda: F.pad([1, 2, 3], (9, -4), "circular"), ValueError, "pad"),
    Row(53, "reflect nothing, gradient", lambda: grad.pad(np.ones((2, 2)), NOTHING, (1, 1), "reflect"), ValueError, "pad"),
    Row(54, "cropped too much", lambda: F.pad(X, (-2, -2)), ValueError, "pad"),
    Row(54, "cropped too much, reflect", lambda: F.pad(X, (-4, 0), "reflect"), ValueError, "pad"),
    Row(54, "all cropped", lambda: F.pad(X, (-1, -2)), np.empty((2, 0))),
    Row(54, "all cropped, replicate", lambda: F.pad(X, (-1, -2), "replicate"), np.empty((2, 0))),
    *[
        Row(55, f"pad {low} and {high}, {mode}", lambda low=low, high=high, mode=mode: F.pad([1, 2, 3], (low, high), mode), TOO_LARGE, "pad|output")
        for low, high in ((BIGGER, 0), (0, BIGGER - 1), (-BIGGER, 0), (-(2**63), 0), (2**63, 0), (2**64, -(2**64)), (0, 2**40), (BIGGER, BIGGER), (BIGGER, -BIGGER))
        for mode in ("constant", "reflect", "symmetric", "replicate", "circular")
    ],
    Row(55, "pad of 5000 digits", lambda: F.pad(X, (10**5000, 1)), ValueError, "pad"),
    Row(55, "pad beyond 64 bits by three axes", lambda: F.pad(np.ones((2, 2, 2)), (2**24,) * 6), TOO_LARGE, "output"),
    Row(55, "pad beyond memory by bytes", lambda: F.pad(np.zeros(2, "V100000"), (2**28, 2**28)), TOO_LARGE, "output"),
    Row(55, "pad of odd length", lambda: F.pad(X, (1, 1, 1)), ValueError, "pad"),
    Row(55, "pad of more axes", lambda: F.pad(X, (1,) * 6), ValueError, "pad"),
    Row(55, "pad of a thousand axes", lambda: F.pad(X, (1,) * 2000), ValueError, "pad"),
    Row(55, "pad a number", lambda: F.pad(X, 1), TypeError, "pad"),
    Row(55, "pad a string", lambda: F.pad(X, "11"), TypeError, "pad"),
    Row(55, "pad of floats", lambda: F.pad(X, (1.0, 1)), TypeError, "pad"),
    Row(55, "pad of bools", lambda: F.pad(X, (True, 1)), TypeError, "pad"),
    Row(55, "pad nested", lambda: F.pad(X, ((1, 1), (2, 2))), TypeError, "pad"),
    Row(55, "pad nested 10**5 deep", lambda: F.pad(X, nested(10**5)), (TypeError, ValueError), "pad"),
    Row(55, "pad of a number", lambda: F.pad(5.0, (1, 1)), ValueError, "pad"),
    Row(55, "value NaN of integers", lambda: F.pad([1], (1, 1), value=math.nan), ValueError, "value"),
    Row(55, "value 1.5 of integers", lambda: F.pad([1], (1, 1), value=1.5), ValueError, "value"),
    Row(55, "value 300 of bytes", lambda: F.pad(np.ones(1, "u1"), (1, 1), value=300), ValueError, "value"),
    Row(55, "value 10**400", lambda: F.pad([1.0], (1, 1), value=10**400), ValueError, "value"),
    Row(55, "value too large for half precision", lambda: F.pad(np.ones(1, "f2"), (1, 1), value=1e6), ValueError, "value"),
    Row(55, "value complex of floats", lambda: F.pad([1.0], (1, 1), value=1j), TypeError, "value"),
    Row(55, "value a string", lambda: F.pad([1.0], (1, 1), value="1"), TypeError, "value"),
    Row(55, "value a list", lambda: F.pad([1.0], (1, 1), value=[1.0]), TypeError, "value"),
    Row(55, "value an array", lambda: F.pad([1.0], (1, 1), value=np.ones(2)), TypeError, "value"),
    Row(55, "value of another mode", lambda: F.pad([1.0], (1, 1), "reflect", 5.0), ValueError, "value"),
    Row(58, "columns too few", lambda: F.fold(COLUMNS[..., :8], 4, 2), ValueError, "input.*9 positions"),
    Row(58, "columns too many", lambda: F.fold(COLUMNS, 3, 2), ValueError, "input.*4 positions"),
    Row(58, "rows that taps do not divide", lambda: F.fold(COLUMNS[:, :6], 4, 2), ValueError, "input.*4 taps"),
    Row(58, "no rows", lambda: F.fold(COLUMNS[:, :0], 4, 2), ValueError, "input.*4 taps"),
    Row(58, "columns of four axes", lambda: F.fold(COLUMNS[None], 4, 2), ValueError, "input"),
    Row(58, "columns of one axis", lambda: F.fold(COLUMNS[0, 0], 4, 2), ValueError, "input"),
    Row(58, "output_size 0", lambda: F.fold(COLUMNS, 0, 2), ValueError, "output_size"),
    Row(58, "output_size -1", lambda: F.fold(COLUMNS, (4, -1), 2), ValueError, "output_size"),
    Row(58, "output_size 2**62", lambda: F.fold(COLUMNS, BIGGER, 2), TOO_LARGE, "padding|input"),
    Row(58, "output_size 2**62, one window", lambda: F.fold(np.ones((4, 1)), (BIGGER - 9, 2), 2, stride=BIGGER), TOO_LARGE, "output|padding|size"),
    Row(58, "output_size 2**40, one window", lambda: F.fold(np.ones((4, 1)), (2**40, 2), 2, stride=BIGGER), TOO_LARGE, "output"),
    Row(58, "output_size smaller than the kernel", lambda: F.fold(COLUMNS, 1, 2), ValueError, "kernel"),
    Row(58, "output_size of another rank", lambda: F.fold(COLUMNS, (4, 4), (2, 2, 2)), ValueError, "kernel_size"),
    Row(58, "output_size ()", lambda: F.fold(COLUMNS, (), 2), ValueError, "output_size|input|kernel"),
    Row(58, "output_size a float", lambda: F.fold(COLUMNS, 4.0, 2), TypeError, "output_size"),
    Row(58, "padding 2**40 of fold", lambda: F.fold(np.ones((4, 1)), 4, 2, padding=2**40, stride=2**50), TOO_LARGE, "output"),
    Row(59, "kernel_size 0", lambda: F.unfold(IMAGE, 0), ValueError, "kernel_size"),
    Row(59, "kernel_size -1", lambda: F.unfold(IMAGE, (2, -1)), ValueError, "kernel_size"),
    Row(59, "kernel_size 2**33", lambda: F.unfold(IMAGE, 2**33), ValueError, "kernel"),
    Row(59, "kernel_size ()", lambda: F.unfold(IMAGE, ()), ValueError, "kernel_size|input"),
    Row(59, "kernel_size 2.0", lambda: F.unfold(IMAGE, 2.0), TypeError, "kernel_size"),
    Row(59, "kernel_size '22'", lambda: F.unfold(IMAGE, "22"), TypeError, "kernel_size"),
    Row(59, "kernel_size of another rank", lambda: F.unfold(IMAGE, (2, 2, 2, 2)), ValueError, "input"),
    Row(59, "padding 2**40", lambda: F.unfold(IMAGE, 2, padding=2**40), TOO_LARGE, "output"),
    Row(59, "padding 2**40, one window", lambda: F.unfold(IMAGE, 2, padding=2**40, stride=BIGGER), TOO_LARGE, "padded"),
    Row(59, "padding 2**62", lambda: F.unfold(IMAGE, 2, padding=BIGGER), TOO_LARGE, "padding"),
    Row(59, "padding -1", lambda: F.unfold(IMAGE, 2, padding=-1), ValueError, "padding"),
    Row(59, "dilation 0", lambda: F.unfold(IMAGE, 2, dilation=0), ValueError, "dilation"),
    Row(59, "dilation 2**62", lambda: F.unfold(IMAGE, 2, dilation=BIGGER, padding=10), ValueError, "dilation"),
    Row(59, "dilation 2**62 of one tap", lambda: F.unfold(IMAGE, 1, dilation=BIGGER), IMAGE.reshape(1, 2, 16)),
    Row(59, "stride 0", lambda: F.unfold(IMAGE, 2, stride=0), ValueError, "stride"),
    Row(59, "stride 2**62", lambda: F.unfold(IMAGE, 4, stride=BIGGER), IMAGE.reshape(1, 32, 1)),
    Row(59, "stride 2**62 of fold", lambda: F.fold(IMAGE.reshape(1, 32, 1), 4, 4, stride=BIGGER), IMAGE),
    Row(59, "no samples", lambda: F.unfold(IMAGE[..., :0], 2, padding=4), ValueError, "input"),
    Row(59, "no channels", lambda: F.unfold(IMAGE[:, :0], 2), ValueError, "input"),
    Row(59, "windows of a broadcast array beyond memory", lambda: F.unfold(broadcast(1, 2**20, 2**10, 2**10), 9), MemoryError, "output"),
    Row(60, "pixel_shuffle 0", lambda: F.pixel_shuffle(IMAGE, 0), ValueError, "upscale_factor"),
    Row(60, "pixel_shuffle -2", lambda: F.pixel_shuffle(IMAGE, -2), ValueError, "upscale_factor"),
    Row(60, "pixel_shuffle 2**33", lambda: F.pixel_shuffle(IMAGE, 2**33), ValueError, "upscale_factor"),
    Row(60, "pixel_shuffle 2**33 of no channels", lambda: F.pixel_shuffle(IMAGE[:, :0], 2**33), TOO_LARGE, "output|upscale_factor"),
    Row(60, "pixel_shuffle 2**62", lambda: F.pixel_shuffle(IMAGE, BIGGER), ValueError, "upscale_factor"),
    Row(60, "pixel_shuffle that does not divide", lambda: F.pixel_shuffle(IMAGE, 2), ValueError, "upscale_factor"),
    Row(60, "pixel_shuffle 1.0", lambda: F.pixel_shuffle(IMAGE, 1.0), TypeError, "upscale_factor"),
    Row(60, "pixel_shuffle ()", lambda: F.pixel_shuffle(IMAGE, ()), ValueError, "input|upscale_factor"),
    Row(60, "pixel_shuffle of two axes", lambda: F.pixel_shuffle(X, 1), ValueError, "input"),
    Row(60, "pixel_unshuffle 0", lambda: F.pixel_unshuffle(IMAGE, 0), ValueError, "downscale_factor"),
    Row(60, "pixel_unshuffle 2**33", lambda: F.pixel_unshuffle(IMAGE, 2**33), ValueError, "downscale_factor"),
    Row(60, "pixel_unshuffle that does not divide", lambda: F.pixel_unshuffle(IMAGE, 3), ValueError, "downscale_factor"),
    Row(60, "pixel_unshuffle of two axes", lambda: F.pixel_unshuffle(X, 1), ValueError, "input"),
    Row(60, "channel_shuffle 0", lambda: F.channel_shuffle(IMAGE, 0), ValueError, "groups"),
    Row(60, "channel_shuffle that does not divide", lambda: F.channel_shuffle(IMAGE, 3), ValueError, "groups"),
    Row(60, "channel_shuffle True", lambda: F.channel_shuffle(IMAGE, True), TypeError, "groups"),
    Row(60, "channel_shuffle of two axes", lambda: F.channel_shuffle(X, 1), ValueError, "input"),
    Row(61, "size 0", lambda: F.interpolate(IMAGE, 0), ValueError, "size"),
    Row(61, "size -1", lambda: F.interpolate(IMAGE, (2, -1)), ValueError, "size"),
    Row(61, "size 2**62", lambda: F.interpolate(IMAGE, BIGGER), TOO_LARGE, "resizing"),
    Row(61, "size 2**62, bilinear", lambda: F.interpolate(IMAGE, (1, BIGGER), mode="bilinear"), TOO_LARGE, "resizing"),
    Row(61, "size 2**24 by 2**24", lambda: F.interpolate(IMAGE, 2**24, mode="bilinear"), TOO_LARGE, "output"),
    Row(61, "size 2.0", lambda: F.interpolate(IMAGE, 2.0), TypeError, "size"),
    Row(61, "size of another rank", lambda: F.interpolate(IMAGE, (2, 2, 2)), ValueError, "size"),
    Row(61, "size and scale_factor", lambda: F.interpolate(IMAGE, 2, 2), ValueError, "size.*scale_factor"),
    Row(61, "neither size nor scale_factor", lambda: F.interpolate(IMAGE), ValueError, "size.*scale_factor"),
    *[
        Row(61, f"scale_factor {float(scale)}, {mode}", lambda scale=scale, mode=mode: F.interpolate(IMAGE, scale_factor=scale, mode=mode), TOO_LARGE, "scale_factor|resizing|output")
        for scale in (math.nan, math.inf, -math.inf, 0, -0.0, -1, 0.2, 1e-300, 5e-324, 2**24, 1e18, 1e300)
        for mode in ("nearest", "bilinear", "area")
    ],
    Row(61, "scale_factor 10**400", lambda: F.interpolate(IMAGE, scale_factor=10**400), ValueError, "scale_factor"),
    Row(61, "scale_factor a string", lambda: F.interpolate(IMAGE, scale_factor="2"), TypeError, "scale_factor"),
    Row(61, "scale_factor True", lambda: F.interpolate(IMAGE, scale_factor=True), TypeError, "scale_factor"),
    Row(61, "scale_factor of another rank", lambda: F.interpolate(IMAGE, scale_factor=(2.0,)), ValueError, "scale_factor"),
    Row(61, "mode 'cubic'", lambda: F.interpolate(IMAGE, 2, mode="cubic"), ValueError, "mode"),
    Row(61, "mode of another rank", lambda: F.interpolate(IMAGE[0], 2, mode="bilinear"), ValueError, "mode"),
    Row(61, "mode 'trilinear' of two axes", lambda: F.interpolate(IMAGE, 2, mode="trilinear"), ValueError, "mode"),
    Row(61, "align_corners of nearest", lambda: F.interpolate(IMAGE, 2, align_corners=False), ValueError, "align_corners"),
    Row(61, "align_corners 1", lambda: F.interpolate(IMAGE, 2, mode="bilinear", align_corners=1), TypeError, "align_corners"),
    Row(61, "antialias of area", lambda: F.interpolate(IMAGE, 2, mode="area", antialias=True), ValueError, "antialias"),
    Row(61, "recompute_scale_factor with size", lambda: F.interpolate(IMAGE, 2, recompute_scale_factor=True), ValueError, "recompute_scale_factor"),
    Row(61, "recompute_scale_factor 'yes'", lambda: F.interpolate(IMAGE, None, 2, recompute_scale_factor="yes"), TypeError, "recompute_scale_factor"),
    Row(61, "no spatial axes", lambda: F.interpolate(X, 2), ValueError, "input"),
    Row(61, "no pixels", lambda: F.interpolate(IMAGE[..., :0], 2), ValueError, "input"),
    Row(17, "matrix of a kernel that is too large", lambda: F.convolution_matrix(np.ones((5, 5)), (4, 4)), ValueError, "kernel"),
    Row(22, "matrix of another rank", lambda: F.convolution_matrix(np.ones((2, 2)), (4, 4, 4)), ValueError, "weight"),
    Row(22, "matrix of a size that is a number", lambda: F.convolution_matrix(np.ones(2), 4), TypeError, "input_size"),
    Row(22, "matrix of no sizes", lambda: F.convolution_matrix(1.0, ()), ValueError, "input_size"),
    Row(26, "matrix of no samples", lambda: F.convolution_matrix([1.0], (0,), padding=3), ValueError, "input"),
    Row(31, "matrix beyond memory", lambda: F.convolution_matrix(np.ones((3, 3)), (10**4, 10**4)), MemoryError, "matrix"),
    Row(31, "sparse matrix beyond memory", lambda: F.convolution_matrix(np.ones((3, 3)), (2**30, 2**30), sparse=True), MemoryError, "matrix"),
    Row(31, "sparse matrix of padding 2**45", lambda: F.convolution_matrix([1.0], (3,), padding=2**45, sparse=True), MemoryError, "matrix"),
    Row(18, "matrix with groups that do not divide", lambda: F.convolution_matrix(np.ones((3, 1, 2)), (4,), groups=2), ValueError, "groups"),
    Row(4, "sparse 1", lambda: F.convolution_matrix([1.0], (3,), sparse=1), TypeError, "sparse"),
    Row(19, "linear of other features", lambda: F.linear(X, W), ValueError, "input.*2 features"),
    Row(20, "linear of another bias", lambda: F.linear(X, X, np.ones(3)), ValueError, "bias"),
    Row(20, "linear of a bias that would broadcast", lambda: F.linear(X, X, 1.0), ValueError, "bias"),
    Row(21, "linear of three axes", lambda: F.linear(X, X[None]), ValueError, "weight"),
    Row(28, "linear of numbers", lambda: F.linear(1.0, 2.0), ValueError, "weight"),
    Row(28, "linear of a number", lambda: F.linear(1.0, X), ValueError, "input"),
    Row(31, "linear beyond memory", lambda: F.linear(broadcast(2**24, 1), broadcast(2**24, 1)), MemoryError, "output"),
    Row(77, "pad into what is read-only", lambda: F.pad(X, (1, 1), out=broadcast(2, 5)), ValueError, "out"),
    Row(79, "pad into another shape", lambda: F.pad(X, (1, 1), out=np.empty((2, 4))), ValueError, "out"),
    Row(79, "pad into another dtype", lambda: F.pad(X, (1, 1), out=np.empty((2, 5), "f4")), TypeError, "out"),
    Row(79, "pad into a list", lambda: F.pad(X, (1, 1), out=[0.0]), TypeError, "out"),
    Row(79, "interpolate into another shape", lambda: F.interpolate(IMAGE, 2, mode="area", out=IMAGE.copy()), ValueError, "out"),
    Row(79, "fold into another dtype", lambda: F.fold(COLUMNS, 4, 2, out=np.empty((1, 2, 4, 4), "f4")), TypeError, "out"),
    Row(79, "linear into another shape", lambda: F.linear(X, X, out=np.empty(4)), ValueError, "out"),
    Row(80, "pad into a shifted view", lambda: shifted(), np.array([2.0, 0, 1, 2, 3, 1])),
]  # fmt: skip


def shifted():
    memory = np.arange(8.0)
    return F.pad(memory[:4], (1, 1), "circular", out=memory[1:7]) - np.array([1.0, 0, 0, 0, 0, -1])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number} {row.label}")
def test_table(row):
    check_row(row)
