"""The tally finds what went wrong, whatever the workers believe."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from slackmq.claiming.marks import CLOCKS, Marks
from slackmq.cli.record import read_record
from slackmq.cli.tally import Kill, Tally, tally
from slackmq.cli.target import Effect

CHANNEL, BOT, PERSON = "C1", "UBOT", "UYOU"
LEASE = timedelta(seconds=8)
ANN, BEN = 101, 102


class Run:
    """A record and a target, written by hand; times are in seconds."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.effects: list[Effect] = []
        self.kills: list[Kill] = []

    def call(self, at: float, user: str, method: str, *, ok: bool = True, ts: str = "", **args: object) -> None:
        entry = {"seq": len(self.calls) + 1, "at": round(at * 1e6), "app": None, "user": user, "method": method}
        self.calls.append({**entry, "args": {"channel": CHANNEL, **args}, "ok": ok, "error": "", "ts": ts})

    def typed(self, at: float, ts: str = "1.0") -> str:
        self.call(at, PERSON, "chat.postMessage", ts=ts, text="toggle dining light")
        return f"{CHANNEL}/{ts}"

    def posted(self, at: float, ts: str, key: str) -> str:
        metadata = {"event_type": "slackmq_job", "event_payload": {"key": key}}
        self.call(at, BOT, "chat.postMessage", ts=ts, text="water()", metadata=metadata)
        return key

    def taken(self, at: float, generation: int, ts: str = "1.0", *, ok: bool = True) -> None:
        self.call(at, BOT, "reactions.add", ok=ok, timestamp=ts, name=CLOCKS[generation - 1])

    def done(self, at: float, ts: str = "1.0", user: str = BOT) -> None:
        self.call(at, user, "reactions.add", timestamp=ts, name=Marks().done)

    def released(self, at: float, token: int, ts: str = "1.0") -> None:
        payload = {"note": "release", "op": "x", "token": token, "retry_at": "1.000"}
        metadata = {"event_type": "slackmq_note", "event_payload": payload}
        self.call(at, BOT, "chat.postMessage", ts="9.0", thread_ts=ts, text="back", metadata=metadata)

    def work(self, key: str, *, token: int, worker: int, begin: float, end: float | None, attempt: int = 1) -> None:
        for step, at in (("begin", begin), ("end", end)):
            if at is not None:
                effect = Effect(
                    step="begin" if step == "begin" else "end",
                    key=key,
                    token=token,
                    attempt=attempt,
                    worker=worker,
                    at=round(at * 1e6),
                )
                self.effects.append(effect)

    def judged(self) -> Tally:
        ledger = read_record(self.calls, channel=CHANNEL, bot=BOT, marks=Marks())
        return tally(ledger, self.effects, lease=LEASE, kills=self.kills)


def taken_over(*, at: float) -> Run:
    """Ann is killed while she holds it, and Ben takes it over."""
    run = Run()
    key = run.typed(0)
    run.taken(1, 1)
    run.work(key, token=1, worker=ANN, begin=1.5, end=None)
    run.kills.append(Kill(worker=ANN, at=2_000_000))
    run.taken(at, 2)
    run.work(key, token=2, worker=BEN, begin=at + 0.5, end=at + 1, attempt=2)
    run.done(at + 2)
    return run


def test_a_job_that_is_done_once_is_handled() -> None:
    run = Run()
    run.work(run.typed(0), token=1, worker=ANN, begin=2, end=3)
    run.taken(1, 1)
    run.done(4)
    found = run.judged()
    assert found == Tally(sent=1, handled=1, lost=(), repeats=(), faults=())
    assert found.holds


def test_of_nothing_nothing_can_be_said() -> None:
    assert not Run().judged().holds


def test_a_job_without_a_done_mark_is_lost() -> None:
    run = Run()
    run.work(run.typed(0), token=1, worker=ANN, begin=2, end=3)
    run.taken(1, 1)
    found = run.judged()
    assert (found.sent, found.handled, len(found.lost)) == (1, 0, 1)
    assert not found.holds


def test_a_done_mark_without_an_effect_is_a_lost_job() -> None:
    run = Run()
    run.work(run.typed(0), token=1, worker=ANN, begin=2, end=None)
    run.taken(1, 1)
    run.done(4)
    assert "never saw its effect" in run.judged().lost[0]


