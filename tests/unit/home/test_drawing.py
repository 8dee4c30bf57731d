"""What a Home tab shows: within Slack's limits, escaped and scrubbed, and no more than who looks may see."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from slackmq.home.drawing import Panel, blocks_of
from slackmq.message import Message
from slackmq.operating.figures import figures_of
from slackmq.operating.survey import Pace, View
from slackmq.queue import Standing
from slackmq.queue.pausing import Pause

if TYPE_CHECKING:
    from slackmq.queue.standing import State
    from slackmq.slack.surfacing import Block

NOW = 1_700_000_000.0
TOKEN = "xoxb-" + "1234567890-abcdefghij"


def standing(number: int, state: State, text: str = "resize", *, origin: str = "") -> Standing:
    ts = f"{NOW - 60:.0f}.{number:06d}"
    message = Message(channel="C1", ts=ts, author="U1", kind="resize", text=text, key=f"k{number}", origin=origin)
    return Standing(message=message, state=state, generation=0, age=timedelta(seconds=60))


def panel(*rows: Standing, channel: str = "C1", workers: int = 1, pause: Pause | None = None) -> Panel:
    figures = figures_of(rows, window=timedelta(hours=24))
    paces = tuple(Pace(worker=f"<w{n}> {TOKEN}" * 10, per_minute=1.0) for n in range(workers))
    view = View(figures=figures, pause=pause, paces=paces, budgets=(), rows=rows)
    return Panel(channel=channel, name="jobs" * 20, view=view)


def buttons(blocks: list[Block]) -> list[dict[str, Any]]:
    found = [block["accessory"] for block in blocks if "accessory" in block]
    return found + [element for block in blocks if block["type"] == "actions" for element in block["elements"]]


def texts(value: object) -> list[str]:
    match value:
        case {"type": "mrkdwn" | "plain_text", "text": str(text)}:
            return [text]
        case dict():
            return [text for inner in value.values() for text in texts(inner)]
        case list():
            return [text for inner in value for text in texts(inner)]
        case _:
            return []


def test_the_fullest_queues_keep_within_what_slack_shows() -> None:
    states: list[State] = ["dead", "held", "waiting"]
    rows = [standing(n, state, "<&>" * 4_000) for n, state in enumerate(states * 200)]
    paused = Pause(by="x" * 80, since=1, ident="Bk1")
    panels = [panel(*rows, channel=f"C{n}", workers=200, pause=paused) for n in range(5)]
    blocks = blocks_of(panels, allowed=True, now=NOW, notice="done")
    assert len(blocks) <= 100
    assert all(len(text) <= 3_000 for text in texts(blocks))
    assert all(len(text) <= 150 for block in blocks if block["type"] == "header" for text in texts(block))
    assert all(len(block["fields"]) <= 10 for block in blocks if "fields" in block)
    assert len(json.dumps(blocks)) < 250_000


def test_nothing_that_people_wrote_becomes_mark_up_or_tells_a_secret() -> None:
    evil = f"<!channel> <https://evil|me> {TOKEN}"
    blocks = blocks_of([panel(standing(1, "waiting", evil), standing(2, "dead", evil))], allowed=True, now=NOW)
    shown = " ".join(texts(blocks))
    assert "<!channel>" not in shown
    assert "<https" not in shown
    assert "<w0>" not in shown
    assert TOKEN not in shown
    assert "&lt;!channel&gt;" in shown


def test_who_may_not_sees_figures_and_neither_jobs_nor_buttons() -> None:
    rows = [standing(1, "waiting", "for my eyes"), standing(2, "dead", "for my eyes")]
    blocks = blocks_of([panel(*rows)], allowed=False, now=NOW)
    assert buttons(blocks) == []
    assert "for my eyes" not in " ".join(texts(blocks))
    assert "*Waiting*\n1" in texts(blocks)
    assert "*Dead*\n1 in 1 d" in texts(blocks)


def test_each_button_names_what_it_is_for() -> None:
    rows = [standing(1, "waiting"), standing(2, "dead"), standing(3, "done")]
    blocks = blocks_of([panel(*rows)], allowed=True, now=NOW)
    told = {(button["action_id"], button["value"]) for button in buttons(blocks)}
    ts = [row.message.ts for row in rows]
    assert told == {
        ("slackmq_home_pause", "C1"),
        ("slackmq_home_cancel", f"C1/{ts[0]}"),
        ("slackmq_home_redrive", f"C1/{ts[1]}"),
    }


def test_a_paused_queue_says_by_whom_and_can_be_resumed() -> None:
    blocks = blocks_of([panel(pause=Pause(by="U012AB3CD", since=1, ident="Bk1"))], allowed=True, now=NOW)
    assert "*Paused* by <@U012AB3CD>" in " ".join(texts(blocks))
    assert [button["action_id"] for button in buttons(blocks)] == ["slackmq_home_resume"]


def test_a_dead_job_that_was_posted_again_has_no_button() -> None:
    blocks = blocks_of([panel(standing(1, "dead"), standing(2, "done", origin="k1"))], allowed=True, now=NOW)
    assert [button["action_id"] for button in buttons(blocks)] == ["slackmq_home_pause"]
