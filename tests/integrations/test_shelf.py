"""A channel opened as a shelf behaves as the standard library's does."""

from __future__ import annotations

import shelve
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from slackmq.errors import ChannelNotFound, ConfigurationError
from slackmq.integrations import shelf
from slackmq.kv.batch import Batch
from slackmq.policy import Timing
from slackmq.testing.blocking import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
    from pathlib import Path
    from typing import Any

    from slackmq.integrations.shelf import Shelf
    from slackmq.slack.connect import Settings

FAST = Timing(scan=timedelta(seconds=3), skew=timedelta(seconds=0.1))


@pytest.fixture
def settings() -> Iterator[Settings]:
    with workspace(channels=("general", "state")) as slack:
        yield slack.app.settings


def opened(settings: Settings, flag: Any = "c", *, writeback: bool = False) -> Shelf:
    return shelf.open("#state", flag, settings=settings, timing=FAST, writeback=writeback)


def used(kept: MutableMapping[str, Any]) -> list[object]:
    """What a program sees that uses a shelf."""
    kept["a"] = {"b": [1]}
    kept["a"]["b"].append(2)
    kept["c"] = b"\x00"
    missing = False
    try:
        kept["x"]
    except KeyError:
        missing = True
    own = [1]
    kept["own"] = own
    own.append(2)
    popped = kept.pop("c")
    kept.update(d=4)
    return [sorted(kept), kept["a"], "a" in kept, "c" in kept, len(kept), missing, popped, kept["own"]]


@pytest.mark.parametrize("writeback", [False, True])
def test_a_program_sees_the_same_as_with_a_file(settings: Settings, tmp_path: Path, writeback: bool) -> None:  # noqa: FBT001  # the cases of the table
    with (
        shelve.open(str(tmp_path / "file"), writeback=writeback) as file,  # noqa: S301  # a file of its own
        opened(settings, writeback=writeback) as kept,
    ):  # a file of this test's own
        assert used(kept) == used(file)


def test_what_was_changed_in_place_is_written_with_writeback_alone(settings: Settings) -> None:
    with opened(settings, writeback=True) as kept:
        kept["a"] = [1]
        kept["a"].append(2)
        kept.sync()
        kept["a"].append(3)
    with opened(settings) as kept:
        kept._store.find(fresh=True)
        assert kept["a"] == [1, 2, 3]
        kept["a"].append(4)
        assert kept["a"] == [1, 2, 3]


def test_flags_read_and_empty(settings: Settings) -> None:
    with opened(settings) as kept:
        kept["a"] = 1
        kept._store.find(fresh=True)
    with opened(settings, "r") as kept:
        assert dict(kept) == {"a": 1}
        with pytest.raises(ConfigurationError, match="to be read"):
            kept["a"] = 2
        with pytest.raises(ConfigurationError, match="to be read"):
            del kept["a"]
        with pytest.raises(ConfigurationError, match="to be read"):
            kept.clear()
    with opened(settings) as kept:
        batch = Batch()
        for number in range(30):
            batch.put(str(number), number)
        kept._store.commit(batch)
    with opened(settings, "n") as kept:
        assert not kept
        assert not kept._store.find(fresh=True)
        assert kept._store.status().records < 10
    with pytest.raises(ConfigurationError, match="flag 'x'"):
        opened(settings, "x")
    with pytest.raises(ChannelNotFound):
        shelf.open("#nowhere", settings=settings, timing=FAST)
