"""The secrets of one installation: generated once, kept in `<data_dir>/secrets.json` (0600), never printed.

Each plane gets its own and nobody else's (`dev.environment`). A damaged file stops the start instead of being
replaced: with the trust keys lost, nothing signed before could be continued.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import nacl.signing
import nkeys

from dev.directory import unusable, write_json
from dev.messages import BadSetting, DataDirectoryUnusable

PLANES = ("decision", "execution", "trust", "data", "operating", "gateway")
MIGRATOR = "migrator"
"""The NATS user that creates streams and consumers. No plane ever receives its seed."""

COMPROMISED = "compromised"
KEYS_FILE = "trust-keys.json"
"""What a running trust plane reads again when it changes."""
SIGNING_KEYS = ("grant", "checkpoint", "statement")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Everything secret about one installation. `repr` shows none of it."""

    secret_key: str = field(repr=False)
    """Signs sessions and seals connector credentials: gateway and execution only."""
    nats_seeds: Mapping[str, str] = field(repr=False)
    """NKEY user seeds ("SU…") by user: the planes and `migrator`."""
    database_passwords: Mapping[str, str] = field(repr=False)
    """Password of the role `dealix_<plane>`, by plane."""
    trust_keys: Mapping[str, Mapping[str, str]] = field(repr=False)
    """`grant`, `checkpoint`, `statement` (Ed25519 seeds) and `identifier` (HMAC key): {kid, seed}, seed in base64."""

    def nats_public_keys(self) -> dict[str, str]:
        """Public NKEYs ("U…") by user, for the authorization block of the server."""
        return {user: _public_key(seed) for user, seed in self.nats_seeds.items()}

    def database_url(self, plane: str, admin_url: str) -> str:
        """The URL of the plane's own role on the database of `admin_url`."""
        parts = urlsplit(admin_url)
        host = parts.netloc.rpartition("@")[2]
        login = f"{database_role(plane)}:{quote(self.database_passwords[plane], safe='')}"
        return urlunsplit(parts._replace(netloc=f"{login}@{host}"))

    def trust_keys_json(self) -> str:
        """The value of DEALIX_TRUST_KEYS."""
        return json.dumps({name: dict(key) for name, key in self.trust_keys.items()}, separators=(",", ":"))

    def overridden_by(self, environ: Mapping[str, str]) -> Secrets:
        """These secrets with those that the operator sets in the environment. Raises BadSetting."""
        seeds = dict(self.nats_seeds)
        for plane in PLANES:
            name = f"DEALIX_{plane.upper()}_NATS_SEED"
            if given := environ.get(name):
                seeds[plane] = _checked_seed(name, given)
        if given := environ.get("DEALIX_MIGRATOR_NATS_SEED"):
            seeds[MIGRATOR] = _checked_seed("DEALIX_MIGRATOR_NATS_SEED", given)
        return Secrets(
            secret_key=environ.get("DEALIX_SECRET_KEY") or self.secret_key,
            nats_seeds=seeds,
            database_passwords=self.database_passwords,
            trust_keys=_checked_trust_keys(environ.get("DEALIX_TRUST_KEYS")) or self.trust_keys,
        )


def database_role(plane: str) -> str:
    return f"dealix_{plane}"


def load_or_create(path: Path) -> Secrets:
    """Read the secrets, generating what is missing. Raises DataDirectoryUnusable when the file is damaged."""
    try:
        stored: Any = json.loads(path.read_text()) if path.exists() else {}
        kept = Secrets(
            secret_key=stored.get("secret_key") or secrets.token_urlsafe(48),
            nats_seeds={u: stored.get("nats_seeds", {}).get(u) or _new_seed() for u in (*PLANES, MIGRATOR)},
            database_passwords={
                p: stored.get("database_passwords", {}).get(p) or secrets.token_urlsafe(24) for p in PLANES
            },
            trust_keys={
                **{n: stored.get("trust_keys", {}).get(n) or _new_key(n) for n in (*SIGNING_KEYS, "identifier")},
                **{n: k for n, k in stored.get("trust_keys", {}).items() if n == COMPROMISED},
            },
        )
        kept.nats_public_keys()
    except OSError as error:
        raise unusable(path, error) from error
    except (ValueError, AttributeError, TypeError, nkeys.NkeysError) as error:
        raise DataDirectoryUnusable(
            f"{path} is damaged; restore it from a backup, or start with a new --data-dir.",
            f"الملف {path} تالف؛ استعده من نسخة احتياطية أو ابدأ بمجلد بيانات جديد بالخيار --data-dir.",
        ) from error
    content = {
        "secret_key": kept.secret_key,
        "nats_seeds": kept.nats_seeds,
        "database_passwords": kept.database_passwords,
        "trust_keys": kept.trust_keys,
    }
    if content != stored:
        try:
            write_json(path, content, mode=0o600)
        except OSError as error:
            raise unusable(path, error) from error
    return kept


