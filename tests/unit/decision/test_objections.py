"""Objections: read word by word, negations heeded, nothing guessed."""

import pytest

from services.decision.agents.outreach.purposes import purposes
from services.decision.negotiation.domain.classify import classify, playbook


@pytest.mark.parametrize(
    ("text", "objection"),
    [
        ("السعر غالي علينا", "price"),
        ("والله غالي شوي", "price"),
        ("It's too expensive for us", "price"),
        ("كلمونا بعد رمضان", "timing"),
        ("Call me next quarter", "timing"),
        ("ما نعرفكم، هل عندكم عملاء سابقين؟", "trust"),
        ("Never heard of you, any references?", "trust"),
        ("عندنا وكالة نتعامل معها", "already_have_agency"),
        ("We already have an agency", "already_have_agency"),
        ("لازم أعرضه على المدير", "need_team_approval"),
        ("I need to check with my boss", "need_team_approval"),
        ("مو أولوية عندنا حاليًا", "not_priority"),
        ("Not a priority right now", "not_priority"),
        ("ارسل لي التفاصيل على الإيميل", "send_details"),
        ("Send me more details please", "send_details"),
        ("هل تضمنون نتائج؟", "want_guarantee"),
        ("Can you guarantee results?", "want_guarantee"),
    ],
)
def test_each_objection_is_recognised_in_both_languages(text: str, objection: str) -> None:
    found = classify(text)
    assert found.objection == objection
    assert found.evidence and 0.4 <= found.confidence < 1


@pytest.mark.parametrize(
    "text",
    [
        "السعر مناسب",
        "السعر ليس غاليًا",
        "يتضمن العقد بند السعر",
        "the price is fair",
        "thanks, see you tomorrow",
        "",
        "؟؟؟",
    ],
)
def test_what_is_no_objection_gets_no_class(text: str) -> None:
    assert classify(text).objection is None


def test_a_text_of_any_length_is_read_in_bounds_and_a_mixed_one_is_called_mixed() -> None:
    assert classify("غالي " * 20_000).objection == "price"
    assert classify("السعر high شوي والله غالي").language == "mixed"


def test_every_objection_has_an_answer_in_both_languages_with_several_wordings() -> None:
    for language in ("ar", "en"):
        found = purposes(language)  # type: ignore[arg-type]  # the two literals
        for key in playbook().objections:
            one = found.of(f"objection:{key}:x")
            assert one is not None and len(one.subject) > 1 and len(one.warm.say) > 1 and len(one.formal.say) > 1
    with pytest.raises(KeyError):
        purposes("ar").of("objection:unknown:x")
