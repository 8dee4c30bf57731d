"""What a bot heard in threads is remembered for a while, and not for ever."""

from __future__ import annotations

from slackmq.integrations.recent import Recent


def test_what_is_old_is_forgotten_and_what_is_recent_is_not() -> None:
    recent = Recent(keep=100.0)
    for moment in range(10_000):
        recent.add(f"{moment}.000000", now=float(moment))
    assert len(list(recent)) == 101
    assert "9900.000000" in recent
    assert "9898.000000" not in recent


def test_what_comes_late_is_remembered_until_the_next() -> None:
    recent = Recent(keep=100.0)
    recent.add("1.000000", now=5000.0)
    assert "1.000000" in recent
    recent.add("5001.000000", now=5001.0)
    assert list(recent) == ["5001.000000"]
