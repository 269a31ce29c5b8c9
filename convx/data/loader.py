"""Batches of a data set, made ahead of need by a thread."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convx._engine import arguments

__all__ = ["DataLoader"]

Array: TypeAlias = NDArray[Any]


BATCHES_AHEAD = 2

#: Bytes of a batch from which a thread pays. Asking one takes 60 µs, copying a MiB 50 µs (AMD
#: EPYC, Zen 4, one core, batches of 32 digits and of 32 pictures of 3 x 100 x 100).
WORTH_A_THREAD = 1 << 20


class Items(Protocol):
    """What items are drawn from by their numbers."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> Any: ...


class DataLoader:
    """Batches of a data set, in order or shuffled anew for every pass.

    A thread makes the next batches while one is worked on. What it raises is raised where the
    batch is asked for, and leaving a loop early ends it.

    Parameters
    ----------
    dataset : ndarray, tuple of ndarray, or sequence
        Arrays whose first axis counts the items, one or several of the same length; a batch is
        then a copy of some of their rows. Or an object with ``len(dataset)`` and ``dataset[i]``,
        whose items are arrays, numbers, or tuples of these; those of a batch are stacked.
    batch_size : int
        Items of a batch.
    shuffle : bool
        Whether every pass draws a new order.
    drop_last : bool
        Whether a last batch with fewer items is left out.
    rng : None, int, or Generator
        Source of the orders, as `numpy.random.default_rng` takes it.
    prefetch : int, optional
        Batches made ahead; with 0 there is no thread. By default 2, and 0 for small batches of
        arrays in memory, which are copied in less time than it takes to ask a thread.

    Raises
    ------
    ValueError
        The arrays differ in length, or a number is out of range.
    TypeError
        An argument has a wrong type.

    Notes
    -----
    Names and defaults are those of ``torch.utils.data.DataLoader``. An order is drawn when
    ``iter(loader)`` is called, so the batches depend on the seed and the pass alone. An iteration
    cannot go on in a forked process.

    Examples
    --------
    >>> import numpy as np
    >>> from convx.data import DataLoader
    >>> images, labels = np.arange(10.0).reshape(5, 2), np.array([0, 1, 0, 1, 1])
    >>> loader = DataLoader((images, labels), batch_size=2, shuffle=True, rng=0)
    >>> len(loader)
    3
    >>> for x, y in loader:
    ...     print(x.shape, y.shape)
    (2, 2) (2,)
    (2, 2) (2,)
    (1, 2) (1,)
    """

    def __init__(
        self,
        dataset: Items | tuple[Array, ...],
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        drop_last: bool = False,
        rng: np.random.Generator | int | None = None,
        prefetch: int | None = None,
    ) -> None:
        self._length = arguments.items_of(dataset)
        self.dataset = dataset
        self.batch_size = arguments.integer(batch_size, "batch_size", 1)
        self.shuffle = arguments.flag(shuffle, "shuffle")
        self.drop_last = arguments.flag(drop_last, "drop_last")
        self.rng = arguments.generator(rng)
        if prefetch is None:
            prefetch = 0 if self._batch_bytes() < WORTH_A_THREAD else BATCHES_AHEAD
        self.prefetch = arguments.integer(prefetch, "prefetch", 0)

    def __len__(self) -> int:
        rounded_up = 0 if self.drop_last else self.batch_size - 1
        return (self._length + rounded_up) // self.batch_size

    def __iter__(self) -> Iterator[Any]:
        order = self.rng.permutation(self._length) if self.shuffle else np.arange(self._length)
        starts = range(0, len(self) * self.batch_size, self.batch_size)
        parts = (order[start : start + self.batch_size] for start in starts)
        return self._ahead(parts) if self.prefetch else (self._batch(part) for part in parts)

    def _batch_bytes(self) -> float:
        """What is copied for a batch; nobody knows of files and of items by number."""
        arrays = self.dataset if isinstance(self.dataset, tuple) else (self.dataset,)
        if any(isinstance(one, np.memmap) or not isinstance(one, np.ndarray) for one in arrays):
            return math.inf
        return sum(one.nbytes for one in arrays) * self.batch_size / max(1, self._length)

    def _batch(self, part: Array) -> Any:
        if isinstance(self.dataset, np.ndarray):
            return self.dataset[part]
        if isinstance(self.dataset, tuple):
            return tuple(array[part] for array in self.dataset)
        return _stacked([self.dataset[int(index)] for index in part])

    def _ahead(self, parts: Iterable[Array]) -> Iterator[Any]:
        process, waiting = os.getpid(), deque[Future[Any]]()
        executor = ThreadPoolExecutor(1, thread_name_prefix="convx-data")
        try:
            for part in parts:
                waiting.append(executor.submit(self._batch, part))
                if len(waiting) > self.prefetch:
                    yield waiting.popleft().result()
                    _check_process(process)
            while waiting:
                yield waiting.popleft().result()
                _check_process(process)
        finally:
            # Waits for the batch in the making: what it reads may be closed after the loop.
            executor.shutdown(cancel_futures=True)


def _stacked(items: list[Any]) -> Any:
    if isinstance(items[0], tuple):
        return tuple(np.stack(fields) for fields in zip(*items, strict=True))
    return np.stack(items)


def _check_process(process: int) -> None:
    """A fork leaves the thread behind: nobody would ever make the batch that is waited for."""
    if os.getpid() != process:
        raise RuntimeError(
            "an iteration over a DataLoader cannot go on in a forked process: start it there"
        )
