"""Bodies and results that are too long for a message go by file: whole or not at all, and none is left for ever."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from slackmq.claiming.way import WAYS
from slackmq.envelope import BODY_LIMIT
from slackmq.errors import Ambiguous, EnvelopeTooLarge, Refused
from slackmq.handlers import Handlers
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.options import Backoff
from slackmq.points import armed
from slackmq.queue import AsyncQueue
from slackmq.queue.collector import Collector
from slackmq.queue.parcels import PARCEL_LIMIT, Parcels, parcel_name
from slackmq.queue.sightings import Sightings
from slackmq.simulation.clock import SimClock
from slackmq.simulation.loop import run
from slackmq.simulation.process import Process
from slackmq.worker import AsyncWorker

from .conftest import TIMING, Killer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slackmq.claiming.way import Way
    from slackmq.points import Place

    from .conftest import House

TEXT = "a line of a log\n" * 2_000
HOUR = 3_600.0
DAY = 24 * HOUR


class Press:
    """Handlers for long texts, and what they were given."""

    def __init__(self, *, attempts: int = 1) -> None:
        self.handlers = Handlers()
        self.got: list[tuple[str, int, str]] = []
        self.fails = 0

        @self.handlers.task(attempts=attempts, backoff=Backoff(first=timedelta(seconds=2)))
        async def print_out(job: Job, text: str) -> str:
            self.got.append((text, job.attempt, job.key))
            if len(self.got) <= self.fails:
                raise ValueError("out of paper")
            return "printed"

        self.task = print_out


def shown(house: House, ts: str) -> dict[str, Any]:
    """A message of the channel."""
    found = house.call(
        house.bot, "conversations.history", channel=house.channel(), oldest=ts, inclusive=True, limit=1, latest=ts
    )
    row: dict[str, Any] = found["messages"][0]
    return row


def once(what: str, fault: str) -> Callable[[str, Mapping[str, object]], str | None]:
    """A fault that one call of a method suffers."""
    left = [fault]
    return lambda method, _: left.pop() if method == what and left else None


@pytest.mark.parametrize("way", WAYS)
def test_a_long_body_reaches_its_handler_by_a_file_that_is_gone_when_the_job_is_done(house: House, way: Way) -> None:
    press = Press(attempts=2)  # without a socket the first native attempt is only waited for

    async def main() -> None:
        async with house.at_work(press.handlers, claim=way) as queue:
            posted = await queue.post("print_out", {"text": TEXT})
            assert posted.body == {}
            assert await queue.body(posted) == {"text": TEXT}
            await house.ended(queue)
            await house.until(lambda: not house.filed())
        text = shown(house, posted.ts)["text"]
        assert text.startswith('print_out(text="a line of a log')
        assert f"{len(TEXT) + len(TEXT) // 16 + 11:,} bytes in a file" in text
        assert len(text) < 400

    run(main)
    assert [text for text, _, _ in press.got] == [TEXT]


def test_the_file_comes_before_the_post_and_is_read_after_the_claim(house: House) -> None:
    press = Press()

    async def main() -> None:
        async with house.at_work(press.handlers) as queue:
            await queue.post("print_out", {"text": TEXT})
            await house.ended(queue)

    run(main)
    calls = [call for call in house.calls if call in {"put", "chat.postMessage", "reactions.add", "get"}]
    assert calls[:4] == ["put", "chat.postMessage", "reactions.add", "get"]


def test_a_body_that_fits_goes_without_a_file_and_one_beyond_the_limit_goes_nowhere(house: House) -> None:
    async def main() -> None:
        async with house.visiting() as queue:
            fits = await queue.post("print_out", {"text": "x" * (BODY_LIMIT - 11)})
            assert (fits.file, len(fits.body)) == ("", 1)
            before = len(house.calls)
            with pytest.raises(EnvelopeTooLarge, match=r"16,777,217 bytes of JSON, and a file has 16,777,216"):
                await queue.post("print_out", {"text": "x" * (PARCEL_LIMIT - 10)})
            assert house.calls[before:] == []

    run(main)
    assert house.filed() == []


@pytest.mark.parametrize("gone", [True, False])
def test_a_job_whose_file_is_gone_or_was_changed_is_dead_and_says_why(house: House, *, gone: bool) -> None:
    press = Press()

    async def main() -> list[str]:
        async with house.visiting() as visitor:
            posted = await visitor.post("print_out", {"text": TEXT})
            ident = posted.file.partition("/")[0]
            if gone:
                house.call(house.bot, "files.delete", file=ident)
            else:
                house.files[ident] = b'{"text": "another"}'
            async with house.at_work(press.handlers) as queue:
                assert [row.state for row in await house.ended(queue)] == ["dead"]
            return house.thread(posted.ts)

    (line,) = run(main)
    assert ("is gone" if gone else "is not what was put there") in line
    assert press.got == []


def test_while_slack_does_not_give_the_file_no_attempt_is_counted_and_then_the_job_is_done(house: House) -> None:
    press, refusals = Press(), list[str]()

    def away(method: str, _: Mapping[str, object]) -> str | None:
        if method != "get" or len(refusals) == 3:
            return None
        refusals.append(method)
        return "lost"

    async def main() -> list[str]:
        house.faults.append(away)
        async with house.at_work(press.handlers, workers=2) as queue:
            await queue.post("print_out", {"text": TEXT})
            return [row.state for row in await house.ended(queue)]

    assert run(main) == ["done"]
    assert len(refusals) == 3
    assert [attempt for _, attempt, _ in press.got] == [1]


def test_a_post_that_slack_refuses_leaves_no_file(house: House) -> None:
    house.refused["chat.postMessage"] = "restricted_action"

    async def main() -> None:
        async with house.visiting() as queue:
            with pytest.raises(Refused, match="restricted_action"):
                await queue.post("print_out", {"text": TEXT})

    run(main)
    assert "put" in house.calls
    assert house.filed() == []


def test_a_post_that_nobody_answered_keeps_its_file_because_it_may_stand_there(house: House) -> None:
    async def main() -> None:
        house.faults.append(lambda method, _: "lost" if method == "chat.postMessage" else None)
        async with house.visiting() as queue:
            with pytest.raises(Ambiguous):
                await queue.post("print_out", {"text": TEXT})

    run(main)
    assert len(house.filed()) == 1


@pytest.mark.parametrize(
    "fault", [once("put", "lost"), once("files.completeUploadExternal", "lost"), once("chat.postMessage", "answer")]
)
def test_a_job_is_done_once_although_an_answer_was_lost_on_its_way(
    house: House, fault: Callable[[str, Mapping[str, object]], str | None]
) -> None:
    press = Press()

    async def main() -> None:
        house.faults.append(fault)
        async with house.at_work(press.handlers) as queue:
            await queue.post("print_out", {"text": TEXT})
            await house.ended(queue)
            await house.until(lambda: not house.filed())

    run(main)
    assert [text for text, _, _ in press.got] == [TEXT]


def test_an_upload_that_was_answered_late_leaves_a_file_that_is_swept_in_its_time(house: House) -> None:
    press = Press()

    async def main() -> None:
        house.faults.append(once("files.completeUploadExternal", "answer"))  # it takes effect, and nobody is told
        async with house.at_work(press.handlers) as queue:
            await queue.post("print_out", {"text": TEXT})
            await house.ended(queue)
        assert len(house.filed()) == 1
        await collected(house, after=timedelta(days=7, hours=23).total_seconds())
        assert len(house.filed()) == 1
        await collected(house, after=2 * HOUR)
        assert house.filed() == []

    run(main)
    assert len(press.got) == 1


def test_a_file_that_slack_does_not_let_go_keeps_no_other(house: House) -> None:
    def fault(method: str, args: Mapping[str, object]) -> str | None:
        return "refused" if method == "files.delete" and args["file"] == stays[0] else None

    stays: list[str] = []

    async def main() -> None:
        parcels = Parcels(house.slack(), clock=SimClock(Random(0)))  # noqa: S311  # as DICE
        names = [parcel_name("body", house.now() + more) for more in (1, 2, 3)]
        put = [await parcels.put(house.channel(), name, b"{}", comment="arguments") for name in names]
        stays.append(put[1].partition("/")[0])
        house.faults.append(fault)
        await collected(house, after=HOUR)
        assert (house.filed(), house.denied) == ([names[1]], ["files.delete"])

    run(main)


def test_that_arguments_follow_in_a_file_is_no_talk_where_bots_are_heard(house: House) -> None:
    handlers, heard, clock = Handlers(), list[str](), SimClock(Random(0))  # noqa: S311  # as DICE

    @handlers.listen(r"(?P<words>.*)")
    async def hear(words: str) -> None:
        heard.append(words)

    async def main() -> None:
        assert hear is not None
        async with (
            AsyncQueue(house.slack(clock=clock), "#jobs", select=handlers.select, bots=True, clock=clock) as queue,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(AsyncWorker(queue, handlers, clock=clock).run)
            await queue.post("print_out", {"text": TEXT})
            house.types("hello")
            await house.until(lambda: heard)
            await anyio.sleep(60)
            tasks.cancel_scope.cancel()
        assert heard == ["hello"]

    run(main)


async def collected(house: House, *, after: float) -> None:
    """Time goes by, and then a worker that knows nothing of the channel sweeps it."""
    await anyio.sleep(after)
    slack, clock = house.slack(), SimClock(Random(0))  # noqa: S311  # as DICE
    me = (await slack.identity()).user
    parcels = Parcels(slack, clock=clock)
    await Collector(
        slack, house.channel(), me=me, sightings=Sightings(), parcels=parcels, clock=clock, worker="w"
    ).collect()


def test_a_dead_job_keeps_its_file_until_it_was_redriven_and_done(house: House) -> None:
    press = Press()
    press.fails = 2

    async def main() -> None:
        async with house.at_work(press.handlers) as queue:
            first = await queue.post("print_out", {"text": TEXT})
            await house.ended(queue)
            second = await queue.redrive(first)
            assert second.file == first.file
            await house.ended(queue)
            assert len(house.filed()) == 1
            await queue.redrive(second)
            await house.ended(queue)
            await house.until(lambda: not house.filed())

    run(main)
    assert [text for text, _, _ in press.got] == [TEXT] * 3
    assert len({key for _, _, key in press.got}) == 1


def test_a_cancelled_job_can_be_redriven_with_its_file(house: House) -> None:
    press = Press()

    async def main() -> None:
        async with house.visiting() as visitor:
            posted = await visitor.post("print_out", {"text": TEXT})
            assert await visitor.cancel(posted)
            again = await visitor.redrive(posted)
            assert "print_out(…) — again: " in again.text
            assert again.text.endswith("in a file")
        async with house.at_work(press.handlers) as queue:
            await house.ended(queue)

    run(main)
    assert [text for text, _, _ in press.got] == [TEXT]


def test_another_apps_worker_reads_a_file_and_its_owner_deletes_it(house: House) -> None:
    press = Press()

    async def main() -> None:
        async with house.at_work(press.handlers, claim="pin", workers=2) as queue:
            async with house.visiting(claim="pin") as ours:
                for _ in range(6):
                    await ours.post("print_out", {"text": TEXT})
            await house.ended(queue)
            await anyio.sleep(HOUR)

    run(main)
    assert len(press.got) == 6
    assert house.calls.count("files.delete") > 6  # the other app tried, and was refused
    assert house.filed() == []


@pytest.mark.parametrize("place", ["before_post", "producer_before_ack"])
def test_what_a_producer_left_that_was_killed_between_upload_and_post_is_swept(house: House, place: Place) -> None:
    press, struck = Press(), list["Place"]()

    async def main() -> None:
        process = Process("producer")

        async def post() -> None:
            with armed(Killer(process, place, struck=struck)):
                async with house.visiting() as queue:
                    await queue.post("print_out", {"text": TEXT})

        process.start(post)
        await process.ended.wait()
        assert len(house.filed()) == 1
        if place == "before_post":
            await collected(house, after=8 * DAY + HOUR)
        else:
            async with house.at_work(press.handlers) as queue:
                await house.ended(queue)

    run(main)
    assert struck == [place]
    assert len(press.got) == (place != "before_post")
    assert house.filed() == []


@pytest.mark.parametrize("place", ["after_start", "before_done", "after_done_ok"])
def test_wherever_a_worker_is_killed_the_job_is_done_and_its_file_is_deleted(house: House, place: Place) -> None:
    struck, got = list["Place"](), list[str]()

    def program(process: Process) -> Any:
        handlers = Handlers()

        @handlers.task
        async def print_out(text: str) -> str:
            got.append(text)
            return "printed"

        async def work() -> None:
            assert print_out is not None
            clock = SimClock(Random(process.name))  # noqa: S311  # as DICE
            slack = house.slack(clock=clock)
            with armed(Killer(process, place, struck=struck)):
                async with AsyncQueue(
                    slack, "#jobs", select=handlers.select, clock=clock, timing=TIMING, worker=process.name
                ) as queue:
                    await AsyncWorker(queue, handlers, clock=clock).run()

        return work

    async def main() -> None:
        processes = [Process(name) for name in ("w0", "w1")]
        for process in processes:
            process.start(program(process))
        async with house.visiting() as queue:
            await queue.post("print_out", {"text": TEXT})
            await house.ended(queue)
        with anyio.fail_after(2 * HOUR):
            while house.filed():  # noqa: ASYNC110  # no event tells of it
                await anyio.sleep(60)
        for process in processes:
            process.kill()

    run(main)
    assert struck == [place]
    assert set(got) == {TEXT}
