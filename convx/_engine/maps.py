"""Maps: how the results of a network's layers lie in memory (``kernels/network.h``)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from convx._engine.window import Table


@dataclass(slots=True)
class Map:
    """What a layer makes of an item, and how it lies in memory, with zeros around it."""

    channels: int
    sizes: tuple[int, ...]
    lanes: int
    low: list[int] = field(default_factory=list)
    high: list[int] = field(default_factory=list)
    start: int = 0
    items: int = 1

    def __post_init__(self) -> None:
        self.low, self.high = [0] * len(self.sizes), [0] * len(self.sizes)

    @property
    def padded(self) -> tuple[int, ...]:
        """Sizes with the border."""
        return tuple(map(sum, zip(self.sizes, self.low, self.high)))

    @property
    def pitches(self) -> list[int]:
        """Elements from one place to the next along each axis."""
        padded = self.padded
        return [self.lanes * math.prod(padded[axis + 1 :]) for axis in range(len(padded))]

    @property
    def plane(self) -> int:
        """Elements of an item in a block of channels."""
        return self.lanes * math.prod(self.padded)

    @property
    def block(self) -> int:
        """Elements from one block of channels to the next."""
        return self.items * self.plane

    @property
    def size(self) -> int:
        """Elements in all."""
        return -(-self.channels // self.lanes) * self.block

    @property
    def has_border(self) -> bool:
        """Whether there are places around those of the plane."""
        return any(self.low) or any(self.high)

    def widen(self, low: Sequence[int], high: Sequence[int]) -> None:
        """Let there be at least so much border."""
        self.low = [*map(max, self.low, low)]
        self.high = [*map(max, self.high, high)]

    def places(self, coordinates: Sequence[Table]) -> Table:
        """Return the places of all combinations of coordinates along the first axes."""
        total = np.zeros(1, np.int64)
        for axis, pitch in zip(range(len(self.sizes)), self.pitches):
            along = coordinates[axis] if axis < len(coordinates) else np.zeros(1, np.int64)
            total = np.add.outer(total, (along + self.low[axis]) * pitch).reshape(-1)
        return total

    def of_channels(self) -> Table:
        """Return where each channel begins."""
        channel = np.arange(self.channels)
        return channel // self.lanes * self.block + channel % self.lanes

    def gaps(self) -> Table:
        """Return the stretches of a plane that are border, as pairs of place and length."""
        if not self.has_border:
            return np.zeros((0, 2), np.int64)
        inside = np.zeros(self.padded, np.int8)
        inside[tuple(slice(low, low + size) for low, size in zip(self.low, self.sizes))] = 1
        edges = np.diff(np.pad(1 - inside.reshape(-1), 1))
        first, end = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        return np.stack([first, end - first], 1) * self.lanes


def pack(maps: Sequence[Map], last_use: Sequence[int], items: int, line: int) -> int:
    """Place the maps of so many items, each where no other one is in use; return the size of all.

    Maps are made in their order; ``last_use`` tells which one is made when they are last read.
    """
    held: list[tuple[int, int, int]] = []  # first element, end, last use
    total = 0
    for place, one in enumerate(maps):
        one.items = items
        held = sorted(each for each in held if each[2] >= place)
        one.start = 0
        for first, end, _ in held:
            if one.start + one.size <= first:
                break
            one.start = max(one.start, end)
        end = one.start + -(-one.size // line) * line
        held.append((one.start, end, last_use[place]))
        total = max(total, end)
    return total
