"""From the records of a run to ratios and fractions."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

Record: TypeAlias = Mapping[str, Any]
Run: TypeAlias = Mapping[str, Any]

OURS = "convx"


def records(run: Run, section: str, **wanted: object) -> list[Record]:
    """Records of a section that have the wanted entries."""
    return [
        record
        for record in run["records"]
        if record["section"] == section
        and all(record[entry] == value for entry, value in wanted.items())
    ]


def seconds(record: Record, library: str) -> float | None:
    """Median seconds per call: of our plain call, or of a peer's fastest variant."""
    variants = record["timings"].get(library)
    if not variants:
        return None
    if library == OURS:
        return float(variants[""]["median"]) if "" in variants else None
    return min(float(timing["median"]) for timing in variants.values())


def rate(record: Record) -> float | None:
    """Return our GFLOP/s, counting the operations of the direct algorithm."""
    ours = seconds(record, OURS)
    return None if ours is None else 1e-9 * record["flops"] / ours


def peak(run: Run, dtype: str, threads: int) -> float | None:
    """GFLOP/s at the FMA peak in this run."""
    for entry in run["peak"]:
        if (entry["dtype"], entry["threads"]) == (dtype, threads):
            return float(entry["gflops"])
    return None


def fraction_of_peak(run: Run, record: Record) -> float | None:
    """Our rate relative to the FMA peak of as many threads."""
    ours, most = rate(record), peak(run, record["dtype"], record["threads"])
    return None if ours is None or most is None else ours / most


def fraction_of_copy(record: Record) -> float | None:
    """How fast a sweep moves its bytes relative to a copy, on as many threads."""
    ours = seconds(record, OURS)
    return None if ours is None else float(record["copy"]) / ours


def ratio(record: Record, peer: str) -> float | None:
    """How many times as fast as a peer we are."""
    ours, theirs = seconds(record, OURS), seconds(record, peer)
    return None if ours is None or theirs is None else theirs / ours


def ratios(record: Record) -> dict[str, float]:
    """Ratios to all peers that computed the case."""
    found = {peer: ratio(record, peer) for peer in record["timings"] if peer != OURS}
    return {peer: value for peer, value in found.items() if value is not None}


def ratio_to_best(record: Record) -> tuple[str, float] | None:
    """Return the fastest peer, and how many times as fast we are."""
    found = ratios(record)
    return min(found.items(), key=lambda item: item[1]) if found else None


def speedup(run: Run, record: Record) -> float | None:
    """How many times as fast as on one thread."""
    ours = seconds(record, OURS)
    for one in records(
        run,
        record["section"],
        layer=record["layer"],
        operation=record["operation"],
        dtype=record["dtype"],
        threads=1,
    ):
        alone = seconds(one, OURS)
        if ours is not None and alone is not None:
            return alone / ours
    return None


def peers(run: Run) -> list[str]:
    """Peers that computed anything, in the order of the libraries."""
    seen = {name for record in run["records"] for name in record["timings"]}
    return [name for name in run["versions"] if name in seen and name != OURS]


def combinations(found: Iterable[Record], *entries: str) -> list[tuple[Any, ...]]:
    """Return the different values of some entries, in the order in which they come."""
    return list(dict.fromkeys(tuple(record[entry] for entry in entries) for record in found))


def geometric_mean(values: Sequence[float]) -> float:
    """Geometric mean."""
    return statistics.geometric_mean(values)
