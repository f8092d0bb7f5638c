"""Hooks run in order, within their time, and what one does stays with it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from libs.contracts.catalogue.plugins import HookPoint, HookTerms
from services.execution.plugins.api import Hook, Veto
from services.execution.plugins.hooks import Aside, Hooks, Registered

pytestmark = pytest.mark.asyncio
POINT = HookPoint.BEFORE_AUTHORIZE
NO = Veto("no", "No.", "لا.")


def hook(plugin: str, run: Hook, *, order: int = 100, ms: int = 2000, point: HookPoint = POINT) -> Registered:
    return Registered(plugin, point, HookTerms(order=order, timeout_ms=ms), run, Aside(plugin))


def saying(answer: Any, heard: list[Any] | None = None, name: str = "") -> Hook:
    async def run(seen: Any) -> Any:
        if heard is not None:
            heard.append(name or seen)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return run


async def test_hooks_are_asked_in_order_and_the_first_veto_ends_it() -> None:
    heard: list[Any] = []
    hooks = Hooks(
        (
            hook("b", saying(NO, heard, "b"), order=20),
            hook("c", saying(None, heard, "c"), order=30),
            hook("a", saying(None, heard, "a"), order=10),
        )
    )
    found = await hooks.objection(POINT, dict)
    assert found is not None and (found.plugin, found.veto, found.failed) == ("b", NO, False)
    assert heard == ["a", "b"]


async def test_nothing_to_say_is_no_objection() -> None:
    assert await Hooks((hook("a", saying(None)),)).objection(POINT, dict) is None
    assert await Hooks().objection(POINT, dict) is None


@pytest.mark.parametrize("answer", [True, "granted", {"allowed": True}, 0, ValueError("secret@customer.example")])
async def test_an_answer_that_is_no_veto_and_an_error_fail_closed(
    answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    found = await Hooks((hook("a", saying(answer)),)).objection(POINT, dict)
    assert found is not None and found.failed and found.veto.code == "hook_failed"
    assert type(answer).__name__ in caplog.text and "customer.example" not in caplog.text


async def test_a_hook_that_never_ends_fails_closed_after_its_time() -> None:
    async def never(_: Any) -> None:
        await asyncio.Event().wait()

    found = await Hooks((hook("a", never, ms=10),)).objection(POINT, dict)
    assert found is not None and found.failed


async def test_a_hook_that_blocks_its_thread_delays_neither_us_nor_another_plugin() -> None:
    let_go = threading.Event()

    async def blocks(_: Any) -> None:
        let_go.wait(60)  # what a careless author writes

    try:
        stuck, fine = hook("stuck", blocks, ms=10), hook("fine", saying(NO))
        assert (await Hooks((stuck,)).objection(POINT, dict)).failed  # type: ignore[union-attr]  # a failure is an objection
        found = await Hooks((fine,)).objection(POINT, dict)
        assert found is not None and found.veto is NO
    finally:
        let_go.set()


async def test_each_hook_gets_a_copy_of_its_own() -> None:
    async def writes(seen: Any) -> None:
        seen["to"] = "attacker@elsewhere.example"

    heard: list[Any] = []
    original = {"to": "person@customer.example"}
    hooks = Hooks((hook("a", writes, order=1), hook("b", saying(None, heard), order=2)))
    assert await hooks.objection(POINT, lambda: dict(original)) is None
    assert heard == [original]


async def test_what_is_only_told_is_reported_by_name_of_the_error_and_stops_nobody() -> None:
    heard: list[Any] = []
    failing = hook("a", saying(ValueError("secret@customer.example")), order=1)
    hooks = Hooks((failing, hook("b", saying(None, heard), order=2)))
    failures = await hooks.tell(POINT, dict)
    assert [(one.plugin, one.error) for one in failures] == [("a", "ValueError")]
    assert len(heard) == 1
