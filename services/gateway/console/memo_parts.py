"""A memo's inputs as fields of a form and back, and a memo as facts and tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from libs.contracts.catalogue.memos import MemoInput, memos
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.memos import MemoName
from services.gateway.console.desk import Desk
from services.gateway.console.pages_desk import Cell, Input, Section

YES: Final = frozenset({"yes", "true", "1", "نعم"})
FLAGS: Final = frozenset({"done", "critical"})
"""Columns of rows that hold yes or no."""
LISTS: Final = frozenset({"after"})
"""Columns of rows that hold several words, with commas between."""
MOST: Final = Decimal(10) ** 15
HIDDEN: Final = frozenset({"tenant_id", "provenance"})
WORDED: Final = frozenset({"text", "long", "date", "choice", "metric", "lines", "rows"})
"""Kinds of inputs that are no figures, also where they have digits alone."""
LTR: Final = frozenset({"payload_hash", "view_hash", "checkpoint", "horizon"})


class Unreadable(ValueError):
    """An input that is not what its kind asks for. `input` is its name."""

    def __init__(self, input: str) -> None:
        super().__init__(input)
        self.input = input


def fields(desk: Desk, name: MemoName, given: Mapping[str, str]) -> tuple[Input, ...]:
    """The form's fields, what is needed first, with what was entered."""
    rule, out = memos().memos[name], []
    for key in (*rule.required, *rule.optional):
        one, needed = memos().inputs[key], key in rule.required
        label = desk.say(one.ar, one.en) + ("" if needed else desk.say(" (اختياري)", " (optional)"))
        common: dict[str, Any] = {"name": key, "label": label, "value": given.get(key, ""), "required": needed}
        if one.kind == "choice":
            options = tuple((value, desk.say(memos().values[value].ar, memos().values[value].en)) for value in one.values)  # fmt: skip
            out.append(Input(**common, kind="select", options=options))
        elif one.kind == "metric":
            options = tuple((metric, desk.say(rule.ar, rule.en)) for metric, rule in metrics().items())
            out.append(Input(**common, kind="select", options=options))
        elif one.kind == "flag":
            out.append(Input(**common, kind="check"))
        elif one.kind in ("long", "lines", "numbers", "rows"):
            out.append(Input(**common, kind="long", hint=_hint(desk, one)))
        elif one.kind in ("number", "integer"):
            out.append(Input(**common, kind="number", step="1" if one.kind == "integer" else "any", ltr=True))
        else:
            out.append(Input(**common, kind="date" if one.kind == "date" else "text", ltr=one.ltr))
    return tuple(out)


def _hint(desk: Desk, one: MemoInput) -> str:
    if one.kind == "rows":
        columns = " | ".join(desk.say(memos().field(name).ar, memos().field(name).en) for name in one.columns)
        return desk.say(f"سطر لكل صف، وبين الأعمدة |: {columns}", f"One row a line, columns divided by |: {columns}")
    return desk.say("واحد في كل سطر.", "One a line.") if one.kind in ("lines", "numbers") else ""


def stated(name: MemoName, given: Mapping[str, str]) -> dict[str, Any]:
    """What people stated, as the plane reads it; what was left empty is left out. Raises Unreadable."""
    rule, out = memos().memos[name], {}
    for key in (*rule.required, *rule.optional):
        text, one = given.get(key, "").replace("\r\n", "\n").strip(), memos().inputs[key]
        if one.kind == "flag":
            out[key] = text.casefold() in YES
        elif text:
            out[key] = _value(key, one, text)
    return out


def _value(key: str, one: MemoInput, text: str) -> Any:
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if one.kind == "lines":
        return lines
    if one.kind == "numbers":
        return [_number(key, line) for line in lines]
    if one.kind == "rows":
        return [_row(key, one.columns, line) for line in lines]
    if one.kind in ("number", "integer"):
        return _number(key, text, whole=one.kind == "integer")
    return text


def _number(key: str, text: str, *, whole: bool = False) -> int | float:
    try:
        value = Decimal(text.replace(",", ""))
    except InvalidOperation as error:
        raise Unreadable(key) from error
    if not value.is_finite() or not -MOST <= value <= MOST or (whole and value != int(value)):
        raise Unreadable(key)
    return int(value) if value == int(value) else float(value)


