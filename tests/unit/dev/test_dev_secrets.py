"""Secrets are made once, stay what they are, and reach nobody whose they are not."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import nkeys
import pytest

from dev.environment import ONE_PROCESS, Addresses, plane_environment
from dev.messages import BadSetting, DataDirectoryUnusable
from dev.secrets import KEYS_FILE, MIGRATOR, PLANES, load_or_create, rotate_keys

ADMIN = "postgresql://postgres:super@127.0.0.1:20001/dealix?sslmode=require"


def addresses(data_dir: Path) -> Addresses:
    return Addresses("nats://127.0.0.1:20000", ADMIN, "127.0.0.1", 8080, data_dir)


def test_secrets_are_generated_once_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    first = load_or_create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_or_create(path) == first
    assert len(set(first.nats_seeds.values())) == len(PLANES) + 1
    assert len(set(first.database_passwords.values())) == len(PLANES)
    assert {len(base64.b64decode(key["seed"])) for key in first.trust_keys.values()} == {32}
    assert len({key["kid"] for key in first.trust_keys.values()}) == 4


def test_what_an_older_version_did_not_have_is_added_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    first = load_or_create(path)
    older = json.loads(path.read_text())
    del older["trust_keys"]["identifier"], older["nats_seeds"]["operating"]
    path.write_text(json.dumps(older))
    second = load_or_create(path)
    assert second.trust_keys["grant"] == first.trust_keys["grant"]
    assert second.nats_seeds["operating"].startswith("SU")


@pytest.mark.parametrize("content", ["", "[]", '{"nats_seeds": {"trust": "nonsense"}}', '{"trust_keys": 1}'])
def test_a_damaged_file_is_never_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(content)
    with pytest.raises(DataDirectoryUnusable):
        load_or_create(path)
    assert path.read_text() == content


def test_no_secret_appears_in_a_repr(tmp_path: Path) -> None:
    secrets = load_or_create(tmp_path / "secrets.json")
    assert repr(secrets) == "Secrets()"


def test_public_keys_belong_to_the_seeds(tmp_path: Path) -> None:
    secrets = load_or_create(tmp_path / "secrets.json")
    public = secrets.nats_public_keys()
    assert set(public) == {*PLANES, MIGRATOR}
    pair = nkeys.from_seed(bytearray(secrets.nats_seeds["trust"].encode()))
    assert bytes(pair.public_key).decode() == public["trust"]


def test_the_operators_own_secrets_win_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    secrets = load_or_create(tmp_path / "secrets.json")
    other = load_or_create(tmp_path / "other.json")
    given = {"DEALIX_TRUST_NATS_SEED": other.nats_seeds["trust"], "DEALIX_TRUST_KEYS": other.trust_keys_json()}
    changed = secrets.overridden_by(given)
    assert changed.nats_seeds["trust"] == other.nats_seeds["trust"]
    assert changed.nats_seeds["data"] == secrets.nats_seeds["data"]
    assert changed.trust_keys == other.trust_keys
    incomplete = json.dumps({"grant": dict(secrets.trust_keys["grant"])})
    for wrong in ({"DEALIX_DATA_NATS_SEED": "SUx"}, {"DEALIX_TRUST_KEYS": "["}, {"DEALIX_TRUST_KEYS": incomplete}):
        with pytest.raises(BadSetting, match=next(iter(wrong))):
            secrets.overridden_by(wrong)


@pytest.mark.parametrize("plane", PLANES)
def test_a_plane_gets_its_own_credentials_and_nobody_elses(tmp_path: Path, plane: str) -> None:
    secrets = load_or_create(tmp_path / "secrets.json")
    operator = {
        "PATH": "/bin",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
        "DEALIX_DATABASE_URL": ADMIN,
        "DEALIX_DATA_DIR": "relative",
        "DEALIX_LLM_API_KEY": "k",
        "DEALIX_GATEWAY_OIDC_SECRET": "o",
        "DEALIX_TRUST_KEYS": secrets.trust_keys_json(),
        "PGPASSWORD": "p",
    }
    given = plane_environment(plane, operator, secrets, addresses(tmp_path))
    text = json.dumps(given)
    foreign = [secrets.nats_seeds[other] for other in (*PLANES, MIGRATOR) if other != plane]
    foreign += [secrets.database_passwords[other] for other in PLANES if other != plane]
    assert not any(secret in text for secret in foreign)
    assert ":super@" not in text
    assert "PGPASSWORD" not in given
    assert "DEALIX_DATABASE_URL" not in given
    assert given["DEALIX_DATA_DIR"] == str(tmp_path)
    assert given["DEALIX_PLANE"] == plane
    assert given["PATH"] == "/bin"
    assert given["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector:4318"
    url = given[f"DEALIX_{plane.upper()}_DATABASE_URL"]
    assert url.startswith(f"postgresql://dealix_{plane}:")
    assert url.endswith("@127.0.0.1:20001/dealix?sslmode=require")
    assert ("DEALIX_TRUST_KEYS" in given) == (plane == "trust")
    assert ("DEALIX_SECRET_KEY" in given) == (plane in ("gateway", "execution"))
    assert ("DEALIX_LLM_API_KEY" in given) == (plane == "execution")
    assert ("DEALIX_GATEWAY_OIDC_SECRET" in given) == (plane == "gateway")


def test_one_process_holds_all_planes_credentials_but_not_the_admins(tmp_path: Path) -> None:
    secrets = load_or_create(tmp_path / "secrets.json")
    given = plane_environment(ONE_PROCESS, {"DEALIX_DATABASE_URL": ADMIN}, secrets, addresses(tmp_path))
    assert all(given[f"DEALIX_{plane.upper()}_NATS_SEED"] == secrets.nats_seeds[plane] for plane in PLANES)
    assert secrets.nats_seeds[MIGRATOR] not in json.dumps(given)
    assert ":super@" not in json.dumps(given)


def test_rotated_keys_are_new_the_identifier_stays_and_a_running_plane_finds_them(tmp_path: Path) -> None:
    before = load_or_create(tmp_path / "secrets.json")
    made = rotate_keys(tmp_path, ("grant",), compromised=True)
    after = load_or_create(tmp_path / "secrets.json")
    assert made["grant"] == (before.trust_keys["grant"]["kid"], after.trust_keys["grant"]["kid"])
    assert after.trust_keys["grant"] != before.trust_keys["grant"]
    for kept in ("checkpoint", "statement", "identifier"):
        assert after.trust_keys[kept] == before.trust_keys[kept]
    file = tmp_path / KEYS_FILE
    assert file.stat().st_mode & 0o077 == 0
    assert json.loads(file.read_text())["compromised"]["kids"] == before.trust_keys["grant"]["kid"]
    assert json.loads(after.trust_keys_json())["compromised"]
