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
    for all points, for each, and besides for each that does not stay in the cache, or in memory
    that is kept from call to call.
    """

    input: float
    output: float
    weights: float
    weight: float
    far_weight: float
    fresh_weight: float


class Fourier(NamedTuple):
    """Of pairs of tiles.

    A transformation, for each point and step of radix 2, and besides where a line leaves the L1
    cache; moving a point in or out; a product of spectra.
    """

    transform: float
    far: float
    move: float
    product: float


DIRECT = {
    "forward": Direct(input=11, tap=3, output=6, weight=8),
    "weight_gradient": Direct(input=8, tap=5.5, output=2.5, weight=0.1),
    "depthwise_gradient": Direct(input=0, tap=0.1, output=23, weight=0),
}
WINOGRAD = {
    "forward": Winograd(
        input=16, output=9.8, weights=80, weight=14, far_weight=40, fresh_weight=80
    ),
    "weight_gradient": Winograd(
        input=13, output=1, weights=80, weight=22, far_weight=40, fresh_weight=80
    ),
}
FOURIER = {
    "forward": Fourier(transform=2.7, far=4, move=17, product=12),
}
# Of the direct algorithm's estimate, what another's may be to be chosen.
WORTHWHILE = 0.9
