"""What DNS says of a domain that sends mail: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489). Read here, judged by the control."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dns.exception
import dns.resolver

from dev.commands.common import BadInput

DOMAIN = re.compile(r"(?!-)([a-z0-9-]{1,63}\.)+[a-z][a-z0-9-]{1,62}")
SELECTOR = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?")
Texts = Callable[[str], Sequence[str]]
"""The TXT records of a name, each with its strings joined; none where there is no such name. Raises BadInput when DNS does not answer."""


@dataclass(frozen=True, slots=True)
class Found:
    """As the register `sender-domains` has it, with the records themselves as evidence."""

    spf: str
    dkim: str
    dmarc: str
    evidence: tuple[str, ...]


def look(domain: str, selector: str, texts: Texts) -> Found:
    """Read and judge the three records of a domain (in ASCII form) under one DKIM selector."""
    spf = [one for one in texts(domain) if one.casefold().startswith("v=spf1")]
    dkim = texts(f"{selector}._domainkey.{domain}")
    dmarc = _dmarc_records(domain, texts)
    own = bool(dmarc) and dmarc[0][0] == domain
    return Found(
        spf=_spf(spf), dkim=_dkim(dkim), dmarc=_policy([text for _, text in dmarc], own),
        evidence=(*spf, *dkim, *(f"_dmarc.{name}: {text}" for name, text in dmarc)),
    )  # fmt: skip


def _spf(records: Sequence[str]) -> str:
    """Two records are an error (RFC 7208 section 3.2); one that lets everybody in, or says nothing of the rest, proves nothing."""
    if not records:
        return "none"
    terms = records[0].casefold().split()
    strict = any(term in ("-all", "~all") or term.startswith("redirect=") for term in terms)
    return "pass" if len(records) == 1 and strict else "fail"


def _dkim(records: Sequence[str]) -> str:
    """A key at this very domain is aligned with it; an empty one is revoked (RFC 6376 section 3.6.1)."""
    return "aligned" if any(_tags(one).get("p") for one in records) else "none"


def _dmarc_records(domain: str, texts: Texts) -> list[tuple[str, str]]:
    """The records of the domain, or else of the nearest domain above it that has any (RFC 7489 section 6.6.3)."""
    labels = domain.split(".")
    for start in range(len(labels) - 1):
        name = ".".join(labels[start:])
        if found := [one for one in texts(f"_dmarc.{name}") if one.casefold().startswith("v=dmarc1")]:
            return [(name, one) for one in found]
    return []


def _policy(records: Sequence[str], own: bool) -> str:
    """What receivers are asked to do. More than one record counts as none."""
    if len(records) != 1:
        return "none"
    tags = _tags(records[0])
    said = tags.get("p", "") if own else tags.get("sp", tags.get("p", ""))
    return said if said in ("reject", "quarantine") else "monitor"


def _tags(record: str) -> dict[str, str]:
    parts = (part.partition("=") for part in record.split(";"))
    return {name.strip().casefold(): value.strip().casefold() for name, _, value in parts if name.strip()}


def from_dns(name: str) -> Sequence[str]:
    """The TXT records of a name, asked of this machine's resolver."""
    try:
        answer = dns.resolver.resolve(name, "TXT", lifetime=10)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return ()
    except dns.exception.DNSException as error:
        raise BadInput(
            f"DNS does not answer for {name}: {type(error).__name__}. Nothing was recorded.",
            f"لم يصل رد DNS عن {name}، ولم يُسجَّل شيء.",
        ) from error
    return tuple(b"".join(record.strings).decode("utf-8", "replace") for record in answer)


def ascii_name(domain: str) -> str:
    """A domain as DNS has it. Raises BadInput for what is none."""
    try:
        name = domain.strip().rstrip(".").casefold().encode("idna").decode()
    except UnicodeError:
        name = ""
    if DOMAIN.fullmatch(name) is None:
        raise BadInput(f"{domain} is no domain.", f"«{domain}» ليس نطاقًا.")
    return name
