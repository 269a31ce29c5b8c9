"""What the machine offers: instruction set, caches, memory."""

import os
import warnings

from convx._core import _driver


def _choose_isa() -> str:
    found = list(_driver.instruction_sets())
    wish = os.environ.get("CONVX_ISA", "")
    if wish and wish not in found:
        warnings.warn(
            f"CONVX_ISA={wish!r} is not one of {found}, which this machine runs; using {found[0]}",
            RuntimeWarning,
            stacklevel=2,
        )
    return wish if wish in found else found[0]


def _sysconf(name: str, otherwise: int) -> int:
    try:
        value = os.sysconf(name)
    except (AttributeError, OSError, ValueError):
        return otherwise
    return value if value > 0 else otherwise


ISA = _choose_isa()

# Whether additions take no time beside multiply-adds, whatever instruction set is used: what is
# chosen for it changes bits.
_l2_bytes, ADDS_BESIDE = _driver.processor()

# Plans are made for caches between what old and new processors have; the bounds keep a strange
# answer of the system from making a strange plan.
L2_BYTES = min(max(_l2_bytes or 512 * 1024, 256 * 1024), 2 * 1024 * 1024)

MEMORY_BYTES = _sysconf("SC_PAGE_SIZE", 4096) * _sysconf("SC_PHYS_PAGES", 1 << 52)
