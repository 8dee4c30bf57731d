"""What people see on a message that is being worked on, and that nothing is decided by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from slackmq.errors import ConfigurationError
from slackmq.queue import AsyncQueue
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from .conftest import House


def pins(house: House) -> list[Any]:
    return list(house.call(house.bot, "pins.list", channel=house.channel())["items"])


@pytest.mark.parametrize("show", ["pin", "eyes"])
def test_a_long_job_is_decorated_while_somebody_works_on_it(house: House, show: Literal["pin", "eyes"]) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=2, show=show) as queue:
            message = await queue.post("work", {"n": 1, "seconds": 100.0})

            def decorated() -> bool:
                return bool(pins(house)) if show == "pin" else "eyes" in house.marks(message.ts)

            await house.until(decorated)
            await house.ended(queue)
            await house.until(lambda: not decorated())
        assert [n for n, _, _ in runs] == [1]

    run(main)


def test_a_short_job_costs_no_call_for_show(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        async with house.at_work(handlers, show="eyes") as queue:
            await queue.post("work", {"n": 1})
            await house.ended(queue)
        assert house.calls.count("reactions.add") == 2
        assert "reactions.remove" not in house.calls

    run(main)


def test_a_pin_that_a_person_put_there_stays(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        async with house.at_work(handlers, show="pin") as queue:
            message = await queue.post("work", {"n": 1, "seconds": 30.0})
            house.call(house.people[0], "pins.add", channel=house.channel(), timestamp=message.ts)
            await house.ended(queue)
            await house.until(lambda: "conversations.history" in house.calls)
        assert len(pins(house)) == 1

    run(main)


def test_nothing_is_read_back_from_the_decoration(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=2, show="eyes") as queue:
            message = await queue.post("work", {"n": 1, "seconds": 100.0})
            house.call(house.bot, "reactions.add", channel=house.channel(), timestamp=message.ts, name="eyes")
            await house.ended(queue)
        assert len(runs) == 1

    run(main)


def test_pins_that_claim_cannot_decorate_as_well(house: House) -> None:
    with pytest.raises(ConfigurationError, match="pins already"):
        AsyncQueue(house.slack(), "#jobs", claim="pin", show="pin")


def test_with_peers_named_the_jobs_of_other_bots_are_left_alone(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, claim="pin", peers=()) as queue:
            async with AsyncQueue(house.slack(other=True), "#jobs", claim="pin") as stranger:
                await stranger.post("work", {"n": 2})
            await queue.post("work", {"n": 1})
            await house.until(lambda: runs)
            await house.ended(queue)
        assert [n for n, _, _ in runs] == [1]

    run(main)


def test_with_peers_named_people_who_put_both_marks_on_a_pinned_job_do_not_end_it(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        peers = [str(house.call(house.stranger, "auth.test")["user_id"])]
        async with house.at_work(handlers, workers=2, claim="pin", peers=peers) as queue:
            message = await queue.post("work", {"n": 1})
            for name in ("eyes", "white_check_mark"):
                house.call(house.people[0], "reactions.add", channel=house.channel(), timestamp=message.ts, name=name)
            await house.until(lambda: runs)
            (standing,) = await house.ended(queue)
            assert standing.state == "done"
            assert house.thread(message.ts)[-1] == "did 1"

    run(main)
