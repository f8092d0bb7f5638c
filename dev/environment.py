"""What each plane finds in its environment: its own credentials, the addresses, and no one else's secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dev.processes import without_dealix
from dev.secrets import KEYS_FILE, PLANES, Secrets

ONE_PROCESS = "one_process"

# Settings that are no secret and mean the same everywhere.
_SHARED = (
    "DEALIX_ENVIRONMENT",
    "DEALIX_LANG",
    "DEALIX_LOG_LEVEL",
    "DEALIX_TRACE_RATIO",
    "DEALIX_DATABASE_POOL",
    "DEALIX_READ_MAX_AGE_SECONDS",
    "DEALIX_NATS_CA",
)
# Model providers' keys: every model call leaves through execution, so nobody else holds them.
_EXECUTION_PREFIXES = ("DEALIX_LLM_", "DEALIX_CONNECTOR_")
_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers and the console are. `admin_url` never reaches a plane; roles' URLs are derived from it."""

    nats_url: str
    admin_url: str = field(repr=False)
    http_host: str
    http_port: int
    data_dir: Path
    health_ports: int | None = None
    """The first plane's; each has the next one."""


def plane_environment(
    plane: str, operator: Mapping[str, str], secrets: Secrets, addresses: Addresses
) -> dict[str, str]:
    """The environment of one plane.

    `operator` is the operator's environment (with `.env` below it): everything outside `DEALIX_` passes, of `DEALIX_`
    only what is shared, what is the plane's own (`DEALIX_<PLANE>_*`) and what is listed here.
    """
    environ = without_dealix(operator)
    environ["PYTHONPATH"] = ":".join(filter(None, (str(_ROOT), operator.get("PYTHONPATH"))))
    environ["PYTHONUNBUFFERED"] = "1"
    environ.update({name: operator[name] for name in _SHARED if name in operator})
    for member in PLANES if plane == ONE_PROCESS else (plane,):
        environ.update(_own(member, operator, secrets, addresses))
    # Last: DEALIX_DATA_DIR would else pass as one of the data plane's own, unresolved.
    environ.update(
        DEALIX_PLANE=plane,
        DEALIX_NATS_URL=addresses.nats_url,
        DEALIX_DATA_DIR=str(addresses.data_dir),
    )
    if addresses.health_ports is not None:
        port = addresses.health_ports + PLANES.index(plane)
        environ.update(DEALIX_HEALTH_HOST="127.0.0.1", DEALIX_HEALTH_PORT=str(port))
    return environ


def _own(plane: str, operator: Mapping[str, str], secrets: Secrets, addresses: Addresses) -> dict[str, str]:
    prefix = f"DEALIX_{plane.upper()}_"
    own = {
        f"{prefix}NATS_SEED": secrets.nats_seeds[plane],
        f"{prefix}DATABASE_URL": secrets.database_url(plane, addresses.admin_url),
    }
    own.update({name: value for name, value in operator.items() if name.startswith(prefix)})
    if plane in ("gateway", "execution"):
        own["DEALIX_SECRET_KEY"] = secrets.secret_key
    if plane == "gateway":
        own.update(DEALIX_HTTP_HOST=addresses.http_host, DEALIX_HTTP_PORT=str(addresses.http_port))
    if plane == "trust":
        own["DEALIX_TRUST_KEYS"] = secrets.trust_keys_json()
        own.setdefault("DEALIX_TRUST_KEYS_FILE", str(addresses.data_dir / KEYS_FILE))
    if plane == "execution":
        own.update({n: v for n, v in operator.items() if n.startswith(_EXECUTION_PREFIXES)})
    return own
