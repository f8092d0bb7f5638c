"""Writes the labelled records of `dealix eval dedupe`: `python -m dev.evaluations.dedupe_make`.

Everything is made up and drawn from one seed: the same script, the same file. Each record says which company and which person
it means (`company_id`, `person_id`), and whether it belongs to the part that rules may be tuned on or to the held-out one.
What a list of leads does to a record is done here too: other script, other romanisation, a slip of the keyboard, a dropped
legal form, a lost identifier, a branch, a switchboard that several companies share, a father and a son, namesakes.
"""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
FILE = HERE / "dedupe.csv"
COLUMNS = (
    "record_id", "part", "company_id", "person_id", "kind", "company", "company_ar", "name", "title", "mobile", "office phone",
    "email", "website", "cr", "city",
)  # fmt: skip
SEED = 20261121
COMPANIES = {"tuning": 215, "held_out": 185}


@dataclass(frozen=True)
class Company:
    id: str
    ar: str
    en: str
    legal_ar: str
    legal_en: str
    slug: str
    cr: str
    city: tuple[str, str]
    switchboard: str
    stem: tuple[str, ...]
    field: tuple[str, str]


@dataclass(frozen=True)
class Person:
    id: str
    given: tuple[str, ...]
    family: tuple[str, ...]
    mobile: str
    email: str
    title: tuple[str, str]


