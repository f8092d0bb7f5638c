"""The grant's bytes, judged by somebody else's JWS library and by hashing done here from the RFC's own definition."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from typing import Any

import pytest
from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import OKPKey

from libs.contracts.grant import GrantInvalid, RootCache, read_grant
from libs.contracts.trust import Grant
from tests.contracts.golden_files import FOLDER, golden_grant

GOLDEN: dict[str, Any] = json.loads((FOLDER / "grant.json").read_bytes())
GRANTS = [Grant.model_validate(grant) for grant in GOLDEN["grants"]]
KEY = base64.urlsafe_b64decode(GOLDEN["public_key"] + "=")


def tree_hash(leaves: list[bytes]) -> bytes:
    """MTH as RFC 9162 section 2.1.1 defines it."""
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + tree_hash(leaves[:k]) + tree_hash(leaves[k:])).digest()


def test_trust_issues_these_bytes() -> None:
    assert golden_grant() == GOLDEN


def test_another_library_verifies_the_root_and_reads_the_same() -> None:
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": GOLDEN["public_key"]})
    verified = jws.deserialize_compact(GRANTS[0].root_jws, key, algorithms=["EdDSA"])
    assert verified.headers() == {"alg": "EdDSA", "kid": "grant-golden", "typ": "dealix-grant-root+jwt"}
    root = tree_hash([grant.claims.encode() for grant in GRANTS])
    assert json.loads(verified.payload) == {"root": root.hex(), "size": 3}


def test_another_library_refuses_the_root_under_another_key() -> None:
    other = OKPKey.generate_key("Ed25519")
    with pytest.raises((BadSignatureError, JoseError)):
        jws.deserialize_compact(GRANTS[0].root_jws, other, algorithms=["EdDSA"])


@pytest.mark.parametrize("number", range(3))
def test_claims_are_canonical_and_bind_the_salted_payload(number: int) -> None:
    claims = json.loads(GRANTS[number].claims)
    assert GRANTS[number].claims == json.dumps(claims, sort_keys=True, separators=(",", ":"))
    salted = bytes.fromhex(GOLDEN["salt"]) + GOLDEN["payloads"][number].encode()
    assert claims["payload_digest"] == sha256(salted).hexdigest()
    assert set(claims) >= {
        "grant_id", "tenant_id", "action_id", "attempt", "audience", "connector", "connector_mode", "operation", "nonce",
        "payload_digest", "policy_version", "approval_id", "issued_at", "expires_at", "template_version",
    }  # fmt: skip


@pytest.mark.parametrize("grant", GRANTS)
def test_the_gates_reading_agrees(grant: Grant) -> None:
    claims = read_grant(grant, RootCache({GOLDEN["kid"]: KEY}))
    assert claims.model_dump(mode="json") == json.loads(grant.claims)


def test_a_change_of_any_character_of_the_claims_is_noticed() -> None:
    roots, text = RootCache({GOLDEN["kid"]: KEY}), GRANTS[1].claims
    for place in range(len(text)):
        changed = text[:place] + ("0" if text[place] != "0" else "1") + text[place + 1 :]
        with pytest.raises(GrantInvalid):
            read_grant(GRANTS[1].evolve(claims=changed), roots)


def test_a_change_of_any_character_of_the_signed_root_is_noticed() -> None:
    jws_text = GRANTS[1].root_jws
    # The last character of each part holds padding bits that no decoder reads.
    unread = {place - 1 for place, letter in enumerate(jws_text) if letter == "."} | {len(jws_text) - 1}
    for place in range(len(jws_text)):
        if place in unread:
            continue
        changed = jws_text[:place] + ("A" if jws_text[place] != "A" else "B") + jws_text[place + 1 :]
        with pytest.raises(GrantInvalid):
            read_grant(GRANTS[1].evolve(root_jws=changed), RootCache({GOLDEN["kid"]: KEY}))


def test_a_change_of_any_step_of_the_path_is_noticed() -> None:
    roots = RootCache({GOLDEN["kid"]: KEY})
    for grant in GRANTS:
        for step in range(len(grant.path)):
            path = tuple("00" * 32 if n == step else one for n, one in enumerate(grant.path))
            with pytest.raises(GrantInvalid):
                read_grant(grant.evolve(path=path), roots)
        with pytest.raises(GrantInvalid):
            read_grant(grant.evolve(path=(*grant.path, "00" * 32)), roots)
        with pytest.raises(GrantInvalid):
            read_grant(grant.evolve(path=grant.path[:-1]), roots)


def test_without_keys_nothing_is_believed() -> None:
    with pytest.raises(GrantInvalid, match="unknown key"):
        read_grant(GRANTS[0], RootCache({}))


def test_a_grant_that_names_another_size_than_was_signed_is_refused_even_where_its_path_would_fit() -> None:
    """The first leaf's path is the same in a tree of three and in one of four."""
    with pytest.raises(GrantInvalid, match="size"):
        read_grant(GRANTS[0].evolve(size=4), RootCache({GOLDEN["kid"]: KEY}))
