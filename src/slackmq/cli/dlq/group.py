"""`slackmq dlq`: its subcommands."""

from __future__ import annotations

from cyclopts import App

from slackmq.cli.dlq.ls import ls
from slackmq.cli.dlq.redrive import redrive

__all__ = ["dlq"]

dlq = App(name="dlq", help="Look at a channel for dead letters, and post what died again.")
dlq.command(ls)
dlq.command(redrive)
