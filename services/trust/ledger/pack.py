"""Builds evidence packs: what an auditor needs to check a scope offline, in one deterministic ZIP.

    manifest.json            format, scope, log, checkpoint, witness, and SHA-256 and size of every file below
    statement.dsse.json      DSSE envelope of an in-toto statement over the manifest
    checkpoint.txt           the signed note
    salts.json               salts of entries, payloads and views
    entries/NNN.json         canonical entries       proofs/NNN.json    place, leaf hash and inclusion path
    grants/ID.json           claims, path, root JWS  payloads/HASH.json canonical payloads that grants name
    views/ID.json            what approvers saw      receipts/ID.json   what connectors did
    policies/HASH.cedar      policy texts            summary.LANG.txt   for reading, as is
    summary.pdf              the same page, set, with what was approved and what was done
    control.json             of a control: its readings and attestations; attachments/SHA256 the evidence handed in for it
    platform.json            the checkpoint's entry in the platform's log, with its proof and that log's signed note

Pure: the same contents and key give the same bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from libs.contracts.canonical import canonical, digest
from libs.contracts.execution import Receipt
from libs.contracts.trust import Grant, GrantClaims
from services.trust.ledger.archive import build_archive, fits
from services.trust.ledger.domain.checkpoint import Signer, parse_checkpoint
from services.trust.ledger.domain.commitments import receipt_bytes
from services.trust.ledger.domain.entry import timestamp
from services.trust.ledger.errors import PackTooLarge
from services.trust.ledger.limits import MAX_MEGABYTES
from services.trust.ledger.page import page
from services.trust.ledger.proofs import InclusionProof
from services.trust.ledger.summary import LANGUAGES, summary

FORMAT = "dealix-evidence-pack"
FORMAT_VERSION = 3
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:dealix:evidence-pack:v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True)
class PackEntry:
    """An entry with what proves it."""

    body: bytes
    salt: bytes
    proof: InclusionProof


@dataclass(frozen=True, slots=True)
class Salted:
    """Canonical bytes whose digest is SHA-256(salt ‖ data). An empty salt means that the digest is bare."""

    data: bytes
    salt: bytes


@dataclass(frozen=True, slots=True)
class PackContents:
    """Everything that goes into a pack. `note` is the checkpoint that all proofs are against; `views` go by approval id."""

    scope: str
    tenant_id: UUID
    generated_at: datetime
    note: str
    entries: Sequence[PackEntry]
    erased: Sequence[int] = ()
    grants: Sequence[Grant] = ()
    payloads: Sequence[Salted] = ()
    views: Mapping[UUID, Salted] = field(default_factory=dict)
    receipts: Sequence[Receipt] = ()
    policies: Sequence[str] = ()
    cosignatures: Sequence[tuple[str, str]] = ()
    """Names of witnesses and their lines for the note."""
    selection: Mapping[str, Any] | None = None
    """Which names and actions belong to the scope, and on whose word (`scopes.domain.Selected.manifest`)."""
    documents: Mapping[str, bytes] = field(default_factory=dict)
    """Further files, by name: `control.json` and what lies in `attachments/`."""
    platform: Mapping[str, Any] | None = None
    """What `platform.json` holds, once the platform's log has the checkpoint."""


def build_pack(contents: PackContents, signer: Signer) -> bytes:
    """The ZIP, its statement signed by the statement key. Raises PackTooLarge."""
    files = _evidence(contents) | dict(contents.documents)
    files |= _summaries(contents)
    manifest = canonical(_manifest(contents, files))
    files["manifest.json"] = manifest
    files["statement.dsse.json"] = canonical(_statement(contents, manifest, signer))
    if not fits(files) or sum(map(len, files.values())) > MAX_MEGABYTES * 1_000_000:
        raise PackTooLarge
    return build_archive(files)


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """What a DSSE signature covers (DSSE protocol v1, PAE)."""
    return b"DSSEv1 %d %s %d %s" % (len(payload_type), payload_type.encode(), len(payload), payload)


