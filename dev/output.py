"""What every command shares: language, `--json`, and errors as one sentence with an exit code."""

from __future__ import annotations

import json
import sys
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from typer.core import TyperGroup

from dev.messages import DealixError, Declined, Lang, Sentence, pick_lang

LangOption = Annotated[
    str | None, typer.Option("--lang", help="en or ar; from DEALIX_LANG or the locale when not given.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

PIPED_WIDTH = 140
"""Columns when the output goes into a file or a pipe, where there is no edge to fold at."""


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
        self.result({"error": error.sentence.text(self.lang), "kind": type(error).__name__, **error.details})
        if not self.as_json:
            print(error.sentence.text(self.lang), file=sys.stderr, flush=True)

    def console(self) -> Console:
        return Console()

    def text(self, en: str, ar: str) -> str:
        """One of two texts, by language."""
        return ar if self.lang == "ar" else en

    def show(self, *shown: RenderableType) -> None:
        """Tables and panels for a person. Text is shown as it is: what looks like markup or an emoji code is data."""
        if not self.as_json:
            console = Console(markup=False, emoji=False, highlight=False)
            if not console.is_terminal:
                console.width = max(console.width, PIPED_WIDTH)
            # What is too long for one line and may not be broken goes on past the edge: the terminal folds it.
            console.print(*shown, sep="\n", crop=False)

    def ask(self, question: Sentence, *, otherwise: str) -> None:
        """Ask yes or no; anything but yes raises Declined. `otherwise` is the option that answers beforehand.

        With `--json`, or where nobody can be asked, nothing is assumed: that raises Declined as well.
        """
        if self.as_json or not sys.stdin.isatty():
            raise Declined(
                f"Nothing was done: this needs a person's yes. Run it in a terminal, or add {otherwise}.",
                f"لم يُنفّذ شيء: يلزم تأكيد شخص. نفّذ الأمر في طرفية أو أضف {otherwise}.",
            )
        hint = self.text("[y/N]", "[نعم/لا]")
        print(f"{question.text(self.lang)} {hint} ", end="", flush=True)
        answer = sys.stdin.readline().strip().casefold()
        if answer not in ("y", "yes", "نعم", "ن"):
            raise Declined("Nothing was done.", "لم يُنفّذ شيء.")


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
    """Begin a command line in a language. Raises BadSetting."""
    _current.set(_DEFAULT)
    _current.set(Output(lang=pick_lang(lang)))


class DealixGroup(TyperGroup):
    """Turns a DealixError of any command below into its sentence on stderr and its exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except DealixError as error:
            _current.get().fail(error)
            raise typer.Exit(error.exit_code) from error
