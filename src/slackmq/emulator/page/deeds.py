"""What a person does in the page, each as a call of Slack's own method with that person's token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from slackmq.emulator.page.door import fragment
from slackmq.emulator.page.mrkdwn import sealed
from slackmq.emulator.page.visitors import COOKIE
from slackmq.emulator.sent import posted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from slackmq.emulator.house import House
    from slackmq.emulator.page.drawing import Drawing
    from slackmq.emulator.page.presses import Presses
    from slackmq.emulator.page.visitors import Visitors
    from slackmq.emulator.server import Server

__all__ = ["Deeds"]

_DONE = 204
_SENTENCES = {
    "internal_error": "The workspace could not write this down; its terminal says why.",
    "invalid_name": "There is no emoji of that name.",
    "is_archived": "The channel is archived: nothing can be written there.",
    "message_not_found": "The message is gone.",
    "messages_tab_disabled": "This app takes no direct messages: its manifest has no messages tab.",
    "msg_too_long": "That is too long for one message.",
    "no_text": "There is nothing to send.",
    "not_pinnable": "This kind of message cannot be pinned.",
    "too_many_emoji": "This message takes no more emoji.",
    "too_many_pins": "This channel takes no more pins.",
    "too_many_reactions": "You cannot put more emoji on this message.",
}


class Deeds:
    """Does what people click and type. What changed comes to every open page through its stream.

    Args:
        server: the workspace behind its order of calls.
        visitors: who does it.
        drawing: the templates.
        presses: takes slash commands.
        house: whose connections may be cut.
    """

    def __init__(self, *, server: Server, visitors: Visitors, drawing: Drawing, presses: Presses, house: House) -> None:
        self._presses = presses
        self._house = house
        self._server = server
        self._visitors = visitors
        self._drawing = drawing

    def routes(self) -> list[web.RouteDef]:
        """Everything that changes something."""
        return [
            web.post("/c/{channel}/messages", self._post),
            web.post("/c/{channel}/edit", self._edit),
            web.post("/c/{channel}/delete", self._delete),
            web.post("/c/{channel}/reactions", self._react),
            web.post("/c/{channel}/pins", self._pin),
            web.post("/person", self._choose_person),
            web.post("/sockets/{link}/cut", self._cut),
        ]

    async def _post(self, request: web.Request) -> web.Response:
        form = await _form(request)
        if form.get("text", "").startswith("/"):
            if form.get("thread"):
                return self._notice("Slash commands do not work in threads, as in Slack.")
            return await self._presses.command(request, form["text"])
        args = {"text": self._sealed(form.get("text", ""))}
        if form.get("thread"):
            args["thread_ts"] = form["thread"]
        return self._answer(await self._call(request, "chat.postMessage", args))

    async def _edit(self, request: web.Request) -> web.Response:
        """Change an own message, and give it back: its place on the page is taken by the box."""
        form = await _form(request)
        ts, channel = form.get("ts", ""), request.match_info["channel"]
        reply = await self._call(request, "chat.update", {"ts": ts, "text": self._sealed(form.get("text", ""))})
        if not reply["ok"]:
            refusal = self._answer(reply)
            refusal.headers["HX-Reswap"] = "none"
            return refusal
        shown = self._visitors.reading(request).placed(form.get("place", ""), channel, ts)
        return fragment(self._drawing.draw("one.html", shown=shown, **self._visitors.tools()) if shown else "")

    async def _delete(self, request: web.Request) -> web.Response:
        form = await _form(request)
        return self._answer(await self._call(request, "chat.delete", {"ts": form.get("ts", "")}))

    async def _react(self, request: web.Request) -> web.Response:
        """Put an emoji on a message, or take it off if this person put it there."""
        form = await _form(request)
        item = {"timestamp": form.get("ts", ""), "name": form.get("name", "").strip().strip(":")}
        reply = await self._call(request, "reactions.add", item)
        if reply.get("error") == "already_reacted":
            reply = await self._call(request, "reactions.remove", item)
        return self._answer(reply)

    async def _pin(self, request: web.Request) -> web.Response:
        """Pin or unpin, whichever the page offered; if somebody was faster, it already is as wanted."""
        form = await _form(request)
        method = "pins.remove" if form.get("pinned") else "pins.add"
        return self._answer(
            await self._call(request, method, {"timestamp": form.get("ts", "")}),
            fine={"already_pinned", "no_pin", "not_pinned"},
        )

    async def _choose_person(self, request: web.Request) -> web.Response:
        form = await _form(request)
        wanted = form.get("person", "")
        if wanted not in {person["id"] for person in self._visitors.people()}:
            raise web.HTTPNotFound(text="There is no such person in this workspace.\n")
        response = web.Response(status=_DONE, headers={"HX-Refresh": "true"})
        response.set_cookie(COOKIE, wanted, httponly=True, samesite="Strict", path="/")
        return response

    async def _cut(self, request: web.Request) -> web.Response:
        """Break a connection without a word, as a network does; the client comes back by itself."""
        if not self._house.cut(connection=request.match_info["link"]):
            return self._notice("This connection is gone already.")
        return web.Response(status=_DONE)

    async def _call(self, request: web.Request, method: str, args: Mapping[str, str]) -> Mapping[str, Any]:
        """Call a method on the channel of the address; a person who is not in it joins it first, as in Slack."""
        caller, channel = self._visitors.caller(request), {"channel": request.match_info["channel"]}
        reply = await self._server.act(caller, method, {**channel, **args})
        if reply.get("error") != "not_in_channel":
            return reply
        await self._server.act(caller, "conversations.join", channel)
        return await self._server.act(caller, method, {**channel, **args})

    def _answer(self, reply: Mapping[str, Any], *, fine: AbstractSet[str] = frozenset()) -> web.Response:
        """Nothing, if it was done: the streams tell what changed. Else a sentence for the corner of the page."""
        code: str = reply.get("error", "")
        if reply["ok"] or code in fine:
            return web.Response(status=_DONE)
        sentence = _SENTENCES.get(code, f"The workspace refused: {code}.")
        return self._notice(sentence)

    def _notice(self, sentence: str) -> web.Response:
        return fragment(self._drawing.draw("notice.html", refusal=sentence, oob=True))

    def _sealed(self, text: str) -> str:
        return sealed(text.strip(), self._visitors.ids())


async def _form(request: web.Request) -> dict[str, str]:
    return {name: value for name, value in (await posted(request)).items() if isinstance(value, str)}
