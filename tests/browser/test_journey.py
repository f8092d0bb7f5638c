"""The whole main job in a browser, on the real system: import, rank, approve, receipt, proof."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dev.directory import any_free_port
from tests.live.test_command_line import Person

EXAMPLE = Path(__file__).parents[2] / "examples" / "leads.csv"
APPROVE = "موافقة وتنفيذ"


@dataclass
class Site:
    """A running system, and its owner's way in."""

    base: str
    email: str
    password: str

    def sign_in(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.goto(f"{self.base}/console")
        page.fill("#email", self.email)
        page.fill("#password", self.password)
        page.press("#password", "Enter")
        page.wait_for_url(re.compile("/console$"))
        return page


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    person = Person(tmp_path_factory.mktemp("console"))
    port = any_free_port()
    started = person.asks("up", "--detach", "--port", str(port))
    try:
        owner = started["first_owner"]
        yield Site(f"http://127.0.0.1:{port}", owner["email"], owner["password"])
    finally:
        person.types("down")


@pytest.fixture(scope="module")
def owner(chromium: Browser, site: Site) -> Iterator[Page]:
    """The owner's tab, after the example list was imported through the pages."""
    context = chromium.new_context()
    page = site.sign_in(context)
    page.goto(f"{site.base}/console/targeting")
    page.set_input_files("input[type=file]", str(EXAMPLE))
    page.check("input[name=source][value=own_crm]", force=True)
    page.locator("form[enctype] button[type=submit]").click()
    page.wait_for_url(re.compile("/imports/"))
    start = page.get_by_role("button", name="استورد 200 صف")
    _until(page, lambda: start.count() > 0)
    start.click()
    _until(page, lambda: page.get_by_text("اكتمل").count() > 0 or page.get_by_text("149").count() > 0)
    _until(
        page,
        lambda: (
            page.goto(f"{site.base}/console/approvals") is not None
            and page.get_by_role("button", name=APPROVE).count() > 1
        ),
    )
    yield page
    context.close()


def _until(page: Page, holds: object, tries: int = 60) -> None:
    """Reload until something is there; the last look is the test's failure."""
    for _ in range(tries):
        if holds():  # type: ignore[operator]  # a function without arguments
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(f"it never appeared on {page.url}")


def test_nobody_gets_in_without_the_password(chromium: Browser, site: Site) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{site.base}/console/approvals")
    assert "/console/sign-in" in page.url
    page.fill("#email", site.email)
    page.fill("#password", "not the password")
    page.press("#password", "Enter")
    expect(page.get_by_text("غير صحيحة")).to_be_visible()
    context.close()


def test_an_approval_in_one_tab_is_seen_in_another_and_leaves_a_receipt_and_a_proof(owner: Page, site: Site) -> None:
    other = owner.context.new_page()
    other.goto(f"{site.base}/console/approvals")
    before = other.get_by_role("button", name=APPROVE).count()
    owner.goto(f"{site.base}/console/approvals")
    owner.get_by_role("button", name=APPROVE).first.click()
    owner.wait_for_url(re.compile(r"/console/approvals/[0-9a-f-]{36}$"))
    expect(owner.get_by_text("تمت الموافقة").first).to_be_visible()
    expect(other.get_by_role("button", name=APPROVE)).to_have_count(before - 1, timeout=15_000)
    other.close()

    owner.goto(f"{site.base}/console/settings/sandbox")
    _until(owner, lambda: "شركة المثال التجارية" in owner.locator("main").inner_text())

    outcome = owner.locator("main tbody tr", has_text="نتيجة").locator("a").first
    _until(owner, lambda: owner.goto(f"{site.base}/console/evidence") is not None and outcome.count() > 0)
    address = outcome.get_attribute("href")
    verify = owner.get_by_role("button", name="تحقّق في هذا المتصفح")
    # The newest entries wait a few seconds for their signed checkpoint.
    _until(owner, lambda: owner.goto(f"{site.base}{address}") is not None and verify.count() > 0)
    verify.click()
    expect(owner.locator("[data-verdict]")).to_contain_text("تحقّق هذا المتصفح")


def test_an_approval_works_without_javascript(chromium: Browser, owner: Page, site: Site) -> None:
    context = chromium.new_context(java_script_enabled=False, storage_state=owner.context.storage_state())
    page = context.new_page()
    page.goto(f"{site.base}/console/approvals")
    page.get_by_role("button", name=APPROVE).first.click()
    page.wait_for_url(re.compile(r"/console/approvals/[0-9a-f-]{36}$"))
    expect(page.get_by_text("تمت الموافقة").first).to_be_visible()
    context.close()


def test_a_form_with_another_payload_hash_is_a_conflict_and_nothing_is_approved(owner: Page, site: Site) -> None:
    owner.goto(f"{site.base}/console/approvals")
    owner.locator("input[name=payload_hash]").first.evaluate("field => { field.value = '0'.repeat(64); }")
    with owner.expect_response(lambda r: r.request.method == "POST") as answered:
        owner.get_by_role("button", name=APPROVE).first.click()
    assert answered.value.status == 409
    owner.goto(f"{site.base}/console/approvals")
    expect(owner.get_by_role("button", name=APPROVE).first).to_be_visible()


@pytest.mark.parametrize(
    "path",
    ["/console", "/console/targeting", "/console/targeting/opportunities", "/console/approvals", "/console/evidence"],
)
@pytest.mark.parametrize("width", [390, 1360])
def test_real_pages_have_no_violation_and_ask_nobody_else(owner: Page, site: Site, path: str, width: int) -> None:
    foreign: list[str] = []
    page = owner.context.new_page()
    page.on("request", lambda r: foreign.append(r.url) if not r.url.startswith(site.base) else None)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{site.base}{path}")
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    assert found.violations_count == 0, found.generate_report()
    assert not foreign
    page.close()
