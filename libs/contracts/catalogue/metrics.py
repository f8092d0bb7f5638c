"""The dictionary of metrics: each is defined once, and whoever shows a number asks for it by name."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, model_validator

from libs.contracts.message import Message, Plane

FILE = Path(__file__).with_suffix(".yaml")


KINDS = (
    "account", "action", "answer", "approval", "card", "connector", "contact", "contradiction", "control", "deal", "draft", "flow",
    "forecast", "import", "outage", "release", "rights_request", "spend", "watch",
)  # fmt: skip
"""What a number can come from."""


class MetricRule(Message):
    """One definition: the `rows` that a number comes from, over the tables of `plane`, and the `value` computed over them alone."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    plane: Plane = Plane.DATA
    unit: Literal["SAR", "share", "days", "hours", "seconds", "points", "count"]
    track: Literal["revenue", "intelligence", "compliance", "expansion", "operations", "trust"]
    grain: str
    dimensions: tuple[str, ...]
    cut: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")], ...] = ()
    """Dimensions that its rows name in a column of their own, so that it can be asked part by part."""
    freshness_hours: float
    period: bool
    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]
    definition_en: Annotated[str, Field(min_length=1)]
    definition_ar: Annotated[str, Field(min_length=1)]
    of: Annotated[tuple[str, ...], Field(min_length=1)]
    rows: str
    value: str

    @model_validator(mode="after")
    def _whole(self) -> MetricRule:
        if f"{self.plane.value}." not in self.rows:
            raise ValueError(f"{self.name}: its rows are of no table of {self.plane.value}")
        if not set(self.of) <= set(KINDS):
            raise ValueError(f"{self.name}: one of its rows has a kind that there is not")
        if not set(self.cut) <= set(self.dimensions) or any(f" as {one}" not in self.rows for one in self.cut):
            raise ValueError(f"{self.name}: it is cut by what its rows do not name")
        return self

    @property
    def sql(self) -> str:
        """One row: value, rows, counted, excluded; for tenant $1 from $2 to $3."""
        return (
            f"{_GIVEN}, r as ({_resolved(self)}) select ({self.value})::numeric as value, count(*) as rows, "
            "count(*) filter (where counted) as counted, count(*) filter (where excluded) as excluded from r"
        )

    @property
    def listing(self) -> str:
        """The rows themselves, newest first, from after ($4 when, $5 id); those that count with $6 null, else those left out; $7 at most."""
        return (
            f"{_GIVEN}, r as ({_resolved(self)}) select kind, id, at, x, counted, excluded from r "
            "where case when $6::bool then excluded else counted end and "
            "($5::text is null or (coalesce(at, '-infinity'), id) < (coalesce($4::timestamptz, '-infinity'), $5::text)) "
            "order by coalesce(at, '-infinity') desc, id desc limit $7"
        )

    def parted(self, dimension: str) -> str:
        """The value of each part along a dimension of `cut`, the largest first: of part $4 alone where it is given, from after ($5 value,
        $6 part), $7 at most. Raises KeyError for a dimension that it is not cut by."""
        if dimension not in self.cut:
            raise KeyError(dimension)
        return (
            f"{_GIVEN}, r as ({_resolved(self)}), p as (select {dimension} as part, ({self.value})::numeric as value, count(*) as rows, "
            "count(*) filter (where counted) as counted, count(*) filter (where excluded) as excluded from r "
            f"where {dimension} is not null and ($4::text is null or {dimension} = $4) group by {dimension}) select * from p "
            "where $6::text is null or (coalesce(value, '-Infinity'), part) < (coalesce($5::numeric, '-Infinity'), $6) "
            "order by coalesce(value, '-Infinity') desc, part desc limit $7"
        )

    @property
    def counting(self) -> str:
        """Which of the records $4 count for tenant $1 from $2 to $3."""
        return f"{_GIVEN}, r as ({_resolved(self)}) select distinct id from r where counted and id = any($4::text[])"


_GIVEN = "with given as (select $1::uuid, $2::timestamptz, $3::timestamptz)"
_OTHER = re.compile(r"\{([a-z_]+)\}")


def _resolved(rule: MetricRule) -> str:
    """The rows with every other metric that they name put in its place.

    Raises KeyError for a metric that there is not, ValueError for one of another plane.
    """

    def put(found: re.Match[str]) -> str:
        other = metrics()[found[1]]
        if other.plane is not rule.plane:
            raise ValueError(f"{rule.name}: {other.name} is computed by another plane")
        return f"(select {other.value} from ({_resolved(other)}) r)"

    return _OTHER.sub(put, rule.rows)


@cache
def metrics() -> dict[str, MetricRule]:
    """All metrics by name, in catalogue order.

    Raises pydantic.ValidationError when the catalogue is wrong.
    """
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {name: MetricRule.model_validate({"name": name, **fields}) for name, fields in document.items()}
