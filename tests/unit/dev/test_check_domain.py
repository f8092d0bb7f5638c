"""`dealix check-domain` keeps one entry a domain, and nothing when DNS does not answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from dev.commands import mail_domains
from dev.commands.common import BadInput

GOOD = {"a.example": ["v=spf1 -all"], "s1._domainkey.a.example": ["p=AA"], "_dmarc.a.example": ["v=DMARC1; p=reject"]}


class Register:
    """The API's side of the register, as the command meets it."""

    def __init__(self, *entries: dict[str, Any]) -> None:
        self.entries = list(entries)
        self.calls: list[tuple[str, str]] = []

    def items(self, _: str, __: int) -> list[dict[str, Any]]:
        return self.entries

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(("post", path))
        self.entries.append({"entry_id": "e1", "version": 1, **body})
        return self.entries[-1]

    def put(self, path: str, body: dict[str, Any], *, version: int) -> dict[str, Any]:
        self.calls.append(("put", f"{path}@{version}"))
        self.entries[0] = {"entry_id": "e1", "version": version + 1, **body}
        return self.entries[0]


def run(register: Register, *arguments: str, texts: Callable[[str], Sequence[str]] | None = None) -> Any:
    @contextmanager
    def connect(*_: Any) -> Iterator[Register]:
        yield register

    app = typer.Typer()
    app.callback()(lambda: None)
    mail_domains.register(app, connect, texts or (lambda name: GOOD.get(name, [])))  # type: ignore[arg-type]  # what of a client is used
    return CliRunner().invoke(app, ["check-domain", *arguments, "--json"])


def test_the_second_check_changes_the_first_ones_entry() -> None:
    register = Register()
    for _ in range(2):
        assert run(register, "A.example.", "--selector", "S1").exit_code == 0
    assert register.calls == [("post", mail_domains.REGISTER), ("put", f"{mail_domains.REGISTER}/e1@1")]
    values = register.entries[0]["values"]
    assert {name: values[name] for name in ("domain", "spf", "dkim", "dmarc")} == {
        "domain": "a.example", "spf": "pass", "dkim": "aligned", "dmarc": "reject",
    }  # fmt: skip


@pytest.mark.parametrize(("domain", "selector"), [("not a domain", "s1"), ("a.example", "../x"), ("a.example", "")])
def test_bad_input_is_refused_and_nothing_is_kept(domain: str, selector: str) -> None:
    register = Register()
    assert run(register, domain, "--selector", selector).exit_code != 0
    assert register.calls == []


def test_a_silent_dns_leaves_what_is_on_record() -> None:
    def silent(_: str) -> Sequence[str]:
        raise BadInput("DNS does not answer.", "لم يصل رد.")

    register = Register()
    assert run(register, "a.example", "--selector", "s1", texts=silent).exit_code != 0
    assert register.calls == []
