"""Doorbell: what people do with buttons and Home tabs, picked out of the events for whoever answers it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from slackmq.slack.api import HomeOpened, Pressed
from slackmq.slack.polling import NoEvents

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from slackmq.slack.api import Event, Events

    Ring = Pressed | HomeOpened

__all__ = ["Doorbell"]


class Doorbell:
    """Implements `slackmq.slack.api.Events`: passes all on that concerns channels, and tells the rest to whoever asked.

    Slack gives each press to one connection of the app, whatever channel it works; so everybody hears of all.

    Args:
        events: what happens.
    """

    def __init__(self, events: Events) -> None:
        self._events = events
        self._told: list[Callable[[Ring], None]] = []

    @property
    def rings(self) -> bool:
        """Whether presses are heard of at all: they come over Socket Mode only."""
        return not isinstance(self._events, NoEvents)

    def tell(self, hear: Callable[[Ring], None]) -> None:
        """From now on call `hear` with every press and every Home tab that is opened."""
        self._told.append(hear)

    @asynccontextmanager
    async def listen(self) -> AsyncGenerator[AsyncIterator[Event]]:
        """Connect, and yield what concerns channels; leaving the context disconnects."""
        async with self._events.listen() as events:
            yield self._sorted(events)

    async def _sorted(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            if isinstance(event, Pressed | HomeOpened):
                for hear in self._told:
                    hear(event)
            else:
                yield event