class Maker:
    """Draws the records of one part."""

    def __init__(self, part: str, words: dict[str, Any], dice: random.Random) -> None:
        self.part, self.words, self.own, self.dice = part, words, words[part], dice
        self.base = {"tuning": 1, "held_out": 5}[part]
        self.count = 0
        self.taken: set[tuple[str, str]] = set()

    def records(self) -> Iterator[dict[str, str]]:
        shared = self._landline()
        for number in range(COMPANIES[self.part]):
            company = self._company(number, shared if number % 9 == 0 else self._landline())
            people = [self._person(company, n) for n in range(self.dice.choice((1, 1, 2, 3)))]
            for person in people:
                yield self._record(company, person, "first")
                for _ in range(self.dice.choice((0, 1, 1, 2))):
                    yield self._again(company, person)
            if number % 7 == 0:
                yield from self._relatives(company, people[0])
            if number % 11 == 0:
                yield from self._branch(company)

    def _company(self, number: int, switchboard: str) -> Company:
        while True:  # several companies share a stem or a field, no two both
            stem, field = self.dice.choice(self.own["stems"]), self.dice.choice(self.words["fields"])
            if (stem[0], field[0]) not in self.taken:
                break
        self.taken.add((stem[0], field[0]))
        slug = f"{stem[1]}-{field[1].split()[0]}".lower().replace(" ", "")
        return Company(
            f"{self.part[0]}c{number}", f"{stem[0]} {field[0]}", f"{stem[1]} {field[1]}", self.dice.choice(self.words["legal_ar"]),
            self.dice.choice(self.words["legal_en"]), slug, f"10{self.base}0{number:06d}", tuple(self.dice.choice(self.words["cities"])),
            switchboard, tuple(stem), tuple(field),
        )  # fmt: skip

    def _person(self, company: Company, number: int) -> Person:
        self.count += 1
        given, family = tuple(self.dice.choice(self.own["given"])), tuple(self.dice.choice(self.own["family"]))
        mailbox = f"{given[1][0]}.{family[1]}".lower().replace(" ", "") + (str(number) if number else "")
        return Person(
            f"{company.id}p{number}", given, family, f"05{self.base}{self.count:07d}",
            f"{mailbox}@{company.slug}.example", tuple(self.dice.choice(self.words["titles"])),
        )  # fmt: skip

    def _landline(self) -> str:
        return f"0112{self.dice.randrange(10**6):06d}"

    def _record(self, company: Company, person: Person, kind: str, **changes: str) -> dict[str, str]:
        arabic = self.dice.random() < 0.5
        at = 0 if arabic else 1
        name = self._company_ar(company) if arabic else self._company_en(company)
        made = dict.fromkeys(COLUMNS, "")
        made |= {
            "part": self.part, "company_id": company.id, "person_id": person.id, "kind": kind, "company": name,
            "name": f"{person.given[0]} {person.family[0]}" if arabic else f"{person.given[1]} {person.family[1]}",
            "title": person.title[at], "mobile": person.mobile, "email": person.email, "city": company.city[at],
            "website": f"www.{company.slug}.example" if self.dice.random() < 0.5 else "",
            "cr": company.cr if self.dice.random() < 0.4 else "",
            "office phone": company.switchboard if self.dice.random() < 0.5 else "",
        }  # fmt: skip
        return made | changes

    def _company_ar(self, company: Company) -> str:
        return f"{self.dice.choice((company.legal_ar, 'شركة', ''))} {company.ar}".strip()

    def _company_en(self, company: Company) -> str:
        return f"{company.en} {self.dice.choice((company.legal_en, 'Co.', ''))}".strip()

    def _again(self, company: Company, person: Person) -> dict[str, str]:
        """The same person of the same company, as another list has it."""
        made = self._record(company, person, "duplicate")
        other = self.dice.choice(("slip", "romanised", "spelling", "mobile_form", "plain"))
        if other == "romanised":
            stem = self.dice.choice(company.stem[1:])
            made["company"] = f"{stem} {company.field[1]} {self.dice.choice(('', company.legal_en))}".strip()
            made["name"] = f"{self.dice.choice(person.given[1:])} {self.dice.choice(person.family[1:])}"
        elif other == "slip":
            made["company"], made["name"] = self._slip(made["company"]), self._slip(made["name"])
        elif other == "spelling":
            made["company"] = _respelt(f"{company.legal_ar} {company.ar}".strip())
            made["name"] = _respelt(f"{person.given[0]} {person.family[0]}")
        elif other == "mobile_form":
            made["mobile"] = self.dice.choice(
                (f"+966{person.mobile[1:]}", f"00966 {person.mobile[1:3]} {person.mobile[3:]}")
            )
        # A list seldom has everything: what is lost decides how hard the pair is.
        lost = self.dice.choice(("mobile", "email", "email", "none", "both_with_site"))
        if lost in ("mobile", "both_with_site"):
            made["mobile"] = ""
        if lost == "email":
            made["email"], made["website"] = "", ""
        if lost == "both_with_site":
            made["email"], made["website"] = "", f"https://{company.slug}.example/"
        made["kind"] = f"{other}, without {lost}"
        return made

    def _relatives(self, company: Company, person: Person) -> Iterator[dict[str, str]]:
        """Others who look alike: a relative in the same company, and a namesake in a company of the same field."""
        relative = Person(
            f"{person.id}r", tuple(self.dice.choice(self.own["given"])), person.family, f"05{self.base}9{self.dice.randrange(10**6):06d}",
            f"office.{self.dice.randrange(1000)}@{company.slug}.example", person.title,
        )  # fmt: skip
        if relative.given != person.given:
            yield self._record(company, relative, "relative")
        other = self._company(900 + self.count, company.switchboard)
        namesake = Person(
            f"{person.id}n", person.given, person.family, f"05{self.base}8{self.dice.randrange(10**6):06d}",
            f"{person.email.split('@')[0]}@{other.slug}.example", person.title,
        )  # fmt: skip
        yield self._record(other, namesake, "namesake elsewhere", **{"office phone": company.switchboard})
        # The owner's other company, of the same proper name: reached by the same mobile, and yet another company.
        field = self.dice.choice([f for f in self.words["fields"] if (company.stem[0], f[0]) not in self.taken])
        self.taken.add((company.stem[0], field[0]))
        second = Company(
            f"{company.id}o", f"{company.stem[0]} {field[0]}", f"{company.stem[1]} {field[1]}", company.legal_ar, company.legal_en,
            f"{company.stem[1]}-{field[1].split()[0]}-{self.count}".lower().replace(" ", ""), f"70{self.base}0{self.count:06d}",
            company.city, company.switchboard, company.stem, tuple(field),
        )  # fmt: skip
        owner = Person(
            f"{person.id}o", person.given, person.family, person.mobile, f"ceo@{second.slug}.example", person.title
        )
        yield self._record(second, owner, "owner's other company")
        # Two people behind one desk: one mailbox, one switchboard written as the mobile.
        names = set()
        for number in range(2):
            clerk = Person(
                f"{company.id}d{number}", tuple(self.dice.choice(self.own["given"])), tuple(self.dice.choice(self.own["family"])),
                company.switchboard, f"info@{company.slug}.example", ("موظف استقبال", "Receptionist"),
            )  # fmt: skip
            if (clerk.given, clerk.family) not in names:
                yield self._record(company, clerk, "shared desk")
            names.add((clerk.given, clerk.family))

    def _branch(self, company: Company) -> Iterator[dict[str, str]]:
        """A branch with a registration of its own is a company of its own until a person says otherwise."""
        city = self.dice.choice([tuple(c) for c in self.words["cities"] if tuple(c) != company.city])
        branch = Company(
            f"{company.id}b", company.ar, company.en, company.legal_ar, company.legal_en, company.slug,
            f"40{self.base}0{self.dice.randrange(10**6):06d}", city, self._landline(), company.stem, company.field,
        )  # fmt: skip
        person = self._person(branch, 7)
        yield self._record(branch, person, "branch", cr=branch.cr, website="", email=f"branch{self.count}@gmail.com")

    def _slip(self, text: str) -> str:
        """One letter of the longest word lost or two exchanged."""
        words = text.split()
        at = max(range(len(words)), key=lambda i: len(words[i]))
        word = words[at]
        if len(word) < 5:
            return text
        place = self.dice.randrange(1, len(word) - 2)
        slipped = word[:place] + word[place + 1 :]
        if self.dice.random() < 0.5:
            slipped = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        return " ".join([*words[:at], slipped, *words[at + 1 :]])


def _respelt(text: str) -> str:
    """As people type Arabic in a hurry: no hamza, ha for ta marbuta, ya for alef maqsura, Abd apart."""
    return text.translate(str.maketrans("أإآةى", "اااهي")).replace("عبدال", "عبد ال")


def make() -> list[dict[str, str]]:
    """All records, the two parts one after the other, each shuffled."""
    words = yaml.safe_load((HERE / "dedupe_words.yaml").read_text(encoding="utf-8"))
    out: list[dict[str, str]] = []
    for part in COMPANIES:
        dice = random.Random(f"{SEED} {part}")
        records = list(Maker(part, words, dice).records())
        dice.shuffle(records)
        out += records
    return [{**record, "record_id": str(number)} for number, record in enumerate(out, 1)]


def main() -> None:
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        records = make()
        writer.writerows(records)
    sys.stdout.write(f"{FILE.name}: {len(records)} records\n")


if __name__ == "__main__":
    main()
