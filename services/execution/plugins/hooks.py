"""Runs hooks: in order, each within its time, none able to take anything else down.

Every plugin has a thread and an event loop of its own, so that one that blocks, or never ends, delays nobody but itself. What a hook
returns is `None` or a `Veto`; anything else, an error and silence count as failed. A failed hook fails closed where it is asked, and is
only reported where it is told.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from libs.contracts.catalogue.plugins import HookPoint, HookTerms
from services.execution.plugins.api import Hook, Veto

log = logging.getLogger(__name__)


class Caller(Protocol):
    async def call(self, hook: Hook, seen: Any, seconds: float) -> object:
        """What the hook returns. Raises TimeoutError after `seconds`, and whatever the hook raises."""
        ...


class Aside:
    """A thread with an event loop for one plugin. It ends with the process."""

    def __init__(self, plugin: str) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name=f"plugin-{plugin}", daemon=True).start()

    async def call(self, hook: Hook, seen: Any, seconds: float) -> object:
        async def inside() -> object:
            return await hook(seen)

        # A blocked thread never starts it: the wait ends all the same, and what has not begun is taken back.
        running = asyncio.run_coroutine_threadsafe(inside(), self._loop)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(running), seconds)
        finally:
            running.cancel()


@dataclass(frozen=True, slots=True)
class Registered:
    """One hook of one plugin."""

    plugin: str
    point: HookPoint
    terms: HookTerms
    hook: Hook
    caller: Caller


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an action is held. `failed` when the hook did not answer; then asking again later may help."""

    plugin: str
    point: HookPoint
    veto: Veto
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    plugin: str
    point: HookPoint
    error: str


@dataclass
class Hooks:
    registered: Sequence[Registered] = ()
    _by_point: dict[HookPoint, list[Registered]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for one in sorted(self.registered, key=lambda each: (each.terms.order, each.plugin)):
            self._by_point.setdefault(one.point, []).append(one)

    def listens(self, point: HookPoint) -> bool:
        return point in self._by_point

    async def objection(self, point: HookPoint, seen: Callable[[], Any]) -> Objection | None:
        """The first objection in order. `seen` makes a fresh copy for each hook. A hook that fails objects."""
        for one in self._by_point.get(point, ()):
            answer, error = await _ask(one, seen())
            if error:
                log.warning("a hook failed: %s", error, extra={"ids": {"plugin": one.plugin, "point": point.value}})
                return Objection(one.plugin, point, _failed(one.plugin), failed=True)
            if answer is not None:
                return Objection(one.plugin, point, answer)
        return None

    async def tell(self, point: HookPoint, seen: Callable[[], Any]) -> list[Failure]:
        """Tell every hook, and say which failed. What they return changes nothing."""
        failures = []
        for one in self._by_point.get(point, ()):
            _, error = await _ask(one, seen())
            if error:
                failures.append(Failure(one.plugin, point, error))
        return failures


async def _ask(one: Registered, seen: Any) -> tuple[Veto | None, str]:
    """The hook's answer, or the name of what went wrong; an error's text may quote a payload."""
    try:
        answer = await one.caller.call(one.hook, seen, one.terms.timeout_ms / 1000)
    except TimeoutError:
        return None, "timeout"
    except Exception as error:  # somebody else's code may raise anything; a hook that fails holds the action
        return None, type(error).__name__
    if answer is None or isinstance(answer, Veto):
        return answer, ""
    return None, f"answered with {type(answer).__name__}"


def _failed(plugin: str) -> Veto:
    return Veto(
        "hook_failed",
        f"The check of the plugin {plugin} did not answer, so nothing is performed.",
        f"لم يُجب فحص الإضافة {plugin}، فلا يُنفَّذ شيء.",
    )
