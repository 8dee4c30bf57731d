from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from slackmq.emulator.model import Event
    from slackmq.emulator.workspace import Workspace

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def guest_of(operator: Ask, with_token: Callable[[str], Ask], bot: Ask) -> Callable[..., Ask]:
    """A new guest in the given channels."""

    def inviting(guest: str, *channels: str) -> Ask:
        person = operator("emulator.users.create", name=f"guest-{guest}", guest=guest)["user"]
        for channel in channels:
            assert bot("conversations.invite", channel=channel, users=person["id"])["ok"]
        return with_token(person["token"])

    return inviting


def test_a_guest_knows_only_the_channels_it_was_invited_to(guest_of: Callable[..., Ask], jobs: str, bot: Ask) -> None:
    guest = guest_of("restricted", jobs)
    assert [row["id"] for row in guest("conversations.list")["channels"]] == [jobs]
    assert guest("chat.postMessage", channel=jobs, text="x")["ok"]
    general = next(row["id"] for row in bot("conversations.list")["channels"] if row["name"] == "general")
    for method in ("conversations.info", "conversations.join", "conversations.history"):
        assert guest(method, channel=general)["error"] == "channel_not_found"
    shown = bot("users.info", user=guest("auth.test")["user_id"])["user"]
    assert (shown["is_restricted"], shown["is_ultra_restricted"]) == (True, False)


def test_a_guest_of_one_channel_stays_in_one(guest_of: Callable[..., Ask], jobs: str, bot: Ask) -> None:
    guest = guest_of("ultra_restricted", jobs)
    fresh = bot("conversations.create", name="fresh")["channel"]["id"]
    reply = bot("conversations.invite", channel=fresh, users=guest("auth.test")["user_id"])
    assert reply["error"] == "ura_max_channels"


def test_the_address_is_shown_only_to_those_with_the_scope(bot: Ask, you: Ask, bot_of: Callable[..., Ask]) -> None:
    me = you("auth.test")["user_id"]
    reader = bot_of("users:read", "users:read.email")
    assert "email" not in bot("users.info", user=me)["user"]["profile"]
    address = reader("users.info", user=me)["user"]["profile"]["email"]
    assert reader("users.lookupByEmail", email=address.upper())["user"]["id"] == me
    assert bot("users.lookupByEmail", email=address)["error"] == "missing_scope"


def test_people_say_whether_they_are_there(bot: Ask, you: Ask) -> None:
    me = you("auth.test")["user_id"]
    assert bot("users.getPresence", user=me) == {"ok": True, "presence": "active"}
    assert you("users.setPresence", presence="away") == {"ok": True}
    assert bot("users.getPresence", user=me)["presence"] == "away"
    assert you("users.getPresence")["manual_away"] is True
    you("users.setPresence", presence="auto")
    assert bot("users.getPresence", user=me)["presence"] == "active"


def test_a_profile_is_changed_by_its_owner_and_everybody_is_told(
    you: Ask, bot: Ask, bot_of: Callable[..., Ask], told: list[Event]
) -> None:
    me = you("auth.test")["user_id"]
    status = {"status_text": "on holiday", "status_emoji": ":palm_tree:", "status_expiration": 0}
    assert you("users.profile.set", profile=status)["profile"]["status_text"] == "on holiday"
    assert you("users.profile.set", name="display_name", value="Yours Truly")["ok"]
    assert (told[-1].subscription, told[-1].inner["user"]["profile"]["status_text"]) == ("user_change", "on holiday")
    profile = bot_of("users.profile:read")("users.profile.get", user=me)["profile"]
    assert (profile["display_name"], profile["display_name_normalized"]) == ("Yours Truly", "Yours Truly")
    assert bot("users.profile.set", profile=status)["error"] == "not_allowed_token_type"


@pytest.mark.parametrize(
    ("profile", "error"),
    [
        ("{", "invalid_profile"),
        ({}, "invalid_profile"),
        ({"shoe_size": "44"}, "invalid_profile"),
        ({"status_text": 1}, "invalid_profile"),
        ({"status_text": "x" * 101}, "too_long"),
        ({"status_emoji": ":no_such:"}, "profile_status_set_failed_not_valid_emoji"),
    ],
)
def test_a_profile_that_makes_no_sense_is_refused(you: Ask, profile: object, error: str) -> None:
    assert you("users.profile.set", profile=profile)["error"] == error


def test_a_status_that_is_too_long_is_refused_with_field_and_limit(you: Ask) -> None:
    reply = you("users.profile.set", profile={"status_text": "x" * 101})
    assert reply == {"ok": False, "error": "too_long", "field": "status_text", "limit": 100}


