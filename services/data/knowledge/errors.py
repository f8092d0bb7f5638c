"""What knowledge refuses, in both languages."""

from __future__ import annotations

from libs.contracts.errors import DealixError, Invalid

_SAID = {
    "empty": ("The document holds no text; a scan needs text recognition first.", "لا نص في المستند؛ الصورة الممسوحة تحتاج إلى تعرّف على النص أولًا."),
    "too_large": ("The document is larger than 20 MB.", "المستند أكبر من 20 ميغابايت."),
    "bomb": ("The document unpacks to far more than a document holds; it was not read.", "المستند ينتفخ عند فكّه إلى حجم غير معقول، فلم يُقرأ."),
    "script": ("The document carries a script, a macro or a program; remove it and upload again.", "المستند يحمل برنامجًا أو شيفرة؛ احذفها ثم ارفعه من جديد."),
    "unknown": ("The file is not a PDF, DOCX, HTML, Markdown or text document.", "الملف ليس مستند PDF أو DOCX أو HTML أو Markdown أو نصًا."),
    "broken": ("The document is damaged or encrypted and can't be read.", "المستند تالف أو مشفّر ولا يمكن قراءته."),
    "gone": ("The uploaded document is no longer there; upload it again.", "لم يعد المستند المرفوع موجودًا؛ ارفعه من جديد."),
}  # fmt: skip


class DocumentRefused(Invalid):
    """A document that is not taken in; `why` is one of the reasons above."""

    def __init__(self, why: str) -> None:
        super().__init__(f"document_{why}", *_SAID[why])


class BadExpiry(Invalid):
    def __init__(self) -> None:
        super().__init__("bad_expiry", "A memory expires in the future.", "تاريخ انتهاء الذاكرة يكون في المستقبل.")


class EmbedderBusy(DealixError):
    """The local model had no time for a question; the same one can be asked again."""

    status = 503
    retryable = True

    def __init__(self) -> None:
        super().__init__(
            "embedder_busy", "The local language model is busy; try again shortly.", "نموذج اللغة المحلي مشغول، أعد المحاولة بعد قليل."
        )  # fmt: skip
