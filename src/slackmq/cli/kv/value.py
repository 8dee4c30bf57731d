"""What is put: from the command line or from standard input, as JSON, text or bytes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from slackmq.errors import ConfigurationError

if TYPE_CHECKING:
    from slackmq.message import Json

__all__ = ["given", "read_as"]


def given(word: str | None) -> bytes:
    """The bytes of an argument; of standard input if there is none, or if it is "-".

    Raises:
        ConfigurationError: standard input is a terminal, so somebody forgot the value.
    """
    if word not in {None, "-"}:
        return str(word).encode(errors="surrogateescape")
    if sys.stdin.isatty():
        raise ConfigurationError("There is no value.", remedy="Give it as the last argument, or pipe it in.")
    return sys.stdin.buffer.read()


def read_as(data: bytes, *, text: bool = False, raw: bool = False) -> Json | bytes:
    """A value: JSON if it is JSON, and text otherwise, without the line break at its end.

    Args:
        data: as it was given.
        text: text, even if it could be JSON.
        raw: bytes, as they are.

    Raises:
        ConfigurationError: it is no text, and nobody said that it is bytes.
    """
    if raw:
        return data
    try:
        words = data.decode().removesuffix("\n")
    except UnicodeDecodeError as error:
        raise ConfigurationError("The value is no UTF-8.", remedy="Put it with --bytes.") from error
    if text:
        return words
    try:
        value: Json = msgspec.json.decode(words)
    except msgspec.MsgspecError:
        return words
    return value
