"""auth.*, apps.connections.open, api.test: who am I, may I connect, are you there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.pages import page
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply

__all__ = ["FAMILY"]

FAMILY = Family()


@FAMILY.method("auth.test", tier=Tier.HUNDREDS, tokens=frozenset({"bot", "user", "app"}))
def auth_test(call: Call) -> Reply:
    """Whom the token stands for."""
    caller, state = call.caller, call.state
    if caller.type == "app" and caller.app is not None:
        return {"app_name": state.apps[caller.app].name, "app_id": caller.app}
    reply: Reply = {
        "url": state.url,
        "team": state.seed.team,
        "user": state.users[caller.user].name,
        "team_id": state.seed.team_id,
        "user_id": caller.user,
    }
    if caller.bot is not None:
        reply["bot_id"] = caller.bot
    reply["is_enterprise_install"] = False
    return reply


@FAMILY.method("auth.revoke", tier=Tier.THREE, tokens=frozenset({"bot", "user", "app"}), write=True)
def auth_revoke(call: Call) -> Reply:
    """The token is valid no more; with `test` it stays so."""
    if call.args.flag("test"):
        return {"revoked": False}
    token = _token(call)
    call.state.tokens.pop(token, None)
    call.state.refused[token] = "token_revoked"
    return {"revoked": True}


@FAMILY.method("auth.teams.list", tier=Tier.TWO, paged=True)
def teams_list(call: Call) -> Reply:
    """The workspaces that the token is good for: this one."""
    seed = call.state.seed
    part, cursor = page(call.args, [{"id": seed.team_id, "name": seed.team}], default=100, most=1000)
    return {"teams": list(part), "response_metadata": {"next_cursor": cursor}}


@FAMILY.method("apps.connections.open", tier=Tier.THREE, tokens=frozenset({"app"}), scopes=("connections:write",))
def connections_open(_call: Call) -> Reply:
    """Leave to open a Socket Mode connection; the server adds the `url`."""
    return {}


@FAMILY.method("api.test", tier=Tier.FOUR, tokens=frozenset({"bot", "user", "app", "operator"}), open=True)
def api_test(call: Call) -> Reply:
    """The arguments, or the error that they ask for."""
    given = call.args.all()
    facts = {"args": given} if given else {}
    if "error" in call.args:
        raise Refusal(call.args.text("error"), **facts)
    return facts


def _token(call: Call) -> str:
    caller, state = call.caller, call.state
    if caller.app is None:
        return state.users[caller.user].token
    app = state.apps[caller.app]
    return app.app_token if caller.type == "app" else app.bot_token
