"""views.*: modals that open on a trigger, and home tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.identifiers import derived_id
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.surfaces import View
from slackmq.emulator.view_rows import checked_view, view_row

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.model import TokenType
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import App, Row
    from slackmq.emulator.surfaces import Trigger

__all__ = ["FAMILY", "MOST_VIEWS", "TRIGGER_LIFE", "change", "stack_on"]

FAMILY = Family()
_BOT: frozenset[TokenType] = frozenset({"bot"})

TRIGGER_LIFE = 3_000_000
"""Microseconds in which a trigger must be used (docs.slack.dev, "Modals")."""
MOST_VIEWS = 3
"""Modals on top of each other (docs.slack.dev, views.push, push_limit_reached)."""


@FAMILY.method("views.open", tier=Tier.FOUR, tokens=_BOT, write=True)
def open_view(call: Call) -> Reply:
    """A modal for the person who just acted."""
    trigger, given = _trigger(call), checked_view(call, kind="modal")
    _unique(call, given)
    trigger.used = True
    call.state.surfaces.stacks[trigger.user] = []
    return {"view": stack_on(call, _app(call), trigger.user, given).row}


@FAMILY.method("views.push", tier=Tier.FOUR, tokens=_BOT, write=True)
def push(call: Call) -> Reply:
    """A modal on top of the one in which the person just acted."""
    trigger, given = _trigger(call), checked_view(call, kind="modal")
    stack = call.state.surfaces.stacks.get(trigger.user, [])
    if not trigger.view or trigger.view not in stack:
        raise Refusal("not_found")
    if len(stack) >= MOST_VIEWS:
        raise Refusal("push_limit_reached")
    _unique(call, given)
    trigger.used = True
    return {"view": stack_on(call, _app(call), trigger.user, given).row}


@FAMILY.method("views.update", tier=Tier.FOUR, tokens=_BOT, write=True)
def update(call: Call) -> Reply:
    """Replace a view, named by Slack's id or by the app's own, if it still has the given `hash`."""
    surfaces, app = call.state.surfaces, _app(call)
    ident = call.args.text("view_id") or surfaces.external_ids.get(call.args.text("external_id"), "")
    view = surfaces.views.get(ident)
    if view is None or view.app != app.id:
        raise Refusal("not_found")
    given = checked_view(call, kind=view.row["type"])
    _compare(call, view)
    _unique(call, given, but=ident)
    change(call, app, view, given)
    return {"view": view.row}


@FAMILY.method("views.publish", tier=Tier.FOUR, tokens=_BOT, write=True)
def publish(call: Call) -> Reply:
    """Replace what one person sees on the app's home tab."""
    surfaces, app, user = call.state.surfaces, _app(call), call.args.text("user_id")
    person = call.state.users.get(user)
    if person is None:
        raise Refusal("invalid_arguments", response_metadata={"messages": ["invalid `user_id`"]})
    if app.manifest is not None and not app.manifest.home_tab:
        raise Refusal("not_enabled")
    given = checked_view(call, kind="home")
    ident = surfaces.homes.get((app.id, user), "")
    _unique(call, given, but=ident)
    if ident:
        view = surfaces.views[ident]
        _compare(call, view)
        change(call, app, view, given)
        return {"view": view.row}
    view = _new(call, app, user, given)
    surfaces.homes[app.id, user] = view.id
    return {"view": view.row}


def stack_on(call: Call, app: App, user: str, given: Row) -> View:
    """Open a modal on top of those that the person has open."""
    stack = call.state.surfaces.stacks.setdefault(user, [])
    view = _new(call, app, user, given)
    if stack:
        view.row = {**view.row, "previous_view_id": stack[-1], "root_view_id": stack[0]}
    stack.append(view.id)
    return view


def change(call: Call, app: App, view: View, given: Row) -> None:
    """Put something else into a view; what was entered into blocks that stay is kept."""
    before = view.row
    places = {"previous_view_id": before["previous_view_id"], "root_view_id": before["root_view_id"]}
    row = view_row(call, app, given, view.id, **places)
    kept = {block["block_id"] for block in row["blocks"]}
    row["state"] = {"values": {key: value for key, value in before["state"]["values"].items() if key in kept}}
    view.row = row
    call.state.surfaces.external_ids.pop(before["external_id"], None)
    _name(call, view)


def _app(call: Call) -> App:
    ident = call.caller.app
    if ident is None:
        raise Refusal("not_allowed_token_type")
    return call.state.apps[ident]


def _new(call: Call, app: App, user: str, given: Row) -> View:
    ident = derived_id("V", app.id, user, len(call.state.surfaces.views))
    view = View(id=ident, app=app.id, user=user, row=view_row(call, app, given, ident))
    call.state.surfaces.views[ident] = view
    _name(call, view)
    return view


def _name(call: Call, view: View) -> None:
    if view.row["external_id"]:
        call.state.surfaces.external_ids[view.row["external_id"]] = view.id


def _unique(call: Call, given: Row, *, but: str = "") -> None:
    taken = call.state.surfaces.external_ids.get(str(given.get("external_id", "")), but)
    if taken != but:
        raise Refusal("duplicate_external_id")


def _compare(call: Call, view: View) -> None:
    known = call.args.text("hash")
    if known and known != view.row["hash"]:
        raise Refusal("hash_conflict")


def _trigger(call: Call) -> Trigger:
    """The trigger that the caller holds.

    Raises:
        Refusal: invalid_trigger_id; exchanged_trigger_id; expired_trigger_id.
    """
    ident = call.args.text("trigger_id") or call.args.text("interactivity_pointer")
    trigger = call.state.surfaces.triggers.get(ident)
    if trigger is None or trigger.app != call.caller.app:
        raise Refusal("invalid_trigger_id")
    if trigger.used:
        raise Refusal("exchanged_trigger_id")
    if call.now - trigger.at > TRIGGER_LIFE:
        raise Refusal("expired_trigger_id")
    return trigger
