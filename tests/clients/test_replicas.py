"""The pages' bots of other frameworks, three processes each: one answers each post, also if one is killed at work."""

from __future__ import annotations

import re
import sysconfig
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slack_sdk import WebClient
from tests.clients.judge import needs, running
from tests.clients.manifests import BOT_EVENTS, BOT_SCOPES, Operator, chatbot, eventually

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.clients.judge import Judge

    from slackmq.emulator.launch import About

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
BLOCKS = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PATH = [str(Path(__file__).parents[2] / "src"), sysconfig.get_paths()["purelib"]]


MORE_METHODS = """
    @listen_to("^toggle both")
    @exactly_one
    async def also(self, message):
        await message.reply("also", in_thread=True)

    @listen_to("^break")
    @exactly_one
    async def broken(self, message):
        raise ValueError("no such lamp")
"""
MORE_COMMANDS = """
    def callback_connect(self):
        tell(rooms=[room.name for room in self.rooms()])

    @re_botcmd(pattern="^toggle both", prefixed=False)
    def also(self, msg, match):
        return "also"

    @botcmd
    def broken(self, msg, args):
        raise ValueError("no such lamp")
"""


class Fleet:
    """Three replicas of one app's bot, as processes of their framework."""

    def __init__(
        self, emulator: About, jobs: str, app: Mapping[str, Any] | None = None, *, name: str = "deployer"
    ) -> None:
        self.operator = Operator(emulator)
        manifest = chatbot(BOT_SCOPES, BOT_EVENTS)
        manifest["display_information"]["name"] = manifest["features"]["bot_user"]["display_name"] = name
        self.app = app or self.operator.install(manifest)
        self.jobs = jobs
        self.person: Any = WebClient(emulator.users[0].token, base_url=emulator.base_url)
        self.judges: list[Judge] = []

    def start(self, stack: ExitStack, name: str, *, count: int = 3, **facts: Any) -> None:
        tokens = {token: self.app[token] for token in ("bot_token", "app_token") if token in self.app}
        for number in range(count):
            here = {"base_url": self.operator.about.base_url, "number": number, **tokens, **facts}
            self.judges.append(stack.enter_context(running(name, "replica.py", **here)))
        if "app_token" in tokens:
            eventually(lambda: self.operator.listeners()["sockets"].get(self.app["id"]) == count, within=120)

    def say(self, text: str) -> str:
        return str(self.person.chat_postMessage(channel=self.jobs, text=text)["ts"])

    def answers(self, ts: str) -> list[str]:
        rows = self.person.conversations_replies(channel=self.jobs, ts=ts)["messages"][1:]
        return [row["text"] for row in rows if row["user"] == self.app["bot_user"]]

    def marks(self, ts: str) -> set[str]:
        message = self.person.reactions_get(channel=self.jobs, timestamp=ts)["message"]
        return {mark["name"] for mark in message.get("reactions", ())}

    def done(self, *posts: str) -> None:
        """Wait until all of them are marked done."""
        eventually(lambda: all("white_check_mark" in self.marks(ts) for ts in posts), within=120)

    def failed(self, ts: str) -> list[str]:
        """What stands in the thread of a post once it is marked dead."""
        eventually(lambda: "x" in self.marks(ts))
        assert "white_check_mark" not in self.marks(ts)
        return self.answers(ts)

    def begun(self) -> list[dict[str, Any]]:
        """What the replicas have begun, as far as it was not asked for before."""
        told: list[dict[str, Any]] = []
        for judge in self.judges:
            told += [each for each in judge.told() if "ran" in each]
        return told


def machine_of_the_page(folder: Path) -> dict[str, Any]:
    """The page's settings and plug-in, for replicas that find them in a folder."""
    settings, plugin = BLOCKS.findall((PAGES / "slack-machine.md").read_text(encoding="utf-8"))
    (folder / "page_settings.py").write_text(settings, encoding="utf-8")
    seen = "from replica import at_work, hang\nimport asyncio\n" + plugin.replace(
        "        await message.reply(",
        '        if at_work(message.text, message.slackmq["attempt"]):\n'
        "            await asyncio.to_thread(hang)\n"
        "        await message.reply(",
    )
    (folder / "plugins.py").write_text(f"{seen}{MORE_METHODS}", encoding="utf-8")
    return {"path": [*PATH, str(folder)]}


@needs("slack-machine")
def test_of_three_slack_machines_one_answers_each_post_and_a_killed_ones_is_answered_by_another(
    emulator: About, jobs: str, tmp_path: Path
) -> None:
    fleet = Fleet(emulator, jobs)
    with ExitStack() as stack:
        fleet.start(stack, "slack-machine", **machine_of_the_page(tmp_path))
        answers_once(fleet, f"<@{fleet.app['bot_user']}> who are you", "lights")
        both = fleet.say("toggle both light")
        fleet.done(both)
        assert sorted(fleet.answers(both)) == ["also", "both toggled"]
        assert "no such lamp" in " ".join(fleet.failed(fleet.say("break it")))


