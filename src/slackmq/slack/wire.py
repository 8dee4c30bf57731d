"""One call to a method of Slack's Web API: a name and arguments in, a reply out. No retry, no pacing, no opinion."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Carrier", "Reply", "Wire"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What Slack answered.

    Attributes:
        status: the HTTP status.
        body: the JSON object; `{}` if the answer was none.
        date: the server's Date header in seconds since 1970 (whole seconds, rounded down); None if absent.
        retry_after: the Retry-After header in seconds; None if absent.
    """

    status: int
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    date: float | None = None
    retry_after: float | None = None


class Wire(Protocol):
    """How a call reaches Slack. Calls are sent once, exactly as asked, and never repeated by the wire."""

    async def call(self, method: str, args: Mapping[str, object]) -> Reply:
        """Send one call with the bot's token (`apps.*` methods: with the app-level token) and wait for its reply.

        Any HTTP answer is a reply, whatever its status.

        Raises:
            Ambiguous: no answer came within the wire's timeout, or the connection broke.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections; afterwards `call` must not be used."""
        ...


@runtime_checkable
class Carrier(Protocol):
    """A wire that carries bytes as well: files come and go at addresses that Slack's answers name."""

    async def put(self, url: str, content: bytes) -> int:
        """Send bytes to an address; returns the HTTP status. The address is the permission, so no token goes with it.

        Raises:
            Ambiguous: no answer came.
        """
        ...

    async def get(self, url: str) -> tuple[int, bytes]:
        """The HTTP status and the bytes at an address, asked for with the bot's token.

        Raises:
            Ambiguous: no answer came.
            ConfigurationError: the address is not Slack's, so the token does not go there.
        """
        ...
