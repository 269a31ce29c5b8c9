"""``python -m convx``."""

import sys

from convx.cli import main

if __name__ == "__main__":
    sys.exit(main())
