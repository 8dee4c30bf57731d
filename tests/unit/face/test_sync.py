"""The queue's verbs without await, over a real connection."""

from __future__ import annotations

import inspect
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from slackmq.clock import SYSTEM
from slackmq.errors import ConfigurationError, JobFailed, LeaseLost, Reject, TokenRefused
from slackmq.handlers import Handlers
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.message import Outcome
from slackmq.policy import Timing
from slackmq.queue import AsyncQueue
from slackmq.queue import Lease as AsyncLease
from slackmq.slack.connect import Settings
from slackmq.sync import Lease, Queue, Worker
from slackmq.task import BlockingTask, Task
from slackmq.worker import AsyncWorker

from .conftest import interrupt_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Office

FAST = Timing(
    scan=timedelta(seconds=0.1), skew=timedelta(seconds=0.1), lease=timedelta(seconds=30), margin=timedelta(seconds=1)
)


def jobs(office: Office) -> Queue:
    return Queue("#jobs", claim="reaction", settings=office.settings, timing=FAST)


def test_a_posted_job_is_claimed_and_acknowledged_on_leaving(office: Office) -> None:
    with jobs(office) as queue:
        message = queue.post("resize", {"width": 300})
        for lease in queue.claims():
            with lease as claimed:
                assert (claimed.ts, claimed.body) == (message.ts, {"width": 300})
                assert lease.claim.token == 1
            assert lease.receipt is not None
            assert lease.receipt.outcome is Outcome.DONE
            break
        assert [(standing.message.ts, standing.state) for standing in queue.inspect()] == [(message.ts, "done")]


def test_a_delayed_job_is_not_given_to_anybody_before_its_time(office: Office) -> None:
    with jobs(office) as queue:
        message = queue.post("resize", {"width": 300}, delay=timedelta(hours=1))
        assert queue.claim(message) is None
        assert [standing.state for standing in queue.inspect()] == ["delayed"]


def test_an_exception_inside_a_lease_fails_the_message_and_comes_through(office: Office) -> None:
    with jobs(office) as queue:
        queue.post("resize", {})
        lease = next(queue.claims())
        with pytest.raises(ZeroDivisionError), lease:
            _ = 1 / 0
        assert lease.receipt is not None
        assert lease.receipt.outcome is Outcome.DEAD


def test_an_interruption_inside_a_lease_releases_the_message_and_leaves_the_queue_usable(office: Office) -> None:
    with jobs(office) as queue:
        queue.post("resize", {})
        lease = next(queue.claims())
        with pytest.raises(KeyboardInterrupt), lease:
            raise KeyboardInterrupt
        assert lease.receipt is not None
        assert lease.receipt.outcome is Outcome.RELEASED
        assert [standing.state for standing in queue.inspect()] == ["waiting"]


def test_each_verb_can_be_called_by_itself(office: Office) -> None:
    with jobs(office) as queue:
        message = queue.post("resize", {}, key="cat/300", lease=timedelta(seconds=20))
        claim = queue.claim(message)
        assert claim is not None
        assert queue.claim(message) is None
        extended = queue.extend(claim)
        assert extended.token == 2
        assert queue.ack(extended, "done").effective


def test_stopping_ends_the_claims_of_other_threads(office: Office) -> None:
    with jobs(office) as queue:
        claimed: list[object] = []
        thread = threading.Thread(target=lambda: claimed.extend(queue.claims()))
        thread.start()
        queue.stop()
        thread.join(60)
        assert not thread.is_alive()
        assert claimed == []


@pytest.mark.usefixtures("heard")
def test_ctrl_c_while_waiting_for_a_claim_comes_through_and_leaves_the_queue_usable(office: Office) -> None:
    with jobs(office) as queue:
        interrupt_once(office.read.is_set)
        with pytest.raises(KeyboardInterrupt):
            next(queue.claims())
        assert queue.inspect() == ()


def test_claims_that_outlive_their_queue_end_and_say_that_it_is_closed(office: Office) -> None:
    with jobs(office) as queue:
        queue.post("resize", {})
        queue.post("resize", {})
        ended, asked = queue.claims(), queue.claims()
        for claims in (ended, asked):
            next(claims).release()
    ended.close()  # type: ignore[attr-defined]  # a generator
    with pytest.raises(ConfigurationError, match="closed meanwhile"):
        next(asked)


def test_a_closed_queue_says_how_to_open_it() -> None:
    queue = Queue("#jobs", settings=Settings(token="xoxb-1"))
    with pytest.raises(ConfigurationError, match="with queue"):
        queue.post("resize", {})


def test_a_queue_that_cannot_connect_raises_when_entered_and_can_be_entered_again(office: Office) -> None:
    queue = Queue("#jobs", settings=Settings(token="xoxb-wrong", url=office.url))
    for _ in range(2):
        with pytest.raises(TokenRefused), queue:
            raise AssertionError


def test_without_settings_the_environment_is_asked_when_entering() -> None:
    with pytest.raises(ConfigurationError, match="SLACK_BOT_TOKEN"), Queue("#jobs"):
        raise AssertionError


def test_the_verbs_carry_the_docstrings_of_the_async_ones() -> None:
    assert Queue.post.__doc__ == AsyncQueue.post.__doc__
    assert Queue.post.__doc__


