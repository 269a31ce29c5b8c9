"""Convolutions that are large or odd enough to be cut differently by threads and vector widths."""

from functools import partial

import numpy as np
from support import Case, values

import convx
from convx import functional as F
from convx import grad, ndimage

ACTIVATIONS = ("relu", "relu6", "silu", "hardswish", "leaky_relu", "sigmoid", "tanh")
DTYPES = ("float32", "float64", "int32", "int64")

CASES = {
    "layer": Case((28, 30), (3, 3), batch=3, channels=20, filters=33, options={"padding": 1}),
    "pointwise": Case((14, 14), (1, 1), batch=2, channels=90, filters=70),
    "many channels": Case((7, 7), (3, 3), batch=2, channels=150, filters=40),
    "many filters": Case((9, 9), (3, 3), batch=3, channels=4, filters=600),
    "strided": Case((57, 59), (3, 3), channels=12, filters=16, options={"stride": 2}),
    "dilated": Case((40, 300), (3, 3), channels=3, filters=7, options={"dilation": 3}),
    "long line": Case((5030,), (5,), channels=6, filters=9, options={"padding": 2}),
    "long line of one channel": Case((30_011,), (33,)),
    "wide rows": Case((5, 1030), (3, 3), channels=4, filters=20, options={"padding": 1}),
    "odd rows": Case((3, 271), (1, 3), batch=2, channels=18, filters=31),
    "rows of whole vectors": Case(
        (60, 128), (3, 3), channels=3, filters=20, options={"padding": 1}
    ),
    "large pointwise": Case((50, 57), (1, 1), batch=2, channels=15, filters=26),
    "pointwise, few boxes": Case((28, 28), (1, 1), channels=130, filters=33),
    "pointwise, sums in steps": Case((20, 20), (1, 1), channels=330, filters=20),
    "weights where they are": Case(
        (7, 9), (1, 1), batch=2, channels=530, filters=64, transposed=True
    ),
    "many taps": Case((70, 71), (21, 23), channels=2, filters=5),
    "spectra of a picture": Case((130, 150), (15, 15), options={"algorithm": "fft"}),
    "spectra of phases": Case((97, 150), (9, 9), options={"dilation": 2, "algorithm": "fft"}),
    "spectra of groups": Case(
        (50, 60), (9, 9), groups=20, options={"padding": 4, "algorithm": "fft"}
    ),
    "spectra of a batch": Case(
        (20, 22), (7, 7), batch=37, channels=2, filters=3, options={"algorithm": "fft"}
    ),
    "spectra of lines": Case((900,), (33,), channels=3, batch=4, options={"algorithm": "fft"}),
    "tiles of phases": Case(
        (60, 70), (3, 3), channels=20, filters=18, options={"dilation": 2, "algorithm": "winograd"}
    ),
    "tiles of five taps": Case(
        (40, 43),
        (5, 5),
        batch=3,
        channels=20,
        filters=18,
        options={"dilation": 2, "algorithm": "winograd"},
    ),
    "tiles in maps": Case(
        (13, 14),
        (3, 3),
        batch=5,
        channels=16,
        filters=31,
        options={"padding": 1, "algorithm": "winograd"},
    ),
    "depthwise": Case((50, 70), (3, 3), groups=30, options={"padding": 1}),
    "groups": Case((20, 22), (3, 3), batch=2, groups=4, channels=9, filters=10),
    "big batch": Case((6, 6), (3, 3), batch=40, channels=12, filters=20, options={"padding": 1}),
    "volume": Case((9, 13, 15), (3, 3, 3), channels=6, filters=14, options={"padding": 1}),
    "reflected": Case(
        (30, 35), (5, 5), channels=7, filters=12, options={"padding": 4, "padding_mode": "reflect"}
    ),
    "upsampling": Case(
        (25, 27), (4, 4), batch=2, channels=16, filters=12, transposed=True, options={"stride": 2}
    ),
    "depthwise phases": Case(
        (25, 27), (3, 4), batch=2, groups=35, transposed=True, options={"stride": 2, "padding": 1}
    ),
    "folded": Case(
        (31, 40),
        (3, 3),
        channels=8,
        filters=12,
        transposed=True,
        options={"stride": 2, "padding": 3, "padding_mode": "circular"},
    ),
}


def filters(dtype):
    """Filters of images: those of one sweep and of several, short windows and long ones."""
    rng = np.random.default_rng(11)
    image, volume = values(rng, (130, 370), dtype), values(rng, (9, 40, 50), dtype)
    found = {
        "gaussian": partial(ndimage.gaussian_filter, image, 1.5),
        "gaussian of a volume": partial(ndimage.gaussian_filter, volume, 1.0),
        "along rows": partial(ndimage.correlate1d, image, [1, 2, 4, 3], 0),
        "laplace": partial(ndimage.laplace, image),
        "footprint": partial(ndimage.minimum_filter, image, footprint=np.tri(4)),
    }
    for size in (3, 7, 40):
        found[f"mean {size}"] = partial(ndimage.uniform_filter, image, size)
        found[f"maximum {size}"] = partial(ndimage.maximum_filter, volume, size)
    return found


def operations(case, dtype):
    """Calls without arguments: the operation itself, and all its gradients."""
    x, w, b = case.arrays(dtype)
    name = "conv_transpose_nd" if case.transposed else "conv_nd"
    forward = partial(getattr(F, name), x, w, b, **case.all_options)
    dy = values(np.random.default_rng(case.seed + 1), forward().shape, dtype)
    gradients = partial(getattr(grad, name), dy, x, w, b, **case.all_options)

    def gradient(place):
        return gradients()[place]

    found = {
        "forward": forward,
        "grad_input": partial(gradient, 0),
        "grad_weight": partial(gradient, 1),
    }
    if not case.transposed:
        floating = np.dtype(dtype).kind == "f"
        if floating:  # where activations are curved
            w = w / np.sqrt(w[0].size).astype(dtype)
        for activation in ("silu", "tanh", "hardswish") if floating else (None,):
            conv = convx.prepare_conv(w, b, **case.all_options, activation=activation)
            found[f"prepared, {activation}"] = partial(conv, x, dy)
    return found