def test_a_done_mark_of_somebody_else_counts_for_nothing() -> None:
    run = Run()
    run.work(run.typed(0), token=1, worker=ANN, begin=2, end=3)
    run.taken(1, 1)
    run.done(4, user=PERSON)
    assert "never marked done" in run.judged().lost[0]


def test_a_dead_job_is_lost() -> None:
    run = Run()
    run.typed(0)
    run.call(1, BOT, "reactions.add", timestamp="1.0", name=Marks().dead)
    assert "given up" in run.judged().lost[0]


def test_a_takeover_after_the_lease_is_explained_and_timed() -> None:
    found = taken_over(at=9.5).judged()
    assert found.holds
    assert found.takeover == 8.0
    assert [repeat.explained for repeat in found.repeats] == [True]
    assert "lapsed" in found.repeats[0].reason


def test_a_takeover_before_the_lease_has_lapsed_is_a_fault() -> None:
    found = taken_over(at=8.9).judged()
    assert not found.holds
    assert "before its 8 s had lapsed" in found.faults[0]


def test_an_extension_starts_the_lease_anew() -> None:
    run = Run()
    key = run.typed(0)
    run.taken(1, 1)
    run.work(key, token=1, worker=ANN, begin=1, end=None)
    run.taken(5, 2)  # Ann's extension
    run.taken(10, 3)  # nine seconds after her first token, five after her last
    run.work(key, token=3, worker=BEN, begin=11, end=12, attempt=2)
    run.done(13)
    assert not run.judged().holds


def test_a_job_that_was_given_back_may_begin_again_at_once() -> None:
    run = Run()
    key = run.typed(0)
    run.taken(1, 1)
    run.work(key, token=1, worker=ANN, begin=1, end=None)
    run.released(2, 1)
    run.taken(3, 2)
    run.work(key, token=2, worker=BEN, begin=3, end=4)
    run.done(5)
    found = run.judged()
    assert found.holds
    assert "given back" in found.repeats[0].reason


def test_a_job_given_back_only_after_it_was_taken_is_a_fault() -> None:
    run = Run()
    key = run.typed(0)
    run.taken(1, 1)
    run.work(key, token=1, worker=ANN, begin=1, end=None)
    run.taken(3, 2)
    run.released(4, 1)
    run.work(key, token=2, worker=BEN, begin=3, end=4)
    run.done(5)
    assert not run.judged().holds


def test_two_executions_under_one_token_are_a_fault() -> None:
    run = Run()
    key = run.typed(0)
    run.taken(1, 1)
    run.work(key, token=1, worker=ANN, begin=2, end=3)
    run.work(key, token=1, worker=BEN, begin=20, end=21)
    run.done(22)
    assert "began twice" in run.judged().faults[0]


def test_work_under_a_token_that_nobody_was_given_is_a_fault() -> None:
    run = Run()
    run.work(run.typed(0), token=1, worker=ANN, begin=2, end=3)
    run.taken(1, 1, ok=False)
    run.done(4)
    assert not run.judged().holds


def test_work_before_the_token_was_taken_is_a_fault() -> None:
    run = Run()
    run.work(run.typed(0), token=1, worker=ANN, begin=2, end=3)
    run.taken(2.5, 1)
    run.done(4)
    assert "before it was taken" in run.judged().faults[0]


def test_an_effect_of_what_nobody_sent_is_a_fault() -> None:
    run = Run()
    run.work(run.typed(0), token=1, worker=ANN, begin=2, end=3)
    run.taken(1, 1)
    run.done(4)
    run.work("C1/7.0", token=1, worker=ANN, begin=5, end=6)
    assert "which nobody sent" in run.judged().faults[0]


def test_a_second_message_with_one_key_is_a_copy_and_no_job() -> None:
    run = Run()
    key = run.posted(0, "1.0", "fern")
    run.posted(1, "2.0", "fern")
    run.taken(2, 1)
    run.work(key, token=1, worker=ANN, begin=2, end=3)
    run.done(4)
    assert run.judged() == Tally(sent=1, handled=1, lost=(), repeats=(), faults=())
