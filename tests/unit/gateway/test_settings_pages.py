"""Settings as pages: one way to all of them, forms that change exactly what they show, refusals beside what was written."""

from __future__ import annotations

from decimal import Decimal

import pytest

from libs.contracts import subjects
from libs.contracts.catalogue.credentials import credential_fields
from libs.contracts.errors import Conflict
from libs.contracts.message import Ok
from libs.contracts.operating import ControlListReply
from libs.contracts.prices import PricesReply
from services.gateway.console.routes.settings import PLACES
from services.gateway.console.urls import url
from tests.unit.gateway.fake_site import PASSWORD, Site
from tests.unit.gateway.filled_site import fill, people
from tests.unit.gateway.test_console_people import enter

pytestmark = pytest.mark.asyncio
S = "/console/settings"
CREDENTIAL = credential_fields()["slack"][0].name
FORBIDDEN = ("auditor", "member", "operator")


async def owner(site: Site) -> str:
    fill(site)
    user = await people(site)
    return str((await site.sign_in(user.email)).json()["csrf_token"])


async def test_every_place_of_the_index_opens_and_leads_back(site: Site) -> None:
    await owner(site)
    index = (await site.client.get(S)).text
    for _, places in PLACES:
        for key, *_ in places:
            assert f'href="{url(key)}"' in index
    for key in ("tenant", "rules", "fields", "sources", "own", "users", "api_keys", "whatsapp", "integrations"):
        page = await site.client.get(url(key))
        assert page.status_code == 200, (key, page.text)
        assert f'href="{S}"' in page.text


async def test_the_index_leaves_out_what_a_role_may_not_open_and_the_page_itself_names_the_role(site: Site) -> None:
    fill(site)
    await enter(site, "auditor")
    index = (await site.client.get(S)).text
    assert url("users") not in index and url("api_keys") not in index and url("rules") in index
    for key in ("users", "api_keys", "webhooks"):
        refused = await site.client.get(url(key))
        assert refused.status_code == 403 and "المالك" in refused.text


@pytest.mark.parametrize("role", FORBIDDEN)
async def test_without_the_role_there_are_no_forms_and_posting_is_refused(site: Site, role: str) -> None:
    token = await enter(site, role)
    fill(site)
    assert "offer_ar" not in (await site.client.get(url("tenant"))).text
    assert 'name="opens"' not in (await site.client.get(url("rules"))).text
    for path in (url("tenant_offer"), url("rules_save", "hours"), url("fields"), url("whatsapp_rules"), url("users"), url("api_keys"),
        url("integration_connect", "slack")):  # fmt: skip
        assert (await site.client.post(path, data={"csrf": token})).status_code == 403, path
    assert not [s for s, _ in site.planes.asked if s in (subjects.SET_RULES.subject, subjects.SET_OFFER.subject)]


async def test_a_form_without_its_token_changes_nothing(site: Site) -> None:
    await owner(site)
    assert (await site.client.post(url("tenant_offer"), data={"offer_ar": "x"})).status_code == 403
    assert site.planes.requests(subjects.SET_OFFER) == []


async def test_the_offer_is_saved_in_both_languages(site: Site) -> None:
    token = await owner(site)
    form = {"csrf": token, "offer_ar": " أنظمة ", "offer_en": ""}
    assert (await site.client.post(url("tenant_offer"), data=form)).status_code == 303
    (asked,) = site.planes.requests(subjects.SET_OFFER)
    assert (asked.offer_ar, asked.offer_en) == ("أنظمة", "")


async def test_hours_change_and_everything_else_of_the_rules_stays(site: Site) -> None:
    token = await owner(site)
    page = (await site.client.get(url("rules"))).text
    assert 'value="09:00"' in page and "2026-12-01" in page
    form = {
        "csrf": token,
        "version": "4",
        "opens": "08:30",
        "closes": "23:59",
        "days": ["6", "0"],
        "closed_on": "2026-12-02،2026-12-01",
    }
    assert (await site.client.post(url("rules_save", "hours"), data=form)).status_code == 303
    (asked,) = site.planes.requests(subjects.SET_RULES)
    assert (asked.rules.opens_minute, asked.rules.closes_minute, asked.rules.days) == (510, 1440, (6, 0))
    assert [day.isoformat() for day in asked.rules.closed_on] == ["2026-12-01", "2026-12-02"]
    assert asked.rules.daily_caps == {"email": 300} and asked.expected_version == 4


