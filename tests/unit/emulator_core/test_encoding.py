from __future__ import annotations

import json

import pytest

from slackmq.emulator.wire import encoded


@pytest.mark.parametrize(
    "value", ["plain", "é \U0001f600", "half of a pair: \ud800", 2**80, [True, None, 1.5], {"ts": "1.000001"}]
)
def test_whatever_a_client_may_have_sent_is_told_again_as_json(value: object) -> None:
    assert json.loads(encoded({"ok": True, "value": value})) == {"ok": True, "value": value}
