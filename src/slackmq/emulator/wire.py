"""What the workspace says, as JSON on the wire."""

from __future__ import annotations

import json

import msgspec

__all__ = ["encoded"]


def encoded(value: object) -> bytes:
    """JSON in UTF-8.

    Half of a surrogate pair, which a client may send as an escape, has no UTF-8: then everything is escaped. What is no
    number ("NaN", "Infinity"), which Python's parser lets in, is null either way.
    """
    try:
        return msgspec.json.encode(value)
    except (UnicodeEncodeError, OverflowError):  # also integers beyond 64 bits, which JSON does not forbid
        return json.dumps(json.loads(json.dumps(value), parse_constant=lambda _: None)).encode()
