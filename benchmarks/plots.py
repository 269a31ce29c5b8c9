"""The plots of a run, where matplotlib is installed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import summary
from benchmarks.filters import SIDES
from benchmarks.layers import OPERATIONS, TITLES, direct_aim, direct_layers, threads_in_words
from benchmarks.summary import Record, Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {
    "forward": "#1b6ca8",
    "prepared": "#5bb0d9",
    "grad_input": "#d9822b",
    "grad_weight": "#5a9e4b",
}


def draw(run: Run, folder: Path) -> list[Path]:
    """Draw what a run has.

    Parameters
    ----------
    run : dict
        What was measured.
    folder : path
        Where the pictures go.

    Returns
    -------
    list of path
        The pictures; the first word of each name is the section that it shows.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        print("no plots: matplotlib is not installed", file=sys.stderr)
        return []
    mpl.use("agg")
    drawn = []
    for section in ("direct", "layers"):
        found = summary.records(run, section)
        for (dtype,) in summary.combinations(found, "dtype"):
            here = [one for one in found if one["dtype"] == dtype]
            drawn.append(_fractions(run, here, folder / f"{section}-fraction-of-peak-{dtype}.png"))
            if any(summary.ratio_to_best(one) for one in here):
                path = folder / f"{section}-ratio-to-best-peer-{dtype}.png"
                drawn.append(_ratios(here, path))
    for (dtype,) in summary.combinations(summary.records(run, "filters"), "dtype"):
        path = folder / f"filters-time-by-kernel-size-{dtype}.png"
        if _by_kernel_size(summary.records(run, "filters", dtype=dtype), path):
            drawn.append(path)
    return drawn


def _by_kernel_size(found: list[Record], path: Path) -> bool:
    """Lines: time over the side of a square kernel, on the fewest threads; False without any."""
    from matplotlib.figure import Figure

    threads = min(one["threads"] for one in found)
    times: dict[str, list[tuple[int, float]]] = {}
    for side in SIDES:
        for one in found:
            if (one["layer"], one["threads"]) == (f"image_{side}", threads):
                for library, variants in one["timings"].items():
                    for variant, timing in variants.items():
                        name = f"{library} {variant or 'as planned'}"
                        times.setdefault(name, []).append((side, 1000 * timing["median"]))
    if not times:
        return False
    axes = Figure(figsize=(9, 6), layout="constrained").subplots()
    for name, points in times.items():
        ours = name.startswith(summary.OURS)
        planned = name.endswith("as planned")
        axes.plot(
            *zip(*points),
            marker="o" if ours else ".",
            lw=2.5 if planned else 1.2,
            ls="-" if planned or not ours else "--",
            color=COLOURS["prepared" if name.endswith("fft") else "forward"] if ours else None,
            label=name,
        )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(SIDES, [f"{side}²" for side in SIDES])
    axes.minorticks_off()
    axes.grid(color="0.9")
    axes.set_xlabel("taps of the kernel")
    axes.set_ylabel("milliseconds")
    title = f"An image of 1024² filtered, {found[0]['dtype']}, {threads_in_words(threads)}"
    axes.set_title(title, fontsize=11)
    _save(axes, path)
    return True


def _fractions(run: Run, found: list[Record], path: Path) -> Path:
    """Bars: the fraction of the FMA peak on one thread, or the fewest there are."""
    threads = min(one["threads"] for one in found)
    here = [one for one in found if one["threads"] == threads]
    aims = {layer.name: layer for layer in direct_layers()}
    operations = [one for one in OPERATIONS if any(one == each["operation"] for each in here)]
    names, axes = _canvas(
        here, f"{here[0]['dtype']}, {threads_in_words(threads)}: fraction of FMA peak"
    )
    for index, operation in enumerate(operations):
        height = 0.8 / len(operations)
        offset = (index - (len(operations) - 1) / 2) * height
        values = {
            one["layer"]: summary.fraction_of_peak(run, one)
            for one in here
            if one["operation"] == operation
        }
        axes.barh(
            [row + offset for row in range(len(names))],
            [values.get(name) or 0 for name in names],
            height,
            color=COLOURS[operation],
            label=TITLES[operation],
        )
        for row, name in enumerate(names):
            if name in aims:
                aim = direct_aim(aims[name], operation)
                ends = (row + offset - height / 2, row + offset + height / 2)
                axes.plot([aim, aim], ends, color="black", lw=1.2)
    axes.axvline(1, color="black", lw=0.8)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter("{x:.0%}")
    if any(name in aims for name in names):
        axes.plot([], [], color="black", lw=1.2, label="aim")
    return _save(axes, path)


def _ratios(found: list[Record], path: Path) -> Path:
    """Points: the ratio to the fastest peer, left of the line where that one is faster."""
    names, axes = _canvas(found, f"{found[0]['dtype']}: times as fast as the fastest peer")
    most = max(one["threads"] for one in found)
    for operation, threads in summary.combinations(found, "operation", "threads"):
        points = [
            (best[1], names.index(one["layer"]))
            for one in found
            if (one["operation"], one["threads"]) == (operation, threads)
            and (best := summary.ratio_to_best(one)) is not None
        ]
        if points:
            several = threads == most > 1
            across, down = zip(*points)
            axes.scatter(
                across,
                down,
                s=28,
                marker="D" if several else "o",
                facecolors="none" if several else COLOURS[operation],
                edgecolors=COLOURS[operation],
                label=f"{TITLES[operation]}, {threads_in_words(threads)}",
            )
    axes.axvline(1, color="black", lw=0.8)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:g}")
    return _save(axes, path)


def _canvas(found: list[Record], title: str) -> tuple[list[str], Axes]:
    """Axes with a row for each layer, the first on top."""
    from matplotlib.figure import Figure

    rows = summary.combinations(found, "layer", "sizes")
    figure = Figure(figsize=(10, 1.6 + 0.34 * len(rows)), layout="constrained")
    axes = figure.subplots()
    axes.set_yticks(range(len(rows)), [sizes for _, sizes in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)
    axes.set_title(title, fontsize=11)
    return [name for name, _ in rows], axes


def _save(axes: Axes, path: Path) -> Path:
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.legend(loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    figure.savefig(path, dpi=110)
    return path