def test_the_owner_changes_the_profiles_of_others_and_nobody_else_does(
    you: Ask, operator: Ask, with_token: Callable[[str], Ask], bot: Ask
) -> None:
    rows = operator("emulator.users.list")["users"]
    colleague = with_token(next(row["token"] for row in rows if row["name"] == "colleague"))
    me, other, robot = (ask("auth.test")["user_id"] for ask in (you, colleague, bot))
    assert you("users.profile.set", user=other, name="title", value="Baker")["username"] == "colleague"
    assert colleague("users.profile.set", user=me, name="title", value="x")["error"] == "cannot_update_admin_user"
    assert colleague("users.profile.set", user=robot, name="title", value="x")["error"] == "not_app_admin"
    assert you("users.profile.set", user=other, name="email", value="new@example.com")["ok"]
    assert you("users.profile.set", name="email", value="new@example.com")["error"] == "email_taken"


def test_a_status_is_cleared_whole(you: Ask) -> None:
    assert you("users.profile.set", profile={"status_text": "away", "status_emoji": ":palm_tree:"})["ok"]
    for one in ("status_text", "status_emoji"):
        reply = you("users.profile.set", name=one, value="")
        assert reply["error"] == "must_clear_both_status_text_and_status_emoji"
    assert you("users.profile.set", profile={"status_text": "", "status_emoji": ""})["ok"]
    assert you("users.profile.set", name="status_text", value="")["ok"]


def test_a_revoked_token_opens_nothing_and_a_tested_one_stays(workspace: Workspace, operator: Ask, bot: Ask) -> None:
    token = operator("emulator.apps.list")["apps"][0]["bot_token"]
    assert bot("auth.revoke", test=1) == {"ok": True, "revoked": False}
    assert not isinstance(workspace.authorize(token), str)
    assert bot("auth.revoke") == {"ok": True, "revoked": True}
    assert workspace.authorize(token) == "token_revoked"


def test_a_person_keeps_things_for_later_and_a_bot_keeps_nothing(
    you: Ask, bot: Ask, jobs: str, post: Callable[..., str]
) -> None:
    ts = post()
    assert bot("stars.add", channel=jobs, timestamp=ts)["error"] == "not_allowed_token_type"
    assert you("stars.add", channel=jobs, timestamp=ts) == {"ok": True}
    assert you("stars.add", channel=jobs) == {"ok": True}
    items = you("stars.list")["items"]
    assert [item["type"] for item in items] == ["channel", "message"]
    assert (items[1]["message"]["ts"], items[1]["message"]["is_starred"]) == (ts, True)
    assert you("stars.remove", channel=jobs, timestamp=ts) == {"ok": True}
    assert [item["type"] for item in you("stars.list")["items"]] == ["channel"]


def test_a_custom_emoji_may_have_a_name_in_any_script(
    operator: Ask, bot: Ask, jobs: str, post: Callable[..., str], bot_of: Callable[..., Ask]
) -> None:
    ts = post()
    for name in ("完了", "größe", "party-parrot", "don't"):
        assert bot("reactions.add", channel=jobs, timestamp=ts, name=name)["error"] == "invalid_name"
        assert operator("emulator.emoji.add", name=name)["ok"]
        assert bot("reactions.add", channel=jobs, timestamp=ts, name=name) == {"ok": True}
    assert operator("emulator.emoji.add", name="thumbsup")["error"] == "name_taken"
    assert operator("emulator.emoji.add", name="Two Words")["error"] == "invalid_name"
    assert operator("emulator.emoji.add", name="ok", url="alias:nobody")["error"] == "name_taken"
    assert operator("emulator.emoji.add", name="fine", url="alias:nobody")["error"] == "invalid_alias"
    assert operator("emulator.emoji.add", name="fine", url="alias:ok")["ok"]
    assert bot_of("emoji:read")("emoji.list")["emoji"]["fine"] == "alias:ok"


def test_what_a_user_reacted_to_is_listed_latest_first(bot: Ask, jobs: str, post: Callable[..., str]) -> None:
    first, second, third = (post(str(number)) for number in range(3))
    for ts in (second, first, third):
        for name in ("eyes", "x"):
            bot("reactions.add", channel=jobs, timestamp=ts, name=name)
    bot("chat.delete", channel=jobs, ts=third)
    bot("reactions.remove", channel=jobs, timestamp=first, name="x")
    listed = bot("reactions.list")
    assert [item["message"]["ts"] for item in listed["items"]] == [first, second]
    assert listed["paging"] == {"count": 100, "total": 2, "page": 1, "pages": 1}
    assert [item["message"]["ts"] for item in bot("reactions.list", count=1, page=2)["items"]] == [second]
    page = bot("reactions.list", limit=1)
    rest = bot("reactions.list", limit=1, cursor=page["response_metadata"]["next_cursor"])
    assert [item["message"]["ts"] for item in rest["items"]] == [second]
    bot("reactions.remove", channel=jobs, timestamp=first, name="eyes")
    assert [item["message"]["ts"] for item in bot("reactions.list")["items"]] == [second]


def test_everybody_is_told_of_a_newcomer(operator: Ask, told: list[Event]) -> None:
    newcomer = operator("emulator.users.create", name="newcomer")["user"]["id"]
    (event,) = told
    assert (event.subscription, event.inner["type"], event.inner["user"]["id"]) == ("team_join", "team_join", newcomer)
