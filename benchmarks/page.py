"""The page: a run as Markdown."""

from collections.abc import Callable, Sequence
from pathlib import Path, PurePath

from benchmarks import filters_page, summary, training_page
from benchmarks.layers import (
    OPERATIONS,
    THREADS_AIM,
    TITLES,
    Layer,
    direct_aim,
    direct_layers,
    network_layers,
    threads_in_words,
)
from benchmarks.markdown import (
    BELOW,
    NONE,
    folded,
    joined,
    milliseconds,
    number_as,
    per_cent,
    ratio,
    table,
)
from benchmarks.summary import OURS, Record, Run

MIB = 1 << 20

ABOUT_DIRECT = f"""\
Dense 3×3 and 1×1 layers with at least 64 channels, fresh outputs, in per cent of the FMA peak of
one thread measured in the same run. The aims are 85 % on planes of 28² and more, 70 % on smaller
ones, 75 % for the weight gradient, and {THREADS_AIM[2]} times the speed on two threads; {BELOW}
marks what is below.
"""
ABOUT_LAYERS = f"""\
How many times as fast as the fastest peer convx is, in bold with {BELOW} where it is slower. Of
each peer the fastest variant counts, of convx the plain call. *Forward* gets its weights anew with
each call; *prepared* may keep them in a form of its own.
"""

ABOUT_SWEEPS = f"""\
Functions that do little with each number: how many times as fast as the fastest peer convx is, in
bold with {BELOW} where it is slower, and how fast the bytes go through relative to a copy. Bytes
are those of all arrays that must be read or written, each once; the copy is NumPy's, from one warm
array to another that together have as many, on as many threads, measured in each round. PyTorch's
gradients are those of its autograd with what that keeps from the forward pass (indices, results);
convx computes them anew.
"""


def render(run: Run, images: Sequence[PurePath] = ()) -> str:
    """Return the page of a run.

    Parameters
    ----------
    run : dict
        What was measured.
    images : sequence of path
        Plots, relative to the page; the name of the file tells the section that it belongs to.
    """

    def images_of(section: str) -> list[str]:
        return [
            f"![{image.stem.replace('-', ' ')}]({image.as_posix()})\n"
            for image in images
            if image.name.startswith(section)
        ]

    parts = [_head(run), _wrong(run), _losses(run)]
    for section, write in SECTIONS.items():
        parts += [write(run), *images_of(section)]
    parts += [_machine(run), Path(__file__).with_name("method.md").read_text()]
    return "\n".join(part for part in parts if part).rstrip() + "\n"


def wrong_results(run: Run, library: str) -> list[Record]:
    """Records in which a result of a library was wrong, or the library failed."""
    return [
        record
        for record in run["records"]
        if library in record["failures"]
        or (
            library in record["errors"]
            and record["timings"].get(library, {}).keys() != record["errors"][library].keys()
        )
    ]


def _head(run: Run) -> str:
    lines = [
        "# Benchmarks\n",
        f"Written by `{run['command']}` on {run['date'].partition('T')[0]},",
        f"in {run['seconds'] / 60:.1f} minutes, at commit {run['machine']['commit']},",
        f"on {_short_machine(run)}.",
        *([] if run["complete"] else ["**It was interrupted.**"]),
        "`make bench` measures again and writes this page anew; `benchmarks/results/` has all",
        "figures.",
    ]
    return joined(lines)


def _short_machine(run: Run) -> str:
    machine = run["machine"]
    kind = ", virtual" if machine["virtual"] else ""
    return f"{machine['processor']} ({machine['processors']} processors{kind})"


def _wrong(run: Run) -> str:
    lines = []
    for library in run["versions"]:
        for record in wrong_results(run, library):
            why = record["failures"].get(library) or (
                f"relative error {record['errors'][library]}, where a variant is wrong"
            )
            lines.append(
                f"- {library}, {record['layer']}, {TITLES[record['operation']]}, "
                f"{record['dtype']}, {threads_in_words(record['threads'])}: {why.splitlines()[0]}"
            )
    if not lines:
        return ""
    return "## Wrong or failed\n\nThese are left out of the comparison.\n\n" + joined(lines)


