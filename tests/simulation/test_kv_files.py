"""Values in files, under faults: what a record names is there, whole, and what is read was written."""

from __future__ import annotations

import gc
import hashlib
import logging
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from slackmq.errors import Ambiguous
from slackmq.kv.entry import Form
from slackmq.kv.errors import FileLost, KeyNotFound, RevisionMismatch, WriteLost
from slackmq.kv.record import RECORD, Record, opened
from slackmq.kv.seal import Seal
from slackmq.kv.secret import Secret
from slackmq.kv.shelf import Shelf
from slackmq.kv.store import AsyncStore
from slackmq.simulation.clock import SimClock
from slackmq.simulation.faults import cell
from slackmq.simulation.loop import run
from slackmq.simulation.nemesis import Nemesis
from slackmq.simulation.record import Called
from slackmq.simulation.wire import SimWire
from slackmq.simulation.world import World
from slackmq.slack.client import Client
from slackmq.slack.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.kv.entry import FileRef
    from slackmq.kv.record import Operation
    from slackmq.simulation.process import Process

SECRETS = (Secret(), Secret("of the simulation: it opens nothing, and is long enough", encrypt=True))
KEYS, STEPS = ("a", "b"), 6


class Program:
    def __init__(self, drama: Drama, process: Process) -> None:
        self._drama = drama
        self._process = process
        self._dice = drama.world.plan.dice(f"{process.name}/steps")

    def drain(self) -> None:
        """Nothing is drained here."""

    async def main(self) -> None:
        drama, place = self._drama, self._process.name[:2]
        async with drama.store(self._process.name) as store:
            while drama.left[place]:
                with suppress(Ambiguous, WriteLost, RevisionMismatch, KeyNotFound):
                    await self._step(store, self._dice.choice(KEYS))
                drama.left[place] -= 1

    async def _step(self, store: AsyncStore, key: str) -> None:
        drama = self._drama
        luck = self._dice.random()
        if luck < 0.4:
            entry = await store.get(key, fresh=True)
            assert entry.value in drama.begun, "what was read was never written"
            return
        new = f"{next(drama.numbers)} " + "x" * 9_000
        drama.begun.add(new)
        if luck < 0.7:
            await store.put(key, new)
            return
        entry = await store.get(key)
        await store.update(key, new, last=entry.revision)


class Drama:
    def __init__(self, seed: int, name: str) -> None:
        self.world = World(seed, cell(name, seed), apps=2)
        self.secret = SECRETS[seed % 2]
        self.left = {f"w{number}": STEPS for number in range(1, 4)}
        self.numbers = count(1)
        self.begun: set[object] = set()
        self.nemesis = Nemesis(self.world, self._start)

    def store(self, name: str) -> AsyncStore:
        clock = SimClock(self.world.plan.dice(f"{name}/clock"))
        client = Client(SimWire(self.world, name, self.world.app_of(name)["bot_token"]), clock=clock)
        return AsyncStore(client, "#jobs", clock=clock, name=name, secret=self.secret)

    async def main(self) -> list[FileRef]:
        for place in self.left:
            self.nemesis.start(place)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.nemesis.run)
            with anyio.move_on_after(2_000):
                while any(self.left.values()):  # noqa: ASYNC110  # none of them can tell
                    await anyio.sleep(5)
            tasks.cancel_scope.cancel()
        assert not any(self.left.values()), self.left
        wrong = [process.error for process in self.nemesis.processes if isinstance(process.error, AssertionError)]
        assert not wrong, wrong
        await anyio.sleep(self.world.plan.faults.until)
        async with self.store("w1z") as store:
            for key in await store.keys(fresh=True):
                assert (await store.get(key)).value in self.begun
            follower = store._inside.follower
            await store._inside.shelf.swept(follower, follower.state.now / 1e6 + 2 * 86_400)
            for key in await store.keys():
                assert (await store.get(key)).value in self.begun
        return list(self._named())

    def _named(self) -> list[FileRef]:
        """The files that records name."""
        seal, found = Seal(self.world.channel, secret=self.secret), list[Any]()
        for line in self.world.record.lines:
            if not isinstance(line, Called) or line.method != "chat.postMessage" or not line.reply.get("ok"):
                continue
            metadata: Mapping[str, Any] = line.args.get("metadata") or {}  # type: ignore[assignment]  # JSON
            if metadata.get("event_type") == RECORD:
                record = opened(metadata["event_payload"], author=str(line.reply["message"]["user"]), seal=seal)
                assert isinstance(record, Record)
                values = [each.value for group in record.groups for each in group.operations if each.value]
                found += [value.ref() for value in values if value.form is Form.FILE]
        return found

    def _start(self, process: Process) -> Program:
        program = Program(self, process)
        process.start(program.main)
        return program


def play(seed: int, name: str) -> tuple[Drama, list[FileRef]]:
    log, collecting = logging.getLogger("slackmq"), gc.isenabled()
    level = log.level
    gc.disable()
    log.setLevel(logging.CRITICAL)
    try:
        drama = Drama(seed, name)
        return drama, run(drama.main)
    finally:
        log.setLevel(level)
        if collecting:
            gc.enable()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["none", "H1", "H2", "H3", "H6", "C1", "C2", "V2"])
def test_what_a_record_names_is_there_and_whole(name: str) -> None:
    for seed in range(3):
        drama, named = play(seed, name)
        assert named
        for ref in named:
            assert hashlib.sha256(drama.world.files[ref.id]).hexdigest() == ref.sha256


def test_an_upload_that_is_believed_without_being_read_back_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A canary: were an upload believed that was not answered, a record would name a file that is not there."""
    original = SimWire.put

    async def put(self: SimWire, url: str, content: bytes) -> int:
        try:
            return await original(self, url, content)
        except Ambiguous:
            return 200

    async def call(self: SimWire, method: str, args: Mapping[str, object]) -> Reply:
        reply = await asked(self, method, args)
        return Reply(status=200, body={"ok": True}) if method == "files.completeUploadExternal" else reply

    async def in_file(self: Shelf, operation: Operation) -> Operation:
        uploading.add(self)
        try:
            return await filed(self, operation)
        finally:
            uploading.discard(self)

    async def fetch(self: Shelf, ref: FileRef) -> bytes:
        return b"" if self in uploading else await fetched(self, ref)

    uploading: set[Shelf] = set()
    filed, fetched = Shelf._in_file, Shelf._fetch
    asked = SimWire.call
    monkeypatch.setattr(SimWire, "put", put)
    monkeypatch.setattr(SimWire, "call", call)
    monkeypatch.setattr(Shelf, "_in_file", in_file)
    monkeypatch.setattr(Shelf, "_fetch", fetch)
    assert any(missing(seed) for seed in range(10))


def missing(seed: int) -> bool:
    """Whether a record names a file that is not there."""
    try:
        drama, named = play(seed, "H1")
    except FileLost:
        return True
    return any(ref.id not in drama.world.files for ref in named)
