"""What memos are called, what people state for each, and the names of what comes out."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, model_validator

from libs.contracts.memos import MemoName
from libs.contracts.message import Message, Text

FILE = Path(__file__).with_suffix(".yaml")
InputKind = Literal["text", "long", "number", "integer", "date", "flag", "choice", "metric", "lines", "numbers", "rows"]


class MemoRule(Message):
    """One memo: where it stands in the list, and the inputs that people state."""

    group: str
    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


class MemoInput(Message):
    """One input. `columns` are of a `rows` input, `values` of a `choice`; a `metric` is one of the dictionary; `ltr` is written from left to right."""

    kind: InputKind
    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]
    columns: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    ltr: bool = False


class MemoWords(Message):
    """The whole catalogue. Every memo has an entry, and every input, column and value that it names has words."""

    memos: dict[MemoName, MemoRule]
    groups: dict[str, Text]
    inputs: dict[str, MemoInput]
    fields: dict[str, Text]
    values: dict[str, Text]

    @model_validator(mode="after")
    def _whole(self) -> MemoWords:
        named = {name for rule in self.memos.values() for name in (*rule.required, *rule.optional)}
        wrong = [f"input {one}" for one in sorted(named ^ self.inputs.keys())]
        wrong += [f"memo {one.value}" for one in MemoName if one not in self.memos]
        wrong += [f"group {rule.group}" for rule in self.memos.values() if rule.group not in self.groups]
        for one in self.inputs.values():
            wrong += [f"column {name}" for name in one.columns if name not in self.fields and name not in self.inputs]
            wrong += [f"value {name}" for name in one.values if name not in self.values]
        if wrong:
            raise ValueError(f"without words, or words of nothing: {', '.join(wrong)}")
        return self

    def field(self, name: str) -> Text:
        """What a field of a memo is called; one that nobody named stands for itself."""
        if name in self.fields:
            return self.fields[name]
        stated = self.inputs.get(name)
        return Text(en=stated.en, ar=stated.ar) if stated else Text(en=name, ar=name)


@cache
def memos() -> MemoWords:
    """The catalogue. Raises pydantic.ValidationError when something in it is wrong."""
    return MemoWords.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
