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
    "forward": Direct(input=12, tap=0.1, output=6.7, weight=13),
    "weight_gradient": Direct(input=5.7, tap=3.6, output=10, weight=0.4),
    "depthwise_gradient": Direct(input=5.7, tap=0, output=10, weight=0.4),
}
WINOGRAD = {
    "forward": Winograd(input=16, output=10, weights=2, weight=26, far_weight=17),
    "weight_gradient": Winograd(input=13, output=0, weights=82, weight=28, far_weight=17),
}
FOURIER = {
    "forward": Fourier(transform=3.3, move=14, product=13),
}
# Of the direct algorithm's estimate, what another's may be to be chosen.
WORTHWHILE = 0.9
