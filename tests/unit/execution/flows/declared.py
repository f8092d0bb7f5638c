"""Small flows for tests of the engine: every kind of step, one thing each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from libs.contracts.trust import ResourceRef
from services.execution.flows.domain.definition import Definitions, Flow, Migration, Typed
from services.execution.flows.domain.steps import (
    Business,
    Deed,
    Finish,
    GoTo,
    RollBack,
    act,
    ask,
    branch,
    call,
    checkpoint,
    days,
    finish,
    go_to,
    hours,
    parallel,
    sleep,
    wait_for,
)

SYSTEM = ResourceRef(type="system", id="tests")


def notify(text: str) -> Any:
    """An action that leaves by the Slack connector and needs nobody's approval."""
    return lambda _: Deed(action_type="slack_notify", resource=SYSTEM, payload={"text": text}, reason="test")


class Word(Typed):
    word: str = ""


class Kept(Word):
    reply: dict[str, Any] = {}
    plan: dict[str, Any] = {}
    done: dict[str, Any] = {}
    child: dict[str, Any] = {}
    turns: int = 0


class Reply(Typed):
    text: str


class Two(Flow[Kept], name="two_acts", version=1):
    """Two effects, each with its way back."""

    input, state = Word, Kept
    steps = (
        act("first", notify("first"), notify("undo first"), into="done"),
        act("second", notify("second"), notify("undo second")),
    )


class Waits(Flow[Kept], name="waits", version=1):
    input, state = Word, Kept
    steps = (
        act("tell", notify("tell"), notify("untell")),
        wait_for("reply", "replied", Reply, within=days(7), into="reply", on_timeout=GoTo("nudge")),
        finish("answered", "answered"),
        act("nudge", notify("nudge")),
    )


class Timers(Flow[Kept], name="sleeps", version=1):
    input, state = Word, Kept
    steps = (sleep("night", hours(12)), sleep("business", Business(60)), checkpoint("awake"))


class Branches(Flow[Kept], name="branches", version=1):
    input, state = Word, Kept
    steps = (
        branch(
            "which",
            (lambda s: s.word == "left", (checkpoint("left", lambda s: {"done": {"went": "left"}}),)),
            (lambda s: s.word == "right", (checkpoint("right", lambda s: {"done": {"went": "right"}}),)),
            otherwise=(finish("nowhere", "nowhere"),),
        ),
        checkpoint("after"),
    )


class Split(Flow[Kept], name="splits", version=1):
    input, state = Word, Kept
    steps = (
        parallel(
            "both",
            a=(wait_for("a", "a", Reply, within=days(1), into="reply"),),
            b=(act("b", notify("b")), wait_for("b2", "b", Reply, within=days(1), into="plan")),
            empty=(),
        ),
        checkpoint("joined", lambda s: {"done": {"both": [s.reply["text"], s.plan["text"]]}}),
    )


class Loop(Flow[Kept], name="loops", version=1):
    input, state = Word, Kept
    steps = (
        checkpoint("turn", lambda s: {"turns": s.turns + 1}),
        branch("enough", (lambda s: s.turns >= 3, (finish("out", "counted"),))),
        go_to("again", "turn"),
    )


class Endless(Flow[Kept], name="endless", version=1):
    input, state = Word, Kept
    steps = (checkpoint("turn"), go_to("again", "turn"))


class Asks(Flow[Kept], name="asks", version=1):
    input, state = Word, Kept
    steps = (
        ask("plan", "sector_strategist", lambda s: {"sector": s.word, "knowledge": []}, into="plan"),
        checkpoint("planned"),
    )


class Child(Flow[Kept], name="child", version=1):
    input, state = Word, Kept
    steps = (act("inner", notify("inner"), notify("undo inner")), wait_for("go", "go", Reply, within=days(2)))


class Parent(Flow[Kept], name="parent", version=1):
    input, state = Word, Kept
    steps = (
        act("outer", notify("outer"), notify("undo outer")),
        call("kid", "child", lambda s: {"word": s.word}, into="child"),
        wait_for("end", "end", Reply, within=days(2), on_timeout=RollBack()),
    )


class Stops(Flow[Kept], name="stops", version=1):
    input, state = Word, Kept
    ends_on = {"withdrawn": Reply}
    steps = (sleep("long", days(30)), act("send", notify("never")))


class Letter(Typed):
    contact_id: str
    letter: dict[str, Any]


class Mail(Flow[Letter], name="mail", version=1):
    """A letter that can't be taken back."""

    input, state = Letter, Letter
    steps = (
        act(
            "send",
            lambda s: Deed(
                action_type="send_email", resource=ResourceRef(type="contact", id=s.contact_id), payload=s.letter
            ),
        ),
        wait_for("later", "later", Reply, within=days(1)),
    )


class Charges(Flow[Kept], name="charges", version=1):
    """An effect that is refused."""

    input, state = Word, Kept
    steps = (
        act("tell", notify("tell"), notify("untell")),
        act(
            "forbidden",
            lambda s: Deed(action_type="gmail_send", resource=SYSTEM, payload={"to": "x"}),
            on_failure=RollBack(),
        ),
    )


class NoSuchAction(Flow[Kept], name="no_such_action", version=1):
    input, state = Word, Kept
    steps = (act("odd", lambda s: Deed(action_type="dance", resource=SYSTEM, payload={})),)


class BadUndo(Flow[Kept], name="bad_undo", version=1):
    """A compensation that trust refuses."""

    input, state = Word, Kept
    steps = (
        act("first", notify("first"), lambda s: Deed(action_type="gmail_send", resource=SYSTEM, payload={"to": "x"})),
        wait_for("more", "more", Reply, within=days(1)),
    )


class OneV1(Flow[Kept], name="versions", version=1):
    input, state = Word, Kept
    steps = (wait_for("old", "go", Reply, within=days(9)), checkpoint("was_one", lambda s: {"done": {"version": 1}}))


class OneV2(Flow[Kept], name="versions", version=2):
    input, state = Word, Kept
    migrations = {1: Migration(lambda state: {**state, "turns": 2}, {"old": "new"})}
    steps = (wait_for("new", "go", Reply, within=days(9)), checkpoint("was_two", lambda s: {"done": {"version": 2}}))


class Quits(Flow[Kept], name="quits", version=1):
    input, state = Word, Kept
    rollback_within = timedelta(hours=72)
    steps = (
        act("tell", notify("tell"), notify("untell")),
        wait_for("reply", "replied", Reply, within=hours(1), on_timeout=Finish("silent")),
    )


ALL = (
    Two, Waits, Timers, Branches, Split, Loop, Endless, Asks, Child, Parent, Stops, Mail, Charges, NoSuchAction, BadUndo, OneV1, OneV2, Quits,
)  # fmt: skip


def definitions() -> Definitions:
    return Definitions(ALL)
