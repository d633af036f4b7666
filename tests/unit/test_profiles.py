# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.profile_schema import SCHEMA
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.profiles import load_profiles
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
SYSTEMS = {"idp": "entra", "desk": "manual"}


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CONNECTORS["entra"], "ENTITLEMENT_KINDS", ("groups", "licences"), raising=False)


def load(folder: Path, **files: str) -> Any:
    for name, text in files.items():
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")
    return load_profiles(str(folder), SYSTEMS)


def person(**fields: Any) -> Person:
    return Person.of({"email": "a@corp.example", **fields})


def test_inherits_from_several_and_adds(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        base="systems: {idp: {groups: [All]}}\ncontrols: [mfa_registered]\ndevice: {platform: Windows}\n",
        vpn="systems: {idp: {groups: [VPN]}, desk: }\ndevice: {platform: macOS}\n",
        dev="extends: [base, vpn]\nmatch: {department: Eng}\nsystems: {idp: {groups: [Dev, All], licences: [E3]}}\n",
    ).named("dev")
    assert found.wanted("idp") == {"groups": ["All", "VPN", "Dev"], "licences": ["E3"]}
    assert (found.controls, found.device["platform"], found.wanted("desk"), "desk" in found.systems) == (
        ("mfa_registered",),
        "macOS",
        {},
        True,
    )


def test_the_most_specific_match_wins_and_parents_do_not_match(tmp_path: Path) -> None:
    profiles = load(
        tmp_path,
        base="controls: [x]\n",
        any='match: {department: "E*"}\n',
        exact="match: {department: [Eng, Sales]}\n",
        lead='match: {department: Eng, title: "*Manager*"}\n',
        cost='match: {department: Eng, attributes: {cost: "4*"}, title: "*Boss"}\n',
    )
    assert profiles.match(person(department="Energy")).name == "any"
    assert profiles.match(person(department="eng")).name == "exact"
    assert profiles.match(person(department="Eng", title="Engineering Manager")).name == "lead"
    assert profiles.match(person(department="Eng", title="Boss", attributes={"cost": "42"})).name == "cost"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("match: {department: A}\nsystem: {}\n", r"a\.yml:2: system: unknown key: did you mean systems\?"),
        ("orientation:\n  attendees: [manger]\n", r"a\.yml:2: orientation\.attendees\.0: 'manger' is nobody"),
        ("orientation:\n  organiser: Grace\n", r"a\.yml:2: orientation\.organiser: 'Grace' is nobody"),
        ("systems:\n  ipd: {}\n", r"a\.yml:2: systems\.ipd: there is no such system: did you mean idp\?"),
        (
            "systems:\n  idp:\n    group: [A]\n",
            r"a\.yml:3: systems\.idp\.group: entra has no entitlement of this kind: did you mean groups\?",
        ),
        ("systems:\n  desk: {groups: [A]}\n", r"a\.yml:2: systems\.desk\.groups: manual has no entitlement"),
        ("extends: [b]\n", r"a\.yml:1: extends\.0: there is no profile b"),
        ("extends: [a]\n", r"a\.yml:1: extends\.0: goes in a circle: a -> a"),
        ("match:\n\tdepartment: A\n", r"a\.yml:2: not YAML: .*spaces, not with tabs"),
        ("controls: [a]\ncontrols: [b]\n", r"a\.yml:2: controls is given twice \(first on line 1\)"),
        ("overlap: soon\n", r"a\.yml:1: overlap: must be a whole number, not 'soon'"),
        ("match: {department: 7}\n", r"a\.yml:1: match\.department: must be a text or a list"),
        ("match: {departement: A}\n", r"unknown key: did you mean department\?"),
        ("", r"a\.yml:1: is empty"),
        ("[1]\n", r"a\.yml:1: must be a mapping"),
    ],
)
def test_a_mistake_names_file_and_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as e:
        load(tmp_path, a=text)
    assert "\n" not in str(e.value)


