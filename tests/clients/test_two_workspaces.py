"""One bot in two workspaces, as apps that are installed by several: same app, same secrets, a token for each."""

from __future__ import annotations

import queue
from asyncio import to_thread
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import anyio
import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient
from tests.clients.manifests import manifest

from slackmq.emulator.launch import CannotStart
from slackmq.testing import CallRefused, workspace

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from slackmq.testing import TestApp, Workspace


@pytest.fixture
def local() -> Iterator[Workspace]:
    with workspace(beside=["Acme Corp."]) as slack:
        yield slack


@pytest.fixture
def acme(local: Workspace) -> Workspace:
    return local.beside[0]


def _client(app: TestApp) -> Any:
    return WebClient(app.bot_token, base_url=app.url, retry_handlers=[])


@contextmanager
def _bolt(*installed: tuple[Workspace, TestApp]) -> Generator[tuple[Any, SocketModeHandler]]:
    """A Bolt app with an installation for each workspace, over the one connection that its app-level token opens."""
    tokens = {there.team_id: app for there, app in installed}

    def authorize(team_id: str, **_: Any) -> AuthorizeResult:
        app = tokens[team_id]
        return AuthorizeResult(
            enterprise_id=None, team_id=team_id, bot_token=app.bot_token, bot_user_id=app.bot_user, bot_id="B0"
        )

    first = installed[0][1]
    bolt: Any = App(authorize=authorize, client=WebClient(base_url=first.url), signing_secret=first.signing_secret)
    handler: Any = SocketModeHandler(bolt, first.app_token, web_client=WebClient(base_url=first.url))
    try:
        yield bolt, handler
    finally:
        handler.close()


def test_auth_test_tells_the_workspace_of_each_token(local: Workspace, acme: Workspace) -> None:
    told = [_client(there.app).auth_test() for there in (local, acme)]
    assert [(answer["team"], answer["team_id"]) for answer in told] == [
        ("Local", local.team_id),
        ("Acme Corp.", acme.team_id),
    ]
    assert told[0]["user_id"] != told[1]["user_id"]
    assert local.app.id == acme.app.id
    assert local.app.app_token == acme.app.app_token
    assert local.app.signing_secret == acme.app.signing_secret


