"""Shares that are counted, each with what is missing: what a score says follows from rows that anybody can look up."""

from __future__ import annotations

import ast
import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import yaml

from dev.architecture.catalogues import entries, untested
from dev.architecture.forbidden import negative_rows, tests_of
from dev.architecture.policies import policy_ids
from dev.architecture.reach import reached
from dev.architecture.surface import CONSOLE, HTTP, Routes, references
from dev.architecture.tree import Tree
from libs.contracts.architecture import Coverage
from libs.contracts.declaring import Call, Event
from libs.contracts.message import Plane, Text

PROMISED: Final = Path(__file__).with_name("surface.yaml")
_GAP: Final = re.compile(r"\{[^}]*\}")


def counted(name: str, en: str, ar: str, all_of: Iterable[str], missing: Iterable[str]) -> Coverage:
    """A share out of names; none at all has no value."""
    names, lacking = set(all_of), sorted(set(missing))
    have = len(names) - len(lacking)
    value = round(100 * have / len(names), 1) if names else None
    return Coverage(name=name, counts=Text(en=en, ar=ar), have=have, of=len(names), value=value, missing=tuple(lacking))


def declared(kind: type[Any]) -> dict[str, list[Any]]:
    """Calls or events by the name that they are declared under; a family has several."""
    from libs.contracts import subjects

    out: dict[str, list[Any]] = {}
    for name, value in vars(subjects).items():
        if name.isupper() and isinstance(value, kind):
            out[name] = [value]
        elif (
            name.isupper()
            and isinstance(value, dict)
            and value
            and all(isinstance(one, kind) for one in value.values())
        ):
            out[name] = list(value.values())
    return out


def backend(tree: Tree, routes: Routes) -> Coverage:
    """Promised operations that are answered, calls that their plane serves, events that their plane emits and each consumer takes."""
    shared = references(tree, "libs/runtime")
    read = {plane: references(tree, f"services/{plane.value}") | shared for plane in Plane}
    answered = {f"{method} {_GAP.sub('{}', path)}" for method, path in routes}
    promised = [one for area in yaml.safe_load(PROMISED.read_text(encoding="utf-8")).values() for one in area]
    missing = [one for one in promised if one not in answered]
    names = list(promised)
    for name, calls in declared(Call).items():
        for call in calls:
            names.append(f"{call.subject} served")
            missing += [names[-1]] if name not in read[call.plane] else []
    for name, events in declared(Event).items():
        for event in events:
            # What only the release before tells is heard and not told any more.
            if not name.endswith("_BEFORE"):
                names.append(f"{event.subject} emitted")
                missing += [names[-1]] if name not in read[event.plane] else []
            for consumer in event.consumers:
                names.append(f"{event.subject} heard by {consumer.value}")
                missing += [names[-1]] if name not in read[consumer] else []
    return counted(
        "backend_coverage", "promised operations answered, calls served, events emitted and heard",
        "عمليات موعودة تُجاب، واستدعاءات تُخدم، وأحداث تُرسل وتُستلم", names, missing,
    )  # fmt: skip


def frontend(tree: Tree) -> Coverage:
    """Of the calls that the API makes for people and programs, those that a page of the console makes too."""
    calls = set(declared(Call))
    by_api = calls & reached(tree, HTTP)
    by_pages = calls & reached(tree, CONSOLE)
    return counted(
        "frontend_coverage", "calls of the API that a page of the console makes too", "استدعاءات الواجهة البرمجية التي تصل إليها صفحة في المنصة",
        by_api | by_pages, by_api - by_pages,
    )  # fmt: skip


def safety(tree: Tree, said: set[str]) -> Coverage:
    """Lines of the negative table whose tests exist, and policies that a test names."""
    known = tests_of(tree)
    rows = {f"negative: {about}": bool(named) and set(named) <= known for about, named in negative_rows(tree)}
    policies = {f"policy: {name}": name in said for name in policy_ids(tree)}
    units = rows | policies
    return counted(
        "safety_coverage", "lines of the negative table with their tests, policies that a test names",
        "بنود جدول الممنوعات التي لها اختبارات، وسياسات يسمّيها اختبار", units, (name for name, ok in units.items() if not ok),
    )  # fmt: skip


