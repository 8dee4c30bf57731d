"""The benchmark of guarded bots: few messages, one door, and mistakes that its judge must see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.benchmarks.doors.cell import Cell, texts
from tests.benchmarks.doors.door import DOORS
from tests.benchmarks.doors.rows import _rows
from tests.benchmarks.doors.verdict import Ends, judged

POST = "toggle calm1 light"
TS = "100.000100"
LEASE = 4.0


def test_a_guarded_bolt_bot_loses_and_repeats_nothing_and_claims_each_message_at_rest_with_one_call() -> None:
    cell = Cell(DOORS[0], 1, messages=15, laps=5)
    storm = cell.storm()
    assert (storm.lost, storm.repeated) == ((), ())
    assert (storm.met["killed"] >= 2, storm.met["raised"] >= 2) == (True, True)
    calm = cell.calm()
    assert calm.claims == pytest.approx(1.0, abs=0.4)
    assert calm.writes["chat.postMessage"] == 5


def test_few_messages_and_many_meet_every_misfortune() -> None:
    for messages in (24, 500):
        assert {text.split()[1].rstrip("0123456789") for text in texts(messages)} >= {
            *("calm", "raise", "kill", "hang", "late", "stop", "broken")
        }


def test_a_framework_that_is_not_installed_is_skipped_by_name() -> None:
    assert _rows(replace(DOORS[2], judge="nowhere"), 4, 500) == [
        ("slack-machine, 4 apps", "", "skipped: nowhere is not installed (scripts/judges nowhere)")
    ]


def line(what: str, at: float, token: int = 1, by: int = 1) -> dict[str, Any]:
    return {"what": what, "at": at, "text": POST, "attempt": 1, "token": token, "by": by}


def claim(at: float, name: str, *, ok: bool = True) -> dict[str, Any]:
    args = {"timestamp": TS, "name": name}
    error = "" if ok else "already_reacted"
    return {"at": at * 1e6, "user": "U1", "method": "reactions.add", "args": args, "ok": ok, "error": error, "ts": ""}


def verdict(*lines: dict[str, Any], calls: tuple[dict[str, Any], ...] = (), done: bool = True) -> tuple[int, int, int]:
    ends = Ends(done=frozenset({TS} if done else ()), dead=frozenset())
    found = judged({POST: TS}, lines, ends=ends, answered={TS}, calls=calls, lease=LEASE)
    return len(found.lost), len(found.repeated), found.lapsed


def test_a_message_without_a_mark_or_an_effect_is_lost() -> None:
    once = (line("begun", 1.0), line("done", 1.1))
    assert verdict(*once) == (0, 0, 0)
    assert verdict(*once, done=False) == (1, 0, 0)
    assert verdict() == (1, 0, 0)


def test_an_effect_too_many_is_a_repetition_unless_nobody_extended_the_claim_for_a_lease() -> None:
    first, early = [line("begun", 1.0), line("done", 1.1)], [line("begun", 4.0, 3, 2), line("done", 4.1, 3, 2)]
    assert verdict(*first, *early, calls=(claim(0.9, "clock1"), claim(3.9, "clock3"))) == (0, 1, 0)
    late = [line("begun", 7.0, 3, 2), line("done", 7.1, 3, 2)]
    extended = (claim(0.9, "clock1"), claim(3.5, "clock2"), claim(6.9, "clock3"))
    assert verdict(*first, *late, calls=extended) == (0, 1, 0)
    assert verdict(*first, *late, calls=(extended[0], extended[2])) == (0, 0, 1)
    stopped = [first[0], *late, line("done", 9.0)]
    assert verdict(*stopped, calls=(extended[0], extended[2])) == (0, 0, 1)
    marked = (extended[0], claim(2.0, "white_check_mark"), extended[2])
    assert verdict(*first, *late, calls=marked) == (0, 1, 0)
