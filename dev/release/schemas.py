"""Whether messages of two releases are read by each other, by their JSON schemas: messages are closed, so both directions count while both run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from libs.contracts.message import Text

Schema = dict[str, Any]
_LEAST = ("minimum", "minLength", "minItems", "exclusiveMinimum")
_MOST = ("maximum", "maxLength", "maxItems", "exclusiveMaximum")


class Difference(NamedTuple):
    """`breaks` when the new release refuses what the old one sends; otherwise the old one may refuse what the new one sends."""

    path: str
    breaks: bool
    what: Text


class Schemas:
    """The schemas of two releases, compared message by message."""

    def __init__(self, old: dict[str, Schema], new: dict[str, Schema]) -> None:
        self._old, self._new = old, new

    def compare(self, old: str, new: str) -> list[Difference]:
        """How the message `old` became `new`."""
        return list(self._walk({"$ref": f"/{old}"}, {"$ref": f"/{new}"}, "", frozenset()))

    def _walk(self, old: Schema, new: Schema, path: str, seen: frozenset[tuple[str, str]]) -> Iterator[Difference]:
        here = (_named(old), _named(new))
        if any(here):
            if here in seen:
                return
            seen |= {here}
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        if old == new and "$ref" not in str(old):
            return
        before, after = _variants(old, self._old), _variants(new, self._new)
        for kind in sorted(set(before) - set(after)):
            yield Difference(path, True, Text(en=f"no longer takes {kind}", ar=f"لم يعد يقبل {kind}"))
        for kind in sorted(set(after) - set(before)):
            yield Difference(
                path,
                False,
                Text(
                    en=f"now also {kind}, which the release before refuses", ar=f"صار يقبل {kind} ويرفضه الإصدار السابق"
                ),
            )
        for kind in sorted(set(before) & set(after)):
            yield from self._same_kind(before[kind], after[kind], path, seen)

    def _same_kind(self, old: Schema, new: Schema, path: str, seen: frozenset[tuple[str, str]]) -> Iterator[Difference]:
        yield from _values(old, new, path)
        yield from _bounds(old, new, path)
        yield from self._fields(old, new, path, seen)
        for part, mark in (("items", "[]"), ("additionalProperties", "{}")):
            if isinstance(old.get(part), dict) and isinstance(new.get(part), dict):
                yield from self._walk(old[part], new[part], f"{path}{mark}", seen)
        for at, (one, other) in enumerate(
            zip(old.get("prefixItems") or (), new.get("prefixItems") or (), strict=False)
        ):
            yield from self._walk(one, other, f"{path}[{at}]", seen)

    def _fields(self, old: Schema, new: Schema, path: str, seen: frozenset[tuple[str, str]]) -> Iterator[Difference]:
        if "properties" not in old and "properties" not in new:
            return
        before, after = old.get("properties") or {}, new.get("properties") or {}
        must_before, must = set(old.get("required") or ()), set(new.get("required") or ())
        for name in sorted(set(before) - set(after)):
            yield Difference(f"{path}.{name}", True, Text(en="the field is removed", ar="حُذف الحقل"))
        for name in sorted(set(after) - set(before)):
            if name in must:
                yield Difference(f"{path}.{name}", True, Text(en="a new field that is required", ar="حقل جديد إلزامي"))
            else:
                what = Text(en="a new field, which the release before refuses", ar="حقل جديد يرفضه الإصدار السابق")
                yield Difference(f"{path}.{name}", False, what)
        for name in sorted(set(before) & set(after)):
            if name in must - must_before:
                yield Difference(f"{path}.{name}", True, Text(en="the field is now required", ar="صار الحقل إلزاميًا"))
            yield from self._walk(before[name], after[name], f"{path}.{name}", seen)


def _named(schema: Schema) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _resolved(schema: Schema, among: dict[str, Schema]) -> Schema:
    while "$ref" in schema:
        schema = among.get(_named(schema), {})
    return schema


def _variants(schema: Schema, among: dict[str, Schema]) -> dict[str, Schema]:
    """What a schema takes, by kind: the JSON type, with the name of a closed record or the format of a text where there are several."""
    choices = schema.get("anyOf") or schema.get("oneOf")
    if not choices:
        return {_kind(schema): schema}
    out: dict[str, Schema] = {}
    for one in choices:
        whole = _resolved(one, among)
        for kind, part in _variants(whole, among).items():
            out[f"{kind} {whole['title']}" if kind == "object" and "title" in whole else kind] = part
    return out


def _kind(schema: Schema) -> str:
    kind = schema.get("type")
    if kind is None:
        first = schema.get("const", next(iter(schema.get("enum") or ()), None))
        kind = (
            "anything"
            if first is None
            else {"str": "string", "int": "integer", "bool": "boolean"}.get(type(first).__name__, "anything")
        )
    return f"{kind} ({schema['format']})" if schema.get("format") else str(kind)


def _values(old: Schema, new: Schema, path: str) -> Iterator[Difference]:
    before, after = _listed(old), _listed(new)
    if after is not None and (before is None or before - after):
        gone = "any other value" if before is None else ", ".join(sorted(before - after))
        yield Difference(path, True, Text(en=f"no longer takes {gone}", ar=f"لم يعد يقبل {gone}"))
    if before is not None and after is not None and after - before:
        more = ", ".join(sorted(after - before))
        yield Difference(
            path,
            False,
            Text(en=f"now also {more}, which the release before refuses", ar=f"صار يقبل {more} ويرفضه الإصدار السابق"),
        )


def _listed(schema: Schema) -> set[str] | None:
    if "const" in schema:
        return {str(schema["const"])}
    return {str(one) for one in schema["enum"]} if "enum" in schema else None


def _bounds(old: Schema, new: Schema, path: str) -> Iterator[Difference]:
    for name, narrower in (*((one, 1) for one in _LEAST), *((one, -1) for one in _MOST)):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        tighter = after is not None and (before is None or (after - before) * narrower > 0)
        said = f"{name}: {before} → {after}"
        yield Difference(path, tighter, Text(en=said, ar=said))
    if new.get("pattern") != old.get("pattern"):
        yield Difference(
            path, new.get("pattern") is not None, Text(en="takes another form of text", ar="صار يقبل صيغة نص أخرى")
        )
