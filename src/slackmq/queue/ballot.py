"""Ballot: a question to people as they see it, with two buttons, and what stands there once it is decided."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from slackmq.message import Mrkdwn
from slackmq.queue.roles import is_group
from slackmq.redaction import redacted
from slackmq.slack.markup import escape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slackmq.approval import Choice, Press, Question
    from slackmq.slack.surfacing import Block

__all__ = ["ACTIONS", "LONGEST", "ballot", "headline", "named", "pressed", "verdict"]

ACTIONS: dict[str, Choice] = {"slackmq_approve": "approve", "slackmq_deny": "deny"}
"""The names of the buttons, and what they mean."""
LONGEST = 2_000
"""Characters of a question: a section takes 3,000, and what is escaped grows (docs.slack.dev, "Section block")."""
_SAID: dict[Choice, str] = {"approve": "Approve", "deny": "Deny"}


def headline(question: Question) -> Mrkdwn:
    """The question in a line, for notifications and for who cannot see blocks."""
    return Mrkdwn(f":ballot_box_with_ballot: {named(question.by)}: {_asked(question)}")


def ballot(question: Question) -> list[Block]:
    """The question with its buttons."""
    moment = datetime.fromtimestamp(question.until, tz=UTC)
    until = f"<!date^{int(question.until)}^{{date_short_pretty}} {{time}}|{moment:%Y-%m-%d %H:%M} UTC>"
    buttons = [
        {
            "type": "button",
            "action_id": action,
            "value": question.ident,
            "style": "primary" if choice == "approve" else "danger",
            "text": {"type": "plain_text", "text": _SAID[choice]},
        }
        for action, choice in ACTIONS.items()
    ]
    return [
        {"type": "section", "text": {"type": "mrkdwn", "text": f":ballot_box_with_ballot: {_asked(question)}"}},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": f"For {named(question.by)}, until {until}"}]},
        {"type": "actions", "block_id": f"slackmq_{question.ident}", "elements": buttons},
    ]


def pressed(press: Choice, user: str) -> Mrkdwn:
    """The line that tells of a press."""
    return Mrkdwn(f":point_right: <@{user}> pressed *{_SAID[press]}*")


def verdict(question: Question, press: Press | None) -> Mrkdwn:
    """What stands in place of the question; `press` is the one that counted, None if none came in time."""
    match press:
        case None:
            said = ":hourglass: nobody decided in time"
        case _ if press.choice == "approve":
            said = f":white_check_mark: <@{press.by}> approved it"
        case _:
            said = f":x: <@{press.by}> denied it"
    return Mrkdwn(f"{_asked(question)}\n{said}")


def named(idents: Iterable[str]) -> str:
    """Users and groups as people read them."""
    return ", ".join(f"<!subteam^{ident}>" if is_group(ident) else f"<@{ident}>" for ident in idents)


def _asked(question: Question) -> str:
    return escape(redacted(question.text))
