"""The machine alone: what a run does next, given what is known. No clock, no store, no bus."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.business_time import STANDARD, Hours, Opening
from libs.contracts.execution import ActionState
from libs.contracts.flows import AgentAnswer, CompensationState, FlowStatus, FlowVerb, WaitKind
from libs.contracts.message import Principal, Reason, new_id
from services.execution.flows.domain.definition import DeclarationError, Definition, Definitions, Flow
from services.execution.flows.domain.moving import advance, begin, command, fork, migrate
from services.execution.flows.domain.run import ActionFact, ChildFact, Facts, Run, Signal, Transition
from services.execution.flows.domain.steps import ask, call, checkpoint, go_to, parallel
from services.execution.flows.errors import (
    BadInput,
    ForkInsideParallel,
    Irreversible,
    NothingToMigrate,
    NotNow,
    RollbackTooLate,
    StepNeverRan,
    StepNotHere,
    TooDeep,
)
from tests.unit.execution.flows.declared import Kept, Word, definitions

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)  # a Sunday, 09:00 in Riyadh
WHO = Principal(id="user:1", kind="user", tenant_id=UUID(int=7), roles=("operator",))
ALL = definitions()


class Driver:
    """A flow that is moved by hand."""

    def __init__(self, name: str, **given: Any) -> None:
        self.definition = self._of(name)
        self.now = NOW
        self.actions: dict[UUID, ActionFact] = {}
        self.children: dict[UUID, ChildFact] = {}
        self.signals: list[Signal] = []
        self.answers: dict[str, AgentAnswer | Reason] = {}
        self.silent: frozenset[str] = frozenset()
        self.hours: Opening | None = STANDARD
        self.submitted: list[tuple[UUID, str]] = []
        self.notes: list[tuple[str, str]] = []
        self.run: Run
        self._keep(begin(self.definition, WHO, new_id(), given, NOW))
        self.go()

    @staticmethod
    def _of(name: str) -> Definition:
        found = ALL.newest(name)
        assert found is not None
        return found

    def _keep(self, made: Transition) -> Transition:
        self.run = made.run
        self.submitted += [
            (one.action_id, one.deed.payload.get("text", one.deed.action_type)) for one in made.submissions
        ]
        self.notes += [(one.note, one.step) for one in made.revisions]
        self.signals = [one for one in self.signals if one.signal_id not in made.consumed]
        for one in made.withdrawn:
            if one not in self.actions:
                self.actions[one] = ActionFact(ActionState.CANCELLED)
        return made

    def facts(self) -> Facts:
        return Facts(self.now, self.actions, self.children, self.signals, self.answers, self.silent, self.hours)

    def go(self) -> Transition:
        """Turns until the run has nothing more to do at once; the last one that did something."""
        made = self._keep(advance(self.definition, self.run, self.facts()))
        while made.again and self.run.visits.get("turn", 0) < 900:
            further = self._keep(advance(self.definition, self.run, self.facts()))
            made = further if further.revisions or not further.again else made
        return made

    def command(self, verb: FlowVerb, **fields: Any) -> Transition:
        return self._keep(command(self.definition, self.run, self.facts(), verb, WHO, **fields))

    def settle(self, state: ActionState = ActionState.SUCCEEDED, **fact: Any) -> Transition:
        """The last submitted action comes to rest."""
        self.actions[self.submitted[-1][0]] = ActionFact(state, **fact)
        return self.go()

    def hear(self, name: str, **payload: Any) -> Transition:
        self.signals.append(Signal(new_id(), name, payload, "user:2"))
        return self.go()

    def later(self, **by: float) -> Transition:
        self.now += timedelta(**by)
        return self.go()

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.submitted]

    @property
    def waits(self) -> list[tuple[str, WaitKind]]:
        return [(t.at, t.wait.kind) for t in self.run.tokens if t.wait]


def test_an_act_parks_until_its_action_settles_and_its_result_is_kept() -> None:
    flow = Driver("two_acts")
    assert (flow.texts, flow.waits) == (["first"], [("first", WaitKind.ACTION)])
    flow.settle(ActionState.AWAITING_APPROVAL)
    assert flow.texts == ["first"]
    flow.settle(vendor_id="v-1")
    assert flow.run.state["done"] == {"action_id": str(flow.submitted[0][0]), "state": "succeeded", "vendor_id": "v-1"}
    flow.settle()
    assert (flow.run.status, flow.run.outcome) == (FlowStatus.COMPLETED, "done")


def test_a_turn_made_twice_submits_the_same_action() -> None:
    flow = Driver("two_acts")
    begun = begin(flow.definition, WHO, flow.run.flow_id, {}, NOW).run
    again = advance(flow.definition, begun, Facts(NOW))
    assert [one.action_id for one in again.submissions] == [flow.submitted[0][0]]


def test_a_compensation_is_on_record_in_the_transition_that_submits_its_step() -> None:
    made = advance(ALL.get("two_acts", 1), begin(ALL.get("two_acts", 1), WHO, new_id(), {}, NOW).run, Facts(NOW))  # type: ignore[arg-type]
    (kept,) = made.revisions[-1].checkpoint["compensations"]
    assert (kept["step"], kept["undoes"], kept["deed"]["payload"]) == (
        "first", str(made.submissions[0].action_id), {"text": "undo first"},
    )  # fmt: skip


@pytest.mark.parametrize("unsettled", [ActionState.ACCEPTED, ActionState.UNKNOWN, ActionState.AWAITING_APPROVAL])
def test_nothing_goes_on_while_an_outcome_is_open(unsettled: ActionState) -> None:
    flow = Driver("two_acts")
    flow.settle(unsettled)
    assert (flow.texts, flow.run.status) == (["first"], FlowStatus.RUNNING)


def test_a_signal_is_taken_once_and_an_early_one_is_kept() -> None:
    flow = Driver("waits")
    flow.hear("replied", text="early")
    assert len(flow.signals) == 1
    flow.settle()
    assert (flow.run.outcome, flow.run.state["reply"], flow.signals) == ("answered", {"text": "early"}, [])


def test_a_wait_that_nobody_answers_goes_where_it_says() -> None:
    flow = Driver("waits")
    flow.settle()
    flow.later(days=6.9)
    assert flow.waits == [("reply", WaitKind.SIGNAL)]
    flow.later(days=0.2)
    assert flow.texts == ["tell", "nudge"]


def test_sleep_counts_hours_and_business_hours() -> None:
    flow = Driver("sleeps")
    flow.later(hours=11)
    assert flow.waits == [("night", WaitKind.TIMER)]
    flow.later(hours=1)  # 21:00 in Riyadh: an hour of business ends tomorrow at 10:00
    assert flow.run.wake_at() == datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
    flow.later(hours=13)
    assert flow.run.status is FlowStatus.COMPLETED


def test_without_the_tenants_hours_business_time_neither_passes_nor_is_guessed() -> None:
    flow = Driver("sleeps")
    flow.hours = None
    assert flow.later(hours=12).wants_hours
    assert flow.run.wake_at() == flow.now  # soon: the next turn knows, or not
    assert flow.go().wants_hours
    assert flow.run.wake_at() == flow.now + timedelta(seconds=30)
    flow.later(days=3)
    assert flow.waits == [("business", WaitKind.TIMER)]
    flow.hours = Hours(opens_minute=10 * 60, closes_minute=12 * 60)
    flow.later(minutes=1)
    assert flow.run.wake_at() == datetime(2026, 11, 26, 8, 0, tzinfo=UTC)  # Thursday at 11:00 in Riyadh


def test_a_day_that_became_a_holiday_since_is_slept_through() -> None:
    flow = Driver("sleeps")
    flow.later(hours=12)
    assert flow.run.wake_at() == datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
    flow.hours = Hours(closed_on=(date(2026, 11, 23),))
    flow.later(hours=13)
    assert flow.run.wake_at() == datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
    flow.later(hours=23)
    assert flow.run.status is FlowStatus.COMPLETED


@pytest.mark.parametrize(
    ("word", "done", "outcome"),
    [("left", {"went": "left"}, "done"), ("right", {"went": "right"}, "done"), ("x", {}, "nowhere")],
)
def test_a_branch_takes_the_first_case_that_holds(word: str, done: dict[str, str], outcome: str) -> None:
    flow = Driver("branches", word=word)
    assert (flow.run.state["done"], flow.run.outcome) == (done, outcome)


def test_parallel_branches_join_when_all_have_ended() -> None:
    flow = Driver("splits")
    flow.hear("b", text="B")  # early: its branch is at the act
    flow.settle()
    assert flow.run.status is FlowStatus.RUNNING
    flow.hear("a", text="A")
    assert flow.run.state["done"] == {"both": ["A", "B"]}


def test_a_loop_counts_and_one_that_never_waits_is_ended() -> None:
    assert Driver("loops").run.outcome == "counted"
    flow = Driver("endless")
    while flow.run.status is FlowStatus.RUNNING:
        flow.go()
    assert (flow.run.status, flow.run.error and flow.run.error.code) == (FlowStatus.FAILED, "endless")


def test_an_agent_answers_or_a_person_does() -> None:
    answered, handed = Driver("asks", word="retail"), Driver("asks", word="retail")
    answered.answers = {
        "0": AgentAnswer(agent="sector_strategist", answered=True, output={"brief": "b"}, confidence=0.9)
    }
    answered.go()
    assert answered.run.state["plan"] == {"brief": "b"}
    handed.answers = {"0": AgentAnswer(agent="sector_strategist", answered=False, to="growth_manager")}
    made = handed.go()
    assert [(one.signal, one.role) for one in made.errands] == [("plan.answered", "growth_manager")]
    handed.answers = {}
    handed.hear("plan.answered", output={"brief": "by hand"})
    assert (handed.run.state["plan"], handed.run.status) == ({"brief": "by hand"}, FlowStatus.COMPLETED)


def test_a_silent_agent_is_asked_again_later() -> None:
    flow = Driver("asks", word="retail")
    flow.silent = frozenset({"0"})
    made = flow.go()
    assert (made.questions(NOW), flow.run.wake_at()) == ([], NOW + timedelta(seconds=2))
    assert [one.agent for one in made.questions(NOW + timedelta(seconds=2))] == ["sector_strategist"]


def test_what_nobody_here_can_carry_out_waits_for_a_persons_word() -> None:
    flow = Driver("two_acts")
    made = flow.settle(ActionState.MANUAL)
    assert [one.signal for one in made.errands] == ["first.done"]
    flow.hear("first.done", reference="contract 7")
    assert flow.run.state["done"]["vendor_id"] == "contract 7"
    assert flow.run.compensations[0].confirmed


def test_a_failed_step_stops_the_flow_and_a_retry_is_a_new_action() -> None:
    flow = Driver("two_acts")
    made = flow.settle(ActionState.FAILED, error="vendor_down")
    assert (flow.run.status, flow.run.failed_step) == (FlowStatus.FAILED, "first")
    assert made.stalled is not None and made.stalled[1].code == "vendor_down"
    flow.command(FlowVerb.RETRY)
    flow.go()
    assert flow.texts == ["first", "first"] and flow.submitted[0][0] != flow.submitted[1][0]


def test_rolling_back_undoes_in_reverse_one_after_another() -> None:
    flow = Driver("two_acts")
    flow.settle()
    flow.command(FlowVerb.PAUSE)
    flow.command(FlowVerb.RESUME)
    flow.settle()
    assert flow.run.status is FlowStatus.COMPLETED
    flow.command(FlowVerb.ROLLBACK)
    flow.go()
    assert flow.texts[2:] == ["undo second"]
    flow.settle()
    assert flow.texts[2:] == ["undo second", "undo first"]
    flow.settle()
    assert flow.run.status is FlowStatus.ROLLED_BACK
    assert [one.state for one in flow.run.compensations] == [CompensationState.DONE] * 2


def test_what_never_had_an_effect_is_not_undone() -> None:
    flow = Driver("two_acts")
    flow.settle()
    flow.command(FlowVerb.ROLLBACK)  # `second` waits for approval: it is withdrawn
    flow.go()
    assert flow.texts == ["first", "second", "undo first"]
    assert flow.run.compensations[1].state is CompensationState.NOT_NEEDED


def test_a_compensation_that_fails_is_tried_again_and_then_a_person_is_asked() -> None:
    flow = Driver("waits")
    flow.settle()
    flow.command(FlowVerb.ROLLBACK)
    flow.go()
    for _ in range(2):
        flow.settle(ActionState.FAILED)
        assert flow.run.status is FlowStatus.ROLLING_BACK
        flow.later(minutes=5)
    made = flow.settle(ActionState.FAILED)
    assert (flow.run.status, made.stalled is not None) == (FlowStatus.NEEDS_ATTENTION, True)
    assert flow.texts == ["tell", "untell", "untell", "untell"]
    flow.command(FlowVerb.RETRY)
    flow.go()
    flow.settle()
    assert flow.run.status is FlowStatus.ROLLED_BACK
    assert len({action for action, _ in flow.submitted}) == len(flow.submitted)


def test_a_compensation_that_somebody_refused_is_not_asked_for_again() -> None:
    flow = Driver("waits")
    flow.settle()
    flow.command(FlowVerb.ROLLBACK)
    flow.go()
    flow.settle(ActionState.REFUSED)
    assert flow.run.status is FlowStatus.NEEDS_ATTENTION


def test_a_compensation_that_nobody_here_can_carry_out_waits_for_a_persons_word() -> None:
    flow = Driver("waits")
    flow.settle()
    flow.command(FlowVerb.ROLLBACK)
    flow.go()
    made = flow.settle(ActionState.MANUAL)
    assert [one.signal for one in made.errands] == ["tell.undone"]
    assert flow.run.status is FlowStatus.ROLLING_BACK
    flow.hear("tell.undone", note="by hand")
    assert flow.run.status is FlowStatus.ROLLED_BACK


def test_a_persons_deed_that_was_never_confirmed_is_not_undone() -> None:
    flow = Driver("two_acts")
    flow.settle(ActionState.MANUAL)
    flow.command(FlowVerb.ROLLBACK)
    flow.go()
    assert (flow.run.status, flow.texts) == (FlowStatus.ROLLED_BACK, ["first"])


def test_an_unknown_outcome_is_never_undone_blindly() -> None:
    flow = Driver("two_acts")
    flow.settle(ActionState.UNKNOWN)
    flow.command(FlowVerb.ROLLBACK)
    flow.go()
    assert (flow.run.status, flow.run.error and flow.run.error.code) == (FlowStatus.NEEDS_ATTENTION, "outcome_unknown")
    assert flow.texts == ["first"]


def test_what_cannot_be_taken_back_is_said_and_nothing_changes() -> None:
    flow = Driver("mail", contact_id="c-1", letter={"to": "a@b.example"})
    flow.settle()
    before = flow.run.model_dump()
    with pytest.raises(Irreversible, match="send"):
        flow.command(FlowVerb.ROLLBACK)
    assert flow.run.model_dump() == before


def test_a_rollback_has_its_window() -> None:
    flow = Driver("quits")
    flow.settle()
    flow.later(hours=2)
    assert flow.run.outcome == "silent"
    flow.later(hours=73)
    with pytest.raises(RollbackTooLate):
        flow.command(FlowVerb.ROLLBACK)


def test_a_failure_that_says_so_rolls_back_by_itself() -> None:
    flow = Driver("charges")
    flow.settle()
    flow.settle(ActionState.REFUSED)
    assert (flow.run.status, flow.texts[-1]) == (FlowStatus.ROLLING_BACK, "untell")


def test_a_step_passes_when_people_approve_it_and_not_before() -> None:
    flow = Driver("two_acts")
    flow.settle(ActionState.FAILED)
    flow.command(FlowVerb.SKIP)
    assert flow.texts[-1] == "flow_step_skip"
    flow.settle(ActionState.AWAITING_APPROVAL)
    assert flow.run.status is FlowStatus.FAILED
    flow.settle()
    assert (flow.run.status, flow.texts[-1]) == (FlowStatus.RUNNING, "second")


def test_a_skip_that_people_refuse_changes_nothing() -> None:
    flow = Driver("two_acts")
    flow.settle(ActionState.FAILED)
    flow.command(FlowVerb.SKIP)
    flow.settle(ActionState.REFUSED)
    assert (flow.run.status, flow.run.skipping) == (FlowStatus.FAILED, None)
    with pytest.raises(StepNotHere):
        flow.command(FlowVerb.SKIP, step="second")


def test_pause_holds_and_resume_goes_on() -> None:
    flow = Driver("two_acts")
    flow.command(FlowVerb.PAUSE)
    flow.settle()
    assert flow.texts == ["first"]
    flow.command(FlowVerb.RESUME)
    flow.go()
    assert flow.texts == ["first", "second"]


def test_a_cancelled_flow_withdraws_what_waits_and_undoes_nothing() -> None:
    flow = Driver("two_acts")
    made = flow.command(FlowVerb.CANCEL)
    assert (flow.run.status, made.withdrawn) == (FlowStatus.CANCELLED, [flow.submitted[0][0]])
    with pytest.raises(NotNow):
        flow.command(FlowVerb.RESUME)


def test_a_signal_ends_a_flow_that_says_so_wherever_it_stands() -> None:
    flow = Driver("stops")
    flow.hear("withdrawn", text="stop")
    assert (flow.run.status, flow.run.outcome, flow.texts) == (FlowStatus.COMPLETED, "withdrawn", [])


def test_a_child_ends_and_rolls_back_with_its_parent() -> None:
    flow = Driver("parent", word="w")
    made = flow.settle()
    (child,) = made.children
    assert (child.flow, child.input) == ("child", {"word": "w"})
    flow.children[child.flow_id] = ChildFact(FlowStatus.COMPLETED, "done", {"word": "w"})
    flow.go()
    assert flow.run.state["child"]["outcome"] == "done"
    made = flow.later(days=3)
    assert made.to_children == [(child.flow_id, "$rollback")]
    flow.children[child.flow_id] = ChildFact(FlowStatus.ROLLED_BACK, "rolled_back", {})
    flow.go()
    assert flow.texts == ["outer", "undo outer"]


def test_a_fork_begins_where_a_step_began() -> None:
    flow = Driver("two_acts")
    flow.settle(vendor_id="v-1")
    flow.settle()
    history = _history(flow)
    made = fork(flow.definition, flow.run, history, "second", new_id(), WHO, NOW)
    assert (made.run.tokens[0].at, made.run.state["done"]["vendor_id"]) == ("second", "v-1")
    with pytest.raises(StepNeverRan):
        fork(flow.definition, flow.run, history, "third", new_id(), WHO, NOW)


def test_a_step_that_never_ran_or_stands_in_a_branch_cannot_be_forked_from() -> None:
    waits, splits = Driver("waits"), Driver("splits")
    with pytest.raises(StepNeverRan):
        fork(waits.definition, waits.run, _history(waits), "nudge", new_id(), WHO, NOW)
    with pytest.raises(ForkInsideParallel):
        fork(splits.definition, splits.run, _history(splits), "a", new_id(), WHO, NOW)


def _history(flow: Driver) -> Any:
    """Every revision of a run, made again from its beginning with what is known by now."""
    begun = begin(flow.definition, WHO, flow.run.flow_id, {"word": flow.run.state["word"]}, NOW)
    return [*begun.revisions, *advance(flow.definition, begun.run, flow.facts()).revisions]


def test_a_migration_is_explicit_and_moves_a_waiting_flow() -> None:
    old, new = ALL.get("versions", 1), ALL.get("versions", 2)
    assert old is not None and new is not None
    run = advance(old, begin(old, WHO, new_id(), {}, NOW).run, Facts(NOW)).run
    heard = Facts(NOW, signals=[Signal(new_id(), "go", {"text": "t"})])
    assert advance(old, run, heard).run.state["done"] == {"version": 1}
    moved = migrate(new, run, Facts(NOW), WHO).run
    assert (moved.version, moved.state["turns"]) == (2, 2)
    assert advance(new, moved, heard).run.state["done"] == {"version": 2}
    with pytest.raises(NothingToMigrate):
        migrate(new, moved, Facts(NOW), WHO)


def test_the_input_is_checked_and_children_nest_only_so_deep() -> None:
    definition = ALL.newest("waits")
    assert definition is not None
    with pytest.raises(BadInput, match="colour") as caught:
        begin(definition, WHO, new_id(), {"colour": "red"}, NOW)
    assert "المدخل" in caught.value.ar
    with pytest.raises(TooDeep):
        begin(definition, WHO, new_id(), {}, NOW, depth=9)


def test_wrong_declarations_are_refused_by_name() -> None:
    class A(Flow[Kept], name="a", version=1):
        input, state = Word, Kept
        steps = (call("b", "b", lambda s: {}),)

    class B(Flow[Kept], name="b", version=1):
        input, state = Word, Kept
        steps = (call("a", "a", lambda s: {}),)

    class Lost(Flow[Kept], name="lost", version=1):
        input, state = Word, Kept
        steps = (checkpoint("x"), go_to("y", "nowhere"))

    with pytest.raises(DeclarationError, match="circle: a > b > a"):
        Definitions((A, B))
    with pytest.raises(DeclarationError, match="nobody declared"):
        Definitions((A,))
    with pytest.raises(DeclarationError, match="nowhere"):
        Definitions((Lost,))


def test_every_revision_holds_the_whole_state() -> None:
    flow = Driver("two_acts")
    made = flow.settle(vendor_id="v-1")
    assert Run.model_validate(made.revisions[-1].checkpoint) == made.run
    assert [one.seq for one in made.revisions] == list(range(made.revisions[0].seq, made.run.seq + 1))


@pytest.mark.parametrize(
    "state",
    [
        {"text": 'مرحبًا \u2028 "', "n": 1.5e-9},
        {"n": 2**70},
        {"at": NOW, "id": UUID(int=3), "price": Decimal("1.50")},
        {"all": {"a"}},
    ],
)
def test_a_run_is_written_as_its_model_says(state: dict[str, Any]) -> None:
    run = Driver("two_acts").run
    run.state = state
    assert run.text() == run.model_dump_json()
    assert run.tokens and run.compensations


def test_what_no_revision_tells_of_is_kept_with_the_run() -> None:
    class Both(Flow[Kept], name="both", version=1):
        input, state = Word, Kept
        steps = (
            parallel("at_once", one=[checkpoint("here")], two=[ask("plan", "sector_strategist", _asked, into="plan")]),
        )

    definition = Definition(Both)
    run = begin(definition, WHO, new_id(), {}, NOW).run
    made = advance(definition, run, Facts(NOW, silent=frozenset({"0.at_once.two"})))
    (tries,) = [token.wait.tries for token in made.run.tokens if token.wait is not None]
    assert tries == 1 and made.revisions[-1].checkpoint != made.run.model_dump(mode="json")
    assert Run.model_validate_json(made.written()) == made.run


def _asked(state: Kept) -> dict[str, Any]:
    return {"sector": state.word, "knowledge": []}
