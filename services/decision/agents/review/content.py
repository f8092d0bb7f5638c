"""What the reviewers read, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from libs.contracts.trust import Contactability


class Severity(StrEnum):
    """`violation` stops a draft, `doubt` sends it to a person, `flaw` costs points."""

    VIOLATION = "violation"
    DOUBT = "doubt"
    FLAW = "flaw"


class Verdict(StrEnum):
    PASS = "pass"
    REVISE = "revise"
    FAIL = "fail"


class ComplianceStatus(StrEnum):
    CLEAR = "clear"
    AMBIGUOUS = "ambiguous"
    VIOLATION = "violation"


@dataclass(frozen=True, slots=True)
class Content:
    """A message as it would be sent, with what the reviewers must know of its addressee and sender.

    `names` are proper names in it; `status` is trust's answer for this channel; `opt_out_url` what a link may point to.
    """

    channel: str
    language: str
    subject: str | None
    body: str
    status: Contactability
    sender: tuple[str, ...]
    names: tuple[str, ...] = ()
    opt_out_url: str = ""

    @property
    def text(self) -> str:
        return f"{self.subject}\n{self.body}" if self.subject else self.body


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a reviewer found. `where` quotes it; `rule` names the source of the rule."""

    code: str
    severity: Severity
    en: str
    ar: str
    where: str = ""
    rule: str = ""