async def test_caps_and_limits_are_numbers_and_empty_is_the_default(site: Site) -> None:
    token = await owner(site)
    caps = {"csrf": token, "version": "4", "daily.email": "", "each.whatsapp": "3", "warm_up": "20 50"}
    assert (await site.client.post(url("rules_save", "caps"), data=caps)).status_code == 303
    limits = {
        "csrf": token,
        "version": "4",
        "limit.approver": "1000.50",
        "quorum": "",
        "sla.high": "60",
        "sla.medium": "90",
        "sla.low": "120",
    }
    assert (await site.client.post(url("rules_save", "limits"), data=limits)).status_code == 303
    first, second = (asked.rules for asked in site.planes.requests(subjects.SET_RULES))
    assert (first.daily_caps, first.contact_caps, first.warm_up) == ({}, {"whatsapp": 3}, (20, 50))
    assert second.limits == {"approver": Decimal("1000.50")} and second.quorum_above_sar is None
    assert second.sla_minutes == {"high": 60, "medium": 90, "low": 120}


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("hours", {"opens": "25:00", "closes": "17:00"}), ("hours", {"opens": "09:00", "closes": "17:00", "closed_on": "tomorrow"}),
        ("caps", {"daily.email": "-5"}), ("caps", {"daily.email": "many"}), ("limits", {"limit.approver": "1e999999999"}),
        ("limits", {"quorum": "مئة"}),
    ],
)  # fmt: skip
async def test_what_is_no_hour_or_number_is_said_on_the_page(site: Site, part: str, wrong: dict[str, str]) -> None:
    token = await owner(site)
    answer = await site.client.post(url("rules_save", part), data={"csrf": token, "version": "4", **wrong})
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert site.planes.requests(subjects.SET_RULES) == []


async def test_rules_that_were_changed_meanwhile_are_a_conflict_on_the_page(site: Site) -> None:
    token = await owner(site)
    site.planes.answer(subjects.SET_RULES, Conflict("rules_changed", "Changed meanwhile.", "غيّرها غيرك."))
    form = {"csrf": token, "version": "3", "opens": "08:00", "closes": "16:00", "days": "6"}
    answer = await site.client.post(url("rules_save", "hours"), data=form)
    assert answer.status_code == 409 and "غيّرها غيرك." in answer.text


async def test_a_custom_field_is_added_changed_and_removed(site: Site) -> None:
    token = await owner(site)
    site.planes.answer(subjects.SAVE_CUSTOM_FIELD, lambda asked: asked.field)
    site.planes.answer(subjects.DROP_CUSTOM_FIELD, Ok())
    assert "رمز الفرع" in (await site.client.get(url("fields"))).text
    assert 'value="branch_code"' in (await site.client.get(url("fields", kind="account", key="branch_code"))).text
    form = {
        "csrf": token,
        "kind": "deal",
        "type": "choice",
        "ar": "المنطقة",
        "en": "Zone",
        "key": "zone",
        "choices": "شمال\nجنوب\n\nشمال",
    }
    assert (await site.client.post(url("fields"), data=form)).status_code == 303
    (asked,) = site.planes.requests(subjects.SAVE_CUSTOM_FIELD)
    assert asked.field.choices == ("شمال", "جنوب") and asked.field.kind.value == "deal"
    bad = await site.client.post(url("fields"), data={**form, "key": "Zone!"})
    assert bad.status_code == 422 and "المنطقة" in bad.text
    gone = await site.client.post(url("field_drop"), data={"csrf": token, "field": "account.branch_code"})
    assert gone.status_code == 303 and site.planes.requests(subjects.DROP_CUSTOM_FIELD)[0].key == "branch_code"


