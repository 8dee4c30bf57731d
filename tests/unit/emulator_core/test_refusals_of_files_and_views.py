"""Errors that Slack documents of files, views, sockets and RTM: each is reached by a call, or has a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from slackmq.emulator.methods import METHODS
from slackmq.emulator.model import Caller
from slackmq.emulator.seed import Seed, SeedPerson
from slackmq.emulator.workspace import OPERATOR, Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCUMENTED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "data" / "slack-methods.json").read_text(encoding="utf-8")
)
OURS = {
    name: facts for name, facts in DOCUMENTED.items() if name.partition(".")[0] in {"apps", "files", "rtm", "views"}
}
SECOND = 1_000_000
TITLE = {"type": "plain_text", "text": "New"}
BUTTON = {"type": "button", "action_id": "go", "text": TITLE}
MODAL: dict[str, Any] = {"type": "modal", "title": TITLE, "blocks": [{"type": "actions", "elements": [BUTTON]}]}
HOME: dict[str, Any] = {"type": "home", "blocks": [{"type": "divider"}]}
NAMED = {**MODAL, "external_id": "mine"}
LARGE = {**MODAL, "private_metadata": "x" * 250_001}
MANIFEST: dict[str, Any] = {
    "display_information": {"name": "filer"},
    "features": {
        "bot_user": {"display_name": "filer"},
        "app_home": {"home_tab_enabled": True},
        "shortcuts": [{"name": "New", "type": "global", "callback_id": "new", "description": "x"}],
    },
    "oauth_config": {"scopes": {"bot": ["chat:write", "channels:read", "commands", "files:read", "files:write"]}},
    "settings": {"interactivity": {"is_enabled": True}, "socket_mode_enabled": True},
}
HOMELESS = {**MANIFEST, "features": {"bot_user": {"display_name": "homeless"}}}

ABSENT = "this workspace has none of "
PREFERENCE = ABSENT + "the preferences by which owners restrict files"
CANVASES = ABSENT + "canvases"
BEYOND: Mapping[str, Mapping[str, str]] = {
    "apps.connections.open": {
        "forbidden_team": "an app-level token is good in every workspace that has the app",
        "insecure_request": "the local Slack is reached without TLS by design",
        "missing_args": "the method takes no arguments",
    },
    "files.completeUploadExternal": {
        **dict.fromkeys(("file_type_not_allowed", "file_uploads_except_images_disabled"), PREFERENCE),
        "file_update_failed": "Slack's own machinery fails, which faults say as 5xx",
        "invalid_channel": "what names no channel gets channel_not_found",
    },
    "files.delete": dict.fromkeys(("delete_not_allowed", "file_deleting_disabled"), PREFERENCE),
    "files.getUploadURLExternal": {
        **dict.fromkeys(("file_type_not_allowed", "file_uploads_disabled"), PREFERENCE),
        **dict.fromkeys(("file_upload_size_restricted", "file_uploads_except_images_disabled"), PREFERENCE),
        "storage_limit_reached": "the size of a plan's storage is not published for the method",
        "unknown_snippet_type": "the list of types is not among the data; any is taken",
        "unknown_subtype": "the method takes no argument that names one",
    },
    "files.info": {
        **dict.fromkeys(
            ("canvas_disabled_file_team", "canvas_disabled_user_team", "canvas_globally_disabled"), CANVASES
        ),
        "template_not_visible": ABSENT + "templates",
    },
    "files.list": {"missing_argument": "an organization's token must name the team_id, and none is handed out here"},
    "files.upload": dict.fromkeys(DOCUMENTED["files.upload"]["errors"], "it answers method_deprecated to everybody"),
    "rtm.connect": {"migration_in_progress": "a workspace is never moved between servers"},
    "rtm.start": {
        "migration_in_progress": "a workspace is never moved between servers",
        "rtm_connect_required": "it does what rtm.connect does, as Slack's has since September 2022",
    },
    "views.publish": {
        "missing_profile_id": "what leads to it is not documented",
        "not_implemented": "home tabs are implemented",
    },
}
"""Method -> error -> why no call causes it."""


class Place:
    """A workspace with an app that has files and views; each of its errors by the call that gets it."""

    def __init__(self) -> None:
        self.workspace = Workspace(Seed(people=(SeedPerson(name="you"), SeedPerson(name="other"))))
        self.now = 1_700_000_000 * SECOND
        self.triggers: list[str] = []
        self.filer, self.homeless = self.install(MANIFEST), self.install(HOMELESS)
        self.you, self.other = (str(row["id"]) for row in self.operate("emulator.users.list")["users"])
        listed = self.operate("emulator.channels.list")["channels"]
        self.jobs, self.general = (
            next(row["id"] for row in listed if row["name"] == name) for name in ("jobs", "general")
        )

    def install(self, manifest: dict[str, Any]) -> Caller:
        app = self.operate("emulator.apps.create", manifest=manifest, channels=["#jobs"])["app"]
        caller = self.workspace.authorize(app["bot_token"])
        assert isinstance(caller, Caller)
        return caller

    def person(self) -> Caller:
        token = self.operate("emulator.users.list")["users"][0]["token"]
        caller = self.workspace.authorize(token)
        assert isinstance(caller, Caller)
        return caller

    def operate(self, method: str, **args: object) -> dict[str, Any]:
        return self.ask(OPERATOR, method, **args)

    def ask(self, caller: Caller, method: str, /, **args: object) -> dict[str, Any]:
        self.now += 1000
        outcome = self.workspace.apply(self.now, caller, method, args)
        self.triggers += [
            str(payload.body["trigger_id"]) for payload in outcome.payloads if "trigger_id" in payload.body
        ]
        return dict(outcome.reply)

    def error(self, method: str, /, *, by: Caller | None = None, **args: object) -> str:
        return str(self.ask(by or self.filer, method, **args)["error"])

    def trigger(self, **args: object) -> str:
        """A person uses the shortcut, or clicks in a view."""
        deed = "click" if args else "shortcut"
        self.operate(f"emulator.interactions.{deed}", user=self.you, **(args or {"callback_id": "new"}))
        return self.triggers[-1]

    def file(self, *, by: Caller | None = None, **args: object) -> str:
        """A file that is there."""
        caller = by or self.filer
        ident = str(self.ask(caller, "files.getUploadURLExternal", filename="a.txt", length=3)["file_id"])
        self.operate("emulator.files.uploaded", file=ident, length=3)
        assert self.ask(caller, "files.completeUploadExternal", files=[{"id": ident}], **args)["ok"]
        return ident

    def pending(self) -> list[dict[str, str]]:
        ident = str(self.ask(self.filer, "files.getUploadURLExternal", filename="a.txt", length=3)["file_id"])
        self.operate("emulator.files.uploaded", file=ident, length=3)
        return [{"id": ident}]


@pytest.fixture
def place() -> Place:
    return Place()


def files(place: Place) -> dict[tuple[str, str], str]:
    """(method, error that is documented) -> the error that the call gets."""
    upload, complete = "files.getUploadURLExternal", "files.completeUploadExternal"
    mine, gone, theirs = place.file(channel_id=place.jobs), place.file(), place.file(by=place.homeless)
    place.ask(place.filer, "files.delete", file=gone)
    shared = place.file(by=place.homeless, channel_id=place.jobs)
    many = [f"C0{number:08d}" for number in range(101)]
    archived = place.ask(place.person(), "conversations.create", name="old")["channel"]["id"]
    place.ask(place.person(), "conversations.invite", channel=archived, users=place.filer.user)
    place.ask(place.person(), "conversations.archive", channel=archived)
    assert place.ask(place.filer, "files.info", file=mine)["ok"]
    return {
        (upload, "missing_argument"): place.error(upload, filename="a.txt"),
        (upload, "snippet_too_large"): place.error(upload, filename="a", length=1024 * 1024 + 1, snippet_type="python"),
        (upload, "alt_txt_too_large"): place.error(upload, filename="a", length=3, alt_txt="x" * 1001),
        (complete, "file_not_found"): place.error(complete, files=[{"id": "F0NONE"}]),
        (complete, "channel_not_found"): place.error(complete, files=place.pending(), channel_id="C0NONE"),
        (complete, "channels_limit_exceeded"): place.error(complete, files=place.pending(), channels=many),
        (complete, "not_in_channel"): place.error(complete, files=place.pending(), channel_id=place.general),
        (complete, "posting_to_channel_denied"): place.error(complete, files=place.pending(), channel_id=archived),
        (complete, "invalid_blocks"): place.error(complete, files=place.pending(), channel_id=place.jobs, blocks=[{}]),
        ("files.info", "file_not_found"): place.error("files.info", file="F0NONE"),
        ("files.info", "file_deleted"): place.error("files.info", file=gone),
        ("files.info", "not_visible"): place.error("files.info", file=theirs),
        ("files.delete", "file_not_found"): place.error("files.delete", file="F0NONE"),
        ("files.delete", "file_deleted"): place.error("files.delete", file=gone),
        ("files.delete", "cant_delete_file"): place.error("files.delete", file=shared),
        ("files.list", "user_not_found"): place.error("files.list", user="U0NONE"),
        ("files.list", "unknown_type"): place.error("files.list", types="songs"),
    }


def views(place: Place) -> dict[tuple[str, str], str]:
    """The same of views."""
    old = place.trigger()
    place.now += 4 * SECOND
    used = place.trigger()
    root = place.ask(place.filer, "views.open", trigger_id=used, view=NAMED)["view"]
    home = place.ask(place.filer, "views.publish", user_id=place.you, view={**HOME, "external_id": "home"})["view"]

    def of_trigger(method: str) -> dict[tuple[str, str], str]:
        return {
            (method, "invalid_trigger_id"): place.error(method, trigger_id="none", view=MODAL),
            (method, "exchanged_trigger_id"): place.error(method, trigger_id=used, view=MODAL),
            (method, "expired_trigger_id"): place.error(method, trigger_id=old, view=MODAL),
            (method, "view_too_large"): place.error(method, trigger_id=place.trigger(), view=LARGE),
        }

    def click(view: Mapping[str, Any]) -> str:
        return place.trigger(view_id=view["id"], action_id="go")

    found = {
        **of_trigger("views.open"),
        **of_trigger("views.push"),
        ("views.push", "not_found"): place.error("views.push", trigger_id=place.trigger(), view=MODAL),
        ("views.push", "duplicate_external_id"): place.error("views.push", trigger_id=click(root), view=NAMED),
        ("views.update", "not_found"): place.error("views.update", view_id="V0NONE", view=MODAL),
        ("views.update", "hash_conflict"): place.error("views.update", view_id=root["id"], view=MODAL, hash="0"),
        ("views.update", "view_too_large"): place.error("views.update", view_id=root["id"], view=LARGE),
        ("views.update", "duplicate_external_id"): place.error(
            "views.update", view_id=root["id"], view={**MODAL, "external_id": "home"}
        ),
        ("views.publish", "hash_conflict"): place.error("views.publish", user_id=place.you, view=HOME, hash="0"),
        ("views.publish", "view_too_large"): place.error(
            "views.publish", user_id=place.you, view={**HOME, "private_metadata": "x" * 250_001}
        ),
        ("views.publish", "duplicate_external_id"): place.error(
            "views.publish", user_id=place.other, view={**HOME, "external_id": home["external_id"]}
        ),
        ("views.publish", "not_enabled"): place.error("views.publish", by=place.homeless, user_id=place.you, view=HOME),
    }
    top = root
    for _ in range(2):
        top = place.ask(place.filer, "views.push", trigger_id=click(top), view=MODAL)["view"]
    found["views.push", "push_limit_reached"] = place.error("views.push", trigger_id=click(top), view=MODAL)
    found["views.open", "duplicate_external_id"] = place.error("views.open", trigger_id=place.trigger(), view=NAMED)
    return found


def test_a_documented_error_of_files_is_what_such_a_call_gets(place: Place) -> None:
    found = files(place)
    assert {key: error for key, error in found.items() if key[1] != error} == {}


def test_a_documented_error_of_views_is_what_such_a_call_gets(place: Place) -> None:
    found = views(place)
    assert {key: error for key, error in found.items() if key[1] != error} == {}


def test_every_documented_error_is_reached_or_has_a_reason(place: Place) -> None:
    reached = files(place).keys() | views(Place()).keys()
    open_ends = {
        (method, code)
        for method, facts in OURS.items()
        for code in facts["errors"]
        if (method, code) not in reached
        and code not in BEYOND.get(method, {})
        and not code.startswith("slack_connect_")
    }
    assert open_ends == set()
    assert OURS.keys() - METHODS.keys() == set()
    assert {(method, code) for method, codes in BEYOND.items() for code in codes} & reached == set()


def test_the_old_upload_is_deprecated_for_everybody(place: Place) -> None:
    assert place.error("files.upload", content="x", channels=place.jobs) == "method_deprecated"
