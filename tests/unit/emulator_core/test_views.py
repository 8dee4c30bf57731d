from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from slackmq.emulator.model import Caller
from slackmq.emulator.workspace import OPERATOR, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[..., dict[str, Any]]

SECOND = 1_000_000
START = 1_700_000_000 * SECOND
TITLE = {"type": "plain_text", "text": "New"}
MODAL: dict[str, Any] = {"type": "modal", "title": TITLE, "blocks": [{"type": "divider"}]}
HOME: dict[str, Any] = {"type": "home", "blocks": [{"type": "divider"}]}
MANIFEST: dict[str, Any] = {
    "display_information": {"name": "modal"},
    "features": {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
        "shortcuts": [{"name": "New", "type": "global", "callback_id": "new", "description": "x"}],
        "slash_commands": [{"command": "/x", "description": "x"}],
    },
    "oauth_config": {"scopes": {"bot": ["chat:write", "commands"]}},
    "settings": {"interactivity": {"is_enabled": True}, "socket_mode_enabled": True},
}


class Place:
    """A workspace whose clock the test moves."""

    def __init__(self, manifest: dict[str, Any] | None = None) -> None:
        self.workspace = Workspace()
        self.now = START
        self.sent: list[dict[str, Any]] = []
        app = self.operator("emulator.apps.create", manifest=manifest or MANIFEST, channels=["#jobs"])["app"]
        caller = self.workspace.authorize(app["bot_token"])
        assert isinstance(caller, Caller)
        self.caller, self.app = caller, app
        self.user = self.operator("emulator.users.list")["users"][0]["id"]
        channels = self.operator("emulator.channels.list")["channels"]
        self.jobs = next(row["id"] for row in channels if row["name"] == "jobs")

    def operator(self, method: str, **args: object) -> dict[str, Any]:
        return self._apply(OPERATOR, method, args)

    def bot(self, method: str, **args: object) -> dict[str, Any]:
        return self._apply(self.caller, method, args)

    def trigger(self, **args: object) -> str:
        """A person uses the shortcut, or clicks: returns the trigger."""
        method = "click" if args else "shortcut"
        self.operator(f"emulator.interactions.{method}", user=self.user, **(args or {"callback_id": "new"}))
        return str(self.sent[-1]["trigger_id"])

    def opened(self, view: dict[str, Any] = MODAL) -> dict[str, Any]:
        row: dict[str, Any] = self.bot("views.open", trigger_id=self.trigger(), view=view)["view"]
        return row

    def _apply(self, caller: Caller, method: str, args: dict[str, object]) -> dict[str, Any]:
        self.now += 1000
        outcome = self.workspace.apply(self.now, caller, method, args)
        self.sent += [dict(payload.body) for payload in outcome.payloads]
        return dict(outcome.reply)


@pytest.fixture
def place() -> Place:
    return Place()


def test_a_trigger_expires_after_three_seconds(place: Place) -> None:
    trigger = place.trigger()
    place.now += 3 * SECOND
    assert place.bot("views.open", trigger_id=trigger, view=MODAL)["error"] == "expired_trigger_id"


def test_a_refused_view_leaves_the_trigger_good(place: Place) -> None:
    trigger = place.trigger()
    assert place.bot("views.open", trigger_id=trigger, view=HOME)["error"] == "invalid_arguments"
    assert place.bot("views.open", trigger_id=trigger, view=MODAL)["ok"]


def test_another_app_cannot_use_the_trigger(place: Place) -> None:
    trigger = place.trigger()
    other = place.operator("emulator.apps.create", manifest=MANIFEST)["app"]
    caller = place.workspace.authorize(other["bot_token"])
    assert isinstance(caller, Caller)
    reply = place.workspace.apply(place.now, caller, "views.open", {"trigger_id": trigger, "view": MODAL}).reply
    assert reply["error"] == "invalid_trigger_id"


def test_three_views_stand_on_each_other_and_no_more(place: Place) -> None:
    button = {"type": "button", "action_id": "go", "text": TITLE}
    view = {**MODAL, "blocks": [{"type": "actions", "elements": [button]}]}
    top = place.opened(view)
    root = top["id"]
    for _ in range(2):
        pushed = place.bot("views.push", trigger_id=place.trigger(view_id=top["id"], action_id="go"), view=view)["view"]
        assert (pushed["previous_view_id"], pushed["root_view_id"]) == (top["id"], root)
        top = pushed
    trigger = place.trigger(view_id=top["id"], action_id="go")
    assert place.bot("views.push", trigger_id=trigger, view=view)["error"] == "push_limit_reached"


def test_a_push_wants_a_trigger_from_a_modal(place: Place) -> None:
    place.opened()
    assert place.bot("views.push", trigger_id=place.trigger(), view=MODAL)["error"] == "not_found"


def test_an_update_compares_the_hash(place: Place) -> None:
    view = place.opened()
    changed = place.bot("views.update", view_id=view["id"], hash=view["hash"], view=MODAL)["view"]
    assert changed["hash"] != view["hash"]
    stale = place.bot("views.update", view_id=view["id"], hash=view["hash"], view=MODAL)
    assert stale["error"] == "hash_conflict"
    assert place.bot("views.update", view_id="V1", view=MODAL)["error"] == "not_found"


def test_a_published_home_is_a_register_with_compare_and_swap(place: Place) -> None:
    first = place.bot("views.publish", user_id=place.user, view=HOME)["view"]
    second = place.bot("views.publish", user_id=place.user, view=HOME, hash=first["hash"])["view"]
    assert second["id"] == first["id"]
    assert place.bot("views.publish", user_id=place.user, view=HOME, hash=first["hash"])["error"] == "hash_conflict"
    assert place.bot("views.publish", user_id="U1", view=HOME)["error"] == "invalid_arguments"


