"""What one live effect of a connector costs, as its page shows it."""

from __future__ import annotations

from libs.contracts.errors import DealixError
from libs.contracts.prices import PricesReply, PricesRequest
from libs.contracts.subjects import PRICES
from services.gateway.console.desk import Desk
from services.gateway.console.pages_desk import Cell, DeskForm, Input, Section
from services.gateway.console.urls import url
from services.gateway.http.guards import allowed


async def pricing(desk: Desk, key: str) -> Section:
    """The prices, the newest first, and the form for another. Without a price a cost is unknown, and never zero."""
    title = desk.say("سعر الأثر الواحد", "Price of one effect")
    try:
        found: PricesReply = await desk.call(PRICES, PricesRequest(principal=desk.who, connector=key))
    except DealixError:
        return Section(title, desk.say("تعذّرت قراءة الأسعار الآن.", "The prices could not be read just now."))
    columns = (
        desk.say("بالريال", "In riyals"), desk.say("منذ", "Since"), desk.say("المرجع", "Reference"), desk.say("سجّله", "Recorded by"),
    )  # fmt: skip
    rows = tuple(
        (Cell(f"{one.sar:,.4f}", "ltr"), Cell(one.since, "moment"), Cell(one.reference), Cell(one.set_by, "ltr"))
        for one in found.items
    )
    forms: tuple[DeskForm, ...] = ()
    if allowed(desk.who, "users") is not None:
        inputs = (
            Input("sar", desk.say("السعر (ر.س)", "Price (SAR)"), "number", ltr=True, step="0.0001"),
            Input("reference", desk.say("العقد أو الفاتورة", "Contract or invoice")),
        )
        forms = (DeskForm("price", url("connector_price", key), desk.say("سجّل السعر", "Record the price"), inputs, columns=True, quiet=True),)  # fmt: skip
    text = desk.say(
        "يسري السعر من لحظة تسجيله، وما نُفّذ قبله يبقى بسعره. ما لا سعر له تُعدّ تكلفته غير معروفة، لا صفرًا.",
        "A price holds from when it is recorded; earlier effects keep theirs. Without one a cost is unknown, not zero.",
    )
    empty = desk.say("لم يُسجَّل سعر بعد.", "No price was recorded yet.")
    return Section(title, text, columns=columns, rows=rows, empty=empty, forms=forms)
