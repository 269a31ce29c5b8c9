"""Numbers of the command line, told in a line if they are wrong."""

from __future__ import annotations

import argparse
import math

__all__ = ["positive", "whole"]


def whole(least: int, text: str) -> int:
    """Read a whole number."""
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if not least <= number < 2**31:
        raise argparse.ArgumentTypeError(f"must be a whole number from {least} on, got {text!r}")
    return number


def positive(text: str) -> float:
    """Read a positive number."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(f"must be a positive number, got {text!r}")
    return number
