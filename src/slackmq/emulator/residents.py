"""How people, apps and channels come into a workspace: from the seed, and later by the operator or a method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.app_secrets import credentials_of, digits
from slackmq.emulator.identifiers import derived_id, derived_secret
from slackmq.emulator.model import Caller
from slackmq.emulator.state import App, Channel, State, User
from slackmq.emulator.subscriptions import heard

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slackmq.emulator.app_secrets import Credentials
    from slackmq.emulator.model import Guest, Kind
    from slackmq.emulator.seed import Seed

__all__ = ["PERSON_SCOPES", "admit_app", "admit_person", "direct_of", "founded", "open_channel"]

PERSON_SCOPES = frozenset({"client"})
"""A person's token is that of Slack's own client, which may do everything that the person may."""

APP_LEVEL_SCOPES = frozenset({"connections:write", "authorizations:read"})


def founded(seed: Seed) -> State:
    """A new workspace as the seed describes it."""
    state = State(seed=seed)
    residents = {
        person.name: admit_person(state, person.name, seed.created, email=person.email, guest=person.guest).id
        for person in seed.people
    }
    for app in seed.apps:
        admitted = admit_app(state, app.name, app.scopes, app.events, seed.created, unlisted=app.unlisted)
        residents[app.name] = admitted.bot_user
    creator = next(iter(residents.values()), "")
    for channel in seed.channels:
        opened = open_channel(state, channel.name, creator, seed.created, private=channel.private)
        opened.general = len(state.channels) == 1
        opened.everybody = channel.members is None
        members = [name for name in residents if not state.users[residents[name]].guest]
        names = members if channel.members is None else channel.members
        opened.members.update((residents[name], None) for name in names)
    return state


def admit_person(state: State, name: str, created: int, *, email: str = "", guest: Guest = "") -> User:
    """A new person with an account and a token, a member of every channel that is for everybody; guests of none."""
    secret, ordinal = state.seed.secret, len(state.users)
    ident = derived_id("U", state.seed.team_id, ordinal)
    numbers = [digits(secret, f"{ident}/{part}", 13) for part in ("team", "user", "app")]
    token = f"xoxp-{'-'.join(numbers)}-{derived_secret(secret, f'xoxp/{ident}', 32)}"
    email = email or f"{name}@{state.seed.domain}.example"
    user = User(id=ident, name=name, created=created, updated=created, token=token, email=email, guest=guest)
    state.users[ident] = user
    state.tokens[token] = Caller(type="user", user=ident, scopes=PERSON_SCOPES)
    for channel in state.channels.values():
        if channel.everybody and not guest:
            channel.members[ident] = None
    return user


def admit_app(
    state: State,
    name: str,
    scopes: Iterable[str],
    events: Iterable[str],
    created: int,
    *,
    unlisted: bool = False,
    credentials: Credentials | None = None,
) -> App:
    """A new app with its bot user and its two tokens; the bot is a member of no channel.

    With `credentials` it is one that another workspace has as well; only its bot is this workspace's own.
    """
    seed, ordinal = state.seed, len(state.apps)
    credentials = credentials or credentials_of(seed, ordinal)
    ident, bot_id = credentials.app, derived_id("B", seed.team_id, ordinal)
    bot_user = derived_id("U", seed.team_id, len(state.users))
    subscribed, granted = tuple(events), frozenset(scopes)
    numbers = [digits(seed.secret, f"{ident}/{part}", 13) for part in ("team", "bot")]
    app = App(
        name=name,
        bot_user=bot_user,
        bot_id=bot_id,
        bot_token=f"xoxb-{numbers[0]}-{numbers[1]}-{derived_secret(seed.secret, f'xoxb/{ident}', 24)}",
        scopes=granted,
        events=subscribed,
        hears=heard(subscribed, granted),
        profile=_bot_profile(seed, ident, bot_id, name, created),
        credentials=credentials,
        created=created,
        unlisted=unlisted,
    )
    state.apps[ident] = state.bots[bot_id] = app
    state.users[bot_user] = User(id=bot_user, name=name, created=created, updated=created, app=app)
    state.tokens[app.bot_token] = Caller(type="bot", user=bot_user, app=ident, bot=bot_id, scopes=granted)
    state.tokens[app.app_token] = Caller(type="app", app=ident, scopes=APP_LEVEL_SCOPES)
    return app


def open_channel(state: State, name: str, creator: str, created: int, *, private: bool) -> Channel:
    """A new channel without members; its name must be free."""
    ident = derived_id("C", state.seed.team_id, len(state.channels))
    kind: Kind = "private_channel" if private else "public_channel"
    channel = Channel(id=ident, name=name, creator=creator, created=created, kind=kind)
    state.channels[ident] = channel
    state.names[name] = ident
    return channel


def direct_of(state: State, members: Iterable[str], created: int) -> Channel:
    """The direct message of just these users; if there is none yet, a new one that `State.keep` takes in."""
    users = list(dict.fromkeys(members))
    known = state.directs.get(frozenset(users))
    if known is not None:
        return state.channels[known]
    several = len(users) > 2  # noqa: PLR2004  # two people make a direct message, or one with a note to self
    return Channel(
        id=derived_id("G" if several else "D", state.seed.team_id, *sorted(users)),
        name=f"mpdm-{'--'.join(state.users[user].name for user in users)}-1" if several else "",
        creator=users[0],
        created=created,
        kind="mpim" if several else "im",
        members=dict.fromkeys(users),
    )


def _bot_profile(seed: Seed, app: str, bot: str, name: str, updated: int) -> dict[str, object]:
    icons = {f"image_{size}": f"https://a.slack-edge.com/80588/img/plugins/app/bot_{size}.png" for size in (36, 48, 72)}
    return {
        "id": bot,
        "app_id": app,
        "name": name,
        "icons": icons,
        "deleted": False,
        "updated": updated,
        "team_id": seed.team_id,
    }
