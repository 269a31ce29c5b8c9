"""Files: opened only if their length can be trusted, replaced whole or not at all."""

import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def open_regular(path: Path) -> BinaryIO:
    """Open a file to read; refuse pipes and devices, which have no length to check against."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ValueError("not a file")
        return open(path, "rb")
    except OSError as error:
        raise type(error)(f"cannot read {str(path)!r}: {_reason(error)}") from error
    except ValueError as error:
        raise ValueError(f"cannot read {str(path)!r}: {_reason(error)}") from error


def check_target(path: Path) -> None:
    """Refuse early a place where nothing can be written."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"cannot write {str(path)!r}: no such folder")
    if path.exists() and not path.is_file():
        raise ValueError(f"cannot write {str(path)!r}: it exists and is not a file")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` when all has been written, or never.

    The data go to a new file in the same folder; a reader of `path` sees the old file or the
    new one, never a part. Permissions stay, and so does a symbolic link: what it points to is
    replaced.
    """
    check_target(path)
    target = Path(os.path.realpath(path))
    fresh = target.with_name(f".{target.name[:64]}.{secrets.token_hex(4)}.tmp")
    try:
        with open(fresh, "xb") as file:
            yield file
        if target.exists():
            shutil.copymode(target, fresh)
        os.replace(fresh, target)
    except OSError as error:
        raise type(error)(f"cannot write {str(path)!r}: {_reason(error)}") from error
    finally:
        fresh.unlink(missing_ok=True)


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
