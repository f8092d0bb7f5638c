"""The first owner's password, shown once: the gateway writes it to a file, `dealix up` prints it and takes it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dev.directory import read_json, write_json
from dev.messages import Sentence

FILE = Path("secrets") / "first-owner.json"


@dataclass(frozen=True, slots=True)
class FirstOwner:
    email: str
    password: str = field(repr=False)

    def sentence(self) -> Sentence:
        return Sentence(
            f"Sign in as {self.email} with the password {self.password}\nIt is shown this once; change it after signing in.",
            f"سجّل الدخول بالحساب {self.email} وكلمة المرور {self.password}\nتُعرض هذه المرة فقط؛ غيّرها بعد الدخول.",
        )


def first_owner(data_dir: Path) -> FirstOwner | None:
    """The first owner with the password, until `forget_password`; None ever after."""
    stored = read_json(data_dir / FILE)
    email, password = str(stored.get("email") or ""), str(stored.get("password") or "")
    return FirstOwner(email, password) if email and password else None


def forget_password(data_dir: Path) -> None:
    """Take the password out of the file, once it has been shown. The file keeps the address."""
    stored = read_json(data_dir / FILE)
    write_json(data_dir / FILE, {name: value for name, value in stored.items() if name != "password"})
