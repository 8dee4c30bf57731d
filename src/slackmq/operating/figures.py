"""How much a queue has to do and has done, in a few figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slackmq.queue import Standing

__all__ = ["Figures", "concerns", "figures_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of a queue. The jobs of a batch are counted one by one, and all as their message stands.

    Attributes:
        depth: jobs that wait, for the first time or again.
        delayed: of these, the jobs whose time has not come: by a delay, because the next attempt is due later, or
            because others must be done first.
        in_flight: jobs that a worker holds; with native claims the first attempt leaves no mark, and its job waits.
        oldest: how long ago the oldest job was posted that waits and is due.
        done: jobs that were posted within the window and are done.
        dead: jobs that were posted within the window and are dead.
        duplicates: messages within the window whose key an earlier one has.
        window: how far back was looked for what has ended.
    """

    depth: int
    delayed: int
    in_flight: int
    oldest: timedelta
    done: int
    dead: int
    duplicates: int
    window: timedelta


def concerns(row: Standing) -> bool:
    """Whether a message is a job: typed words that nobody ever took are talk."""
    return row.message.kind is not None or row.state not in {"waiting", "gone"}


def figures_of(standings: Iterable[Standing], *, window: timedelta) -> Figures:
    """Count.

    Args:
        standings: how each message stands.
        window: how far back they were read.
    """
    rows = [row for row in standings if concerns(row)]
    waiting = [row for row in rows if row.state in {"waiting", "delayed"}]
    states: Counter[str] = Counter()
    for row in rows:
        states[row.state] += row.message.size
    return Figures(
        depth=sum(row.message.size for row in waiting),
        delayed=sum(row.message.size for row in waiting if _early(row)),
        in_flight=states["held"],
        oldest=max((row.age for row in waiting if not _early(row)), default=timedelta(0)),
        done=states["done"],
        dead=states["dead"],
        duplicates=states["duplicate"],
        window=window,
    )


def _early(row: Standing) -> bool:
    return row.due > timedelta(0) or bool(row.after)
