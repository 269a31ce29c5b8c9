"""Bad and odd input: one table, each row in a forked child, no signal and no hang allowed.

The numbers of the rows are those of a list of inputs on which libraries for convolutions have
crashed, hung, or returned nonsense. What must come is a ValueError, TypeError or MemoryError whose
message tells the argument, or the right result.
"""

# ruff: noqa: E501 (a row of the table is a line)

import inspect
import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from support import functions, run_in_child

import convx
from convx import functional as F
from convx import grad, reference

X, W = np.arange(16.0).reshape(1, 2, 8), np.arange(12.0).reshape(2, 2, 3)
DY = np.ones((1, 2, 6))
ONE = np.ones((1, 1, 1))
BIG, BIGGER = 2**31, 2**62
TOO_LARGE = (ValueError, MemoryError)


@dataclass(frozen=True)
class Row:
    """One bad input: what is called, what must come of it, and what the message must tell.

    ``call`` takes no arguments; or it is a dictionary of options, which every public function that
    has them is called with, for one axis and for two. ``expected`` is a type of exception or a
    tuple of them, or else the array that must come back.
    """

    number: int
    label: str
    call: Any
    expected: Any
    says: str = ""


def nested(depth):
    value = 1
    for _ in range(depth):
        value = (value,)
    return value


class Index:
    """An integer by its __index__ alone."""

    def __init__(self, value):
        self.value = value

    def __index__(self):
        return self.value


def broadcast(*shape):
    return np.broadcast_to(1.0, shape)


def with_strides(array, *strides):
    return np.lib.stride_tricks.as_strided(array, array.shape, strides)


