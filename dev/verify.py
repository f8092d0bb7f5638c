"""Verifies an evidence pack offline: `python verify.py pack.zip --trust-root jwks.json`.

One file that needs Python 3.11 and `cryptography`, nothing else of Dealix: copy it, read it, run it anywhere. The trust root is
a JWK set (RFC 7517) of Ed25519 keys (RFC 8037), each with `kid` and `dealix_use` (`statement`, `checkpoint`, `grant`, and `witness` with its name as `kid`), obtained
from somewhere other than the pack's sender.

What is checked, by name:
    layout      the archive is, byte for byte, the one that its contents give
    manifest    every file is listed with its size and SHA-256, and none is missing or foreign
    statement   the DSSE-signed in-toto statement is about this manifest
    checkpoint  the log's signed note (C2SP tlog-checkpoint) is of this tenant's log, of this size and root
    witness     each witness that the pack names, and whose key the trust root has, cosigned that note (C2SP tlog-cosignature)
    platform    the checkpoint is an entry of the platform's own log, under that log's signed note; cosignatures of that note by
                witnesses whose key the trust root has are right
    entries     each entry, with its salt, is a leaf under that root (RFC 9162 inclusion proof)
    scope       each entry belongs to the scope: it bears one of the scope's names, or is about one of its actions; what a control was read
                for and what was handed in is what entries recorded
    grants      each grant's claims are under a signed batch root and under an entry; every granted entry has its grant
    payloads    each payload is one that a grant or an entry names, by salted digest
    approvals   a grant that needed an approval has one, for this payload; the view is the one that was shown
    receipts    each receipt is under one grant, used once, and is the one that an entry committed to
    policies    each policy text is the one that its name and the decisions say

Exit codes: 0 all checks hold; 1 a check failed (named); 2 signer unknown, or no usable trust root.
"""

from __future__ import annotations

import argparse
import base64
import json
import struct
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

CHECKS: Mapping[str, tuple[str, str]] = {
    "layout": ("Archive is complete and unchanged", "الأرشيف كامل ولم يتغيّر"),
    "manifest": ("Every file is the one listed", "كل ملف مطابق للفهرس"),
    "statement": ("Statement is signed and about this manifest", "البيان موقّع ويخص هذا الفهرس"),
    "checkpoint": ("Checkpoint of the log is signed", "نقطة تحقق الدفتر موقّعة"),
    "witness": ("Witnesses have seen this log", "صادق الشهود على هذا الدفتر"),
    "platform": ("Checkpoint is in the platform's log", "نقطة التحقق في دفتر المنصة"),
    "entries": ("Every entry is in the log", "كل قيد موجود في الدفتر"),
    "scope": ("Every entry belongs to the scope", "كل قيد يخص النطاق"),
    "grants": ("Every grant is signed and recorded", "كل تصريح موقّع ومسجّل"),
    "payloads": ("Every payload is the one recorded", "كل حمولة هي المسجّلة"),
    "approvals": ("What was approved is what was granted", "ما صُرّح به هو ما تمت الموافقة عليه"),
    "receipts": ("Every receipt belongs to one grant", "كل إيصال يخص تصريحًا واحدًا"),
    "policies": ("Policy texts are those that decided", "نصوص السياسات هي التي حكمت"),
}
USES = ("statement", "checkpoint", "grant", "witness")
PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPE = "urn:dealix:evidence-pack:v1"
FOLDERS = ("entries/", "proofs/", "grants/", "payloads/", "views/", "receipts/", "policies/", "attachments/")
FILES = {"manifest.json", "statement.dsse.json", "checkpoint.txt", "salts.json", "summary.ar.txt", "summary.en.txt"}
FILES |= {"platform.json", "summary.pdf", "control.json"}
PLATFORM = "00000000-0000-0000-0000-000000000000"
SELECTED_BY = {"flow": "run", "deal": "about"}
"""What a decision's entry says so that its action is of a flow or about a deal."""
RIYADH = timezone(timedelta(hours=3))
UNLISTED = {"manifest.json", "statement.dsse.json"}


class Failed(Exception):
    """A check does not hold; the text says where and, where it helps, what was expected and found."""


class UnknownSigner(Exception):
    """A signature may be right, but its key is not in the trust root."""


@dataclass(frozen=True)
class Check:
    """The result of one check: `holds`, `failed` or `unknown` (signer)."""

    name: str
    result: str
    detail: str = ""


@dataclass(frozen=True)
class Note:
    """Something to know beside the checks."""

    en: str
    ar: str


@dataclass
class Report:
    """All results, in the order of `CHECKS`. A check that others made impossible is missing; then one before it failed."""

    checks: list[Check] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    trusted: bool = True

    @property
    def exit_code(self) -> int:
        if not self.trusted:
            return 2
        results = {check.result for check in self.checks}
        if "failed" in results:
            return 1
        return 0 if results == {"holds"} and len(self.checks) == len(CHECKS) else 2

    @property
    def failed(self) -> str | None:
        """The name of the first check that failed."""
        return next((check.name for check in self.checks if check.result == "failed"), None)

    def as_dict(self) -> dict[str, Any]:
        return {
            "exit_code": self.exit_code,
            "failed": self.failed,
            "signer": "unknown" if self.exit_code == 2 else "known",
            "checks": [vars(check) for check in self.checks],
            "notes": [vars(note) for note in self.notes],
        }


