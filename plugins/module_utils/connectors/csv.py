# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""HR records in a CSV file (RFC 4180), read strictly: whatever is not certain is an error with file and line."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, time
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from ..model import clock, private
from ..model.errors import InputError, RecordRefused
from ..model.person import STATUSES, Person
from ..model.typed import harmless
from ..sdk.kept_addresses import ADDRESS_OPTIONS, AddressRule
from ..sdk.target import ANY_SYSTEM, Connector, Option, Target
from ..sdk.values import WORK_ADDRESS, Overview

_DATES = ("hire_date", "termination_date", "last_working_day")
_FIELDS = frozenset(f.name for f in fields(Person)) - {"logins", "attributes"}


@dataclass(frozen=True)
class Row:
    """One record of the file: the line it begins on, its cells by column, and the person in it."""

    line: int
    cells: Mapping[str, str]
    person: Person


class Csv(Connector):
    """Reads a file with one person in each row. It never writes the file."""

    TITLE: ClassVar[str] = "CSV file"
    NEEDS_URL: ClassVar[bool] = False
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "path": Option("The file. Relative to the systems file.", "path", required=True),
        "columns": Option(
            "Person's field to the file's column: {email: Mail, employee_id: Number}. email is needed.",
            "dict",
            required=True,
            names=_FIELDS,
            example={
                "employee_id": "Number",
                "email": "Mail",
                "first_name": "First",
                "last_name": "Last",
                "department": "Department",
                "manager_email": "Manager",
                "hire_date": "Start",
                "termination_date": "End",
            },
        ),
        "logins": Option(
            "System to the column with the person's login there: {github: GitHub}.",
            "dict",
            default={},
            names=(ANY_SYSTEM,),
        ),
        "attributes": Option("Further HR fields to their columns: {cost_center: CC}.", "dict", default={}),
        "constants": Option(
            "Fields that are the same for everybody in the file: {employment_type: contractor}.",
            "dict",
            default={},
            names=_FIELDS,
        ),
        "statuses": Option(
            "The file's word for a status -> ours (pending, active, leave, terminated): {left: terminated}. Without it the file has ours.",
            "dict",
            default={},
        ),
        "date_format": Option(
            "The form of dates, in the letters of strptime: %d.%m.%Y. Other forms are refused.", default="%Y-%m-%d"
        ),
        "delimiter": Option(
            "The character between cells. When not given, it is taken from the first line: comma, semicolon, tab or bar."
        ),
        "encoding": Option("The file's encoding; a byte order mark is understood.", default="utf-8-sig"),
        "changed_column": Option("The column with the time of a row's last change (ISO 8601)."),
        **ADDRESS_OPTIONS,
        "snapshots": Option(
            "The folder in which this connector keeps earlier copies of the file, to find what changed.", "path"
        ),
    }
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {"hr_records": ("read the file",)}

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        #: The rows that this step has read, and the header of the file.
        self._read: list[Row] | None = None
        self._header_read: Sequence[str] = ()
        self._bad: list[tuple[int, Mapping[str, str], RecordRefused]] = []
        #: Addresses that the rule made, and that the file does not have.
        self._without: set[str] = set()
        options = target.options
        if "email" not in options["columns"]:
            raise self._error(
                "columns has no email", "name the column that holds the work address: columns: {email: Mail}"
            )
        for name in ("columns", "constants"):
            for key in options[name]:
                if key not in _FIELDS:
                    raise self._error(f"{name} has an unknown field {key!r}", f"one of {', '.join(sorted(_FIELDS))}")
        for word, status in options["statuses"].items():
            if status not in STATUSES:
                raise self._error(f"statuses: {word!r} becomes {status!r}", f"one of {', '.join(STATUSES)}")
        self._rule = AddressRule(target)
        if options["address"] and not {"hr_id", "employee_id"} & set(options["columns"]):
            raise self._error(
                "the option address needs an id that never changes, to keep the addresses that it makes",
                "name a column for hr_id or employee_id",
            )
        if options["delimiter"] is not None and len(options["delimiter"]) != 1:
            raise self._error(f"delimiter is {options['delimiter']!r}", "give one character")

    # -- HR records ----------------------------------------------------------------------------------------------------

    def find_people(self, user: str) -> Sequence[Person]:
        sought = user.strip().casefold()
        if self._read is None:  # read the file once: a task looks up many people and their managers
            self._read = self._rows(self.target.options["path"])
        found = [
            p
            for p in (row.person for row in self._read)
            if sought
            in (p.email.casefold(), p.employee_id.casefold(), p.hr_id.casefold(), *(a.casefold() for a in p.aliases))
        ]
        for _line, cells, error in self._bad:
            if sought in (cell.casefold() for cell in cells.values()):
                raise error
        return found

    def all_people(self) -> Iterator[Person]:
        self._read = self._rows(self.target.options["path"])
        yield from (row.person for row in self._read)

    def overview(self) -> Overview:
        rows = self._read if self._read is not None else self._rows(self.target.options["path"])
        # A refused row is still a person: somebody who has the same address must be noticed.
        shown = [self._shown(cells) for _line, cells, _error in self._bad]
        return Overview([*(row.person for row in rows), *shown], tuple(self._header_read))

    def _shown(self, cells: Mapping[str, str]) -> Person:
        """Return a person with the identifiers of a refused row."""
        fields: dict[str, Any] = {
            name: harmless(cells[column])
            for name, column in self.target.options["columns"].items()
            if name in ("email", "hr_id", "employee_id", "person_key", "first_name", "last_name", "personal_email")
        }
        fields["email"] = fields.get("email", "").lower()
        return Person(**fields)

    def changes_since(self, since: str) -> Sequence[Person]:
        """Return changed people, by ``changed_column`` if there is one, else by comparison with the newest snapshot from before ``since``.

        Without both, everybody is returned: too many people are safe, too few are not. A row that disappeared is never returned: absence
        from the file is no termination.
        """
        moment = self._moment(since)
        rows = self._rows(self.target.options["path"])
        if self.target.options["changed_column"]:
            return [row.person for row in rows if self._changed_at(row) >= moment]
        if not self.target.options["snapshots"]:
            return [row.person for row in rows]
        before = self._snapshot_before(moment)
        self._keep_snapshot()
        known = {row.person.key: row.person for row in self._rows(before)} if before else {}
        return [row.person for row in rows if known.get(row.person.key) != row.person]

    def in_hr(self, person: Person) -> Mapping[str, str]:
        """Return the address if it is in the file, empty if the rule made it. Logins are never made here."""
        return {WORK_ADDRESS: "" if person.email in self._without else person.email}

    # -- the file ------------------------------------------------------------------------------------------------------

    def _rows(self, path: str) -> list[Row]:
        text = self._text(path)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter(text, path), strict=True)
        named: list[tuple[int, dict[str, str]]] = []
        rows: list[Row] = []
        self._bad, self.refused = [], []
        begins = 1
        header: list[str] | None = None
        try:
            for cells in reader:
                if not cells:
                    begins = reader.line_num + 1
                    continue
                if header is None:
                    header = self._header([cell.strip() for cell in cells], path)
                elif len(cells) != len(header):
                    raise self._error(
                        f"{path}:{begins}: {len(cells)} cells, and the header has {len(header)}",
                        "quote cells that hold the delimiter, and close quotes",
                    )
                else:
                    named.append((begins, dict(zip(header, (cell.strip() for cell in cells), strict=True))))
                begins = reader.line_num + 1
        except csv.Error as e:
            raise self._error(
                f"{path}:{reader.line_num}: not CSV: {e}", "look at the quotes in and before this line"
            ) from None
        if header is None:
            raise self._error(f"{path}: is empty", "look whether the export failed")
        self._header_read = header
        self._give_addresses([cells for _line, cells in named])
        for line, record in named:
            try:
                rows.append(Row(line, record, self._person(record, f"{path}:{line}")))
            except RecordRefused as e:
                # A row that can't be read stops only the run for that person, which gets the error.
                self._bad.append((line, record, e))
                self.refused.append(str(e))
                self.refused_ids[self._shown(record).key] = str(e)
        self._unique(rows, path)
        return rows

    def _give_addresses(self, everybody: Sequence[dict[str, str]]) -> None:
        """Write the address that the rule makes into each row without one."""
        options, columns = self.target.options, self.target.options["columns"]
        if not options["address"]:
            return
        keys = [columns[name] for name in ("hr_id", "employee_id") if name in columns]
        constants = {name: str(value) for name, value in options["constants"].items()}
        people = [
            (
                next(filter(None, (cells[key] for key in keys)), ""),
                {
                    **constants,
                    **{name: cells[column].replace("|", " ") for name, column in columns.items()},
                    "status": "",
                },
            )
            for cells in everybody
        ]
        made = self._rule.given(people)
        for (key, _facts), cells in zip(people, everybody, strict=True):
            if not cells[columns["email"]] and key in made:
                cells[columns["email"]] = made[key]
                self._without.add(made[key])

    def _text(self, path: str) -> str:
        try:
            with open(os.path.expanduser(path), encoding=self.target.options["encoding"], newline="") as f:
                text = f.read()
        except OSError as e:
            raise self._error(
                f"{path}: cannot be read: {e.strerror or e}", "check the option path, and that this user may read it"
            ) from None
        except UnicodeDecodeError as e:
            line = bytes(e.object).count(b"\n", 0, e.start) + 1
            raise self._error(
                f"{path}:{line}: is not {self.target.options['encoding']}", "set the option encoding, e.g. cp1252"
            ) from None
        except LookupError:
            raise self._error(
                f"there is no encoding {self.target.options['encoding']!r}", "set the option encoding, e.g. utf-8-sig"
            ) from None
        if "\0" in text:
            raise self._error(
                f"{path}:{text[: text.index(chr(0))].count(chr(10)) + 1}: holds a zero byte",
                "set the option encoding: is it utf-16?",
            )
        return text

    def _delimiter(self, text: str, path: str) -> str:
        given: str | None = self.target.options["delimiter"]
        if given:
            return given
        # Do not guess from the content, as csv.Sniffer does: the header must have every column that the options name.
        first = next((line for line in text.splitlines() if line.strip()), "")
        needed = set(self._columns())
        fitting = [
            d for d in ",;\t|" if needed <= {cell.strip() for cell in next(csv.reader([first], delimiter=d), [])}
        ]
        if len(fitting) == 1:
            return fitting[0]
        return max(",;\t|", key=first.count)

    def _columns(self) -> list[str]:
        options = self.target.options
        named = [*options["columns"].values(), *options["logins"].values(), *options["attributes"].values()]
        return [*named, options["changed_column"]] if options["changed_column"] else named

    def _header(self, header: list[str], path: str) -> list[str]:
        twice = sorted({name for name in header if name and header.count(name) > 1})
        if twice:
            raise self._error(f"{path}:1: column {', '.join(twice)} is there twice", "rename one")
        missing = [name for name in dict.fromkeys(self._columns()) if name not in header]
        if missing:
            raise self._error(f"{path}:1: no column {', '.join(missing)}", f"it has {', '.join(header)}")
        return header

    def _person(self, cells: Mapping[str, str], where: str) -> Person:
        options = self.target.options
        data: dict[str, Any] = {
            **options["constants"],
            **{name: cells[column] for name, column in options["columns"].items() if cells[column]},
        }
        for name in _DATES:
            if data.get(name):
                data[name] = self._date(str(data[name]), options["columns"].get(name, name), where)
        for name in ("aliases", "former_names"):
            if isinstance(data.get(name), str):
                # A bar divides several values in one cell; between addresses, a space does too.
                parts = data[name].replace("|", " ").split() if name == "aliases" else data[name].split("|")
                data[name] = [part.strip() for part in parts if part.strip()]
        if "status" in options["columns"]:
            data["status"] = self._status(cells[options["columns"]["status"]], where)
        if data.get("time_zone"):
            self._zone(str(data["time_zone"]), where)
        data["logins"] = {system: cells[column] for system, column in options["logins"].items() if cells[column]}
        data["attributes"] = {name: cells[column] for name, column in options["attributes"].items() if cells[column]}
        try:
            person = Person.of(data)
            return self._as_of_now(person, "status" in data)
        except RecordRefused as e:
            raise self._refused(f"{where}: {e.what}", e.hint) from None
        except InputError as e:
            raise self._error(f"{where}: {e.what}", e.hint) from None

    def _as_of_now(self, person: Person, has_status: bool) -> Person:
        """Return the person; without a status in the file, with one from the dates in the person's own time zone."""
        if has_status:
            return person
        moment = clock.now()
        ends = person.employment_ends()
        status = "active"
        if ends is not None and moment >= ends:
            status = "terminated"
        elif person.hire_date[:10] > moment.astimezone(person.zone).date().isoformat():
            status = "pending"
        return Person.of({**person.as_dict(), "status": status})

    def _status(self, word: str, where: str) -> str:
        known = {str(k).casefold(): str(v) for k, v in self.target.options["statuses"].items()} or {
            name: name for name in STATUSES
        }
        if word.casefold() not in known:
            raise self._error(
                f"{where}: unknown status {word!r}", f"known: {', '.join(known)}; add it to the option statuses"
            )
        return known[word.casefold()]

    def _date(self, text: str, column: str, where: str) -> str:
        pattern = self.target.options["date_format"]
        try:
            moment = datetime.strptime(text, pattern)
            # An end of employment can have a time of day.
            return (
                moment.isoformat(timespec="minutes")
                if "%H" in pattern and moment.time() != time.min
                else moment.date().isoformat()
            )
        except ValueError:
            raise self._refused(
                f"{where}: {column} {text!r} is not a date like {pattern}",
                "set the option date_format, or correct the cell",
            ) from None

    def _zone(self, name: str, where: str) -> None:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise self._refused(f"{where}: {name!r} is not a time zone", "an IANA name, e.g. Europe/Berlin") from None

    def _unique(self, rows: Sequence[Row], path: str) -> None:
        for field in ("hr_id", "employee_id"):
            seen: dict[str, int] = {}
            for row in rows:
                value = getattr(row.person, field).casefold()
                if value and value in seen:
                    raise self._error(
                        f"{path}:{row.line}: {field} {getattr(row.person, field)} is already on line {seen[value]}",
                        "give each person one row",
                    )
                seen[value] = row.line

    # -- changes -------------------------------------------------------------------------------------------------------

    def _changed_at(self, row: Row) -> datetime:
        column = self.target.options["changed_column"]
        try:
            return clock.parse(row.cells[column])
        except ValueError:
            raise self._error(
                f"{self.target.options['path']}:{row.line}: {column} {row.cells[column]!r} is not an ISO 8601 moment",
                "correct the cell",
            ) from None

    def _moment(self, since: str) -> datetime:
        try:
            return clock.parse(since)
        except ValueError:
            raise self._error(f"since {since!r} is not an ISO 8601 moment", "write 2026-03-31T17:00:00Z") from None

    def _snapshot_before(self, moment: datetime) -> str | None:
        folder = os.path.expanduser(self.target.options["snapshots"])
        taken = sorted(name for name in os.listdir(folder) if name.endswith(".csv")) if os.path.isdir(folder) else []
        stamp = clock.stamp(moment).replace(":", "")
        earlier = [name for name in taken if name[: len(stamp)] <= stamp]
        return os.path.join(folder, earlier[-1]) if earlier else None

    def _keep_snapshot(self) -> None:
        """Keep a copy of the file, unless the newest copy is the same. It has personal data, so its mode is 0600."""
        folder = os.path.expanduser(self.target.options["snapshots"])
        try:
            with open(os.path.expanduser(self.target.options["path"]), "rb") as f:
                content = f.read()
            private.make_folder(Path(folder))
            taken = sorted(name for name in os.listdir(folder) if name.endswith(".csv"))
            digest = hashlib.sha256(content).hexdigest()[:16]
            if taken and taken[-1].endswith(f"-{digest}.csv"):
                return
            partial = os.path.join(folder, f".{digest}.part")
            with open(private.opened(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), "wb") as f:
                f.write(content)
            os.replace(partial, os.path.join(folder, f"{clock.stamp().replace(':', '')}-{digest}.csv"))
        except OSError as e:
            raise self._error(
                f"{folder}: cannot keep a snapshot: {e.strerror or e}", "check the option snapshots"
            ) from None

    def _refused(self, what: str, hint: str) -> RecordRefused:
        return RecordRefused(what, act="read people", system=self.target.name, hint=hint)

    def _error(self, what: str, hint: str) -> InputError:
        return InputError(what, act="read people", system=self.target.name, hint=hint)
