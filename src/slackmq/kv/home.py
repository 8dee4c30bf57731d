"""Home: the channel in which an open store is, and its way to the next one; whoever waits there is taken along."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

import anyio

from slackmq.errors import Ambiguous, ConfigurationError, SlackMQError
from slackmq.kv.errors import StoreMoved

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import TaskGroup

    from slackmq.clock import Clock
    from slackmq.kv.inside import Inside
    from slackmq.kv.ledger import Settled
    from slackmq.kv.opening import Opening

__all__ = ["Home"]

_log = logging.getLogger("slackmq.kv")
_T = TypeVar("_T")
_AGAIN = 5.0
"""Seconds after which a channel is asked for again that gave no answer."""


class Home:
    """Where a store is.

    Args:
        opening: how it is opened; kept as an attribute.
        clock: the time of this process.
        told: gets what is settled, each thing once and in order, whatever channel it is settled in.
    """

    def __init__(self, opening: Opening, *, clock: Clock, told: Callable[[Settled], None]) -> None:
        self.opening = opening
        self._clock = clock
        self._told = told
        self._inside: Inside | None = None
        self._held: list[Settled] | None = None
        self._moved = anyio.Event()

    @property
    def inside(self) -> Inside:
        """What works there now.

        Raises:
            ConfigurationError: the store is not open.
        """
        if self._inside is None:
            raise ConfigurationError("The store is not open.", remedy="Use it inside `async with store:`.")
        return self._inside

    async def enter(self) -> None:
        """Open the store."""
        self._held, self._moved = None, anyio.Event()
        self._inside = await self.opening.open(self._tell)

    def start(self, tasks: TaskGroup) -> None:
        """Let it work, until the tasks are cancelled."""
        tasks.start_soon(self.inside.run, self._clock)
        tasks.start_soon(self._follow, tasks)

    async def leave(self) -> None:
        """Write down what is settled, once nothing works any more."""
        inside, self._inside = self._inside, None
        if inside is not None:
            await inside.end()
            self._moved.set()  # nowhere, and whoever waits for it looks again

    async def there(self, do: Callable[[Inside], Awaitable[_T]]) -> _T:
        """Do something where the store is, and again where it went if it moves meanwhile.

        Raises:
            SlackMQError: following has failed.
        """
        while True:
            inside = self.inside
            try:
                return await do(inside)
            except StoreMoved:
                await self.arrived(inside)

    async def working(self, *, fresh: bool = False) -> Inside:
        """What works where the store is; `fresh`: once it knows all that anybody was told to be written before.

        Raises:
            SlackMQError: following has failed.
        """

        async def work(inside: Inside) -> Inside:
            if inside.follower.failure is not None:
                raise inside.follower.failure
            if fresh:
                await inside.follower.fresh()
            return inside

        return await self.there(work)

    async def news(self, within: float | None = None) -> None:
        """Wait until something is settled, `within` seconds at most; or until the store has moved."""
        inside = self.inside
        try:
            await inside.follower.news(within)
        except StoreMoved:
            await self.arrived(inside)

    async def arrived(self, left: Inside) -> None:
        """Wait until the store is somewhere else than there.

        Raises:
            SlackMQError: it cannot be followed.
        """
        while self.inside is left:
            failure = left.follower.failure
            if failure is not None and not isinstance(failure, StoreMoved):
                raise failure
            await self._moved.wait()

    async def _follow(self, tasks: TaskGroup) -> None:
        """Go where the store goes, for as long as it works."""
        while True:
            inside = self.inside
            try:
                while True:
                    await inside.follower.news()
            except StoreMoved as moved:
                _log.info("the store %s", moved)
                inside.writer.close(moved)
            except SlackMQError:
                return  # the follower says so itself
            await inside.stop()
            await inside.leave()
            try:
                await self._go_on(inside)
            except SlackMQError as error:
                _log.error("the store cannot be followed to where it went: %s", error)  # the sentence says it
                inside.follower.failure = error
                return
            finally:
                self._moved.set()
                self._moved = anyio.Event()
            tasks.start_soon(self.inside.run, self._clock)

    async def _go_on(self, left: Inside) -> None:
        while True:
            held: list[Settled] = []
            self._held = held
            try:
                inside = await self.opening.onward(left, self._tell)
            except Ambiguous as error:
                _log.warning("the channel to which the store went gives no answer: %s", error)
                await self._clock.sleep(_AGAIN * (0.5 + self._clock.random()))
                continue
            self._inside, self._held = inside, None
            # What was told while the channel was opened counts only now, for it may have been opened several times.
            for settled in held:
                self._told(settled)
            return

    def _tell(self, settled: Settled) -> None:
        if self._held is None:
            self._told(settled)
        else:
            self._held.append(settled)
