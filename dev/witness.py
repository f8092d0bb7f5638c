"""A witness: keeps the checkpoints of a log that it has seen, and cosigns a new one only when it extends them (C2SP tlog-cosignature).

Meant to run where the operator has no access: its key and its memory are what makes a second history impossible to show.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dev.messages import DealixError
from libs.contracts import merkle

_LOG, _WITNESS = b"\x01", b"\x04"
_DASH = "— "
PLATFORM = "00000000-0000-0000-0000-000000000000"


class WitnessRefuses(DealixError):
    """What the log shows is not what it showed before, or nobody we trust has signed it. Nothing was cosigned."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint: whose log, how many leaves, their root, and the note that says so."""

    origin: str
    size: int
    root: bytes
    note: str


@dataclass(frozen=True, slots=True)
class Key:
    """The witness's own key, under its name."""

    name: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def vkey(self) -> str:
        """How others name the key: `name+keyid+base64(0x04 ‖ public key)`."""
        return f"{self.name}+{_key_id(self.name, _WITNESS, self.public).hex()}+{_b64(_WITNESS + self.public)}"

    def jwk(self) -> dict[str, str]:
        """The key as an entry of a trust root."""
        x = base64.urlsafe_b64encode(self.public).rstrip(b"=").decode()
        return {
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "kid": self.name,
            "x": x,
            "dealix_use": "witness",
        }

    def cosign(self, note: str, time: int) -> str:
        """The note with this witness's signature line."""
        signature = self.private.sign(f"cosignature/v1\ntime {time}\n{_body(note)}".encode())
        blob = _key_id(self.name, _WITNESS, self.public) + time.to_bytes(8) + signature
        return f"{note}{_DASH}{self.name} {_b64(blob)}\n"


def load_key(path: Path, name: str) -> Key:
    """The key kept at `path`; made there, for the owner's eyes alone, when there is none. Raises WitnessRefuses."""
    if not path.exists():
        seed = secrets.token_bytes(32)
        _write(path, _b64(seed) + "\n")
    try:
        seed = base64.b64decode(path.read_text().strip(), validate=True)
        return Key(name, Ed25519PrivateKey.from_private_bytes(seed))
    except (OSError, ValueError, binascii.Error) as error:
        raise WitnessRefuses(f"{path} is not a witness key.", f"الملف {path} ليس مفتاح شاهد.") from error


def read_memory(path: Path) -> Seen | None:
    """The newest checkpoint that was cosigned; None for a new witness. Raises WitnessRefuses when the file is damaged."""
    if not path.exists():
        return None
    try:
        return parse(json.loads(path.read_text())["note"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise WitnessRefuses(
            f"{path} is damaged: without its memory a witness proves nothing. Restore it.",
            f"الملف {path} تالف، ولا قيمة لشاهد بلا ذاكرة. استعده.",
        ) from error


def remember(path: Path, seen: Seen) -> None:
    _write(path, json.dumps({"origin": seen.origin, "size": seen.size, "root": seen.root.hex(), "note": seen.note}))


def parse(note: str) -> Seen:
    """What a signed note says, unverified. Raises ValueError."""
    origin, size, root = _body(note).split("\n")[:3]
    if not origin or not size.isdigit():
        raise ValueError("not a checkpoint")
    return Seen(origin, int(size), base64.b64decode(root, validate=True), note)


def check_signed(seen: Seen, trust_root: Mapping[str, Any]) -> None:
    """That a checkpoint key of the trust root has signed the note. Raises WitnessRefuses."""
    body, lines = _body(seen.note), seen.note.rpartition("\n\n")[2][:-1].split("\n")
    for jwk in trust_root.get("keys", ()):
        if jwk.get("dealix_use") != "checkpoint":
            continue
        key = base64.urlsafe_b64decode(jwk["x"] + "=" * (-len(jwk["x"]) % 4))
        for line in lines:
            name, _, encoded = line.removeprefix(_DASH).partition(" ")
            blob = base64.b64decode(encoded)
            if name == seen.origin and blob[:4] == _key_id(name, _LOG, key):
                try:
                    Ed25519PublicKey.from_public_bytes(key).verify(blob[4:], body.encode())
                except InvalidSignature:
                    continue
                return
    raise WitnessRefuses(
        "No checkpoint key of the trust root has signed this checkpoint.",
        "لم يوقّع نقطة التحقق أي مفتاح من مفاتيح الثقة.",
    )


def check_whose(seen: Seen, log: str) -> None:
    """That the checkpoint is of the log that was asked for: the platform's is named by nought. Raises WitnessRefuses."""
    if (seen.origin.rpartition("/")[2] == PLATFORM) != (log == "platform"):
        raise WitnessRefuses(
            f"This is not the log that was asked for: {seen.origin}.",
            f"ليس هذا السجل المطلوب: {seen.origin}.",
        )


def check_extends(before: Seen | None, now: Seen, path: list[bytes]) -> None:
    """That `now` only adds to what was seen before (RFC 9162 section 2.1.4). Raises WitnessRefuses."""
    if before is None or before.size == 0:
        return
    if now.origin != before.origin:
        raise WitnessRefuses(
            f"This is another log: {now.origin}, not {before.origin}.",
            f"هذا سجل آخر: {now.origin} وليس {before.origin}.",
        )
    same = now.size == before.size and now.root == before.root
    grown = now.size > before.size and merkle.verify_consistency(before.size, now.size, before.root, now.root, path)
    if not same and not grown:
        raise WitnessRefuses(
            f"FORK: the checkpoint of {now.size} leaves does not extend the one of {before.size} leaves seen before. Keep both.",
            f"تفرّع في السجل: نقطة التحقق عند القيد {now.size} لا تمتد من نقطة {before.size} التي شوهدت من قبل. احفظ الاثنتين.",
        )


def _body(note: str) -> str:
    body, separator, _ = note.rpartition("\n\n")
    if not separator:
        raise ValueError("not a signed note")
    return f"{body}\n"


def _key_id(name: str, kind: bytes, key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + kind + key).digest()[:4]


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _write(path: Path, text: str) -> None:
    """Replace a file as a whole: a witness that is interrupted remembers the old or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".new")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