def test_a_circle_of_three(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="goes in a circle: a -> b -> c -> a"):
        load(tmp_path, a="extends: [b]", b="extends: [c]", c="extends: [a]")


def test_a_draw_and_no_match_are_errors(tmp_path: Path) -> None:
    profiles = load(tmp_path, a="match: {department: A}", b="match: {location: B}")
    with pytest.raises(InputError, match=r"a \(.*a\.yml\) and b \(.*b\.yml\) match equally well"):
        profiles.match(person(department="A", location="B"))
    with pytest.raises(InputError, match="matches .department 'C'."):
        profiles.match(person(department="C"))
    with pytest.raises(InputError, match="no access profile 'aa'.*did you mean a"):
        profiles.named("aa")


@pytest.mark.parametrize(("hr", "file"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_a_department_is_the_same_however_its_accents_are_written(tmp_path: Path, hr: Any, file: Any) -> None:
    """The general profile would have fitted too, quietly, and without the department's group."""
    in_hr, in_file = (lambda text: unicodedata.normalize(hr, text)), (lambda text: unicodedata.normalize(file, text))
    profiles = load(
        tmp_path,
        general="match: {department: '*'}",
        **{in_file("qualité"): in_file("match: {department: Qualité, attributes: {équipe: Réseau}}")},
    )
    assert (
        profiles.match(person(department=in_hr("Qualité"), attributes={in_hr("équipe"): in_hr("réseau")})).name
        == "qualité"
    )
    assert profiles.named(in_hr("qualité")).patterns


def test_the_folder_itself(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no access profile in it"):
        load_profiles(str(tmp_path), SYSTEMS)
    with pytest.raises(InputError, match="cannot be read"):
        load_profiles(str(tmp_path / "none"), SYSTEMS)


@given(
    st.lists(st.sampled_from(["department", "title", "location"]), unique=True, min_size=1),
    st.sampled_from(["A", "B", "AB"]),
)
def test_every_further_fact_makes_a_match_more_specific(names: list[str], value: str) -> None:
    from ansible_collections.workforce.lifecycle.plugins.module_utils.company.profiles import Profile

    all_ = Profile("all", patterns=dict.fromkeys(names, (value,)))
    fewer = Profile("fewer", patterns=dict.fromkeys(names[:-1], (value,)))
    wild = Profile("wild", patterns=dict.fromkeys(names, (value[0] + "*",)))
    someone = person(**dict.fromkeys(names, value))
    assert all_.fits(someone) and wild.fits(someone)
    assert all_.specificity > fewer.specificity and all_.specificity > wild.specificity > fewer.specificity


def test_the_published_schema_is_the_one_that_is_used() -> None:
    assert json.loads((ROOT / "meta" / "schemas" / "access-profile.schema.json").read_text()) == SCHEMA


def test_the_example_company(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: dict[str, set[str]] = {}
    systems = {
        name: entry["connector"]
        for name, entry in yaml.safe_load((ROOT / "inventory" / "company.systems.yml").read_text())["systems"].items()
    }
    for file in (ROOT / "inventory" / "profiles").glob("*.yml"):
        for system, kinds in (yaml.safe_load(file.read_text()).get("systems") or {}).items():
            wanted.setdefault(systems[system], set()).update(kinds or {})
    for connector, names in wanted.items():  # connectors say it themselves; this test is of the profiles
        if not hasattr(CONNECTORS[connector], "ENTITLEMENT_KINDS"):
            monkeypatch.setattr(CONNECTORS[connector], "ENTITLEMENT_KINDS", tuple(names), raising=False)
    monkeypatch.undo() if all(hasattr(CONNECTORS[c], "TITLE") and CONNECTORS[c].TITLE for c in wanted) else None
    profiles = load_profiles(str(ROOT / "inventory" / "profiles"), systems)
    assert profiles.match(person(department="Engineering")).wanted("github") == {"teams": ["engineering"]}
    assert profiles.match(person(department="IT", employment_type="contractor")).name == "contractor"
