"""``convx info``: what this installation of convx is made of."""

from __future__ import annotations

import argparse
import json

import convx

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.description = "Tell how convx was built and what it uses on this machine."
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Do what the command line says; return the exit code."""
    if options.json:
        print(json.dumps(convx.show_config(mode="dicts"), indent=2))
    else:
        convx.show_config()
    return 0
