"""Values to HTML: whole pages, and the fragments that replace parts of one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from slackmq.emulator.emoji import standard
from slackmq.emulator.faults import Faults
from slackmq.emulator.page.emoji import COMMON, QUICK, character
from slackmq.emulator.page.fault_words import RATES, SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Drawing"]

_HERE = Path(__file__).parent
_HALF = re.compile("[\ud800-\udfff]")


class Drawing:
    """The templates, all compiled when it is built. That reads the disk: do it on a thread."""

    def __init__(self) -> None:
        # Everything is escaped unless this package itself made it: there is no |safe in any template.
        self._environment = Environment(
            autoescape=True,
            auto_reload=False,
            loader=FileSystemLoader(_HERE / "templates"),
            lstrip_blocks=True,
            trim_blocks=True,
            undefined=StrictUndefined,
        )
        everywhere = cast("dict[str, object]", self._environment.globals)  # type: ignore[redundant-cast]  # not to pyright
        everywhere.update(calm=Faults().to_json(), rates=RATES, seconds=SECONDS)
        everywhere.update(common=COMMON, emoji=sorted(standard()), quick=[(name, character(name)) for name in QUICK])
        self._environment.filters["urlencode"] = _in_address
        self._templates = {name: self._environment.get_template(name) for name in self._environment.list_templates()}

    def draw(self, template: str, **values: object) -> str:
        """Fill in one template; half of a surrogate pair, which no page can hold, becomes a replacement character."""
        return _HALF.sub("\N{REPLACEMENT CHARACTER}", self._templates[template].render(values))

    def all(self, templates: Iterable[str], **values: object) -> str:
        """Fill in several templates with the same values, one after the other."""
        return "".join(self.draw(template, **values) for template in templates)


def _in_address(text: str) -> str:
    return quote(text, errors="replace")
