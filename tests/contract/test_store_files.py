"""A value that is too large for a record is in a file: whole, or not there; and not for longer than it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.contract.opened import client, opened

from slackmq.errors import Ambiguous
from slackmq.kv import shelf
from slackmq.kv.batch import Batch
from slackmq.kv.errors import FileLost, ValueRejected
from slackmq.kv.secret import Secret

if TYPE_CHECKING:
    from slackmq.kv.entry import FileRef
    from slackmq.kv.store import AsyncStore
    from slackmq.slack.client import Client
    from slackmq.testing.awaiting import AsyncWorkspace

DAY = 86_400
LARGE = "a large value, " * 2_000
SECRET = Secret("key" * 12, encrypt=True)


async def files(slack: Client, store: AsyncStore) -> list[str]:
    user = (await slack.identity()).user
    return [row.id for row in await slack.files.listed(store.status().channel, user=user)]


@pytest.mark.parametrize("secret", [Secret(), SECRET], ids=["plain", "encrypted"])
@pytest.mark.parametrize(
    "value", [LARGE, {"a": [LARGE, 1]}, LARGE.encode() + b"\x00\xff"], ids=["text", "json", "bytes"]
)
async def test_a_large_value_is_read_by_another_app_as_it_was(
    workspace: AsyncWorkspace, value: object, secret: Secret
) -> None:
    async with opened(workspace, secret=secret) as one, opened(workspace, 1, secret=secret) as two:
        revision = await one.put("k", value)
        assert (await one.get("k")).value == value
        entry = await two.get("k", fresh=True)
        assert (entry.value, entry.revision) == (value, revision)
        assert entry.file is not None
        assert entry.file.size >= len(LARGE)
        async with client(workspace, 1) as slack:
            posted = await slack.files.download(entry.file.id)
        assert posted is not None
        assert (b"large value" in posted) is not secret.encrypt
    async with opened(workspace, 1, secret=secret) as three:
        assert (await three.get("k")).value == value


async def test_large_values_are_changed_together_and_after_each_other(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as one, opened(workspace, 1) as two:
        await one.commit(Batch().put("a", LARGE).put("b", "small").put("c", LARGE * 2).create("d", "y" * 3_000))
        assert [(await two.get(key, fresh=True)).file is not None for key in "abcd"] == [True, False, True, False]
        await two.transact("a", lambda value: str(value) + "!")
        entry = await one.get("a", fresh=True)
        assert entry.value == f"{LARGE}!"
        await two.update("a", "small", last=entry.revision)
        assert (await one.get("a", fresh=True)).file is None


async def test_what_was_fetched_is_kept_within_bounds(
    workspace: AsyncWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "_MEMORY", int(2.5 * len(LARGE)))
    async with opened(workspace) as store:
        for key in "abc":
            await store.put(key, LARGE)
        kept = store._inside.shelf._known
        assert len(kept) == 2
        asked: list[str] = []
        original = store._inside.shelf._fetch

        async def fetch(ref: FileRef) -> bytes:
            asked.append(ref.id)
            return await original(ref)

        monkeypatch.setattr(store._inside.shelf, "_fetch", fetch)
        for _ in range(3):
            assert (await store.get("c")).value == LARGE
        assert asked == []
        assert (await store.get("a")).value == LARGE
        assert len(asked) == 1
        assert len(kept) == 2


async def test_a_value_whose_file_is_gone_is_named_and_nothing_else_is_lost(
    workspace: AsyncWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "_NAP", 0.01)
    async with opened(workspace) as one, opened(workspace, 1) as two, client(workspace) as slack:
        await one.put("k", LARGE)
        await one.put("small", 1)
        (ident,) = await files(slack, one)
        assert await slack.files.discard(ident)
        assert not await slack.files.discard(ident)
        with pytest.raises(FileLost, match="gone"):
            await two.get("k", fresh=True)
        assert (await two.get("small")).value == 1
        assert "k" in await two.keys()


async def test_a_file_that_is_not_what_was_put_there_is_not_believed(
    workspace: AsyncWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(workspace) as one, opened(workspace, 1) as two:
        await one.put("k", LARGE)
        original = two._inside.shelf._files.download

        async def download(ident: str) -> bytes | None:
            content = await original(ident)
            return content and content[:-1] + b"?"

        monkeypatch.setattr(two._inside.shelf._files, "download", download)
        with pytest.raises(FileLost, match="not what was put there"):
            await two.get("k", fresh=True)


async def test_a_value_that_is_too_large_for_a_file_is_refused_before_anything_is_sent(
    workspace: AsyncWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "FILE_LIMIT", 20_000)
    async with opened(workspace) as store, client(workspace) as slack:
        with pytest.raises(ValueRejected, match="20,000"):
            await store.put("k", LARGE)
        batch = Batch()
        for number in range(200):
            batch.put(f"{'k' * 40}{number}", number)
        with pytest.raises(ValueRejected, match="fewer keys"):
            await store.commit(batch)
        assert await files(slack, store) == []
        assert store.status().records == 0


async def test_files_that_no_key_needs_are_deleted_by_their_author_after_a_day(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as one, opened(workspace, 1) as two, client(workspace) as slack:
        for _ in range(2):
            await one.put("a", LARGE)
        await one.put("b", LARGE)
        await two.put("c", LARGE)
        await two.put("c", LARGE)
        await one.get("c", fresh=True)
        assert len(await files(slack, one)) == 3
        follower = one._inside.follower
        now = follower.state.now / 1e6
        assert await one._inside.shelf.swept(follower, now) == 0
        assert await one._inside.shelf.swept(follower, now + 2 * DAY) == 1
        assert len(await files(slack, one)) == 2
        for key in "abc":
            assert (await one.get(key)).value == LARGE
        async with client(workspace, 1) as other:
            assert len(await files(other, two)) == 2


async def test_the_files_of_a_store_with_another_key_are_left_alone(workspace: AsyncWorkspace) -> None:
    async with opened(workspace, secret=SECRET) as one, client(workspace) as slack:
        await one.put("k", LARGE)
        async with opened(workspace, secret=Secret("other" * 12), repair=True) as two:
            follower = two._inside.follower
            assert await two._inside.shelf.swept(follower, follower.state.now / 1e6 + 2 * DAY) == 0
        assert len(await files(slack, one)) == 1


async def test_a_watch_and_a_history_name_the_file_and_do_not_fetch_it(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as store:
        first = await store.put("k", LARGE)
        await store.put("k", "small")
        await store.get("k", fresh=True)
        changes = await store.history("k")
        entries = [change.entry for change in changes if change.entry is not None]
        assert [(entry.value, entry.file is None) for entry in entries] == [(None, False), ("small", True)]
        watch = store.watch(from_revision=first - 1)
        change = await anext(watch)
        assert change.entry == entries[0]
        await watch.aclose()


async def test_an_upload_of_which_nobody_knows_is_made_again(
    workspace: AsyncWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(workspace) as store, client(workspace) as slack:
        there, tried = store._inside.shelf._files, list[int]()
        original = there.upload

        async def upload(channel: str, name: str, content: bytes, *, comment: str) -> str:
            ident = await original(channel, name, content, comment=comment)
            tried.append(1)
            if len(tried) == 1:
                raise Ambiguous("no answer", method="files.completeUploadExternal")
            return ident

        monkeypatch.setattr(there, "upload", upload)
        await store.put("k", LARGE)
        assert (await store.get("k", fresh=True)).value == LARGE
        assert len(await files(slack, store)) == 2
        follower = store._inside.follower
        assert await store._inside.shelf.swept(follower, follower.state.now / 1e6 + 2 * DAY) == 1
        assert (await store.get("k")).value == LARGE
