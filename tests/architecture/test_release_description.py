"""A commit describes itself by its own files, not by those of the program that asks."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from dev.release.base import NoBase, described_here, from_commit
from dev.release.compare import compare

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of its own with one commit, in which a call has another caller and a migration is new; then one that can't be imported."""
    root = tmp_path_factory.mktemp("checkout")
    for package in ("libs", "services"):
        shutil.copytree(
            ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__", "vendor", "static")
        )
    subjects = root / "libs/contracts/subjects.py"
    text = subjects.read_text(encoding="utf-8")
    line = 'WITHDRAW_CONSENT = Call("trust.withdraw_consent.v1", trust.WithdrawConsent, Ok, _by())'
    assert line in text
    subjects.write_text(text.replace(line, line.replace("_by()", "_by(_D)")), encoding="utf-8")
    (root / "services/trust/migrations/versions/9999_planted.py").write_text('revision = "planted"\n', encoding="utf-8")
    _git(root, "init", "-q")
    _commit(root)
    subjects.write_text("import no_such_module\n", encoding="utf-8")
    _commit(root)
    return root


def _git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=test", "-c", "user.email=test@dealix.example", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


def _commit(root: Path) -> None:
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "-m", "planted")


def test_what_an_older_commit_had_is_read_from_its_own_files(checkout: Path) -> None:
    old = from_commit("HEAD~1", root=checkout)
    found = {(one.area, one.name): one.weight.value for one in compare(old, described_here())}
    assert found["subjects", "trust.withdraw_consent.v1"] == "break"
    assert found["schemas", "planted"] == "break"
    assert found["permissions", "decision publish trust.withdraw_consent.v1"] == "careful"
    assert len(old["commit"]) == 40


def test_a_commit_that_cannot_be_imported_says_why_and_is_no_base(checkout: Path) -> None:
    with pytest.raises(NoBase) as refused:
        from_commit("HEAD", root=checkout)
    assert "no_such_module" in refused.value.sentence.en
