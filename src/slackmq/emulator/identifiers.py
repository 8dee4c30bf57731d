"""Ids and tokens as pure functions of what they name, so that replaying a journal gives the same ones."""

from __future__ import annotations

import hashlib
import hmac

__all__ = ["derived_id", "derived_secret", "derived_uuid"]

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PAIRS = [low + high for high in _DIGITS for low in _DIGITS]
"""Two digits at a time, the lower one first."""


def derived_id(prefix: str, *of: object) -> str:
    """`prefix` and ten capital letters or digits, as Slack's ids look: "C" -> "C07K…"; the same for the same `of`."""
    name = f"{prefix}/{'/'.join(map(str, of))}"
    number = int.from_bytes(hashlib.sha256(name.encode(errors="surrogatepass")).digest()[:8], "big")
    for _ in range(5):
        number, pair = divmod(number, 1296)
        prefix += _PAIRS[pair]
    return prefix


def derived_secret(secret: str, label: str, length: int) -> str:
    """`length` (at most 64) hexadecimal digits that nobody can tell without `secret`."""
    return hmac.new(secret.encode(), label.encode(), hashlib.sha256).hexdigest()[:length]


def derived_uuid(*of: object) -> str:
    """A UUID that is the same for the same `of`."""
    digits = hashlib.sha256("/".join(map(str, of)).encode(errors="surrogatepass")).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"
