"""What the algorithms' work costs, in multiply-adds of a product at full speed.

The constants are those that ``python -m benchmarks.calibrate`` fits to measured times; every
estimate is linear in them. They decide what a result's bits are, so they are the same everywhere:
measured on an AMD EPYC (Genoa, Zen 4) with AVX-512 and 1 MiB of L2 cache, GCC 12.2, one thread, on
24 November 2026.
"""

from typing import NamedTuple


class Direct(NamedTuple):
    """Besides the multiply-adds themselves.

    Of an input channel at each output, and at each tap of it: filling tiles and panels. Of a filter
    at each output: loading and storing its sum. Of a weight: packing.
    """

    input: float
    tap: float
    output: float
    weight: float


class Winograd(NamedTuple):
    """Besides the product of points.

    At each point of a tile: of an input channel, of a filter. Of the weights of one pair of both:
    for all points, for each, and for each that does not stay in the cache.
    """

    input: float
    output: float
    weights: float
    weight: float
    far_weight: float


class Fourier(NamedTuple):
    """Of pairs of tiles.

    A transformation, for each point and step of radix 2; moving a point in or out; a product of
    spectra.
    """

    transform: float
    move: float
    product: float


DIRECT = {
    "forward": Direct(0, 0, 0, 0),
    "weight_gradient": Direct(0, 0, 0, 0),
    "depthwise_gradient": Direct(0, 0, 0, 0),
}
WINOGRAD = {
    "forward": Winograd(17, 21, 230, 10, 0),
    "weight_gradient": Winograd(12, 15, 0, 50, 0),
}
FOURIER = {
    "forward": Fourier(3.4, 6.0, 20.0),
}
# Of the direct algorithm's estimate, what another's may be to be chosen.
WORTHWHILE = 0.9
