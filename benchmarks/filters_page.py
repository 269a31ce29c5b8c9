"""The filters of a run as Markdown, for the page of benchmarks and for that on SciPy."""

from collections.abc import Sequence

from benchmarks import summary
from benchmarks.layers import threads_in_words
from benchmarks.markdown import NONE, milliseconds, number_as, ratio, table
from benchmarks.summary import OURS, Record, Run

MIB = 1 << 20
# What is to be reached: of single cases, and of all on one thread.
LEAST, MEAN, MEAN_OVER_SCIPY, THREADS = 0.9, 1.5, 10.0, 1.7
# What takes less may stay on one thread.
WORTH_THREADS = 1e-3
# Between these lines the page on SciPy is written by a run.
BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"

ABOUT = f"""\
Functions of SciPy's names on one array, each beside SciPy's own ways to the same result, NumPy's
and OpenCV's: how many times as fast as the fastest peer convx is, as SciPy's fastest way, and as
SciPy's function of the same name. The aims are {LEAST} in every case, {MEAN} in the geometric mean,
{MEAN_OVER_SCIPY:.0f} against SciPy alone, and two threads {THREADS} times as fast as one from a
millisecond on; ↓ marks what is below. SciPy and NumPy have one thread. "A line" is what a line of
the cache took from one processor to another meanwhile: some 40 ns within a core complex, more where
the processors of a virtual machine are apart, and two threads lose then.
"""


def render(run: Run) -> str:
    """Return the section of the page of benchmarks."""
    found = summary.records(run, "filters")
    if not found:
        return ""
    text = ["## Filters, as SciPy has them\n", ABOUT, overview(run)]
    for dtype, threads in summary.combinations(found, "dtype", "threads"):
        here = [one for one in found if (one["dtype"], one["threads"]) == (dtype, threads)]
        text.append(f"### Filters, {dtype}, {threads_in_words(threads)}\n")
        text.append(_cases(run, here))
    text.append(memory(run))
    return "\n".join(part for part in text if part)


def overview(run: Run) -> str:
    """Return a table of the geometric means over all filters."""
    found = summary.records(run, "filters")
    rows = []
    for dtype, threads in summary.combinations(found, "dtype", "threads"):
        here = [one for one in found if (one["dtype"], one["threads"]) == (dtype, threads)]
        best = [value for one in here if (value := _over_best(one)) is not None]
        over_scipy = [value for one in here if (value := summary.ratio(one, "SciPy")) is not None]
        over_same = [value for one in here if (value := _over_same(one)) is not None]
        if best:
            rows.append(
                [
                    dtype,
                    str(threads),
                    ratio(summary.geometric_mean(best), MEAN),
                    ratio(min(best), LEAST),
                    f"{sum(value < LEAST for value in best)} of {len(best)}",
                    _mean(over_scipy),
                    _mean(over_same),
                ]
            )
    headings = ["dtype", "threads", "over the best peer", "least", f"below {LEAST}"]
    return table([*headings, "over SciPy's fastest", "over SciPy's same function"], rows)


def _mean(values: Sequence[float]) -> str:
    return ratio(summary.geometric_mean(values), MEAN_OVER_SCIPY) if values else NONE


def memory(run: Run) -> str:
    """Return what the convolution of a large image by FFT takes."""
    found = run.get("memory of FFT", [])
    if not found:
        return ""
    rows = [
        [
            f"{one['library']} {one['variant']}".strip(),
            number_as(one["growth"], "{:.0f}", 1 / MIB),
        ]
        for one in found
    ]
    return (
        f"### Memory of {found[0]['sizes']}, {found[0]['dtype']}\n\n"
        "Growth of resident memory at the height of one call on one thread, the result of 64 MiB "
        f"included.\n\n{table(['', 'MiB'], rows)}"
    )


