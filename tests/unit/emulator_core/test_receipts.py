from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.delivery import Delivery
from slackmq.emulator.receipts import HORIZON, Receipts
from slackmq.emulator.request_url import RequestUrl

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SECOND = 1_000_000
NOW = 1_700_000_000 * SECOND


def test_a_note_is_known_in_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "w.receipts"
    receipts = Receipts(path, NOW)
    receipts.note("A1", "Ev1", NOW)
    receipts.flush()
    again = Receipts(path, NOW + SECOND)
    assert again.knows("A1", "Ev1")
    assert not again.knows("A2", "Ev1")


def test_old_notes_and_lines_that_were_cut_short_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "w.receipts"
    path.write_text(f"{NOW} A1/Ev1\nnonsense\n{NOW + SECOND} A1/Ev2\n{NOW + SECOND} A1/Ev", encoding="utf-8")
    receipts = Receipts(path, NOW + HORIZON)
    assert [receipts.knows("A1", event) for event in ("Ev1", "Ev2", "Ev")] == [False, True, False]
    assert path.read_text(encoding="utf-8") == f"{NOW + SECOND} A1/Ev2\n"


def test_in_memory_nothing_is_kept() -> None:
    receipts = Receipts(None, NOW)
    receipts.note("A1", "Ev1", NOW)
    assert not receipts.waiting


def test_a_file_that_cannot_be_written_is_said_and_no_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "w.receipts"
    receipts = Receipts(path, NOW)
    path.unlink()
    path.mkdir()
    receipts.note("A1", "Ev1", NOW)
    receipts.flush()
    assert "cannot be written" in capsys.readouterr().err
    assert receipts.knows("A1", "Ev1")


def socket_turns(since: int, now: int) -> list[tuple[int, int]]:
    """Second and attempt of what a socket is sent after a restart."""
    line = Delivery(app="A1", new_id=iter(map(str, range(99))).__next__)
    line.connected("a", now)
    line.resume({}, since, now)
    sent: list[tuple[int, int]] = []
    while (due := line.next_due()) is not None:
        sent += [(due // SECOND, frame["retry_attempt"]) for _, frame in line.due(due)]
    return sent


def test_a_socket_goes_on_with_the_turns_that_are_left() -> None:
    whole = [(0, 0), (3, 1), (66, 2), (369, 3)]
    for second, left in ((0, 4), (1, 3), (3, 3), (4, 2), (67, 1), (370, 0)):
        assert socket_turns(0, second * SECOND) == whole[4 - left :]


def test_an_address_goes_on_with_the_turns_that_are_left() -> None:
    url = RequestUrl(app="A1", team="T1", token="t", new_challenge=str, verified=True)
    url.resume({"n": 1}, 0, 10 * SECOND)
    url.resume({"n": 2}, 0, 400 * SECOND)
    assert url.next_due() == 60 * SECOND
    (sending,) = url.due(60 * SECOND)
    assert (sending.body, sending.retry) == ({"n": 1}, 2)
    assert url.next_due() is None
