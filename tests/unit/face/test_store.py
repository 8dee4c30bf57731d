"""The store without await, over a real connection."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from slackmq.errors import ConfigurationError, SlackMQError
from slackmq.kv.batch import Batch
from slackmq.kv.entry import Kind
from slackmq.kv.errors import KeyNotFound
from slackmq.policy import Timing
from slackmq.sync import Store

from .conftest import interrupt_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Office

FAST = Timing(scan=timedelta(seconds=3), skew=timedelta(seconds=0.1))


def state(office: Office) -> Store:
    return Store("#jobs", settings=office.settings, timing=FAST)


def test_a_store_is_a_mapping(office: Office) -> None:
    with state(office) as store:
        store["lamp"] = {"on": True}
        store["b"] = b"\x00"
        assert store["lamp"] == {"on": True}
        assert dict(store) == {"lamp": {"on": True}, "b": b"\x00"}
        assert ("lamp" in store, "x" in store, len(store)) == (True, False, 2)
        assert store.get("x", 5) == 5
        assert store.setdefault("lamp", 1) == {"on": True}
        assert store.pop("b") == b"\x00"
        with pytest.raises(KeyError):
            store["b"]
        with pytest.raises(KeyNotFound):
            del store["b"]
        store.update({"c": 3})
        assert sorted(store) == ["c", "lamp"]


def test_many_keys_are_put_in_few_posts_and_may_be_given_as_any_mapping_is(office: Office) -> None:
    with state(office) as store:
        store.update({str(number): number for number in range(60)})
        assert store.status().records < 10
        store.update([("a", 1), ("b", 2)], b=3)
        assert (len(store), store["59"], store["a"], store["b"]) == (62, 59, 1, 3)


def test_of_all_who_set_a_default_at_once_all_get_the_same(office: Office) -> None:
    with state(office) as one, state(office) as two, ThreadPoolExecutor() as threads:
        both = threads.map(lambda each: each[0].setdefault("leader", each[1]), [(one, "first"), (two, "second")])
        assert len(set(both)) == 1


def test_who_iterates_does_not_stumble_over_what_somebody_deletes_meanwhile(office: Office) -> None:
    with state(office) as store:
        store.update({"a": 1, "b": 2, "c": 3})
        items, values = iter(store.items()), iter(store.values())
        assert (next(items), next(values)) == (("a", 1), 1)
        store.delete("b")
        assert (list(items), list(values)) == ([("c", 3)], [3])


def test_a_mapping_is_emptied_in_few_posts(office: Office) -> None:
    with state(office) as store:
        store.commit(Batch().put("a", 1).put("b", 2))
        for number in range(4):
            batch = Batch()
            for key in range(25):
                batch.put(f"{number}/{key}", key)
            store.commit(batch)
        before = store.status().records
        assert len(store) == 102
        store.clear()
        assert len(store) == 0
        assert store.find(fresh=True) == []
        assert store.status().records - before < 15


def test_it_has_the_verbs_of_the_async_store(office: Office) -> None:
    with state(office) as store:
        first = store.create("k", 1)
        entry = store.entry("k", fresh=True)
        assert (entry.value, entry.revision) == (1, first)
        store.replace("k", 2, last=first)
        assert store.transact("k", lambda value: int(str(value)) + 1).value == 3
        store.commit(Batch().put("a", 1).put("b", 2))
        assert store.find() == ["a", "b", "k"]
        assert store.entry("k", fresh=True).first == first
        assert [change.kind for change in store.history("k")] == [Kind.PUT] * 3
        watched = store.watch("a", from_revision=first)
        assert next(watched).key == "a"
        watched.close()  # type: ignore[attr-defined]  # a generator
        with store.lock("door", ttl=timedelta(seconds=60)) as held:
            assert held.token > first
        store.purge("k")
        assert store.status().rejected == 0


@pytest.mark.usefixtures("heard")
def test_whoever_waits_for_a_lock_can_be_interrupted_and_the_store_closes(office: Office) -> None:
    with state(office) as one, state(office) as two, one.lock("door", ttl=timedelta(seconds=60)):
        interrupt_once(lambda: "lock/door" in two)
        with pytest.raises(KeyboardInterrupt), two.lock("door"):
            raise AssertionError
        assert two["lock/door"] == one["lock/door"]


def test_an_exception_under_a_lock_comes_through_and_gives_it_back(office: Office) -> None:
    with state(office) as store:
        for error in (ZeroDivisionError, KeyboardInterrupt):
            with pytest.raises(error), store.lock("door"):
                raise error
        assert not store.find("lock/", fresh=True)


def test_a_store_that_is_not_open_says_so(office: Office) -> None:
    store = state(office)
    with pytest.raises(ConfigurationError, match="not open"):
        store["k"] = 1
    with store, pytest.raises(ConfigurationError, match="open already"), store:
        pass


def test_a_watch_that_outlives_its_store_ends_and_says_that_it_is_closed(office: Office) -> None:
    with state(office) as store:
        store["k"] = 1
        ended, asked = store.watch(from_revision=0), store.watch(from_revision=0)
        assert next(ended).key == next(asked).key == "k"
    ended.close()  # type: ignore[attr-defined]  # a generator
    with pytest.raises(ConfigurationError, match="closed meanwhile"):
        next(asked)


def test_threads_that_wait_for_a_store_are_told_when_it_is_closed(office: Office) -> None:
    told: list[BaseException] = []
    working = threading.Semaphore(0)

    def put(store: Store) -> None:
        while True:
            store.put("k", 1)
            working.release()

    def watch(store: Store) -> None:
        working.release()
        for _ in store.watch("nothing/"):
            raise AssertionError

    def ask(do: Callable[[Store], None], store: Store) -> None:
        try:
            do(store)
        except SlackMQError as error:
            told.append(error)

    with state(office) as store:
        threads = [threading.Thread(target=ask, args=(do, store), daemon=True) for do in (put, watch, put, watch)]
        for thread in threads:
            thread.start()
        for _ in range(8):
            working.acquire()
    for thread in threads:
        thread.join(60)
    assert len(told) == len(threads)