TrustRoot = Mapping[str, Mapping[str, bytes]]
"""Raw Ed25519 keys by use and kid."""


def load_trust_root(path: str | Path) -> TrustRoot:
    """The keys of a JWK set file. Raises UnknownSigner when it holds no usable key."""
    try:
        keys = _json(Path(path).read_bytes())["keys"]
        root: dict[str, dict[str, bytes]] = {use: {} for use in USES}
        for key in keys:
            if key.get("kty") == "OKP" and key.get("crv") == "Ed25519" and key.get("dealix_use") in root:
                if key.get("dealix_state") == "compromised":  # others could have signed as well
                    continue
                raw = _base64url(key["x"])
                if len(raw) != 32:
                    raise Failed(f"key {key['kid']} is not 32 bytes")
                root[key["dealix_use"]][key["kid"]] = raw
    except (OSError, *_MALFORMED) as error:
        raise UnknownSigner(f"the trust root cannot be used: {error}") from error
    if not any(root.values()):
        raise UnknownSigner("the trust root holds no key")
    return root


def verify_pack(path: str | Path, trust_root: str | Path | None) -> Report:
    """Check the pack at `path` against the JWK set at `trust_root`. Raises OSError when the pack cannot be read."""
    data = Path(path).read_bytes()
    report = Report()
    keys: TrustRoot = {use: {} for use in USES}
    if trust_root is None:
        report.trusted = False
        report.notes.append(
            Note(
                "signer unknown: no trust root was given (--trust-root)",
                "الموقّع مجهول: لم تُحدَّد مفاتيح الثقة (--trust-root)",
            )
        )
    else:
        try:
            keys = load_trust_root(trust_root)
        except UnknownSigner as unknown:
            report.trusted = False
            report.notes.append(Note(f"signer unknown: {unknown}", f"الموقّع مجهول: {unknown}"))
    return verify_bytes(data, keys, report)


def verify_bytes(data: bytes, keys: TrustRoot, report: Report | None = None) -> Report:
    """Check a pack held in memory."""
    report = report or Report()
    pack = _Pack(keys)
    steps: Mapping[str, Callable[[], str]] = {
        "layout": lambda: pack.check_layout(data),
        "manifest": pack.check_manifest,
        "statement": pack.check_statement,
        "checkpoint": pack.check_checkpoint,
        "witness": pack.check_witness,
        "platform": pack.check_platform,
        "entries": pack.check_entries,
        "scope": pack.check_scope,
        "grants": pack.check_grants,
        "payloads": pack.check_payloads,
        "approvals": pack.check_approvals,
        "receipts": pack.check_receipts,
        "policies": pack.check_policies,
    }
    for name, step in steps.items():
        try:
            report.checks.append(Check(name, "holds", step()))
        except UnknownSigner as unknown:
            report.checks.append(Check(name, "unknown", str(unknown)))
        except _MALFORMED as error:
            detail = str(error) if isinstance(error, Failed) else f"malformed ({type(error).__name__}: {error})"
            report.checks.append(Check(name, "failed", detail))
            if name in {"layout", "manifest", "entries"}:  # what follows would only repeat it
                break
    report.notes += pack.notes
    return report


