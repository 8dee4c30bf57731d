"""What a person does with apps in the page: presses buttons, chooses, submits and closes modals, types commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from slackmq.emulator.file_door import LARGEST_FILE
from slackmq.emulator.page.door import fragment
from slackmq.emulator.page.element import field_name
from slackmq.emulator.page.loose import rows
from slackmq.emulator.page.modal import entered, given
from slackmq.emulator.page.options import options_in
from slackmq.emulator.sent import posted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from slackmq.emulator.desk import Desk
    from slackmq.emulator.page.drawing import Drawing
    from slackmq.emulator.page.uploads import Uploads
    from slackmq.emulator.page.visitors import Visitors

    Form = Mapping[str, list[str]]

__all__ = ["Presses"]

_DONE = 204
_SENTENCES = {
    "action_not_found": "This is no longer there to be used.",
    "app_not_found": "The app that wrote this is not installed any more.",
    "dispatch_failed": "No process of the app is connected: nobody heard of it.",
    "http_service_error": "The app answered with an error.",
    "interactivity_disabled": "The app's manifest switches interactivity off.",
    "message_not_found": "The message is gone.",
    "file_not_found": "A file was not taken.",
    "too_many_files": "These are more files than the app takes.",
    "operation_timeout": "The app did not answer within three seconds.",
    "option_not_found": "This can no longer be chosen.",
    "unknown_shortcut": "No app has this shortcut.",
    "view_not_found": "This window is closed already.",
}


class Presses:
    """Hands over to the apps what people do with them. What apps answer comes to the page through its stream.

    Args:
        desk: where people's deeds are handed over.
        visitors: who does it.
        drawing: the templates.
        uploads: takes the files of modals.
    """

    def __init__(self, *, desk: Desk, visitors: Visitors, drawing: Drawing, uploads: Uploads) -> None:
        self._uploads = uploads
        self._desk = desk
        self._visitors = visitors
        self._drawing = drawing

    def routes(self) -> list[web.RouteDef]:
        """Everything that an app is told."""
        return [
            web.post("/c/{channel}/press", self._press),
            web.post("/c/{channel}/suggest", self._suggest),
            web.post("/c/{channel}/shortcut", self._shortcut),
            web.post("/v/{view}/press", self._press),
            web.post("/v/{view}/suggest", self._suggest),
            web.post("/v/{view}/submit", self._submit),
            web.post("/v/{view}/close", self._close),
        ]

    async def command(self, request: web.Request, text: str) -> web.Response:
        """Hand a slash command over, as "/deploy now"."""
        args = {"channel": request.match_info["channel"], "text": text}
        reply = await self._perform(request, "interactions.command", args)
        if reply.get("error") == "unknown_command":
            return self._refusal(
                f"No app has the command {text.split(maxsplit=1)[0]}. A message cannot begin with a slash."
            )
        return self._answer(reply)

    async def _press(self, request: web.Request) -> web.Response:
        form = await _form(request)
        value = form.get("value", []) or form.get(_name(form), [])
        args = {**_where(request, form), "value": given(_one(form, "kind"), value)}
        return self._answer(await self._perform(request, "interactions.click", args))

    async def _suggest(self, request: web.Request) -> web.Response:
        """The options that an app has for what was typed, as options of a list."""
        form = await _form(request)
        reply = await self._perform(
            request, "interactions.suggest", {**_where(request, form), "value": _one(form, "q")}
        )
        answer: Mapping[str, Any] = reply.get("answer") or {}
        if not reply["ok"] or "failure" in answer:
            refusal = self._answer(reply)
            refusal.headers["HX-Reswap"] = "none"
            return refusal
        groups = [group.get("options") for group in rows(answer.get("option_groups"))]
        found = [option for part in (answer.get("options"), *groups) for option in options_in(part)]
        return fragment(self._drawing.draw("options.html", options=found))

    async def _shortcut(self, request: web.Request) -> web.Response:
        form = await _form(request)
        args = {"callback_id": _one(form, "callback_id")}
        if _one(form, "ts"):
            args |= {"channel": request.match_info["channel"], "message_ts": _one(form, "ts")}
        return self._answer(await self._perform(request, "interactions.shortcut", args))

    async def _submit(self, request: web.Request) -> web.Response:
        """Submit a modal; the answer holds the complaints, one for each block that has one."""
        request = request.clone(client_max_size=LARGEST_FILE)
        form = await _form(request)
        user, ident = self._visitors.caller(request).user, request.match_info["view"]
        row = next((view for view in self._visitors.surfaces(user)["views"] if view["id"] == ident), None)
        if row is None:
            return self._refusal(_SENTENCES["view_not_found"])
        for name, parts in _files((await posted(request)).items()).items():
            kept = await self._uploads.entrust(request, parts)
            if not isinstance(kept, list):
                return self._refusal(f"The file was not taken: {kept['error']}.")
            form[name] = kept
        values = entered(row, lambda name: form.get(name, []))
        reply = await self._perform(request, "modals.submit", {"view_id": ident, "values": values})
        answer: Mapping[str, Any] = reply.get("answer") or {}
        errors: Mapping[str, Any] = reply.get("errors") or answer.get("errors") or {}
        slots = [str(errors.get(block.get("block_id"), "")) for block in row["blocks"]]
        drawn = self._drawing.draw("errors.html", view=ident, slots=slots)
        if errors or (reply["ok"] and "failure" not in answer):
            return fragment(drawn)
        return fragment(drawn + (self._answer(reply).text or ""))

    async def _close(self, request: web.Request) -> web.Response:
        args = {"view_id": request.match_info["view"]}
        reply = await self._perform(request, "modals.close", args)
        if reply.get("error") == "view_not_found":  # it was closed already: draw what is open
            views = self._visitors.surfaces(self._visitors.caller(request).user)["views"]
            return (
                fragment(self._drawing.draw("modal.html", modal=None, oob=True)) if not views else self._answer(reply)
            )
        return web.Response(status=_DONE)

    async def _perform(self, request: web.Request, deed: str, args: Mapping[str, object]) -> Mapping[str, Any]:
        user = self._visitors.caller(request).user
        return await self._desk.perform(f"emulator.{deed}", {"user": user, **args})

    def _answer(self, reply: Mapping[str, Any]) -> web.Response:
        """Nothing, if it went well; else a sentence for the corner of the page."""
        answer: Mapping[str, Any] = reply.get("answer") or {}
        code: str = reply.get("error", "") or answer.get("failure", "")
        if not code:
            return web.Response(status=_DONE)
        return self._refusal(_SENTENCES.get(code, f"That did not work: {code}."))

    def _refusal(self, sentence: str) -> web.Response:
        return fragment(self._drawing.draw("notice.html", refusal=sentence, oob=True))


def _where(request: web.Request, form: Form) -> dict[str, object]:
    """The element that a form names, in the message or view of the address."""
    args: dict[str, object] = {"action_id": _one(form, "action"), "block_id": _one(form, "block")}
    if "view" in request.match_info:
        return {**args, "view_id": request.match_info["view"]}
    return {**args, "channel": request.match_info["channel"], "message_ts": _one(form, "ts")}


def _name(form: Form) -> str:
    return field_name(_one(form, "block"), _one(form, "action"))


def _one(form: Form, name: str) -> str:
    return (form.get(name) or [""])[0]


def _files(items: Iterable[tuple[str, object]]) -> dict[str, list[web.FileField]]:
    """The files of a form; of a box that was left empty browsers send a part without a name."""
    found: dict[str, list[web.FileField]] = {}
    for name, value in items:
        if isinstance(value, web.FileField) and value.filename:
            found.setdefault(name, []).append(value)
    return found


async def _form(request: web.Request) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in (await posted(request)).items():
        if isinstance(value, str):
            found.setdefault(name, []).append(value)
    return found
