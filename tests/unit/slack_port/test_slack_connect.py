from __future__ import annotations

import anyio
import pytest

from slackmq.errors import ConfigurationError
from slackmq.slack.connect import Settings, connect, open_events, open_slack, resolve
from slackmq.slack.events import SocketEvents
from slackmq.slack.polling import NoEvents


def test_settings_come_from_the_environment() -> None:
    env = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACKMQ_URL": "http://127.0.0.1:1/api"}
    assert resolve(env) == Settings(token="xoxb-1", app_token="xapp-1", url="http://127.0.0.1:1/api/")


def test_an_argument_wins_over_its_variable() -> None:
    env = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACKMQ_URL": "http://127.0.0.1:1/api/"}
    given = Settings(token="xoxb-2", app_token="xapp-2", url="https://example.com/")
    assert resolve(env, token="xoxb-2", app_token="xapp-2", url="https://example.com/") == given


@pytest.mark.parametrize("env", [{}, {"SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": "", "SLACKMQ_URL": ""}])
def test_without_settings_it_is_slack_without_a_token(env: dict[str, str]) -> None:
    assert resolve(env) == Settings(token=None, app_token=None, url="https://slack.com/api/")


def test_settings_do_not_show_their_tokens() -> None:
    settings = resolve({"SLACK_BOT_TOKEN": "xoxb-secret", "SLACK_APP_TOKEN": "xapp-secret"})
    assert "secret" not in repr(settings)
    assert "secret" not in str(settings)


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"SLACK_BOT_TOKEN": "xapp-secret"}, "SLACK_BOT_TOKEN"),
        ({"SLACK_APP_TOKEN": "xoxb-secret"}, "SLACK_APP_TOKEN"),
        ({"SLACKMQ_URL": "slack.com/api"}, "SLACKMQ_URL"),
        ({"SLACKMQ_URL": "http://"}, "SLACKMQ_URL"),
        ({"SLACKMQ_URL": "ftp://slack.com/"}, "SLACKMQ_URL"),
    ],
)
def test_settings_that_cannot_be_meant_are_named(env: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence) as caught:
        resolve(env)
    assert caught.value.remedy
    assert "secret" not in str(caught.value)


async def test_without_a_token_two_lines_say_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACKMQ_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError) as caught:
        async with connect():
            pass
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert "SLACK_BOT_TOKEN" in lines[0]
    assert "SLACK_APP_TOKEN" in lines[0]
    assert "--local" in lines[1]


async def test_local_is_for_the_command_to_resolve() -> None:
    settings = resolve({"SLACKMQ_URL": "local", "SLACK_BOT_TOKEN": "xoxb-1"})
    assert settings.url == "local"
    with pytest.raises(ConfigurationError, match="slackmq emulator"):
        async with open_slack(settings):
            pass


async def test_nothing_is_sent_before_something_is_asked() -> None:
    async with connect(token="xoxb-1", url="http://127.0.0.1:9/api/") as slack:
        assert slack.now() == 0.0


def test_events_need_an_app_level_token() -> None:
    assert isinstance(open_events(Settings(token="xoxb-1")), NoEvents)
    assert isinstance(open_events(Settings(token="xoxb-1", app_token="xapp-1")), SocketEvents)


async def test_a_source_without_events_waits_for_ever() -> None:
    async with NoEvents().listen() as stream:
        with anyio.move_on_after(0.01) as patience:
            await anext(aiter(stream))
    assert patience.cancelled_caught
