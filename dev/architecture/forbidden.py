"""What must not be in the source: ways to scrape or to message unasked, secrets, local state, promises of the negative table without a test."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any, Final

from dev.architecture.tree import Tree, imported_by, strings_in
from libs.architecture.registries import made
from libs.contracts.architecture import Check, Finding

CONNECTORS: Final = "services/execution/connectors"
DRIVERS: Final = frozenset(
    {
        "playwright",
        "selenium",
        "pyppeteer",
        "scrapy",
        "bs4",
        "mechanize",
        "instagrapi",
        "linkedin_api",
        "undetected_chromedriver",
    }
)
"""Libraries that drive a browser, read other people's pages or speak as a person on a social site."""
SOCIAL: Final = re.compile(r"linkedin|instagram|facebook|browser|scrap")
PRIVATE: Final = re.compile(r"(^|/)(\.env|secrets\.json|.*\.(pem|key|nk|p12)|\.dealix/.*|jwks\.json)$")
SEARCHED: Final = ("libs", "services", "dev", "deploy", "docs", "examples", "benchmarks")
PLANTED: Final = ("dev/evaluations/gate/",)
"""Labelled attacks, whose secrets are made up; so are those in tests."""
TEXT: Final = (
    ".py",
    ".yaml",
    ".yml",
    ".toml",
    ".md",
    ".json",
    ".csv",
    ".tsv",
    ".html",
    ".js",
    ".cfg",
    ".ini",
    ".sh",
    ".txt",
    "Dockerfile",
    ".env",
)
NEGATIVE: Final = "docs/negative-tests.md"


def forbidden_checks(tree: Tree) -> tuple[Check, ...]:
    """The checks of this file."""
    return automation(tree), blocked_operations(tree), private_files(tree), secrets(tree), negative_table(tree)


def automation(tree: Tree) -> Check:
    """Nothing drives a browser or scrapes, and no connector is named after a social site."""
    paths = list(tree.below("libs", "services"))
    findings = [
        Finding(
            where=path,
            en=f"It imports {library}, which drives a browser or scrapes.",
            ar=f"يستورد {library} وهي أداة كشط أو قيادة متصفح.",
        )
        for path in paths
        for library in sorted(DRIVERS & {module.split(".")[0] for module in imported_by(tree.parsed(path))})
    ]
    findings += [
        Finding(where=path, en="A connector to a social site or a browser.", ar="موصل لموقع تواصل أو لمتصفح.")
        for path in tree.below(CONNECTORS)
        if SOCIAL.search(path.rpartition("/")[2])
    ]
    return made("no_scraping", "Nothing scrapes or drives a browser", "لا كشط ولا قيادة متصفح", len(paths), findings)


def blocked_operations(tree: Tree) -> Check:
    """A connector has no operation that the catalogue blocks, so that no mistake elsewhere could reach it."""
    document: dict[str, Any] = tree.catalogue("actions.yaml")
    effects = document.get("effects") or {}
    blocked = {
        (str(effect["connector"]), str(effect["operation"])): name
        for name, effect in effects.items()
        if effect.get("blocked")
        and effect.get("connector", "none") not in ("none", "internal", "manual")
        and effect.get("operation")
    }
    findings = []
    looked_at = 0
    for (connector, operation), name in sorted(blocked.items()):
        looked_at += 1
        path = f"{CONNECTORS}/{connector}.py"
        if tree.has(path) and operation in set(strings_in(tree.parsed(path))):
            findings.append(
                Finding(
                    where=path,
                    en=f"It names {operation}, the operation of the blocked effect {name}.",
                    ar=f"يسمّي {operation}، وهي عملية الأثر المحظور {name}.",
                )
            )
    return made(
        "no_blocked_operation",
        "No connector can do what is blocked",
        "لا ينفّذ أي موصل عملية محظورة",
        looked_at,
        findings,
    )


def private_files(tree: Tree) -> Check:
    """No `.env`, key or local state is checked in."""
    files = tree.tracked if tree.tracked is not None else tree.files
    return made(
        "no_private_file", "No .env, key or local state is checked in", "لا ملفات ‎.env‎ ولا مفاتيح في المستودع", len(files),
        (
            Finding(where=path, en="It is checked in and must not be: remove it, and change what it holds.", ar="أُضيف إلى المستودع ولا يجوز: احذفه وغيّر ما فيه.")
            for path in files if PRIVATE.search(path)
        ),
    )  # fmt: skip


def secrets(tree: Tree) -> Check:
    """No text holds a secret, by the same patterns as the security gate; what only speaks of passwords is none."""
    shapes = _shapes(tree)
    paths = [
        path for path in tree.files
        if path.endswith(TEXT) and (path.startswith(tuple(f"{one}/" for one in SEARCHED)) or "/" not in path) and not path.startswith(PLANTED)
    ]  # fmt: skip
    findings = []
    for path in paths:
        text = tree.text(path)
        for shape in shapes:
            if found := shape.search(text):
                line = text.count("\n", 0, found.start()) + 1
                findings.append(
                    Finding(
                        where=f"{path}:{line}",
                        en="It holds what looks like a key or a token.",
                        ar="يحتوي ما يشبه مفتاحًا أو رمز دخول.",
                    )
                )
    return made("no_secret", "No secret is in the source", "لا أسرار في المصدر", len(paths) if shapes else 0, findings)


def _shapes(tree: Tree) -> list[re.Pattern[str]]:
    """The gate's patterns of secrets that have a shape of their own: words like "password" and addresses are everywhere in source."""
    kind = (tree.catalogue("screening.yaml").get("kinds") or {}).get("secret") or {}
    common = ("password", "كلمة", "://")
    return [re.compile(one) for one in kind.get("patterns") or () if not any(word in one for word in common)]


def negative_rows(tree: Tree) -> list[tuple[str, tuple[str, ...]]]:
    """Lines of the table of what must not be possible, each with the tests that it names."""
    lines = tree.text(NEGATIVE).splitlines()
    body = next((at for at, line in enumerate(lines) if line.startswith("|---")), len(lines))
    cells = [line.split("|") for line in lines[body + 1 :] if line.startswith("| ")]
    return [(cell[1].strip(), tuple(re.findall(r"`(test_\w+)`", cell[2]))) for cell in cells if len(cell) > 2]


def tests_of(tree: Tree) -> set[str]:
    """Names of all tests."""
    return {name for path in tree.below("tests") for name in _tests(tree.parsed(path))}


def _tests(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name


def negative_table(tree: Tree) -> Check:
    """Every line of the negative table names tests, and they exist."""
    known = tests_of(tree)
    rows = negative_rows(tree)
    findings = []
    for about, named in rows:
        if not named:
            findings.append(Finding(where=f"{NEGATIVE}: {about}", en="No test shows it.", ar="لا اختبار يثبته."))
        findings += [
            Finding(where=f"{NEGATIVE}: {about}", en=f"There is no test {name}.", ar=f"لا يوجد الاختبار {name}.")
            for name in named if name not in known
        ]  # fmt: skip
    return made("negative_tests", "What must not be possible has tests", "لكل ممنوع اختبار يثبته", len(rows), findings)
