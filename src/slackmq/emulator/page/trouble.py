"""What one may do to the workspace from its page, to see how bots bear it: arm faults, and kill a demo's workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from slackmq.emulator.admin import is_near
from slackmq.emulator.faults import FaultsUnreadable, faults_of
from slackmq.emulator.page.door import fragment
from slackmq.emulator.page.fault_words import RATES
from slackmq.emulator.sent import posted

if TYPE_CHECKING:
    from slackmq.emulator.killables import Killables
    from slackmq.emulator.page.drawing import Drawing
    from slackmq.emulator.weather import Weather

__all__ = ["Trouble"]

_DONE = 204
_HUNDRED = 100


class Trouble:
    """The doors behind the strip at the foot. Only this machine gets through, as at /__admin/.

    Args:
        weather: the faults.
        killables: the processes that launchers named.
        drawing: the templates.
    """

    def __init__(self, *, weather: Weather, killables: Killables, drawing: Drawing) -> None:
        self._weather = weather
        self._killables = killables
        self._drawing = drawing

    def routes(self) -> list[web.RouteDef]:
        """POST arm, disarm and kill."""
        return [
            web.post("/faults/arm", self._arm),
            web.post("/faults/disarm", self._disarm),
            web.post("/workers/{name}/kill", self._kill),
        ]

    def shown(self) -> dict[str, object]:
        """What the strip says of it: `killables`, the names; `armed`, a seed and one line for each fault, or None."""
        armed = self._weather.armed
        if armed is None:
            return {"killables": self._killables.names, "armed": None}
        suffered = armed["suffered"]
        lines = [
            (f"{name} {rate * _HUNDRED:g} %", suffered.get(name, 0))
            for name in RATES
            if (rate := armed["faults"][name]) > 0
        ]
        lag = armed["faults"]["lag"]
        return {
            "killables": self._killables.names,
            "armed": {"seed": armed["seed"], "faults": lines, "lag": f"reads {lag:g} s behind" if lag else ""},
        }

    async def _arm(self, request: web.Request) -> web.Response:
        """Rates come in percent; what is left empty does not go wrong."""
        _admit(request)
        form = {name: value.strip() for name, value in (await posted(request)).items() if isinstance(value, str)}
        given: dict[str, object] = {name: value for name, value in form.items() if value}
        try:
            seed = int(str(given.pop("seed", 0)))
            rates = {name: float(str(given[name])) / _HUNDRED for name in RATES if name in given}
            self._weather.arm(faults_of(given | rates), seed)
        except FaultsUnreadable as error:
            return self._notice(str(error))
        except ValueError:
            return self._notice("Rates are numbers from 0 to 100, and the seed is a whole number.")
        return web.Response(status=_DONE)

    async def _disarm(self, request: web.Request) -> web.Response:
        _admit(request)
        self._weather.disarm()
        return web.Response(status=_DONE)

    async def _kill(self, request: web.Request) -> web.Response:
        """Ask whoever started the worker to kill it; a name that no launcher gave is refused."""
        _admit(request)
        if not self._killables.ask(request.match_info["name"]):
            return self._notice("This worker is gone already, or was not started by a demo.")
        return web.Response(status=_DONE)

    def _notice(self, sentence: str) -> web.Response:
        return fragment(self._drawing.draw("notice.html", refusal=sentence, oob=True))


def _admit(request: web.Request) -> None:
    if not is_near(request.remote):
        raise web.HTTPForbidden(text="Faults and kills are for this machine alone.\n")
