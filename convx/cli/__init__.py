"""The command line of convx: ``convx`` and ``python -m convx``.

``demo``, ``filter``, ``info``, ``train``, ``predict``, ``summary``
    The commands: they declare their arguments, run, and return an exit code.
``kernels``, ``convolve``
    The named kernels, and true convolution with a boundary and a mode.
``sheet``
    A sheet of labelled pictures.
``images``, ``arrays``
    PNG and JPEG files; ``.npy`` files.
``peers``, ``numbers``
    What SciPy has for the demo; numbers of the command line.
``models``, ``training``, ``results``
    The networks by name; the loop that trains them; the folder of what came out.
``errors``
    The exception that carries a line for the user.

Exit codes: 0 done, 1 a check failed, 2 the command line or a file is wrong, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from .errors import CommandError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments after the name of the program; those of the process by default.

    Returns
    -------
    int
        The exit code.
    """
    try:
        options = _parser().parse_args(argv)
        code: int = options.run(options)
        return code
    except BrokenPipeError:
        return _reader_has_gone()
    except KeyboardInterrupt:
        return _complain("interrupted", code=130)
    except MemoryError as error:
        return _complain(f"not enough memory: {error}" if str(error) else "not enough memory")
    # The operations of convx raise ValueError and TypeError with a message for the user.
    except (CommandError, ImportError, OSError, ValueError, TypeError) as error:
        return _complain(str(error))


class _Parser(argparse.ArgumentParser):
    """A parser that leaves it to `main` to tell the user what is wrong."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message} (see {self.prog} --help)")


def _parser() -> argparse.ArgumentParser:
    from convx import __version__

    from . import demo, filter, info, predict, summary, train

    parser = _Parser(prog="convx", description="Convolution for NumPy on the CPU.")
    parser.add_argument("--version", action="version", version=f"convx {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, module, text in (
        ("demo", demo, "filter a photograph, run a layer, train a network; checked and timed"),
        ("filter", filter, "convolve an image or an array"),
        ("info", info, "tell how convx was built and what it uses"),
        ("train", train, "train a network on handwritten digits"),
        ("predict", predict, "tell which digits pictures show"),
        ("summary", summary, "list the layers of a network"),
    ):
        command = commands.add_parser(
            name, help=text, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def _complain(message: str, code: int = 2) -> int:
    """Print one line, whatever the message holds."""
    print(f"convx: error: {' '.join(message.split())}", file=sys.stderr)
    return code


def _reader_has_gone() -> int:
    """Keep the interpreter from flushing into a closed pipe when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141
