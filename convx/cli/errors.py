"""The one exception that the commands raise for the user to read."""

from __future__ import annotations

__all__ = ["CommandError"]


class CommandError(Exception):
    """What the user gave cannot be done; the message is one line that says why."""
