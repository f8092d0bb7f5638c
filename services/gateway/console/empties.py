"""What a list without rows says: why it is empty and what comes next. Nobody is left before "none"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from libs.contracts.message import Text
from services.gateway.console.views import Lang

CHOSEN: Final = Text(
    ar="لا شيء بهذا الاختيار. اختر غيره من الأعلى.", en="There is none of that choice. Choose another above."
)
"""A list that has rows, and none of those that were asked for."""

NOTHING: Final[Mapping[str, Text]] = {
    "actions": Text(
        ar="لا إجراءات بعد. جهّز مسودة من قائمة الفرص لتظهر هنا.",
        en="No actions yet. Prepare a draft from the ranked list, and it appears here.",
    ),
    "attributions": Text(
        ar="لا صفقات مكسوبة بعد. سجّل المكالمات والاجتماعات، فإذا كُسبت صفقة ظهر هنا ما جلبها.",
        en="No deal was won yet. Note calls and meetings; once a deal is won, what brought it appears here.",
    ),
    "canaries": Text(
        ar="لا تجارب جزئية بعد. تبدأ التجربة من سطر الأوامر: dealix canaries start، وتظهر أرقامها هنا.",
        en="No canaries yet. One begins on the command line: dealix canaries start; its figures appear here.",
    ),
    "consents": Text(
        ar="لا موافقات مسجّلة. تُسجَّل عند استيراد قائمة تذكر الموافقة وتاريخها ودليلها.",
        en="No consents on record. They are recorded when a list is imported that states each consent, its date and its proof.",
    ),
    "contradictions": Text(
        ar="لا تناقضات. إذا خالف ادعاء مسجّل ادعاء آخر ظهر هنا لتحسمه.",
        en="No contradictions. When one recorded claim disagrees with another, it appears here for you to settle.",
    ),
    "dead_letters": Text(
        ar="لا رسائل متعذّرة. ما يتعذّر تنفيذه يظهر هنا وينتظر قرارك.",
        en="No dead letters. What can't be carried out appears here and waits for you.",
    ),
    "delegations": Text(
        ar="لا تفويض. قبل إجازتك فوّض من ينوب عنك من النموذج أدناه.",
        en="Nothing is delegated. Before you are away, lend your say below.",
    ),
    "evidence": Text(
        ar="لا أدلة بعد. ما يُقدَّم من ملفات وبيانات يظهر هنا.",
        en="No evidence yet. The files and statements that are handed in appear here.",
    ),
    "findings": Text(
        ar="لم تجد بوابة الأمان شيئًا. ما يرد وفيه أوامر موجّهة للآلات أو أسرار يُحجز ويظهر هنا.",
        en="The security gate has found nothing. What arrives with orders to machines or secrets is held and appears here.",
    ),
    "flows": Text(
        ar="لم يبدأ مسار بعد. يبدأ بحجز اجتماع أو اعتماد شريك أو توقيع عقد، وتتابعه هنا خطوة بخطوة.",
        en="No flow has begun yet. One begins with a meeting, a partner or a contract, and is followed here step by step.",
    ),
    "inbound": Text(
        ar="لا يصل شيء من واتساب بعد. أضف رقم منشأتك من النموذج أدناه.",
        en="Nothing comes in from WhatsApp yet. Add your company's number below.",
    ),
    "briefs": Text(
        ar="لم تُرسل إليك رسالة بعد. سجّل رقمك وساعاتك أولًا.",
        en="Nothing was sent to you yet. Record your number and hours first.",
    ),
    "metric_rows": Text(
        ar="لا سجلات في آخر 30 يومًا، فلا رقم يُحسب. يظهر هنا كل سجل يدخل في حسابه.",
        en="There are no records in the last 30 days, so there is no figure. Each record that it counts appears here.",
    ),
    "model_uses": Text(
        ar="لم يُسأل أي نموذج. تجيب النصوص والقواعد المدمجة إلى أن توصل مزوّدًا من صفحة الموصلات.",
        en="No model was asked. Built-in texts and rules answer until you connect a provider on the Connectors page.",
    ),
    "months": Text(
        ar="لا أشهر مسجّلة بعد. أغلق صفقة أو حمّل الصفقات السابقة لتظهر هنا.",
        en="No months on record yet. Close a deal or load earlier ones, and they appear here.",
    ),
    "plugins": Text(
        ar="لا إضافات مثبّتة. ثبّت حزمتها على الخادم وأعد التشغيل لتظهر هنا بصلاحياتها وبصمتها.",
        en="No plugin is installed. Install its package on the server and start again: it appears here with its rights and its digest.",
    ),
    "recoveries": Text(
        ar="لا نسخ احتياطية بعد. خذ الأولى من سطر الأوامر: dealix backup.",
        en="No backup yet. Take the first on the command line: dealix backup.",
    ),
    "register": Text(
        ar="لا قيود بعد. أضف القيد الأول من النموذج أدناه.", en="No entries yet. Add the first one below."
    ),
    "rights": Text(
        ar="لا طلبات بعد. سجّل طلب صاحب البيانات يوم وصوله، فالمهلة تبدأ منه.",
        en="No requests yet. Record one on the day it arrives: its term runs from then.",
    ),
    "sequences": Text(
        ar="لا سلاسل بعد. ابدأ سلسلة من الزر أدناه، أو من صفحة جهة اتصال.",
        en="No sequences yet. Start one below, or from a contact's page.",
    ),
    "suppressions": Text(
        ar="القائمة فارغة. أضف إليها بريد أو رقم من طلب ألا نتواصل معه.",
        en="The list is empty. Add the address or number of whoever asked not to be contacted.",
    ),
    "webhooks": Text(
        ar="لا اشتراكات بعد. أضف عنوان نظامك من النموذج أدناه ليصله ما يُسجَّل.",
        en="No subscriptions yet. Add your system's address below, and it hears what is recorded.",
    ),
}


def nothing(lang: Lang, key: str, *, chosen: bool = False) -> str:
    """What a list without rows says; `chosen` when the reader asked for a part of it. Raises KeyError."""
    said = CHOSEN if chosen else NOTHING[key]
    return said.ar if lang == "ar" else said.en