class _Pack:
    """A pack while it is checked; each check fills in what later ones use."""

    def __init__(self, keys: TrustRoot) -> None:
        self.keys = keys
        self.notes: list[Note] = []
        self.files: dict[str, bytes] = {}
        self.manifest: dict[str, Any] = {}
        self.salts: dict[str, dict[str, str]] = {}
        self.entries: list[dict[str, Any]] = []
        self.grants: dict[str, dict[str, Any]] = {}

    def check_layout(self, data: bytes) -> str:
        self.files = _read_archive(data)
        rebuilt = _build_archive(self.files)
        if rebuilt != data:
            raise Failed(_where_archives_differ(self.files, rebuilt, data))
        for name in self.files:
            if name not in FILES and not (name.startswith(FOLDERS) and name.count("/") == 1):
                raise Failed(f"{name} does not belong in a pack")
        return f"{len(self.files)} files"

    def check_manifest(self) -> str:
        self.manifest = self.json("manifest.json")
        if self.manifest["format"] != "dealix-evidence-pack" or self.manifest["version"] not in (1, 2, 3):
            raise Failed("unknown format or version: get a newer verifier")
        listed = self.manifest["files"]
        present = self.files.keys() - UNLISTED
        for name in sorted(listed.keys() ^ present):
            raise Failed(f"{name} is missing" if name in listed else f"{name} is not listed")
        for name in sorted(present):
            found = {"sha256": sha256(self.files[name]).hexdigest(), "size": len(self.files[name])}
            if listed[name] != found:
                raise Failed(f"{name}: expected {listed[name]}, got {found}")
        self.salts = self.json("salts.json")
        self.notes.append(
            Note(
                "the pack proves that these entries are in the log, not that the scope has no others",
                "تثبت الحزمة وجود هذه القيود في الدفتر، ولا تثبت خلوّ النطاق من غيرها",
            )
        )
        if self.manifest["erased"]:
            count = len(self.manifest["erased"])
            self.notes.append(
                Note(
                    f"{count} entries of the scope were erased on request", f"قيود مُحيت من النطاق بناءً على طلب: {count}"
                )
            )
        return f"scope {self.manifest['scope']}"

    def check_statement(self) -> str:
        envelope = self.json("statement.dsse.json")
        payload = _base64(envelope["payload"])
        statement = _json(payload)
        expected = {"sha256": sha256(self.files["manifest.json"]).hexdigest()}
        if statement["subject"] != [{"name": "manifest.json", "digest": expected}]:
            raise Failed(f"statement is about another manifest: expected {expected}, got {statement['subject']}")
        kinds = (envelope["payloadType"], statement["_type"], statement["predicateType"])
        if kinds != (PAYLOAD_TYPE, "https://in-toto.io/Statement/v1", PREDICATE_TYPE):
            raise Failed(f"unknown statement type {kinds}")
        for name, value in statement["predicate"].items():
            if self.manifest.get(name) != value:
                raise Failed(f"statement and manifest disagree on {name}")
        (signature,) = envelope["signatures"]
        key = self.keys["statement"].get(signature["keyid"])
        if key is None:
            raise UnknownSigner(f"statement key {signature['keyid']} is not in the trust root")
        kind = PAYLOAD_TYPE.encode()
        signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
        _verify(key, _base64(signature["sig"]), signed, "statement signature is wrong")
        return f"key {signature['keyid']}"

    def check_checkpoint(self) -> str:
        note = self.files["checkpoint.txt"].decode()
        body, separator, block = note.rpartition("\n\n")
        if not separator or not block.endswith("\n"):
            raise Failed("checkpoint.txt is not a signed note")
        origin, size, root = body.split("\n")[:3]
        stated = self.manifest["checkpoint"]
        if (origin, size, _base64(root).hex()) != (self.manifest["origin"], str(stated["size"]), stated["root"]):
            raise Failed(f"note and manifest disagree: expected {stated}, got size {size}, root {_base64(root).hex()}")
        if origin.rpartition("/")[2] != self.manifest["tenant_id"]:
            raise Failed(f"{origin} is not the log of tenant {self.manifest['tenant_id']}")
        signer = self._note_signer(origin, f"{body}\n".encode(), block[:-1].split("\n"))
        return f"{size} leaves, key {signer}"

    def check_witness(self) -> str:
        named = self.manifest["witness"]
        if not named:
            self.notes.append(
                Note(
                    "no witness: nobody but the operator has signed this checkpoint",
                    "لا شاهد: لم يوقّع نقطة التحقق أحد غير المشغّل",
                )
            )
            return "none"
        body, _, block = self.files["checkpoint.txt"].decode().rpartition("\n\n")
        lines = [line.split(" ") for line in block[:-1].split("\n")]
        known = self.keys.get("witness", {})
        checked = []
        for name in named:
            blobs = [_base64(encoded) for _, signer, encoded in lines if signer == name]
            if not blobs:
                raise Failed(f"the pack names witness {name}, who has not cosigned the note")
            if name not in known:
                self.notes.append(
                    Note(
                        f"the key of witness {name} is not in the trust root: its cosignature was not checked",
                        f"مفتاح الشاهد {name} ليس بين مفاتيح الثقة، فلم تُفحص مصادقته",
                    )
                )
                continue
            key_id = sha256(name.encode() + b"\n\x04" + known[name]).digest()[:4]
            ours = [blob for blob in blobs if blob[:4] == key_id and len(blob) == 76]
            if not ours:
                raise Failed(f"no cosignature under the trust root's key of witness {name}")
            for blob in ours:
                signed = b"cosignature/v1\ntime %d\n%s\n" % (int.from_bytes(blob[4:12]), body.encode())
                _verify(known[name], blob[12:], signed, f"the cosignature of witness {name} is wrong")
            checked.append(name)
        return f"{len(checked)} of {len(named)} checked"

    def check_platform(self) -> str:
        if "platform.json" not in self.files:
            if self.manifest["version"] >= 2 and self.manifest["platform"] is not None:
                raise Failed("platform.json is missing")
            self.notes.append(
                Note(
                    "the pack does not show its checkpoint in the platform's log",
                    "لا تبيّن الحزمة نقطة تحققها في دفتر المنصة",
                )
            )
            return "none"
        anchor = self.json("platform.json")
        body, _, block = anchor["checkpoint"].rpartition("\n\n")
        origin, size, root = body.split("\n")[:3]
        if origin != f"{self.manifest['origin'].rpartition('/')[0]}/{PLATFORM}":
            raise Failed(f"{origin} is not the log of this platform")
        self._note_signer(origin, f"{body}\n".encode(), block[:-1].split("\n"))
        salt, proof = bytes.fromhex(anchor["salt"]), anchor["proof"]
        if len(salt) != 32:
            raise Failed("the salt of the platform's entry is not 32 bytes")
        leaf = sha256(b"\x00" + salt + anchor["entry"].encode()).digest()
        path = [bytes.fromhex(step) for step in proof["path"]]
        if not _included(leaf, proof["seq"], int(size), path, _base64(root)):
            raise Failed("the platform's entry is not under the platform's checkpoint")
        said, stated = _json(anchor["entry"].encode())["data"], self.manifest["checkpoint"]
        if (said["origin"], said["size"], said["root"]) != (self.manifest["origin"], stated["size"], stated["root"]):
            raise Failed(f"the platform's log holds another checkpoint: expected {stated}, got {said}")
        seen = self._platform_witnesses(body, block[:-1].split("\n"))
        return f"entry {proof['seq']} of {size}, {seen}"

    def _platform_witnesses(self, body: str, lines: list[str]) -> str:
        """Which witnesses of the trust root cosigned the platform's note."""
        checked = []
        for name, key in self.keys.get("witness", {}).items():
            key_id = sha256(name.encode() + b"\n\x04" + key).digest()[:4]
            for _, signer, encoded in (line.split(" ") for line in lines):
                blob = _base64(encoded)
                if signer != name or blob[:4] != key_id or len(blob) != 76:
                    continue
                signed = b"cosignature/v1\ntime %d\n%s\n" % (int.from_bytes(blob[4:12]), body.encode())
                _verify(key, blob[12:], signed, f"witness {name}'s cosignature of the platform's log is wrong")
                checked.append(name)
        if not checked:
            self.notes.append(
                Note(
                    "no witness of the trust root has cosigned this checkpoint of the platform's log",
                    "لم يصادق شاهد من مفاتيح الثقة على نقطة التحقق هذه من دفتر المنصة",
                )
            )
        return f"{len(checked)} witnesses checked"

    def _note_signer(self, origin: str, body: bytes, lines: list[str]) -> str:
        # Key id of a signed note: SHA-256(name, newline, signature type 1, public key), first four bytes.
        ids = {
            sha256(origin.encode() + b"\n\x01" + key).digest()[:4]: (kid, key)
            for kid, key in self.keys["checkpoint"].items()
        }
        signers = []
        for line in lines:
            dash, name, encoded = line.split(" ")
            blob = _base64(encoded)
            if dash != "\N{EM DASH}":
                raise Failed("a signature line of the note is malformed")
            if name == origin and blob[:4] in ids:
                kid, key = ids[blob[:4]]
                _verify(key, blob[4:], body, "checkpoint signature is wrong")
                signers.append(kid)
        if not signers:
            raise UnknownSigner("no checkpoint key of the trust root has signed the note")
        return str(signers[0])

    def check_entries(self) -> str:
        names = self.names("entries/", ".json")
        if not names or names != self.names("proofs/", ".json") or set(names) != set(self.salts["entries"]):
            raise Failed("entries, proofs and salts do not match one to one")
        if len(names) != self.manifest["entries"]:
            raise Failed(f"expected {self.manifest['entries']} entries, got {len(names)}")
        size, root = self.manifest["checkpoint"]["size"], bytes.fromhex(self.manifest["checkpoint"]["root"])
        places, ids = set(), set()
        for name in names:
            body, proof = self.files[f"entries/{name}.json"], self.json(f"proofs/{name}.json")
            leaf = sha256(b"\x00" + self.salt("entries", name, required=True) + body).digest()
            if leaf.hex() != proof["leaf_hash"]:
                raise Failed(f"entries/{name}.json: expected leaf {proof['leaf_hash']}, got {leaf.hex()}")
            path = [bytes.fromhex(step) for step in proof["path"]]
            if not _included(leaf, proof["seq"], size, path, root):
                raise Failed(f"proofs/{name}.json does not lead to the checkpoint's root")
            entry = _json(body)
            if entry["tenant_id"] != self.manifest["tenant_id"]:
                raise Failed(f"entries/{name}.json belongs to another tenant")
            self.entries.append(entry)
            places.add(proof["seq"])
            ids.add(entry["entry_id"])
        if len(places) != len(names) or len(ids) != len(names):
            raise Failed("an entry is in the pack twice")
        return f"{len(names)} entries"

    def check_scope(self) -> str:
        scope, selection = self.manifest["scope"], self.manifest.get("selection")
        kind, _, value = scope.partition(":")
        if kind != "control":
            for name in sorted(self.files):
                if name == "control.json" or name.startswith("attachments/"):
                    raise Failed(f"{name} does not belong in a pack of {scope}")
        if (selection is not None) != (kind in SELECTED_BY):
            raise Failed(f"a pack of {scope} says wrongly what was selected")
        if kind == "period":
            return self._in_period(value)
        if selection is not None:
            return self._selected(scope, SELECTED_BY[kind], selection)
        if kind not in ("action", "control"):
            raise Failed(f"unknown kind of scope {scope}")
        for entry in self.entries:
            if entry["target"] != scope:
                raise Failed(f"entry {entry['entry_id']} is about {entry['target']}, not about {scope}")
        self._open_ends()
        return self._control(value) if kind == "control" else scope

    def _in_period(self, value: str) -> str:
        """Whole days in Riyadh, both included; entries about an action of the period may be older or younger."""
        first, _, last = value.partition("..")
        since = datetime.combine(date.fromisoformat(first), time(), RIYADH)
        until = datetime.combine(date.fromisoformat(last), time(), RIYADH) + timedelta(days=1)
        inside = [entry for entry in self.entries if since <= datetime.fromisoformat(entry["at"]) < until]
        actions = {entry["target"] for entry in inside if entry["target"].startswith("action:")}
        within = {entry["entry_id"] for entry in inside}
        for entry in self.entries:
            about = entry["target"] in actions or (entry["target"].startswith("action:") and self.manifest["erased"])
            if entry["entry_id"] not in within and not about:
                raise Failed(
                    f"entry {entry['entry_id']} of {entry['at']} is neither of the period nor about its actions"
                )
        return f"{len(inside)} entries of the period"

    def _selected(self, scope: str, key: str, selection: Mapping[str, Any]) -> str:
        """Entries bear one of the names or are about one of the actions; who says so is told, and the ledger's word is held to it."""
        names, actions = selection["names"], selection["actions"]
        if names.get(scope) != "ledger":
            raise Failed(f"the selection does not name {scope}")
        present, recorded = set(), set()
        for entry in self.entries:
            target, action = entry["target"], entry["target"].removeprefix("action:")
            of_action = target.startswith("action:") and action in actions
            if target not in names and not of_action:
                raise Failed(f"entry {entry['entry_id']} is about {target}, which is not of {scope}")
            if not of_action:
                continue
            present.add(action)
            said = entry["data"].get(key) if entry["kind"] == "decision" else None
            if said is not None and said not in names:
                raise Failed(f"the decision about action {action} says that it is of {said}, not of {scope}")
            if said is not None:
                recorded.add(action)
        whole = not self.manifest["erased"]
        for action, by in sorted(actions.items()):
            if by == "ledger" and action not in recorded and whole:
                raise Failed(
                    f"action {action} is said to be recorded as of {scope}, and no decision in the pack says so"
                )
            if by != "ledger" and action in recorded:
                raise Failed(f"the ledger itself says that action {action} is of {scope}, and the selection does not")
        self._tell_selection(scope, names, actions, present)
        self._open_ends()
        return f"{len(present)} actions, {len(recorded)} of them by the ledger's own word; {len(names)} names"

    def _tell_selection(
        self, scope: str, names: Mapping[str, str], actions: Mapping[str, str], present: set[str]
    ) -> None:
        told = sorted(f"{name} ({by})" for name, by in names.items() if by != "ledger")
        if told:
            shown = ", ".join(told[:5]) + (f", … ({len(told)})" if len(told) > 5 else "")
            self.notes.append(
                Note(
                    f"that these names belong to {scope} is said by a plane of the operator, not by the ledger: {shown}",
                    f"انتماء هذه الأسماء إلى {scope} من قول نظام المشغّل، لا من الدفتر: {shown}",
                )
            )
        trusted = sum(1 for action, by in actions.items() if by != "ledger" and action in present)
        if trusted:
            self.notes.append(
                Note(
                    f"{trusted} actions are in the scope on the word of a plane of the operator alone",
                    f"إجراءات أُدرجت في النطاق بقول نظام المشغّل وحده: {trusted}",
                )
            )
        missing = sorted(set(actions) - present)
        if missing:
            shown = ", ".join(missing[:3]) + ("…" if len(missing) > 3 else "")
            self.notes.append(
                Note(
                    f"{len(missing)} actions of the scope have no entry here: not decided yet, erased, or left out ({shown})",
                    f"إجراءات من النطاق لا قيد لها هنا، إمّا لم تُحسم بعد أو مُحيت أو أُسقطت: {len(missing)} ({shown})",
                )
            )

    def _open_ends(self) -> None:
        """What the entries themselves show to be missing, or not to have happened by the checkpoint."""
        data = [entry["data"] for entry in self.entries]
        granted = {one["grant_id"] for one in data if one.get("grant_leaf")}
        closed = {one["closes_grant"] for one in data if one.get("closes_grant")}
        if (lost := sorted(closed - granted)) and not self.manifest["erased"]:
            raise Failed(f"an outcome closes grant {lost[0]}, whose decision is not in the pack")
        if still := granted - closed:
            self.notes.append(
                Note(
                    f"{len(still)} grants have no outcome here: still open at the checkpoint, or left out",
                    f"تصاريح لا نتيجة لها هنا، إمّا ما زالت مفتوحة عند نقطة التحقق أو أُسقطت نتيجتها: {len(still)}",
                )
            )
        decided: dict[str, set[int]] = {}
        for entry in self.entries:
            if entry["kind"] == "decision":
                decided.setdefault(entry["target"], set()).add(entry["data"]["attempt"])
        gaps = sum(max(attempts) - len(attempts) for attempts in decided.values())
        asked = {one["approval_id"] for one in data if one.get("view_hash")}
        begun = {entry["data"]["approval_id"] for entry in self.entries if entry["kind"] == "approval.requested"}
        if gaps or asked - begun:
            self.notes.append(
                Note(
                    f"earlier steps are not here: {gaps} attempts, {len(asked - begun)} requests for approval",
                    f"خطوات سابقة غير موجودة هنا: محاولات {gaps}، وطلبات موافقة {len(asked - begun)}",
                )
            )

    def _control(self, value: str) -> str:
        """Each change of result that an entry recorded is among the readings; each piece of evidence and its entry go together."""
        about = self.json("control.json")
        if about["control"]["control_id"] != value:
            raise Failed(f"control.json is about {about['control']['control_id']}")
        seen = {(one["result"], one["rows"], one["failing"], one["catalogue_version"]) for one in about["readings"]}
        attested: dict[tuple[Any, ...], int] = {}
        recorded = 0
        for entry in self.entries:
            data = entry["data"]
            if entry["kind"] == "control.read":
                recorded += 1
                if (data["result"], data["rows"], data["failing"], data["catalogue"]) not in seen:
                    raise Failed(f"entry {entry['entry_id']} records a reading that control.json does not have: {data}")
            elif entry["kind"] == "control.attested":
                key = (data["sha256"], data["valid_until"], data["applies"], entry["actor"])
                attested[key] = attested.get(key, 0) + 1
        for one in about["attestations"]:
            if one["control_id"] != value:
                raise Failed(f"attestation {one['attestation_id']} is about {one['control_id']}")
            key = (one["sha256"], one["valid_until"], one["applies"], one["attested_by"])
            if not attested.get(key):
                raise Failed(f"attestation {one['attestation_id']} is not one that an entry records")
            attested[key] -= 1
        if left := [key for key, count in attested.items() if count]:
            raise Failed(
                f"an entry records evidence {left[0][0] or 'without a file'}, which control.json does not have"
            )
        files = {name.removeprefix("attachments/") for name in self.files if name.startswith("attachments/")}
        wanted = {one["sha256"] for one in about["attestations"] if one["sha256"]}
        if files != wanted:
            raise Failed(f"attachments and attestations do not match: {sorted(files ^ wanted)[0]}")
        for name in sorted(files):
            if (found := sha256(self.files[f"attachments/{name}"]).hexdigest()) != name:
                raise Failed(f"attachment {name} has digest {found}")
        count = len(about["readings"])
        self.notes.append(
            Note(
                "the ledger holds each change of a control's result and the digest of each file that was handed in; which rows failed and "
                "the texts beside are the operator's record",
                "يحفظ الدفتر كل تغيّر في نتيجة الضابط وبصمة كل ملف قُدّم. أمّا أي الصفوف أخفق والنصوص المرافقة فمن سجل المشغّل",
            )
        )
        return f"{count} readings, {recorded} changes of result recorded, {len(about['attestations'])} attestations"

    def check_grants(self) -> str:
        recorded = {
            entry["data"]["grant_id"]: entry["data"] for entry in self.entries if entry["data"].get("grant_leaf")
        }
        names = self.names("grants/", ".json")
        for missing in sorted(recorded.keys() - set(names)):
            raise Failed(f"an entry records grant {missing}, which is missing")
        unknown = ""
        for name in names:
            grant = self.json(f"grants/{name}.json")
            claims = _json(grant["claims"].encode())
            if claims["grant_id"] != name or claims["tenant_id"] != self.manifest["tenant_id"]:
                raise Failed(f"grant {name} is of another id or tenant")
            leaf = sha256(b"\x00" + grant["claims"].encode()).digest()
            data = recorded.get(name)
            if data is None or data["grant_leaf"] != leaf.hex():
                raise Failed(f"grant {name} is not the one that an entry records")
            for key in ("action_id", "attempt", "payload_digest", "policy_version", "approval_id"):
                if data[key] != claims[key]:
                    raise Failed(f"grant {name}: expected {key} {data[key]} as recorded, got {claims[key]}")
            try:
                self._check_batch_root(name, grant, leaf)
            except UnknownSigner as error:
                unknown = str(error)
            self.grants[name] = claims
        if unknown:
            raise UnknownSigner(unknown)
        return f"{len(names)} grants"

    def _check_batch_root(self, name: str, grant: Mapping[str, Any], leaf: bytes) -> None:
        protected, payload, signature = grant["root_jws"].split(".")
        header, batch = _json(_base64url(protected)), _json(_base64url(payload))
        if header["typ"] != "dealix-grant-root+jwt" or header["alg"] not in {"EdDSA", "Ed25519"}:
            raise Failed(f"grant {name}: foreign type or algorithm")
        path = [bytes.fromhex(step) for step in grant["path"]]
        root, size = bytes.fromhex(batch["root"]), batch["size"]
        if size != grant["size"] or not _included(leaf, grant["index"], size, path, root):
            raise Failed(f"grant {name}: its claims are not in the signed batch")
        key = self.keys["grant"].get(header["kid"])
        if key is None:
            raise UnknownSigner(f"grant key {header['kid']} is not in the trust root")
        _verify(key, _base64url(signature), f"{protected}.{payload}".encode(), f"grant {name}: signature is wrong")

    def check_payloads(self) -> str:
        granted = {claims["payload_digest"] for claims in self.grants.values()}
        recorded = {entry["data"].get(key) for entry in self.entries for key in ("payload_digest", "payload_hash")}
        names = self.names("payloads/", ".json")
        for name in names:
            salt = self.salt("payloads", name, required=True)
            found = sha256(salt + self.files[f"payloads/{name}.json"]).hexdigest()
            if found != name:
                raise Failed(f"payload {name} has digest {found}")
            if name not in granted | recorded:
                raise Failed(f"payload {name} is not one that a grant or an entry names")
        missing = len(granted - set(names))
        if missing:
            self.notes.append(
                Note(
                    f"{missing} granted payloads are not in the pack; only their digests are proven",
                    f"حمولات مصرّح بها وغير مرفقة: {missing}؛ المثبت بصماتها فقط",
                )
            )
        return f"{len(names)} payloads"

    def check_approvals(self) -> str:
        steps = [entry["data"] for entry in self.entries if entry["kind"].startswith("approval.")]
        shown = {step["approval_id"]: step["view_hash"] for step in steps}
        names = self.names("views/", ".json")
        for name in names:
            found = sha256(self.salt("views", name) + self.files[f"views/{name}.json"]).hexdigest()
            if found != shown.get(name):
                raise Failed(f"view of approval {name}: expected {shown.get(name)} as recorded, got {found}")
        for step in steps:
            if step["view_hash"] != shown[step["approval_id"]]:
                raise Failed(f"approval {step['approval_id']} is recorded with two views")
        used = 0
        for grant_id, claims in self.grants.items():
            if claims["approval_id"] is None:
                continue
            used += 1
            approved = [
                step for step in steps if step["approval_id"] == claims["approval_id"] and step["state"] == "approved"
            ]
            if not approved:
                raise Failed(f"grant {grant_id} rests on approval {claims['approval_id']}, which no entry records")
            for step in approved:
                if (step["payload_hash"], step["action_id"]) != (claims["payload_digest"], claims["action_id"]):
                    raise Failed(
                        f"grant {grant_id} is for another payload or action than approval {step['approval_id']}"
                    )
            if claims["approval_id"] not in names:
                raise Failed(f"the view that was approved for grant {grant_id} is missing")
        return f"{used} approvals used, {len(names)} views"

    def check_receipts(self) -> str:
        recorded = {
            entry["data"]["receipt_id"]: entry["data"] for entry in self.entries if entry["data"].get("receipt_hash")
        }
        names = self.names("receipts/", ".json")
        for missing in sorted(recorded.keys() - set(names)):
            raise Failed(f"an entry records receipt {missing}, which is missing")
        used: set[str] = set()
        for name in names:
            receipt, data = self.json(f"receipts/{name}.json"), recorded.get(name)
            found = sha256(self.files[f"receipts/{name}.json"]).hexdigest()
            if data is None or data["receipt_hash"] != found or receipt["receipt_id"] != name:
                raise Failed(f"receipt {name} is not the one that an entry records")
            claims = self.grants.get(receipt["grant_id"])
            if claims is None or data["closes_grant"] != receipt["grant_id"]:
                raise Failed(f"receipt {name} names grant {receipt['grant_id']}, which is not in the pack")
            if receipt["grant_id"] in used:
                raise Failed(f"grant {receipt['grant_id']} was used twice")
            used.add(receipt["grant_id"])
            pairs = [(key, key) for key in ("tenant_id", "action_id", "attempt", "connector", "operation")]
            for mine, granted in [*pairs, ("mode", "connector_mode")]:
                if receipt[mine] != claims[granted]:
                    raise Failed(f"receipt {name}: expected {mine} {claims[granted]} as granted, got {receipt[mine]}")
        return f"{len(names)} receipts"

    def check_policies(self) -> str:
        names = self.names("policies/", ".cedar")
        for name in names:
            found = sha256(self.files[f"policies/{name}.cedar"]).hexdigest()
            if found != name:
                raise Failed(f"policy text {name} has hash {found}")
        for version in {entry["data"]["policy_version"] for entry in self.entries if entry["kind"] == "decision"}:
            if len(version) < 16 or not any(name.startswith(version) for name in names):
                raise Failed(f"a decision rests on policy {version}, whose text is missing")
        return f"{len(names)} texts"

    def json(self, name: str) -> Any:
        if name not in self.files:
            raise Failed(f"{name} is missing")
        return _json(self.files[name])

    def names(self, folder: str, suffix: str) -> list[str]:
        inside = sorted(name for name in self.files if name.startswith(folder))
        for name in inside:
            if not name.endswith(suffix):
                raise Failed(f"{name} does not belong in {folder}")
        return [name.removeprefix(folder).removesuffix(suffix) for name in inside]

    def salt(self, kind: str, name: str, *, required: bool = False) -> bytes:
        # One length only: otherwise salt and data could be cut at another place and give the same digest.
        salt = bytes.fromhex(self.salts[kind][name])
        if len(salt) != 32 and (required or salt):
            raise Failed(f"the salt of {kind} {name} is not 32 bytes")
        return salt


