# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.plugins.loader import lookup_loader
from ansible.template import Templar
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import CredentialError
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.credentials import resolve

SECRET = "canary-open-sesame"


def secret_of(reference: Any, **how: Any) -> str:
    return resolve("crm", {"token": reference}, **how)["token"]


def test_env(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_TOKEN", SECRET)
    assert secret_of({"env": "CRM_TOKEN"}) == SECRET
    monkeypatch.setenv("CRM_TOKEN", "")
    with pytest.raises(
        CredentialError,
        match="read credential token on crm: environment variable CRM_TOKEN is not set: export CRM_TOKEN",
    ):
        secret_of({"env": "CRM_TOKEN"})


def test_all_variables_that_are_not_set_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CRM_USER", "CRM_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    references = {"user": {"env": "CRM_USER"}, "password": {"env": "CRM_PASSWORD"}}
    with pytest.raises(CredentialError, match="environment variables CRM_USER and CRM_PASSWORD are not set"):
        resolve("crm", references)


def test_file_and_who_else_may_read_it(tmp_path: Path) -> None:
    file, warnings = tmp_path / "token", list[str]()
    file.write_text(SECRET + "\n")
    file.chmod(0o600)
    assert secret_of({"file": str(file)}, warn=warnings.append) == SECRET and not warnings
    file.chmod(0o644)
    assert secret_of({"file": str(file)}, warn=warnings.append) == SECRET
    assert warnings == [f"credential token of crm: others on this machine may read {file}: chmod 600 {file}"]


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), (b"", "is empty"), (b"\xff\xfe", "is not text")])
def test_a_file_that_gives_nothing(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    with pytest.raises(CredentialError, match=said):
        secret_of({"file": str(tmp_path / "token")}, warn=print)


def test_a_vault_file(tmp_path: Path) -> None:
    vault = [("default", VaultSecret(b"pw"))]
    file = tmp_path / "token"
    file.write_bytes(VaultLib(vault).encrypt(SECRET.encode()))
    loader = DataLoader()
    with pytest.raises(CredentialError, match="cannot be decrypted"):
        secret_of({"file": str(file)}, loader=loader)
    loader.set_vault_secrets(vault)
    assert secret_of({"file": str(file)}, loader=loader) == SECRET


def test_a_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_TOKEN", SECRET)
    loader = DataLoader()
    how = {"loader": loader, "templar": Templar(loader=loader, variables={})}
    assert secret_of({"lookup": "env", "args": ["CRM_TOKEN"]}, **how) == SECRET
    for reference, said in (
        ({"lookup": "env", "args": ["A", "B"]}, "not one text"),
        ({"lookup": "file", "args": ["/nonexistent"]}, "lookup file failed"),
    ):
        with pytest.raises(CredentialError, match=said) as e:
            secret_of(reference, **how)
        assert "\n" not in str(e.value)
    monkeypatch.setattr(lookup_loader, "get", lambda *_, **__: None)
    with pytest.raises(CredentialError, match="there is no lookup nonesuch"):
        secret_of({"lookup": "nonesuch"}, **how)


def test_one_source_and_no_secret_in_errors() -> None:
    with pytest.raises(CredentialError, match="names env and value") as e:
        secret_of({"env": "A", "value": SECRET})
    assert SECRET not in str(e.value)
    assert secret_of({"value": SECRET}) == SECRET and secret_of(SECRET) == SECRET
