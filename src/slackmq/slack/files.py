"""Files in a channel: bytes to Slack and back, by the upload that has an address of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from slackmq.errors import Ambiguous, ConfigurationError, Refused
from slackmq.slack.api import Urgency
from slackmq.slack.filing import FileRow
from slackmq.slack.markup import escape
from slackmq.slack.wire import Carrier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.slack.caller import Caller
    from slackmq.slack.wire import Wire

__all__ = ["WebFiles", "trusted"]

_PAGE = 200
_GONE = frozenset({"file_deleted", "file_not_found", "not_visible"})


class WebFiles:
    """Implements `slackmq.slack.filing.Files`: docs.slack.dev/messaging/working-with-files.

    Args:
        caller: for the calls.
        wire: for the bytes.
    """

    def __init__(self, caller: Caller, wire: Wire) -> None:
        self._caller = caller
        self._wire = wire

    async def upload(self, channel: str, name: str, content: bytes, *, comment: str, thread: str | None = None) -> str:
        """Put a file into a channel, or into a thread there; returns its id.

        Raises:
            Ambiguous: it may stand there, or not.
            MissingScope: the bot may not write files.
        """
        carrier = self._carrier()
        args: dict[str, object] = {"filename": name, "length": len(content)}
        place = await self._caller.read("files.getUploadURLExternal", args, urgency=Urgency.CLAIM)
        status = await carrier.put(str(place["upload_url"]), content)
        if status != 200:  # noqa: PLR2004  # HTTP's own number
            raise Ambiguous(f"Slack took an upload with HTTP {status}.", method="files.getUploadURLExternal")
        ident = str(place["file_id"])
        args = {
            "files": [{"id": ident, "title": name}],
            "channel_id": channel,
            "initial_comment": escape(comment),
        }
        if thread is not None:
            args["thread_ts"] = thread
        await self._caller.write("files.completeUploadExternal", args, urgency=Urgency.CLAIM)
        return ident

    async def download(self, ident: str) -> bytes | None:
        """The bytes of a file; None if it is gone, or not shown yet.

        Raises:
            Ambiguous: Slack gave no answer.
            MissingScope: the bot may not read files.
        """
        carrier = self._carrier()
        try:
            found = await self._caller.read("files.info", {"file": ident}, urgency=Urgency.CLAIM)
        except Refused as error:
            if error.code in _GONE:
                return None
            raise
        url = str(found["file"].get("url_private_download") or found["file"].get("url_private") or "")
        if not url:
            return None
        status, content = await carrier.get(url)
        if status == 404:  # noqa: PLR2004  # HTTP's own number
            return None
        if status != 200:  # noqa: PLR2004  # as above
            raise Ambiguous(f"Slack gave a file with HTTP {status}.", method="files.info")
        return content

    async def discard(self, ident: str) -> bool:
        """Delete an own file; False if it was gone."""
        try:
            await self._caller.write("files.delete", {"file": ident}, urgency=Urgency.SCAN)
        except Refused as error:
            if error.code in _GONE:
                return False
            raise
        return True

    async def listed(self, channel: str, *, user: str) -> tuple[FileRow, ...]:
        """The files in a channel that a user put there."""
        rows: list[FileRow] = []
        page, pages = 1, 1
        while page <= pages:
            args: dict[str, object] = {"channel": channel, "user": user, "count": _PAGE, "page": page}
            found = await self._caller.read("files.list", args, urgency=Urgency.SCAN)
            rows += [
                FileRow(id=str(each["id"]), name=str(each.get("name") or ""), created=int(each.get("created") or 0))
                for each in found.get("files") or ()
            ]
            paging: Mapping[str, Any] = found.get("paging") or {}
            pages = int(paging.get("pages") or 0)
            page += 1
        return tuple(rows)

    def _carrier(self) -> Carrier:
        if not isinstance(self._wire, Carrier):
            raise ConfigurationError("This connection carries no files.", remedy="Store smaller values.")
        return self._wire


def trusted(url: str, base: str) -> bool:
    """Whether a token may be sent to an address: to the server of the Web API, and to Slack's own."""
    there, here = urlsplit(url), urlsplit(base)
    if (there.scheme, there.netloc) == (here.scheme, here.netloc):
        return True
    return there.scheme == "https" and f".{there.hostname or ''}".endswith(".slack.com")
