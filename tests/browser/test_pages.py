"""Every page, in both languages, themes and widths: accessible, self-contained, and readable from right to left."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.fixture_pages import Fixtures
from tests.browser.fixture_real import NAMES as REAL

NAMES = [*Fixtures("en").all(), *REAL]
AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}

# Left-to-right values inside a right-to-left page: the first character must stand left of the last one.
BIDI = """() => {
  const value = /(\\+966[\\d ]{9,}\\d|(?<!\\w)[-−]\\d[\\d,.]*|[\\w.]+@[\\w.]+\\.\\w+|\\d{2}:\\d{2}|sha256:[0-9a-f…]+)/g;
  const wrong = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest("pre, script, noscript, [hidden], .payload-fields, .message-body")) continue;
    for (const match of node.data.matchAll(value)) {
      const at = (i) => { const r = document.createRange(); r.setStart(node, i); r.setEnd(node, i + 1); return r.getBoundingClientRect(); };
      const first = at(match.index), last = at(match.index + match[0].length - 1);
      if (!first.width || !last.width) continue;
      seen.push(match[0]);
      if (first.top === last.top && first.left >= last.left) wrong.push(match[0]);
    }
  }
  return { wrong, seen };
}"""
SMALL_TARGETS = """() => [...document.querySelectorAll("button, a.button, select, summary, .nav a, .tabs a, input:not([type=hidden], .file-input)")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.matches("[type=radio], [type=checkbox]"))
  .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
  .filter(([, box]) => box.width > 0 && (box.height < 43.5 || box.width < 43.5))
  .map(([html, box]) => `${html} ${Math.round(box.width)}x${Math.round(box.height)}`)"""


@pytest.mark.parametrize("lang", ["ar", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1360])
def test_every_page_is_accessible_and_self_contained(
    chromium: Browser, preview: object, base: str, width: int, theme: str, lang: str
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 844}, color_scheme=theme)  # type: ignore[arg-type]  # light or dark
    page = context.new_page()
    found: list[str] = []
    page.on(
        "console", lambda m: found.append(f"console {m.type}: {m.text}") if m.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: found.append(f"script error: {error}"))
    page.on("request", lambda r: found.append(f"foreign request: {r.url}") if not r.url.startswith(base) else None)
    for name in NAMES:
        before = len(found)
        page.goto(f"{base}/preview/{name}?lang={lang}")
        page.evaluate("document.fonts.ready")
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append("scrolls sideways")
        found += [f"axe {v['id']}: {[n['html'][:140] for n in v['nodes']]}" for v in axe(page)]
        found += [f"small target: {target}" for target in page.evaluate(SMALL_TARGETS)]
        found[before:] = [f"{name}: {problem}" for problem in found[before:]]
    context.close()
    assert found == []


def axe(page: Page) -> list[dict]:  # type: ignore[type-arg]  # axe's own JSON
    violations: list[dict] = Axe().run(page, options={**AXE, "resultTypes": ["violations"]}).response["violations"]  # type: ignore[type-arg]
    return violations


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_no_page_scrolls_sideways_at_320_pixels(chromium: Browser, preview: object, base: str, lang: str) -> None:
    context = chromium.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    wide = []
    for name in NAMES:
        page.goto(f"{base}/preview/{name}?lang={lang}")
        if (found := page.evaluate("document.documentElement.scrollWidth")) > 320:
            wide.append(f"{name}: {found}")
    context.close()
    assert wide == []


def test_left_to_right_values_are_never_reversed_in_arabic(tab: Page, preview: object, base: str) -> None:
    seen, wrong = [], []
    for name in NAMES:
        tab.goto(f"{base}/preview/{name}?lang=ar")
        result = tab.evaluate(BIDI)
        seen += result["seen"]
        wrong += [f"{name}: {value}" for value in result["wrong"]]
    assert wrong == []
    # The check itself must have had phones, signed numbers, e-mails, times and hashes to look at.
    for example in ("+966 50 123 4567", "-1,250", "procurement@riyadhtech.example", "12:30"):
        assert example in seen
    assert any(value.startswith("sha256:") for value in seen)


def test_the_bidi_check_notices_an_unisolated_phone(tab: Page, preview: object, base: str) -> None:
    tab.goto(f"{base}/preview/approvals?lang=ar")
    tab.evaluate("document.querySelector('.card-reason').textContent = 'اتصل على +966 50 123 4567 الآن'")
    assert tab.evaluate(BIDI)["wrong"] != []


def test_type_is_plex_with_no_letter_spacing_and_arabic_digits_are_absent(
    tab: Page, preview: object, base: str
) -> None:
    for name in NAMES:
        tab.goto(f"{base}/preview/{name}?lang=ar")
        tab.evaluate("document.fonts.ready")
        assert tab.evaluate("document.fonts.check('16px \"IBM Plex Sans Arabic\"')"), name
        styles = tab.evaluate(
            "[...new Set([...document.querySelectorAll('body *')].map((e) => getComputedStyle(e))"
            ".flatMap((s) => [s.letterSpacing, s.fontStyle, s.textAlign]))]"
        )
        assert not {"italic", "justify"} & set(styles), name
        assert {s for s in styles if s.endswith("px")} <= {"0px"}, name
        text = tab.evaluate("document.body.innerText")
        assert not any("٠" <= letter <= "٩" for letter in text), name


def test_a_saved_theme_beats_the_preference_and_is_there_before_any_script(
    tab: Page, preview: object, base: str
) -> None:
    tab.goto(f"{base}/preview/approvals")
    tab.click("[data-theme-toggle] >> visible=true")
    assert tab.get_attribute("html", "data-theme") == "dark"
    answer = tab.request.get(f"{base}/preview/approvals")
    assert 'data-theme="dark"' in answer.text()


def test_the_policy_forbids_inline_script_and_style(tab: Page, preview: object, base: str) -> None:
    answer = tab.goto(f"{base}/preview/approvals")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy and "style-src 'self'" in policy and "unsafe" not in policy
    ran = tab.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s); return window.ran ?? 0; }"
    )
    assert ran == 0


def test_a_whole_page_costs_under_260_kilobytes(tab: Page, preview: object, base: str) -> None:
    import gzip

    sizes: dict[str, int] = {}

    def count(response: object) -> None:
        url = response.url  # type: ignore[attr-defined]  # a playwright response
        if "/events/" not in url:
            body = response.body()  # type: ignore[attr-defined]
            sizes[url] = len(body) if url.endswith(".woff2") else len(gzip.compress(body))

    responses: list[object] = []
    tab.on("response", lambda response: responses.append(response))
    tab.goto(f"{base}/preview/approvals")
    tab.evaluate("document.fonts.ready")
    tab.wait_for_timeout(200)
    for response in responses:
        count(response)
    assert len(sizes) >= 8
    assert sum(sizes.values()) < 260_000, sizes


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_the_forecast_opens_at_its_newest_month_on_a_phone(
    chromium: Browser, preview: object, base: str, lang: str
) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=True)
    page = context.new_page()
    page.goto(f"{base}/preview/forecast?lang={lang}")
    seen = page.evaluate(
        """() => {
          const drawing = document.querySelector(".chart"), frame = drawing.parentElement;
          const newest = [...drawing.querySelectorAll(".chart-text")].at(-1).getBoundingClientRect();
          const box = frame.getBoundingClientRect();
          return { scrolls: frame.scrollWidth > frame.clientWidth, inside: newest.left >= box.left && newest.right <= box.right + 1 };
        }"""
    )
    context.close()
    assert seen == {"scrolls": True, "inside": True}


def test_a_row_of_tabs_opens_at_the_one_that_is_shown(chromium: Browser, preview: object, base: str) -> None:
    context = chromium.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto(f"{base}/preview/forecast?lang=ar")
    page.evaluate("document.fonts.ready")
    box = page.locator(".tabs [aria-current]").first.bounding_box()
    context.close()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 320
