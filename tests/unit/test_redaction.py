"""What looks like a secret is made unreadable, and nothing else is."""

from __future__ import annotations

import pytest

from slackmq.message import Mrkdwn
from slackmq.redaction import redacted

PEM = "-----BEGIN RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("token xoxb-1161947-1470260-5703458, xapp-1-A0-12-beef.", "token xoxb-…, xapp-…"),
        ("post to https://hooks.slack.com/services/T0/B0/XyZ now", "post to https://hooks.slack.com/… now"),
        (
            f"{PEM}\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nrest",
            f"{PEM}…\nrest",
        ),
        ("-----BEGIN PRIVATE KEY-----\nMIIE cut off", "-----BEGIN PRIVATE KEY-----…"),
        ("ghp_0123456789abcdefABCDEF0123456789abcd", "ghp_…"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIA…"),
        ("postgres://bot:hunter2@db/jobs", "postgres://bot:…@db/jobs"),
        ("Authorization: Bearer abcdefghijklmnop==", "Authorization: Bearer …"),
    ],
)
def test_a_secret_is_made_unreadable_and_shows_what_it_was(text: str, shown: str) -> None:
    assert redacted(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "SLACK_BOT_TOKEN takes a token that starts with xoxb-.",
        "the bearer of bad news",
        "https://example.com/a:b@c",
        'resize(path="cat.png", width=300)',
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


def test_mark_up_stays_mark_up() -> None:
    assert isinstance(redacted(Mrkdwn("*xoxb-1-2-3*")), Mrkdwn)
