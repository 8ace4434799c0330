"""Whatever fires and whatever is done, in whatever order: nothing is counted twice, nothing is lost, and replay agrees."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.alert_memory import AlertMemory
from tests.grants_world import OPERATOR

from tallystick.alert.book.errors import AlertInvalidError, AlertStateError
from tallystick.alert.book.model import SEVERITIES, Assignee, Verdict
from tallystick.follow.alarm import Alarm

pick = st.integers(min_value=0, max_value=50)
alarms = st.builds(
    Alarm,
    kind=st.sampled_from(("rule-1", "rule-2")),
    key=st.sampled_from(("ana", "ben", "")),
    occasion=st.sampled_from([str(number) for number in range(12)]),
    scope=st.sampled_from(("acme", "acme/app", "")),
    severity=st.sampled_from(SEVERITIES),
    title=st.just("It fired"),
    sentence=st.sampled_from(("one", "two \N{SNOWMAN}")),
    at_us=st.integers(min_value=0, max_value=1000),
    count=st.integers(min_value=1, max_value=5),
    indexes=st.lists(st.integers(min_value=0, max_value=99), max_size=30).map(tuple),
    recovered=st.booleans(),
)


class Lives(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.book = AlertMemory()
        self.told: dict[tuple[str, str, str], int] = {}

    @rule(batch=st.lists(alarms, max_size=8))
    def fire(self, batch: list[Alarm]) -> None:
        # A room tells an end as an occasion of its own.
        batch = [replace(alarm, occasion=f"end {alarm.occasion}") if alarm.recovered else alarm for alarm in batch]
        self.book.book.raise_alarms(batch)
        for alarm in batch:
            if not alarm.recovered:
                self.told.setdefault((alarm.kind, alarm.key, alarm.occasion), alarm.count)
        size = len(self.book.world.parts)
        self.book.book.raise_alarms([alarm for alarm in batch if not alarm.recovered])
        assert len(self.book.world.parts) == size

    @rule(number=pick, step=st.sampled_from(("acknowledge", "start")))
    def work(self, number: int, step: str) -> None:
        with suppress(AlertStateError, IndexError):
            getattr(self.book.service, step)(OPERATOR, self._alert(number))

    @rule(number=pick)
    def give(self, number: int) -> None:
        with suppress(AlertStateError, IndexError):
            self.book.service.assign(OPERATOR, self._alert(number), Assignee("team", "soc"))

    @rule(numbers=st.lists(pick, min_size=1, max_size=3), verdict=st.sampled_from(Verdict), second=st.booleans())
    def close(self, numbers: list[int], verdict: Verdict, second: bool) -> None:
        self.book.second_person = second
        with suppress(AlertStateError, AlertInvalidError, IndexError):
            alerts = [self._alert(number) for number in numbers]
            original = self._alert(numbers[0] + 1) if verdict is Verdict.DUPLICATE else None
            self.book.closing.close(OPERATOR, alerts, verdict, "because", original)

    @rule(number=pick)
    def reopen(self, number: int) -> None:
        with suppress(AlertStateError, IndexError):
            self.book.closing.reopen(OPERATOR, self._alert(number), "again")

    @rule(hours=st.integers(min_value=1, max_value=900))
    def wait(self, hours: int) -> None:
        self.book.world.clock.advance(hours * 3600)

    def _alert(self, number: int) -> str:
        found = self.book.rows()
        return str(found[number % max(len(found), 1)].alert)

    @invariant()
    def every_firing_is_counted_once(self) -> None:
        assert sum(row.count for row in self.book.rows()) == sum(self.told.values())

    @invariant()
    def replaying_the_log_makes_the_same_rows(self) -> None:
        before = self.book.contents()
        self.book.world.projection.rebuild()
        assert self.book.contents() == before


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=20, stateful_step_count=15, deadline=None)
