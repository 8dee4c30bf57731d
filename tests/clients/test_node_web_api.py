"""@slack/web-api for Node: calls, pages, refusals, uploads, and waiting when it is told to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.clients.judge import needs, running
from tests.clients.manifests import Operator, chatbot

if TYPE_CHECKING:
    from slackmq.emulator.launch import About

pytestmark = needs("node")

SCOPES = [
    "channels:history",
    "channels:read",
    "chat:write",
    "files:read",
    "files:write",
    "pins:read",
    "reactions:write",
]


def done(about: About, channel: str, deed: str) -> Any:
    """What @slack/web-api makes of a deed of judges/node/web_api.js."""
    app = Operator(about).install(chatbot(SCOPES, []))
    facts = {"token": app["bot_token"], "base_url": about.base_url, "channel": channel}
    with running("node", "web_api.js", deeds=[deed], **facts) as judge:
        return judge.says()[deed]


def test_it_posts_with_metadata_and_in_threads(emulator: About, jobs: str) -> None:
    assert done(emulator, jobs, "post") == {
        "text": "resize &lt;it&gt; &amp; go",
        "metadata": {"event_type": "job", "event_payload": {"path": "cat.png", "width": 300}},
        "thread": True,
        "scopes": True,
        "accepted": ["chat:write"],
    }


def test_it_turns_pages(emulator: About, jobs: str) -> None:
    turned = done(emulator, jobs, "page")
    assert turned["pages"] == [["page 6", "page 5", "page 4"], ["page 3", "page 2", "page 1"], ["page 0"]]
    place = [channel.id for channel in emulator.channels].index(jobs) + 1
    assert turned["found"] == place


def test_refusals_are_errors_that_it_knows(emulator: About, jobs: str) -> None:
    refused = done(emulator, jobs, "refuse")
    assert {refusal["code"] for refusal in refused.values()} == {"slack_webapi_platform_error"}
    assert {name: refusal["error"] for name, refusal in refused.items()} == {
        "channel": "channel_not_found",
        "scope": "missing_scope",
        "token": "invalid_auth",
        "method": "unknown_method",
        "message": "message_not_found",
    }
    assert (refused["scope"]["needed"], "chat:write" in refused["scope"]["provided"]) == ("team:read", True)


def test_it_uploads_files_and_downloads_them(emulator: About, jobs: str) -> None:
    assert done(emulator, jobs, "upload") == {
        "name": "table.csv",
        "size": 8,
        "content": "a,b\n1,2\n",
        "comment": "look",
        "shared": 2,
    }


def test_it_waits_as_long_as_it_is_told_and_tries_again(limited: About) -> None:
    jobs = next(channel.id for channel in limited.channels if channel.name == "jobs")
    hurried = done(limited, jobs, "hurry")
    assert hurried["waits"]
    assert all(isinstance(seconds, int) and seconds >= 1 for seconds in hurried["waits"])
    assert (hurried["code"], hurried["retryAfter"]) == ("slack_webapi_rate_limited_error", pytest.approx(3, abs=2))
