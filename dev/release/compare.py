"""What a deploy changes: the description of the release that runs beside that of the one to come, and what of it breaks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from dev.release.schemas import Schemas
from libs.contracts.message import Message, Text

Description = dict[str, Any]


class Weight(StrEnum):
    """`break`: the deploy harms what runs. `careful`: a person looks at it, or it needs an order. `fine`: it only adds."""

    BREAK = "break"
    CAREFUL = "careful"
    FINE = "fine"


class Change(NamedTuple):
    """One difference, in one of AREAS."""

    area: str
    name: str
    weight: Weight
    what: Text


AREAS: Final = ("schemas", "subjects", "messages", "policies", "flows", "permissions", "effects")


def compare(old: Description, new: Description) -> list[Change]:
    """Every difference, by area; the gravest first within each."""
    areas = (
        _migrations(old["migrations"], new["migrations"]),
        _subjects(old["subjects"], new["subjects"]),
        _messages(old, new),
        _golden(old.get("golden") or {}, new["subjects"]),
        _policies(old["policies"], new["policies"]),
        _flows(old.get("flows"), new.get("flows")),
        _permissions(old["permissions"], new["permissions"]),
        _roles(old.get("roles"), new.get("roles")),
        _effects(old.get("effects"), new.get("effects")),
    )
    found = [change for area in areas for change in area]
    order = list(Weight)
    return sorted(found, key=lambda one: (AREAS.index(one.area), order.index(one.weight), one.name))


def verdict(changes: Iterable[Change]) -> Weight:
    """The gravest weight; nothing changed is fine."""
    weights = {one.weight for one in changes}
    return next((weight for weight in Weight if weight in weights), Weight.FINE)


def incomparable(old: Description, new: Description) -> list[str]:
    """Parts that one of the two releases is too old to describe: of these nothing can be said."""
    return [part for part in ("flows", "roles", "effects", "golden") if not old.get(part) or not new.get(part)]


def _keys(old: dict[str, Any], new: dict[str, Any]) -> tuple[list[str], list[str], list[str]]:
    """Gone, added, and those in both that differ."""
    return (
        sorted(set(old) - set(new)),
        sorted(set(new) - set(old)),
        sorted(k for k in set(old) & set(new) if old[k] != new[k]),
    )


def _all(area: str, names: Iterable[str], weight: Weight, en: str, ar: str) -> Iterator[Change]:
    """The same about each of them."""
    return (Change(area, name, weight, Text(en=en, ar=ar)) for name in names)


def _migrations(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for plane in sorted(set(old) | set(new)):
        gone, added, edited = _keys(old.get(plane, {}), new.get(plane, {}))
        yield from _all(
            "schemas",
            gone,
            Weight.BREAK,
            "the migration is gone, and databases have it",
            "حُذف الترحيل وقواعد البيانات مرّت به",
        )
        yield from _all(
            "schemas", edited, Weight.BREAK, "the migration was edited after its release", "عُدّل الترحيل بعد إصداره"
        )
        for name in added:
            if took := new[plane][name]["takes_away"]:
                yield from _all(
                    "schemas", [name], Weight.CAREFUL, f"does more than expand: {took}", f"لا يكتفي بالإضافة: {took}"
                )
            else:
                yield from _all("schemas", [name], Weight.FINE, f"migrates {plane}", f"ترحيل {plane}")


def _subjects(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    gone, added, changed = _keys(old, new)
    yield from _all("subjects", gone, Weight.BREAK, "nobody answers or hears it any more", "لم يعد أحد يجيبه أو يسمعه")
    yield from _all("subjects", added, Weight.FINE, "new", "جديد")
    for name in changed:
        lost, gained, _ = _keys(dict.fromkeys(old[name]["peers"]), dict.fromkeys(new[name]["peers"]))
        if lost:
            named = ", ".join(lost)
            yield from _all("subjects", [name], Weight.BREAK, f"no longer for {named}", f"لم يعد متاحًا لـ {named}")
        if gained:
            named = ", ".join(gained)
            yield from _all("subjects", [name], Weight.FINE, f"now also for {named}", f"صار متاحًا أيضًا لـ {named}")
        if (old[name]["kind"], old[name]["plane"]) != (new[name]["kind"], new[name]["plane"]):
            yield from _all("subjects", [name], Weight.BREAK, "changed its kind or plane", "تغيّر نوعه أو خدمته")


def _messages(old: Description, new: Description) -> Iterator[Change]:
    schemas = Schemas(old["messages"], new["messages"])
    for subject in sorted(set(old["subjects"]) & set(new["subjects"])):
        before, after = old["subjects"][subject]["messages"], new["subjects"][subject]["messages"]
        for role in sorted(set(before) & set(after)):
            for found in schemas.compare(before[role], after[role]):
                weight = Weight.BREAK if found.breaks else Weight.CAREFUL
                yield Change("messages", f"{subject} {role}{found.path}", weight, found.what)


def _golden(golden: dict[str, str], subjects: dict[str, Any]) -> Iterator[Change]:
    """Bytes that the release before has on record, read by the models of this one."""
    kinds = kinds_on_the_wire()
    for name, text in golden.items():
        kind = kinds.get(name)
        if kind is None:
            continue  # of a subject that is gone, which is said there
        try:
            kind.model_validate_json(json.dumps(json.loads(text)))
        except ValidationError as error:
            place = ".".join(str(part) for part in error.errors()[0]["loc"])
            yield Change(
                "messages", name, Weight.BREAK,
                Text(en=f"bytes of the release before can't be read: {place}", ar=f"تعذّرت قراءة رسالة من الإصدار السابق: {place}"),
            )  # fmt: skip


def kinds_on_the_wire() -> dict[str, type[Message]]:
    """Messages of this release by the name of their golden file."""
    from libs.contracts.subjects import CALLS, EVENTS, SIGNALS

    out: dict[str, type[Message]] = {event.subject: event.message for event in EVENTS}
    for call in CALLS:
        out[f"{call.subject}.request"], out[f"{call.subject}.reply"] = call.request, call.reply
    return out | {f"signal.{signal.name}": signal.message for signal in SIGNALS}


def _policies(old: dict[str, str], new: dict[str, str]) -> Iterator[Change]:
    gone, added, changed = _keys(old, new)
    yield from _all("policies", gone, Weight.CAREFUL, "no longer decides", "لم تعد سارية")
    yield from _all("policies", added, Weight.CAREFUL, "a new policy decides", "سياسة جديدة")
    yield from _all("policies", changed, Weight.CAREFUL, "decides otherwise", "تغيّر حكمها")


def _flows(old: dict[str, str] | None, new: dict[str, str] | None) -> Iterator[Change]:
    if old is None or new is None:
        return
    gone, added, changed = _keys(old, new)
    yield from _all(
        "flows", gone, Weight.BREAK, "runs of this version can't go on", "لا يمكن إكمال المسارات بهذا الإصدار"
    )
    yield from _all(
        "flows", changed, Weight.BREAK, "it changed its shape and kept its version", "تغيّرت خطواته دون رقم إصدار جديد"
    )
    yield from _all(
        "flows", added, Weight.FINE, "a new version; waiting runs stay on theirs", "إصدار جديد، وتبقى المسارات المنتظرة على إصدارها"
    )  # fmt: skip


def _permissions(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for plane in sorted(set(old) | set(new)):
        for right in ("publish", "subscribe"):
            before = dict.fromkeys(old.get(plane, {}).get(right, ()))
            after = dict.fromkeys(new.get(plane, {}).get(right, ()))
            gone, added, _ = _keys(before, after)
            where = f"{plane} {right}"
            yield from _all(
                "permissions", (f"{where} {name}" for name in gone), Weight.CAREFUL, "is taken away", "سُحبت"
            )
            yield from _all("permissions", (f"{where} {name}" for name in added), Weight.FINE, "is granted", "مُنحت")


def _roles(old: dict[str, Any] | None, new: dict[str, Any] | None) -> Iterator[Change]:
    if old is None or new is None:
        return
    for capability in sorted(set(old) | set(new)):
        gone, added, changed = _keys(old.get(capability, {}), new.get(capability, {}))
        for role in (*gone, *added, *changed):
            before, after = old.get(capability, {}).get(role, "–"), new.get(capability, {}).get(role, "–")
            said = f"{before} → {after}"
            yield Change("permissions", f"{role}: {capability}", Weight.CAREFUL, Text(en=said, ar=said))


def _effects(old: dict[str, Any] | None, new: dict[str, Any] | None) -> Iterator[Change]:
    if old is None or new is None:
        return
    gone, added, changed = _keys(old, new)
    yield from _all(
        "effects", gone, Weight.BREAK, "actions that wait for it can't go on", "لا يمكن إكمال الإجراءات المنتظرة له"
    )
    yield from _all("effects", added, Weight.FINE, "new", "جديد")
    for name in changed:
        fields = [key for key in new[name] if old[name].get(key) != new[name][key]]
        said = ", ".join(f"{key} {old[name].get(key)} → {new[name][key]}" for key in fields)
        yield Change("effects", name, Weight.CAREFUL, Text(en=said, ar=said))
