"""A made-up list of leads of any length, the same each time: both scripts, repeated rows, second people of one company."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path
from typing import Any

import yaml

WORDS = Path(__file__).resolve().parents[1] / "dev" / "evaluations" / "dedupe_words.yaml"
HEADER = ("company", "name", "title", "mobile", "email", "city", "sector", "employees", "source", "opted_out", "notes")
DUPLICATES, COLLEAGUES = 0.08, 0.15


def leads_csv(rows: int, seed: int = 7) -> bytes:
    """A CSV of so many rows: 8 % come twice, 15 % are another person of a company that was there."""
    words: dict[str, Any] = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    dice = random.Random(seed)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    made: list[tuple[str, ...]] = []
    companies: list[tuple[str, str, str]] = []
    stems, given, family = ([*words["tuning"][kind], *words["held_out"][kind]] for kind in ("stems", "given", "family"))
    for number in range(rows):
        if made and dice.random() < DUPLICATES:
            writer.writerow(dice.choice(made))
            continue
        script = dice.randrange(2)
        if companies and dice.random() < COLLEAGUES:
            company, slug, city = dice.choice(companies)
        else:
            stem, field = dice.choice(stems), dice.choice(words["fields"])
            mark = f"{dice.choice('ABCDEFGHKLMNPRSTWY')}{number % 1000}" if script else f"{number % 1000}"
            company = f"{stem[script]} {mark} {field[script]}"
            slug, city = (
                f"{stem[1]}{number}".lower().replace(" ", "").replace("-", ""),
                dice.choice(words["cities"])[script],
            )
            companies.append((company, slug, city))
        name = f"{dice.choice(given)[script]} {dice.choice(family)[script]}"
        row = (
            company, name, dice.choice(words["titles"])[script], f"05{number:08d}", f"p{number}@{slug}.example", city,
            dice.choice(words["fields"])[script], str(dice.randrange(5, 900)), dice.choice(("own_crm", "website_form", "event")),
            "yes" if dice.random() < 0.02 else "no", "طلب عرض سعر قبل نهاية الشهر" if dice.random() < 0.2 else "",
        )  # fmt: skip
        made.append(row)
        writer.writerow(row)
    return text.getvalue().encode()
