"""A ticket lets in once: in this run, in the next one, and after a kill right behind the door."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from slackmq.emulator.receipts import HORIZON, Receipts
from slackmq.emulator.tickets import Tickets

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 1_000_000
NOW = 1_700_000_000 * SECOND


def door(receipts: Receipts, kind: str = "link", life: int = 480) -> Tickets:
    return Tickets(kind, secret="s", receipts=receipts, life=life)  # a test's


async def notes(path: Path, now: int) -> Receipts:
    return await anyio.to_thread.run_sync(Receipts, path, now)


async def test_a_ticket_lets_in_its_owner_once() -> None:
    tickets = door(Receipts(None, NOW))
    ticket = tickets.draw("A1", NOW)
    assert not await tickets.redeem("A2", ticket, NOW)
    assert await tickets.redeem("A1", ticket, NOW)
    assert not await tickets.redeem("A1", ticket, NOW)


async def test_of_two_who_come_at_once_one_is_let_in(tmp_path: Path) -> None:
    tickets = door(await notes(tmp_path / "w.receipts", NOW))
    ticket = tickets.draw("A1", NOW)
    let_in: list[bool] = []

    async def enter() -> None:
        let_in.append(await tickets.redeem("A1", ticket, NOW))

    async with anyio.create_task_group() as group:
        group.start_soon(enter)
        group.start_soon(enter)
    assert sorted(let_in) == [False, True]


async def test_the_next_run_knows_what_is_unused_and_what_is_used_however_this_one_ended(tmp_path: Path) -> None:
    path = tmp_path / "w.receipts"
    before = door(await notes(path, NOW))
    kept, used = before.draw("A1", NOW), before.draw("A1", NOW)
    assert await before.redeem("A1", used, NOW)
    after = door(await notes(path, NOW + SECOND))
    assert not await after.redeem("A1", used, NOW + SECOND)
    assert await after.redeem("A1", kept, NOW + SECOND)


async def test_a_ticket_runs_out_before_its_use_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "w.receipts"
    tickets = door(await notes(path, NOW), life=86_400)
    ticket, late = tickets.draw("A1", NOW), tickets.draw("A1", NOW)
    assert await tickets.redeem("A1", ticket, NOW)
    after = door(await notes(path, NOW + HORIZON))
    assert not await after.redeem("A1", ticket, NOW + HORIZON)
    assert not await tickets.redeem("A1", late, NOW + HORIZON)


async def test_what_nobody_drew_opens_nothing() -> None:
    tickets = door(Receipts(None, NOW))
    for ticket in (
        "",
        "-",
        "a-b-c",
        f"ab-{NOW // SECOND}-{'0' * 24}",
        "\ud800-1-2",
        door(Receipts(None, NOW), "rtm").draw("A1", NOW),
    ):
        assert not await tickets.redeem("A1", ticket, NOW)
