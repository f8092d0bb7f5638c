"""The AsyncAPI 3 document of the whole bus, generated from `subjects.py`: every call with its reply, every event, every signal."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from libs.contracts.message import Fault, Message, Plane
from libs.contracts.subjects import CALLS, EVENTS, SIGNALS
from libs.runtime.settings import VERSION

_SCHEMAS = "#/components/schemas/{model}"


def document() -> dict[str, Any]:
    """The document as JSON values. Operations are named from the side of the plane that owns the subject."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for call in CALLS:
        channels[call.subject] = _channel(call.subject, call.request, f"Answered by {call.plane.value}.")
        # Replies go to the caller's own inbox, whose name the request carries.
        channels[f"{call.subject}.reply"] = _channel(None, call.reply, f"The reply of {call.subject}.", Fault)
        operations[f"serve.{call.subject}"] = {
            "action": "receive",
            "channel": _ref("channels", call.subject),
            "messages": [_message_ref(call.subject, call.request)],
            "reply": {
                "channel": _ref("channels", f"{call.subject}.reply"),
                "messages": [_message_ref(f"{call.subject}.reply", m) for m in (call.reply, Fault)],
            },
            "tags": [{"name": call.plane.value}],
            "x-callers": _names(call.callers),
            "x-timeout-seconds": call.timeout,
        }
    for event in EVENTS:
        what = f"An event of {event.plane.value}, CloudEvents 1.0 attributes in headers, stream {event.stream}."
        channels[event.subject] = _channel(event.subject, event.message, what)
        operations[f"publish.{event.subject}"] = {
            "action": "send",
            "channel": _ref("channels", event.subject),
            "messages": [_message_ref(event.subject, event.message)],
            "tags": [{"name": event.plane.value}],
            "x-stream": event.stream,
            "x-consumers": _names(event.consumers),
        }
    for signal in SIGNALS:
        address = f"{{plane}}.{signal.name}.v1"
        channels[signal.name] = {
            **_channel(address, signal.message, "Telemetry: best effort, at most once."),
            "parameters": {"plane": {"description": "The plane that publishes.", "enum": _names(Plane)}},
        }
        operations[f"hear.{signal.name}"] = {
            "action": "receive",
            "channel": _ref("channels", signal.name),
            "messages": [_message_ref(signal.name, signal.message)],
            "tags": [{"name": signal.consumer.value}],
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Dealix bus",
            "version": VERSION,
            "description": "Every subject on the bus: who answers, who may call, what travels.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": _components(),
    }


def _models() -> list[type[Message]]:
    found = (
        {m for c in CALLS for m in (c.request, c.reply)} | {e.message for e in EVENTS} | {s.message for s in SIGNALS}
    )
    return sorted({*found, Fault}, key=lambda model: model.__name__)


def _components() -> dict[str, Any]:
    models = _models()
    names = [model.__name__ for model in models]
    if len(names) != len(set(names)):
        raise ValueError("two messages share a name")
    _, schemas = models_json_schema([(model, "validation") for model in models], ref_template=_SCHEMAS)
    messages = {
        model.__name__: {
            "name": model.__name__,
            "summary": next(iter((model.__doc__ or "").strip().splitlines()), ""),
            "payload": {"$ref": _SCHEMAS.format(model=model.__name__)},
        }
        for model in models
    }
    return {"messages": messages, "schemas": schemas["$defs"]}


def _channel(address: str | None, message: type[Message], description: str, *others: type[Message]) -> dict[str, Any]:
    messages = {m.__name__: _ref("components", "messages", m.__name__) for m in (message, *others)}
    return {"address": address, "messages": messages, "description": description}


def _message_ref(channel: str, message: type[Message]) -> dict[str, str]:
    return _ref("channels", channel, "messages", message.__name__)


def _ref(*path: str) -> dict[str, str]:
    return {"$ref": "#/" + "/".join(path)}


def _names(planes: Any) -> list[str]:
    return sorted(plane.value for plane in planes)
