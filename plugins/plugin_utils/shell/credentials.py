# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads the secrets to which the systems file refers, on the machine that runs Ansible, when a step needs them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.parsing.vault import is_encrypted
from ansible.plugins.loader import lookup_loader
from ansible.utils.display import Display

from ...module_utils.model.errors import CredentialError

#: The kinds of references to a credential: exactly one of these keys.
SOURCES = ("env", "file", "lookup", "value")


def resolve(
    system: str,
    references: Mapping[str, Any],
    *,
    loader: Any = None,
    templar: Any = None,
    warn: Callable[[str], None] | None = None,
) -> dict[str, str]:
    """Return a system's secrets.

    :param references: the name of a credential -> ``{env: NAME}``, ``{file: path}``, ``{lookup: plugin, args: [...],
        options}``,
        ``{value: text}``, or a text (an inline ``!vault`` value or a template that the caller has resolved).
    :param loader: Ansible's DataLoader, which decrypts files of Ansible Vault.
    :param templar: has the variables for lookups.
    :raises CredentialError: names system, credential and what to do; it never contains a secret.
    """
    warning = warn or Display().warning
    unset = {
        name: str(reference["env"])
        for name, reference in references.items()
        if isinstance(reference, Mapping) and [*reference] == ["env"] and not os.environ.get(str(reference["env"]))
    }
    if len(unset) > 1:
        named = " and ".join(unset.values())
        raise _error(
            system, " and ".join(unset), f"environment variables {named} are not set", "export them before the run"
        )
    return {name: _one(system, name, reference, loader, templar, warning) for name, reference in references.items()}


def _one(system: str, name: str, reference: Any, loader: Any, templar: Any, warn: Callable[[str], None]) -> str:
    if not isinstance(reference, Mapping):
        try:
            return "" if reference is None else str(reference)
        except AnsibleError:
            raise _error(
                system,
                name,
                "its !vault value cannot be decrypted",
                "give the vault password that it was encrypted with",
            ) from None
    sources = [key for key in SOURCES if key in reference]
    if len(sources) != 1:
        raise _error(
            system, name, f"names {' and '.join(sources) or 'no source'}", f"give exactly one of {', '.join(SOURCES)}"
        )
    source = sources[0]
    if source == "value":
        return str(reference["value"])
    if source == "env":
        variable = str(reference["env"])
        secret = os.environ.get(variable, "")
        if not secret:
            raise _error(
                system, name, f"environment variable {variable} is not set", f"export {variable} before the run"
            )
        return secret
    return (
        _file(system, name, str(reference["file"]), loader, warn)
        if source == "file"
        else _looked_up(system, name, reference, loader, templar)
    )


def _file(system: str, name: str, path: str, loader: Any, warn: Callable[[str], None]) -> str:
    path = os.path.expanduser(os.path.expandvars(path))
    try:
        with open(path, "rb") as f:
            mode, content = os.fstat(f.fileno()).st_mode, f.read()
    except OSError as e:
        raise _error(
            system,
            name,
            f"file {path} cannot be read ({e.strerror or e})",
            "check the path, and that this user may read it",
        ) from None
    if is_encrypted(content):
        if loader is None:
            raise _error(
                system,
                name,
                f"file {path} is encrypted, and there is no vault here",
                "decrypt it, or run it through ansible-playbook",
            )
        try:
            plain = loader.get_real_file(path, decrypt=True)
        except AnsibleError:
            raise _error(
                system,
                name,
                f"file {path} cannot be decrypted",
                "give its vault password: --vault-password-file or --ask-vault-pass",
            ) from None
        try:
            with open(plain, "rb") as f:
                content = f.read()
        finally:
            loader.cleanup_tmp_file(plain)
    elif mode & (stat.S_IRGRP | stat.S_IROTH):
        warn(f"credential {name} of {system}: others on this machine may read {path}: chmod 600 {path}")
    try:
        secret = content.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise _error(system, name, f"file {path} is not text", "write the secret into it as UTF-8") from None
    if not secret:
        raise _error(system, name, f"file {path} is empty", "write the secret into it")
    return secret


def _looked_up(system: str, name: str, reference: Mapping[str, Any], loader: Any, templar: Any) -> str:
    plugin = str(reference["lookup"])
    options = {key: value for key, value in reference.items() if key not in ("lookup", "args")}
    terms = reference.get("args") or []
    try:
        lookup = lookup_loader.get(plugin, loader=loader, templar=templar)
        if lookup is None:
            raise _error(
                system,
                name,
                f"there is no lookup {plugin}",
                "install the collection that has it, and write its full name",
            )
        found = lookup.run(
            list(terms) if isinstance(terms, (list, tuple)) else [terms],
            variables=getattr(templar, "available_variables", {}),
            **options,
        )
    except AnsibleError as e:
        raise _error(
            system,
            name,
            f"lookup {plugin} failed: {str(e).splitlines()[0]}",
            'try it alone: ansible localhost -m debug -a "msg={{ lookup(...) | length }}"',
        ) from None
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], str) or not found[0]:
        raise _error(
            system,
            name,
            f"lookup {plugin} gave {len(found) if isinstance(found, list) else 'no list of'} values, not one text",
            "ask it for one field",
        )
    return str(found[0])


def _error(system: str, name: str, what: str, hint: str) -> CredentialError:
    return CredentialError(what, act=f"read credential {name}", system=system, hint=hint)
