"""Wires what is pushed to tenants' own systems."""

from __future__ import annotations

from collections.abc import Collection

from libs.contracts import subjects
from libs.runtime.plane import Runtime
from services.execution.push.desk import PushDesk
from services.execution.push.engine import Push, Submit
from services.execution.push.secrets import Secrets


def serve_push(runtime: Runtime, secrets: Secrets, allowed: Collection[str], submit: Submit) -> Push:
    """Answer about subscriptions and take turns at them."""
    push = Push(runtime, submit)
    desk = PushDesk(runtime, secrets, allowed, push.wake.set)
    bus = runtime.bus
    bus.serve(subjects.SUBSCRIBE, desk.subscribe)
    bus.serve(subjects.SUBSCRIPTIONS, desk.page)
    bus.serve(subjects.SUBSCRIPTION, desk.get)
    bus.serve(subjects.CHANGE_SUBSCRIPTION, desk.change)
    bus.serve(subjects.COMMAND_SUBSCRIPTION, desk.command)
    bus.serve(subjects.ROTATE_SECRET, desk.rotate)
    bus.serve(subjects.DELIVERIES, desk.deliveries)
    bus.serve(subjects.DELIVERY, desk.delivery)
    bus.serve(subjects.RETRY_DELIVERY, desk.retry)
    bus.serve(subjects.REPLAY_RANGE, desk.replay)
    runtime.loop("push", push.run)
    return push
