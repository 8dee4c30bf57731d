from __future__ import annotations

import pytest

from slackmq.errors import (
    AlreadyReacted,
    ChannelArchived,
    ChannelNotFound,
    MessageGone,
    MessageLocked,
    MissingScope,
    NotInChannel,
    Refused,
    TokenRefused,
    TooManyReactions,
)
from slackmq.slack.refusals import refusal


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("not_authed", TokenRefused),
        ("invalid_auth", TokenRefused),
        ("token_revoked", TokenRefused),
        ("token_expired", TokenRefused),
        ("account_inactive", TokenRefused),
        ("not_allowed_token_type", TokenRefused),
        ("channel_not_found", ChannelNotFound),
        ("not_in_channel", NotInChannel),
        ("is_archived", ChannelArchived),
        ("message_not_found", MessageGone),
        ("thread_not_found", MessageGone),
        ("thread_locked", MessageLocked),
        ("restricted_action_thread_locked", MessageLocked),
        ("not_reactable", MessageLocked),
        ("already_reacted", AlreadyReacted),
        ("too_many_emoji", TooManyReactions),
        ("too_many_reactions", TooManyReactions),
        ("something_new", Refused),
    ],
)
def test_each_code_has_its_error(code: str, kind: type[Refused]) -> None:
    error = refusal("reactions.add", {"ok": False, "error": code})
    assert type(error) is kind
    assert (error.code, error.method) == (code, "reactions.add")
    assert code in str(error)
    assert "reactions.add" in str(error)


def test_who_is_not_in_the_channel_is_told_how_to_invite_the_bot() -> None:
    assert "/invite @" in str(refusal("chat.postMessage", {"error": "not_in_channel"}))


@pytest.mark.parametrize("kind", ["read_only", "thread_only", "non_threadable"])
def test_who_may_not_post_in_a_channel_is_told_who_can_change_that(kind: str) -> None:
    error = refusal("chat.postMessage", {"error": f"restricted_action_{kind}_channel"})
    assert "Let the app post there" in error.remedy


def test_a_missing_scope_is_named_with_what_to_do() -> None:
    body = {"ok": False, "error": "missing_scope", "needed": "reactions:write", "provided": "chat:write,users:read"}
    error = refusal("reactions.add", body)
    assert isinstance(error, MissingScope)
    assert (error.needed, error.provided) == ("reactions:write", "chat:write,users:read")
    assert "Add the scope reactions:write to the app's manifest" in error.remedy


def test_what_slack_says_about_arguments_is_passed_on() -> None:
    body = {"error": "invalid_arguments", "response_metadata": {"messages": ["[ERROR] missing `channel`"]}}
    assert "missing `channel`" in str(refusal("chat.postMessage", body))


def test_an_answer_without_a_code_is_still_a_refusal() -> None:
    assert refusal("auth.test", {"ok": False}).code == "unknown_error"
