"""errbot's own loading of storage plug-ins, and its mapping for bot plug-ins over ours; read again by another one."""

from __future__ import annotations

import json
import sys
from importlib import import_module

FACTS = json.loads(sys.argv[1])
sys.path += FACTS["path"]  # our package, and what it needs that this environment does not have

from errbot.bootstrap import get_storage_plugin  # noqa: E402
from errbot.storage import StoreMixin  # noqa: E402


def main() -> None:
    """Keep, or read, then say so."""
    config = import_module("page_settings")
    config.STORAGE_CONFIG.update(token=FACTS["token"], url=FACTS["url"], skew=0.2)
    storage = get_storage_plugin(config)
    lights, core = StoreMixin(), StoreMixin()
    lights.open_storage(storage, "Lights")
    core.open_storage(storage, "core")
    if FACTS["keep"]:
        with lights.mutable("rooms", {}) as rooms:
            rooms["hall"] = True
        lights["gone"] = 1
        del lights["gone"]
        core["rooms"] = "another"
    missing = False
    try:
        lights["gone"]
    except KeyError:
        missing = True
    said = {"rooms": lights["rooms"], "core": core["rooms"], "keys": list(lights.keys()), "missing": missing}
    sys.stdout.write(f"tell: {json.dumps({**said, 'length': len(lights)})}\n")
    sys.stdout.flush()
    lights.close_storage()
    core.close_storage()


if __name__ == "__main__":
    main()