def _losses(run: Run) -> str:
    """Where a peer is faster, said before anything else."""
    lost, raced = [], 0
    for record in run["records"]:
        best = summary.ratio_to_best(record)
        raced += best is not None
        if best is not None and best[1] < 1:
            lost.append((best[1], best[0], record))
    if not raced:
        return ""
    text = f"convx is slower than the fastest peer in {len(lost)} of {raced} comparisons."
    if not lost:
        return text + "\n"
    lost.sort(key=lambda item: item[0])
    rows = [
        [
            record["layer"],
            TITLES[record["operation"]],
            record["dtype"],
            str(record["threads"]),
            peer,
            f"{value:.2f}",
        ]
        for value, peer, record in lost
    ]
    headings = ["layer", "operation", "dtype", "threads", "fastest", "ratio"]
    return f"{text}\n\n{folded('All of them, the worst first', table(headings, rows))}"


def _direct(run: Run) -> str:
    found = summary.records(run, "direct")
    if not found:
        return ""
    operations = [one for one in OPERATIONS if one != "prepared"]
    layers = {layer.name: layer for layer in direct_layers()}
    text = [
        "## Direct kernels against the FMA peak\n",
        ABOUT_DIRECT,
        table(
            ["dtype", "threads", "FMA peak, GFLOP/s", "least – most (samples)"],
            [
                [
                    one["dtype"],
                    str(one["threads"]),
                    f"{one['gflops']:.1f} ({one['bits']}-bit vectors)",
                    f"{one['least']:.1f} – {one['most']:.1f} ({one['samples']})",
                ]
                for one in run["peak"]
            ],
        ),
    ]
    for (dtype,) in summary.combinations(found, "dtype"):
        counts = [count for (count,) in summary.combinations(found, "threads") if count > 1]
        headings = ["layer", *(TITLES[one] for one in operations)]
        headings += [f"{TITLES[one]}, ×{count}" for count in counts for one in operations]
        rows = []
        for name, sizes in summary.combinations(found, "layer", "sizes"):
            row = [sizes]
            for operation in operations:
                wanted = {"layer": name, "operation": operation, "dtype": dtype}
                aim = direct_aim(layers[name], operation)
                cells = summary.records(run, "direct", **wanted, threads=1)
                row.append(per_cent(summary.fraction_of_peak(run, cells[0]), aim) if cells else "")
            for count in counts:
                for operation in operations:
                    wanted = {"layer": name, "operation": operation, "dtype": dtype}
                    cells = summary.records(run, "direct", **wanted, threads=count)
                    aim = THREADS_AIM.get(count, 0.0)
                    row.append(ratio(summary.speedup(run, cells[0]), aim) if cells else "")
            rows.append(row)
        text.append(f"### {dtype}\n\n{table(headings, rows)}")
        if counts:
            text.append("×n: the speed on n threads over that on one.\n")
    return "\n".join(text)


def _layers(run: Run) -> str:
    found = summary.records(run, "layers")
    if not found:
        return ""
    text = [
        "## Layers of networks against other libraries\n",
        ABOUT_LAYERS,
        _overview(found),
    ]
    sources = {layer.name: layer for layer in network_layers()}
    for dtype, threads in summary.combinations(found, "dtype", "threads"):
        here = [one for one in found if (one["dtype"], one["threads"]) == (dtype, threads)]
        text.append(f"### {dtype}, {threads_in_words(threads)}\n")
        text.append(_ratios_to_best(here, sources))
        for (operation,) in summary.combinations(here, "operation"):
            title = f"{TITLES[operation]}, {dtype}, {threads_in_words(threads)}: each peer"
            of_operation = [one for one in here if one["operation"] == operation]
            text.append(folded(title, _against_each(run, of_operation)))
    return "\n".join(text)


def _overview(found: Sequence[Record]) -> str:
    rows = []
    for dtype, threads in summary.combinations(found, "dtype", "threads"):
        here = [one for one in found if (one["dtype"], one["threads"]) == (dtype, threads)]
        for (operation,) in [*summary.combinations(here, "operation"), ("all",)]:
            chosen = [one for one in here if operation in ("all", one["operation"])]
            best = [summary.ratio_to_best(one) for one in chosen]
            values = [one[1] for one in best if one is not None]
            if values:
                rows.append(
                    [
                        dtype,
                        str(threads),
                        TITLES.get(operation, "**all**"),
                        f"{summary.geometric_mean(values):.2f}",
                        ratio(min(values), 1),
                        f"{sum(value < 1 for value in values)} of {len(values)}",
                    ]
                )
    headings = ["dtype", "threads", "operation", "geometric mean", "least", "slower in"]
    return table(headings, rows)


