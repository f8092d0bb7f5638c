"""Templates: complete in both languages, escaping what others wrote, with the anatomy of a card."""

import re
from dataclasses import replace

import pytest

from services.gateway.console import views
from services.gateway.console.render import SECURITY_HEADERS, render, render_fragment
from tests.browser.fixture_pages import SIGNED_OUT, Fixtures

INLINE = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\sstyle=|\son\w+=", re.IGNORECASE)


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_every_page_renders_with_nothing_inline_and_nothing_undefined(lang: views.Lang) -> None:
    fixtures = Fixtures(lang)
    for name, page in fixtures.all().items():
        shell = fixtures.shell("/x")
        html = render(page, replace(shell, user=None) if name in SIGNED_OUT else shell)
        assert not INLINE.search(html), name
        assert f'lang="{lang}" dir="{"rtl" if lang == "ar" else "ltr"}"' in html
        assert "http://" not in html.replace("http://www.w3.org", "") and "https://" not in html, name


def test_every_form_that_changes_something_carries_the_csrf_token() -> None:
    fixtures = Fixtures("ar")
    for name, page in fixtures.all().items():
        for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", render(page, fixtures.shell("/x")), re.DOTALL):
            assert 'name="csrf" value="fixture-csrf"' in form, name


def test_a_card_with_four_buttons_is_refused() -> None:
    card = Fixtures("ar").cards()[0]
    with pytest.raises(ValueError, match="at most 3"):
        replace(card, buttons=(*card.buttons, card.buttons[0]))


def test_a_card_is_read_in_the_fixed_order() -> None:
    fixtures = Fixtures("en")
    html = render_fragment(replace(fixtures.approvals(), cards=fixtures.cards()[:1]), fixtures.shell("/x"))
    order = [
        "High risk",
        "42 min",
        "Send a quotation",
        "discount of 12%",
        "1,250,000.00",
        "Payload as",
        "Approve and",
        "Reject",
        "Evidence",
    ]
    places = [html.index(text) for text in order]
    assert places == sorted(places)


def test_what_others_wrote_cannot_become_markup() -> None:
    fixtures = Fixtures("en")
    hostile = '<img src=x onerror="alert(1)">'
    card = replace(fixtures.cards()[0], title=hostile, reason=hostile, payload=fixtures.payload(body=hostile))
    html = render(replace(fixtures.approvals(), cards=(card,)), fixtures.shell("/x"))
    assert "<img" not in html


def test_an_unknown_figure_is_never_shown_as_zero() -> None:
    fixtures = Fixtures("ar")
    page = replace(fixtures.command_center(), kpis=(views.Kpi("win_rate", "نسبة الفوز", None),), cards=())
    html = render_fragment(page, fixtures.shell("/x"))
    assert "غير معروف" in html


def test_a_reader_who_may_not_decide_gets_no_buttons() -> None:
    fixtures = Fixtures("en")
    html = render_fragment(
        replace(fixtures.approval_page(), cannot_decide="You asked for this yourself."), fixtures.shell("/x")
    )
    assert "Approve and execute" not in html
    assert "You asked for this yourself." in html


def test_the_three_empty_texts_differ() -> None:
    fixtures = Fixtures("en")
    kinds = ("none_yet", "no_match", "all_done")
    pages = {
        render_fragment(replace(fixtures.approvals(), cards=(), empty=kind), fixtures.shell("/x")) for kind in kinds
    }  # type: ignore[arg-type]  # literals above
    assert len(pages) == len(kinds)


def test_the_policy_allows_this_host_alone() -> None:
    policy = SECURITY_HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy and "*" not in policy and "http" not in policy