async def test_an_integration_is_connected_and_disconnected_and_its_secret_is_never_shown(site: Site) -> None:
    token = await owner(site)
    for call in (subjects.PUT_CREDENTIAL, subjects.PROBE_CONNECTOR, subjects.DROP_CREDENTIAL):
        site.planes.answer(call, site.planes.answers[subjects.CONNECTORS.subject].items[1])  # type: ignore[union-attr]
    listed = (await site.client.get(url("integrations"))).text
    assert "سلاك" in listed and "مرفوض" in listed and "الكشط والرسائل الآلية محظورة" not in listed
    assert "الكشط والرسائل الآلية محظورة" in (await site.client.get(url("integration", "linkedin"))).text
    page = (await site.client.get(url("integration", "slack"))).text
    assert "قبل الخادم بيانات الاعتماد." in page and "disconnect" in page
    form = {"csrf": token, CREDENTIAL: "https://hooks.slack.com/services/T/B/secret"}
    answer = await site.client.post(url("integration_connect", "slack"), data=form)
    assert answer.status_code == 303 and "secret" not in answer.text
    (asked,) = site.planes.requests(subjects.PUT_CREDENTIAL)
    assert asked.connector == "slack" and list(asked.values.values()) == [form[CREDENTIAL]]
    assert (await site.client.post(url("integration_disconnect", "slack"), data={"csrf": token})).status_code == 303
    refused = await site.client.post(url("integration_connect", "linkedin"), data={"csrf": token})
    assert refused.status_code == 409 and 'role="alert"' in refused.text


async def test_what_goes_out_by_whatsapp_is_chosen_and_a_wrong_choice_changes_nothing(site: Site) -> None:
    token = await owner(site)
    page = (await site.client.get(url("whatsapp"))).text
    assert "1055512345" in page and "سُلّم للإرسال" in page
    wrong = await site.client.post(url("whatsapp_rules"), data={"csrf": token, "template": "X y", "language": "ar"})
    assert wrong.status_code == 422
    form = {"csrf": token, "enabled": "yes", "risks": ["low", "medium"], "template": "brief_2", "language": "en"}
    assert (await site.client.post(url("whatsapp_rules"), data=form)).status_code == 303
    async with site.store.unit(site.tenant.tenant_id) as unit:
        kept = await unit.briefs.rules()
    assert (kept.enabled, kept.risks, kept.template, kept.language) == (True, ("low", "medium"), "brief_2", "en")
    short = await site.client.post(url("whatsapp_bind"), data={"csrf": token, "account": "1", "secret": "short"})
    assert short.status_code == 422
    made = await site.client.post(url("whatsapp_bind"), data={"csrf": token, "account": "777", "secret": "x" * 20})
    assert made.status_code == 200 and "رمز التحقق" in made.text and "x" * 20 not in made.text


async def test_ones_own_hours_number_and_password(site: Site) -> None:
    token = await owner(site)
    form = {"csrf": token, "opens": "08:00", "closes": "23:59", "days": ["sun", "mon"]}
    assert (await site.client.post(url("own_hours"), data=form)).status_code == 303
    assert 'value="08:00"' in (await site.client.get(url("own"))).text
    assert (await site.client.post(url("own_hours"), data={**form, "closes": "07:00"})).status_code == 422
    claimed = await site.client.post(
        url("own_number"), data={"csrf": token, "number": "+966501234567", "password": PASSWORD}
    )
    assert claimed.status_code == 200 and "الرمز" in claimed.text
    assert "+966501234567" in (await site.client.get(url("own"))).text
    wrong = await site.client.post(
        url("own_password"), data={"csrf": token, "current": "nope", "new": "another good phrase"}
    )
    assert wrong.status_code in (401, 403, 422) and 'role="alert"' in wrong.text
    begun = await site.client.post(url("own_factor"), data={"csrf": token, "step": "begin", "password": PASSWORD})
    assert "<svg" in begun.text and "السر" in begun.text


async def test_a_person_with_a_first_password_is_led_to_the_page_that_changes_it(site: Site) -> None:
    token = await owner(site)
    form = {"csrf": token, "name": "خالد", "email": "khalid@example.com", "roles": "member"}
    made = await site.client.post(url("users"), data=form)
    assert made.status_code == 200
    first = made.text.split("كلمة المرور الأولى")[1].split('class="ltr">')[1].split("<")[0]
    again = await site.client.post(url("users"), data=form)
    assert again.status_code == 409 and "khalid@example.com" in again.text
    token = str((await site.sign_in("khalid@example.com", first)).json()["csrf_token"])
    led = await site.client.get("/console")
    assert led.status_code == 303 and led.headers["location"] == url("own")
    page = (await site.client.get(url("own"))).text
    assert "اختر كلمة مرور خاصة بك" in page and url("own_hours") not in page
    form = {"csrf": token, "current": first, "new": "a quite long phrase of mine"}
    assert (await site.client.post(url("own_password"), data=form)).status_code == 303
    assert (await site.client.get("/console/settings")).status_code == 200


