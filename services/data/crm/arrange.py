"""What people arrange around records: fields of their own and saved views."""

from __future__ import annotations

import re
from uuid import UUID

from libs.contracts.catalogue.records import FieldType, RecordField, RecordKind, records
from libs.contracts.crm import (
    CustomField,
    CustomFieldsReply,
    CustomFieldsRequest,
    DropCustomField,
    DropView,
    SaveCustomField,
    SavedView,
    SaveView,
    ViewsReply,
    ViewsRequest,
)
from libs.contracts.errors import Conflict, Forbidden, Invalid, NotFound
from libs.contracts.message import Ok
from libs.runtime.database import BatchWork
from libs.runtime.plane import Runtime

ADMINISTRATORS = frozenset({"owner", "admin"})
MOST_FIELDS = 50
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_TYPES = (
    FieldType.TEXT, FieldType.LONG_TEXT, FieldType.INTEGER, FieldType.MONEY, FieldType.DATE, FieldType.CHOICE, FieldType.PHONE,
    FieldType.EMAIL,
)  # fmt: skip


class Arrangements:
    """One transaction's view of a tenant's own fields and views."""

    def __init__(self, work: BatchWork, tenant_id: UUID) -> None:
        self._c = work.connection
        self._tenant_id = tenant_id

    async def custom_fields(self, kind: RecordKind | None) -> list[CustomField]:
        rows = await self._c.fetch(
            "select field from data.custom_fields where tenant_id = $1 and ($2::text is null or kind = $2) order by kind, key",
            self._tenant_id, kind.value if kind else None,
        )  # fmt: skip
        return [CustomField.model_validate_json(row["field"]) for row in rows]

    async def fields(self, kind: RecordKind) -> dict[str, RecordField]:
        """The tenant's own fields of a kind, as rules to check values by."""
        return {
            field.key: RecordField(type=field.type, en=field.en, ar=field.ar, choices=field.choices, max=2000)
            for field in await self.custom_fields(kind)
        }


class ArrangementDesk:
    """Custom fields and saved views as people keep them."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database

    async def fields(self, request: CustomFieldsRequest) -> CustomFieldsReply:
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            return CustomFieldsReply(items=tuple(await Arrangements(work, tenant).custom_fields(request.kind)))

    async def save_field(self, request: SaveCustomField) -> CustomField:
        """Add a field, or change its words and choices. Its type stays. Raises Forbidden, Invalid, Conflict."""
        if not ADMINISTRATORS & set(request.principal.roles):
            raise Forbidden
        field, tenant = request.field, request.principal.tenant_id
        if not _KEY.match(field.key):
            raise Invalid(
                "bad_field_key",
                "A field's key is a word of small Latin letters, digits and underscores.",
                "مفتاح الحقل حروف لاتينية صغيرة وأرقام وشرطات سفلية.",
            )
        if field.type not in _TYPES or (field.type is FieldType.CHOICE) != bool(field.choices):
            raise Invalid(
                "bad_custom_field",
                "Choose a plain type; a choice names its choices and nothing else does.",
                "اختر نوعًا بسيطًا، واذكر الخيارات لحقل الاختيار وحده.",
            )
        if field.key in records().kinds[field.kind].fields:
            raise Conflict("field_exists", "This kind has such a field already.", "لهذا النوع حقل بهذا الاسم.")
        async with self._database.batch(tenant) as work:
            known = await Arrangements(work, tenant).custom_fields(field.kind)
            same = next((one for one in known if one.key == field.key), None)
            if same is not None and same.type is not field.type:
                raise Conflict("field_type_stays", "A field keeps its type.", "نوع الحقل لا يتغير بعد إنشائه.")
            if same is None and len(known) >= MOST_FIELDS:
                raise Conflict(
                    "too_many_fields",
                    f"At most {MOST_FIELDS} fields of your own a kind.",
                    f"الحد الأقصى للحقول المضافة {MOST_FIELDS}.",
                )
            await work.connection.execute(
                "insert into data.custom_fields (tenant_id, kind, key, field) values ($1, $2, $3, $4::jsonb) "
                "on conflict (tenant_id, kind, key) do update set field = excluded.field",
                tenant, field.kind.value, field.key, field.model_dump_json(),
            )  # fmt: skip
        return field

    async def drop_field(self, request: DropCustomField) -> Ok:
        if not ADMINISTRATORS & set(request.principal.roles):
            raise Forbidden
        async with self._database.batch(request.principal.tenant_id) as work:
            gone = await work.connection.fetchval(
                "delete from data.custom_fields where tenant_id = $1 and kind = $2 and key = $3 returning key",
                request.principal.tenant_id, request.kind.value, request.key,
            )  # fmt: skip
        if gone is None:
            raise NotFound
        return Ok()

    async def views(self, request: ViewsRequest) -> ViewsReply:
        """Shared views and one's own."""
        who = request.principal
        async with self._database.batch(who.tenant_id) as work:
            rows = await work.connection.fetch(
                "select view from data.saved_views where tenant_id = $1 and ($2::text is null or kind = $2) and (shared or owner = $3) order by name",
                who.tenant_id, request.kind.value if request.kind else None, who.id,
            )  # fmt: skip
        return ViewsReply(items=tuple(SavedView.model_validate_json(row["view"]) for row in rows))

    async def save_view(self, request: SaveView) -> SavedView:
        """Raises Forbidden for somebody else's view, Invalid for a filter on a field that is not there."""
        who = request.principal
        view: SavedView = request.view.evolve(owner=who.id)
        if unknown := view.where.keys() - records().kinds[view.kind].fields.keys():
            raise Invalid(
                "unknown_filter", f"No such fields: {sorted(unknown)}.", f"حقول غير معروفة: {sorted(unknown)}."
            )
        async with self._database.batch(who.tenant_id) as work:
            saved = await work.connection.fetchval(
                "insert into data.saved_views as v (tenant_id, view_id, kind, owner, shared, name, view) values ($1, $2, $3, $4, $5, $6, $7::jsonb) "
                "on conflict (tenant_id, view_id) do update set shared = excluded.shared, name = excluded.name, view = excluded.view, "
                "kind = excluded.kind where v.owner = excluded.owner returning view_id",
                who.tenant_id, view.view_id, view.kind.value, who.id, view.shared, view.name, view.model_dump_json(),
            )  # fmt: skip
        if saved is None:
            raise Forbidden
        return view

    async def drop_view(self, request: DropView) -> Ok:
        """Raises NotFound, also for somebody else's."""
        who = request.principal
        async with self._database.batch(who.tenant_id) as work:
            gone = await work.connection.fetchval(
                "delete from data.saved_views where tenant_id = $1 and view_id = $2 and owner = $3 returning view_id",
                who.tenant_id, request.view_id, who.id,
            )  # fmt: skip
        if gone is None:
            raise NotFound
        return Ok()
