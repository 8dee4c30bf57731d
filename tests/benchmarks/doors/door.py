"""Doors: the bots of the how-to pages as programs, guarded as there or not, with work to do or not."""

from __future__ import annotations

import json
import re
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DOORS", "Bot", "Door", "Form"]

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[2]
_PAGES = _ROOT / "docs" / "how-to"
_BLOCKS = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_JUDGES = _ROOT / ".judges"
_PATH = [str(_ROOT / "src"), sysconfig.get_paths()["purelib"]]
_PLUG = "[Core]\nName = Lights\nModule = lights\n\n[Documentation]\nDescription = Lights\n\n[Python]\nVersion = 3\n"
_CONNECTED = """
    def callback_connect(self):
        tell(connected=True)
"""
ANSWER = "switched"
"""What the bots answer: not "toggled" as on the pages, in which a listener of Bolt finds its word "toggle" again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What is made of a page's bot.

    Attributes:
        guarded: as on the page, and not as it was before.
        way: how it claims.
        lease: seconds that a claim lasts, of a bot whose handlers have work to do and which tries it twice;
            None is the page's bot with its settings as shipped, which only answers.
        admin: id of the person whom errbot wants as its admin.
    """

    guarded: bool
    way: str
    lease: float | None
    admin: str = ""

    @property
    def options(self) -> dict[str, Any]:
        """Those of `How` that are plain values."""
        return {"claim": self.way, **({"retries": 1} if self.lease else {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """A program.

    Attributes:
        command: runs a replica.
        ready: what it prints when it listens.
    """

    command: list[str]
    ready: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A framework's bot.

    Attributes:
        name: as in `--door`.
        write: writes a bot's files to a folder.
        judge: the environment of scripts/judges that it needs, "" for this interpreter.
    """

    name: str
    write: Callable[[Form, Path], Bot]
    judge: str = ""

    @property
    def installed(self) -> bool:
        """Whether its framework is there."""
        return not self.judge or (_JUDGES / self.judge / ".setup").exists()


def _page(name: str) -> list[str]:
    return _BLOCKS.findall((_PAGES / name).read_text(encoding="utf-8"))


def _edited(code: str, *edits: tuple[str, str]) -> str:
    """The code with each edit made.

    Raises:
        ValueError: the page has changed and an edit finds nothing.
    """
    for old, new in edits:
        if old not in code:
            raise ValueError(f"The bot of the page has no {old!r} any more.")
        code = code.replace(old, new)
    return code


def _beside(form: Form, folder: Path) -> str:
    """Put beside a bot what it is to import; returns the imports."""
    names = [name for name, wanted in (("unpaced", form.guarded), ("work", form.lease)) if wanted]
    for name in names:
        shutil.copy(_HERE / f"{name}.py", folder)
    imports = {"unpaced": "import unpaced\n", "work": "from work import work\n"}
    return "".join(imports[name] for name in names)


def _bolt(form: Form, folder: Path) -> Bot:
    edits = [('"toggled"', f'"{ANSWER}"')]
    if form.lease:
        edits += [
            ("(message, say):\n", '(message, say, context):\n    work(message["text"], context.get("slackmq"))\n')
        ]
    return _bolt_bot(_edited(_page("bolt.md")[0], *edits), form, folder, 'exactly_one(app, "#jobs")', "")


def _bolt_async(form: Form, folder: Path) -> Bot:
    edits = [('"toggled"', f'"{ANSWER}"')]
    if form.lease:
        called = 'await asyncio.to_thread(work, message["text"], context.get("slackmq"))'
        edits += [("say: Any) -> None:\n", f"say: Any, context: Any) -> None:\n    {called}\n")]
    code = (_HERE / "bolt_async.py").read_text(encoding="utf-8")
    return _bolt_bot(_edited(code, *edits), form, folder, 'async with exactly_one_async(app, "#jobs")', "if True")


def _bolt_bot(code: str, form: Form, folder: Path, line: str, without: str) -> Bot:
    how = ", ".join(f"{name}={value!r}" for name, value in form.options.items())
    imports = _beside(form, folder)
    if form.lease:
        how += f", timing={_timing(form.lease)}"
        imports += "from datetime import timedelta\nfrom slackmq.policy import Timing\n"
    code = _edited(
        code, ("import os\n", f"import os\n{imports}"), (line, f"{line[:-1]}, {how})" if form.guarded else without)
    )
    (folder / "bot.py").write_text(code, encoding="utf-8")
    return Bot(command=[sys.executable, str(folder / "bot.py")])


def _timing(lease: float) -> str:
    """That of the judges' replicas."""
    times = {"lease": lease, "margin": 0.5, "skew": 0.5, "scan": 1, "quiet": 1}
    return f"Timing({', '.join(f'{name}=timedelta(seconds={value})' for name, value in times.items())})"


def _slack_machine(form: Form, folder: Path) -> Bot:
    settings, plugin = _page("slack-machine.md")
    edits = [(" toggled", f" {ANSWER}")]
    if form.lease:
        reply, call = "        await message.reply(", "await asyncio.to_thread(work, message.text, message.slackmq)"
        edits += [(reply, f"        {call}\n{reply}")]
        plugin = f"import asyncio\n{plugin}"
    if not form.guarded:
        edits += [("    @exactly_one\n", "")]
        settings = _edited(settings, (', "slackmq.integrations.slack_machine.plugin.ExactlyOne"', ""))
    (folder / "page_settings.py").write_text(settings, encoding="utf-8")
    (folder / "plugins.py").write_text(_beside(form, folder) + _edited(plugin, *edits), encoding="utf-8")
    return Bot(command=_launch("slack-machine", form, folder))


def _errbot(form: Form, folder: Path) -> Bot:
    settings, plugin = _page("errbot.md")
    edits = [(" toggled", f" {ANSWER}")]
    if form.lease:
        edits += [("        return ", '        work(msg.body, msg.extras["slackmq"])\n        return ')]
    if not form.guarded:
        settings = (
            "from errbot.utils import entry_point_plugins\n"
            'BACKEND = "SlackV3"\nBOT_EXTRA_BACKEND_DIR = [*entry_point_plugins("errbot.backend_plugins")]\n'
        )
    (folder / "page_settings.py").write_text(settings, encoding="utf-8")
    text = f"from replica import tell\n{_beside(form, folder)}{_edited(plugin, *edits)}{_CONNECTED}"
    (folder / "lights.py").write_text(text, encoding="utf-8")
    (folder / "lights.plug").write_text(_PLUG, encoding="utf-8")
    return Bot(command=_launch("errbot", form, folder), ready='"connected"')


def _launch(judge: str, form: Form, folder: Path) -> list[str]:
    facts = {
        "path": [*_PATH, str(folder)],
        "folder": str(folder),
        "lease": form.lease,
        "options": form.options,
        "admin": form.admin,
    }
    python = str(_JUDGES / judge / "bin" / "python")
    program = str(_ROOT / "tests" / "clients" / "judges" / judge / "replica.py")
    return [sys.executable, str(_HERE / "launch.py"), python, program, json.dumps(facts)]


DOORS = (
    Door(name="bolt", write=_bolt),
    Door(name="bolt-async", write=_bolt_async),
    Door(name="slack-machine", write=_slack_machine, judge="slack-machine"),
    Door(name="errbot", write=_errbot, judge="errbot"),
)
