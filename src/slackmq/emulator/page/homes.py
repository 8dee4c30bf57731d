"""The home tabs that apps published, as the page last heard of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slackmq.emulator.page.loose import row_in
from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.emulator.server import Done, Server

__all__ = ["Homes"]


class Homes:
    """Remembers what views.publish and views.update put on home tabs.

    Args:
        server: whose writes are told.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._rows: dict[tuple[str, str], Mapping[str, Any]] = {}
        server.listen(self._heard)

    async def open(self, app: str, user: str) -> None:
        """A person opens a home tab: the app hears of it, and what was published before is known again."""
        reply = await self._server.act(OPERATOR, "emulator.modals.home", {"app": app, "user": user})
        if reply["ok"] and reply["view"] is not None:
            self._rows.setdefault((app, user), reply["view"])

    def of(self, app: str, user: str) -> Mapping[str, Any] | None:
        """What a person sees on an app's home tab; None if the app published nothing."""
        return self._rows.get((app, user))

    def _heard(self, done: Done) -> None:
        reply = done.outcome.reply
        row = row_in(reply.get("view"))
        if not reply["ok"] or not row:
            return
        if done.method == "views.publish":
            self._rows[row["app_id"], str(done.args.get("user_id", ""))] = row
        elif done.method == "views.update" and row["type"] == "home":
            for key, known in self._rows.items():
                if known["id"] == row["id"]:
                    self._rows[key] = row
