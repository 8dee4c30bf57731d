"""Slash commands, buttons, shortcuts and modals of a Bolt app that leaves records of them."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from slack_bolt import App
from slack_sdk import WebClient

from slackmq.errors import ConfigurationError, Retry
from slackmq.integrations.bolt import exactly_one
from slackmq.integrations.payload import Payload, Safe, is_work

from .conftest import FAST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.testing import TestApp

    from .conftest import Troupe

GO = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}, "value": "42"}
MODAL = {
    "type": "modal",
    "callback_id": "made",
    "title": {"type": "plain_text", "text": "New"},
    "submit": {"type": "plain_text", "text": "Make"},
    "blocks": [
        {
            "type": "input",
            "block_id": "b1",
            "label": {"type": "plain_text", "text": "Name"},
            "element": {"type": "plain_text_input", "action_id": "name"},
        }
    ],
}


class Long:
    """A listener that goes on after its acknowledgement until it is told to end."""

    def __init__(self, troupe: Troupe) -> None:
        self.go = threading.Event()
        self.seen: list[dict[str, Any]] = []
        self.bodies: list[dict[str, Any]] = []
        self._troupe = troupe

    def on(self, replica: int) -> Any:
        def work(ack: Any, body: dict[str, Any], context: Any, respond: Any) -> None:
            ack()
            self._troupe.noted(replica, body.get("text", ""))
            self.seen.append(context["slackmq"])
            self.bodies.append(body)
            self.go.wait(60)
            if body.get("response_url"):
                respond(text="deployed")

        return work


def records(troupe: Troupe, channel: str = "#ops-work") -> list[Mapping[str, Any]]:
    return [row for row in troupe.slack.messages(channel) if "metadata" in row]


def marks(row: Mapping[str, Any]) -> set[str]:
    return {reaction["name"] for reaction in row.get("reactions", [])}


def done(row: Mapping[str, Any]) -> bool:
    """Whether it is marked done, by an emoji or in its text."""
    return "white_check_mark" in marks(row) or row["text"].startswith(":white_check_mark:")


def test_a_command_leaves_a_record_while_its_listener_is_at_work(troupe: Troupe, deployer: TestApp) -> None:
    app, long = troupe.app(deployer), Long(troupe)
    app.command("/deploy")(long.on(0))
    troupe.guard(app, "#jobs", work="#ops-work")
    troupe.listen(app, deployer)
    accepted = troupe.slack.interact("command", channel=troupe.slack.channel("jobs"), text="/deploy the lamp")
    assert accepted["answer"] == {}
    [record] = records(troupe)  # it stands before the person sees that the command was accepted
    whole = str(record)
    assert "/deploy" in whole
    assert "the lamp" not in whole
    assert long.bodies[0]["response_url"] not in whole
    assert long.bodies[0]["trigger_id"] not in whole
    troupe.until(lambda: marks(records(troupe)[0]) == {"clock1"})
    long.go.set()
    troupe.until(lambda: done(records(troupe)[0]))
    assert [(each["attempt"], each["token"]) for each in long.seen] == [(1, 0)]


def test_a_listener_that_only_opens_a_modal_leaves_nothing(troupe: Troupe, deployer: TestApp) -> None:
    app = troupe.app(deployer)
    views: list[str] = []

    @app.command("/deploy")  # type: ignore[untyped-decorator]  # Bolt has no type for it
    def deploy(ack: Any, body: dict[str, Any], client: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # Bolt keeps it
        ack()
        views.append(client.views_open(trigger_id=body["trigger_id"], view=MODAL)["view"]["id"])

    @app.view("made")  # type: ignore[untyped-decorator]  # as above
    def made(ack: Any, view: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        name = view["state"]["values"]["b1"]["name"]["value"]
        ack(response_action="errors", errors={"b1": f"{name} is taken"})

    troupe.guard(app, "#jobs", work="#ops-work")
    troupe.listen(app, deployer)
    troupe.slack.interact("command", channel=troupe.slack.channel("jobs"), text="/deploy")
    troupe.until(lambda: views)
    values = {"b1": {"name": "lamp"}}
    answer = troupe.slack.interact("modals.submit", view_id=views[0], values=values)["answer"]
    assert answer["errors"] == {"b1": "lamp is taken"}
    assert records(troupe) == []


def test_buttons_and_shortcuts_leave_records_too(troupe: Troupe, deployer: TestApp) -> None:
    app, long = troupe.app(deployer), Long(troupe)
    app.action("go")(long.on(0))
    app.shortcut("new")(long.on(0))
    app.view("made")(long.on(0))
    troupe.guard(app, "#jobs", work="#ops-work")
    troupe.listen(app, deployer)
    channel = troupe.slack.channel("jobs")
    ts = app.client.chat_postMessage(channel=channel, text="?", blocks=[{"type": "actions", "elements": [GO]}])["ts"]
    troupe.slack.interact("click", channel=channel, message_ts=ts, action_id="go")
    troupe.slack.interact("shortcut", callback_id="new")
    view = app.client.views_open(trigger_id=long.bodies[1]["trigger_id"], view=MODAL)["view"]["id"]
    values = {"b1": {"name": "a secret"}}
    assert troupe.slack.interact("modals.submit", view_id=view, values=values)["answer"] == {}
    long.go.set()
    troupe.until(lambda: sum(done(row) for row in records(troupe)) == 3)
    told = [row["text"] for row in records(troupe)]
    for what, text in zip(("block_actions", "shortcut", "view_submission"), told, strict=True):
        assert what in text
        assert "a secret" not in text


def test_a_listener_that_raises_after_its_acknowledgement_is_told_and_retried(
    troupe: Troupe, deployer: TestApp
) -> None:
    app = troupe.app(deployer)
    attempts: list[int] = []

    @app.command("/deploy")  # type: ignore[untyped-decorator]  # as above
    def deploy(ack: Any, context: Any, command: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        ack()
        troupe.until(lambda: [row for row in records(troupe) if not done(row) and "x" not in marks(row)])
        attempts.append(context["slackmq"]["attempt"])
        if command["text"] == "never":
            raise ValueError("no such lamp")
        if len(attempts) < 3:
            raise Retry("not yet")

    troupe.guard(app, "#jobs", work="#ops-work")
    troupe.listen(app, deployer)
    channel = troupe.slack.channel("jobs")
    troupe.slack.interact("command", channel=channel, text="/deploy never")
    troupe.until(lambda: records(troupe) and "x" in marks(records(troupe)[0]))
    thread = troupe.slack.messages("#ops-work", thread=records(troupe)[0]["ts"])
    assert thread[-1]["text"] == ":x: ValueError: no such lamp"
    troupe.slack.interact("command", channel=channel, text="/deploy soon")
    troupe.until(lambda: len(records(troupe)) == 2 and done(records(troupe)[1]))
    assert attempts == [1, 1, 2]


def test_a_listener_that_refuses_before_its_acknowledgement_leaves_nothing(troupe: Troupe, deployer: TestApp) -> None:
    app = troupe.app(deployer)

    @app.command("/deploy")  # type: ignore[untyped-decorator]  # as above
    def deploy() -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        raise ValueError("no such lamp")

    troupe.guard(app, "#jobs", work="#ops-work", retries=2)
    troupe.listen(app, deployer)
    accepted = troupe.slack.interact("command", channel=troupe.slack.channel("jobs"), text="/deploy")
    assert accepted["answer"]["failure"]
    assert records(troupe) == []


def test_lazy_functions_of_a_command_are_part_of_its_work(troupe: Troupe, deployer: TestApp) -> None:
    app, go = troupe.app(deployer), threading.Event()

    def lazy(body: dict[str, Any]) -> None:
        go.wait(60)
        troupe.noted(0, body["text"])

    app.command("/deploy")(ack=lambda ack: ack(), lazy=[lazy])  # Bolt looks at the names of parameters
    troupe.guard(app, "#jobs", work="#ops-work")
    troupe.listen(app, deployer)
    troupe.slack.interact("command", channel=troupe.slack.channel("jobs"), text="/deploy the lamp")
    [record] = records(troupe)
    assert not done(record)
    go.set()
    troupe.until(lambda: done(records(troupe)[0]))
    assert troupe.ran == [(0, "the lamp")]


def test_slack_is_answered_in_time_where_the_record_comes_late_which_the_guarded_channel_may_hold(
    troupe: Troupe, deployer: TestApp, caplog: pytest.LogCaptureFixture
) -> None:
    app, long = troupe.app(deployer), Long(troupe)
    app.command("/deploy")(long.on(0))
    troupe.guard(app, "#jobs", work="#jobs", timing=replace(FAST, scan=timedelta(seconds=2)))
    troupe.listen(app, deployer)
    troupe.slack.arm(error_before=1.0, methods=["chat.postMessage"], times=1)
    accepted = troupe.slack.interact("command", channel=troupe.slack.channel("jobs"), text="/deploy the lamp")
    assert accepted["answer"] == {}
    assert "before its record stood" in caplog.text
    troupe.until(lambda: records(troupe, "#jobs"))
    long.go.set()
    troupe.until(lambda: done(records(troupe, "#jobs")[0]))


def test_what_is_too_large_for_a_record_runs_without_one(
    troupe: Troupe, deployer: TestApp, caplog: pytest.LogCaptureFixture
) -> None:
    app, long = troupe.app(deployer), Long(troupe)
    app.view("made")(long.on(0))
    views: list[str] = []

    @app.command("/deploy")  # type: ignore[untyped-decorator]  # as above
    def deploy(ack: Any, body: dict[str, Any], client: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        ack()
        views.append(client.views_open(trigger_id=body["trigger_id"], view=MODAL)["view"]["id"])

    troupe.guard(app, "#jobs", work="#ops-work")
    troupe.listen(app, deployer)
    troupe.slack.interact("command", channel=troupe.slack.channel("jobs"), text="/deploy")
    troupe.until(lambda: views)
    noise = "".join(chr(0x4E00 + (number * number * 7919) % 20_000) for number in range(3000))
    values = {"b1": {"name": noise}}
    assert troupe.slack.interact("modals.submit", view_id=views[0], values=values)["answer"] == {}
    troupe.until(lambda: "view_submission leaves no record" in caplog.text)
    assert "Put less into private_metadata" in caplog.text
    long.go.set()
    assert records(troupe) == []
    assert len(long.seen) == 1


def test_a_record_opens_only_for_the_bot_that_wrote_it_and_only_unchanged() -> None:
    body = {"command": "/deploy", "text": "the lamp", "user_id": "U1", "trigger_id": "1.2.3", "token": "old"}
    record = Safe("xoxb-1").lock(Payload(body=body, key="k"))
    assert Safe("xoxb-1").unlock(record) == Payload(
        body={"command": "/deploy", "text": "the lamp", "user_id": "U1", "trigger_id": "expired"}, key="k"
    )
    with pytest.raises(ValueError, match="another key"):
        Safe("xoxb-2").unlock(record)
    with pytest.raises(ValueError, match="another key"):
        Safe("xoxb-1").unlock({**record, "by": "U2"})
    with pytest.raises(ValueError, match="version 2 of the record"):
        Safe("xoxb-1").unlock({**record, "v": 2})


def test_events_and_questions_for_options_are_no_work() -> None:
    assert not is_work({"type": "event_callback", "event": {"type": "reaction_added"}})
    assert not is_work({"type": "block_suggestion"})
    assert is_work({"command": "/deploy"})


def test_lazy_functions_in_another_process_are_refused_where_records_are_wanted(
    troupe: Troupe, deployer: TestApp
) -> None:
    app: Any = App(client=WebClient(deployer.bot_token, base_url=troupe.slack.url), process_before_response=True)

    def work() -> None:
        raise AssertionError

    app.command("/deploy")(ack=work, lazy=[work])
    with pytest.raises(ConfigurationError, match="work has lazy functions"):
        exactly_one(app, "#jobs", work="#ops-work", timing=FAST)
