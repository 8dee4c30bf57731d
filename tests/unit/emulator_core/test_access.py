from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from slackmq.emulator.methods import METHODS
from slackmq.emulator.model import Caller
from slackmq.emulator.registry import Tier
from slackmq.emulator.seed import QUEUE_SCOPES, Seed
from slackmq.emulator.workspace import NOBODY, OPERATOR, WRITES, Workspace, is_open, is_write

Ask = Callable[..., dict[str, Any]]


def test_a_call_without_a_valid_token_gets_slacks_code(workspace: Workspace) -> None:
    assert workspace.authorize(None) == workspace.authorize("") == "not_authed"
    assert workspace.authorize("xoxb-made-up") == "invalid_auth"


def test_the_tokens_of_a_revoked_app_open_nothing(workspace: Workspace, operator: Ask) -> None:
    app = operator("emulator.apps.list")["apps"][0]
    assert operator("emulator.apps.revoke", app=app["id"]) == {"ok": True}
    assert workspace.authorize(app["bot_token"]) == workspace.authorize(app["app_token"]) == "token_revoked"
    assert operator("emulator.apps.revoke", app="A0NONE")["error"] == "app_not_found"


def test_the_token_of_a_closed_account_opens_nothing(workspace: Workspace, operator: Ask) -> None:
    person = operator("emulator.users.create", name="guest")["user"]
    assert isinstance(workspace.authorize(person["token"]), Caller)
    assert operator("emulator.users.deactivate", user=person["id"]) == {"ok": True}
    assert workspace.authorize(person["token"]) == "account_inactive"


def test_a_new_person_is_a_member_where_everybody_is(
    operator: Ask, jobs: str, with_token: Callable[[str], Ask]
) -> None:
    person = operator("emulator.users.create", name="guest")["user"]
    assert with_token(person["token"])("chat.postMessage", channel=jobs, text="x")["ok"]
    assert operator("emulator.users.create", name="guest")["error"] == "name_taken"


def test_no_token_reaches_the_operators_methods(bot: Ask, you: Ask) -> None:
    names = [name for name in METHODS if name.startswith("emulator.")]
    assert names
    for name in names:
        assert bot(name, name="x")["error"] == you(name, name="x")["error"] == "unknown_method"


def test_the_operator_is_nobody_in_slack(operator: Ask, jobs: str) -> None:
    assert operator("chat.postMessage", channel=jobs, text="x")["error"] == "not_allowed_token_type"


def test_a_method_that_slack_does_not_have_is_unknown(bot: Ask) -> None:
    assert bot("chat.shout") == {"ok": False, "error": "unknown_method"}


def test_each_token_tells_whom_it_stands_for(
    operator: Ask, bot: Ask, you: Ask, with_token: Callable[[str], Ask]
) -> None:
    app = operator("emulator.apps.list")["apps"][0]
    mine = bot("auth.test")
    assert (mine["user_id"], mine["bot_id"], mine["team"]) == (app["bot_user"], app["bot_id"], "Local")
    assert (you("auth.test")["user"], "bot_id" in you("auth.test")) == ("you", False)
    assert with_token(app["app_token"])("auth.test") == {"ok": True, "app_name": "slackmq", "app_id": app["id"]}


def test_only_an_app_level_token_opens_a_socket(operator: Ask, bot: Ask, with_token: Callable[[str], Ask]) -> None:
    app = operator("emulator.apps.list")["apps"][0]
    assert with_token(app["app_token"])("apps.connections.open") == {"ok": True}
    assert bot("apps.connections.open")["error"] == "not_allowed_token_type"
    assert with_token(app["app_token"])("chat.postMessage")["error"] == "not_allowed_token_type"


@pytest.mark.parametrize(
    ("method", "scope"),
    [
        ("chat.postMessage", "chat:write"),
        ("reactions.add", "reactions:write"),
        ("reactions.get", "reactions:read"),
        ("pins.add", "pins:write"),
        ("pins.list", "pins:read"),
        ("users.info", "users:read"),
        ("team.info", "team:read"),
        ("conversations.join", "channels:join"),
    ],
)
def test_a_missing_scope_is_named(
    operator: Ask, with_token: Callable[[str], Ask], jobs: str, method: str, scope: str
) -> None:
    scopes = sorted(set(QUEUE_SCOPES) - {scope})
    app = operator("emulator.apps.install", name="poor", scopes=scopes, channels="jobs")["app"]
    reply = with_token(app["bot_token"])(method, channel=jobs)
    assert (reply["error"], reply["provided"]) == ("missing_scope", ",".join(scopes))
    assert scope in reply["needed"].split(",")


