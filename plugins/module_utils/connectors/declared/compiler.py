# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Make a class from a connector's file, with exactly the capabilities that the file's sections declare."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from ...model.marked_yaml import read_document
from ...sdk.keys import Kind
from .accounts import KINDS, Declared, DeclaredAccounts, DeclaredProvisioning, DeclaredRenaming, DeclaredRestorable
from .cutting import DeclaredCutoff
from .expressions import Expression
from .holdings import DeclaredControls, DeclaredEntitlements, DeclaredHardware, DeclaredOwnership
from .listing import DeclaredCredentials, DeclaredListing
from .manifest import Accounts, Manifest
from .people import DeclaredPeople
from .reading import manifest_of, read_manifest


def compiled(manifest: Manifest, *, shipped: bool = False) -> type[Declared]:
    """Return the class of a manifest.

    :param shipped: the file comes with the collection. For any other file, the systems file must set the address: the author of a
        connector's file must not decide to which host the company's credentials go.
    """
    url = manifest.apis[""].url
    #: The address has holes that options fill, so the systems file need not set it.
    made = shipped and "{" in url
    accounts = manifest.accounts
    attributes = accounts.attributes if accounts is not None else {}
    kinds = manifest.entitlements
    facts: dict[str, Any] = {
        "__module__": __name__,
        "__doc__": f"{manifest.title}, as its file declares it.",
        "MANIFEST": manifest,
        "TITLE": manifest.title,
        "DEFAULT_URL": url if shipped and not made else "",
        "NEEDS_URL": not made,
        "OPTIONS": manifest.options,
        "CREDENTIALS": manifest.credentials,
        "PERMISSIONS": manifest.permissions,
        "SETTLES_WITHIN": manifest.settles_within,
        "PARALLEL": manifest.apis[""].parallel,
        **_keys(accounts),
        "NAMES_FROM": accounts.names_from if accounts is not None else "",
        "LOGIN": manifest.login,
        "INVITES": accounts is not None and any("pending" in source.fields for source in accounts.sources),
        "ATTRIBUTES": tuple(name for name, one in attributes.items() if one.write),
        "ENTITLEMENT_KINDS": tuple(kinds),
        "ADMINISTRATORS": tuple((kind.name, name) for kind in kinds.values() for name in kind.administrators),
        "CONTROLS": tuple(manifest.controls),
        "LISTS_HELD": bool(kinds) and all(isinstance(kind.held, Expression) for kind in kinds.values()),
    }
    if accounts is not None and accounts.scim is not None:
        return _seat(manifest, facts)
    parts = _capabilities(manifest)
    for name, part in (
        ("ATTRIBUTES", DeclaredProvisioning),
        ("ENTITLEMENT_KINDS", DeclaredEntitlements),
        ("CONTROLS", DeclaredControls),
        ("LISTS_HELD", DeclaredListing),
    ):
        if part not in parts:
            del facts[name]
    return type(_name(manifest), (*parts, Declared), facts)


def _name(manifest: Manifest) -> str:
    return "".join(word.title() for word in re.findall(r"\w+", manifest.title))


def _seat(manifest: Manifest, facts: dict[str, Any]) -> type[Declared]:
    """Return a class whose accounts come from SCIM."""
    from .scim_seat import ScimSeat

    dialect = manifest.accounts.scim if manifest.accounts is not None else None
    for name in ("ADMINISTRATORS", "ATTRIBUTES", "CONTROLS", "LISTS_HELD", "LOOKS_UP", "COMPARES", "SETTLES_WITHIN"):
        facts.pop(name, None)
    own = {name: option for name, option in ScimSeat.OPTIONS.items() if name != "dialect"}
    facts["OPTIONS"] = {**own, **manifest.options}
    facts["ENTITLEMENT_KINDS"] = dialect.kinds if dialect is not None else ()
    parts = (DeclaredCredentials,) if manifest.keys else ()
    return type(_name(manifest), (*parts, ScimSeat), facts)


def _keys(accounts: Accounts | None) -> dict[str, frozenset[Kind]]:
    """Return by which keys people are looked up, and by which they are compared."""
    sources = accounts.sources if accounts is not None else ()
    return {
        "LOOKS_UP": frozenset(KINDS[key] for source in sources for look in source.find for key in look.by),
        "COMPARES": frozenset(KINDS[key] for source in sources for key in source.match)
        | frozenset(KINDS[key] for source in sources for key in ("email", "login") if key in source.fields),
    }


def _capabilities(manifest: Manifest) -> tuple[type[Declared], ...]:
    accounts = manifest.accounts
    has = {
        DeclaredProvisioning: accounts is not None and accounts.create is not None,
        DeclaredRestorable: accounts is not None and accounts.deleted is not None,
        DeclaredRenaming: accounts is not None and accounts.address is not None,
        DeclaredCutoff: bool(manifest.cutoff),
        DeclaredEntitlements: bool(manifest.entitlements),
        DeclaredHardware: any(kind.returned is not None for kind in manifest.owned),
        DeclaredOwnership: bool(manifest.owned),
        DeclaredControls: bool(manifest.controls),
        DeclaredListing: accounts is not None and any(source.lists for source in accounts.sources),
        DeclaredCredentials: bool(manifest.keys),
        DeclaredPeople: manifest.people is not None,
    }
    parts = tuple(part for part, there in has.items() if there)
    needs_accounts = accounts is not None and not any(issubclass(part, DeclaredAccounts) for part in parts)
    return (*parts, DeclaredAccounts) if needs_accounts else parts


@cache
def of_file(path: str, shipped: bool = False) -> type[Declared]:
    """Return the class of a file. A process reads the file once: later changes of the file have no effect on its run.

    :raises InputError: names file, line, key and fix.
    """
    return compiled(read_manifest(read_document(path)), shipped=shipped)


@cache
def of_text(text: str, name: str, shipped: bool) -> type[Declared]:
    """Return the class of a manifest in JSON, on a machine that does not have the file."""
    return compiled(manifest_of(text, name), shipped=shipped)
