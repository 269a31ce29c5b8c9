"""The command ``python -m benchmarks``: measure, and write figures, page and plots."""

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import filters_page, machine, page, plots, run, summary
from benchmarks.layers import DTYPES

PROJECT = Path(__file__).resolve().parent.parent
# For runs that are not the whole benchmark; git ignores it.
TRIALS = PROJECT / "build" / "benchmarks"
# What --quick changes.
GLANCE = {"dtypes": ("float32",), "threads": (1,), "budget": 0.08, "random_calls": 200}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; what is not given is not there."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure convx beside the peak of the machine and beside other libraries.",
        argument_default=argparse.SUPPRESS,
    )
    narrow = parser.add_argument_group("to run less than all")
    narrow.add_argument("--what", dest="sections", nargs="+", choices=run.SECTIONS, help="parts")
    narrow.add_argument("--layers", dest="names", nargs="+", metavar="NAME", help="cases of them")
    narrow.add_argument("--dtype", dest="dtypes", nargs="+", choices=DTYPES, help="element types")
    narrow.add_argument("--threads", nargs="+", type=_count, metavar="N", help="numbers of threads")
    narrow.add_argument("--peers", nargs="*", choices=run.PEERS, help="libraries to compare with")
    narrow.add_argument(
        "--budget",
        type=float,
        metavar="SECONDS",
        help=f"time for each library at each case, {run.BUDGET} by default",
    )
    narrow.add_argument(
        "--quick",
        action="store_true",
        help="a glance: little time, and float32 on one thread unless told otherwise",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="the folder of benchmarks/results, docs/benchmarks.md and docs/images: by default "
        "that of the project, and build/benchmarks for a run that is less than all",
    )
    parser.add_argument(
        "--render", type=Path, metavar="FILE", help="write page and plots of a file of results"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns
    -------
    int
        0; 1 if a result of convx was wrong; 2 for arguments that make no sense; 130 if interrupted.
    """
    given = vars(parser().parse_args(arguments))
    folder, file = given.pop("output", None), given.pop("render", None)
    if file is not None:
        _write_pages(json.loads(file.read_text()), folder or PROJECT, file)
        return 0
    command = _command(given)
    if given.pop("quick", False):
        given = GLANCE | given
    try:
        choice = run.Choice(**given)
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 2
    if folder is None:
        folder = TRIALS if given else PROJECT
    measured = run.new(command)
    day = measured["date"].partition("T")[0]
    file = folder / "benchmarks" / "results" / f"{day}-{machine.slug(measured['machine'])}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        for _ in run.measure(measured, choice):
            file.write_text(_as_json(measured))
    except KeyboardInterrupt:
        print("interrupted; what was measured is kept", file=sys.stderr)
    _write_pages(measured, folder, file)
    if not measured["complete"]:
        return 130
    return 1 if page.wrong_results(measured, run.OURS) else 0


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be positive")
    return value


def _command(given: dict[str, Any]) -> str:
    """Return the command as it could be given, without where the results go."""
    words = ["python -m benchmarks"]
    for name, value in given.items():
        words.append({"sections": "--what", "names": "--layers"}.get(name, f"--{name}"))
        values = value if isinstance(value, list) else [value]
        words += [shlex.quote(str(one)) for one in values if one is not True]
    return " ".join(words).replace("--dtypes", "--dtype")


def _as_json(measured: dict[str, Any]) -> str:
    """Return JSON with one line for each entry or, in a list, for each of its elements."""

    def line(value: object) -> str:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)

    def entry(value: object) -> str:
        if isinstance(value, list):
            return "[\n" + ",\n".join(map(line, value)) + "\n]"
        return line(value)

    return "{\n" + ",\n".join(f"{line(key)}: {entry(measured[key])}" for key in measured) + "\n}\n"


def _write_pages(measured: dict[str, Any], folder: Path, file: Path) -> None:
    images = folder / "docs" / "images"
    images.mkdir(parents=True, exist_ok=True)
    target = folder / "docs" / "benchmarks.md"
    drawn = [path.relative_to(target.parent) for path in plots.draw(measured, images)]
    target.write_text(page.render(measured, drawn))
    print(f"wrote {target}")
    if summary.records(measured, "filters"):
        target = folder / "docs" / "scipy.md"
        before = (PROJECT / "docs" / "scipy.md").read_text()
        target.write_text(filters_page.quoted_in(before, measured, file.name))
        print(f"wrote {target}")


if __name__ == "__main__":
    sys.exit(main())
