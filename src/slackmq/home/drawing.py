"""Queues as blocks for a Home tab: figures for everybody, jobs and buttons for who may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from slackmq.operating.turns import turns
from slackmq.redaction import redacted
from slackmq.slack.markup import escape, mention

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from slackmq.operating.survey import View
    from slackmq.queue import Standing
    from slackmq.slack.surfacing import Block

    Style = Literal["primary", "danger"] | None

__all__ = ["PREFIX", "Deed", "Panel", "blocks_of"]

PREFIX = "slackmq_home_"
"""How the names of our buttons begin."""
Deed = Literal["pause", "resume", "redrive", "cancel"]
"""What a button does."""
_ROWS = 5
"""Jobs of each sort that are shown of a queue."""
_WORKERS = 10
_LINE = 120
_LABELS: dict[Deed, str] = {"pause": "Pause", "resume": "Resume", "redrive": "Redrive", "cancel": "Cancel"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A queue as it is shown.

    Attributes:
        channel: id of the channel.
        name: its name, without "#".
        view: how it stands.
    """

    channel: str
    name: str
    view: View


def blocks_of(panels: Sequence[Panel], *, allowed: bool, now: float, notice: str = "") -> list[Block]:
    """What a person sees.

    Args:
        panels: the queues.
        allowed: whether the person sees jobs and buttons.
        now: seconds since 1970 by Slack's clock; it stands in the last block alone.
        notice: what became of the last button, in Slack's mark-up.
    """
    blocks: list[Block] = [_section(notice)] if notice else []
    for panel in panels:
        blocks += [*_figures(panel), *(_jobs(panel) if allowed else ()), {"type": "divider"}]
    if not panels:
        blocks.append(_section("None of the queues can be read."))
    seen = f"As of <!date^{int(now)}^{{time_secs}}|now>; it is kept up to date for two minutes after you open it."
    return [*blocks, _context(seen)]


def _figures(panel: Panel) -> Iterator[Block]:
    view, figures = panel.view, panel.view.figures
    yield {"type": "header", "text": _plain(f"#{panel.name}")}
    if view.pause is not None:
        by = mention(view.pause.by) or escape(redacted(view.pause.by))
        yield _section(f":double_vertical_bar: *Paused* by {by}")
    told = {
        "Waiting": f"{figures.depth}" + (f", {figures.delayed} of them later" if figures.delayed else ""),
        "In flight": f"{figures.in_flight}",
        "Oldest": _ago(figures.oldest),
        "Done": f"{figures.done} in {_ago(figures.window)}",
        "Dead": f"{figures.dead} in {_ago(figures.window)}",
    }
    yield {"type": "section", "fields": [_mrkdwn(f"*{name}*\n{value}") for name, value in told.items()]}
    paces = view.paces[:_WORKERS]
    workers = ", ".join(f"{escape(redacted(pace.worker))[:_LINE]} {pace.per_minute:.1f}/min" for pace in paces)
    yield _context(f"Workers of the last five minutes: {workers or 'none has ended a job'}")


def _jobs(panel: Panel) -> Iterator[Block]:
    view = panel.view
    deed: Deed = "pause" if view.pause is None else "resume"
    yield {"type": "actions", "elements": [_button(deed, panel.channel, style=None if deed == "pause" else "primary")]}
    again = {row.message.origin for row in view.rows}
    dead = [row for row in view.rows if row.state == "dead" and row.message.kind and row.message.key not in again]
    yield from _rows(panel, dead[::-1], "Dead", "redrive")
    held = [row for row in view.rows if row.state == "held"]
    yield from _rows(panel, [*held, *turns(view.rows)], "In flight and next", "cancel")


def _rows(panel: Panel, rows: Sequence[Standing], title: str, deed: Deed) -> Iterator[Block]:
    if not rows:
        return
    more = f", {_ROWS} of {len(rows)}" if len(rows) > _ROWS else ""
    yield _context(f"*{title}*{more}")
    for row in rows[:_ROWS]:
        value = f"{panel.channel}/{row.message.ts}"
        style: Style = "danger" if deed == "cancel" else None
        yield {**_section(_line(row)), "accessory": _button(deed, value, style=style)}


def _line(row: Standing) -> str:
    """A job in a line: what it is, how it stands, for how long."""
    words = " ".join(redacted(row.message.text or row.message.kind or "").split())
    words = words if len(words) <= _LINE else f"{words[: _LINE - 1]}…"
    due = f", in {_ago(row.due)}" if row.due else ""
    return f"{escape(words)}\n_{row.state}{due}, posted {_ago(row.age)} ago_"


def _ago(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _button(deed: Deed, value: str, *, style: Style) -> dict[str, Any]:
    button = {"type": "button", "action_id": f"{PREFIX}{deed}", "value": value, "text": _plain(_LABELS[deed])}
    return button if style is None else {**button, "style": style}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(text)}


def _context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [_mrkdwn(text)]}


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text[:150], "emoji": False}
