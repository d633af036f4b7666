# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Compares what accounts hold on one system with the access profiles and policy."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ..company.policy import like
from ..model.errors import NotFound
from ..sdk.protocols import AccountListing, Entitlements
from .findings import Finding
from .people import Known
from .sighting import Row, Sighting


class Held:
    """Compares what accounts hold with what profiles give.

    :param keep: entitlement names by kind that need no profile.
    """

    def __init__(self, system: object, seen: Sighting, keep: Mapping[str, Collection[str]]) -> None:
        self.seen = seen
        facts = seen.people.facts
        policy = facts["policy"]
        self.untouchable = _patterns(policy["protected_entitlements"], self.seen.name)
        self.privileged = _patterns(policy["privileged"], self.seen.name)
        self.kept = {(kind, name.casefold()): name for kind, names in keep.items() for name in names}
        self.wanted: dict[str, dict[tuple[str, str], str]] = {
            profile: {
                (kind, name.casefold()): name for kind, names in systems[self.seen.name].items() for name in names
            }
            for profile, systems in facts["profiles"].items()
            if self.seen.name in systems
        }
        self.separated: dict[tuple[str, str], list[tuple[int, str]]] = {}
        for number, pair in enumerate(policy["separation"]):
            for side in ("one", "other"):
                if pair[side]["system"] == self.seen.name:
                    self.separated.setdefault((pair[side]["kind"], pair[side]["name"].casefold()), []).append(
                        (number, side)
                    )
        self.kinds: Collection[str] = getattr(system, "ENTITLEMENT_KINDS", ())
        #: The names in a profile or in policy that the system does not have.
        self.nowhere: set[tuple[str, str]] = set()

    def of_profile(self, profile: str) -> dict[str, list[str]]:
        """Return what a profile gives here: names by kind."""
        found: dict[str, list[str]] = {}
        for (kind, _key), name in self.wanted.get(profile, {}).items():
            found.setdefault(kind, []).append(name)
        return found

    def name_as_the_system_does(self, system: Entitlements) -> None:
        """Replace names in profiles and policy by the system's own: an entitlement may have several (a team's title and
        its slug)."""
        named = {
            **self.kept,
            **{key: name for wanted in self.wanted.values() for key, name in wanted.items()},
            **{
                (h["kind"], h["name"].casefold()): h["name"]
                for pair in self.seen.people.facts["policy"]["separation"]
                for h in (pair["one"], pair["other"])
                if h["system"] == self.seen.name
            },
        }
        own: dict[tuple[str, str], tuple[str, str]] = {}
        for key, name in sorted(named.items()):
            found = system.find_entitlement(key[0], name) if key[0] in self.kinds else None
            if found is None and key[0] in self.kinds:
                self._is_nowhere(key, name)
            elif found is not None and found.name.casefold() != key[1]:
                own[key] = (key[0], found.name.casefold())
        self.kept = {own.get(key, key): name for key, name in self.kept.items()}
        self.wanted = {
            profile: {own.get(key, key): name for key, name in wanted.items()}
            for profile, wanted in self.wanted.items()
        }
        for key in own.keys() & self.separated.keys():
            self.separated.setdefault(own[key], []).extend(self.separated.pop(key))

    def _is_nowhere(self, key: tuple[str, str], name: str) -> None:
        self.nowhere.add(key)
        self.seen.counts.notes.append(f"there is no {key[0]} {name}, which a profile or policy names")

    def asked(self) -> dict[tuple[str, str], str]:
        """Return the entitlements that a profile or policy names, to be read one by one where the listing does not show
        them."""
        named = {key: name for wanted in self.wanted.values() for key, name in wanted.items()}
        for source in (
            self.seen.people.facts["policy"]["privileged"],
            self.seen.people.facts["policy"]["protected_entitlements"],
        ):
            for kind, names in source.get(self.seen.name, {}).items():
                named.update({(kind, name.casefold()): name for name in names if "*" not in name and "?" not in name})
        for pair in self.seen.people.facts["policy"]["separation"]:
            named.update(
                {
                    (h["kind"], h["name"].casefold()): h["name"]
                    for h in (pair["one"], pair["other"])
                    if h["system"] == self.seen.name
                }
            )
        return {key: name for key, name in named.items() if key[0] in self.kinds}

    def by_group(
        self,
        system: AccountListing,
        asked: Mapping[tuple[str, str], str],
        rows: Sequence[Row],
        numbered: Mapping[str, int],
    ) -> None:
        """Read the members of each of these entitlements, and compare every account."""
        held: dict[int, dict[tuple[str, str], str]] = {}
        for key, name in asked.items():
            try:
                for member in system.group_members(key[0], name):
                    number = numbered.get(member.casefold())
                    if number is not None:
                        held.setdefault(number, {})[key] = name
            except NotFound:
                self._is_nowhere(key, name)
        self.seen.counts.notes.append(
            f"the system lists members by entitlement only: {len(asked)} that profiles and policy name were asked for"
        )
        for number, row in enumerate(rows):
            self.compare(row, held.get(number, {}))

    def compare(
        self, row: Row, held: Mapping[tuple[str, str], str], *, fixed: Collection[tuple[str, str]] = ()
    ) -> None:
        """Compare what an active account holds with what its person's profile gives.

        :param fixed: entitlements that a rule or another group gives: they need no profile.
        """
        whose = row.whose
        if whose is None or whose.state == "gone" or not row.active:
            return
        for key in held:
            for number, side in self.separated.get(key, ()):
                self.seen.emit({"h": [whose.n, number, side, row.login]})
        if not whose.profile or whose.state != "active":
            return
        wanted = self.wanted.get(whose.profile)
        if wanted is None:
            if self.wanted and not whose.until and self._asked(whose) is None:
                self.seen.found(
                    Finding(
                        "account_extra",
                        self.seen.name,
                        row.id,
                        row.login,
                        whose.n,
                        said=f"profile {whose.profile} has nothing on {self.seen.name}",
                        facts={
                            "login": row.login,
                            "holds": sorted(f"{k}: {n}" for (k, _unused), n in held.items())[:50],
                        },
                    )
                )
            return
        for key, name in held.items():
            if (
                key not in wanted
                and key not in self.kept
                and key not in fixed
                and key[0] in self.kinds
                and not whose.until
            ) and f"{key[0]}: {name}".casefold() not in (self._asked(whose) or ()):
                self._drift("entitlement_extra", row, whose, key[0], name, "take")
        for key, name in wanted.items():
            if key not in held and key not in self.nowhere and key[0] in self.kinds:
                self._drift("entitlement_missing", row, whose, key[0], name, "give")

    def _asked(self, whose: Known) -> set[str] | None:
        """Return, in lower case, what a person has here by request; None without a request."""
        names = (self.seen.people.record(whose.n).get("asked") or {}).get(self.seen.name)
        return None if names is None else {name.casefold() for name in names}

    def _drift(self, kind: str, row: Row, whose: Known, of: str, name: str, do: str) -> None:
        text = f"{of}: {name}"
        privileged = like(text, self.privileged) if do == "take" else ""
        pattern = like(text, self.untouchable)
        said = f"{text} is not in profile {whose.profile}" if do == "take" else f"{text} is in profile {whose.profile}"
        self.seen.found(
            Finding(
                kind,
                self.seen.name,
                row.id,
                row.login,
                whose.n,
                detail=text,
                severity="high" if privileged else "",
                said=said + (", and is privileged" if privileged else ""),
                facts={"login": row.login, "kind": of, "name": name},
                fix={"do": do, "kind": of, "name": name},
                protected=f"{pattern} is protected by policy" if pattern else "",
            )
        )


def _patterns(named: Mapping[str, Mapping[str, Collection[str]]], system: str) -> list[str]:
    return [f"{kind}: {name}" for kind, names in named.get(system, {}).items() for name in names]
