"""`dealix memo NAME`: a structured output with its provenance."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption, read_json_input
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, output
from libs.contracts.memos import MemoName


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the command to the application."""

    @app.command()
    def memo(
        name: Annotated[MemoName, typer.Argument(help="Which memo.")],
        inputs: Annotated[
            str, typer.Option("--inputs", help="A JSON file with what is stated, `-` for standard input.")
        ] = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Make a memo from records, figures and what is stated."""
        out = output(lang, as_json)
        stated = read_json_input(inputs) if inputs else {}
        with connect(out, base_url, data_dir) as client:
            found = client.post(f"/memos/{name.value}", {"inputs": stated})
        out.result(found)
        origin = found["memo"]["provenance"]
        out.show(json.dumps(found["memo"], ensure_ascii=False, indent=2))
        sources = ", ".join(origin["sources"])
        en = f"Confidence {origin['confidence']:.2f}, {origin['freshness_hours']:.1f} hours old, from {sources}."
        ar = f"الثقة {origin['confidence']:.2f}، عمر البيانات {origin['freshness_hours']:.1f} ساعة، من {sources}."
        out.say(Sentence(en, ar))
