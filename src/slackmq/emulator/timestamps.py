"""Slack's timestamps: ten digits, a dot, six digits; as strings they sort as the moments they name."""

from __future__ import annotations

import re

__all__ = ["is_ts", "seconds_of", "ts_of", "window_edge"]

_EXACT = re.compile(r"\d{10}\.\d{6}")
_LOOSE = re.compile(r"(\d{1,10})(?:\.(\d*))?")
_MICRO = 1_000_000


def ts_of(micros: int) -> str:
    """The timestamp of a moment in microseconds since 1970."""
    seconds, fraction = divmod(micros, _MICRO)
    return f"{seconds:010d}.{fraction:06d}"


def is_ts(text: str) -> bool:
    """True if it could name a message."""
    return _EXACT.fullmatch(text) is not None


def seconds_of(ts: str) -> int:
    """The whole seconds of a timestamp."""
    return int(ts[:10])


def window_edge(text: str) -> str | None:
    """What a caller gave as `oldest` or `latest`, as a timestamp; None if it is no number.

    Slack takes "1700000000", "1700000000.5" and "0" as well as a message's full ts.
    """
    match = _LOOSE.fullmatch(text.strip())
    if match is None:
        return None
    return f"{match[1]:>010}.{(match[2] or ''):0<6.6}"
