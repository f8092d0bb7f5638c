"""What a contradiction is about, in words."""

from __future__ import annotations

from collections.abc import Mapping

from libs.contracts.catalogue.claims import ContradictionKind
from libs.contracts.message import Text

WHAT: Mapping[ContradictionKind, Text] = {
    ContradictionKind.VALUE: Text(en="a value", ar="قيمة"),
    ContradictionKind.POLICY: Text(en="a consent or a policy", ar="موافقة أو سياسة"),
    ContradictionKind.STATUS: Text(en="a status", ar="حالة"),
    ContradictionKind.TIMELINE: Text(en="a date", ar="تاريخ"),
    ContradictionKind.OWNERSHIP: Text(en="who is responsible", ar="المسؤول"),
    ContradictionKind.METRIC: Text(en="a figure", ar="رقم"),
}
