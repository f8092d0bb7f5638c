"""What a merge of two records stores."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date

from libs.contracts.catalogue.records import RecordKind
from services.data.importing.codec import account_fields, contact_fields, to_json
from services.data.importing.domain.merging import merge_accounts, merge_contacts
from services.data.importing.domain.records import AccountFields, ConsentClaim, ContactFields, OptOut
from services.data.matching.merges import _json, _merged

KEPT = ContactFields(
    "Noura", "CEO", "+966500000001", None, OptOut.NO, (ConsentClaim("email", True, date(2026, 1, 2), "form"),)
)
GONE = ContactFields(
    "Noura S", None, None, "n@rimal.example", OptOut.UNKNOWN, (ConsentClaim("email", False, None, None),)
)


def stored(person: ContactFields) -> dict[str, object]:
    return {"fields": json.loads(to_json(person)), "opted_out": person.opted_out.value}


def test_a_stored_value_is_read_back_as_it_was() -> None:
    assert contact_fields(to_json(KEPT)) == KEPT
    company = AccountFields("Rimal", city="riyadh", employees=12)
    assert account_fields(to_json(company)) == company


def test_a_merged_person_is_stored_as_an_imported_one_with_every_consent() -> None:
    values = _merged(RecordKind.CONTACT, stored(KEPT), stored(GONE), suppressed=False)
    merged = merge_contacts([KEPT, GONE])
    assert contact_fields(_json(values["fields"])) == merged
    assert json.loads(_json(values["fields"]))["consents"] == [asdict(one) for one in merged.consents]
    assert (values["opted_out"], values["email"]) == ("unknown", "n@rimal.example")


def test_a_merged_company_keeps_both_names() -> None:
    one, other = AccountFields("Rimal"), AccountFields("Rimal Hotels", city="jeddah")
    sides = [{"fields": json.loads(to_json(its)), "aliases": []} for its in (one, other)]
    values = _merged(RecordKind.ACCOUNT, *sides, suppressed=False)
    assert account_fields(_json(values["fields"])) == merge_accounts([one, other])[0]
    assert values["aliases"] == ["Rimal Hotels"]
