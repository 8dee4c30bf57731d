from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.simulation.loop import run
from slackmq.simulation.process import Process

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


def test_a_paused_process_sleeps_on_and_its_timers_fire_late() -> None:
    async def main() -> list[float]:
        woke: list[float] = []

        async def tick() -> None:
            for _ in range(4):
                await anyio.sleep(1)
                woke.append(anyio.current_time())

        process = Process("p")
        process.start(tick)
        await anyio.sleep(1.5)
        process.pause(10)
        await anyio.sleep(30)
        return woke

    assert run(main) == [1.0, 11.5, 12.5, 13.5]


def test_two_pauses_end_with_the_later_one() -> None:
    async def main() -> float:
        async def nap() -> None:
            await anyio.sleep(1)

        process = Process("p")
        process.start(nap)
        process.pause(20)
        process.pause(5)
        await process.ended.wait()
        return anyio.current_time()

    assert run(main) == 21.0  # the nap began when the first pause was over


def test_children_of_a_paused_process_are_paused_with_it() -> None:
    async def main() -> list[float]:
        woke: list[float] = []

        async def child() -> None:
            with anyio.move_on_after(2):
                await anyio.sleep_forever()
            woke.append(anyio.current_time())

        async def parent() -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(child)
                group.start_soon(child)

        process = Process("p")
        process.start(parent)
        await anyio.sleep(1)
        process.pause(50)
        await process.ended.wait()
        return woke

    assert run(main) == [51.0, 51.0]


def test_nothing_of_a_killed_process_ever_runs_again() -> None:
    seen: list[str] = []

    async def work() -> None:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(anyio.sleep, 3)
                await anyio.sleep_forever()
        except BaseException:
            seen.append("except")
            raise
        finally:
            seen.append("finally")
            with anyio.CancelScope(shield=True):
                await anyio.sleep(1)
                seen.append("gave back")

    async def main() -> list[str]:
        process = Process("p")
        process.start(work)
        await anyio.sleep(1)
        process.kill()
        assert not process.alive
        gc.collect()
        await anyio.sleep(100)
        return list(seen)

    assert run(main) == []
    gc.collect()
    assert "gave back" not in seen


def test_a_generator_of_a_killed_process_is_not_closed_by_the_collector() -> None:
    async def main() -> list[str]:
        seen: list[str] = []

        async def numbers() -> AsyncGenerator[int]:
            try:
                for number in range(100):
                    await anyio.sleep(1)
                    yield number
            finally:
                seen.append("closed")

        async def work() -> None:
            async for number in numbers():
                if number == 3:
                    await anyio.sleep_forever()

        process = Process("p")
        process.start(work)
        await anyio.sleep(20)
        process.kill()
        del process
        gc.collect()
        await anyio.sleep(20)
        return seen

    assert run(main) == []


def test_a_paused_process_can_be_killed() -> None:
    async def main() -> list[int]:
        seen: list[int] = []

        async def work() -> None:
            await anyio.sleep(1)
            seen.append(1)

        process = Process("p")
        process.start(work)
        await anyio.sleep(0.5)
        process.pause(10)
        await anyio.sleep(5)
        process.kill()
        await anyio.sleep(50)
        return seen

    assert run(main) == []


def test_two_processes_take_turns_in_the_same_order_every_time() -> None:
    async def main() -> list[tuple[str, float]]:
        seen: list[tuple[str, float]] = []

        async def tick(name: str, step: float) -> None:
            for _ in range(20):
                await anyio.sleep(step)
                seen.append((name, anyio.current_time()))

        processes = [Process("a"), Process("b")]
        for process, step in zip(processes, (0.5, 0.25), strict=True):
            process.start(lambda process=process, step=step: tick(process.name, step))  # type: ignore[misc]
        await anyio.sleep(3.1)
        processes[0].pause(1)
        for process in processes:
            await process.ended.wait()
        return seen

    first = run(main)
    assert first == run(main)
    assert {name for name, _ in first} == {"a", "b"}


def test_a_process_that_crashes_says_why() -> None:
    async def main() -> Process:
        async def crash() -> None:
            await anyio.sleep(1)
            raise ValueError("broken")

        process = Process("p")
        process.start(crash)
        await process.ended.wait()
        return process

    process = run(main)
    assert isinstance(process.error, ValueError)
    assert not process.alive


def test_the_simulation_itself_cannot_be_killed_by_a_process_it_started() -> None:
    async def main() -> float:
        process = Process("p")
        process.start(anyio.sleep_forever)
        await anyio.sleep(1)
        process.kill()
        await process.ended.wait()
        return anyio.current_time()

    assert run(main) == pytest.approx(1.0)


def test_nothing_of_a_run_stays_in_memory() -> None:
    class Witness:
        pass

    async def main() -> weakref.ref[Witness]:
        async def work() -> None:
            witness = Witness()
            seen.append(weakref.ref(witness))
            async with anyio.create_task_group() as group:
                group.start_soon(anyio.sleep_forever)
                await anyio.sleep_forever()

        seen: list[weakref.ref[Witness]] = []
        process = Process("p")
        process.start(work)
        await anyio.sleep(1)
        process.kill()
        return seen[0]

    witness = run(main)
    gc.collect()
    assert witness() is None
