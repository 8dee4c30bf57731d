from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from slackmq.slack.api import Urgency
from slackmq.slack.pacing import LIMITS, Pacing

if TYPE_CHECKING:
    from collections.abc import Mapping


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time jumps to the next timer instead of passing."""

    def __init__(self) -> None:
        self._virtual = 0.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        return self._virtual

    def jump(self, seconds: float) -> None:
        self._virtual += seconds


class _Jumping(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout:
            self._loop.jump(timeout)
        return super().select(0)


class VirtualClock:
    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, delay: float) -> None:
        await anyio.sleep(delay)

    def random(self) -> float:
        return 0.5

    def new_id(self) -> str:
        return "0" * 32


@pytest.fixture
def anyio_backend() -> tuple[str, Mapping[str, Any]]:
    return "asyncio", {"loop_factory": VirtualLoop}


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def pacing(clock: VirtualClock) -> Pacing:
    return Pacing(clock)


async def admitted(
    pacing: Pacing, clock: VirtualClock, method: str, times: int, channel: str | None = None
) -> list[float]:
    moments: list[float] = []
    for _ in range(times):
        await pacing.admit(method, Urgency.CLAIM, channel)
        moments.append(clock.monotonic())
    return moments


@pytest.mark.parametrize(
    ("method", "limit"), [("reactions.add", 50), ("pins.add", 20), ("auth.test", 600), ("other", 20)]
)
async def test_a_method_is_called_as_often_as_slack_publishes(
    pacing: Pacing, clock: VirtualClock, method: str, limit: int
) -> None:
    moments = await admitted(pacing, clock, method, limit * 5)
    assert moments[-1] >= 60 * 5 * (1 - 0.1 / 5) - 3.1
    assert moments[-1] <= 60 * 5
    for start, end in zip(moments, moments[limit + limit // 10 :], strict=False):
        assert end - start >= 60 - 1e-6


async def test_a_first_call_does_not_wait(pacing: Pacing, clock: VirtualClock) -> None:
    assert await admitted(pacing, clock, "rtm.connect", 2) == [0.0, pytest.approx(60.0)]


async def test_methods_have_budgets_of_their_own(pacing: Pacing, clock: VirtualClock) -> None:
    await admitted(pacing, clock, "reactions.add", 100)
    before = clock.monotonic()
    await pacing.admit("chat.update", Urgency.SCAN)
    assert clock.monotonic() == before


async def test_posts_are_budgeted_by_channel(pacing: Pacing, clock: VirtualClock) -> None:
    await admitted(pacing, clock, "chat.postMessage", 60, "C1")
    before = clock.monotonic()
    await pacing.admit("chat.postMessage", Urgency.CLAIM, "C2")
    assert clock.monotonic() == before


async def drain(pacing: Pacing, method: str) -> None:
    while pacing.left(method) >= 1:
        await pacing.admit(method, Urgency.CLAIM)


async def test_the_most_urgent_is_served_first_and_the_rest_in_the_order_of_asking(
    pacing: Pacing,
) -> None:
    await drain(pacing, "reactions.add")
    served: list[str] = []

    async def ask(name: str, urgency: Urgency) -> None:
        await pacing.admit("reactions.add", urgency)
        served.append(name)

    async with anyio.create_task_group() as tasks:
        for name, urgency in [
            ("scan", Urgency.SCAN),
            ("claim 1", Urgency.CLAIM),
            ("done 1", Urgency.DONE),
            ("beat", Urgency.BEAT),
            ("claim 2", Urgency.CLAIM),
            ("done 2", Urgency.DONE),
        ]:
            tasks.start_soon(ask, name, urgency)
            await anyio.sleep(0.01)
    assert served == ["done 1", "done 2", "beat", "claim 1", "claim 2", "scan"]


async def test_a_caller_who_gives_up_holds_up_nobody_and_takes_nothing(pacing: Pacing, clock: VirtualClock) -> None:
    await drain(pacing, "pins.add")
    served: list[float] = []

    async def ask() -> None:
        await pacing.admit("pins.add", Urgency.CLAIM)
        served.append(clock.monotonic())

    async with anyio.create_task_group() as tasks, anyio.create_task_group() as impatient:
        for _ in range(3):
            impatient.start_soon(pacing.admit, "pins.add", Urgency.DONE)
        tasks.start_soon(ask)
        tasks.start_soon(ask)
        await anyio.sleep(1)
        impatient.cancel_scope.cancel()
    assert served == [pytest.approx(3.0, abs=0.01), pytest.approx(6.0, abs=0.01)]


async def test_a_limited_method_rests_for_everybody_and_is_resumed_gently(pacing: Pacing, clock: VirtualClock) -> None:
    pacing.limited("reactions.add", 30)
    assert pacing.left("reactions.add") == 0
    moments = await admitted(pacing, clock, "reactions.add", 3)
    assert 30 <= moments[0] <= 34
    assert moments[1] - moments[0] > 60 / 50 * 1.5  # half the share


async def test_refusals_of_calls_that_were_under_way_together_halve_the_share_once(
    pacing: Pacing, clock: VirtualClock
) -> None:
    for _ in range(10):
        pacing.limited("reactions.add", 2)
    moments = await admitted(pacing, clock, "reactions.add", 2)
    assert moments[1] - moments[0] < 60 / 50 * 2.1


async def test_the_share_is_taken_back_bit_by_bit(pacing: Pacing, clock: VirtualClock) -> None:
    pacing.limited("reactions.add", 1)
    moments = await admitted(pacing, clock, "reactions.add", 120)
    assert moments[-1] - moments[-2] == pytest.approx(60 / 50, rel=0.01)


async def test_a_refusal_without_a_time_rests_some_seconds(pacing: Pacing, clock: VirtualClock) -> None:
    pacing.limited("chat.postMessage", None, "C1")
    assert 3 <= (await admitted(pacing, clock, "chat.postMessage", 1, "C1"))[0] < 4


async def test_processes_of_one_app_that_do_not_know_of_each_other_share_the_budget(clock: VirtualClock) -> None:
    """The server keeps one bucket; three processes hammer it for ten minutes."""
    tokens, stamp, served, refused = 50.0, 0.0, [0, 0, 0], 0

    def server() -> bool:
        nonlocal tokens, stamp
        now = clock.monotonic()
        tokens, stamp = min(50.0, tokens + (now - stamp) * 50 / 60), now
        if tokens < 1:
            return False
        tokens -= 1
        return True

    async def process(number: int) -> None:
        nonlocal refused
        pacing = Pacing(clock)
        while True:
            await pacing.admit("reactions.add", Urgency.CLAIM)
            if server():
                served[number] += 1
            else:
                refused += 1
                pacing.limited("reactions.add", 2)

    with anyio.move_on_after(600):
        async with anyio.create_task_group() as tasks:
            for number in range(3):
                tasks.start_soon(process, number)
    assert sum(served) >= 0.9 * (50 + 500)
    assert min(served) >= 0.2 * sum(served)
    assert refused <= 0.15 * sum(served)


def test_no_published_limit_is_exceeded_by_the_table() -> None:
    assert {method for method, limit in LIMITS.items() if limit > 100} == {"auth.test"}
