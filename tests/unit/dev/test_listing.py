"""How the command line shows any list: what it asks for, how it goes on, and what it says where there is nothing."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import typer
from typer.main import get_command

from dev.cli import build_app
from dev.commands.system import Parts
from tests.unit.dev.fake_gateway import FakeGateway

LETTERS = [
    {
        "dead_event_id": f"e{at}", "plane": "trust", "subject": "data.noted.v1", "error": "KeyError", "attempts": 5, "state": "open",
        "arrived_at": "2026-11-21T09:00:00Z",
    }
    for at in range(3)
]  # fmt: skip


def pages(request: httpx.Request) -> dict[str, Any]:
    """Items from the cursor on, as many as are asked for, and never more than two."""
    at = int(request.url.params.get("cursor", "0"))
    until = min(at + min(int(request.url.params["limit"]), 2), len(LETTERS))
    return {"items": LETTERS[at:until], "next_cursor": str(until) if until < len(LETTERS) else None}


def gateway() -> FakeGateway:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=pages(request))

    return FakeGateway({"GET /dead-events": answer})


def test_a_list_goes_over_pages_up_to_its_limit_and_says_how_it_goes_on() -> None:
    cut = gateway().types("dlq", "events", "list", "--limit", "2")
    assert "e1" in cut.output and "e2" not in cut.output
    assert "There is more: --cursor 2" in cut.output
    rest = gateway().types("dlq", "events", "list", "--cursor", "2")
    assert "e2" in rest.output and "e1" not in rest.output and "--cursor" not in rest.output
    whole = gateway().types("dlq", "events", "list", "--limit", "500")
    assert all(f"e{at}" in whole.output for at in range(3))


def test_as_json_a_list_is_its_items_and_the_cursor_behind_them() -> None:
    said = json.loads(gateway().types("dlq", "events", "list", "--limit", "2", "--json").output)
    assert said == {"items": LETTERS[:2], "next_cursor": "2"}


@pytest.mark.parametrize(("lang", "said"), [("en", "No event waits here"), ("ar", "لا رسائل هنا")])
def test_where_there_is_nothing_a_sentence_says_so_and_no_empty_table_is_drawn(lang: str, said: str) -> None:
    empty = FakeGateway({"GET /dead-events": {"items": [], "next_cursor": None}})
    result = empty.types("dlq", "events", "list", "--lang", lang)
    assert said in result.output and "─" not in result.output


def test_filters_that_nobody_gave_are_not_asked_for() -> None:
    at = gateway()
    at.types("dlq", "events", "list", "--limit", "1")
    at.types("dlq", "events", "list", "--limit", "1", "--state", "open")
    assert [dict(request.url.params) for request in at.asked] == [{"limit": "1"}, {"limit": "1", "state": "open"}]


def test_bad_input_is_told_without_a_system() -> None:
    at = FakeGateway()
    result = at.types("flows", "list", "--status", "asleep")
    assert result.exit_code == 2 and "There is no status asleep" in result.output and at.asked == []


async def _no_preparation(_: object) -> tuple[()]:
    return ()


def app_of_commands() -> Any:
    parts = Parts(commands=lambda _: {}, authorization=lambda _: "", prepare=_no_preparation)
    app: typer.Typer = build_app(parts, lambda *_: FakeGateway().client())
    return get_command(app)


def leaves(command: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every command that does something."""
    if hasattr(command, "commands"):
        return [one for name, below in command.commands.items() for one in leaves(below, (*path, name))]
    return [(path, command)]


def all_commands() -> list[tuple[tuple[str, ...], set[str]]]:
    """Every command with its options."""
    found = leaves(app_of_commands())
    return [(path, {option for parameter in command.params for option in parameter.opts}) for path, command in found]


def test_whatever_talks_to_a_system_takes_the_same_options() -> None:
    found = all_commands()
    assert len(found) > 150
    lacking = [path for path, options in found if "--base-url" in options and not {"--json", "--lang"} <= options]
    assert lacking == []


def test_whatever_takes_a_limit_of_a_list_goes_on_from_a_cursor() -> None:
    whole = {("crm", "search"), ("knowledge", "search"), ("executive", "heatmap")}
    """Answers by fitness, and the worst risks beside the map of all, end with the first; the API gives no cursor behind them."""
    lacking = [path for path, options in all_commands() if "--limit" in options and "--cursor" not in options]
    assert set(lacking) == whole


def test_every_argument_and_option_says_what_it_is() -> None:
    silent = [
        (*path, parameter.name)
        for path, command in leaves(app_of_commands())
        for parameter in command.params
        if not getattr(parameter, "help", None)
    ]
    assert silent == []