def test_without_a_home_tab_nothing_is_published() -> None:
    place = Place({**MANIFEST, "features": {**MANIFEST["features"], "app_home": {}}})
    assert place.bot("views.publish", user_id=place.user, view=HOME)["error"] == "not_enabled"


def test_an_apps_own_id_names_one_view(place: Place) -> None:
    named = {**MODAL, "external_id": "mine"}
    view = place.opened(named)
    again = place.bot("views.open", trigger_id=place.trigger(), view=named)
    assert again["error"] == "duplicate_external_id"
    assert place.bot("views.update", external_id="mine", view=named)["view"]["id"] == view["id"]


@pytest.mark.parametrize(
    ("view", "sentence"),
    [
        ({"type": "modal", "blocks": []}, "missing required field: title"),
        ({**MODAL, "blocks": None}, "missing required field: blocks"),
        ({**MODAL, "blocks": [7]}, "missing required field: type [json-pointer:/view/blocks/0]"),
        ({**MODAL, "blocks": [{"type": "divider"}] * 101}, "no more than 100 items allowed"),
        ({**MODAL, "title": {"type": "plain_text", "text": "x" * 25}}, "must be less than 25 characters"),
        ({**MODAL, "title": "New"}, "must provide an object of type plain_text"),
        ({**MODAL, "private_metadata": "x" * 3001}, "must be less than 3001 characters"),
        ({**MODAL, "blocks": [{"type": "input"}], "submit": TITLE}, "missing required field: element"),
        ({**MODAL, "blocks": [{"type": "actions", "elements": 7}]}, "missing required field: elements"),
        ({**MODAL, "blocks": [{"type": "input", "element": {"type": "x"}}]}, "missing required field: submit"),
    ],
)
def test_a_wrong_view_is_refused_with_a_pointer(place: Place, view: dict[str, Any], sentence: str) -> None:
    reply = place.bot("views.open", trigger_id=place.trigger(), view=view)
    assert reply["error"] == "invalid_arguments"
    assert any(sentence in message for message in reply["response_metadata"]["messages"])


def test_a_huge_view_is_too_large(place: Place) -> None:
    huge = {**MODAL, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 250_000}}]}
    assert place.bot("views.open", trigger_id=place.trigger(), view=huge)["error"] == "view_too_large"


def test_closing_is_told_only_if_the_view_asks_for_it(place: Place) -> None:
    for notify in (False, True):
        view = place.opened({**MODAL, "notify_on_close": notify})
        count = len(place.sent)
        place.operator("emulator.modals.close", user=place.user, view_id=view["id"])
        assert len(place.sent) - count == notify
        assert place.operator("emulator.modals.seen", user=place.user)["views"] == []
    assert (place.sent[-1]["type"], place.sent[-1]["is_cleared"]) == ("view_closed", False)


def test_an_empty_required_input_never_reaches_the_app(place: Place) -> None:
    block = {"type": "input", "block_id": "b", "element": {"type": "plain_text_input", "action_id": "a"}}
    view = place.opened({**MODAL, "submit": TITLE, "blocks": [block]})
    reply = place.operator("emulator.modals.submit", user=place.user, view_id=view["id"], values={"b": {"a": ""}})
    assert (reply["error"], list(reply["errors"])) == ("invalid_values", ["b"])


def test_a_response_url_works_five_times_within_thirty_minutes(place: Place) -> None:
    def said(key: str) -> str:
        reply = place.operator("emulator.replies.post", key=key, payload={"text": "x"})
        return str(reply.get("error", "ok"))

    keys: list[str] = []
    for _ in range(2):
        place.operator("emulator.interactions.command", user=place.user, channel="#jobs", text="/x")
        keys.append(place.sent[-1]["response_url"].rpartition("/")[2])
    assert [said(keys[0]) for _ in range(6)] == ["ok"] * 5 + ["used_url"]
    place.now += 30 * 60 * SECOND
    assert (said(keys[1]), said("nonsense")) == ("expired_url", "invalid_url")


def test_a_refused_answer_does_not_use_the_response_url_up(place: Place) -> None:
    place.operator("emulator.interactions.command", user=place.user, channel="#jobs", text="/x")
    key = place.sent[-1]["response_url"].rpartition("/")[2]
    for _ in range(6):
        assert place.operator("emulator.replies.post", key=key, payload={})["error"] == "no_text"
    assert place.operator("emulator.replies.post", key=key, payload={"text": "x"})["ok"]


def test_only_the_first_answer_counts(place: Place) -> None:
    number = place.operator("emulator.interactions.command", user=place.user, channel="#jobs", text="/x")["interaction"]
    for text in ("first", "second"):
        place.operator("emulator.interactions.settle", interaction=number, payload={"text": text})
    seen = place.operator("emulator.modals.seen", user=place.user)["messages"]
    assert [row["text"] for row in seen] == ["first"]


def test_an_unknown_command_or_shortcut_is_refused(place: Place) -> None:
    command = place.operator("emulator.interactions.command", user=place.user, channel="#jobs", text="/nobody")
    shortcut = place.operator("emulator.interactions.shortcut", user=place.user, callback_id="nobody")
    assert (command["error"], shortcut["error"]) == ("unknown_command", "unknown_shortcut")


def test_a_switched_off_interactivity_hands_nothing_over() -> None:
    place = Place({**MANIFEST, "settings": {"socket_mode_enabled": True}})
    reply = place.operator("emulator.interactions.shortcut", user=place.user, callback_id="new")
    assert (reply["error"], place.sent) == ("interactivity_disabled", [])


def test_a_replayed_workspace_draws_the_same_triggers_views_and_addresses() -> None:
    one, two = Place(), Place()
    assert one.opened() == two.opened()
    assert one.sent == two.sent
