from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from slackmq.points import armed, pause, reach

if TYPE_CHECKING:
    from slackmq.points import Place


class Witness:
    """Notes where the code came by, and holds it up for a moment."""

    def __init__(self) -> None:
        self.seen: list[Place] = []

    def reach(self, place: Place) -> None:
        self.seen.append(place)

    async def pause(self, place: Place) -> None:
        await anyio.lowlevel.checkpoint()
        self.seen.append(place)


async def test_nothing_happens_at_a_point_that_nobody_armed() -> None:
    reach("after_done_ok")
    coroutine = pause("before_done")
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it awaited something")


async def test_an_armed_point_is_told_of_in_tasks_too() -> None:
    witness = Witness()
    with armed(witness):
        reach("after_done_ok")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pause, "before_claim")
    await pause("before_done")
    assert witness.seen == ["after_done_ok", "before_claim"]
