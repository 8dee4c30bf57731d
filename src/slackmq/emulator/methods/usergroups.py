"""usergroups.*: groups of people, of which a free workspace has none; emulator.usergroups.*: how they come to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.identifiers import derived_id
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.state import Group

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.model import TokenType
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import Row

__all__ = ["FAMILY"]

FAMILY = Family()
_READ = ("usergroups:read",)
_OPERATOR: frozenset[TokenType] = frozenset({"operator"})


@FAMILY.method("usergroups.list", tier=Tier.TWO, scopes=_READ)
def list_groups(call: Call) -> Reply:
    """All groups; with `include_users` who is in each."""
    _planned(call)
    return {"usergroups": [_row(call, group) for group in call.state.groups.values()]}


@FAMILY.method("usergroups.users.list", tier=Tier.TWO, scopes=_READ)
def list_users(call: Call) -> Reply:
    """Who is in a group."""
    _planned(call)
    group = call.state.groups.get(call.args.text("usergroup"))
    if group is None:
        raise Refusal("no_such_subteam")
    return {"users": list(group.users)}


@FAMILY.method("emulator.usergroups.put", tier=Tier.FREE, tokens=_OPERATOR, write=True)
def put(call: Call) -> Reply:
    """The people with the ids in `users` are the group called `handle` from now on; returns it."""
    handle, users = call.args.text("handle"), call.args.names("users")
    if not handle:
        raise Refusal("invalid_name_required")
    if any(user not in call.state.users for user in users):
        raise Refusal("user_not_found")
    ident = derived_id("S", handle)
    known = call.state.groups.get(ident)
    created = call.second if known is None else known.created
    group = Group(id=ident, handle=handle, users=tuple(users), created=created, updated=call.second)
    call.state.groups[ident] = group
    return {"usergroup": _row(call, group, users=True)}


def _planned(call: Call) -> None:
    """Go on only where the plan includes groups.

    Raises:
        Refusal: invalid_team, plan_upgrade_required.
    """
    if call.args.text("team_id") not in {"", call.state.seed.team_id}:
        raise Refusal("invalid_team")
    if call.state.seed.visible_days is not None:
        raise Refusal("plan_upgrade_required")


def _row(call: Call, group: Group, *, users: bool = False) -> Row:
    """A group as Slack's docs show it (docs.slack.dev, usergroups.list)."""
    owner = next(iter(call.state.users))
    row: Row = {
        "id": group.id,
        "team_id": call.state.seed.team_id,
        "is_usergroup": True,
        "name": group.handle,
        "description": "",
        "handle": group.handle,
        "is_external": False,
        "date_create": group.created,
        "date_update": group.updated,
        "date_delete": 0,
        "auto_type": None,
        "created_by": owner,
        "updated_by": owner,
        "deleted_by": None,
        "prefs": {"channels": [], "groups": []},
    }
    if users or call.args.flag("include_users"):
        row["users"] = list(group.users)
    if call.args.flag("include_count"):
        row["user_count"] = len(group.users)
    return row
