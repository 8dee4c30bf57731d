"""Redaction: what looks like a secret does not leave the program by its words."""

from __future__ import annotations

import re

__all__ = ["redacted"]

_SECRETS: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    # Whatever begins like one of Slack's tokens (Slack's docs, "Tokens").
    (("xox", "xapp-", "xwfp-"), re.compile(r"\b(x(?:ox[a-z]|app|wfp))-\w[\w.-]*"), r"\1-…"),
    # Slack's incoming webhooks, and the addresses to which answers go: who knows one can post.
    (("://hooks.slack",), re.compile(r"(https://hooks\.slack(?:-gov)?\.com/)[\w/-]+"), r"\1…"),
    (
        ("PRIVATE KEY-----",),
        re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        r"\1…",
    ),
    (
        ("gho_", "ghp_", "ghs_", "ghu_", "ghr_", "github_pat_", "glpat-", "sk-", "AKIA", "ASIA"),
        re.compile(r"\b(gh[opsur]_|github_pat_|glpat-|sk-|AKIA|ASIA)[A-Za-z0-9_-]{16,}"),
        r"\1…",
    ),
    (("://",), re.compile(r"\b([a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?=@)", re.IGNORECASE), r"\1…"),
    (("bearer", "basic"), re.compile(r"\b((?:Bearer|Basic)\s+)[A-Za-z0-9+/._~-]{12,}=*", re.IGNORECASE), r"\1…"),
)
"""Only what is unmistakable: a text in which every word after "password" is missing would help nobody. Each with words
of which one is there if it matches: to look for them in megabytes takes a thousandth of the time."""


def redacted(text: str) -> str:
    """The text with everything that looks like a secret made unreadable. A `Mrkdwn` keeps its kind."""
    clean, folded = text, text.casefold()
    for signs, pattern, instead in _SECRETS:
        if any(sign in (folded if pattern.flags & re.IGNORECASE else text) for sign in signs):
            clean = pattern.sub(instead, clean)
    return type(text)(clean)
