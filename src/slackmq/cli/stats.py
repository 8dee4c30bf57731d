"""`slackmq stats CHANNEL`: how much there is to do, is being done and was done."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import anyio
import msgspec
from cyclopts import Parameter

from slackmq.cli.ls import age, inspected, printable
from slackmq.cli.where import Where
from slackmq.operating.figures import figures_of
from slackmq.policy import Timing

if TYPE_CHECKING:
    from slackmq.operating.figures import Figures

__all__ = ["lines_of", "object_of", "stats"]

_HERE = Where()


def stats(
    channel: Annotated[str, Parameter(help='"#name", name or id.')],
    /,
    *,
    json: Annotated[bool, Parameter(negative=(), help="Print one JSON object.")] = False,
    where: Where = _HERE,
) -> None:
    """Count what waits and is in flight, how old the oldest is, and what is done and dead of the last 24 hours."""
    look, standings = anyio.run(inspected, where, channel)
    figures = figures_of(standings, window=Timing().window)
    if json:
        row = {**object_of(figures), "paused": look.pause is not None}
        sys.stdout.write(msgspec.json.encode(row).decode() + "\n")
    else:
        if look.pause is not None:
            sys.stdout.write(f"paused     by {printable(look.pause.by)}\n")
        sys.stdout.writelines(f"{name:<11}{value}\n" for name, value in lines_of(figures))


def object_of(figures: Figures) -> dict[str, int]:
    """The figures for programs; times in whole seconds."""
    return {
        "depth": figures.depth,
        "delayed": figures.delayed,
        "in_flight": figures.in_flight,
        "oldest_s": round(figures.oldest.total_seconds()),
        "done": figures.done,
        "dead": figures.dead,
        "duplicates": figures.duplicates,
        "window_s": round(figures.window.total_seconds()),
    }


def lines_of(figures: Figures) -> list[tuple[str, str]]:
    """The figures for people."""
    later = f", {figures.delayed} of them not due yet" if figures.delayed else ""
    window = age(figures.window)
    return [
        ("waiting", f"{figures.depth}{later}"),
        ("in flight", str(figures.in_flight)),
        ("oldest", age(figures.oldest) if figures.depth > figures.delayed else "-"),
        ("done", f"{figures.done} in {window}"),
        ("dead", f"{figures.dead} in {window}"),
        ("duplicates", f"{figures.duplicates} in {window}"),
    ]