@needs("slack-machine")
def test_of_two_slack_machines_of_two_apps_that_claim_by_pins_one_answers_each_post(
    emulator: About, jobs: str, tmp_path: Path
) -> None:
    fleets = [Fleet(emulator, jobs, name=name) for name in ("first", "second")]
    page = machine_of_the_page(tmp_path)
    with ExitStack() as stack:
        for fleet in fleets:
            fleet.start(stack, "slack-machine", count=1, lease=20, options={"claim": "pin"}, **page)
        posts = [fleets[0].say(f"toggle room{number} light") for number in range(4)]
        fleets[0].done(*posts)
        for number, ts in enumerate(posts):
            said = [text for fleet in fleets for text in fleet.answers(ts)]
            assert said == [f"room{number} toggled"]


def errbot_of_the_page(folder: Path) -> dict[str, Any]:
    """The page's settings and plug-in, for replicas that find them in a folder."""
    settings, plugin = BLOCKS.findall((PAGES / "errbot.md").read_text(encoding="utf-8"))
    (folder / "page_settings.py").write_text(settings, encoding="utf-8")
    seen = "from replica import at_work, hang, tell\n" + plugin.replace(
        "        return ",
        '        if at_work(msg.body, msg.extras["slackmq"]["attempt"]):\n            hang()\n        return ',
    )
    (folder / "lights.py").write_text(f"{seen}{MORE_COMMANDS}", encoding="utf-8")
    plug = "[Core]\nName = Lights\nModule = lights\n\n[Documentation]\nDescription = Lights\n\n[Python]\nVersion = 3\n"
    (folder / "lights.plug").write_text(plug, encoding="utf-8")
    return {"path": [*PATH, str(folder)], "folder": str(folder)}


@needs("errbot")
def test_of_three_errbots_one_answers_each_command_and_a_killed_ones_is_answered_by_another(
    emulator: About, jobs: str, tmp_path: Path
) -> None:
    fleet = Fleet(emulator, jobs)
    with ExitStack() as stack:
        fleet.start(stack, "errbot", admin=emulator.users[0].id, **errbot_of_the_page(tmp_path))
        answers_once(fleet, "!who is there", "lights")
        both = fleet.say("toggle both light")
        fleet.done(both)
        assert sorted(fleet.answers(both)) == ["also", "both toggled"]
        assert "no such lamp" in " ".join(fleet.failed(fleet.say("!broken")))


@needs("errbot")
def test_of_three_errbots_that_all_hear_a_command_over_rtm_one_answers(
    emulator: About, jobs: str, tmp_path: Path
) -> None:
    app = Operator(emulator).call("emulator.apps.classic", name="oldie", channels=["#jobs"])["app"]
    fleet = Fleet(emulator, jobs, {"id": app["id"], "bot_user": app["bot_user"], "bot_token": app["bot_token"]})
    with ExitStack() as stack:
        fleet.start(stack, "errbot", admin=emulator.users[0].id, **errbot_of_the_page(tmp_path))
        for judge in fleet.judges:
            judge.until(lambda said: "rooms" in said)
        posts = [fleet.say(f"toggle room{number} light") for number in range(5)]
        fleet.done(*posts)
        assert [fleet.answers(ts) for ts in posts] == [[f"room{number} toggled"] for number in range(5)]


def answers_once(fleet: Fleet, question: str, answer: str) -> None:
    quick = [fleet.say(f"toggle room{number} light") for number in range(6)]
    asked = fleet.say(question)
    chatter = fleet.say("good morning")
    slow = fleet.say("toggle slow light")
    begun: list[dict[str, Any]] = []

    def at_work() -> int:
        begun.extend(fleet.begun())
        return next((each["by"] for each in begun if "slow" in each["ran"]), 0)

    by = eventually(at_work)
    next(judge for judge in fleet.judges if judge.process.pid == by).process.kill()
    fleet.done(*quick, asked, slow)
    # Whoever is killed may have had more in hand, answered already or not: the thread says that it was begun once more.
    for ts, text in [*zip(quick, (f"room{number} toggled" for number in range(6)), strict=True), (asked, answer)]:
        said = fleet.answers(ts)
        assert 1 <= said.count(text) <= 1 + sum("attempt" in each for each in said)
    assert fleet.answers(slow).count("slow toggled") == 1
    assert fleet.answers(chatter) == []
    begun += fleet.begun()
    runs = [(each["ran"], each["attempt"]) for each in begun]
    assert len(runs) == len(set(runs))
    assert {text for text, _ in runs} >= {f"toggle room{number} light" for number in range(6)}
    assert [each["ran"] for each in begun if each["attempt"] == 2 and "slow" in each["ran"]] == ["toggle slow light"]
    assert by not in {each["by"] for each in begun if each["attempt"] > 1}
