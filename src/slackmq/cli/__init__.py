"""The command, one file a subcommand."""

import sys
from importlib.util import find_spec

__all__ = ["main"]

_EXTRA = ("cyclopts", "rich", "jinja2", "platformdirs")


def main() -> int:
    """Run the command with the arguments of this process; returns its exit status."""
    if missing := [name for name in _EXTRA if find_spec(name) is None]:
        sys.stderr.write(f"slackmq: the command needs {' and '.join(missing)}: pip install 'slackmq[cli]'\n")
        return 2
    from slackmq.cli.command import run  # noqa: PLC0415  # without the extra it cannot be imported

    return run(sys.argv[1:])
