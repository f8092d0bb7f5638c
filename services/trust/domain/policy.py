"""The policy bundle: Cedar text, validated, hashed, and asked in batches.

An action's context is a closed record of plain facts, so that equal contexts are the same question: each distinct question is put
to Cedar once and remembered for as long as the bundle lives.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import cedarpy

from libs.contracts.catalogue.actions import effects
from libs.contracts.message import Reason
from libs.contracts.trust import MODE_ORDER, Mode
from services.trust.errors import PolicyInvalid

MEMO_LIMIT = 50_000


@dataclass(frozen=True, slots=True)
class Question:
    """Everything a policy may look at. Strings that do not apply are empty; nothing in it is the caller's assertion."""

    effect: str
    principal_kind: str
    action_class: str
    registered: bool
    tenant_match: bool
    external: bool
    draft_effect: bool
    connector_mode: str
    approval: str = "none"
    earlier_attempt_open: bool = False
    suspended: bool = False
    tainted: bool = False
    channel: str = ""
    purpose: str = ""
    facts: str = "none"
    recipient_match: bool = False
    opted_out: str = "unknown"
    suppressed: bool = False
    consent: str = "none"
    source_policy: str = "unknown"
    opt_out_text: bool = False
    sender_identity: bool = False
    over_daily_cap: bool = False
    over_contact_cap: bool = False
    quiet_hours: bool = False
    replay_attached: bool = False
    control_failing: bool = False
    contradiction: str = "none"
    screening: str = "clean"
    quarantined: bool = False
    agent_standing: str = "none"
    agent_doubted: bool = False
    own_recipient: str = "none"
    contested: bool = False
    model_call: str = "none"
    go_live: str = "none"

    def context(self) -> dict[str, str | bool]:
        """The record as Cedar sees it."""
        values = asdict(self)
        del values["effect"], values["principal_kind"]
        return values


@dataclass(frozen=True, slots=True)
class Answer:
    """The strictest mode among the policies that decided, and their reasons. `allowed` needs a permit and no forbid."""

    allowed: bool
    mode: Mode
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class _Policy:
    id: str
    mode: Mode
    en: str
    ar: str


_KIND = {"user": "User", "api_key": "ApiKey", "agent": "Agent", "system": "System"}
_DEFAULT_DENY = Reason(
    code="no_policy_allows", en="No policy allows this.", ar="لا توجد سياسة تسمح بهذا الإجراء.", policy_id=None
)


def schema() -> dict[str, object]:
    """The Cedar schema: the catalogue's effects as actions, `Question` as their context."""
    kinds = {"str": "String", "bool": "Boolean"}
    attributes = {
        f.name: {"type": kinds[str(f.type)]} for f in fields(Question) if f.name not in ("effect", "principal_kind")
    }
    applies = {
        "principalTypes": sorted(_KIND.values()),
        "resourceTypes": ["Resource"],
        "context": {"type": "Record", "attributes": attributes},
    }
    names = [*effects(), "unregistered"]
    return {
        "": {
            "entityTypes": {name: {} for name in (*_KIND.values(), "Resource")},
            "actions": {name: {"appliesTo": applies} for name in names},
        }
    }


class Bundle:
    """An immutable, validated set of policies. `version` is the hash of its text.

    Raises PolicyInvalid when the text does not parse, does not validate against the schema, or a policy lacks an annotation.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.version = hashlib.sha256(text.encode()).hexdigest()
        try:
            self._set = cedarpy.PolicySet.from_str(text)
        except ValueError as error:
            raise PolicyInvalid(f"The policies do not parse: {error}") from error
        self._schema = cedarpy.Schema.from_json_str(json.dumps(schema()))
        result = cedarpy.validate_policies(text, self._schema)
        if not result.validation_passed:
            raise PolicyInvalid(f"The policies do not validate: {'; '.join(str(e) for e in result.errors[:3])}")
        self._policies = _annotated(text)
        self._entities = cedarpy.Entities.from_json_str("[]")
        self._memo: dict[Question, Answer] = {}

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """Decide each question. An evaluation error denies."""
        new = [q for q in dict.fromkeys(questions) if q not in self._memo]
        if new:
            if len(self._memo) + len(new) > MEMO_LIMIT:
                self._memo.clear()
                new = list(dict.fromkeys(questions))
            results = cedarpy.is_authorized_batch([_request(q) for q in new], self._set, self._entities)
            for question, result in zip(new, results, strict=True):
                self._memo[question] = self._answer(result)
        return [self._memo[question] for question in questions]

    def _answer(self, result: cedarpy.AuthzResult) -> Answer:
        fired = [self._policies[name] for name in result.diagnostics.reasons]
        if result.diagnostics.errors:
            reason = Reason(
                code="policy_error", en="A policy could not be evaluated, so we deny.", ar="تعذّر تقييم سياسة، فنمنع."
            )
            return Answer(False, Mode.BLOCKED, (reason,))
        if not fired:
            return Answer(False, Mode.BLOCKED, (_DEFAULT_DENY,))
        fired.sort(key=lambda policy: (MODE_ORDER.index(policy.mode), policy.id))
        reasons = tuple(Reason(code=p.id, en=p.en, ar=p.ar, policy_id=p.id) for p in fired)
        return Answer(result.allowed, fired[0].mode, reasons)


def _request(question: Question) -> dict[str, object]:
    effect = question.effect if question.registered else "unregistered"
    return {
        "principal": {"type": _KIND[question.principal_kind], "id": "asker"},
        "action": {"type": "Action", "id": effect},
        "resource": {"type": "Resource", "id": "target"},
        "context": question.context(),
    }


def _annotated(text: str) -> dict[str, _Policy]:
    """Cedar's generated policy ids mapped to what the annotations say."""
    document = json.loads(cedarpy.policies_to_json_str(text))
    out: dict[str, _Policy] = {}
    for generated, policy in document["staticPolicies"].items():
        notes = policy.get("annotations") or {}
        missing = [name for name in ("id", "mode", "reason_en", "reason_ar") if not notes.get(name)]
        if missing:
            raise PolicyInvalid(f"Policy {notes.get('id') or generated} lacks @{', @'.join(missing)}.")
        if notes["mode"] not in list(Mode):
            raise PolicyInvalid(f"Policy {notes['id']} has an unknown mode {notes['mode']}.")
        out[generated] = _Policy(notes["id"], Mode(notes["mode"]), notes["reason_en"], notes["reason_ar"])
    ids = [policy.id for policy in out.values()]
    if len(ids) != len(set(ids)):
        raise PolicyInvalid("Two policies have the same @id.")
    return out