ROWS = [
    Row(1, "stride 0", {"stride": 0}, ValueError, "stride"),
    Row(1, "stride 0 of one axis", lambda: F.conv2d(X[None], W[None], stride=(1, 0)), ValueError, "stride"),
    Row(2, "stride -1", {"stride": -1}, ValueError, "stride"),
    Row(2, "stride -2**62", {"stride": -BIGGER}, ValueError, "stride"),
    Row(3, "stride 2**62", lambda: F.conv1d(X, W, stride=BIGGER), F.conv1d(X, W)[..., :1]),
    Row(3, "stride 2**62 in place", lambda: F.conv2d(np.ones((1, 1, 3, 16)), ONE[None], stride=(BIGGER, 1)), np.ones((1, 1, 1, 16))),
    Row(3, "stride 2**62 and padding", lambda: F.conv1d(X, W, padding=2, stride=BIGGER), F.conv1d(X, W, padding=2)[..., :1]),
    Row(3, "stride 2**62, gradient", lambda: grad.conv1d_input(X.shape, W, DY[..., :1], BIGGER), reference.conv_nd_input(X.shape, W, DY[..., :1], 6)),
    Row(3, "stride 2**62, gradient of the weight", lambda: grad.conv1d_weight(X, W.shape, DY[..., :1], BIGGER), reference.conv_nd_weight(X, W.shape, DY[..., :1], 6)),
    Row(3, "stride 2**63", {"stride": 2**63}, ValueError, "stride"),
    Row(3, "stride 2**64 + 1", {"stride": 2**64 + 1}, ValueError, "stride"),
    Row(3, "stride of 5000 digits", {"stride": 10**5000}, ValueError, "stride"),
    Row(3, "stride of -5000 digits", {"stride": -(10**5000)}, ValueError, "stride"),
    Row(4, "stride 1.5", {"stride": 1.5}, TypeError, "stride"),
    Row(4, "stride 1.0", {"stride": 1.0}, TypeError, "stride"),
    Row(4, "stride NaN", {"stride": math.nan}, TypeError, "stride"),
    Row(4, "stride True", {"stride": True}, TypeError, "stride"),
    Row(4, "stride np.True_", {"stride": np.True_}, TypeError, "stride"),
    Row(4, "stride '2'", {"stride": "2"}, TypeError, "stride"),
    Row(4, "stride b'2'", {"stride": b"2"}, TypeError, "stride"),
    Row(4, "stride None", {"stride": None}, TypeError, "stride"),
    Row(4, "stride a set", {"stride": {1}}, TypeError, "stride"),
    Row(4, "stride an array", {"stride": np.array([1, 1])}, TypeError, "stride"),
    Row(4, "stride np.int8(2)", lambda: F.conv1d(X, W, stride=np.int8(2)), F.conv1d(X, W, stride=2)),
    Row(4, "stride an array of no axes", lambda: F.conv1d(X, W, stride=np.array(2)), F.conv1d(X, W, stride=2)),
    Row(4, "stride with __index__", lambda: F.conv1d(X, W, stride=[Index(2)]), F.conv1d(X, W, stride=2)),
    Row(5, "stride ()", {"stride": ()}, ValueError, "stride"),
    Row(5, "stride []", {"stride": []}, ValueError, "stride"),
    Row(5, "stride of another rank", {"stride": (1, 1, 1)}, ValueError, "stride"),
    Row(5, "stride of a thousand axes", {"stride": (1,) * 1000}, ValueError, "stride"),
    Row(5, "stride nested", lambda: F.conv1d(X, W, stride=nested(2)), TypeError, "stride"),
    Row(5, "stride nested 10**4 deep", lambda: F.conv1d(X, W, stride=nested(10**4)), TypeError, "stride"),
    Row(5, "stride nested 10**6 deep", lambda: F.conv1d(X, W, stride=nested(10**6)), TypeError, "stride"),
    Row(5, "padding nested 10**6 deep", lambda: F.conv1d(X, W, padding=nested(10**6)), (TypeError, ValueError), "padding"),
    Row(6, "dilation 0", {"dilation": 0}, ValueError, "dilation"),
    Row(6, "dilation -1", {"dilation": -1}, ValueError, "dilation"),
    Row(6, "dilation 2.0", {"dilation": 2.0}, TypeError, "dilation"),
    Row(6, "dilation False", {"dilation": False}, TypeError, "dilation"),
    Row(6, "dilation ()", {"dilation": ()}, ValueError, "dilation"),
    Row(7, "dilation 2**62, padding 10", lambda: F.conv1d(X, W, padding=10, dilation=BIGGER), ValueError, "dilation"),
    Row(7, "dilation 2**62 of two axes", lambda: F.conv2d(np.ones((1, 1, 9, 9)), np.ones((1, 1, 3, 3)), padding=10, dilation=BIGGER), ValueError, "dilation"),
    Row(7, "dilation 2**61, integers", lambda: F.conv1d(X.astype(int), W.astype(int), padding=10, dilation=2**61), ValueError, "dilation"),
    Row(7, "dilation 2**62 of a single tap", lambda: F.conv1d(X, W[..., :1], dilation=BIGGER), F.conv1d(X, W[..., :1])),
    Row(7, "dilation 2**64", {"dilation": 2**64}, ValueError, "dilation"),
    Row(7, "dilation 2**60, transposed", lambda: F.conv_transpose1d(DY, W, dilation=2**60), MemoryError, "output"),
    Row(8, "dilation 2**31, 'same'", lambda: F.conv1d(X, W, padding="same", dilation=BIG), F.conv1d(X, W[..., 1:2])),
    Row(8, "dilation 2**60, 'same'", lambda: F.conv1d(X, W, padding="same", dilation=2**60), F.conv1d(X, W[..., 1:2])),
    Row(8, "dilation 2**31, 'same', gradient", lambda: grad.conv1d_input(X.shape, W, X, 1, "same", BIG), reference.conv_nd_input(X.shape, W[..., 1:2], X)),
    Row(8, "dilation 2**31, 'same', circular", lambda: F.conv1d(X, W, padding="same", dilation=2**45, padding_mode="circular"), MemoryError, "padding"),
    Row(9, "padding -1", {"padding": -1}, ValueError, "padding"),
    Row(9, "padding (-1, 2)", lambda: F.conv1d(X, W, padding=((-1, 2),)), ValueError, "padding"),
    Row(9, "padding 0.5", {"padding": 0.5}, TypeError, "padding"),
    Row(9, "padding True", {"padding": True}, TypeError, "padding"),
    Row(9, "padding None", {"padding": None}, TypeError, "padding"),
    Row(9, "padding of triples", lambda: F.conv1d(X, W, padding=((1, 2, 3),)), ValueError, "padding"),
    Row(9, "padding mixed", lambda: F.conv2d(X[None], W[None], padding=((1, 2), 3)), TypeError, "padding"),
    Row(9, "padding of another rank", {"padding": (1, 1, 1)}, ValueError, "padding"),
    Row(10, "padding 2**31, many filters", lambda: F.conv1d(X, broadcast(4096, 2, 3), padding=BIG), MemoryError, "output"),
    Row(10, "padding 2**40", lambda: F.conv1d(X, W, padding=2**40), MemoryError, "output"),
    Row(10, "padding 2**31, one output", lambda: F.conv1d(X, W, padding=BIG, stride=BIGGER), np.zeros((1, 2, 1))),
    Row(10, "padding 2**40, circular, one output", lambda: F.conv1d(X, W, padding=2**40, stride=BIGGER, padding_mode="circular"), MemoryError, "padding"),
    Row(10, "padding 2**40, folded back", lambda: F.conv_transpose1d(X, W, stride=2**40, padding=((0, 7 * 2**40),), padding_mode="reflect"), MemoryError, "padding|output"),
    Row(11, "padding 2**62", lambda: F.conv1d(X, W, padding=BIGGER), TOO_LARGE, "padding"),
    Row(11, "padding 2**62, transposed", lambda: F.conv_transpose1d(DY, W, padding=BIGGER), ValueError, "padding"),
    Row(11, "padding 2**62 - 1 of one side", lambda: F.conv1d(X, W, padding=((0, BIGGER - 1),)), TOO_LARGE, "padding"),
    Row(11, "padding 2**63", {"padding": 2**63}, ValueError, "padding"),
    Row(12, "kernel size 0", lambda: F.conv1d(X, np.ones((2, 2, 0))), ValueError, "weight"),
    Row(12, "kernel size 0 with 'same'", lambda: F.conv1d(X, np.ones((2, 2, 0)), padding="same"), ValueError, "weight"),
    Row(12, "kernel size 0, transposed", lambda: F.conv_transpose1d(X, np.ones((2, 2, 0)), padding=1), ValueError, "weight"),
    Row(12, "kernel size 0, prepared", lambda: convx.prepare_conv(np.ones((2, 2, 0))), ValueError, "weight"),
    Row(12, "kernel size 0, gradient", lambda: grad.conv1d_weight(X, (2, 2, 0), DY), ValueError, "weight"),
    Row(12, "kernel size -1, gradient", lambda: grad.conv1d_weight(X, (2, 2, -1), DY), ValueError, "weight_size"),
    Row(12, "kernel size 2**33 by broadcasting", lambda: F.conv1d(ONE, broadcast(1, 1, 2**33), padding=2**33, stride=2**36), MemoryError, "weight"),
    Row(12, "kernel size 2**33, gradient", lambda: grad.conv1d_weight(ONE, (1, 1, 2**33), ONE, padding=2**33, stride=2**36), MemoryError, "weight"),
    Row(12, "kernel size 2**62, gradient", lambda: grad.conv1d_weight(X, (2, 2, BIGGER), DY), TOO_LARGE, "weight|kernel"),
    Row(17, "kernel larger than the input", lambda: F.conv1d(X, np.ones((2, 2, 9))), ValueError, "kernel.*9.*8"),
    Row(17, "kernel larger than the padded input", lambda: F.conv1d(X, np.ones((2, 2, 13)), padding=2), ValueError, "kernel.*13.*12"),
    Row(17, "dilated kernel larger than the input", lambda: F.conv1d(X, W, dilation=4), ValueError, "kernel.*9.*8"),
    Row(17, "kernel larger, gradient", lambda: grad.conv1d_input((1, 2, 2), W, DY), ValueError, "kernel.*3.*2"),
    Row(18, "groups 0", {"groups": 0}, ValueError, "groups"),
    Row(18, "groups -1", {"groups": -1}, ValueError, "groups"),
    Row(18, "groups that do not divide", {"groups": 3}, ValueError, "groups"),
    Row(18, "groups 2**62", {"groups": BIGGER}, ValueError, "groups"),
    Row(18, "groups 2**64", {"groups": 2**64}, ValueError, "groups"),
    Row(18, "groups 1.0", {"groups": 1.0}, TypeError, "groups"),
    Row(18, "groups a tuple", {"groups": (1, 1)}, TypeError, "groups"),
    Row(18, "groups that do not divide the output", lambda: F.conv1d(X, np.ones((3, 1, 3)), groups=2), ValueError, "groups"),
    Row(19, "channel mismatch", lambda: F.conv1d(X, np.ones((2, 3, 3))), ValueError, "weight.*2 channels"),
    Row(19, "channel mismatch, transposed", lambda: F.conv_transpose1d(X, np.ones((3, 2, 3))), ValueError, "weight.*2 channels"),
    Row(19, "channel mismatch with groups", lambda: F.conv1d(X, W, groups=2), ValueError, "weight"),
    Row(20, "bias too long", lambda: F.conv1d(X, W, np.ones(3)), ValueError, "bias"),
    Row(20, "bias empty", lambda: F.conv1d(X, W, np.ones(0)), ValueError, "bias"),
    Row(20, "bias of two axes", lambda: F.conv1d(X, W, np.ones((2, 1))), ValueError, "bias"),
    Row(20, "bias a number", lambda: F.conv1d(X, W, 1.0), ValueError, "bias"),
    Row(20, "bias too long, transposed", lambda: F.conv_transpose1d(X, W, np.ones(3)), ValueError, "bias"),
    Row(20, "bias too long, gradient", lambda: grad.conv1d(DY, X, W, np.ones(3)), ValueError, "bias"),
    Row(20, "bias too long, prepared", lambda: convx.prepare_conv(W, np.ones(3)), ValueError, "bias"),
    Row(21, "weight of fewer axes", lambda: F.conv1d(X, np.ones((2, 2))), ValueError, "weight"),
    Row(21, "weight of more axes", lambda: F.conv1d(X, np.ones((2, 2, 3, 3))), ValueError, "weight"),
    Row(21, "weight a number", lambda: F.conv_nd(X, 5.0), ValueError, "weight"),
    Row(21, "weight without kernel axes", lambda: F.conv_nd(X, np.ones((2, 2))), ValueError, "weight"),
    Row(21, "weight size without kernel axes", lambda: grad.conv_nd_weight(X, (2, 2), DY), ValueError, "weight"),
    Row(22, "input of too few axes", lambda: F.conv1d(X[0, 0], W), ValueError, "input.*batch"),
    Row(22, "input of too many axes", lambda: F.conv1d(X[None], W), ValueError, "input.*batch"),
    Row(22, "input size of too few axes", lambda: grad.conv1d_input((8,), W, DY), ValueError, "input_size.*batch"),
    Row(22, "input size a number", lambda: grad.conv1d_input(8, W, DY), TypeError, "input_size"),
    Row(22, "input size a string", lambda: grad.conv1d_input("128", W, DY), TypeError, "input_size"),
    Row(22, "input size of floats", lambda: grad.conv1d_input((1, 2, 8.0), W, DY), TypeError, "input_size"),
    Row(22, "input size of negatives", lambda: grad.conv1d_input((-1, 2, 8), W, DY), ValueError, "input_size"),
    Row(23, "dtypes that differ are promoted", lambda: F.conv1d(X.astype("f4"), W.astype("i8")), F.conv1d(X, W)),
    Row(24, "bool", lambda: F.conv1d(X.astype(bool), W), TypeError, "input"),
    Row(24, "bool weight", lambda: F.conv1d(X, W.astype(bool)), TypeError, "weight"),
    Row(24, "bool both", lambda: F.conv1d(X.astype(bool), W.astype(bool)), TypeError, "input"),
    Row(24, "bool bias", lambda: F.conv1d(X, W, [True, False]), TypeError, "bias"),
    Row(24, "bool gradient", lambda: grad.conv1d(DY.astype(bool), X, W), TypeError, "grad_output"),
    Row(24, "object", lambda: F.conv1d(X.astype(object), W), TypeError, "input"),
    Row(24, "object weight", lambda: F.conv1d(X, W.astype(object)), TypeError, "weight"),
    Row(24, "huge integers", lambda: F.conv1d([[2**70, 1, 2]], W[:, :1]), TypeError, "input"),
    Row(24, "None", lambda: F.conv1d(None, W), TypeError, "input"),
    Row(24, "None weight", lambda: F.conv1d(X, None), TypeError, "weight"),
    Row(24, "strings", lambda: F.conv1d(X.astype("U3"), W), TypeError, "input"),
    Row(24, "a string", lambda: F.conv1d("input", W), TypeError, "input"),
    Row(24, "bytes", lambda: F.conv1d(X.astype("S3"), W), TypeError, "input"),
    Row(24, "strings of any length", lambda: F.conv1d(np.full(X.shape, "a", np.dtypes.StringDType()), W), TypeError, "input"),
    Row(24, "dates", lambda: F.conv1d(X.astype("M8[s]"), W), TypeError, "input"),
    Row(24, "durations", lambda: F.conv1d(X, W.astype("m8[s]")), TypeError, "weight"),
    Row(24, "structures", lambda: F.conv1d(np.zeros(X.shape, "f4,f4"), W), TypeError, "input"),
    Row(24, "structures of nothing", lambda: F.conv1d(np.zeros(X.shape, []), W), TypeError, "input"),
    Row(24, "void of size 0", lambda: F.conv1d(np.zeros(X.shape, "V0"), W), TypeError, "input"),
    Row(24, "long double", lambda: F.conv1d(X.astype(np.longdouble), W), TypeError, "input"),
    Row(24, "complex long double", lambda: F.conv1d(X, W.astype(np.clongdouble)), TypeError, "weight"),
    Row(24, "ragged lists", lambda: F.conv1d([[1, 2], [3]], W), (TypeError, ValueError), "input"),
    Row(24, "ragged weight", lambda: F.conv1d(X, [[1, 2], [3]]), (TypeError, ValueError), "weight"),
    Row(24, "a dictionary", lambda: F.conv1d({}, W), TypeError, "input"),
    Row(24, "a module", lambda: F.conv1d(X, math), TypeError, "weight"),
    Row(25, "no items", lambda: F.conv1d(X[:0], W), np.empty((0, 2, 6))),
    Row(25, "no items, big stride", lambda: F.conv1d(X[:0], W, stride=BIGGER), np.empty((0, 2, 1))),
    Row(25, "no items, transposed", lambda: F.conv_transpose1d(X[:0], W, stride=2), np.empty((0, 2, 17))),
    Row(25, "no items, prepared", lambda: convx.prepare_conv(W)(X[:0]), np.empty((0, 2, 6))),
    Row(25, "no items, gradient of the input", lambda: grad.conv1d(DY[:0], X[:0], W)[0], X[:0]),
    Row(25, "no items, gradient of the weight", lambda: grad.conv1d(DY[:0], X[:0], W)[1], 0 * W),
    Row(25, "no items, gradient of the bias", lambda: grad.conv1d(DY[:0], X[:0], W, np.ones(2))[2], np.zeros(2)),
    Row(26, "no input channels", lambda: F.conv1d(X[:, :0], W[:, :0], [3.0, 4.0]), np.repeat([[[3.0], [4.0]]], 6, -1)),
    Row(26, "no input channels or bias", lambda: F.conv1d(X[:, :0], W[:, :0]), np.zeros((1, 2, 6))),
    Row(26, "no input channels, transposed", lambda: F.conv_transpose1d(X[:, :0], W[:0], [3.0, 4.0]), np.repeat([[[3.0], [4.0]]], 10, -1)),
    Row(26, "no input channels, gradient of the weight", lambda: grad.conv1d(DY, X[:, :0], W[:, :0])[1], W[:, :0]),
    Row(26, "no input channels, gradient of the input", lambda: grad.conv1d(DY, X[:, :0], W[:, :0])[0], X[:, :0]),
    Row(26, "no input channels, prepared", lambda: convx.prepare_conv(W[:, :0])(X[:, :0]), np.zeros((1, 2, 6))),
    Row(26, "no output channels", lambda: F.conv1d(X, W[:0]), ValueError, "weight"),
    Row(26, "no output channels, transposed", lambda: F.conv_transpose1d(X, W[:, :0]), ValueError, "weight"),
    Row(26, "no output channels, gradient", lambda: grad.conv1d(DY[:, :0], X, W[:0]), ValueError, "weight"),
    Row(26, "no output channels, gradient of the input", lambda: grad.conv1d_input(X.shape, W[:0], DY[:, :0]), ValueError, "weight"),
    Row(26, "no output channels, gradient of the weight", lambda: grad.conv1d_weight(X, (0, 2, 3), DY[:, :0]), ValueError, "weight"),
    Row(26, "no output channels, prepared", lambda: convx.prepare_conv(W[:0]), ValueError, "weight"),
    Row(26, "no channels at all", lambda: F.conv1d(X[:, :0], W[:0, :0]), ValueError, "weight"),
    Row(26, "no samples", lambda: F.conv1d(X[..., :0], W), ValueError, "input"),
    Row(26, "no samples but padding", lambda: F.conv1d(X[..., :0], W, padding=4), ValueError, "input"),
    Row(26, "no samples but a border", lambda: F.conv1d(X[..., :0], W, padding=4, padding_mode="reflect"), ValueError, "input"),
    Row(26, "no samples, transposed", lambda: F.conv_transpose1d(X[..., :0], W), ValueError, "input"),
    Row(26, "no samples, gradient", lambda: grad.conv1d_input((1, 2, 0), W, DY, padding=4), ValueError, "input"),
    Row(27, "empty lists", lambda: F.conv1d([], []), ValueError, "weight"),
    Row(27, "empty input", lambda: F.conv1d([], W), ValueError, "input"),
    Row(28, "numbers", lambda: F.conv1d(1.0, 2.0), ValueError, "weight"),
    Row(28, "a number", lambda: F.conv1d(np.float64(1), W), ValueError, "input"),
    Row(28, "an array of no axes", lambda: F.conv_nd(np.array(1.0), W), ValueError, "input"),
    Row(29, "31 spatial axes", lambda: F.conv_nd(np.ones((1,) * 33), np.ones((1,) * 33)), ValueError, "weight"),
    Row(29, "62 spatial axes", lambda: F.conv_nd(np.ones((1,) * 64), np.ones((1,) * 64)), ValueError, "weight"),
    Row(29, "64 axes of the input", lambda: F.conv1d(np.ones((1,) * 64), W), ValueError, "input"),
    Row(29, "31 spatial axes, gradient", lambda: grad.conv_nd_weight(np.ones((1,) * 33), (1,) * 33, np.ones((1,) * 33)), ValueError, "weight"),
    Row(29, "30 spatial axes", lambda: F.conv_nd(np.ones((1,) * 32), np.full((1,) * 32, 3.0)), np.full((1,) * 32, 3.0)),
    Row(30, "output beyond 64 bits", lambda: F.conv2d(np.ones((1, 1, 4, 4)), ONE[None], padding=2**40), TOO_LARGE, "output"),
    Row(30, "output beyond 64 bits, transposed", lambda: F.conv_transpose2d(np.ones((1, 1, 4, 4)), ONE[None], stride=2**40), TOO_LARGE, "output"),
    Row(30, "output beyond 64 bits by the batch", lambda: F.conv1d(broadcast(2**45, 1, 2**12), broadcast(2**10, 1, 1)), TOO_LARGE, "output"),
    Row(30, "input size beyond 64 bits", lambda: grad.conv1d_input((2**50, 2, 2**20), W, broadcast(2**50, 2, 1), 2**40), TOO_LARGE, "output|input"),
    Row(31, "output beyond memory", lambda: F.conv1d(X, W, padding=2**42), MemoryError, "bytes"),
    Row(31, "output beyond memory, transposed", lambda: F.conv_transpose1d(X, W, stride=2**42), MemoryError, "bytes"),
    Row(31, "input gradient beyond memory", lambda: grad.conv1d_input((1, 2, 2**44), W, DY[..., :1], 2**45), MemoryError, "bytes"),
    Row(32, "input size 9e18", lambda: grad.conv1d_input((1, 2, 9 * 10**18), W, DY), ValueError, "input"),
    Row(32, "input size 9e18 in the batch", lambda: grad.conv1d_input((9 * 10**18, 2, 8), W, DY), ValueError, "grad_output|input_size"),
    Row(45, "output_padding of the stride", lambda: F.conv_transpose1d(X, W, stride=2, output_padding=2), ValueError, "output_padding"),
    Row(45, "output_padding 1", lambda: F.conv_transpose1d(X, W, output_padding=1), ValueError, "output_padding"),
    Row(45, "output_padding -1", lambda: F.conv_transpose1d(X, W, output_padding=-1), ValueError, "output_padding"),
    Row(45, "output_padding 2**62", lambda: F.conv_transpose1d(X, W, output_padding=BIGGER), ValueError, "output_padding"),
    Row(45, "output_padding 0.0", lambda: F.conv_transpose1d(X, W, output_padding=0.0), TypeError, "output_padding"),
    Row(45, "output_padding of another rank", lambda: F.conv_transpose1d(X, W, output_padding=(0, 0)), ValueError, "output_padding"),
    Row(45, "output_padding, gradient", lambda: grad.conv_transpose1d(X, X, W, output_padding=1), ValueError, "output_padding"),
    Row(45, "output_padding of the dilation", lambda: F.conv_transpose1d(ONE, ONE, dilation=3, output_padding=2), np.array([[[1.0, 0, 0]]])),
    Row(46, "stride 2**31, transposed", lambda: F.conv_transpose1d(X, broadcast(2, 512, 3), stride=BIG), MemoryError, "output"),
    Row(46, "stride 2**32, transposed", lambda: F.conv_transpose1d(X, broadcast(2, 512, 3), stride=2**32), MemoryError, "output"),
    Row(46, "stride 2**31 of one sample", lambda: F.conv_transpose1d(X[..., :1], W, stride=BIG), F.conv_transpose1d(X[..., :1], W)),
    Row(46, "stride 2**62 of one sample", lambda: F.conv_transpose2d(ONE[None], np.ones((1, 1, 3, 3)), stride=BIGGER), np.ones((1, 1, 3, 3))),
    Row(46, "stride 2**62, transposed", lambda: F.conv_transpose1d(X, W, stride=BIGGER), TOO_LARGE, "stride"),
    Row(46, "dilation 2**31, transposed", lambda: F.conv_transpose1d(X, broadcast(2, 2048, 3), dilation=BIG), MemoryError, "output"),
    Row(46, "dilation 2**62, transposed", lambda: F.conv_transpose1d(X, W, dilation=BIGGER), TOO_LARGE, "dilation"),
    Row(47, "all of the output cropped", lambda: F.conv_transpose1d(X, W, padding=5), ValueError, "padding"),
    Row(47, "more than the output cropped", lambda: F.conv_transpose1d(X, W, padding=((0, 11),)), ValueError, "padding"),
    Row(47, "kernel that reaches no output", lambda: F.conv_transpose1d(np.ones((1, 1, 2)), ONE, [5.0], stride=2, padding=1), np.full((1, 1, 1), 5.0)),
    Row(48, "input size that gave another output", lambda: grad.conv1d_input((1, 2, 9), W, DY), ValueError, "grad_output"),
    Row(48, "gradient of another shape", lambda: grad.conv1d(np.ones((1, 2, 7)), X, W), ValueError, "grad_output"),
    Row(48, "gradient of another shape, weight", lambda: grad.conv1d_weight(X, W.shape, np.ones((1, 3, 6))), ValueError, "grad_output"),
    Row(48, "gradient without batch", lambda: grad.conv1d(DY[0], X, W), ValueError, "grad_output"),
    Row(48, "gradient of another shape, transposed", lambda: grad.conv_transpose1d(DY, X, W), ValueError, "grad_output"),
    Row(48, "gradient a number", lambda: grad.conv1d(1.0, X, W), ValueError, "grad_output"),
    Row(49, "padding 'same', transposed", lambda: F.conv_transpose1d(X, W, padding="same"), reference.conv_transpose_nd(X, W, padding=1)),
    Row(50, "padding 'SAME'", {"padding": "SAME"}, ValueError, "padding.*'same', 'valid'"),
    Row(50, "padding ' same'", {"padding": " same"}, ValueError, "padding.*'same', 'valid'"),
    Row(50, "padding ''", {"padding": ""}, ValueError, "padding"),
    Row(50, "padding b'same'", {"padding": b"same"}, (TypeError, ValueError), "padding"),
    Row(50, "padding of letters", {"padding": ("s", "a")}, (TypeError, ValueError), "padding"),
    Row(51, "padding_mode unknown", {"padding_mode": "mirror"}, ValueError, "padding_mode.*reflect"),
    Row(51, "padding_mode 'Zeros'", {"padding_mode": "Zeros"}, ValueError, "padding_mode"),
    Row(51, "padding_mode None", {"padding_mode": None}, TypeError, "padding_mode"),
    Row(51, "padding_mode 0", {"padding_mode": 0}, TypeError, "padding_mode"),
    Row(51, "padding_mode a list", {"padding_mode": ["zeros"]}, TypeError, "padding_mode"),
    Row(51, "algorithm unknown", {"algorithm": "winograd9"}, ValueError, "algorithm.*direct"),
    Row(51, "algorithm None", {"algorithm": None}, TypeError, "algorithm"),
    Row(59, "padding 2**40 of two axes", lambda: F.conv2d(np.ones((1, 1, 4, 4)), ONE[None], padding=(2**40, 0)), MemoryError, "output"),
    Row(59, "padding 2**40, gradient", lambda: grad.conv1d(DY, X, W, padding=2**40), ValueError, "grad_output"),
    Row(69, "NaN in the input", lambda: np.isnan(F.conv1d(spike(math.nan, 9), np.ones((1, 1, 3)))).nonzero()[2], np.array([2, 3, 4])),
    Row(69, "NaN in a long line", lambda: np.isnan(F.conv1d(spike(math.nan, 5000), np.ones((9, 1, 3)))[0, 8]).nonzero()[0], np.array([2, 3, 4])),
    Row(69, "infinity in the input", lambda: F.conv1d(spike(math.inf, 7), np.ones((1, 1, 2))), np.array([[[0, 0, math.inf, math.inf, 0.0, 0]]])),
    Row(69, "NaN in the weight stays in its channel", lambda: np.isnan(F.conv1d(X, np.where(W == 7, math.nan, W))).any((0, 2)), np.array([False, True])),
    Row(69, "infinite weight at zero padding", lambda: F.conv1d([[1.0, 2, 3]], [[[math.inf, 0, 0]]], padding=1), np.array([[math.nan, math.inf, math.inf]])),
    Row(69, "NaN, gradient of the input", lambda: np.isnan(grad.conv1d_input((1, 1, 11), np.ones((1, 1, 3)), spike(math.nan, 9))).nonzero()[2], np.array([4, 5, 6])),
    Row(69, "NaN, transposed with a stride", lambda: np.isnan(F.conv_transpose1d(spike(math.nan, 9), np.ones((1, 1, 2)), stride=3)).nonzero()[2], np.array([12, 13])),
    Row(69, "NaN, gradient of the weight", lambda: np.isnan(grad.conv1d_weight(spike(math.nan, 5), (1, 1, 3), np.ones((1, 1, 3)))), np.full((1, 1, 3), True)),
    Row(69, "NaN stays in its item", lambda: np.isnan(F.conv1d(np.where([[[1]], [[0]]], math.nan, np.ones((2, 1, 40))), np.ones((20, 1, 3)))).all((1, 2)), np.array([True, False])),
    Row(73, "negative strides", lambda: F.conv1d(X[:, ::-1, ::-1], W[::-1, :, ::-1]), reference.conv_nd(X[:, ::-1, ::-1], W[::-1, :, ::-1])),
    Row(74, "strides of zero", lambda: F.conv1d(broadcast(3, 2, 8), broadcast(2, 2, 3)), np.full((3, 2, 6), 6.0)),
    Row(74, "strides of zero in out", lambda: F.conv1d(X, W, out=with_strides(np.ones((1, 2, 6)), 0, 0, 0)), ValueError, "out"),
    Row(75, "byte-swapped", lambda: F.conv1d(X.astype(">f8"), W.astype("<f8")), F.conv1d(X, W)),
    Row(76, "unaligned", lambda: F.conv1d(np.frombuffer(b"?" + X.tobytes(), "f8", 16, 1).reshape(X.shape), W), F.conv1d(X, W)),
    Row(77, "read-only", lambda: F.conv1d(np.frombuffer(X.tobytes()).reshape(X.shape), W), F.conv1d(X, W)),
    Row(77, "read-only out", lambda: F.conv1d(X, W, out=np.frombuffer(bytes(96)).reshape(1, 2, 6)), ValueError, "out"),
    Row(78, "odd strides of single axes", lambda: F.conv1d(with_strides(X, 3, 64, 8), with_strides(W[:1].copy(), -7, 24, 8)), F.conv1d(X, W[:1])),
    Row(78, "huge strides of single axes", lambda: F.conv1d(with_strides(X, 2**62, 64, 8), with_strides(W[:1].copy(), -(2**63), 24, 8)), F.conv1d(X, W[:1])),
    Row(78, "huge strides of single axes, gradient", lambda: grad.conv1d(with_strides(DY[:, :1].copy(), 2**62, -(2**62), 8), with_strides(X, 2**61, 64, 8), W[:1])[1], grad.conv1d(DY[:, :1], X, W[:1])[1]),
    Row(79, "out of another shape", lambda: F.conv1d(X, W, out=np.ones((1, 2, 5))), ValueError, "out"),
    Row(79, "out of another dtype", lambda: F.conv1d(X, W, out=np.ones((1, 2, 6), "c16")), TypeError, "out"),
    Row(79, "out no array", lambda: F.conv1d(X, W, out=[1.0]), TypeError, "out"),
    Row(80, "out overlaps the input", lambda: overlap(0), F.conv1d(X, W)),
    Row(80, "out overlaps the input, shifted", lambda: overlap(3), F.conv1d(X, W)),
    Row(81, "lists", lambda: F.conv1d(X.tolist(), W.tolist()), F.conv1d(X, W)),
    Row(81, "an array of strings of numbers", lambda: F.conv1d([["1", "2"]], [[["1"]]]), TypeError, "input"),
    Row(83, "integers wrap around", lambda: F.conv1d(np.array([[200, 200]], "u1"), np.array([[[1, 1]]], "u1")), np.array([[144]], "u1")),
    Row(83, "integers of 64 bits wrap around", lambda: F.conv1d(np.array([[2**62, 2**62]]), np.array([[[1, 1]]])), np.array([[-(2**63)]])),
    Row(84, "denormal numbers", lambda: F.conv1d(np.full((1, 1, 4), 2.0**-1060), np.full((1, 1, 2), 0.5)), np.full((1, 1, 3), 2.0**-1060)),
    Row(84, "denormal numbers of float32", lambda: F.conv1d(np.full((1, 1, 4), 2.0**-140, "f4"), np.full((1, 1, 2), 0.5, "f4")), np.full((1, 1, 3), 2.0**-140, "f4")),
    Row(84, "denormal products", lambda: F.conv1d(np.full((1, 1, 2), 2.0**-600), np.full((1, 1, 2), 2.0**-450)), np.full((1, 1, 1), 2.0**-1049)),
    Row(87, "n 0", lambda: convx.set_num_threads(0), ValueError, "n must"),
    Row(87, "n -1", lambda: convx.set_num_threads(-1), ValueError, "n must"),
    Row(87, "n 2**31", lambda: convx.set_num_threads(2**31), ValueError, "n must"),
    Row(87, "n 2**64", lambda: convx.set_num_threads(2**64), ValueError, "n must"),
    Row(87, "n True", lambda: convx.set_num_threads(True), TypeError, "n must"),
    Row(87, "n 1.5", lambda: convx.set_num_threads(1.5), TypeError, "n must"),
    Row(87, "n None", lambda: convx.set_num_threads(None), TypeError, "n must"),
    Row(87, "n 0 of a context", lambda: convx.threads(0).__enter__(), ValueError, "n must"),
    Row(87, "n '2' of a context", lambda: convx.threads("2").__enter__(), TypeError, "n must"),
    Row(87, "n 1024", lambda: many_threads(1024), F.conv1d(X, W)),
    Row(88, "mode of show_config", lambda: convx.show_config("json"), ValueError, "mode"),
]  # fmt: skip