def quoted_in(text: str, run: Run, file: str) -> str:
    """Return the page on SciPy with what it quotes, from a run whose file has some name."""
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    machine, day = run["machine"], run["date"].partition("T")[0]
    about = (
        f"Written by `python -m benchmarks` from `benchmarks/results/{file}`, measured on {day} on "
        f"{machine['processor']}, with SciPy {run['versions'].get('SciPy', 'of no version')}; on "
        "one thread, medians. [How it is measured, and the other peers](benchmarks.md).\n"
    )
    plots = "".join(
        f"\n![Time by kernel size, {dtype}](images/filters-time-by-kernel-size-{dtype}.png)\n"
        for (dtype,) in summary.combinations(summary.records(run, "filters"), "dtype")
    )
    return f"{head}{BEGIN}\n{about}\n{for_users_of_scipy(run)}{plots}{END}{tail}"


def for_users_of_scipy(run: Run) -> str:
    """Return the time of each case on one thread, beside SciPy's function of the same name."""
    found = summary.records(run, "filters", threads=1)
    rows = []
    for name, sizes in summary.combinations(found, "layer", "sizes"):
        row = [f"`{sizes.partition(',')[0]}`", sizes.partition(", ")[2]]
        for dtype in ("float32", "float64"):
            here = [one for one in found if (one["layer"], one["dtype"]) == (name, dtype)]
            row += _beside_scipy(here)
        rows.append(row)
    headings = ["function", "sizes"]
    for dtype in ("float32", "float64"):
        headings += [f"{dtype}: SciPy, ms", "convx, ms", "times as fast"]
    return f"{overview(run)}\n{table(headings, rows)}"


def _beside_scipy(here: Sequence[Record]) -> list[str]:
    if not here:
        return [NONE] * 3
    (one,) = here
    return [
        milliseconds(_seconds_of_same(one)),
        milliseconds(summary.seconds(one, OURS)),
        number_as(_over_same(one), "{:.1f}"),
    ]


def _cases(run: Run, here: Sequence[Record]) -> str:
    peers = [peer for peer in summary.peers(run) if any(peer in one["timings"] for one in here)]
    several = here[0]["threads"] > 1
    rows = []
    for one in here:
        best, ours = summary.ratio_to_best(one), summary.seconds(one, OURS)
        row = [one["sizes"], milliseconds(ours)]
        row.append(f"{ratio(best[1], LEAST)} {best[0]}" if best else NONE)
        row += [number_as(one, "{:.1f}") for one in (summary.ratio(one, "SciPy"), _over_same(one))]
        if several:
            row += [_speedup(run, one), number_as(one.get("distance"), "{:.0f}")]
        row += [_of_peer(one, peer) for peer in peers]
        rows.append(row)
    headings = ["function", "convx, ms", "over the best peer", "over SciPy", "over its same"]
    headings += [f"×{here[0]['threads']}", "a line, ns"] if several else []
    return table([*headings, *(f"{peer}, ms" for peer in peers)], rows)


def _speedup(run: Run, record: Record) -> str:
    alone = summary.records(run, "filters", layer=record["layer"], dtype=record["dtype"], threads=1)
    seconds = summary.seconds(alone[0], OURS) if alone else None
    long = seconds is not None and seconds > WORTH_THREADS
    return ratio(summary.speedup(run, record), THREADS if long else 0.0)


def _of_peer(record: Record, peer: str) -> str:
    """Time of the fastest way, and which that is."""
    variants = record["timings"].get(peer)
    if not variants:
        return NONE
    name = min(variants, key=lambda one: variants[one]["median"])
    return f"{milliseconds(variants[name]['median'])} ({name})"


def _over_same(record: Record) -> float | None:
    """How many times as fast as SciPy's function of the same name we are."""
    ours, same = summary.seconds(record, OURS), _seconds_of_same(record)
    return None if ours is None or same is None else same / ours


def _seconds_of_same(record: Record) -> float | None:
    timing = record["timings"].get("SciPy", {}).get(record["sizes"].partition(",")[0])
    return None if timing is None else float(timing["median"])


def _over_best(record: Record) -> float | None:
    best = summary.ratio_to_best(record)
    return None if best is None else best[1]