def rotate_keys(data_dir: Path, uses: tuple[str, ...], *, compromised: bool) -> dict[str, tuple[str, str]]:
    """Replace signing keys, in the secrets and in the file that a running trust plane watches. Returns old and new ids by use.

    Raises DataDirectoryUnusable.
    """
    path = data_dir / "secrets.json"
    kept = load_or_create(path)
    keys = {name: dict(key) for name, key in kept.trust_keys.items()}
    made = {}
    for use in uses:
        before, keys[use] = keys[use]["kid"], _new_key(use)
        made[use] = (before, keys[use]["kid"])
    if compromised:
        known = keys.get(COMPROMISED, {}).get("kids", "").split()
        keys[COMPROMISED] = {"kids": " ".join([*known, *(before for before, _ in made.values())])}
    try:
        content = {**json.loads(path.read_text()), "trust_keys": keys}
        write_json(path, content, mode=0o600)
        write_json(data_dir / KEYS_FILE, keys, mode=0o600)
    except OSError as error:
        raise unusable(path, error) from error
    return made


def _new_seed() -> str:
    return bytes(nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER)).decode()


def _public_key(seed: str) -> str:
    return bytes(nkeys.from_seed(bytearray(seed.encode())).public_key).decode()


def _new_key(name: str) -> dict[str, str]:
    """A key pair's seed and its id. For signing keys the id ends in the thumbprint of the public key (RFC 7638)."""
    seed = secrets.token_bytes(32)
    if name in SIGNING_KEYS:
        x = base64.urlsafe_b64encode(bytes(nacl.signing.SigningKey(seed).verify_key)).rstrip(b"=").decode()
        member = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"), sort_keys=True)
        suffix = base64.urlsafe_b64encode(hashlib.sha256(member.encode()).digest()).decode()[:12]
    else:
        suffix = secrets.token_hex(6)
    return {"kid": f"{name}-{suffix}", "seed": base64.b64encode(seed).decode()}


def _checked_seed(name: str, value: str) -> str:
    try:
        _public_key(value)
    except (ValueError, nkeys.NkeysError) as error:
        raise BadSetting(
            f"{name} is not an NKEY user seed; it starts with SU and is made by `nk -gen user`.",
            f"قيمة {name} ليست مفتاح NKEY لمستخدم؛ يبدأ المفتاح بـ SU ويُنشأ بالأمر nk -gen user.",
        ) from error
    return value


def _checked_trust_keys(value: str | None) -> dict[str, dict[str, str]] | None:
    if not value:
        return None
    try:
        keys = {name: {"kid": str(key["kid"]), "seed": str(key["seed"])} for name, key in json.loads(value).items()}
        complete = keys.keys() >= {*SIGNING_KEYS, "identifier"} and all(
            len(base64.b64decode(key["seed"], validate=True)) == 32 for key in keys.values()
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        complete, keys = False, {}
    if not complete:
        raise BadSetting(
            "DEALIX_TRUST_KEYS must be a JSON object with grant, checkpoint, statement and identifier, each "
            '{"kid": …, "seed": 32 bytes in base64}.',
            "يجب أن تكون DEALIX_TRUST_KEYS كائن JSON فيه grant وcheckpoint وstatement وidentifier، ولكل منها "
            '{"kid": …, "seed": 32 بايت بترميز base64}.',
        )
    return keys
