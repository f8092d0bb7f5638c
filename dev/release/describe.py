"""Describes the release that a source tree makes: schemas, subjects, messages, policies, flow versions, permissions, effects.

    python dev/release/describe.py ROOT

It is also run as a program of its own over the files of an older commit, whose `libs` and `services` it then imports: so it uses nothing of
`dev`, and what an older tree does not have yet is left out.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

FORM: Final = 1
"""Of the description itself."""
GOLDEN: Final = "tests/contracts/golden"
CEDAR: Final = "services/trust/policies/platform.cedar"


def describe(root: Path) -> dict[str, Any]:
    """The description as JSON values. `libs` and `services` have to be those of `root`. Raises ImportError where they are not."""
    import libs

    if root.resolve() not in Path(str(libs.__file__)).resolve().parents:
        raise ImportError(f"libs is {libs.__file__}, which is not of {root}")
    return {
        "form": FORM,
        "version": _version(),
        "migrations": _migrations(root),
        **_bus(),
        "policies": _policies(root),
        "flows": _where_it_exists(_flows),
        "roles": _where_it_exists(_roles),
        "effects": _where_it_exists(_effects),
        "golden": {path.stem: path.read_text(encoding="utf-8") for path in sorted((root / GOLDEN).glob("*.json"))},
    }


def _where_it_exists(part: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """A part of the description; None of a tree that is older than what it describes."""
    try:
        return part()
    except (ImportError, AttributeError):
        return None


def _version() -> str:
    from libs.runtime.settings import VERSION

    return str(VERSION)


def _migrations(root: Path) -> dict[str, dict[str, dict[str, str]]]:
    """By plane and revision: the digest of the file, and what in it does more than expand."""
    out: dict[str, dict[str, dict[str, str]]] = {}
    for path in sorted((root / "services").glob("*/migrations/versions/*.py")):
        text = path.read_text(encoding="utf-8")
        if revision := re.search(r'^revision\s*=\s*"([^"]+)"', text, re.MULTILINE):
            plane = path.relative_to(root).parts[1]
            took = re.search(r"(?i)\b(drop (?:table|column)|alter column \w+ type|rename (?:column|to))\b", text)
            out.setdefault(plane, {})[revision[1]] = {"digest": _digest(text), "takes_away": took[0] if took else ""}
    return out


def _bus() -> dict[str, Any]:
    from libs.contracts.message import Plane
    from libs.contracts.subjects import CALLS, EVENTS, SIGNALS
    from libs.runtime import asyncapi
    from libs.runtime.nats_config import permissions

    subjects: dict[str, Any] = {}
    for call in CALLS:
        subjects[call.subject] = {
            "kind": "call", "plane": call.plane.value, "peers": sorted(one.value for one in call.callers),
            "messages": {"request": call.request.__name__, "reply": call.reply.__name__},
        }  # fmt: skip
    for event in EVENTS:
        subjects[event.subject] = {
            "kind": "event", "plane": event.plane.value, "peers": sorted(one.value for one in event.consumers),
            "messages": {"event": event.message.__name__},
        }  # fmt: skip
    for signal in SIGNALS:
        subjects[f"*.{signal.name}.v1"] = {
            "kind": "signal", "plane": "*", "peers": [signal.consumer.value], "messages": {"signal": signal.message.__name__},
        }  # fmt: skip
    granted = {
        plane.value: {"publish": sorted(permissions(plane).publish), "subscribe": sorted(permissions(plane).subscribe)}
        for plane in Plane
    }
    return {"subjects": subjects, "messages": asyncapi.document()["components"]["schemas"], "permissions": granted}


def _policies(root: Path) -> dict[str, str]:
    """The digest of each policy's text by its `@id`."""
    path = root / CEDAR
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//"))
    parts = re.split(r'(?m)^(?=@id\(")', code)
    return {
        found[1]: _digest(" ".join(part.split())) for part in parts if (found := re.match(r'@id\("([^"]+)"\)', part))
    }


def _flows() -> dict[str, str]:
    """The digest of each flow version's shape: its steps with their kinds and order, and what its state holds."""
    from services.execution.flows.declared import FLOWS
    from services.execution.flows.domain.definition import Definition

    out = {}
    for flow in FLOWS:
        made = Definition(flow)
        shape = {
            "first": made.first,
            "steps": {
                name: [type(node.step).__name__, node.next, node.group, dict(node.first), _words(node.step)]
                for name, node in made.nodes.items()
            },
            "input": made.input.model_json_schema(),
            "state": made.state.model_json_schema(),
            "signals": sorted(made.signals()),
        }
        out[f"{flow.name}@{flow.version}"] = _digest(json.dumps(shape, sort_keys=True, default=str))
    return out


def _words(step: Any) -> dict[str, str]:
    """What of a step is a plain value: names of actions, agents, signals, roles, flows. Functions are left out."""
    fields = getattr(type(step), "__dataclass_fields__", {})
    values = {name: getattr(step, name) for name in fields}
    return {name: str(value) for name, value in values.items() if isinstance(value, str | int | float | bool)}


def _roles() -> dict[str, dict[str, str]]:
    """How far each role goes with each capability."""
    from libs.contracts.catalogue.roles import roles

    found = roles().model_dump(mode="json")["capabilities"]
    return {name: {role: str(reach) for role, reach in one["may"].items()} for name, one in found.items()}


def _effects() -> dict[str, dict[str, Any]]:
    from libs.contracts.catalogue.actions import core_effects

    return {
        name: {
            "class": effect.action_class.value,
            "approvals": effect.approvals,
            "connector": effect.connector,
            "blocked": effect.blocked,
        }
        for name, effect in core_effects().items()
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(describe(Path(sys.argv[1]))))