def proof(tree: Tree) -> Coverage:
    """Automatic controls with a check, metrics with rows behind them, cards whose proof is a counted kind of work, services with a proof metric."""
    units: dict[str, bool] = {}
    checked = {
        name
        for path in tree.below("services/trust/compliance", suffix=".yaml")
        for name in (tree.document(path).get("checks") or {})
    }
    controls = [line for line in _rows(tree, "controls.csv") if len(line) > 5 and line[5] == "automatic"]
    units |= {f"control: {line[0]}": line[0] in checked for line in controls}
    metrics: dict[str, Any] = tree.catalogue("metrics.yaml")
    units |= {f"metric: {name}": bool(rule.get("rows") and rule.get("value")) for name, rule in metrics.items()}
    work = _work_units(tree)
    events: dict[str, Any] = tree.catalogue("cards.yaml").get("events") or {}
    units |= {f"card: {name}": event.get("proof_impact") in work for name, event in events.items()}
    tower = services_of(tree)
    units |= {f"service: {name}": bool(one.get("proof_metric")) for name, one in tower.items()}
    if not tower:
        units["services: no catalogue of what is sold"] = False
    return counted(
        "proof_coverage", "automatic controls with a check, metrics with rows, cards whose proof is counted work, services with a proof metric",
        "ضوابط آلية لها فحص، ومؤشرات لها سجلات، وبطاقات أثرها عمل معدود، وخدمات لها مؤشر إثبات", units, (n for n, ok in units.items() if not ok),
    )  # fmt: skip


def _rows(tree: Tree, file: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(tree.text(f"libs/contracts/catalogue/{file}"))))[1:]


def services_of(tree: Tree) -> dict[str, dict[str, Any]]:
    """What is sold, by key: from the catalogue of services, wherever it stands in the folder."""
    for file in ("services.yaml", "service_tower.yaml", "tower.yaml"):
        document = tree.catalogue(file)
        entries = document.get("services", document) if isinstance(document, dict) else {}
        if entries:
            return {name: one for name, one in entries.items() if isinstance(one, dict)}
    return {}


def _work_units(tree: Tree) -> set[str]:
    """Kinds of counted work: what `work_units.yaml` lists, where there is one, and the kinds that trust counts."""
    document = tree.catalogue("work_units.yaml")
    named = set((document.get("units") or document) if isinstance(document, dict) else ())
    for path in tree.below("services/trust", "libs/contracts"):
        text = tree.text(path)
        if "opportunity_created" in text and "draft_created" in text:
            named |= {
                str(node.value)
                for node in ast.walk(tree.parsed(path))
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            }
    return named


def tests(tree: Tree, routes: Routes, said: set[str]) -> Coverage:
    """Entries of catalogues and operations of the API that some test names."""
    unknown = {one.where for one in untested(tree, said)[1]}
    units = {one.where: one.where not in unknown for one in entries(tree)}
    texts = "\n".join(said)
    for method, path in routes:
        if path.startswith("/api/v1/"):
            units[f"{method} {path}"] = _named(path, texts)
    return counted(
        "test_coverage", "entries of catalogues and operations of the API that a test names",
        "عناصر القوائم وعمليات الواجهة التي يسمّيها اختبار", units, (name for name, ok in units.items() if not ok),
    )  # fmt: skip


def _named(path: str, texts: str) -> bool:
    """Whether a test's text has the path, with anything where it has a parameter; a text that ends before its parameters counts not."""
    pattern = r"[^\s\"'/]+".join(re.escape(part) for part in _GAP.split(path.removeprefix("/api/v1")))
    return re.search(rf"{pattern}(?![\w/-])", texts) is not None


def docs(tree: Tree, commands: Iterable[str]) -> Coverage:
    """Commands that a document names, and rooms of planes that the architecture's page describes. Settings describe themselves (`dealix settings`)."""
    pages = [
        path
        for path in tree.files
        if path.endswith(".md") and (path.startswith("docs/") or path in ("README.md", "CONTRIBUTING.md"))
    ]
    text = "\n".join(tree.text(path) for path in pages)
    units = {f"dealix {name}": re.search(rf"dealix {re.escape(name)}\b", text) is not None for name in commands}
    architecture = tree.text("docs/architecture.md")
    for plane in Plane:
        below = f"services/{plane.value}"
        for folder in sorted(
            {one.split("/")[2] for one in tree.below(below) if one.count("/") > 2} - {"domain", "migrations"}
        ):
            units[f"{below}/{folder}"] = re.search(rf"`[^`]*\b{folder}/", architecture) is not None
    return counted(
        "docs_coverage", "commands that a document names, rooms of planes that the architecture's page describes",
        "أوامر تذكرها الوثائق ومجلدات خدمات تصفها صفحة البنية", units, (name for name, ok in units.items() if not ok),
    )  # fmt: skip
