"""Parts of a subscription's page that change it: its address and events, and delivering a range of the ledger again."""

from __future__ import annotations

from libs.contracts.catalogue.webhook_events import families
from libs.contracts.message import new_id
from libs.contracts.push import Subscription
from services.gateway.console.desk import Desk
from services.gateway.console.pages_desk import DeskForm, Input, Section
from services.gateway.console.urls import url


def event_options(desk: Desk) -> tuple[tuple[str, str], ...]:
    """Families of events as choices; the first is everything."""
    each = ((f"{one.name}.*", desk.say(one.ar, one.en)) for one in families().values())
    return (("*", desk.say("كل شيء", "Everything")), *each)


def changing(desk: Desk, one: Subscription) -> tuple[Section, ...]:
    """Nothing for a subscription that has ended."""
    if one.state.value == "ended":
        return ()
    options = event_options(desk)
    known = {key for key, _ in options}
    # What was chosen by the API may be finer than the families; it stays a choice of its own.
    options = (*options, *((name, name) for name in one.event_types if name not in known))
    id = str(one.subscription_id)
    inputs = (
        Input("version", "", "hidden", str(one.version)),
        Input("url", desk.say("العنوان (https)", "Address (https)"), value=one.url, ltr=True),
        Input("disable_after", desk.say("يُعطَّل بعد إخفاقات متتالية", "Disabled after failures in a row"), "number", str(one.disable_after), ltr=True),
        Input("description", desk.say("وصف", "Description"), value=one.description, required=False),
        Input("events", desk.say("ماذا يستقبل", "What it hears"), "checks", options=options, chosen=one.event_types),
    )  # fmt: skip
    again = (
        Input("once", "", "hidden", str(new_id())),
        Input("first", desk.say("من القيد", "From entry"), "number", ltr=True),
        Input("last", desk.say("إلى القيد", "To entry"), "number", ltr=True),
    )
    text = desk.say(
        "تُرسل القيود مرة أخرى بمعرّفاتها الأولى، فيعرف نظامك ما سبق أن استقبله.",
        "Entries are sent again under their first ids, so that your system knows what it has seen.",
    )
    return (
        Section(desk.say("تعديل الاشتراك", "Change the subscription"), forms=(DeskForm("edit", url("webhook_change", id), desk.say("احفظ", "Save"), inputs, columns=True),)),
        Section(desk.say("إعادة الإرسال", "Deliver again"), text,
            forms=(DeskForm("again", url("webhook_again", id), desk.say("أعد إرسال المدى", "Deliver the range again"), again, columns=True, quiet=True),)),
    )  # fmt: skip
