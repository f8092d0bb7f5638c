"""Where golden bytes live, and the golden grant: a batch of three signed with a key that is in this file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from uuid import UUID

from nacl.signing import SigningKey

from libs.contracts.canonical import digest
from libs.contracts.grant import b64
from libs.contracts.trust import GrantClaims
from services.trust.domain.keys import SigningPair, issue

FOLDER = Path(__file__).parent / "golden"
SEED = hashlib.sha256(b"golden grant key").digest()
SALT = "ab" * 32
PAYLOADS = ('{"text":"one"}', '{"text":"مرحبا"}', '{"text":"three"}')


def path_of(name: str) -> Path:
    return FOLDER / f"{name}.json"


def golden_grant() -> dict[str, Any]:
    """Public key, claims' inputs and the grants that trust issues for them."""
    pair = SigningPair("grant-golden", SigningKey(SEED))
    claims = [
        GrantClaims(
            grant_id=UUID(int=100 + number),
            tenant_id=UUID(int=1),
            action_id=UUID(int=200 + number),
            attempt=1,
            audience="dealix:execution",
            connector="slack",
            connector_mode="sandbox",
            operation="post",
            template_version="",
            payload_digest=digest(bytes.fromhex(SALT), payload.encode()),
            policy_version="0" * 64,
            approval_id=None,
            nonce=f"{number:032x}",
            issued_at=1_795_327_200,
            expires_at=1_795_327_320,
        )
        for number, payload in enumerate(PAYLOADS)
    ]
    return {
        "public_key": b64(pair.public_key),
        "kid": pair.kid,
        "salt": SALT,
        "payloads": list(PAYLOADS),
        "grants": [grant.model_dump(mode="json") for grant in issue(claims, pair)],
    }
