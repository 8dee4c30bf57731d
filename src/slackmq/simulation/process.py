"""Process: an operating system's process inside the loop, that can be stopped and killed like one."""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, Any

from slackmq.simulation.loop import OWNER, VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["Process", "State"]


class State(Enum):
    """What a process does."""

    RUNNING = "running"
    PAUSED = "paused"
    DEAD = "dead"
    ENDED = "ended"


class Process:
    """A coroutine and everything it starts, seen as one process.

    A pause is SIGSTOP: nothing of the process runs, and its timers fire late, when it goes on. A kill is SIGKILL:
    nothing of it ever runs again, no `except` and no `finally`. What it sent before goes its way.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.error: BaseException | None = None
        self.ended = asyncio.Event()
        self._state = State.RUNNING
        self._held: deque[asyncio.Handle] = deque()
        self._pauses = 0

    def __repr__(self) -> str:
        return f"<Process {self.name} {self._state.value}>"

    @property
    def state(self) -> State:
        """What it does."""
        return self._state

    @property
    def alive(self) -> bool:
        """True until it was killed or its coroutine ended; a paused process is alive."""
        return self._state in (State.RUNNING, State.PAUSED)

    @property
    def paused(self) -> bool:
        """True while it is stopped."""
        return self._state is State.PAUSED

    def start(self, main: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Run `main` as this process."""
        context = contextvars.copy_context()
        context.run(OWNER.set, self)
        asyncio.get_running_loop().create_task(self._run(main), name=self.name, context=context)

    async def _run(self, main: Callable[[], Coroutine[Any, Any, object]]) -> None:
        try:
            await main()
        except Exception as error:  # noqa: BLE001  # a process that crashes is not the end of the simulation
            self.error = error
        self._state = State.ENDED
        self.ended.set()

    def pause(self, seconds: float) -> None:
        """Stop it for a while; a second pause meanwhile lasts to the later of both ends."""
        if not self.alive:
            return
        self._state = State.PAUSED
        self._pauses += 1
        asyncio.get_running_loop().call_later(seconds, self._go_on, context=contextvars.Context())

    def _go_on(self) -> None:
        self._pauses -= 1
        if self._pauses or not self.paused:
            return
        self._state = State.RUNNING
        loop = asyncio.get_running_loop()
        while self._held and isinstance(loop, VirtualLoop):
            loop.again(self._held.popleft())

    def kill(self) -> None:
        """End it at once, between two callbacks."""
        if self.alive:
            self._state = State.DEAD
            self._held.clear()
            self.ended.set()

    def stops(self, callback: asyncio.Handle) -> bool:
        """True if the loop must not run this callback of the process now."""
        match self._state:
            case State.RUNNING | State.ENDED:
                return False
            case State.PAUSED:
                self._held.append(callback)
                return True
            case State.DEAD:
                return True
