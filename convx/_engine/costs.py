"""What the algorithms' work costs, in multiply-adds of a product at full speed.

The constants are those that ``python -m benchmarks.calibrate`` fits to measured times; every
estimate is linear in them. They decide what a result's bits are, so they are the same everywhere:
measured on an AMD EPYC (Genoa, Zen 4) with AVX-512 and 1 MiB of L2 cache, GCC 12.2, one thread,
float32 and float64 together, on 24 November 2026.
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


class Positions(NamedTuple):
    """Of the direct gradient of weights where positions are the lanes of vectors.

    A multiply-add. Ending the sum of a weight for a box, in multiply-adds of vectors. Of an input
    channel, and of a filter, at each output: reading them.
    """

    product: float
    end: float
    input: float
    output: float


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


class Passing(NamedTuple):
    """Of Winograd's algorithm where weights are transformed in passing.

    Of a weight's channel and filter: reading or writing its kernel; transforming it, for some tiles
    at a time. A multiply-add.
    """

    kernel: float
    transform: float
    product: float


class InnerProduct(NamedTuple):
    """Of a kernel of one tap.

    A multiply-add. Of an input channel, and of a filter, at each output: packing; ending sums. Of a
    weight: packing.
    """

    product: float
    input: float
    output: float
    weight: float


class Fourier(NamedTuple):
    """Of pairs of tiles.

    A transformation, for each point and step of radix 2, and besides where a line leaves the L1
    cache; moving a point in or out; a product of spectra, and besides where sums of these leave it.
    """

    transform: float
    far: float
    move: float
    product: float
    far_product: float


class Great(NamedTuple):
    """Of pairs of great tiles, for each point.

    A step of a transformation, of whichever radix; what becomes of the lanes where rows are
    transformed; moving it in and out; turning it where rows are a chain. Besides, for each doubling
    of a tile that is too large for a cache. Besides, for a call.
    """

    step: float
    lanes: float
    move: float
    chain: float
    far_tile: float
    call: float


DIRECT = {
    "forward": Direct(input=12, tap=2.4, output=5.7, weight=11),
    "weight_gradient": Direct(input=14, tap=4.8, output=3.1, weight=1.4),
    "depthwise_gradient": Direct(input=0, tap=0.1, output=22, weight=0),
}
POSITIONS = {"weight_gradient": Positions(product=0.9, end=7, input=5, output=2)}
WINOGRAD = {
    "forward": Winograd(
        input=14, output=9.9, weights=21, weight=17, far_weight=36, fresh_weight=170
    ),
    "weight_gradient": Winograd(
        input=12, output=0.4, weights=38, weight=24, far_weight=39, fresh_weight=190
    ),
}
# From planes of 4² to 14² with 256 to 1024 channels, by hand, on 27 November 2026.
PASSING = {
    "forward": Passing(kernel=90, transform=80, product=1.1),
    "weight_gradient": Passing(kernel=105, transform=0, product=1.75),
}
# What Winograd's algorithm takes with a stride of 2, forward, over what the counts of it say: found
# by hand from 16 layers on the same machine, 26 November 2026.
STRIDED = 1.12
# The same of tiles for two taps, from 16 layers.
TWO_TAPS = 1.3
# What transforming a filter's outputs costs at each point of a tile in gradients whose channels
# share panels with taps: so few products do not hide it. From first layers, likewise.
BARE_OUTPUT = 10
# What direct sums of a plane with 7×7 taps, which slide.h has a function for, take of what the
# counts of them say: found by hand on the same machine, likewise.
SIZED = 0.88
INNER_PRODUCT = {
    "forward": InnerProduct(product=0.68, input=35, output=9, weight=45),
    "weight_gradient": InnerProduct(product=0.68, input=26, output=26, weight=8),
}
FOURIER = {
    "forward": Fourier(transform=1.5, far=3.9, move=29, product=12, far_product=0),
    "weight_gradient": Fourier(transform=3.4, far=3.7, move=12, product=8, far_product=4),
}
# By ``python -m benchmarks.great_tiles``, on 27 November 2026, and 12 % more, by hand: direct sums
# are compared with them too, of which 5×5×5 and 7×7 taps take nearly the same time.
GREAT = Great(step=16, lanes=36, move=22, chain=49, far_tile=22, call=1e6)
# Of transforms of whole arrays by NumPy, for each point and step of radix 2; likewise.
WHOLE = 60
