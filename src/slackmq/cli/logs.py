"""The log of a command: on standard error, and without any token."""

from __future__ import annotations

import logging

from slackmq.redaction import redacted

__all__ = ["log_to_stderr"]


class _WithoutTokens(logging.Formatter):
    """No log line shows a token, whoever wrote it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return redacted(super().format(record))


def log_to_stderr(level: str) -> None:
    """Show what the library has to say from this level on, and warnings of others.

    Args:
        level: "debug", "info", "warning" or "error".
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_WithoutTokens("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("slackmq").setLevel(level.upper())
