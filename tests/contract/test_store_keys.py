"""Who has not the key of a store can neither write into it nor, where it is encrypted, read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.contract.opened import client, opened

from slackmq.kv.errors import SecretMismatch
from slackmq.kv.record import RECORD, VERSION
from slackmq.kv.seal import Seal
from slackmq.kv.secret import Secret
from slackmq.slack.api import Metadata

if TYPE_CHECKING:
    from slackmq.testing.awaiting import AsyncWorkspace

KEY, OTHER = "key" * 12, "other" * 12


async def test_an_encrypted_store_shows_nothing_in_its_channel_and_everything_to_who_has_the_key(
    workspace: AsyncWorkspace,
) -> None:
    secret = Secret(KEY, encrypt=True)
    async with (
        opened(workspace, secret=secret) as one,
        opened(workspace, 1, secret=secret) as two,
        client(workspace) as slack,
    ):
        await one.put("lamp", "glaring")
        assert (await two.get("lamp", fresh=True)).value == "glaring"
        await two.snapshot()
        assert (one.status().signed, one.status().encrypted) == (True, True)
        channel = one.status().channel
        rows = list((await slack.history(channel, oldest=0.0)).rows)
        rows += [reply for row in rows if row.replies for reply in await slack.replies(channel, row.ts)]
        assert len(rows) == 4
        assert not any(word in f"{row}" for row in rows for word in ("lamp", "glaring", KEY))
    async with opened(workspace, secret=secret) as three:
        assert (await three.get("lamp")).value == "glaring"


@pytest.mark.parametrize(
    ("theirs", "mine", "said"),
    [
        (Secret(KEY), Secret(), "this process has none"),
        (Secret(KEY), Secret(OTHER), "not known here"),
        (Secret(), Secret(KEY), "not signed"),
        (Secret(KEY, encrypt=True), Secret(KEY), "encrypted"),
        (Secret(KEY, OTHER), Secret(OTHER), "changed"),
    ],
    ids=["no key", "wrong key", "unsigned", "in the clear", "old key"],
)
@pytest.mark.parametrize("snapshot", [False, True])
async def test_a_store_with_another_key_does_not_open_and_says_what_to_do(
    workspace: AsyncWorkspace,
    theirs: Secret,
    mine: Secret,
    said: str,
    snapshot: bool,  # noqa: FBT001
) -> None:
    async with opened(workspace, secret=theirs) as store:
        await store.put("k", 1)
        await store.get("k", fresh=True)
        if snapshot:
            await store.snapshot()
            await store.get("k", fresh=True)
    with pytest.raises(SecretMismatch, match=said) as caught:
        async with opened(workspace, 1, secret=mine):
            pass
    assert "SLACKMQ_KV" in caught.value.remedy
    assert KEY not in str(caught.value)
    async with opened(workspace, secret=theirs) as store:
        assert (await store.get("k")).value == 1


async def test_a_key_of_the_environment_is_used(workspace: AsyncWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACKMQ_KV_KEY", KEY)
    async with opened(workspace) as store:
        await store.put("k", 1)
    monkeypatch.delenv("SLACKMQ_KV_KEY")
    with pytest.raises(SecretMismatch):
        async with opened(workspace):
            pass
    async with opened(workspace, secret=Secret(KEY)) as store:
        assert (await store.get("k", fresh=True)).value == 1


async def test_a_strangers_records_count_for_nobody_and_stop_nobody(workspace: AsyncWorkspace) -> None:
    async with opened(workspace, secret=Secret(KEY)) as store:
        await store.put("k", 1)
        async with client(workspace, 1) as slack:
            channel = (await slack.channel("#state")).id
            bot = workspace.apps[1].bot_user
            for forged in (Seal(channel), Seal(channel, author=bot, secret=Secret(OTHER))):
                payload = forged.stamp("", VERSION, '["w",1,[0,0,""],[[0,[["d","k",-1]]]]]')
                await slack.post(channel, "!", metadata=Metadata(type=RECORD, payload=payload))
            mine = next(row for row in (await slack.history(channel, oldest=0.0)).rows if row.metadata)
            await slack.post(channel, "a copy", metadata=mine.metadata)
        assert (await store.get("k", fresh=True)).value == 1
        assert store.status().rejected == 3
        async with opened(workspace, 1, secret=Secret(KEY)) as other:
            assert (await other.get("k", fresh=True)).value == 1


async def test_a_key_is_changed_and_the_old_one_forgotten(workspace: AsyncWorkspace) -> None:
    for secret in (Secret(OTHER), Secret(OTHER, KEY), Secret(KEY, OTHER, encrypt=True)):
        async with opened(workspace, secret=secret) as store:
            await store.transact("n", lambda value: int(str(value)) + 1, default=0)
    async with opened(workspace, secret=Secret(KEY, OTHER, encrypt=True)) as store:
        await store.get("n", fresh=True)
        await store.snapshot()
        await store.get("n", fresh=True)
    async with opened(workspace, 1, secret=Secret(KEY, encrypt=True)) as store:
        assert (await store.get("n", fresh=True)).value == 3


async def test_two_stores_with_other_keys_on_one_channel_say_so_and_stay_apart(
    workspace: AsyncWorkspace,
) -> None:
    async with opened(workspace, secret=Secret(KEY)) as one, opened(workspace, 1, secret=Secret(OTHER)) as two:
        await one.put("k", "one")
        await two.put("k", "two")
        assert (await one.get("k", fresh=True)).value == "one"
        assert (await two.get("k", fresh=True)).value == "two"
        assert (one.status().rejected, two.status().rejected) == (1, 1)


async def test_a_channel_with_a_strangers_records_is_begun_anew_by_repairing_it(workspace: AsyncWorkspace) -> None:
    async with opened(workspace, 1) as stranger:
        await stranger.put("k", "theirs")
    async with opened(workspace, secret=Secret(KEY), repair=True) as store:
        await store.put("k", "mine")
    async with opened(workspace, secret=Secret(KEY)) as store:
        assert (await store.get("k", fresh=True)).value == "mine"


async def test_a_store_that_was_begun_without_a_key_is_given_one(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as store:
        await store.put("a", 1)
        await store.get("a", fresh=True)
    async with opened(workspace, secret=Secret(KEY, encrypt=True, unsigned=True)) as store:
        await store.put("b", 2)
        await store.get("b", fresh=True)
        await store.snapshot()
        await store.get("b", fresh=True)
    async with opened(workspace, 1, secret=Secret(KEY, encrypt=True)) as store:
        assert await store.keys(fresh=True) == ["a", "b"]
        await store.put("c", 3)
    with pytest.raises(SecretMismatch):
        async with opened(workspace):
            pass
