"""Live updates: signals refetch, and nothing changes under the finger of someone who is deciding."""

import pytest
from playwright.sync_api import Browser, Page, expect

from services.gateway.console.urls import url
from tests.browser.preview import Preview


def opened(tab: Page, base: str, path: str, preview: Preview) -> None:
    waiting = len(preview.listeners)
    tab.goto(base + path)
    tab.wait_for_selector("[data-live]:visible")
    assert len(preview.listeners) >= min(waiting + 1, 1)


def test_an_approval_in_one_tab_disappears_from_another(chromium: Browser, preview: Preview, base: str) -> None:
    context = chromium.new_context()
    first, second = context.new_page(), context.new_page()
    opened(first, base, url("approvals"), preview)
    opened(second, base, url("approvals"), preview)
    first.click("#card-a3 .button-primary")
    expect(second.locator("#card-a3")).to_have_count(0)
    expect(second.locator("#nav-count-approvals")).to_contain_text("2")
    context.close()


def test_a_focused_card_that_changed_is_marked_and_cannot_be_approved(tab: Page, preview: Preview, base: str) -> None:
    opened(tab, base, url("approvals"), preview)
    tab.focus("#card-a2")
    preview.changed["a2"] = "other"
    preview.signal("approvals")
    expect(tab.locator("#card-a2 [data-changed]")).to_be_visible()
    expect(tab.locator("#card-a2 [data-changed]")).to_contain_text("تغيّر هذا الطلب")
    expect(tab.locator("#card-a2 .button-primary")).to_be_disabled()
    assert tab.evaluate("document.activeElement.id") == "card-a2"


def test_an_open_payload_keeps_its_card_and_a_high_risk_link_is_taken_away(
    tab: Page, preview: Preview, base: str
) -> None:
    opened(tab, base, url("approvals"), preview)
    tab.click("#card-a1 details.payload summary")
    tab.evaluate("document.activeElement.blur()")
    preview.changed["a1"] = "other"
    preview.signal("approvals")
    expect(tab.locator("#card-a1 [data-changed]")).to_be_visible()
    assert tab.get_attribute("#card-a1 .button-primary", "href") is None
    assert tab.get_attribute("#card-a1 .button-primary", "aria-disabled") == "true"


def test_a_card_that_nobody_reads_is_replaced_in_place(tab: Page, preview: Preview, base: str) -> None:
    opened(tab, base, url("approvals"), preview)
    preview.changed["a2"] = "other"
    preview.signal("approvals")
    expect(tab.locator("#card-a2")).to_have_attribute("data-rev", "other")
    assert tab.eval_on_selector_all("[data-card]", "cards => cards.map((c) => c.dataset.card)") == ["a1", "a2", "a3"]
    expect(tab.locator("#card-a2 [data-changed]")).to_be_hidden()


def test_the_request_page_itself_is_never_swapped_away(tab: Page, preview: Preview, base: str) -> None:
    opened(tab, base, url("approval", "a1"), preview)
    preview.changed["a1"] = "other"
    preview.signal("approvals")
    expect(tab.locator("#card-a1 [data-changed]")).to_be_visible()


def test_a_lost_server_shows_a_banner_and_then_recovery(tab: Page, preview: Preview, base: str) -> None:
    opened(tab, base, url("approvals"), preview)
    tab.context.set_offline(True)
    expect(tab.locator("[data-offline]")).to_be_visible(timeout=10_000)
    expect(tab.locator("[data-live]")).to_be_hidden()
    tab.context.set_offline(False)
    tab.evaluate("document.body.dispatchEvent(new CustomEvent('htmx:sseOpen', { bubbles: true }))")
    expect(tab.locator("[data-online]")).to_be_visible()
    expect(tab.locator("[data-offline]")).to_be_hidden()


def test_a_fragment_request_answers_with_the_fragment_alone(tab: Page, preview: Preview, base: str) -> None:
    answer = tab.request.get(base + url("approvals"), headers={"HX-Request": "true"})
    assert "<html" not in answer.text()
    assert answer.text().count("data-card=") == 3
    assert 'hx-swap-oob="true"' in answer.text()


@pytest.mark.parametrize("path", [url("approvals"), url("approval", "a1")])
def test_a_double_click_posts_once(tab: Page, preview: Preview, base: str, path: str) -> None:
    opened(tab, base, path, preview)
    tab.goto(base + url("approvals"))
    tab.route("**/approve", lambda route: route.continue_())
    tab.dblclick("#card-a3 .button-primary")
    expect(tab.locator("#card-a3")).to_have_count(0)
    assert len(preview.posts) == 1