def _ratios_to_best(here: Sequence[Record], sources: dict[str, Layer]) -> str:
    operations = [one for (one,) in summary.combinations(here, "operation")]
    rows = []
    for name, sizes in summary.combinations(here, "layer", "sizes"):
        source = sources[name].source if name in sources else ""
        row = [f"{name}<br>{source}", sizes]
        for operation in operations:
            cells = [one for one in here if (one["layer"], one["operation"]) == (name, operation)]
            best = summary.ratio_to_best(cells[0]) if cells else None
            row.append(f"{ratio(best[1], 1)} {best[0]}" if best else NONE)
        rows.append(row)
    return table(["layer", "sizes", *(TITLES[one] for one in operations)], rows)


def _against_each(run: Run, found: Sequence[Record]) -> str:
    """Our time, rate and share of the peak, and the ratio to every peer."""
    peers = [peer for peer in summary.peers(run) if any(peer in one["timings"] for one in found)]
    with_out = any("out=" in one["timings"].get(OURS, {}) for one in found)
    headings = ["layer", "convx, ms", *(["with out=, ms"] if with_out else [])]
    headings += ["quartiles, ms", "GFLOP/s", "of the FMA peak", *peers]
    rows = []
    for record in found:
        variants = record["timings"].get(OURS, {})
        plain, given = variants.get(""), variants.get("out=")
        row = [record["layer"], milliseconds(plain and plain["median"])]
        row += [milliseconds(given and given["median"])] if with_out else []
        row.append(
            f"{milliseconds(plain['low'])} – {milliseconds(plain['high'])}" if plain else NONE
        )
        row.append(number_as(summary.rate(record), "{:.1f}"))
        row.append(per_cent(summary.fraction_of_peak(run, record)))
        row += [ratio(summary.ratio(record, peer), 1) for peer in peers]
        rows.append(row)
    return table(headings, rows)


def _small(run: Run) -> str:
    found = summary.records(run, "small")
    if not found:
        return ""
    text = [
        "## Small calls\n",
        "One call, repeated on the same arrays, in microseconds.\n",
    ]
    rows = []
    for record in found:
        for library, variants in record["timings"].items():
            for variant, timing in variants.items():
                rows.append(
                    [
                        record["sizes"],
                        f"{record['dtype']}, {TITLES[record['operation']]}",
                        f"{library} {variant}".strip(),
                        f"{1e6 * timing['median']:.2f}",
                        f"{1e6 * timing['low']:.2f} – {1e6 * timing['high']:.2f}",
                    ]
                )
    text.append(table(["layer", "operation", "call", "µs", "quartiles"], rows))
    return "\n".join(text)


def _sweeps(run: Run) -> str:
    found = summary.records(run, "sweeps")
    if not found:
        return ""
    text = ["## Pools, padding, activations, norms\n", ABOUT_SWEEPS, _overview(found)]
    missing = [
        f"{one['layer']} ({one['operation']})"
        for one in found
        if OURS not in {**one["errors"], **one["failures"]}
        and one["threads"] == found[0]["threads"]
    ]
    if missing:
        text.append(f"Missing in convx: {', '.join(missing)}.\n")
    for (threads,) in summary.combinations(found, "threads"):
        here = [one for one in found if one["threads"] == threads]
        peers = [peer for peer in summary.peers(run) if any(peer in one["timings"] for one in here)]
        rows = []
        for one in here:
            variants, best = one["timings"].get(OURS, {}), summary.ratio_to_best(one)
            copied = summary.fraction_of_copy(one)
            given = variants.get("out=")
            rows.append(
                [
                    f"{one['layer']}, {one['operation']}",
                    one["sizes"],
                    f"{one.get('moved', 0) / MIB:.1f}",
                    milliseconds(summary.seconds(one, OURS)),
                    milliseconds(given and given["median"]),
                    f"{ratio(best[1], 1)} {best[0]}" if best else NONE,
                    per_cent(copied),
                    *(milliseconds(summary.seconds(one, peer)) for peer in peers),
                ]
            )
        headings = ["function", "input", "MiB moved", "convx, ms", "with out=, ms", "ratio"]
        headings += ["of copying", *(f"{peer}, ms" for peer in peers)]
        text.append(f"### {found[0]['dtype']}, {threads_in_words(threads)}\n")
        text.append(table(headings, rows))
    return "\n".join(text)


