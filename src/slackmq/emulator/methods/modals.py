"""emulator.modals.* and emulator.interactions.settle: what a person does with views, and what apps answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from slackmq.emulator.elements import entered, found, initial_values
from slackmq.emulator.file_rows import file_row
from slackmq.emulator.methods.interactions import OPERATOR, app_of, hand, person
from slackmq.emulator.methods.views import MOST_VIEWS, change, stack_on
from slackmq.emulator.payloads import action_ts, basics, new_trigger
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.replies import answer
from slackmq.emulator.view_rows import checked_view

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import Row
    from slackmq.emulator.surfaces import Interaction, View

__all__ = ["FAMILY"]

FAMILY = Family()
MOST_FILES = 10
"""Files in a file_input that does not say (docs.slack.dev, "File input element")."""


@FAMILY.method("emulator.modals.submit", tier=Tier.FREE, tokens=OPERATOR, write=True)
def submit(call: Call) -> Reply:
    """The person `user` submits `view_id` with `values`: block_id -> action_id -> what was entered.

    A required input that is empty is refused before the app hears of it, as in Slack's client.
    """
    user, view = person(call), _view(call)
    app = app_of(call, view.app)
    values = _values(call, view)
    view.row = {**view.row, "state": {"values": values}}
    body: Row = {**basics(call, app, user, "view_submission"), "view": view.row, "response_urls": []}
    body["trigger_id"] = new_trigger(call, app, user, view=view.id)
    return hand(call, app, user, body, named="view_submission", view=view.id)


@FAMILY.method("emulator.modals.close", tier=Tier.FREE, tokens=OPERATOR, write=True)
def close(call: Call) -> Reply:
    """The person `user` closes `view_id`, or with `all` every view; the app is told if the view asks for it."""
    user, view = person(call), _view(call)
    app, cleared = app_of(call, view.app), call.args.flag("all")
    stack = call.state.surfaces.stacks[user.id]
    _hide(call, stack[:] if cleared or view.row["clear_on_close"] else [view.id], user.id)
    if not view.row["notify_on_close"]:
        return {}
    body = {**basics(call, app, user, "view_closed"), "view": view.row, "is_cleared": cleared}
    return hand(call, app, user, body, named="view_closed", view=view.id)


@FAMILY.method("emulator.modals.home", tier=Tier.FREE, tokens=OPERATOR, write=True)
def open_home(call: Call) -> Reply:
    """The person `user` opens the home tab of `app`: the app hears app_home_opened; returns the view, if there is one.

    An app without the event learns nothing.
    """
    user, app = person(call), app_of(call, call.args.text("app"))
    surfaces = call.state.surfaces
    ident = surfaces.homes.get((app.id, user.id))
    row = None if ident is None else surfaces.views[ident].row
    inner: Row = {"type": "app_home_opened", "user": user.id, "channel": "", "tab": "home", "event_ts": action_ts(call)}
    if row is not None:
        inner["view"] = row
    call.tell("app_home_opened", None, inner, to=app.id)
    return {"view": row}


@FAMILY.method("emulator.modals.seen", tier=Tier.FREE, tokens=OPERATOR)
def seen(call: Call) -> Reply:
    """What only the person `user` sees: the open modals, the one on top last, and messages for this person alone."""
    user, surfaces = person(call), call.state.surfaces
    views = [surfaces.views[ident].row for ident in surfaces.stacks.get(user.id, ())]
    return {"views": views, "messages": [*surfaces.whispers.get(user.id, ())]}


@FAMILY.method("emulator.interactions.settle", tier=Tier.FREE, tokens=OPERATOR, write=True)
def settle(call: Call) -> Reply:
    """The app answered an `interaction` with a `payload` (or none), or did not (`failure`); only the first counts."""
    told = call.state.surfaces.interactions.get(call.args.text("interaction"))
    if told is None:
        raise Refusal("interaction_not_found")
    if told.settled:
        return {}
    payload = call.args.mapping("payload", refusal="invalid_payload") or {}
    failure = call.args.text("failure")
    if failure:
        told.settled = True
        return {"failure": failure}
    reply = _settled(call, told, payload)
    told.settled = True
    return reply


def _settled(call: Call, told: Interaction, payload: Row) -> Reply:
    if told.kind == "slash_command":
        if payload.get("text") or payload.get("blocks") or payload.get("attachments"):
            leave = call.state.surfaces.reply_urls.get(told.reply_url)
            if leave is None:
                raise Refusal("expired_url")
            answer(call, leave, payload)
        return {}
    if told.kind == "block_suggestion":
        return {key: payload[key] for key in ("options", "option_groups") if key in payload}
    if told.kind == "view_submission":
        return _submitted(call, told, payload)
    return {}


def _submitted(call: Call, told: Interaction, payload: Row) -> Reply:
    """What an app may say to a submission (docs.slack.dev, "Modals", response actions)."""
    surfaces = call.state.surfaces
    view, stack = surfaces.views[told.view], surfaces.stacks.get(told.user, [])
    given: Any = payload.get("view")
    match payload.get("response_action"):
        case "errors":
            return {"errors": payload.get("errors", {})}
        case "clear":
            _hide(call, stack[:], told.user)
        case "update":
            change(call, call.state.apps[view.app], view, _given_view(call, given))
        case "push":
            if len(stack) >= MOST_VIEWS:
                raise Refusal("push_limit_reached")
            stack_on(call, call.state.apps[view.app], told.user, _given_view(call, given))
        case _:
            _hide(call, [told.view], told.user)
    return {}


def _given_view(call: Call, given: object) -> Row:
    checked = call.args.all() | {"view": given}
    return checked_view(call.with_args(checked), kind="modal")


def _view(call: Call) -> View:
    surfaces = call.state.surfaces
    view = surfaces.views.get(call.args.text("view_id"))
    if view is None or view.id not in surfaces.stacks.get(call.args.text("user"), ()):
        raise Refusal("view_not_found")
    return view


def _hide(call: Call, idents: list[str], user: str) -> None:
    surfaces = call.state.surfaces
    stack = surfaces.stacks.get(user, [])
    for ident in idents:
        surfaces.views[ident].shown = False
        if ident in stack:
            stack.remove(ident)


def _values(call: Call, view: View) -> dict[str, dict[str, Row]]:
    """The state of the submitted view: what was there, over it what was entered."""
    blocks: list[Row] = view.row["blocks"]
    values = {block: dict(fields) for block, fields in initial_values(blocks).items()}
    for block, fields in view.row["state"]["values"].items():
        values.setdefault(block, {}).update(fields)
    given = call.args.mapping("values", refusal="invalid_values") or {}
    for block, fields in given.items():
        if not isinstance(fields, dict):
            raise Refusal("invalid_values")
        for action, value in cast("Row", fields).items():
            element = found(blocks, action, block)[1]
            told = _handed(call, view, element, value) if element.get("type") == "file_input" else value
            values.setdefault(block, {})[action] = entered(element, told)
    missing = {
        block["block_id"]: "Please complete this required field."
        for block in blocks
        if block["type"] == "input" and not block.get("optional") and not _filled(values.get(block["block_id"], {}))
    }
    if missing:
        raise Refusal("invalid_values", errors=missing)
    return values


def _handed(call: Call, view: View, element: Row, given: object) -> list[Row]:
    """The files of the person that these ids name; from now on the view's app may read them too.

    Raises:
        Refusal: file_not_found, too_many_files.
    """
    idents = cast("list[object]", given) if isinstance(given, list) else []
    most: object = element.get("max_files")
    if len(idents) > (most if isinstance(most, int) else MOST_FILES):
        raise Refusal("too_many_files")
    files = [call.state.files.get(str(ident)) for ident in idents]
    rows: list[Row] = []
    for file in files:
        if file is None or file.owner != view.user or not file.completed or file.deleted:
            raise Refusal("file_not_found")
        file.handed.add(call.state.apps[view.app].bot_user)
        rows.append(file_row(call.state, file))
    return rows


def _filled(fields: dict[str, Row]) -> bool:
    optional = {"checkboxes"}
    return any(row["type"] in optional or any(v for k, v in row.items() if k != "type") for row in fields.values())