_MALFORMED = (
    Failed,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


def _json(data: bytes) -> Any:
    """JSON without repeated names (two readers could see two values) and without NaN."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise Failed("a name is repeated in an object")
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise Failed(f"{constant} is not JSON")

    return json.loads(data.decode(), object_pairs_hook=once, parse_constant=refuse)


def _base64(text: str) -> bytes:
    decoded = base64.b64decode(text, validate=True)
    if base64.b64encode(decoded).decode() != text:
        raise Failed("not canonical base64")
    return decoded


def _base64url(text: str) -> bytes:
    decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() != text:
        raise Failed("not canonical base64url")
    return decoded


def _verify(key: bytes, signature: bytes, message: bytes, failure: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature as error:
        raise Failed(failure) from error


def _included(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    """RFC 9162 section 2.1.3.2."""
    if type(index) is not int or type(size) is not int or not 0 <= index < size:
        return False
    position, last, computed = index, size - 1, leaf
    for step in path:
        if last == 0 or len(step) != 32:
            return False
        if position & 1 or position == last:
            computed = sha256(b"\x01" + step + computed).digest()
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            computed = sha256(b"\x01" + computed + step).digest()
        position >>= 1
        last >>= 1
    return last == 0 and computed == root


# The archive: stored, sorted by name, dated 1 January 1980, without optional fields (PKWARE APPNOTE 4.3).

_LOCAL = struct.Struct("<4sHHHHHLLLHH")


def _read_archive(data: bytes) -> dict[str, bytes]:
    """Files in archive order, from the local headers alone; the rest is compared, not read."""
    files: dict[str, bytes] = {}
    at = 0
    while data[at : at + 4] == b"PK\x03\x04":
        if len(data) < at + _LOCAL.size:
            raise Failed(f"the archive ends within a header at byte {at}")
        size, length = _LOCAL.unpack_from(data, at)[8:10]
        start = at + _LOCAL.size + length
        if start + size > len(data):
            raise Failed(f"the archive ends within the file whose header is at byte {at}")
        try:
            name = data[at + _LOCAL.size : start].decode("ascii")
        except UnicodeDecodeError as error:
            raise Failed(f"a file name at byte {at} is not ASCII") from error
        if name in files:
            raise Failed(f"{name} is in the archive twice")
        files[name] = data[start : start + size]
        at = start + size
    if not files:
        raise Failed("this is not an evidence pack")
    return files


def _archive_parts(files: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    directory, offset = bytearray(), 0
    for name in sorted(files):
        data, encoded = files[name], name.encode("ascii")
        common = struct.pack("<HHHHHLLLHH", 20, 0, 0, 0, 0x21, zlib.crc32(data), len(data), len(data), len(encoded), 0)
        yield f"the header or checksum of {name}", b"PK\x03\x04" + common + encoded
        yield f"the contents of {name}", data
        directory += b"PK\x01\x02" + struct.pack("<H", 0x0314) + common
        directory += struct.pack("<HHHLL", 0, 0, 0, 0o100644 << 16, offset) + encoded
        offset += _LOCAL.size + len(encoded) + len(data)
    end = struct.pack("<HHHHLLH", 0, 0, len(files), len(files), len(directory), offset, 0)
    yield "the archive's directory", bytes(directory) + b"PK\x05\x06" + end


def _build_archive(files: Mapping[str, bytes]) -> bytes:
    return b"".join(part for _, part in _archive_parts(files))


def _where_archives_differ(files: Mapping[str, bytes], rebuilt: bytes, found: bytes) -> str:
    at = 0
    for place, part in _archive_parts(files):
        if found[at : at + len(part)] != part:
            return f"{place}: differs from what its contents give (byte {at} on)"
        at += len(part)
    return f"expected {len(rebuilt)} bytes, got {len(found)}"


def _print(report: Report, language: str) -> None:
    column = 0 if language == "en" else 1
    marks = {"holds": ("ok", "سليم"), "failed": ("FAILED", "فشل"), "unknown": ("SIGNER UNKNOWN", "الموقّع مجهول")}
    for check in report.checks:
        print(f"{marks[check.result][column]:<15} {check.name:<11} {CHECKS[check.name][column]}: {check.detail}")
    for note in report.notes:
        print(f"{('note', 'ملاحظة')[column]:<15} {(note.en, note.ar)[column]}")
    verdicts = {
        0: ("All checks hold.", "كل الفحوص سليمة."),
        1: (f"Check failed: {report.failed}.", f"فشل الفحص: {report.failed}."),
        2: ("Signer unknown: nothing is proven.", "الموقّع مجهول: لم يثبت شيء."),
    }
    print(verdicts[report.exit_code][column])


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Verify a Dealix evidence pack offline.")
    parser.add_argument("pack", help="the evidence pack (ZIP)")
    parser.add_argument("--trust-root", help="the operator's published keys (JWK set), obtained elsewhere")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--lang", choices=("en", "ar"), default="en")
    given = parser.parse_args(arguments)
    try:
        report = verify_pack(given.pack, given.trust_root)
    except OSError as error:
        report = Report(checks=[Check("layout", "failed", f"the pack cannot be read: {error}")])
    if given.json:
        print(json.dumps(report.as_dict(), ensure_ascii=False, indent=2))
    else:
        _print(report, given.lang)
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())
