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


def _migrations(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for plane in sorted(set(old) | set(new)):
        gone, added, edited = _keys(old.get(plane, {}), new.get(plane, {}))
        for name in gone:
            yield Change(
                "schemas",
                name,
                Weight.BREAK,
                Text(en="the migration is gone, and databases have it", ar="حُذف الترحيل وقواعد البيانات مرّت به"),
            )
        for name in edited:
            yield Change(
                "schemas",
                name,
                Weight.BREAK,
                Text(en="the migration was edited after its release", ar="عُدّل الترحيل بعد إصداره"),
            )
        for name in added:
            took = new[plane][name]["takes_away"]
            yield (
                Change(
                    "schemas",
                    name,
                    Weight.CAREFUL,
                    Text(en=f"does more than expand: {took}", ar=f"لا يكتفي بالإضافة: {took}"),
                )
                if took
                else Change("schemas", name, Weight.FINE, Text(en=f"migrates {plane}", ar=f"ترحيل {plane}"))
            )


def _subjects(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    gone, added, changed = _keys(old, new)
    for name in gone:
        yield Change(
            "subjects",
            name,
            Weight.BREAK,
            Text(en="nobody answers or hears it any more", ar="لم يعد أحد يجيبه أو يسمعه"),
        )
    for name in added:
        yield Change("subjects", name, Weight.FINE, Text(en="new", ar="جديد"))
    for name in changed:
        lost, gained, _ = _keys(dict.fromkeys(old[name]["peers"]), dict.fromkeys(new[name]["peers"]))
        if lost:
            yield Change(
                "subjects",
                name,
                Weight.BREAK,
                Text(en=f"no longer for {', '.join(lost)}", ar=f"لم يعد متاحًا لـ {', '.join(lost)}"),
            )
        if gained:
            yield Change(
                "subjects",
                name,
                Weight.FINE,
                Text(en=f"now also for {', '.join(gained)}", ar=f"صار متاحًا أيضًا لـ {', '.join(gained)}"),
            )
        if (old[name]["kind"], old[name]["plane"]) != (new[name]["kind"], new[name]["plane"]):
            yield Change("subjects", name, Weight.BREAK, Text(en="changed its kind or plane", ar="تغيّر نوعه أو خدمته"))


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
    for names, en, ar in (
        (gone, "no longer decides", "لم تعد سارية"),
        (added, "a new policy decides", "سياسة جديدة"),
        (changed, "decides otherwise", "تغيّر حكمها"),
    ):
        for name in names:
            yield Change("policies", name, Weight.CAREFUL, Text(en=en, ar=ar))


def _flows(old: dict[str, str] | None, new: dict[str, str] | None) -> Iterator[Change]:
    if old is None or new is None:
        return
    gone, added, changed = _keys(old, new)
    for name in gone:
        yield Change(
            "flows",
            name,
            Weight.BREAK,
            Text(en="runs of this version can't go on", ar="لا يمكن إكمال المسارات بهذا الإصدار"),
        )
    for name in changed:
        yield Change(
            "flows",
            name,
            Weight.BREAK,
            Text(en="it changed its shape and kept its version", ar="تغيّرت خطواته دون رقم إصدار جديد"),
        )
    for name in added:
        yield Change(
            "flows",
            name,
            Weight.FINE,
            Text(en="a new version; waiting runs stay on theirs", ar="إصدار جديد، وتبقى المسارات المنتظرة على إصدارها"),
        )


def _permissions(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for plane in sorted(set(old) | set(new)):
        for right in ("publish", "subscribe"):
            before = dict.fromkeys(old.get(plane, {}).get(right, ()))
            after = dict.fromkeys(new.get(plane, {}).get(right, ()))
            gone, added, _ = _keys(before, after)
            for name in gone:
                yield Change(
                    "permissions", f"{plane} {right} {name}", Weight.CAREFUL, Text(en="is taken away", ar="سُحبت")
                )
            for name in added:
                yield Change("permissions", f"{plane} {right} {name}", Weight.FINE, Text(en="is granted", ar="مُنحت"))


def _roles(old: dict[str, Any] | None, new: dict[str, Any] | None) -> Iterator[Change]:
    if old is None or new is None:
        return
    for capability in sorted(set(old) | set(new)):
        gone, added, changed = _keys(old.get(capability, {}), new.get(capability, {}))
        for role in (*gone, *added, *changed):
            before, after = old.get(capability, {}).get(role, "–"), new.get(capability, {}).get(role, "–")
            yield Change(
                "permissions",
                f"{role}: {capability}",
                Weight.CAREFUL,
                Text(en=f"{before} → {after}", ar=f"{before} → {after}"),
            )


def _effects(old: dict[str, Any] | None, new: dict[str, Any] | None) -> Iterator[Change]:
    if old is None or new is None:
        return
    gone, added, changed = _keys(old, new)
    for name in gone:
        yield Change(
            "effects",
            name,
            Weight.BREAK,
            Text(en="actions that wait for it can't go on", ar="لا يمكن إكمال الإجراءات المنتظرة له"),
        )
    for name in added:
        yield Change("effects", name, Weight.FINE, Text(en="new", ar="جديد"))
    for name in changed:
        said = ", ".join(
            f"{key} {old[name].get(key)} → {new[name][key]}"
            for key in new[name]
            if old[name].get(key) != new[name][key]
        )
        yield Change("effects", name, Weight.CAREFUL, Text(en=said, ar=said))