def _evidence(contents: PackContents) -> dict[str, bytes]:
    entries = sorted(contents.entries, key=lambda entry: entry.proof.leaf.seq)
    width = max(3, len(str(len(entries) - 1)))
    lines = "".join(f"{line}\n" for _, line in contents.cosignatures)
    files = {"checkpoint.txt": f"{contents.note}{lines}".encode()}
    if contents.platform is not None:
        files["platform.json"] = canonical(contents.platform)
    salts: dict[str, dict[str, str]] = {"entries": {}, "payloads": {}, "views": {}}
    for number, entry in enumerate(entries):
        name = f"{number:0{width}}"
        files[f"entries/{name}.json"] = entry.body
        files[f"proofs/{name}.json"] = canonical(_proof(entry.proof))
        salts["entries"][name] = entry.salt.hex()
    for payload in contents.payloads:
        name = digest(payload.salt, payload.data)
        files[f"payloads/{name}.json"] = payload.data
        salts["payloads"][name] = payload.salt.hex()
    for approval_id, view in contents.views.items():
        files[f"views/{approval_id}.json"] = view.data
        salts["views"][str(approval_id)] = view.salt.hex()
    for grant in contents.grants:
        grant_id = GrantClaims.model_validate_json(grant.claims).grant_id
        files[f"grants/{grant_id}.json"] = canonical(grant.model_dump(mode="json"))
    for receipt in contents.receipts:
        files[f"receipts/{receipt.receipt_id}.json"] = receipt_bytes(receipt)
    for policy in contents.policies:
        text = policy.encode()
        files[f"policies/{sha256(text).hexdigest()}.cedar"] = text
    files["salts.json"] = canonical(salts)
    return files


def _proof(proof: InclusionProof) -> dict[str, Any]:
    return {
        "seq": proof.leaf.seq,
        "leaf_hash": proof.leaf.leaf_hash.hex(),
        "path": [step.hex() for step in proof.path],
    }


def _summaries(contents: PackContents) -> dict[str, bytes]:
    checkpoint = parse_checkpoint(contents.note)
    listed = sorted((entry.proof.leaf.seq, entry.body) for entry in contents.entries)
    return {
        f"summary.{language}.txt": summary(
            language,
            scope=contents.scope,
            generated_at=contents.generated_at,
            origin=checkpoint.origin,
            size=checkpoint.size,
            entries=listed,
            erased=contents.erased,
            witnesses=sorted({name for name, _ in contents.cosignatures}),
            selection=contents.selection,
        ).encode()
        for language in LANGUAGES
    } | {"summary.pdf": page(contents, listed, origin=checkpoint.origin, size=checkpoint.size)}


def _manifest(contents: PackContents, files: Mapping[str, bytes]) -> dict[str, Any]:
    checkpoint = parse_checkpoint(contents.note)
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "scope": contents.scope,
        "tenant_id": str(contents.tenant_id),
        "generated_at": timestamp(contents.generated_at),
        "origin": checkpoint.origin,
        "checkpoint": {"size": checkpoint.size, "root": checkpoint.root.hex()},
        "witness": sorted({name for name, _ in contents.cosignatures}) or None,
        "platform": None if contents.platform is None else contents.platform["proof"]["seq"],
        "entries": len(contents.entries),
        "erased": list(contents.erased),
        "selection": contents.selection,
        "files": {name: {"sha256": sha256(data).hexdigest(), "size": len(data)} for name, data in files.items()},
    }


def _statement(contents: PackContents, manifest: bytes, signer: Signer) -> dict[str, Any]:
    statement = canonical(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": "manifest.json", "digest": {"sha256": sha256(manifest).hexdigest()}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "scope": contents.scope,
                "tenant_id": str(contents.tenant_id),
                "generated_at": timestamp(contents.generated_at),
            },
        }
    )
    signature = signer.sign(pre_authentication_encoding(PAYLOAD_TYPE, statement))
    return {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(statement).decode(),
        "signatures": [{"keyid": signer.kid, "sig": base64.b64encode(signature).decode()}],
    }
