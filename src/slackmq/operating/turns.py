"""Which jobs are next, as a worker would take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.operating.figures import concerns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slackmq.queue import Standing

__all__ = ["turns"]


def turns(standings: Iterable[Standing]) -> list[Standing]:
    """The jobs that wait, the next one first: what is due before what is not, then by priority, then by age.

    What waits for other jobs comes last.

    Of jobs of one priority each worker tries the oldest few dozen in an order of its own, lest all want one.
    """
    waiting = (row for row in standings if row.state in {"waiting", "delayed"} and concerns(row))
    return sorted(
        waiting, key=lambda row: (bool(row.after), row.due, not row.first, -row.message.priority, float(row.message.ts))
    )
