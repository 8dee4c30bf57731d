"""Fleet: the processes of a round, each in its place, started anew when they end."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from tests.kills.pages import now
from tests.kills.program import AWAY

from slackmq.simulation.record import Disturbed

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import ForkServerProcess

    from tests.kills.pages import Pages
    from tests.kills.plan import Plan

_FORKS = get_context("forkserver")
# A fork of a process that has imported everything starts in milliseconds, and is killed like any other.
_FORKS.set_forkserver_preload(["tests.kills.program"])

EXPECTED = frozenset({0, AWAY, -signal.SIGKILL, -signal.SIGTERM})
"""Exit statuses that are no crash."""


class Named(Protocol):
    """What a process is told at its birth: its name, unlike that of any other one, and more."""

    @property
    def name(self) -> str:
        """Its name."""
        ...


L = TypeVar("L", bound=Named)


@dataclass(slots=True, kw_only=True)
class _Place(Generic[L]):
    """Where one process after the other lives."""

    name: str
    count: int = 0
    life: L | None = None
    process: ForkServerProcess | None = None
    due: float = 0.0
    stopped: bool = field(default=False)


class Fleet(Generic[L]):
    """Processes in their places, as workers and a producer, whose place begins with a "p".

    Args:
        plan: the dice.
        pages: where it is written down.
        birth: makes the life of the next process: its place, its name, and which one it is in this place.
        live: what it does then.
    """

    def __init__(
        self, plan: Plan, pages: Pages, birth: Callable[[str, str, int], L], live: Callable[[L], None]
    ) -> None:
        self.kills = 0
        self.crashes: list[str] = []
        self.ended: list[L] = []
        """Lives that were ended by a kill."""
        self._dice = plan.dice("fleet")
        self._pages = pages
        self._birth = birth
        self._live = live
        self._places: dict[str, _Place[L]] = {}
        self._names: dict[str, _Place[L]] = {}
        self._closing = False

    def pid(self, name: str) -> int | None:
        """The process of this name, None if it is dead."""
        place = self._names.get(name)
        if place is None or place.life is None or place.life.name != name or place.process is None:
            return None
        return place.process.pid if place.process.is_alive() else None

    def start(self, name: str) -> None:
        """Start the next process of a place."""
        place = self._places.setdefault(name, _Place[L](name=name))
        place.count += 1
        place.life = self._birth(name, f"{name}.{place.count}", place.count)
        place.stopped = False
        self._names[place.life.name] = place
        place.process = _FORKS.Process(target=self._live, args=(place.life,), daemon=True)
        place.process.start()
        self._disturbed(place.life.name, "start")

    async def keep(self) -> None:
        """Start anew what has ended, after up to a second."""
        while True:
            for place in self._places.values():
                if place.process is not None and not place.process.is_alive():
                    self._bury(place)
                elif (
                    place.process is None and now() >= place.due and not (self._closing and place.name.startswith("p"))
                ):
                    self.start(place.name)
            await asyncio.sleep(0.05)  # noqa: TID251  # real time is the point

    def _bury(self, place: _Place[L]) -> None:
        assert place.process is not None
        assert place.life is not None
        place.process.join()
        status = place.process.exitcode
        if status == -signal.SIGKILL:
            self.kills += 1
            self.ended.append(place.life)
        if status not in EXPECTED:
            log = (self._pages.folder / f"{place.life.name}.log").read_text(errors="replace")
            self.crashes.append(f"{place.life.name} ended with {status}:\n{log[-2000:]}")
        self._disturbed(place.life.name, f"ended with {status}")
        place.process = None
        place.due = now() + self._dice.random()

    # blows

    def strike(self, number: signal.Signals, luck: float, *, workers: bool) -> str | None:
        """Send a signal to one process, chosen by luck among the living; returns its place."""
        living = [
            place
            for place in self._places.values()
            if place.process is not None
            and place.process.is_alive()
            and not place.stopped
            and workers != place.name.startswith("p")
        ]
        if not living:
            return None
        place = living[int(luck * len(living))]
        self._signal(place, number)
        return place.name

    def strike_all(self, number: signal.Signals) -> None:
        """Send a signal to all workers at once."""
        for place in self._places.values():
            if not place.name.startswith("p"):
                self._signal(place, number)

    async def stop(self, luck: float, seconds: float) -> None:
        """SIGSTOP one worker, and let it go on after a while."""
        name = self.strike(signal.SIGSTOP, luck, workers=True)
        if name is None:
            return
        place = self._places[name]
        life, place.stopped = place.life, True
        await asyncio.sleep(seconds)  # noqa: TID251  # real time is the point
        if place.life is life:
            place.stopped = False
            self._signal(place, signal.SIGCONT)

    def _signal(self, place: _Place[L], number: signal.Signals) -> None:
        if place.process is None or place.process.pid is None or place.life is None:
            return
        self._disturbed(place.life.name, number.name)
        with suppress(ProcessLookupError):
            os.kill(place.process.pid, number)

    def disturb_all(self, what: str) -> None:
        """Write down something that concerns every process."""
        for place in self._places.values():
            if place.life is not None:
                self._disturbed(place.life.name, what)

    def _disturbed(self, process: str, what: str) -> None:
        self._pages.tell(Disturbed(at=now(), process=process, what=what))

    # the end

    def hush(self) -> None:
        """Let everybody go on, and producers post what they began and nothing more."""
        self._closing = True
        for place in self._places.values():
            self._signal(place, signal.SIGCONT)
            if place.name.startswith("p"):
                self._signal(place, signal.SIGTERM)

    @property
    def posting(self) -> bool:
        """Whether a producer lives."""
        return any(
            place.process is not None and place.process.is_alive()
            for place in self._places.values()
            if place.name.startswith("p")
        )

    def close(self) -> None:
        """End everything that was started here."""
        self._closing = True
        for place in self._places.values():
            if place.process is not None:
                place.process.kill()
                place.process.join()
