"""A guard goes on claiming and looking for what was left, whatever its channel and its bot's own code do."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tests.clients.manifests import manifest

from slackmq.queue import agreement

from .conftest import SCOPES, SHORT
from .test_bolt import bot

if TYPE_CHECKING:
    import pytest

    from .conftest import Troupe


def test_a_bot_that_was_removed_from_its_channel_goes_on_when_it_is_back(
    troupe: Troupe, caplog: pytest.LogCaptureFixture
) -> None:
    given = manifest()
    given["oauth_config"] = {"scopes": {"bot": [*SCOPES, "channels:manage", "channels:join"]}}
    joiner = troupe.slack.install(given, channels=["#jobs"])
    app = troupe.app(joiner)

    @app.message("toggle")  # type: ignore[untyped-decorator]  # Bolt has no type for it
    def toggle(message: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # Bolt keeps it
        troupe.noted(0, message["text"])

    troupe.guard(app, timing=SHORT)  # after a lease it looks whether it is back
    troupe.done(troupe.say("toggle hall"))
    channel = troupe.slack.channel("jobs")
    app.client.conversations_leave(channel=channel)
    troupe.until(lambda: "worked no more" in caplog.text)
    app.client.conversations_join(channel=channel)
    troupe.done(troupe.say("toggle kitchen"))
    assert [text for _, text in troupe.ran] == ["toggle hall", "toggle kitchen"]


def test_where_a_channel_is_set_otherwise_meanwhile_nothing_is_claimed_until_it_is_set_back(
    troupe: Troupe, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agreement, "EVERY", 0.3)
    caplog.set_level(logging.WARNING)
    app = bot(troupe, 0)
    troupe.guard(app, timing=SHORT)
    troupe.listen(app)
    troupe.done(troupe.say("toggle hall"))
    channel = troupe.slack.channel("jobs")
    [mark] = app.client.bookmarks_list(channel_id=channel)["bookmarks"]
    other = mark["link"].replace("claim=reaction", "claim=pin").replace("claim=native", "claim=pin")
    app.client.bookmarks_edit(channel_id=channel, bookmark_id=mark["id"], link=other)
    troupe.until(lambda: "worked no more" in caplog.text)
    ts = troupe.say("toggle kitchen")
    troupe.until(lambda: f"could not claim {ts}" in caplog.text)
    assert troupe.marks(ts) == set()
    app.client.bookmarks_edit(channel_id=channel, bookmark_id=mark["id"], link=mark["link"])
    troupe.done(ts)
    assert [text for _, text in troupe.ran] == ["toggle hall", "toggle kitchen"]


def test_an_error_handler_that_raises_for_one_post_does_not_keep_others_from_being_found(troupe: Troupe) -> None:
    app = bot(troupe, 0)

    @app.middleware  # type: ignore[untyped-decorator]  # as above
    def known(body: dict[str, Any], next: Any) -> None:  # noqa: A002  # pyright: ignore[reportUnusedFunction]  # Bolt's name
        if "odd" in body["event"]["text"]:
            raise KeyError("client_msg_id")
        next()

    @app.error  # type: ignore[untyped-decorator]  # as above
    def passed_on(error: Exception) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        raise error

    odd = troupe.say("toggle odd")
    plain = troupe.say("toggle hall")
    troupe.guard(app)
    troupe.done(plain)
    assert troupe.marks(odd) == set()
    assert [text for _, text in troupe.ran] == ["toggle hall"]
