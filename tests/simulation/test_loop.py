from __future__ import annotations

import asyncio
import time

import anyio
import pytest

from slackmq.simulation.loop import Complaint, Deadlock, VirtualLoop, run


def test_a_year_passes_in_no_time() -> None:
    async def main() -> float:
        await anyio.sleep(365 * 86_400)
        return asyncio.get_running_loop().time()

    begun = time.perf_counter()
    assert run(main) == 365 * 86_400
    assert time.perf_counter() - begun < 1


def test_timers_of_one_instant_fire_in_the_order_in_which_they_were_set() -> None:
    async def main() -> list[int]:
        fired: list[int] = []
        loop = asyncio.get_running_loop()
        for number in range(50):
            loop.call_at(1.0, fired.append, number)
        await anyio.sleep(2)
        return fired

    assert run(main) == list(range(50))


def test_a_deadline_of_anyio_ends_what_waits_for_ever() -> None:
    async def main() -> tuple[bool, float]:
        with anyio.move_on_after(3) as scope:
            await anyio.sleep_forever()
        return scope.cancelled_caught, anyio.current_time()

    assert run(main) == (True, 3.0)


def test_events_and_task_groups_of_both_libraries_work() -> None:
    async def main() -> list[str]:
        order: list[str] = []
        ours, theirs = anyio.Event(), asyncio.Event()

        async def wait(event: anyio.Event | asyncio.Event, name: str) -> None:
            await event.wait()
            order.append(name)

        async with anyio.create_task_group() as group:
            group.start_soon(wait, ours, "anyio")
            group.start_soon(wait, theirs, "asyncio")
            await anyio.sleep(1)
            theirs.set()
            await anyio.sleep(1)
            ours.set()
        return order

    assert run(main) == ["asyncio", "anyio"]


def test_anyio_can_run_on_it_by_its_own_front_door() -> None:
    async def main() -> float:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 5)
        return anyio.current_time()

    assert anyio.run(main, backend="asyncio", backend_options={"loop_factory": VirtualLoop}) == 5.0


def test_what_can_never_end_is_told_with_the_names_of_those_who_wait() -> None:
    async def main() -> None:
        await asyncio.create_task(asyncio.Event().wait(), name="the-one-who-waits")

    with pytest.raises(Deadlock, match="the-one-who-waits"):
        run(main)


def test_a_callback_that_raises_is_not_lost() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_soon(int, "no number")
        await anyio.sleep(1)

    with pytest.raises(Complaint, match="no number"):
        run(main)


def test_a_task_left_behind_does_nothing_more_and_warns_of_nothing() -> None:
    seen: list[str] = []

    async def stubborn() -> None:
        while True:
            try:
                await anyio.sleep(10)
                seen.append("woke")
            except asyncio.CancelledError:
                seen.append("cancelled")
            finally:
                await anyio.sleep(1)
                seen.append("slept in finally")

    async def main() -> None:
        asyncio.get_running_loop().create_task(stubborn())
        await anyio.sleep(5)

    run(main)
    assert seen == []


def test_cancelling_a_group_reaches_its_tasks_in_the_order_in_which_they_began() -> None:
    async def main() -> list[int]:
        ended: list[int] = []

        async def wait(number: int) -> None:
            try:
                await anyio.sleep_forever()
            finally:
                ended.append(number)

        async with anyio.create_task_group() as group:
            for number in range(30):
                group.start_soon(wait, number)
            await anyio.sleep(1)
            group.cancel_scope.cancel()
        return ended

    assert run(main) == run(main)
