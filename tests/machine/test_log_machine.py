"""The log of a store against a plain dictionary that knows the same rules in other words."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from slackmq.kv.entry import encode
from slackmq.kv.log import WINDOW, State
from slackmq.kv.record import ANY, Group, Operation, Record, Verb, revision

BEGAN = 1_700_000_000_000_000
KEYS = st.sampled_from("abc")
STEPS = st.sampled_from([1, 10, 1_000_000, WINDOW // 3, WINDOW + 5])
TTLS = st.sampled_from([0, 0, 5, 2_000_000])


@dataclass(slots=True)
class Kept:
    value: int
    revision: int
    until: int


class LogMachine(RuleBasedStateMachine):
    """Writers put, create, update and delete, repeat themselves, come too late, and time goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self.now = BEGAN
        self.number = 0
        self.kept: dict[str, Kept] = {}
        self.sent: list[tuple[Record, bool]] = []
        self.values = 0

    @rule(step=STEPS)
    def time_goes_on(self, step: int) -> None:
        self.now += step
        self.state.advance(self.now)
        self.kept = {key: kept for key, kept in self.kept.items() if not kept.until or kept.until >= self.now}

    @rule(
        keys=st.lists(KEYS, min_size=1, max_size=2, unique=True),
        how=st.sampled_from("pcuwd"),
        ttl=TTLS,
        late=st.integers(0, 9),
    )
    def write(self, keys: list[str], how: str, ttl: int, late: int) -> None:
        operations = tuple(self._operation(key, how, ttl) for key in keys)
        self.number += 1
        born = self.now - (WINDOW + 10 if late == 0 else 0)
        group = Group(number=self.number, operations=operations)
        new = Record(writer="w", born=born, groups=(group,), chain=self.state.chain(), digest=str(self.number))
        self._post(new, first=True)

    @rule(which=st.integers(0, 100))
    def repeat(self, which: int) -> None:
        if self.sent:
            self._post(self.sent[which % len(self.sent)][0], first=False)

    def _operation(self, key: str, how: str, ttl: int) -> Operation:
        self.values += 1
        known = self.kept.get(key)
        head = known.revision if known else 0
        prev = {"p": ANY, "c": 0, "u": head, "w": 77, "d": head}[how]
        if how == "d":
            return Operation(verb=Verb.DELETE, key=key, prev=prev)
        return Operation(verb=Verb.PUT, key=key, prev=prev, value=encode(self.values), ttl=ttl)

    def _post(self, record: Record, *, first: bool) -> None:
        self.now += 1
        self.kept = {key: kept for key, kept in self.kept.items() if not kept.until or kept.until >= self.now}
        (outcome,), _ = self.state.apply(self.now, "U1", record)
        counted = first and self.now - record.born <= WINDOW
        if counted:
            counted = all(
                each.prev in (ANY, self.kept[each.key].revision if each.key in self.kept else 0)
                for each in record.groups[0].operations
            )
            assert outcome.applied == counted
        elif self.now - record.born > WINDOW:
            assert outcome.void or outcome == self.state.outcome(f"w/{record.groups[0].number}")
        if counted:
            for each in record.groups[0].operations:
                self._carry_out(each)
        self.sent.append((record, counted))

    def _carry_out(self, operation: Operation) -> None:
        if operation.value is None:
            self.kept.pop(operation.key, None)
            return
        until = self.now + operation.ttl if operation.ttl else 0
        self.kept[operation.key] = Kept(int(operation.value.data), revision(self.now, 0), until)

    @invariant()
    def it_holds_what_the_dictionary_holds(self) -> None:
        mine = {key: (int(head.value.data), head.revision) for key, head in self.state.items()}
        assert mine == {key: (kept.value, kept.revision) for key, kept in self.kept.items()}

    @invariant()
    def its_bytes_make_it_again(self) -> None:
        assert State.load(self.state.dump()).dump() == self.state.dump()


LogMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLog = LogMachine.TestCase
