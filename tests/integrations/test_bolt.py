"""Replicas of a Bolt app, one of which handles each post."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from slack_bolt.request import BoltRequest

from slackmq.errors import Retry
from slackmq.policy import Timing

from .conftest import SHORT

if TYPE_CHECKING:
    from .conftest import Troupe


def bot(troupe: Troupe, replica: int, **options: Any) -> Any:
    """A bot with an ordinary listener."""
    app = troupe.app(**options)

    @app.message("toggle")  # type: ignore[untyped-decorator]  # Bolt has no type for it
    def toggle(message: dict[str, Any], say: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # Bolt keeps it
        troupe.noted(replica, message["text"])
        say(text="switched", thread_ts=message["ts"])

    return app


def replicas(troupe: Troupe, count: int, **options: Any) -> list[Any]:
    apps = [bot(troupe, number, **options) for number in range(count)]
    for app in apps:
        troupe.guard(app)
        troupe.listen(app)
    return apps


def test_of_three_replicas_one_answers_each_post(troupe: Troupe) -> None:
    replicas(troupe, 3)
    posts = [troupe.say(f"toggle {number}") for number in range(12)]
    chatter = troupe.say("good morning")
    troupe.done(*posts)
    assert sorted(text for _, text in troupe.ran) == sorted(f"toggle {number}" for number in range(12))
    for ts in posts:
        assert [row["text"] for row in troupe.slack.messages("#jobs", thread=ts)][1:] == ["switched"]
        assert troupe.marks(ts) == {"clock1", "white_check_mark"}
    assert troupe.marks(chatter) == set()


def test_an_event_that_reaches_every_replica_is_handled_by_one(troupe: Troupe) -> None:
    apps = replicas(troupe, 3)
    ts = troupe.say("toggle hall")
    troupe.done(ts)
    event = {"type": "message", "channel": troupe.slack.channel("jobs"), "text": "toggle hall", "user": "U1", "ts": ts}
    for app in apps:
        answer = app.dispatch(BoltRequest(body={"type": "event_callback", "event": event}, mode="socket_mode"))
        assert (answer.status, answer.body) == (200, "")
    second = troupe.say("toggle kitchen")
    troupe.done(second)
    assert sorted(text for _, text in troupe.ran) == ["toggle hall", "toggle kitchen"]


def test_what_nobody_heard_is_found_and_given_to_the_listener(troupe: Troupe) -> None:
    app = bot(troupe, 0)
    ts = troupe.say("toggle hall &amp; kitchen")
    troupe.guard(app)
    troupe.listen(app)
    troupe.done(ts)
    assert troupe.ran == [(0, "toggle hall &amp; kitchen")]


def test_a_listener_that_raises_is_marked_and_told_and_not_repeated(troupe: Troupe) -> None:
    app = troupe.app()

    @app.message("toggle")  # type: ignore[untyped-decorator]  # as above
    def toggle(message: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        troupe.noted(0, message["text"])
        raise ValueError("no such light")

    errors: list[BaseException] = []
    app.error(lambda error: errors.append(error))  # noqa: PLW0108  # Bolt looks at the names of parameters
    troupe.guard(app)
    troupe.listen(app)
    ts = troupe.say("toggle attic")
    troupe.until(lambda: "x" in troupe.marks(ts))
    assert troupe.slack.messages("#jobs", thread=ts)[-1]["text"] == ":x: ValueError: no such light"
    assert len(troupe.ran) == 1
    assert [str(error) for error in errors] == ["no such light"]


def test_with_retries_a_listener_that_raised_runs_again(troupe: Troupe) -> None:
    app = troupe.app()
    seen: list[dict[str, Any]] = []

    @app.message("toggle")  # type: ignore[untyped-decorator]  # as above
    def toggle(context: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        seen.append(context["slackmq"])
        if len(seen) < 3:
            raise Retry("not yet", after=timedelta(seconds=0.1))

    troupe.guard(app)
    troupe.listen(app)
    ts = troupe.say("toggle attic")
    troupe.done(ts)
    assert [(each["attempt"], each["key"]) for each in seen] == [
        (number, f"{troupe.slack.channel('jobs')}/{ts}") for number in (1, 2, 3)
    ]


def test_lazy_functions_are_part_of_the_work(troupe: Troupe) -> None:
    app = troupe.app()
    go = threading.Event()

    def ack(ack: Any) -> None:
        ack()

    def lazy(event: dict[str, Any]) -> None:
        go.wait(60)
        troupe.noted(0, event["text"])

    app.event("message")(ack=ack, lazy=[lazy])
    troupe.guard(app)
    troupe.listen(app)
    ts = troupe.say("toggle attic")
    troupe.until(lambda: "clock1" in troupe.marks(ts))
    assert "white_check_mark" not in troupe.marks(ts)
    go.set()
    troupe.done(ts)
    assert troupe.ran == [(0, "toggle attic")]


def test_a_listener_that_runs_longer_than_its_lease_keeps_its_claim(troupe: Troupe) -> None:
    go = threading.Event()

    def slow(replica: int) -> Any:
        app = troupe.app()

        @app.message("toggle")  # type: ignore[untyped-decorator]  # as above
        def toggle(message: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
            troupe.noted(replica, message["text"])
            go.wait(60)

        return app

    for number in range(2):
        app = slow(number)
        troupe.guard(app, timing=SHORT)
        troupe.listen(app)
    ts = troupe.say("toggle attic")
    troupe.until(lambda: "clock4" in troupe.marks(ts))
    go.set()
    troupe.done(ts)
    assert len(troupe.ran) == 1


def test_a_mention_and_the_message_of_one_post_count_as_one(troupe: Troupe) -> None:
    for number in range(2):
        app = bot(troupe, number)

        @app.event("app_mention")  # type: ignore[untyped-decorator]  # as above
        def mentioned(event: dict[str, Any], number: int = number) -> None:  # pyright: ignore[reportUnusedFunction]
            troupe.noted(number, f"mention: {event['text']}")

        troupe.guard(app)
        troupe.listen(app)
    text = f"<@{troupe.slack.app.bot_user}> toggle hall"
    posts = [troupe.say(text) for _ in range(4)]
    troupe.done(*posts)
    assert [text for _, text in troupe.ran] == [f"mention: {text}"] * 4


def test_a_mention_that_its_listener_s_middleware_keeps_back_is_a_message_after_all(troupe: Troupe) -> None:
    def gate(event: dict[str, Any], next: Any) -> None:  # noqa: A002  # Bolt's name
        if "please" in event["text"]:
            next()

    app = bot(troupe, 0)

    @app.event("app_mention", middleware=[gate])  # type: ignore[untyped-decorator]  # as above
    def mentioned(event: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        troupe.noted(1, event["text"])

    troupe.guard(app)
    troupe.listen(app)
    me = f"<@{troupe.slack.app.bot_user}>"
    posts = [troupe.say(f"{me} toggle hall"), troupe.say(f"{me} toggle attic, please")]
    troupe.done(*posts)
    assert sorted(troupe.ran) == [(0, f"{me} toggle hall"), (1, f"{me} toggle attic, please")]


def test_an_edit_runs_nothing_again(troupe: Troupe) -> None:
    app = troupe.app()

    @app.event("message")  # type: ignore[untyped-decorator]  # as above
    def anything(event: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        troupe.noted(0, event.get("subtype") or event["text"])

    @app.event({"type": "message", "subtype": "message_deleted"})  # type: ignore[untyped-decorator]  # as above
    def deleted(event: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        raise AssertionError(event)

    troupe.guard(app)
    troupe.listen(app)
    ts = troupe.say("first")
    troupe.done(ts)
    troupe.slack.act("chat.update", channel=troupe.slack.channel("jobs"), ts=ts, text="second")
    troupe.done(troupe.say("third"))
    assert [text for _, text in troupe.ran] == ["first", "third"]


def test_a_reply_in_a_thread_is_claimed_too(troupe: Troupe) -> None:
    replicas(troupe, 2)
    first = troupe.say("let us talk")
    reply = troupe.say("toggle hall", thread=first)

    def reacted() -> bool:
        rows = troupe.slack.messages("#jobs", thread=first)
        return any(row["ts"] == reply and len(row.get("reactions", [])) == 2 for row in rows)

    troupe.until(reacted)
    assert [text for _, text in troupe.ran] == ["toggle hall"]


def test_own_posts_are_handled_where_bolt_does_not_ignore_them(troupe: Troupe) -> None:
    apps = replicas(troupe, 2, ignoring_self_events_enabled=False)
    ts = apps[0].client.chat_postMessage(channel="#jobs", text="toggle by machine")["ts"]
    troupe.done(ts)
    assert [text for _, text in troupe.ran] == ["toggle by machine"]


def test_own_posts_that_nobody_heard_are_found(troupe: Troupe) -> None:
    app = bot(troupe, 0, ignoring_self_events_enabled=False)
    ts = app.client.chat_postMessage(channel="#jobs", text="toggle by machine")["ts"]
    troupe.guard(app)
    troupe.done(ts)
    assert [text for _, text in troupe.ran] == ["toggle by machine"]


def test_a_middleware_that_keeps_an_event_to_itself_leaves_no_mark(troupe: Troupe) -> None:
    app = bot(troupe, 0)
    kept: list[str] = []

    @app.middleware  # type: ignore[untyped-decorator]  # as above
    def gate(body: dict[str, Any], next: Any) -> None:  # noqa: A002  # pyright: ignore[reportUnusedFunction]  # Bolt's name
        text = body["event"]["text"]
        if "please" in text:
            next()
        else:
            kept.append(text)

    troupe.guard(app)
    troupe.listen(app)
    silent = troupe.say("toggle hall")
    troupe.done(troupe.say("toggle kitchen, please"))
    assert [text for _, text in troupe.ran] == ["toggle kitchen, please"]
    assert troupe.marks(silent) == set()
    assert kept == ["toggle hall"]


def test_a_listener_s_own_middleware_that_keeps_a_post_leaves_no_mark_and_the_next_listener_has_it(
    troupe: Troupe,
) -> None:
    def gate(message: dict[str, Any], next: Any) -> None:  # noqa: A002  # Bolt's name
        if "please" in message["text"]:
            next()

    for number in range(2):
        app = troupe.app()

        @app.message("toggle", middleware=[gate])  # type: ignore[untyped-decorator]  # as above
        def toggle(message: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
            troupe.noted(0, message["text"])

        @app.message("toggle all")  # type: ignore[untyped-decorator]  # as above
        def toggle_all(message: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
            troupe.noted(1, message["text"])

        troupe.guard(app)
        if number == 0:  # the other one only reads what is left
            troupe.listen(app)
    silent = troupe.say("toggle hall")
    posts = [troupe.say("toggle hall, please"), troupe.say("toggle all")]
    troupe.done(*posts)
    assert sorted(troupe.ran) == [(0, "toggle hall, please"), (1, "toggle all")]
    assert troupe.marks(silent) == set()


def test_a_listener_that_bolt_could_not_start_has_not_done_its_work(troupe: Troupe) -> None:
    app = bot(troupe, 0)
    app.listener_runner.listener_start_handler = Broken()
    troupe.guard(app)
    troupe.listen(app)
    ts = troupe.say("toggle hall")
    troupe.until(lambda: "x" in troupe.marks(ts))
    assert "start handler raised" in troupe.slack.messages("#jobs", thread=ts)[-1]["text"]
    assert troupe.ran == []


class Broken:
    """A start handler, as those that open connections to a database, that cannot."""

    def handle(self, **_: Any) -> None:
        """Called by Bolt before each listener."""
        raise ConnectionError("no database")


def test_before_the_response_of_a_function_as_a_service_all_is_settled(troupe: Troupe) -> None:
    apps = replicas(troupe, 2, process_before_response=True)
    assert apps
    posts = [troupe.say(f"toggle {number}") for number in range(5)]
    troupe.done(*posts)
    assert len(troupe.ran) == 5


def test_a_claim_that_fails_runs_nothing_and_the_post_is_found_later(troupe: Troupe) -> None:
    replicas(troupe, 2)
    troupe.slack.arm(error_before=1.0, methods=["reactions.add"], times=1)
    ts = troupe.say("toggle hall")
    troupe.done(ts)
    assert len(troupe.ran) == 1


def test_a_post_costs_one_claim_and_one_mark(troupe: Troupe) -> None:
    for app in [bot(troupe, number) for number in range(3)]:
        troupe.guard(app, timing=Timing())
        troupe.listen(app)
    posts = [
        troupe.say(f"toggle {number}") for number in range(30)
    ]  # claims wait their turn for longer than ten seconds
    troupe.until(lambda: all("white_check_mark" in troupe.marks(ts) for ts in posts), within=120)
    marks = [call for call in troupe.slack.calls() if call["method"] == "reactions.add"]
    claims = [call for call in marks if str(call["args"]).count("clock")]
    first = [call for call in claims if call["args"]["name"] == "clock1"]
    assert len(posts) <= len(claims) < 2 * len(posts)  # three a post, if nobody waited for whose turn it is
    assert sum(call["ok"] for call in first) == len(posts)
    assert len(marks) - len(claims) == len(posts)
