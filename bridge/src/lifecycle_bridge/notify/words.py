# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds the text of a notice by kind of case, news and reader, in the reader's language. The company's own texts win over ours.

A text is a file such as ``onboard-due-person.de.txt``. If there is none for the reader, it is ``onboard-due.de.txt``, then ``due.de.txt``, then the
same in the company's language and in English. Its first line is the subject. Values of HR are inserted as one line of plain text, and never
executed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PackageLoader, StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from lifecycle_bridge.config import Notices
from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.notify.notice import Notice, line
from lifecycle_bridge.people import Card, Contact
from lifecycle_bridge.store.views import Case

_PACKAGE = "texts"
#: How a day is written, by language.
_DAYS = {"en": "%Y-%m-%d", "de": "%d.%m.%Y", "pt": "%d/%m/%Y"}


class Words:
    """The texts of one company."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        loaders: list[BaseLoader] = [FileSystemLoader(notices.templates)] if notices.templates else []
        self._environment = SandboxedEnvironment(
            loader=ChoiceLoader([*loaders, PackageLoader("lifecycle_bridge.notify", _PACKAGE)]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            finalize=lambda value: line(str(value)),  # text from outside must not make a second line
        )

    def of(self, news: str, case: Case, role: str, card: Card, reader: Contact, plain: Notice) -> tuple[str, str]:
        """Return the subject and the text.

        :raises BridgeError: the company's text cannot be used; says which, and where.
        """
        names = list(self._names(news, case.kind, role, reader.language))
        try:
            template = self._environment.select_template(names)
            language = str(template.name).rsplit(".", 2)[1]
            text = template.render(
                person=card,
                reader=reader,
                case=case,
                news=news,
                day=_day(case, card, language),
                open_steps=plain.open_steps,
                why=plain.why,
                link=plain.link,
                command=plain.command,
                company=self._notices.company,
            )
        except TemplateError as failure:
            raise BridgeError(f"notices: text {failure.message or names[0]}: {type(failure).__name__}") from None
        subject, _end, words = text.partition("\n")
        return line(subject.removeprefix("Subject:")), words.strip() + "\n"

    def wrong(self) -> list[str]:
        """Return what is wrong with the company's own texts, a line each: for ``doctor``."""
        folder = self._notices.templates
        if folder is None:
            return []
        if not Path(folder).is_dir():
            return [f"notices.templates: {folder} is no folder"]
        found = []
        for path in sorted(Path(folder).glob("*.txt")):
            try:
                self._environment.get_template(path.name)
            except TemplateError as failure:
                found.append(f"notices.templates: {path.name}, line {getattr(failure, 'lineno', 1)}: {failure.message}")
        return found

    def _names(self, news: str, kind: str, role: str, language: str) -> Iterator[str]:
        wanted = [language.replace("_", "-").partition("-")[0].lower(), self._notices.language, "en"]
        for one in dict.fromkeys(word for word in wanted if word.isascii() and word.isalpha()):
            if role:
                yield f"{kind}-{news}-{role}.{one}.txt"
            yield f"{kind}-{news}.{one}.txt"
            yield f"{news}.{one}.txt"
        yield "any.en.txt"


def _day(case: Case, card: Card, language: str) -> str:
    """Return the case's day in the person's own zone, as it is written in that language; of a case that prepares for a first day, that day."""
    written = _DAYS.get(language, _DAYS["en"])
    with suppress(ValueError):
        if case.stage:
            return date.fromisoformat(card.hire_date[:10]).strftime(written)
    with suppress(ZoneInfoNotFoundError, ValueError, OSError):
        return case.due_at.astimezone(ZoneInfo(case.zone or "UTC")).strftime(written)
    return case.due_at.strftime(written)
