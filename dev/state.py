"""What is running: `<data_dir>/run/system.json`, written by the supervisor, read by `dealix status` and `down`."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from dev.directory import holder, read_json, write_json
from dev.processes import alive

Health = Literal["ready", "starting", "restarting", "stopped", "down"]

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def dealix_version() -> str:
    try:
        return version("dealix")
    except PackageNotFoundError:
        return "unknown"


@dataclass(slots=True)
class ProcessState:
    """One supervised process. `version` is what the plane itself reported."""

    health: Health = "starting"
    pid: int | None = None
    version: str | None = None
    restarts: int = 0
    address: str | None = None
    log: str | None = None


@dataclass(slots=True)
class SystemState:
    """The whole system as its supervisor sees it."""

    state: Literal["starting", "ready", "degraded", "stopping", "stopped"] = "stopped"
    data_dir: str = ""
    pid: int | None = None
    version: str = ""
    started_at: str | None = None
    console: str | None = None
    servers: dict[str, ProcessState] = field(default_factory=dict)
    planes: dict[str, ProcessState] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def state_file(data_dir: Path) -> Path:
    return data_dir / "run" / "system.json"


def write_state(state: SystemState) -> None:
    write_json(state_file(Path(state.data_dir)), state.as_json())


def read_state(data_dir: Path) -> SystemState:
    """The state of the system of `data_dir` as far as it is true now: what a dead supervisor wrote is not believed."""
    data_dir = data_dir.expanduser().absolute()
    data_dir = data_dir.resolve() if data_dir.exists() else data_dir
    stopped = SystemState(data_dir=str(data_dir), version=dealix_version())
    if not data_dir.is_dir() or (pid := holder(data_dir)) is None:
        return stopped
    stored: dict[str, Any] = dict(read_json(state_file(data_dir)))
    if stored.get("pid") != pid:  # it has the lock and has not written its state yet
        return SystemState("starting", str(data_dir), pid, dealix_version())
    for group in ("servers", "planes"):
        entries = stored.get(group) or {}
        stored[group] = {name: _as_it_is(ProcessState(**_known(ProcessState, e))) for name, e in entries.items()}
    return SystemState(**_known(SystemState, stored))


def _known(kind: type, entry: dict[str, Any]) -> dict[str, Any]:
    """Only the fields we know: the running supervisor may be of another version."""
    names = {f.name for f in fields(kind)}
    return {name: value for name, value in entry.items() if name in names}


def _as_it_is(process: ProcessState) -> ProcessState:
    if process.pid is not None and not alive(process.pid):
        process.health = "restarting"
    return process


def ready_report(console: str) -> dict[str, Any]:
    """What the gateway's `/readyz` says: {"status": HTTP status or None when it does not answer, "body": …}."""
    try:
        with _direct.open(f"{console}/readyz", timeout=3) as answer:
            return {"status": answer.status, "body": _json(answer.read())}
    except urllib.error.HTTPError as error:
        return {"status": error.code, "body": _json(error.read())}
    except OSError:
        return {"status": None, "body": None}


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")[:200]
