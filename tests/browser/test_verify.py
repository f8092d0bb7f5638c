"""Evidence is verified in the browser, and tampering with any part of it is named, with what was expected and found."""

import json

import pytest
from playwright.sync_api import Browser, Page, expect

from services.gateway.console.urls import url
from tests.browser.fixture_pages import INDEX, keys_json
from tests.browser.preview import Preview

PAGE = url("evidence_entry", INDEX)
STEPS = ("leaf", "path", "checkpoint", "signature", "witness", "platform")


def verify(tab: Page) -> str:
    tab.click("[data-verify-run]")
    tab.wait_for_selector("[data-verify][data-result]")
    return tab.get_attribute("[data-verify]", "data-result") or ""


def states(tab: Page) -> dict[str, str]:
    return dict(tab.eval_on_selector_all("[data-step]", "steps => steps.map((s) => [s.dataset.step, s.dataset.state])"))


def test_true_evidence_verifies_step_by_step(tab: Page, preview: Preview, base: str) -> None:
    tab.goto(base + PAGE)
    assert set(states(tab).values()) == {"waiting"}
    assert verify(tab) == "ok"
    assert states(tab) == dict.fromkeys(STEPS, "ok")
    # A key from the same server proves less than one obtained elsewhere, and the page says so.
    expect(tab.locator("[data-verdict]")).to_contain_text("من هذا الخادم نفسه")


FLIP = """
const flip = (hex) => (hex[0] === '0' ? '1' : '0') + hex.slice(1);
const byte = (text, at) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
const edit = (change) => {
  const s = document.getElementById('proof');
  const p = JSON.parse(s.textContent);
  change(p);
  s.textContent = JSON.stringify(p);
};
"""


@pytest.mark.parametrize(
    ("step", "tamper"),
    [
        ("leaf", "document.querySelector('[data-entry] bdi').textContent = '\"action-id\"'"),
        ("leaf", "edit((p) => { p.salt = flip(p.salt); })"),
        ("leaf", "edit((p) => { p.leaf_hash = flip(p.leaf_hash); })"),
        ("path", "edit((p) => { p.path[1] = flip(p.path[1]); })"),
        ("path", "edit((p) => { p.path.pop(); })"),
        ("path", "edit((p) => { p.index += 1; })"),
        ("path", "edit((p) => { p.root = flip(p.root); })"),
        ("checkpoint", "edit((p) => { p.note = p.note.replace('dealix.example', 'other.example'); })"),
        (
            "signature",
            "edit((p) => { p.note = p.note.replace(/.{6}==\\n$/, 'AAAAAA==\\n').replace(/.{7}=\\n$/, 'AAAAAAA=\\n'); })",
        ),
        ("signature", "edit((p) => { p.keys.keys = []; })"),
        ("witness", "edit((p) => { p.witnesses[0].line = byte(p.witnesses[0].line, 40); })"),
        ("witness", "edit((p) => { p.witnesses[0].line = byte(p.witnesses[0].line, 25); })"),
        ("witness", "edit((p) => { p.witnesses[0].public_key = flip(p.witnesses[0].public_key); })"),
        ("witness", "edit((p) => { p.witnesses[0].name = 'somebody.else'; })"),
        ("platform", "edit((p) => { p.platform.salt = flip(p.platform.salt); })"),
        ("platform", "edit((p) => { p.platform.entry = p.platform.entry.replace('\"size\":13', '\"size\":12'); })"),
        ("platform", "edit((p) => { p.platform.path[0] = flip(p.platform.path[0]); })"),
        ("platform", "edit((p) => { p.platform.seq = 1; })"),
        ("platform", "edit((p) => { p.platform.checkpoint = p.platform.checkpoint.replace('\\n5\\n', '\\n6\\n'); })"),
        (
            "platform",
            "edit((p) => { p.platform.checkpoint = p.platform.checkpoint.replaceAll('0000-0000', '0000-0001'); })",
        ),
    ],
)
def test_tampered_evidence_fails_at_the_right_step(
    tab: Page, preview: Preview, base: str, step: str, tamper: str
) -> None:
    tab.route("**/verify.js*", lambda route: route.abort())
    tab.goto(base + PAGE)
    tab.evaluate(f"() => {{ {FLIP} {tamper} }}")
    tab.unroute("**/verify.js*")
    source = tab.locator("script[src*='verify.js']").get_attribute("src")
    tab.add_script_tag(url=f"{source}&again")
    assert verify(tab) == "fail"
    reached = states(tab)
    assert reached[step] == "fail"
    order = list(STEPS)
    assert all(reached[name] == "ok" for name in order[: order.index(step)])
    assert all(reached[name] == "waiting" for name in order[order.index(step) + 1 :])
    shown = tab.locator(f"[data-step={step}] [data-step-diff]")
    expect(shown).to_be_visible()
    assert shown.locator("[data-expected]").inner_text() != shown.locator("[data-got]").inner_text()


def test_a_key_file_from_elsewhere_decides(tab: Page, preview: Preview, base: str) -> None:
    tab.goto(base + PAGE)
    good = {"name": "jwks.json", "mimeType": "application/json", "buffer": keys_json().encode()}
    tab.set_input_files("[data-trust-root]", good)  # type: ignore[arg-type]  # a file payload
    assert verify(tab) == "ok"
    expect(tab.locator("[data-verdict]")).to_contain_text("الذي اخترته")
    other = json.loads(keys_json())
    other["keys"][0]["x"] = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    tab.set_input_files("[data-trust-root]", {**good, "buffer": json.dumps(other).encode()})  # type: ignore[arg-type]
    tab.evaluate("delete document.querySelector('[data-verify]').dataset.result")
    assert verify(tab) == "fail"
    assert states(tab)["signature"] == "fail"


def test_a_witness_that_the_key_file_does_not_name_is_said_and_never_ticked(
    tab: Page, preview: Preview, base: str
) -> None:
    tab.goto(base + PAGE)
    good = {"name": "jwks.json", "mimeType": "application/json", "buffer": keys_json().encode()}
    tab.set_input_files("[data-trust-root]", good)  # type: ignore[arg-type]  # a file payload
    assert verify(tab) == "ok"
    assert states(tab)["witness"] == "waiting"
    expect(tab.locator("[data-verdict]")).to_contain_text("ليس في ملف المفاتيح")


def test_without_cryptography_it_says_so_and_shows_no_tick(chromium: Browser, preview: Preview, base: str) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.add_init_script("Object.defineProperty(globalThis.crypto, 'subtle', { value: undefined })")
    page.goto(base + PAGE)
    assert verify(page) == "unable"
    assert "ok" not in states(page).values()
    expect(page.locator("[data-verdict]")).to_contain_text("لا يمكن التحقق هنا")
    context.close()


def test_the_layout_of_the_entry_does_not_change_its_text(tab: Page, preview: Preview, base: str) -> None:
    tab.goto(base + PAGE)
    text = tab.text_content("[data-entry]")
    assert text is not None
    assert json.loads(text)["kind"] == "approval_collected"
    assert "\n" not in text
