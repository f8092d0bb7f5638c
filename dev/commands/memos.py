"""`dealix memo NAME`: a structured output with its provenance."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from dev.commands.common import Connect, read_json_input
from dev.commands.session import Session, command
from dev.messages import Sentence
from libs.contracts.memos import MemoName


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the command to the application."""

    @command(app, connect)
    def memo(
        here: Session,
        name: Annotated[MemoName, typer.Argument(help="Which memo.")],
        inputs: Annotated[
            str, typer.Option("--inputs", help="A JSON file with what is stated, `-` for standard input.")
        ] = "",
    ) -> None:
        """Make a memo from records, figures and what you state in a file."""
        stated = read_json_input(inputs) if inputs else {}
        found = here.client.post(f"/memos/{name.value}", {"inputs": stated})
        here.out.result(found)
        origin = found["memo"]["provenance"]
        here.out.show(json.dumps(found["memo"], ensure_ascii=False, indent=2))
        sources = ", ".join(origin["sources"])
        en = f"Confidence {origin['confidence']:.2f}, {origin['freshness_hours']:.1f} hours old, from {sources}."
        ar = f"الثقة {origin['confidence']:.2f}، عمر البيانات بالساعات {origin['freshness_hours']:.1f}، من {sources}."
        here.out.say(Sentence(en, ar))
