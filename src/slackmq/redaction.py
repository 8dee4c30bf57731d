"""Redaction: what looks like a secret does not leave the program by its words."""

from __future__ import annotations

import re

__all__ = ["redacted"]

_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Whatever begins like one of Slack's tokens (Slack's docs, "Tokens").
    (re.compile(r"\b(x(?:ox[a-z]|app|wfp))-\w[\w.-]*"), r"\1-…"),
    # Slack's incoming webhooks, and the addresses to which answers go: who knows one can post.
    (re.compile(r"(https://hooks\.slack(?:-gov)?\.com/)[\w/-]+"), r"\1…"),
    (
        re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        r"\1…",
    ),
    (re.compile(r"\b(gh[opsur]_|github_pat_|glpat-|sk-|AKIA|ASIA)[A-Za-z0-9_-]{16,}"), r"\1…"),
    (re.compile(r"\b([a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?=@)", re.IGNORECASE), r"\1…"),
    (re.compile(r"\b((?:Bearer|Basic)\s+)[A-Za-z0-9+/._~-]{12,}=*", re.IGNORECASE), r"\1…"),
)
"""Only what is unmistakable: a text in which every word after "password" is missing would help nobody."""


def redacted(text: str) -> str:
    """The text with everything that looks like a secret made unreadable. A `Mrkdwn` keeps its kind."""
    clean = text
    for pattern, instead in _SECRETS:
        clean = pattern.sub(instead, clean)
    return type(text)(clean)