def _memory(run: Run) -> str:
    found = run["memory"]
    if not found:
        return ""
    bound = 2 * run["machine"]["L2 assumed by convx"]
    worst = max(found["workspaces"], key=lambda one: one["one"])
    over = [one for one in found["workspaces"] if one["one"] > bound]
    workspace = (
        "What `convx.explain` tells for every layer, operation and dtype, on one thread: packed "
        "weights and scratch memory. The bound is twice the L2 cache, "
        f"{bound / MIB:.1f} MiB; {len(over)} of {len(found['workspaces'])} are above it, and the "
        f"largest is {worst['one'] / MIB:.2f} MiB ({worst['layer']}, "
        f"{TITLES[worst['operation']]}, {worst['dtype']}).\n"
    )
    text = [
        "## Memory\n\n### Workspace\n",
        workspace,
        folded("Every layer, KiB on one thread", _workspaces(found["workspaces"], bound)),
        _series(found),
        _peaks(found),
    ]
    return "\n".join(part for part in text if part)


def _workspaces(rows: Sequence[Record], bound: int) -> str:
    columns = summary.combinations(rows, "dtype", "operation")
    of_case = {(one["layer"], one["dtype"], one["operation"]): one["one"] for one in rows}
    body = []
    for (name,) in summary.combinations(rows, "layer"):
        row = [name]
        for dtype, operation in columns:
            size = of_case.get((name, dtype, operation))
            mark = f" {BELOW}" if size is not None and size > bound else ""
            row.append(NONE if size is None else f"{size / 1024:.0f}{mark}")
        body.append(row)
    return table(["layer", *(f"{dtype} {TITLES[one]}" for dtype, one in columns)], body)


def _series(found: Record) -> str:
    if not found["over calls"]:
        return ""
    rows = []
    for library, series in found["over calls"].items():
        half = series[len(series) // 2 - 1]
        rows.append(
            [
                library,
                *(f"{value / MIB:.1f}" for value in (series[0], half, series[-1])),
                f"{(series[-1] - half) / MIB:+.1f}",
            ]
        )
    first = found["calls"] // len(next(iter(found["over calls"].values())))
    headings = [
        "library",
        f"after {first} calls",
        f"after {found['calls'] // 2}",
        f"after {found['calls']}",
        "growth in the second half",
    ]
    return (
        "### Resident memory over calls of random shapes\n\n"
        "Forward and both gradients in one to three dimensions, each call of another shape, in "
        "MiB of the whole process. Caches of plans fill up first; they have a bound."
        f"\n\n{table(headings, rows)}"
    )


def _peaks(found: Record) -> str:
    libraries = list(dict.fromkeys(name for one in found["peaks"] for name in one["growth"]))
    if not libraries:
        return ""
    rows = [
        [
            one["layer"],
            TITLES[one["operation"]],
            f"{one['result'] / MIB:.1f}",
            *(number_as(one["growth"].get(name), "{:.1f}", 1 / MIB) for name in libraries),
        ]
        for one in found["peaks"]
    ]
    of_each = table(["layer", "operation", "the result itself", *libraries], rows)
    totals = []
    for name in libraries:
        besides = [
            one["growth"][name] - one["result"]
            for one in found["peaks"]
            if one["growth"].get(name) is not None
        ]
        if besides:
            totals.append(f"{name} at most {max(besides) / MIB:.1f} MiB")
    return (
        "### Peak resident memory of one call\n\n"
        "Growth of resident memory at the height of a call with float32 on one thread, in MiB, "
        f"the result included. Besides the result: {'; '.join(totals)}.\n\n"
        f"{folded('Every layer', of_each)}"
    )


def _machine(run: Run) -> str:
    machine = run["machine"]
    caches = ", ".join(f"{level} {size}" for level, size in machine["caches"].items())
    rows = [
        ["processor", f"{_short_machine(run)}, {machine['isa']} kernels used"],
        ["caches", caches],
        ["memory", f"{machine['memory'] / (1 << 30):.0f} GiB"],
        ["system", machine["system"]],
        ["compiler of convx", machine["compiler"]],
        ["Python, NumPy", f"{machine['Python']}, {machine['NumPy']}"],
        ["libraries", ", ".join(f"{name} {text}" for name, text in run["versions"].items())],
    ]
    if run["missing"]:
        rows.append(
            ["left out", ", ".join(f"{name} ({why})" for name, why in run["missing"].items())]
        )
    return f"## Machine and versions\n\n{table(['', ''], rows)}"


SECTIONS: dict[str, Callable[[Run], str]] = {
    "direct": _direct,
    "layers": _layers,
    "small": _small,
    "sweeps": _sweeps,
    "filters": filters_page.render,
    "training": training_page.render,
    "memory": _memory,
}
