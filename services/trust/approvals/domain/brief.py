"""Approvals as a WhatsApp text, and the parser of what comes back.

Only what fits whole is shown: nobody approves what was cut off. A reply that could mean two things decides nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from libs.contracts.briefs import ApprovalBrief, BriefItem
from libs.contracts.message import Text
from libs.contracts.trust import Approval

MAX_BODY = 1024
"""Characters of a message with choices (Meta Cloud API)."""
MAX_ITEMS = 3
LIFETIME = timedelta(hours=24)
CODE_LENGTH = 3
# Without letters that look like digits or like one another.
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ"
_RISK = {"low": "منخفضة", "medium": "متوسطة", "high": "عالية"}

_APPROVE = frozenset({"موافق", "موافقة", "اوافق", "approve", "approved"})
_REJECT = frozenset({"رفض", "ارفض", "مرفوض", "reject", "rejected"})
_NUMBERS = re.compile(r"^(\d{1,2})(?:\s*[-–—./]\s*(\d{1,2}))?(?:[\s:،,]+(.*))?$", re.DOTALL)
_MARKS = re.compile("[\u064b-\u065f\u0640\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reply says of which request."""

    item: BriefItem
    verdict: Literal["approve", "reject"]
    reason: str = ""


def short_enough(approval: Approval) -> bool:
    """Whether WhatsApp may decide this at all: up to medium risk, one person's decision, and the whole view in one message."""
    one = approval.risk in ("low", "medium") and approval.approvers <= 1
    return one and len(_text([(approval, "X" * CODE_LENGTH)], 0)) <= MAX_BODY


def render(brief_id: UUID, waiting: Sequence[Approval]) -> tuple[str, tuple[BriefItem, ...]]:
    """The text for a person's requests, the most urgent first, and what it shows. What does not fit waits for the next brief."""
    shown: list[tuple[Approval, str]] = []
    for approval in waiting:
        if len(shown) == MAX_ITEMS or not short_enough(approval):
            continue
        code = _code(brief_id, approval.approval_id, {code for _, code in shown})
        if len(_text([*shown, (approval, code)], len(waiting))) <= MAX_BODY:
            shown.append((approval, code))
    items = tuple(
        BriefItem(
            number=number, code=code, approval_id=one.approval_id, payload_hash=one.payload_hash, view_hash=one.view_hash
        )
        for number, (one, code) in enumerate(shown, 1)
    )  # fmt: skip
    return _text(shown, len(waiting) - len(shown)), items


def _text(shown: Sequence[tuple[Approval, str]], left: int) -> str:
    if not shown:
        more = f"\nطلبات تُحسم في المنصة: {left}" if left else ""
        return f"لا موافقات بانتظارك هنا.{more}"
    blocks = ["*موافقات بانتظارك*"]
    for number, (approval, code) in enumerate(shown, 1):
        blocks.append("\n".join([f"*{number}. {code}* — {approval.view.get('title_ar', '')}", *_lines(approval.view)]))
    blocks.append(how_to(len(shown), shown[0][1]).ar)
    if left:
        blocks.append(f"طلبات أخرى تُحسم في المنصة: {left}")
    return "\n\n".join(blocks)


def _lines(view: Mapping[str, Any]) -> list[str]:
    """Everything that a view says, a line each: what the console shows, WhatsApp shows."""
    resource = view.get("resource", {})
    lines = [
        f"مخاطرة {_RISK.get(str(view.get('risk')), view.get('risk'))}",
        f"بشأن: {resource.get('type')}:{resource.get('id')}",
        f"الطالب: {view.get('requested_by')}",
    ]
    if view.get("why"):
        lines.append(f"السبب: {view['why']}")
    lines += [f"{field['label_ar']}: {_value(field['value'])}" for field in view.get("fields", ())]
    lines += [f"• {reason['ar']}" for reason in view.get("reasons", ())]
    for both in view.get("contradictions", ()):
        said = " ≠ ".join(f"{claim['value_ar']} {claim['unit']} ({claim['source']})" for claim in both["claims"])
        lines.append(f"تناقض: {said}")
    lines += [str(view.get("compensation_ar", "")), str(view.get("if_nobody_answers_ar", ""))]
    return [*(line for line in lines if line), f"SHA-256: {view.get('payload_sha256')}"]


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _code(brief_id: UUID, approval_id: UUID, taken: set[str]) -> str:
    """A short word for a request, the same whenever this brief is made, and another one in each brief."""
    round_ = 0
    while True:
        drawn = hashlib.sha256(brief_id.bytes + approval_id.bytes + bytes([round_])).digest()
        code = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in drawn[:CODE_LENGTH])
        if code not in taken:
            return code
        round_ += 1


def parse(text: str, briefs: Sequence[ApprovalBrief]) -> Choice | None:
    """What a reply decides; None when that is not certain. `briefs` are a person's that still hold, the newest first.

    A code names a request of any of them. A number counts in the newest alone: "1-1" approves and "1-2 because" rejects its first
    request; where it showed one request, "1" and "2 because" do.
    """
    folded = _fold(text)
    first, _, rest = folded.partition(" ")
    if first.casefold() in _APPROVE | _REJECT:
        code, _, reason = rest.strip().partition(" ")
        named = _by_code(code, briefs)
        if named is None:
            return None
        if first.casefold() in _APPROVE:
            # Words after an approval may take it back ("approve ABC but only half"): that is not clear.
            return Choice(named, "approve") if not reason.strip() else None
        return Choice(named, "reject", reason.strip())
    found = _NUMBERS.match(folded)
    if found is None or not briefs:
        return None
    return _numbered(found, briefs[0].items)


def _numbered(found: re.Match[str], items: Sequence[BriefItem]) -> Choice | None:
    number, choice, reason = int(found[1]), found[2], (found[3] or "").strip()
    if choice is None:
        if len(items) != 1:
            return None
        number, choice = 1, str(number)
    if not 1 <= number <= len(items) or choice not in ("1", "2"):
        return None
    if choice == "1":
        return Choice(items[number - 1], "approve") if not reason else None
    return Choice(items[number - 1], "reject", reason)


def _by_code(code: str, briefs: Sequence[ApprovalBrief]) -> BriefItem | None:
    """The request of that code in the newest brief that has it."""
    wanted = code.upper()
    return next((item for brief in briefs for item in brief.items if item.code == wanted), None)


def _fold(text: str) -> str:
    """Arabic digits as Latin ones, hamzas and marks of direction left out, one space between words."""
    plain = _MARKS.sub("", unicodedata.normalize("NFKC", text))
    digits = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in plain)
    return " ".join(digits.translate(str.maketrans("أإآ", "ااا")).split()).strip(" .!؟?")


def how_to(count: int, code: str) -> Text:
    """What to write. `code` is one of the brief's."""
    numbers = "1 أو «2 السبب»" if count == 1 else "«1-1» أو «1-2 السبب»"
    latin = "1, or “2 and the reason”" if count == 1 else "“1-1”, or “1-2 and the reason”"
    return Text(
        ar=f"للموافقة أو الرفض: {numbers}، أو «موافق {code}» أو «رفض {code} السبب»",
        en=f"To approve or reject: {latin}, or “approve {code}”, or “reject {code} and the reason”",
    )
