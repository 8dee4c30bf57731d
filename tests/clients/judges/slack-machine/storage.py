"""slack-machine's own storage for plugins over our backend; it is killed, and another one reads what it kept."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from importlib import import_module

FACTS = json.loads(sys.argv[1])
sys.path += FACTS["path"]  # our package, and what it needs that this environment does not have

from machine.storage import PluginStorage  # noqa: E402
from machine.utils.collections import CaseInsensitiveDict  # noqa: E402
from machine.utils.module_loading import import_string  # noqa: E402


async def main() -> None:
    """Keep, or read, then say so."""
    said = vars(import_module("page_settings"))
    there = {"SLACK_BOT_TOKEN": FACTS["token"], "SLACKMQ_URL": FACTS["url"], "SLACKMQ_SKEW": 0.2}
    settings = CaseInsensitiveDict({name: said[name] for name in said if name.isupper()} | there)
    _, backend = import_string(settings["STORAGE_BACKEND"])[0]
    storage = backend(settings)
    await storage.init()
    plugin = PluginStorage("tests.Lights", storage)
    if FACTS["keep"]:
        await plugin.set("lights", {"hall": True, "seen": timedelta(hours=1)})
        await plugin.set("short", 1, expires=1)
        await plugin.set("gone", 1)
        await plugin.delete("gone")
        await plugin.set("ours", "all", shared=True)
    found = await plugin.get("lights")
    said = {
        "lights": [found["hall"], found["seen"].total_seconds()],
        "gone": await plugin.has("gone"),
        "ours": await plugin.get("ours", shared=True),
        "nothing": await plugin.get("nothing"),
        "size": await storage.size() > 0,
    }
    sys.stdout.write(f"tell: {json.dumps(said)}\n")
    sys.stdout.flush()
    if not FACTS["keep"]:
        await storage.close()


if __name__ == "__main__":
    asyncio.run(main())
