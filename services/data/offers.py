"""What a tenant says it sells, in each language: a person's own words, kept with who said them and when."""

from __future__ import annotations

import re

from libs.contracts.data import SetOffer, TenantProfile
from libs.contracts.errors import Forbidden, Invalid, NotFound
from libs.contracts.message import Plane, PrincipalKind, new_id
from libs.contracts.subjects import AUDITED
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.plane import Runtime

SETS = frozenset({"owner", "admin"})
_ARABIC = re.compile(r"[\u0621-\u064a]")
_LATIN = re.compile(r"[A-Za-z]")
_LINE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]|https?://|www\.")


class BadOffer(Invalid):
    def __init__(self, field: str, en: str, ar: str) -> None:
        super().__init__("bad_offer", f"{field}: {en}", f"{field}: {ar}")


def check(offer_ar: str, offer_en: str) -> tuple[str, str]:
    """The texts without their outer spaces and last full stop, which a sentence puts there itself.

    Raises BadOffer for a text in the other language, of more than one line, or with a link.
    """
    out = []
    for field, text, script in (("offer_ar", offer_ar, _ARABIC), ("offer_en", offer_en, _LATIN)):
        plain = " ".join(text.split(" ")).strip().rstrip(".")
        if plain and _LINE.search(plain):
            raise BadOffer(field, "It is one line, without links.", "سطر واحد دون روابط.")
        if plain and not script.search(plain):
            raise BadOffer(field, "It is written in its own language.", "يُكتب النص بلغته.")
        out.append(plain)
    return out[0], out[1]


class Offers:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def set(self, request: SetOffer) -> TenantProfile:
        """Keep the texts; an empty one is left out of drafts of its language. Raises Forbidden, NotFound, BadOffer."""
        who, tenant = request.principal, request.principal.tenant_id
        if who.kind is PrincipalKind.AGENT or not SETS & set(who.roles):
            raise Forbidden
        offer_ar, offer_en = check(request.offer_ar, request.offer_en)
        now = self._runtime.now()
        async with self._runtime.database.batch(tenant) as work:
            stored = await work.connection.fetchval(
                "select profile from data.tenants where tenant_id = $1 for update", tenant
            )
            if stored is None:
                raise NotFound
            profile: TenantProfile = TenantProfile.model_validate_json(stored).evolve(
                offer_ar=offer_ar, offer_en=offer_en, offer_by=who.id, offer_at=now
            )
            await work.connection.execute(
                "update data.tenants set profile = $2::jsonb where tenant_id = $1", tenant, profile.model_dump_json()
            )
            work.emit(
                AUDITED[Plane.DATA],
                AuditRecorded(
                    entry_id=new_id(), tenant_id=tenant, kind="tenant.offer_set", actor=who.id, target=f"tenant:{tenant}", at=now,
                    data={"ar": bool(offer_ar), "en": bool(offer_en)}, trace_id=telemetry.trace_id(),
                ),
            )  # fmt: skip
        return profile