def test_the_scope_goes_by_the_type_of_the_channel(operator: Ask, you: Ask, with_token: Callable[[str], Ask]) -> None:
    app = operator("emulator.apps.install", name="open", scopes=["channels:history"], channels=["jobs"])["app"]
    private = you("conversations.create", name="secret", is_private=True)["channel"]["id"]
    you("conversations.invite", channel=private, users=app["bot_user"])
    reply = with_token(app["bot_token"])("conversations.history", channel=private)
    assert (reply["error"], reply["needed"]) == ("missing_scope", "groups:history")


def test_api_test_needs_no_token_and_gives_back_what_it_got(workspace: Workspace) -> None:
    assert is_open("api.test")
    assert not is_open("auth.test")
    assert workspace.apply(0, NOBODY, "api.test", {"a": 1, "token": "t"}).reply == {"ok": True, "args": {"a": 1}}
    assert workspace.apply(0, NOBODY, "api.test", {"error": "oh"}).reply["error"] == "oh"
    assert workspace.apply(0, NOBODY, "auth.whoever", {}).reply["error"] == "unknown_method"


def test_nobody_does_anything_else_without_a_token(workspace: Workspace, jobs: str) -> None:
    for name in METHODS.keys() - {"api.test"}:
        error = workspace.apply(0, NOBODY, name, {"channel": jobs, "text": "x", "user": ""}).reply["error"]
        assert error == ("unknown_method" if name.startswith("emulator.") else "not_authed"), name


def test_reading_needs_no_journal_and_writing_does() -> None:
    reads = {
        name
        for name in METHODS
        if name.rpartition(".")[2] in {"info", "list", "get", "history", "replies", "members", "test"}
    }
    assert not reads & WRITES
    assert {"chat.postMessage", "reactions.add", "pins.remove", "emulator.apps.install"} <= WRITES
    assert is_write("chat.delete")
    assert not is_write("no.such")


def test_every_method_has_the_tier_of_slacks_docs() -> None:
    tiers = {name: METHODS[name].tier for name in ("pins.add", "reactions.add", "reactions.remove", "users.info")}
    assert tiers == {
        "pins.add": Tier.TWO,
        "reactions.add": Tier.THREE,
        "reactions.remove": Tier.TWO,
        "users.info": Tier.FOUR,
    }
    assert {name for name in METHODS if METHODS[name].tier is Tier.FREE} == {
        name for name in METHODS if name.startswith("emulator.")
    }


def test_tokens_come_from_the_secret_and_ids_do_not() -> None:
    one, two = (Workspace(Seed(secret=secret)) for secret in ("one", "two"))
    first, second = (space.apply(0, OPERATOR, "emulator.apps.list", {}).reply["apps"][0] for space in (one, two))
    assert first["id"] == second["id"]
    assert first["bot_token"] != second["bot_token"]
    assert isinstance(two.authorize(second["bot_token"]), Caller)
    assert two.authorize(first["bot_token"]) == "invalid_auth"


def test_a_seed_survives_json() -> None:
    seed = Seed(secret="x", pin_notice=False)
    assert Seed.of_json(seed.as_json()) == seed
    with pytest.raises(TypeError):
        Seed.of_json({**seed.as_json(), "unknown": 1})


def test_bots_and_people_are_found_by_id(bot: Ask, you: Ask) -> None:
    me = bot("auth.test")
    assert bot("bots.info", bot=me["bot_id"])["bot"]["user_id"] == me["user_id"]
    assert bot("bots.info", bot="B0NONE")["error"] == "bot_not_found"
    assert bot("users.info", user=you("auth.test")["user_id"])["user"]["is_bot"] is False
    assert bot("users.info", user="U0NONE")["error"] == "user_not_found"
    assert [user["name"] for user in bot("users.list")["members"]] == ["you", "colleague", "slackmq"]
    assert bot("team.info")["team"]["name"] == "Local"
    assert bot("team.info", team="T0OTHER")["error"] == "team_not_found"
