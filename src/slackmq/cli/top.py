"""`slackmq top CHANNEL`: a queue, watched while it works."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import anyio
import msgspec
from cyclopts import Parameter, validators
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from slackmq.cli.ls import printable
from slackmq.cli.stats import lines_of, object_of
from slackmq.cli.where import Where
from slackmq.operating.look import looking
from slackmq.operating.survey import Survey
from slackmq.slack.connect import open_slack

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from slackmq.operating.survey import Budget, View

__all__ = ["top"]

_HERE = Where()


def top(
    channel: Annotated[str, Parameter(help='"#name", name or id.')],
    /,
    *,
    once: Annotated[bool, Parameter(negative=(), help="Look once, and end.")] = False,
    every: Annotated[
        float, Parameter(validator=validators.Number(gte=2), help="Seconds between two looks; each takes 3 calls.")
    ] = 10.0,
    json: Annotated[bool, Parameter(negative=(), help="Print one JSON object for each look.")] = False,
    where: Where = _HERE,
) -> None:
    """Watch a queue until Ctrl-C: depth, in flight, oldest age, pace of each worker, what Slack's limits leave."""
    anyio.run(_watch, where, channel, None if once else every, json)


async def _watch(where: Where, channel: str, every: float | None, json: bool) -> None:  # noqa: FBT001  # anyio.run passes no names
    async with open_slack(await where.settings()) as slack, looking(slack, channel) as look:
        title = f"#{look.queue.channel.name}"
        views = _views(Survey(look), every)
        if json or not sys.stdout.isatty():
            async for view in views:
                sys.stdout.write(f"{msgspec.json.encode(_object(view)).decode()}\n" if json else _text(title, view))
                sys.stdout.flush()
            return
        with Live(auto_refresh=False, screen=every is not None) as live:
            async for view in views:
                live.update(_screen(title, view), refresh=True)


async def _views(survey: Survey, every: float | None) -> AsyncGenerator[View]:
    yield await survey.view()
    while every is not None:
        await anyio.sleep(every)
        yield await survey.view()


def _object(view: View) -> dict[str, object]:
    return {
        **object_of(view.figures),
        "paused": view.pause is not None,
        "workers": [{"worker": pace.worker, "per_minute": round(pace.per_minute, 2)} for pace in view.paces],
        "budgets": [
            {
                "method": budget.method,
                "limit": budget.limit,
                "used": _rounded(budget.used),
                "left": _rounded(budget.left),
            }
            for budget in view.budgets
        ],
    }


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 1)


def _text(title: str, view: View) -> str:
    lines = [f"{title}{_paused(view)}"]
    lines += [f"{name:<11}{value}" for name, value in lines_of(view.figures)]
    lines += [f"{pace.per_minute:>6.1f}/min  {printable(pace.worker)}" for pace in view.paces]
    lines += [f"{_left(budget)}  {budget.method}" for budget in view.budgets]
    return "\n".join(lines) + "\n\n"


def _screen(title: str, view: View) -> Group:
    figures = Table("", "", box=None, show_header=False)
    for name, value in lines_of(view.figures):
        figures.add_row(name, Text(value, style="bold"))
    workers = Table("worker", "jobs a minute", box=None, header_style="bold")
    for pace in view.paces:
        workers.add_row(Text(printable(pace.worker)), f"{pace.per_minute:.1f}")
    budgets = Table("method", "left a minute", box=None, header_style="bold")
    for budget in view.budgets:
        budgets.add_row(budget.method, _left(budget))
    return Group(Text(f"{title}{_paused(view)}", style="bold"), figures, Text(), workers, Text(), budgets)


def _left(budget: Budget) -> str:
    return f"{'?' if budget.left is None else f'{budget.left:.0f}':>3} of {budget.limit}"


def _paused(view: View) -> str:
    return "" if view.pause is None else f", paused by {printable(view.pause.by)}"
