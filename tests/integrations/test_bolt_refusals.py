"""What cannot work is refused at the start, with what to change."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from slack_bolt import App
from slack_bolt.request import BoltRequest
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

import slackmq
from slackmq.errors import ChannelNotFound, ConfigurationError, MissingScope
from slackmq.integrations.bolt import exactly_one
from slackmq.integrations.bolt.swallowing import check_swallowing

from . import swallowing
from .conftest import FAST
from .test_bolt import bot

if TYPE_CHECKING:
    from slackmq.slack.connect import Settings

    from .conftest import Troupe


def test_an_app_without_listeners_or_channels_or_twice_is_refused(troupe: Troupe) -> None:
    with pytest.raises(ConfigurationError, match="as the last"):
        exactly_one(troupe.app(), "#jobs")
    app = bot(troupe, 0)
    with pytest.raises(ConfigurationError, match="No channel is named"):
        exactly_one(app)
    with pytest.raises(ChannelNotFound):
        exactly_one(app, "#nowhere")
    with (
        exactly_one(app, "#jobs", timing=FAST),
        pytest.raises(ConfigurationError, match="guarded already"),
    ):
        exactly_one(app, "#jobs", timing=FAST)
    with exactly_one(app, "#jobs", timing=FAST):
        pass


@pytest.mark.parametrize(
    ("channels", "options", "says"),
    [
        ((["#jobs"],), {}, r"\['#jobs'\] is no name of a channel. Name each by itself"),
        (("#",), {}, "'#' is no name of a channel"),
        (("#jobs",), {"work": ""}, "'' is no name of a channel"),
        (("#jobs",), {"claim": "emoji"}, "no way to claim called 'emoji'"),
        (("#jobs",), {"retries": -1}, "retries=-1 .* a whole number, 0 or more"),
        (("#jobs",), {"replicas": 0}, "replicas=0 .* 1 or more"),
        (("#jobs",), {"within": 60}, r"within=60 .* within=timedelta\(hours=1\)"),
        (("#jobs",), {"within": timedelta(0)}, "no time in which anything can be begun"),
    ],
)
def test_what_cannot_be_meant_is_named_before_anything_connects(
    channels: tuple[Any, ...], options: dict[str, Any], says: str
) -> None:
    app: Any = App(client=WebClient("xoxb-1", base_url="http://127.0.0.1:9/"), token_verification_enabled=False)
    app.message("toggle")(print)
    with pytest.raises(ConfigurationError, match=says):
        exactly_one(app, *channels, **options)


def test_what_is_no_app_is_refused() -> None:
    given: Any = "#jobs"
    with pytest.raises(ConfigurationError, match="'#jobs' is no Bolt app"):
        exactly_one(given, "#alerts")


def test_an_app_without_the_scope_for_reactions_is_told_which_it_needs(troupe: Troupe) -> None:
    manifest = {
        "display_information": {"name": "Poor"},
        "features": {"bot_user": {"display_name": "poor"}},
        "oauth_config": {"scopes": {"bot": ["chat:write", "channels:history", "channels:read"]}},
        "settings": {"event_subscriptions": {"bot_events": ["message.channels"]}, "socket_mode_enabled": True},
    }
    poor = troupe.slack.install(manifest, channels=["#jobs"])
    app: Any = App(client=WebClient(poor.bot_token, base_url=troupe.slack.url))
    app.message("toggle")(print)
    with pytest.raises(MissingScope, match="reactions:write"):
        exactly_one(app, "#jobs", timing=FAST)


def test_two_settings_in_one_channel_are_named_and_the_second_is_refused(troupe: Troupe) -> None:
    troupe.guard(bot(troupe, 0))
    other = replace(FAST, lease=timedelta(seconds=9))
    with pytest.raises(ConfigurationError, match=r"lease 9 s, there 60 s"):
        exactly_one(bot(troupe, 1), "#jobs", timing=other)
    with pytest.raises(ConfigurationError, match=r"claim pin, there reaction"):
        exactly_one(bot(troupe, 1), "#jobs", timing=FAST, claim="pin")


def test_lazy_functions_that_may_run_in_another_process_are_refused(troupe: Troupe) -> None:
    app = troupe.app(process_before_response=True)

    def work() -> None:
        raise AssertionError

    app.event("message")(ack=work, lazy=[work])
    with pytest.raises(ConfigurationError, match="work has lazy functions"):
        exactly_one(app, "#jobs", timing=FAST)


def request(body: str, *, secret: str, age: float = 0) -> BoltRequest:
    """What a server got, signed with a secret so many seconds ago; not at all with ""."""
    sent_at = str(int(datetime.now(UTC).timestamp() - age))
    signed: dict[str, str] = {}
    if secret:
        signature = SignatureVerifier(secret).generate_signature(timestamp=sent_at, body=body)
        signed = {"x-slack-request-timestamp": sent_at, "x-slack-signature": str(signature)}
    return BoltRequest(body=body, headers={"content-type": "application/json", **signed})


def test_over_http_what_is_not_signed_by_slack_or_too_old_claims_nothing(troupe: Troupe) -> None:
    app = bot(troupe, 0, signing_secret="of Slack")
    troupe.guard(app)
    ts = troupe.say("toggle hall")
    event = {"type": "message", "channel": troupe.slack.channel("jobs"), "text": "toggle hall", "user": "U1", "ts": ts}
    body = json.dumps({"type": "event_callback", "event": event})
    bad = (request(body, secret=""), request(body, secret="of another"), request(body, secret="of Slack", age=600))
    assert [app.dispatch(each).status for each in bad] == [401, 401, 401]
    assert (troupe.marks(ts), troupe.ran) == (set(), [])
    assert app.dispatch(request(body, secret="of Slack")).status == 200
    troupe.done(ts)
    assert len(troupe.ran) == 1


def test_an_app_for_many_workspaces_is_refused(troupe: Troupe) -> None:
    authorize: Any = print
    app: Any = App(client=WebClient(base_url=troupe.slack.url), authorize=authorize, signing_secret="s")
    app.message("toggle")(print)
    with pytest.raises(ConfigurationError, match="many workspaces"):
        exactly_one(app, "#jobs", timing=FAST)


async def opened(app: slackmq.App, settings: Settings) -> None:
    async with app.connected(settings):
        pass


def test_a_setting_that_an_app_or_a_queue_of_ours_holds_is_named_and_the_bot_is_refused(troupe: Troupe) -> None:
    other = replace(FAST, lease=timedelta(seconds=9))
    anyio.run(opened, slackmq.App("#jobs", timing=other), troupe.slack.app.settings)
    with pytest.raises(ConfigurationError, match=r"lease 60 s, there 9 s"):
        exactly_one(bot(troupe, 0), "#jobs", timing=FAST)
    with slackmq.Queue("#general", settings=troupe.slack.app.settings, timing=other):
        pass
    with pytest.raises(ConfigurationError, match=r"lease 60 s, there 9 s"):
        exactly_one(bot(troupe, 0), "#general", timing=FAST)


def test_an_app_of_ours_with_another_setting_than_the_bot_s_is_refused(troupe: Troupe) -> None:
    troupe.guard(bot(troupe, 0))
    other = slackmq.App("#jobs", timing=FAST, claim="pin")
    with pytest.raises(ConfigurationError, match=r"claim pin, there reaction.*remove the bookmark"):
        anyio.run(opened, other, troupe.slack.app.settings)


def test_the_channel_for_records_must_be_set_alike_too(troupe: Troupe) -> None:
    troupe.guard(bot(troupe, 0), "#general", timing=replace(FAST, lease=timedelta(seconds=9)))
    with pytest.raises(ConfigurationError, match=r"#general is worked with another setting: lease 60 s, there 9 s"):
        exactly_one(bot(troupe, 1), "#jobs", work="#general", timing=FAST)


def test_beside_a_newer_version_an_older_replica_is_refused(troupe: Troupe) -> None:
    troupe.guard(bot(troupe, 0))
    client: Any = WebClient(troupe.slack.app.bot_token, base_url=troupe.slack.url)
    channel = troupe.slack.channel("jobs")
    [mark] = client.bookmarks_list(channel_id=channel)["bookmarks"]
    client.bookmarks_edit(channel_id=channel, bookmark_id=mark["id"], link=mark["link"].replace("v=1", "v=2"))
    with pytest.raises(ConfigurationError, match="Upgrade slackmq here"):
        exactly_one(bot(troupe, 1), "#jobs", timing=FAST)


def test_a_listener_that_swallows_what_goes_wrong_is_named_and_with_retries_refused(
    troupe: Troupe, caplog: pytest.LogCaptureFixture
) -> None:
    app = troupe.app()

    @app.message("toggle")  # type: ignore[untyped-decorator]  # Bolt has no type for it
    def toggle(message: dict[str, Any], say: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # Bolt keeps it
        """Switch it."""
        try:
            troupe.noted(0, message["text"])
        except Exception:  # noqa: BLE001  # it is about this
            say("sorry")

    with pytest.raises(ConfigurationError, match=r"toggle catches every exception \(test_bolt_ref.*\d+\).*raise"):
        exactly_one(app, "#jobs", timing=FAST, retries=2)
    troupe.guard(app)
    assert "toggle catches every exception" in caplog.text


@pytest.mark.parametrize("kind", ["bare", "named", "in_a_group"])
def test_however_everything_is_caught_it_is_found(kind: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{kind} catches every exception"):
        check_swallowing(getattr(swallowing, kind), retries=1)


@pytest.mark.parametrize("kind", ["raising", "choosy", "partly", "wrapped"])
def test_a_listener_that_lets_errors_out_is_left_alone(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    check_swallowing(getattr(swallowing, kind), retries=1)
    check_swallowing(len, retries=1)
    assert caplog.text == ""
