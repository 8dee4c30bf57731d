"""Points: the named places at which a process dies, and what must be going on for it to get there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.claiming.way import Way

Kind = Literal["short", "long", "flaky", "doomed"]
"""Jobs that are done at once, that outlast a lease, that fail the first time, and that fail always."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Where a process dies.

    Attributes:
        name: what it is called.
        place: a place of the product (`slackmq.points`), or a step of the handler: `middle`, `effect`.
        withheld: the process goes on from there to its next write, which takes effect unanswered: then it dies.
        kind: which job brings it there.
        role: which process gets there.
        only: the way to claim that has this place; None: all.
    """

    name: str
    place: str
    withheld: bool = False
    kind: Kind = "short"
    role: Literal["worker", "producer"] = "worker"
    only: Way | None = None


POINTS = (
    Point(name="before_claim", place="before_claim"),
    Point(name="after_claim_effect", place="before_claim", withheld=True),
    Point(name="after_claim_ok", place="after_claim_ok"),
    Point(name="after_takeover", place="after_takeover", kind="flaky"),
    Point(name="after_start", place="after_start"),
    Point(name="mid_handler", place="middle"),
    Point(name="after_effect", place="effect"),
    Point(name="before_renew", place="before_renew", kind="long"),
    Point(name="after_renew_effect", place="before_renew", withheld=True, kind="long"),
    Point(name="after_renew_ok", place="after_renew_ok", kind="long"),
    Point(name="before_done", place="before_done"),
    Point(name="after_done_effect", place="before_done", withheld=True),
    Point(name="after_done_ok", place="after_done_ok"),
    Point(name="after_dead_note", place="after_dead_note", kind="doomed"),
    Point(name="after_release_effect", place="before_release", withheld=True, kind="flaky"),
    Point(name="producer_before_ack", place="producer_before_ack", role="producer"),
    Point(name="after_pin", place="after_pin", only="pin"),
    Point(name="after_done_record", place="after_done_record", kind="flaky", only="pin"),
)


def points_of(way: Way) -> Sequence[Point]:
    """The points at which a process with this way to claim can die."""
    return [point for point in POINTS if point.only in {None, way}]


def named(name: str) -> Point:
    """The point of this name."""
    return next(point for point in POINTS if point.name == name)