async def test_an_account_is_changed_closed_and_opened(site: Site) -> None:
    token = await owner(site)
    other = await site.user("member", email="m@example.com")
    path = url("user_command", str(other.user_id))
    form = {
        "csrf": token,
        "command": "change",
        "version": "1",
        "name": "منى",
        "roles": ["operator"],
        "business_role": "",
    }
    assert (await site.client.post(path, data=form)).status_code == 303
    page = (await site.client.get(url("user", str(other.user_id)))).text
    assert "منى" in page
    stale = await site.client.post(path, data=form)
    assert stale.status_code in (409, 412) and 'role="alert"' in stale.text
    assert (await site.client.post(path, data={"csrf": token, "command": "disable", "version": "2"})).status_code == 303
    assert "موقوف" in (await site.client.get(url("user", str(other.user_id)))).text
    assert (await site.client.post(path, data={"csrf": token, "command": "explode", "version": "3"})).status_code == 404


async def test_a_key_is_shown_once_and_revoked(site: Site) -> None:
    token = await owner(site)
    none = await site.client.post(url("api_keys"), data={"csrf": token, "name": "ERP"})
    assert none.status_code == 422
    form = {"csrf": token, "name": "ERP", "scopes": ["read"], "expires_on": "2099-01-01"}
    made = (await site.client.post(url("api_keys"), data=form)).text
    assert "dlx_" in made
    page = (await site.client.get(url("api_keys"))).text
    assert "ERP" in page and "dlx_" not in page
    key = page.split("/console/settings/keys/")[1].split("/")[0]
    assert (await site.client.post(url("api_key_revoke", key), data={"csrf": token})).status_code == 303
    assert "ملغى" in (await site.client.get(url("api_keys"))).text


async def test_a_price_is_recorded_with_where_it_is_written_down(site: Site) -> None:
    token = await owner(site)
    none = PricesReply(items=())
    site.planes.answer(subjects.PRICES, none)
    site.planes.answer(subjects.SET_PRICE, none)
    site.planes.answer(subjects.CONTROLS, ControlListReply(items=()))
    page = await site.client.get(url("connector", "slack"))
    assert page.status_code == 200 and "لم يُسجَّل سعر بعد." in page.text
    path = url("connector_price", "slack")
    for wrong in ({"sar": "free", "reference": "x"}, {"sar": "1.5", "reference": " "}, {"sar": "-1", "reference": "x"}):
        refused = await site.client.post(path, data={"csrf": token, **wrong})
        assert refused.status_code == 422 and 'role="alert"' in refused.text
    done = await site.client.post(path, data={"csrf": token, "sar": "0.25", "reference": "INV-7"})
    assert done.status_code == 200 and "سُجّل السعر." in done.text
    (asked,) = site.planes.requests(subjects.SET_PRICE)
    assert (asked.connector, asked.sar, asked.reference) == ("slack", Decimal("0.25"), "INV-7")
    site.planes.answer(subjects.PRICES, Conflict("down", "Down.", "متوقف."))
    assert "تعذّرت قراءة الأسعار الآن." in (await site.client.get(url("connector", "slack"))).text


async def test_whoever_changed_something_is_called_by_name_and_the_system_too(site: Site) -> None:
    fill(site)
    user = await people(site)
    await site.sign_in(user.email)
    kept = site.planes.answers[subjects.RULES.subject]
    site.planes.answer(subjects.RULES, kept.evolve(changed_by=user.actor))  # type: ignore[union-attr]  # the rules just told
    page = (await site.client.get(url("rules"))).text
    assert user.name in page and user.actor not in page
    site.planes.answer(subjects.RULES, kept.evolve(changed_by="system:trust"))  # type: ignore[union-attr]
    page = (await site.client.get(url("rules"))).text
    assert "system:trust" not in page and "النظام" in page


async def test_a_refusal_is_in_the_language_that_was_chosen_whatever_the_browser_prefers(site: Site) -> None:
    fill(site)
    await enter(site, "auditor")
    arabic = await site.client.get(url("users"), headers={"Accept-Language": "en"})
    assert (
        "هذه الصفحة ليست لدورك." in arabic.text and "Forbidden" not in arabic.text and url("compliance") in arabic.text
    )
    site.client.cookies.set("dealix_lang", "en")
    english = await site.client.get(url("users"), headers={"Accept-Language": "ar"})
    assert "This page is not for your role." in english.text and "Owner or Administrator" in english.text
