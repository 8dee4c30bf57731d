"""The command's root: its subcommands, its flags as environment variables, its exit statuses."""

from __future__ import annotations

import os
import sys
import traceback
from importlib.metadata import version
from typing import TYPE_CHECKING

from cyclopts import App
from cyclopts.config import Env
from cyclopts.exceptions import CycloptsError

from slackmq.cli.exits import MEANINGS, Exit, exit_of, explanation

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["command", "run"]

_COMMANDS = {
    "cancel": "Let a job not be done; a running handler is told to stop.",
    "completion": "Print what a shell needs to complete commands and flags.",
    "demo": "See it work: three workers, one of them killed.",
    "dlq": "Look at dead letters, and post what died again: ls, redrive.",
    "doctor": "Look whether all is as it must be; with --probe, whether Slack is.",
    "emulator": "Run a Slack of this machine: Web API, Socket Mode, a page.",
    "kv": "Keep state in a channel: get, put, del, ls, watch, history, lock, roll, repair, status, export, import.",
    "ls": "List what waits, is held or is dead in a channel.",
    "manifest": "Print the app manifest for the real Slack.",
    "pause": "Let nobody begin anything in a channel; resume lets the work go on.",
    "peek": "Show the next jobs of a channel, and claim none.",
    "post": "Put a job into a channel.",
    "purge": "Cancel every job of a channel that waits.",
    "resume": "Let the work of a paused channel go on.",
    "stats": "Count what waits, is held, is done and is dead in a channel.",
    "top": "Watch a queue: depth, oldest age, pace of each worker, what Slack's limits leave.",
    "trace": "Show the life of one job: who claimed, renewed, failed and did it.",
    "worker": "Work the channel of an app, or look whether that could be done.",
}
_FILES = {"dlq": "dlq.group", "kv": "kv.group", "purge": "cancel", "resume": "pause"}
"""In which file a subcommand stands, if not in one of its own name."""
_VARIABLES = (
    "Every flag is also an environment variable: --log-level of `slackmq worker` is SLACKMQ_WORKER_LOG_LEVEL; --local, "
    "--url and --local-port are SLACKMQ_LOCAL, SLACKMQ_URL and SLACKMQ_LOCAL_PORT everywhere. A flag wins over its "
    "variable.\n\n--debug (SLACKMQ_DEBUG), with any command, shows where an error came from."
)
_STATUSES = "Exit status:\n\n" + "\n".join(f"- {int(status)}: {meaning}" for status, meaning in MEANINGS.items())


def command(words: Sequence[str] = ()) -> App:
    """The whole command, each subcommand loaded only when it is called: a worker pays for no emulator.

    Args:
        words: the arguments that it will be called with; what they name keeps its own, longer help.
    """
    root = App(
        name="slackmq",
        help="Slack is the broker: a job queue and highly available bots in a Slack channel.",
        help_epilogue=f"{_VARIABLES}\n\n{_STATUSES}",
        help_format="markdown",
        version=lambda: version("slackmq"),
        config=Env("SLACKMQ_", command=True),
        suppress_keyboard_interrupt=False,
    )
    for name, line in _COMMANDS.items():
        where = _FILES.get(name, name)
        root.command(f"slackmq.cli.{where}:{name}", name=name, help=None if name in words[:1] else line)
    return root


def run(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit status, and prints no more than two lines about an error."""
    words, debug = _without_debug(arguments)
    try:
        result = command(words)(words, result_action="return_value", exit_on_error=False, print_error=False)
    except CycloptsError as error:
        _complain(f"{' '.join(str(error).split())}\nslackmq {' '.join(words[:1])} --help shows what there is.")
        return Exit.USAGE
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still in the buffer goes there
        return Exit.OK  # whoever read it has seen enough, as `head` has
    except KeyboardInterrupt as error:
        return _fail(error, debug=debug)
    except Exception as error:  # noqa: BLE001  # the last floor: whatever it is becomes a line and a status
        return _fail(error, debug=debug)
    return result if isinstance(result, int) else Exit.OK


def _fail(error: BaseException, *, debug: bool) -> Exit:
    if debug:
        traceback.print_exception(error)
    _complain(explanation(error))
    return exit_of(error)


def _without_debug(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """The arguments without --debug, and whether it was among them or in the environment."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    words = [word for word in arguments[:end] if word != "--debug"]
    asked = os.environ.get("SLACKMQ_DEBUG", "").lower() in {"1", "true", "yes", "on"}
    return [*words, *arguments[end:]], asked or len(words) < end


def _complain(text: str) -> None:
    if text:
        sys.stderr.write(f"slackmq: {text}\n")
