"""emulator.apps.*: what Slack's site for developers does: install an app from its manifest, change it, ask about it.

No token reaches these methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.app_secrets import Credentials
from slackmq.emulator.arguments import Arguments
from slackmq.emulator.identifiers import derived_id, derived_secret
from slackmq.emulator.manifest import manifest_of
from slackmq.emulator.manifest_text import read_manifest
from slackmq.emulator.model import Caller
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.residents import admit_app
from slackmq.emulator.subscriptions import heard
from slackmq.emulator.surfaces import Webhook

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.manifest import Manifest
    from slackmq.emulator.model import TokenType
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import App, Channel, State

__all__ = ["FAMILY"]

FAMILY = Family()
_OPERATOR: frozenset[TokenType] = frozenset({"operator"})
_CLASSIC = frozenset({"bot", "client", "identify"})
"""What the token of a bot of the old kind may do: all that Slack's own client may (the umbrella scope "bot")."""


@FAMILY.method("emulator.apps.create", tier=Tier.FREE, tokens=_OPERATOR, write=True)
def create(call: Call) -> Reply:
    """Install an app from `manifest` (YAML or JSON); its bot joins `channels` (names or ids).

    With the scope incoming-webhook the app gets an address that posts to the first of them.
    """
    manifest = _manifest(call)
    channels = _channels(call)
    app = admit_app(call.state, manifest.bot, manifest.scopes, manifest.events, call.second)
    app.manifest = manifest
    for channel in channels:
        channel.members[app.bot_user] = None
    if "incoming-webhook" in app.scopes and channels:
        _hook(call.state, app, channels[0])
    return {"app_id": app.id, "credentials": _credentials(app), "app": _shown(call.state, app)}


@FAMILY.method("emulator.apps.update", tier=Tier.FREE, tokens=_OPERATOR, write=True)
def update(call: Call) -> Reply:
    """Give an app another manifest; new scopes hold at once, as after a second installation."""
    app, manifest = _app(call), _manifest(call)
    granted = frozenset(manifest.scopes)
    changed = granted != app.scopes
    app.manifest, app.scopes, app.events = manifest, granted, manifest.events
    app.hears = heard(app.events, granted)
    if app.bot_token in call.state.tokens:
        caller = Caller(type="bot", user=app.bot_user, app=app.id, bot=app.bot_id, scopes=granted)
        call.state.tokens[app.bot_token] = caller
    return {"app_id": app.id, "permissions_updated": changed}


@FAMILY.method("emulator.apps.validate", tier=Tier.FREE, tokens=_OPERATOR)
def validate(call: Call) -> Reply:
    """What is wrong with a manifest."""
    _manifest(call)
    return {"errors": []}


@FAMILY.method("emulator.apps.info", tier=Tier.FREE, tokens=_OPERATOR)
def info(call: Call) -> Reply:
    """Everything that the app's owner finds on Slack's site: secrets, manifest, webhooks."""
    app = _app(call)
    return {"credentials": _credentials(app), "app": _shown(call.state, app)}


@FAMILY.method("emulator.apps.export", tier=Tier.FREE, tokens=_OPERATOR)
def export(call: Call) -> Reply:
    """What another workspace must be given to install this very app: `app`, for emulator.apps.adopt."""
    app = _app(call)
    told = {
        "name": app.name,
        "scopes": sorted(app.scopes),
        "events": list(app.events),
        "unlisted": app.unlisted,
        "manifest": None if app.manifest is None else app.manifest.given,
        "credentials": app.credentials.to_json(),
    }
    return {"app": told}


@FAMILY.method("emulator.apps.adopt", tier=Tier.FREE, tokens=_OPERATOR, write=True)
def adopt(call: Call) -> Reply:
    """Install an app that another workspace has: `app` as it was exported there; its bot joins `channels`.

    Its credentials are the same; its bot user, its bot token and its webhook are this workspace's own.
    """
    given = Arguments(call.args.mapping("app", refusal="invalid_app") or {})
    credentials = Credentials.of_json(given.mapping("credentials", refusal="invalid_app"))
    if not given.text("name") or credentials is None:
        raise Refusal("invalid_app")
    if credentials.app in call.state.apps:
        raise Refusal("app_already_installed")
    told = given.mapping("manifest", refusal="invalid_manifest")
    manifest = None if told is None else manifest_of(told)
    channels = _channels(call)
    app = admit_app(
        call.state,
        given.text("name"),
        given.names("scopes"),
        given.names("events"),
        call.second,
        unlisted=given.flag("unlisted"),
        credentials=credentials,
    )
    app.manifest = manifest
    for channel in channels:
        channel.members[app.bot_user] = None
    if "incoming-webhook" in app.scopes and channels:
        _hook(call.state, app, channels[0])
    return {"app_id": app.id, "app": _shown(call.state, app)}


@FAMILY.method("emulator.apps.classic", tier=Tier.FREE, tokens=_OPERATOR, write=True)
def classic(call: Call) -> Reply:
    """Install a bot of the old kind, with `name`: its token may do everything and opens RTM connections."""
    name = call.args.text("name")
    if not name:
        raise Refusal("invalid_name_required")
    channels = _channels(call)
    app = admit_app(call.state, name, _CLASSIC, (), call.second)
    for channel in channels:
        channel.members[app.bot_user] = None
    return {"app_id": app.id, "app": _shown(call.state, app)}


def _manifest(call: Call) -> Manifest:
    given = call.args.all().get("manifest")
    if not given:
        raise Refusal("invalid_arguments", response_metadata={"messages": ["[ERROR] missing required field: manifest"]})
    if isinstance(given, str):
        return manifest_of(read_manifest(given))
    return manifest_of(call.args.mapping("manifest", refusal="invalid_manifest") or {})


def _channels(call: Call) -> list[Channel]:
    state = call.state
    idents = [state.names.get(given.removeprefix("#"), given) for given in call.args.names("channels")]
    if not state.channels.keys() >= set(idents):
        raise Refusal("channel_not_found")
    return [state.channels[ident] for ident in idents]


def _app(call: Call) -> App:
    app = call.state.apps.get(call.args.text("app"))
    if app is None:
        raise Refusal("app_not_found")
    return app


def _hook(state: State, app: App, channel: Channel) -> None:
    secret = derived_secret(state.seed.secret, f"webhook/{app.id}/{channel.id}", 24)
    path = f"{state.seed.team_id}/{derived_id('B', app.id, channel.id)}/{secret}"
    state.surfaces.webhooks[path] = Webhook(app=app.id, channel=channel.id)


def _credentials(app: App) -> Reply:
    names = ("client_id", "verification_token", "signing_secret")
    return {name: getattr(app.credentials, name) for name in names}


def _shown(state: State, app: App) -> Reply:
    hooks = [
        {"channel": hook.channel, "url": f"{state.origin}/services/{path}"}
        for path, hook in state.surfaces.webhooks.items()
        if hook.app == app.id
    ]
    return {
        "id": app.id,
        "name": app.name,
        "bot_user": app.bot_user,
        "bot_id": app.bot_id,
        "bot_token": app.bot_token,
        "app_token": app.app_token,
        "scopes": sorted(app.scopes),
        "events": sorted(app.hears),
        "manifest": None if app.manifest is None else app.manifest.given,
        "webhooks": hooks,
    }
