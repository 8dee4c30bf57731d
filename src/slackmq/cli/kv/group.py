"""`slackmq kv`: its subcommands, and what they have in common."""

from __future__ import annotations

from cyclopts import App

from slackmq.cli.kv.delete import delete
from slackmq.cli.kv.get import get
from slackmq.cli.kv.lock import lock
from slackmq.cli.kv.ls import ls
from slackmq.cli.kv.put import put
from slackmq.cli.kv.repair import repair
from slackmq.cli.kv.roll import roll
from slackmq.cli.kv.status import status
from slackmq.cli.kv.transfer import export, import_
from slackmq.cli.kv.watch import history, watch

__all__ = ["kv"]

kv = App(
    name="kv",
    help="Keep state in a channel: a key-value store that every machine has.\n\nWithout --fresh a command shows what "
    "was settled when it began: writes of others, and of the command before it, are seen after the skew, about 4 s.",
)
kv.command(get)
kv.command(put)
kv.command(delete, name="del")
kv.command(ls)
kv.command(watch)
kv.command(history)
kv.command(lock)
kv.command(status)
kv.command(roll)
kv.command(repair)
kv.command(export)
kv.command(import_, name="import")
