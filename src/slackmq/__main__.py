"""`python -m slackmq` is the command `slackmq`."""

import sys

from slackmq.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
