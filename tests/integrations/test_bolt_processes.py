"""The page's bot as three real processes, one of which is killed while its listener is at work."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from .bots import FAST, SLOW, Bots
from .test_bolt_payloads import done, marks, records
from .test_how_to import blocks_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from slackmq.testing import TestApp

    from .conftest import Troupe

LISTENER = """
@app.message("slow")
def slow(message, say, context):
    at_work(message["text"], context["slackmq"]["attempt"])
    say(text="at last", thread_ts=message["ts"])

"""
DEPLOY = """
@app.command("/deploy")
def deploy(ack, body, command, respond, context):
    ack()
    mine = context["slackmq"]
    at_work(f"{mine['key']} {mine['token']} {body['trigger_id']} {command['text']}", mine["attempt"])
    respond(text="deployed", response_type="in_channel")

"""


def bot(listener: str, options: str) -> str:
    """The page's bot with a listener more."""
    code = blocks_of("bolt.md")[0]
    return code.replace('exactly_one(app, "#jobs")', f'{SLOW}{listener}exactly_one(app, "#jobs", {options})')


@pytest.fixture
def bots(troupe: Troupe, tmp_path: Path) -> Iterator[Bots]:
    with closing(Bots(troupe, tmp_path, bot(LISTENER, FAST))) as bots:
        yield bots


def test_what_a_killed_replica_had_acknowledged_another_one_does(bots: Bots) -> None:
    bots.lose_one_at_work(answer="toggled", slow_answer="at last")


def test_a_command_that_a_killed_replica_had_acknowledged_another_one_does(
    troupe: Troupe, bots: Bots, deployer: TestApp
) -> None:
    bots.of = deployer
    bots.write(bot(DEPLOY, f'work="#ops-work", {FAST}'))
    for _ in range(2):
        bots.start()
    troupe.until(lambda: len(troupe.slack.connections()) == 2, within=120)
    channel = troupe.slack.channel("jobs")
    accepted = troupe.slack.interact("command", channel=channel, text="/deploy the lamp")
    assert accepted["answer"] == {}
    troupe.until(lambda: "clock1" in marks(records(troupe)[0]))
    bots.processes[int(bots.ran()[0][0])].kill()
    troupe.until(lambda: [row for row in troupe.slack.messages("#jobs") if row["text"] == "deployed"], within=120)
    troupe.until(lambda: done(records(troupe)[0]))
    (dead, first, before), (other, second, after) = bots.ran()
    assert dead != other
    assert (first, second) == ("1", "2")
    key, token, _, text = before.split(maxsplit=3)
    assert after.split(maxsplit=3) == [key, str(max(2, int(token) + 1)), "expired", text]
