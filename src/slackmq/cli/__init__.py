"""The command, one file a subcommand."""

import sys

__all__ = ["main"]

_EXTRA = {"cyclopts", "rich", "jinja2", "platformdirs"}


def main() -> int:
    """Run the command with the arguments of this process; returns its exit status."""
    try:
        from slackmq.cli.command import run  # noqa: PLC0415  # the extra may be missing, and we want to say so
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        sys.stderr.write(f"slackmq: the command needs {error.name}: pip install 'slackmq[cli]'\n")
        return 2
    return run(sys.argv[1:])
