"""Opened: what a queue has only while it is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from slackmq.queue.asking import Asking
    from slackmq.queue.contest import Contest
    from slackmq.queue.poster import Poster
    from slackmq.queue.watch import Watch
    from slackmq.slack.api import Channel, Identity

__all__ = ["Opened"]


@dataclass(slots=True, kw_only=True)
class Opened:
    """What a queue has only while it is open.

    Attributes:
        identity: who it is.
        channel: where it works.
        watch: reads the channel.
        contest: chooses messages and claims them.
        poster: posts jobs.
        asking: waits for answers.
        tasks: what runs in the background.
        watching: whether `watch` reads all the time.
    """

    identity: Identity
    channel: Channel
    watch: Watch
    contest: Contest
    poster: Poster
    asking: Asking
    tasks: TaskGroup
    watching: bool = False
