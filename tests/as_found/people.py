# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""HR's people of the company as found, as HR has them today, and what each has in the systems since they were hired."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

DOMAIN = "acme.example"


@dataclass(frozen=True)
class Seat:
    """One account as it is found: everything may be missing but the login."""

    login: str
    mail: tuple[str, ...] = ()
    number: str = ""
    first: str = ""
    last: str = "?"
    aliases: tuple[str, ...] = ()
    external: str = ""
    groups: tuple[str, ...] = ()
    unit: str = "Köln"

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}".strip()


@dataclass(frozen=True)
class Human:
    """One human being: HR's record, and the accounts that are really theirs."""

    hr: dict[str, Any]
    seats: tuple[Seat, ...] = ()
    stranger: bool = field(default=False)  # HR does not know them


def hr(key: str, number: str, first: str, last: str, **more: Any) -> dict[str, Any]:
    return {
        "email": f"{key}@{DOMAIN}",
        "hr_id": f"h{number}",
        "employee_id": number,
        "first_name": first,
        "last_name": last,
        **more,
    }


HUMANS: dict[str, Human] = {
    # married: HR has the new name and address, every system the old one and the number
    "married": Human(
        hr("mara.kern", "4711", "Mara", "Kern"),
        (Seat("mvogel", (f"mara.vogel@{DOMAIN}",), "4711", "Mara", "Vogel", groups=("sales",)),),
    ),
    # has no account; the directory has a namesake of another company
    "absent": Human(hr("ben.funk", "4800", "Ben", "Funk")),
    "namesake": Human({}, (Seat("ben.funk", ("ben.funk@partner.example",), "", "Ben", "Funk"),), stranger=True),
    # a second account for administration, known by the number alone
    "admin": Human(
        hr("kai.brandt", "4712", "Kai", "Brandt"),
        (
            Seat("kbrandt", (f"kai.brandt@{DOMAIN}",), "4712", "Kai", "Brandt", groups=("sales",)),
            Seat("adm-kai", (), "4712", "Kai", "Brandt (Admin)", groups=("domain-admins",), unit="Admins"),
        ),
    ),
    "no_mail": Human(hr("nora.ott", "4713", "Nora", "Ott"), (Seat("no77", (), "4713", "Nora", "Ott"),)),
    "number_as_login": Human(
        hr("uwe.lux", "4714", "Uwe", "Lux"), (Seat("4714", (f"uwe.lux@{DOMAIN}",), "", "Uwe", "Lux"),)
    ),
    # HR's address is an alias that only the mail routing knows
    "alias": Human(
        hr("alia", "4715", "Alia", "Berg"),
        (Seat("aberg", (f"alia.berg@{DOMAIN}",), "", "Alia", "Berg", aliases=(f"alia@{DOMAIN}",)),),
    ),
    "upper_case": Human(
        hr("kim.lange", "4716", "Kim", "Lange"),
        (Seat("Kim.Lange", (f"Kim.Lange@{DOMAIN.upper()}",), "", "Kim", "Lange"),),
    ),
    # HR writes composed characters, the directory decomposed ones
    "decomposed": Human(
        hr("j.wolff", "4717", "J\u00fcrgen", "Wolff", logins={"found": "j\u00fcrgen"}),
        (Seat("ju\u0308rgen", (), "", "Ju\u0308rgen", "Wolff"),),
    ),
    "ceo": Human(
        hr("cora.boss", "4700", "Cora", "Boss"), (Seat("cboss", (f"cora.boss@{DOMAIN}",), "4700", "Cora", "Boss"),)
    ),
    # HR names the chief's login for somebody who has none
    "names_the_chief": Human(hr("zed.low", "4801", "Zed", "Low", logins={"found": "cboss"})),
    # wrote the chief's address into her own entry
    "wrote_her_mail": Human(
        hr("sally.sly", "4718", "Sally", "Sly"),
        (Seat("sally.sly", (f"cora.boss@{DOMAIN}",), "4718", "Sally", "Sly"),),
    ),
    # ross@ and roſs@ are two people
    "long_s": Human(hr("ro\u017f\u017f", "4802", "Ro\u017f\u017f", "Stein")),
    "ross": Human(hr("ross", "4719", "Ross", "Hill"), (Seat("ross", (f"ross@{DOMAIN}",), "4719", "Ross", "Hill"),)),
}
#: What the systems must look like for a run to close by itself; the others ask.
CLOSES = ("married", "admin", "no_mail", "number_as_login", "alias", "upper_case", "decomposed")
