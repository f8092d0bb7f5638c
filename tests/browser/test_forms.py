"""Forms and keyboard: the console works without JavaScript, and a key press alone never approves."""

from playwright.sync_api import Browser, Page, expect

from services.gateway.console.urls import url
from tests.browser.fixture_pages import Fixtures
from tests.browser.preview import Preview


def test_approving_works_without_javascript_and_posts_what_was_shown(
    chromium: Browser, preview: Preview, base: str
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + url("approvals"))
    page.click("#card-a3 .button-primary")
    expect(page.locator("#card-a3")).to_have_count(0)
    (path, form), *rest = preview.posts
    card = Fixtures("ar").cards()[2]
    assert rest == []
    assert path == url("approval_approve", "a3")
    assert card.payload is not None
    assert form["payload_hash"] == card.payload.sha256
    assert form["csrf"] == "fixture-csrf"
    assert len(form["view_hash"]) == 64
    context.close()


def test_a_high_risk_card_cannot_be_approved_from_the_list(tab: Page, preview: Preview, base: str) -> None:
    tab.goto(base + url("approvals"))
    assert tab.locator("#card-a1 form").count() == 0
    tab.click("#card-a1 .button-primary")
    expect(tab).to_have_url(base + url("approval_confirm", "a1"))
    body = tab.inner_text("main")
    assert "1,250,000.00" in body and "لا يمكن استرجاع" in body and "شركة الرياض للتقنية" in body
    assert preview.posts == []


def test_a_changed_payload_shows_the_difference_and_runs_nothing(tab: Page, preview: Preview, base: str) -> None:
    tab.goto(base + url("approval_confirm", "a1"))
    preview.changed["a1"] = "other"
    with tab.expect_response("**/approve") as answer:
        tab.click("[data-commit]")
    assert answer.value.status == 409
    assert "لم يُنفَّذ شيء" in tab.inner_text("main")
    expect(tab.locator(".changes tbody tr")).to_have_count(2)
    assert preview.decided == []


def test_a_rejection_needs_a_reason(tab: Page, preview: Preview, base: str) -> None:
    tab.goto(base + url("approval_reject", "a2"))
    tab.click(".button-danger-filled")
    assert tab.evaluate("document.querySelector('#reason').validity.valueMissing")
    expect(tab).to_have_url(base + url("approval_reject", "a2"))


def test_keys_move_open_and_ask_but_never_approve(tab: Page, preview: Preview, base: str) -> None:
    tab.goto(base + url("approvals"))
    tab.keyboard.press("j")
    assert tab.evaluate("document.activeElement.id") == "card-a1"
    tab.keyboard.press("j")
    tab.keyboard.press("j")
    tab.keyboard.press("j")
    assert tab.evaluate("document.activeElement.id") == "card-a3"
    tab.keyboard.press("a")
    expect(tab).to_have_url(base + url("approval_confirm", "a3"))
    assert preview.posts == []
    tab.goto(base + url("approvals"))
    tab.keyboard.press("j")
    tab.keyboard.press("r")
    expect(tab).to_have_url(base + url("approval_reject", "a1"))
    tab.goto(base + url("approvals"))
    tab.keyboard.press("j")
    tab.keyboard.press("Enter")
    expect(tab).to_have_url(base + url("approval", "a1"))
    tab.keyboard.press("o")
    expect(tab).to_have_url(base + url("evidence_entry", 5))


def test_keys_search_help_go_and_can_be_switched_off(tab: Page, preview: Preview, base: str) -> None:
    tab.goto(base + url("approvals"))
    tab.keyboard.press("/")
    assert tab.evaluate("document.activeElement.id") == "q"
    tab.keyboard.type("ja")
    assert tab.input_value("#q") == "ja"
    tab.evaluate("document.activeElement.blur()")
    tab.keyboard.press("Shift+Slash")
    expect(tab.locator("#help")).to_be_visible()
    tab.uncheck("[data-shortcuts-switch]")
    tab.keyboard.press("Escape")
    tab.keyboard.press("j")
    assert tab.evaluate("document.activeElement.closest('[data-card]')") is None


def test_language_changes_by_a_form_and_the_page_stays(chromium: Browser, preview: Preview, base: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + url("approvals"))
    assert page.get_attribute("html", "dir") == "rtl"
    page.click("button[name=lang] >> visible=true")
    expect(page).to_have_url(base + url("approvals"))
    assert page.get_attribute("html", "dir") == "ltr"
    assert page.inner_text("h1") == "Approval Center"
    context.close()


def test_an_upload_goes_up_and_leads_to_the_columns(tab: Page, preview: Preview, base: str) -> None:
    tab.goto(f"{base}/preview/targeting")
    tab.set_input_files("#file", {"name": "leads.csv", "mimeType": "text/csv", "buffer": b"company\nA\n"})
    expect(tab.locator("[data-file-name]")).to_contain_text("leads.csv")
    tab.click("[data-upload] button[type=submit]")
    expect(tab).to_have_url(f"{base}/preview/import-map")
    assert preview.posts == [(url("targeting_upload"), {"file": "leads.csv", "source": "own_crm"})]


def test_a_file_over_the_limit_is_refused_before_it_is_sent(tab: Page, preview: Preview, base: str) -> None:
    tab.goto(f"{base}/preview/targeting")
    tab.evaluate("document.querySelector('[data-upload]').dataset.max = '3'")
    tab.set_input_files("#file", {"name": "leads.csv", "mimeType": "text/csv", "buffer": b"company\nA\n"})
    expect(tab.locator("[data-upload-error]")).to_contain_text("200")
    tab.click("[data-upload] button[type=submit]")
    assert preview.posts == []
