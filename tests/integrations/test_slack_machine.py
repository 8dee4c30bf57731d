"""What a decorated method of slack-machine does where nothing claims posts; tests/clients runs it in slack-machine."""

from __future__ import annotations

import inspect

import pytest

from slackmq.errors import ConfigurationError
from slackmq.integrations.slack_machine import exactly_one


class Lights:
    """A plug-in as slack-machine makes one."""

    def __init__(self) -> None:
        self._client = object()
        self.ran: list[tuple[object, str]] = []

    @exactly_one
    async def toggle(self, message: object, light: str) -> None:
        """toggle: a light."""
        self.ran.append((message, light))


async def test_a_method_without_the_plug_in_that_claims_does_nothing_and_says_what_to_add() -> None:
    lights = Lights()
    with pytest.raises(ConfigurationError, match=r"Lights.toggle .* nothing here claims posts.*PLUGINS"):
        await lights.toggle(object(), light="hall")
    assert lights.ran == []


def test_a_decorated_method_shows_slack_machine_its_name_its_help_and_its_parameters() -> None:
    method = Lights().toggle
    assert (method.__name__, method.__doc__) == ("toggle", "toggle: a light.")
    assert list(inspect.signature(method).parameters) == ["message", "light"]
