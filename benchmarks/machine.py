"""The machine and the versions, for the records."""

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any


def describe() -> dict[str, Any]:
    """Processor, caches, memory and software; nothing that tells who or where."""
    import numpy as np

    import convx

    config = convx.show_config("dicts")
    return {
        "processor": _processor(),
        "processors": processors(),
        "virtual": " hypervisor" in _cpuinfo(),
        "caches": _caches(),
        "L2 assumed by convx": config["machine"]["L2 bytes"],
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.machine()}, {' '.join(platform.libc_ver())}",
        "isa": config["machine"]["isa used"],
        "compiler": config["build"]["compiler"],
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "commit": _commit(),
    }


def processors() -> int:
    """Return the number of processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def slug(machine: dict[str, Any]) -> str:
    """Return a short name for a file, such as ``amd-epyc-2-threads``."""
    words = re.sub(r"\(.*?\)|@.*|\b(CPU|Processor)\b", " ", machine["processor"])
    name = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
    return f"{name}-{machine['processors']}-threads"


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""


def _caches() -> dict[str, str]:
    """Caches of the first processor, as Linux tells them."""
    found = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            level, kind, size = (
                (folder / name).read_text().strip() for name in ("level", "type", "size")
            )
        except OSError:
            continue
        if kind != "Instruction":
            found[f"L{level}"] = size
    return found


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", _cpuinfo(), re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()


def _commit() -> str:
    """Short name of the commit that was measured, with a mark if files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    try:
        run = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return run.stdout.strip()