def spike(value, size):
    """A line of zeros with one other value, in the middle."""
    line = np.zeros((1, 1, size))
    line[..., 4 if size > 8 else size // 2] = value
    return line


def overlap(shift):
    memory = np.zeros(28)
    memory[:16] = X.ravel()
    out = memory[shift : shift + 12].reshape(1, 2, 6)
    assert F.conv1d(memory[:16].reshape(X.shape), W, out=out) is out
    return out


def many_threads(count):
    with convx.threads(count):
        grad.conv2d(*(np.ones((1, 30, 40, 40)), np.ones((1, 30, 42, 42)), np.ones((30, 30, 3, 3))))
        return F.conv1d(X, W)


def every_function(options):
    """Calls of every public function that has these options."""
    for rank in (1, 2):
        for name, call in functions(rank).items():
            if options.keys() <= set(inspect.signature(public(name)).parameters):
                yield f"{name} of rank {rank}", lambda call=call: call(**options)


def public(name):
    found = convx
    for part in name.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number} {row.label}")
def test_table(row):
    check_row(row)


def check_row(row):
    """Call a row of a table in a child, and compare what becomes of it with what must."""
    calls = [("", row.call)]
    if isinstance(row.call, dict):
        calls = list(every_function(row.call))
        assert len(calls) >= 20

    def attempt():
        outcomes = []
        for name, call in calls:
            try:
                outcomes.append((name, None, call()))
            except Exception as error:
                outcomes.append((name, type(error), str(error)))
        return outcomes

    outcome = run_in_child(attempt, seconds=20)
    assert outcome.error is None, (outcome.error, outcome.message)
    for name, error, value in outcome.value:
        if isinstance(row.expected, np.ndarray):
            assert error is None, (error, value)
            assert type(value) is np.ndarray
            assert value.dtype == row.expected.dtype
            np.testing.assert_array_equal(value, row.expected)
            assert value.shape == row.expected.shape
        else:
            assert error is not None, (name, value)
            assert issubclass(error, row.expected), (name, error, value)
            assert row.says
            assert re.search(row.says, value), (name, error, value)
            assert len(value) < 500, "the message quotes too much"