def test_a_bolt_app_answers_in_both_over_one_connection_each_with_its_own_token(
    local: Workspace, acme: Workspace
) -> None:
    with _bolt((local, local.app), (acme, acme.app)) as (bolt, handler):

        @bolt.message("toggle")  # type: ignore[untyped-decorator]  # Bolt has no type for it
        def toggle(context: Any, say: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # Bolt keeps it
            say(f"toggled in {context.team_id}")

        handler.connect()  # type: ignore[no-untyped-call]  # as above
        for there in (acme, local):
            there.post("toggle dining light", channel="jobs")
            found = there.until("jobs", lambda rows: [row for row in rows if row["text"].startswith("toggled")])
            assert [(row["text"], row["user"]) for row in found] == [
                (f"toggled in {there.team_id}", there.app.bot_user)
            ]
            assert len(there.connections()) == 1


def test_a_slash_command_is_answered_in_the_workspace_where_it_was_given(local: Workspace, acme: Workspace) -> None:
    ours = local.install(manifest(), channels=["jobs"])
    theirs = acme.adopt(ours, local, channels=["jobs"])
    given: queue.Queue[str] = queue.Queue()
    with _bolt((local, ours), (acme, theirs)) as (bolt, handler):

        @bolt.command("/deploy")  # type: ignore[untyped-decorator]  # as above
        def deploy(ack: Any, body: Any, respond: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
            ack(f"for {body['team_id']}")
            respond(f"later, for {body['team_id']}", response_type="in_channel")
            given.put(body["team_id"])

        handler.connect()  # type: ignore[no-untyped-call]  # as above
        for there in (local, acme, acme, local):
            answer = there.interact("command", channel=there.channel("jobs"), text="/deploy")
            assert "failure" not in answer["answer"]
            assert given.get(timeout=60) == there.team_id
    for there in (local, acme):
        rows = [row["text"] for row in there.messages("jobs") if row["text"].startswith("later")]
        assert rows == [f"later, for {there.team_id}"] * 2


def test_neither_workspace_shows_anything_to_the_other(local: Workspace, acme: Workspace) -> None:
    acme.post("a secret of theirs", channel="jobs")
    assert local.messages("jobs") == []
    with pytest.raises(SlackApiError, match="channel_not_found"):
        _client(local.app).conversations_history(channel=acme.channel("jobs"))
    with pytest.raises(SlackApiError, match="channel_not_found"):
        _client(acme.app).chat_postMessage(channel=local.channel("jobs"), text="hello?")
    with pytest.raises(SlackApiError, match="user_not_found"):
        _client(acme.app).users_info(user=local.person().id)


def test_files_webhooks_and_rtm_of_a_further_workspace_have_addresses_that_work(
    local: Workspace, acme: Workspace
) -> None:
    ours = local.install(
        {**manifest(), "oauth_config": {"scopes": {"bot": ["files:read", "files:write", "chat:write"]}}}
    )
    app = acme.adopt(ours, local, channels=["jobs"])
    uploaded: Any = _client(app).files_upload_v2(channel=acme.channel("jobs"), content="a,b", filename="t.csv")
    assert uploaded["file"]["url_private"].startswith(local.page_url)
    row = next(row for row in acme.messages("jobs") if row.get("files"))
    assert row["files"][0]["name"] == "t.csv"

    given = manifest()
    given["oauth_config"]["scopes"]["bot"].append("incoming-webhook")
    hooked = acme.install(given, channels=["jobs"])
    assert WebhookClient(hooked.webhooks[0]).send(text="by webhook").status_code == 200
    assert [row["text"] for row in acme.messages("jobs")][-1] == "by webhook"


def test_rtm_of_a_further_workspace_hears_that_one_only(local: Workspace, acme: Workspace) -> None:
    person: Any = WebClient(acme.person().token, base_url=acme.url)

    async def main() -> dict[str, Any]:
        url: str = (await to_thread(person.rtm_connect))["url"]
        async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
            assert (await socket.receive_json(timeout=60))["type"] == "hello"
            await to_thread(local.post, "ours", channel="jobs")
            await to_thread(acme.post, "theirs", channel="jobs", person="colleague")
            told: dict[str, Any] = await socket.receive_json(timeout=60)
            return told

    told = anyio.run(main)
    assert (told["type"], told["text"]) == ("message", "theirs")


def test_a_revoked_token_is_told_from_one_that_never_was(acme: Workspace) -> None:
    token = acme.app.bot_token
    _client(acme.app).auth_revoke()
    with pytest.raises(SlackApiError, match="token_revoked"):
        WebClient(token, base_url=acme.url).auth_test()
    with pytest.raises(SlackApiError, match="invalid_auth"):
        WebClient("xoxb-none", base_url=acme.url).auth_test()


def test_a_revoked_installation_leaves_the_connection_to_the_other_workspace(local: Workspace, acme: Workspace) -> None:
    with _bolt((local, local.app), (acme, acme.app)) as (bolt, handler):

        @bolt.message("toggle")  # type: ignore[untyped-decorator]  # as above
        def toggle(say: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
            say("toggled")

        handler.connect()  # type: ignore[no-untyped-call]  # as above
        _client(acme.app).auth_revoke()
        local.post("toggle", channel="jobs")
        local.until("jobs", lambda rows: [row for row in rows if row["text"] == "toggled"])
        assert len(local.connections()) == 1


def test_both_are_kept_each_in_a_file_of_its_own_and_share_the_clock(tmp_path: Path) -> None:
    data = tmp_path / "slack.db"
    with workspace(beside=["Acme"], data=data) as local:
        local.advance(86_400)
        ts = local.beside[0].post("remember me", channel="jobs")
        token = local.beside[0].app.bot_token
        assert float(ts) > float(local.post("and me", channel="jobs")) - 60
    assert (tmp_path / "slack.db.acme").exists()
    with workspace(beside=["Acme"], data=data) as local:
        assert [row["text"] for row in local.beside[0].messages("jobs")] == ["remember me"]
        assert local.beside[0].app.bot_token == token
    with workspace(data=data) as alone:
        assert alone.beside == ()


def test_the_page_of_a_further_workspace_is_at_its_own_name(local: Workspace, acme: Workspace) -> None:
    acme.post("a secret of theirs", channel="general")
    local.post("a secret of ours", channel="general")
    netloc = urlsplit(local.page_url).netloc
    name = f"acme-corp.localhost:{netloc.rpartition(':')[2]}"
    assert acme.page_url == f"http://{name}/"

    def page(host: str, path: str) -> tuple[int, str]:
        with closing(HTTPConnection(netloc, timeout=60)) as http:
            http.request("GET", path, headers={"Host": host})
            response = http.getresponse()
            return response.status, response.read().decode()

    theirs, ours = page(name, f"/c/{acme.channel('general')}"), page(netloc, f"/c/{local.channel('general')}")
    assert "a secret of theirs" in theirs[1]
    assert "a secret of ours" not in theirs[1]
    assert "a secret of ours" in ours[1]
    assert "a secret of theirs" not in ours[1]
    assert page(name.replace("acme-corp", "evil"), "/")[0] == 403
    assert page("acme-corp.localhost", f"/c/{local.channel('general')}")[0] == 403
    assert page(name.upper(), f"/c/{acme.channel('general')}") == theirs


def _heard_by(local: Workspace, *there: Workspace) -> list[str]:
    """What one bot, over its one connection, hears of a message posted in each."""
    texts: queue.Queue[str] = queue.Queue()
    with _bolt(*((each, each.app) for each in (local, *there))) as (bolt, handler):

        @bolt.message("ping")  # type: ignore[untyped-decorator]  # as above
        def ping(message: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
            texts.put(message["text"])

        handler.connect()  # type: ignore[no-untyped-call]  # as above
        for number, each in enumerate(there):
            each.post(f"ping {number}", channel="jobs")
        return [texts.get(timeout=2) for _ in there]


def test_the_clock_is_common_whichever_of_them_puts_it_forward(local: Workspace, acme: Workspace) -> None:
    acme.advance(86_400)
    assert abs(float(local.post("ours", channel="jobs")) - float(acme.post("theirs", channel="jobs"))) < 60
    assert _heard_by(local, acme) == ["ping 0"]


def test_after_a_restart_the_clock_of_the_one_that_is_ahead_is_that_of_both(tmp_path: Path) -> None:
    data = tmp_path / "slack.db"
    with workspace(beside=["Acme"], data=data) as local:
        local.advance(86_400)
        before = local.beside[0].post("nobody writes in the first one", channel="jobs")
    with workspace(beside=["Acme"], data=data) as local:
        assert _heard_by(local, local.beside[0]) == ["ping 0"]
        assert 0 < float(local.post("ours", channel="jobs")) - float(before) < 60


def test_faults_strike_the_webhooks_of_every_workspace(local: Workspace, acme: Workspace) -> None:
    given = manifest()
    given["oauth_config"]["scopes"]["bot"].append("incoming-webhook")
    ours = local.install(given, channels=["jobs"])
    theirs = acme.adopt(ours, local, channels=["jobs"])
    hooks = [WebhookClient(app.webhooks[0], retry_handlers=[]) for app in (ours, theirs)]
    assert [hook.send(text="fair").status_code for hook in hooks] == [200, 200]
    local.arm(error_before=1.0)
    assert [hook.send(text="struck").status_code for hook in hooks] == [503, 503]
    local.disarm()
    assert [row["text"] for row in acme.messages("jobs") if row.get("bot_id")] == ["fair"]


def test_an_app_that_the_other_workspace_does_not_have_is_refused(local: Workspace, acme: Workspace) -> None:
    theirs = acme.install(manifest())
    with pytest.raises(CallRefused, match="app_not_found"):
        acme.adopt(theirs, local)


def test_the_record_tells_no_secrets_of_an_adopted_app(local: Workspace, acme: Workspace) -> None:
    ours = local.install(manifest())
    theirs = acme.adopt(ours, local)
    told = repr(acme.calls())
    assert "emulator.apps.adopt" in told
    assert not [secret for secret in (ours.app_token, ours.signing_secret, theirs.bot_token) if secret in told]


@pytest.mark.parametrize("spelling", ["{name}", "{name}:", "{name}:0{port}", "x@{name}:{port}", "{name}:{port}/x"])
def test_the_first_workspace_never_answers_in_the_name_of_a_further_one(local: Workspace, spelling: str) -> None:
    netloc = urlsplit(local.page_url).netloc
    host = spelling.format(name="acme-corp.localhost", port=netloc.rpartition(":")[2])
    with closing(HTTPConnection(netloc, timeout=60)) as http:
        http.request("GET", "/", headers={"Host": host})
        assert http.getresponse().status == 403


def test_an_app_is_adopted_once(local: Workspace, acme: Workspace) -> None:
    with pytest.raises(CallRefused, match="app_already_installed"):
        acme.adopt(local.app, local)


@pytest.mark.parametrize("names", [["local"], ["Acme", "acme"], ["!!"], ["Receipts"], ["files"], ["admin"]])
def test_names_that_give_no_address_of_their_own_are_refused(names: list[str]) -> None:
    with pytest.raises(CannotStart, match="no address of its own"), workspace(beside=names):
        pass