def _row(key: str, columns: tuple[str, ...], line: str) -> dict[str, Any]:
    cells = [cell.strip() for cell in line.split("|")]
    if len(cells) > len(columns):
        raise Unreadable(key)
    row: dict[str, Any] = {}
    for column, cell in zip(columns, cells, strict=False):
        if column in FLAGS:
            row[column] = cell.casefold() in YES
        elif column in LISTS:
            row[column] = [part.strip() for part in cell.replace("،", ",").split(",") if part.strip()]
        elif column == "metric":
            row[column] = _metric(cell)
        elif cell:
            row[column] = cell
    return row


def _metric(text: str) -> str:
    """The metric that people name, in either language or by its key; what names none stays as it is."""
    wanted = text.casefold()
    return next((key for key, rule in metrics().items() if wanted in (rule.en.casefold(), rule.ar)), text)


def sections(desk: Desk, title: str, memo: Mapping[str, Any]) -> tuple[Section, ...]:
    """The memo: single values as facts, lists and lists of objects as tables after them."""
    facts, tables = [], []
    for key, value in _said(desk, memo).items():
        label = _label(desk, key)
        if isinstance(value, Mapping):
            inner = tuple((_label(desk, name), _cell(desk, name, one)) for name, one in _said(desk, value).items())
            tables.append(Section(label, facts=inner))
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            tables.append(_table(desk, label, value))
        elif isinstance(value, list):
            rows = tuple((Cell(str(at), "ltr"), _cell(desk, key, one)) for at, one in enumerate(value, 1))
            tables.append(Section(label, columns=("#", label), rows=rows, empty=desk.say("لا شيء.", "Nothing.")))
        else:
            facts.append((label, _cell(desk, key, value)))
    return (Section(title, facts=tuple(facts)), *tables)


def _table(desk: Desk, label: str, rows: list[Mapping[str, Any]]) -> Section:
    said = [_said(desk, one) for one in rows]
    names = list(dict.fromkeys(name for one in said for name in one))
    cells = tuple(tuple(_cell(desk, name, one.get(name)) for name in names) for one in said)
    return Section(label, columns=tuple(_label(desk, name) for name in names), rows=cells)


def _said(desk: Desk, values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields in the reader's language: of a pair the one, under the name of both."""
    out: dict[str, Any] = {}
    for key, value in values.items():
        if key.endswith("_ar") and key.removesuffix("_ar") in values:
            continue  # a name in both languages: shown where the other one stands
        if f"{key}_ar" in values:
            out[key] = (desk.lang == "ar" and values[f"{key}_ar"]) or value
            continue
        base, _, lang = key.rpartition("_")
        pair = key in ("en", "ar") or (lang in ("en", "ar") and f"{base}_{'ar' if lang == 'en' else 'en'}" in values)
        if key in HIDDEN or (pair and not key.endswith(desk.lang)):
            continue
        out[("text" if key in ("en", "ar") else base) if pair else key] = value
    return out


def _label(desk: Desk, key: str) -> str:
    named = memos().field(key)
    return desk.say(named.ar, named.en)


def _cell(desk: Desk, key: str, value: Any) -> Cell:
    if value is None or value == "":
        return Cell("")
    if isinstance(value, bool):
        return Cell(desk.say("نعم", "Yes") if value else desk.say("لا", "No"))
    if isinstance(value, list):
        return Cell(desk.say("، ", ", ").join(_plain(one) for one in value))
    if isinstance(value, Mapping):
        return Cell(" · ".join(f"{name}: {_plain(one)}" for name, one in value.items()))
    text = str(value)
    if key == "metric" and text in metrics():
        return Cell(desk.say(metrics()[text].ar, metrics()[text].en))
    if key == "input" and text in memos().inputs:
        return Cell(_label(desk, text))
    if key in ("deal_id", "lead_id"):
        return Cell(f"{key.removesuffix('_id')}:{text}")
    if text in memos().values:
        return Cell(desk.say(memos().values[text].ar, memos().values[text].en))
    if key == "as_of":
        return Cell(datetime.fromisoformat(text), "moment")
    named = memos().inputs.get(key)
    number = "" if named is not None and named.kind in WORDED else _figure(text)
    return Cell(number or text, "ltr" if number or key in LTR or key.endswith("_id") else "text")


def _figure(text: str) -> str:
    """A number as people read it; empty for anything else."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return ""
    return f"{value:,.2f}".removesuffix(".00") if value.is_finite() and len(text) < 20 else ""


def _plain(value: Any) -> str:
    return ", ".join(str(one) for one in value.values()) if isinstance(value, Mapping) else str(value)
