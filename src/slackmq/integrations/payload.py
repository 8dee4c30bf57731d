"""What a person did with the bot that is no post, a command or a button for example, and its record in a channel."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec

from slackmq.clock import SYSTEM
from slackmq.envelope import BODY_LIMIT
from slackmq.errors import EnvelopeTooLarge
from slackmq.kv.cipher import Cipher

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.message import Json

__all__ = ["PAYLOAD", "Payload", "Safe", "is_work"]

PAYLOAD = "slackmq_payload"
"""The kind of the job that is the record of a payload."""
EXPIRED = "expired"
"""What stands in a record for a trigger: it opens a modal for three seconds, and never again
(docs.slack.dev/surfaces/modals)."""
_VERSION = 1
_NONCE = 12
_WORK = frozenset(
    {
        "block_actions",
        "interactive_message",
        "shortcut",
        "message_action",
        "view_submission",
        "view_closed",
        "dialog_submission",
    }
)
"""Types of payload on which a listener works (docs.slack.dev/reference/interaction-payloads). Who asks for the options
of a menu wants the answer alone."""
_ROOM = BODY_LIMIT - 200
"""Bytes for what is sealed: the rest is for the names beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What Slack sent when a person used the bot.

    Attributes:
        body: as Slack sent it.
        key: names it: the idempotency key.
    """

    body: Mapping[str, Any]
    key: str

    @property
    def what(self) -> str:
        """What the person used, for people: "/deploy", or the type of the payload."""
        return str(self.body.get("command") or self.body.get("type"))

    @property
    def by(self) -> str:
        """User id of the person."""
        user: Mapping[str, Any] = self.body.get("user") or {}
        return str(self.body.get("user_id") or user.get("id") or "")


def is_work(body: Mapping[str, Any]) -> bool:
    """Whether a listener works on a payload, instead of only answering Slack."""
    return "command" in body or body.get("type") in _WORK


class Safe:
    """Writes payloads as the bodies of jobs, which only replicas of the bot can read.

    Who types a command, or fills in a modal, shows it to nobody; and an address for answers lets whoever knows it speak
    as the bot for half an hour. So it is all encrypted, with a key that is made of the bot's token.

    Args:
        token: the bot's token.

    Raises:
        ConfigurationError: the package that encrypts is not installed.
    """

    def __init__(self, token: str) -> None:
        self._cipher = Cipher(blake2b(token.encode(), digest_size=32, person=b"slackmq payload").digest())

    def lock(self, payload: Payload) -> dict[str, Json]:
        """The body of the record.

        Raises:
            EnvelopeTooLarge: it does not fit into one message, however it is packed.
        """
        kept = {name: value for name, value in payload.body.items() if name != "token"}
        if "trigger_id" in kept:
            kept["trigger_id"] = EXPIRED
        nonce = bytes.fromhex(SYSTEM.new_id())[:_NONCE]
        shown: dict[str, Json] = {"what": payload.what, "by": payload.by, "v": _VERSION, "key": payload.key}
        hidden = self._cipher.encrypt(nonce, zlib.compress(msgspec.json.encode(kept)), _about(shown))
        sealed = b64encode(nonce + hidden).decode()
        if len(sealed) > _ROOM:
            raise EnvelopeTooLarge(
                f"What Slack sent for {payload.what} takes {len(sealed):,} bytes, and a record holds {_ROOM:,}.",
                remedy="Put less into private_metadata, the values of buttons and the message that carries them.",
            )
        return {**shown, "sealed": sealed}

    def unlock(self, record: Mapping[str, Json]) -> Payload:
        """The payload of a record.

        Raises:
            ValueError: another version wrote it, or another bot, or it was changed.
        """
        if record.get("v") != _VERSION:
            raise ValueError(
                f"version {record.get('v')} of the record, and this replica reads {_VERSION}: "
                "upgrade slackmq in all replicas"
            )
        whole = b64decode(str(record.get("sealed")), validate=True)
        shown = {name: record.get(name) for name in ("v", "what", "by", "key")}
        packed = self._cipher.decrypt(whole[:_NONCE], whole[_NONCE:], _about(shown))
        body = msgspec.json.decode(zlib.decompress(packed), type=dict[str, Any])
        return Payload(body=body, key=str(record["key"]))


def _about(shown: Mapping[str, Json]) -> bytes:
    return msgspec.json.encode(shown, order="sorted")
