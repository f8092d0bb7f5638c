"""Why a file of facts is not taken, in both languages."""

from __future__ import annotations

from libs.contracts.catalogue.enrichment import Adapter, enrichment
from libs.contracts.errors import Conflict, Invalid


class NoAdapter(Invalid):
    def __init__(self) -> None:
        named = ", ".join(enrichment().adapters)
        super().__init__("no_such_adapter", f"The adapters are: {named}.", f"المحوّلات المتاحة: {named}.")


class NoBasis(Invalid):
    def __init__(self, adapter: Adapter) -> None:
        bases = [enrichment().bases[base] for base in adapter.bases]
        super().__init__(
            "no_lawful_basis",
            f"For {adapter.en.lower()} name one of these lawful bases: {', '.join(adapter.bases)}.",
            f"سمِّ أساسًا نظاميًا مقبولًا لمصدر «{adapter.ar}»: {'، '.join(base.ar for base in bases)}.",
        )


class NoLicence(Invalid):
    def __init__(self, adapter: Adapter) -> None:
        super().__init__(
            "licence_missing",
            f"{adapter.en}: name the licence or terms under which its data may be used.",
            f"{adapter.ar}: اذكر الرخصة أو الشروط التي تُستخدم بياناته بموجبها.",
        )


class NotFromTheFuture(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "obtained_later", "A file was obtained today or before.", "تاريخ الحصول على الملف لا يكون في المستقبل."
        )


class FileUnfit(Invalid):
    """The file as a whole; nothing of it was kept."""

    def __init__(self, code: str, en: str, ar: str) -> None:
        super().__init__(code, en, ar)


class NothingToMatch(Invalid):
    def __init__(self, adapter: Adapter) -> None:
        named = ", ".join(adapter.match)
        super().__init__(
            "nothing_to_match",
            f"No column of the file finds a record; one of these is needed: {named}.",
            f"لا عمود في الملف يحدد السجل، ويلزم أحد هذه: {named}.",
        )


class AlreadyDecided(Conflict):
    def __init__(self) -> None:
        super().__init__("already_decided", "This fact is not disputed any more.", "لم تعد هذه المعلومة محل خلاف.")
