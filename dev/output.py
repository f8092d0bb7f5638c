"""What every command shares: language, `--json`, and errors as one sentence with an exit code."""

from __future__ import annotations

import json
import sys
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from dev.messages import DealixError, Lang, Sentence, pick_lang

LangOption = Annotated[
    str | None, typer.Option("--lang", help="en or ar; from DEALIX_LANG or the locale when not given.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@dataclass(frozen=True, slots=True)
class Output:
    """How this command talks."""

    lang: Lang = "en"
    as_json: bool = False

    def say(self, sentence: Sentence) -> None:
        """A line for a person; nothing when the result is asked for as JSON."""
        if not self.as_json:
            print(sentence.text(self.lang), flush=True)

    def result(self, value: Any) -> None:
        """The result as JSON, when asked for."""
        if self.as_json:
            print(json.dumps(value, ensure_ascii=False, indent=2), flush=True)

    def fail(self, error: DealixError) -> None:
        self.result({"error": error.sentence.text(self.lang), "kind": type(error).__name__})
        if not self.as_json:
            print(error.sentence.text(self.lang), file=sys.stderr, flush=True)

    def console(self) -> Console:
        return Console()


_DEFAULT = Output()
_current: ContextVar[Output] = ContextVar("output", default=_DEFAULT)


def output(lang: str | None = None, as_json: bool = False) -> Output:
    """The output of the running command. A command calls it first, with its own `--lang` and `--json`."""
    current = _current.get()
    if as_json:
        current = replace(current, as_json=True)
        _current.set(current)
    if lang is not None:
        current = replace(current, lang=pick_lang(lang))
    _current.set(current)
    return current


def set_language(lang: str | None) -> None:
    """Choose the language for the whole command line. Raises BadSetting."""
    _current.set(replace(_current.get(), lang=pick_lang(lang)))


class DealixGroup(TyperGroup):
    """Turns a DealixError of any command below into its sentence on stderr and its exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except DealixError as error:
            _current.get().fail(error)
            raise typer.Exit(error.exit_code) from error