def names(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def asked(kind: type) -> set[str]:
    """What one says to make one."""
    return set(inspect.signature(kind).parameters)


def test_whatever_can_be_done_with_await_can_be_done_without() -> None:
    assert names(AsyncQueue) - names(Queue) == {"sweep", "turnstile", "progress", "tally"}, "parts for other rooms"
    assert asked(AsyncQueue) - asked(Queue) == {"slack", "events", "clock", "setting"}, "found out when it is opened"
    assert names(AsyncLease) <= names(Lease)
    assert names(AsyncWorker) <= names(Worker)
    assert asked(AsyncWorker) - asked(Worker) == {"clock"}, "an open queue has one"
    assert names(Task) - names(BlockingTask) == {"blocking", "to", "required", "takes"}, "nobody waits for these"


def test_a_task_is_posted_without_await_on_all_its_terms_and_its_answer_waited_for(office: Office) -> None:
    handlers = Handlers()

    @handlers.task
    def second(word: str) -> str:
        return word.upper()

    @handlers.task
    def first(word: str) -> str:
        return second.blocking.keyed("once").post(word).key

    with Queue("#jobs", settings=office.settings, timing=FAST, select=handlers.select) as queue:
        worker = Worker(queue, handlers)
        later = queue.task(second).keyed("cat").ranked(3).post_later(timedelta(hours=1), "hi")
        assert (later.key, later.priority, later.delay, later.body) == ("cat", 3, timedelta(hours=1), {"word": "hi"})
        assert queue.task(second).expiring(timedelta(hours=1)).post("ho").expires is not None
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            assert queue.task(second).within(timedelta(seconds=20)).ask("hey") == "HEY"
            assert queue.task(first).within(timedelta(seconds=20)).ask("hm") == "once"
        finally:
            worker.drain()
            thread.join(20)
    with pytest.raises(ConfigurationError, match=r"queue\.task"):
        second.blocking.post("nobody is there")


def test_a_worker_runs_plain_and_async_handlers_which_may_post_until_it_is_drained(office: Office) -> None:
    handlers = Handlers()
    done: list[str] = []

    @handlers.task
    async def first(word: str) -> None:
        await second.post(word)

    @handlers.task
    def second(word: str) -> str:
        done.append(word)
        threading.Thread(target=worker.drain).start()
        return word

    with Queue("#jobs", settings=office.settings, timing=FAST, select=handlers.select) as queue:
        worker = Worker(queue, handlers, concurrency=2)
        queue.post("first", {"word": "hi"})
        worker.run()
        assert done == ["hi"]
        assert [standing.state for standing in queue.inspect()] == ["done", "done"]


def test_a_dead_job_has_a_letter_and_is_posted_again_without_await(office: Office) -> None:
    handlers = Handlers()

    @handlers.task
    def feed(job: Job) -> str:
        job.progress(0.5, "opening the tin")
        if not job.message.origin:
            raise Reject("no food")
        return f"fed {job.key}"

    assert feed is not None
    settings, select = office.settings, handlers.select
    with Queue("#jobs", settings=settings, timing=FAST, select=select, dead_letters="#general") as queue:
        worker = Worker(queue, handlers, rate="100/s")
        thread = threading.Thread(target=worker.run)
        thread.start()
        dead = queue.post("feed", key="tom")
        with pytest.raises(JobFailed, match="no food"):
            queue.answer(dead, within=timedelta(seconds=60))
        (letter,) = queue.dead_letters()
        assert (letter.reason, letter.attempts, letter.job.ts) == ("no food", 1, dead.ts)
        again = queue.redrive(dead)
        assert queue.answer(again, within=timedelta(seconds=60)).result == '"fed tom"'
        assert queue.redrive(letter) == again
        worker.drain()
        thread.join(60)
        assert not thread.is_alive()


def test_a_claim_that_is_lost_says_so_inside_and_raises_on_leaving(office: Office) -> None:
    with jobs(office) as queue:
        claim = queue.claim(queue.post("resize", {}, lease=timedelta(seconds=3)))
        assert claim is not None
        lease = queue.hold(claim)
        with pytest.raises(LeaseLost, match="cannot be extended"), lease:
            lapse(office, lease)
        assert lease.receipt is None


def lapse(office: Office, lease: Lease) -> None:
    """Take the token away, so that the claim cannot be extended, and wait until the lease has noticed."""
    office.ask("emulator.apps.revoke", app=office.ask("emulator.apps.list")["apps"][0]["id"])
    assert until(lambda: lease.lost is not None)


def until(holds: Callable[[], bool]) -> bool:
    """Whether it holds within a minute."""
    never, deadline = threading.Event(), SYSTEM.monotonic() + 60
    while not holds() and SYSTEM.monotonic() < deadline:
        never.wait(0.01)
    return holds()


def test_of_several_threads_that_ask_for_one_message_or_one_key_one_runs(office: Office) -> None:
    def ask(queue: Queue, ran: list[str], **what: str) -> None:
        with queue.claim_once(what.get("ts"), key=what.get("key")) as claim:
            if claim:
                claim.ack("made")
                ran.append(claim.claim.message.ts)

    with jobs(office) as one, jobs(office) as two:
        ts = office.say("jobs", "back up, please")
        for what in ({"ts": ts}, {"key": "backup/2026-11-27"}):
            ran: list[str] = []
            threads = [threading.Thread(target=ask, args=(queue, ran), kwargs=what) for queue in (one, two, one, two)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            assert len(ran) == 1
        assert office.replies("jobs", ts) == ["made"]


@pytest.mark.usefixtures("heard")
def test_ctrl_c_inside_claim_once_gives_it_back(office: Office) -> None:
    with jobs(office) as queue:
        ts = office.say("jobs", "back up, please")
        with pytest.raises(KeyboardInterrupt), queue.claim_once(ts) as claim:
            raise KeyboardInterrupt
        assert claim
        assert claim.receipt is not None
        assert claim.receipt.outcome is Outcome.RELEASED
        with queue.claim_once(ts) as again:
            assert again
            assert again.claim.attempt == 1
