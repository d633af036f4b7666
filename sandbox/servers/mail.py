# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The company's mail: the messages that mail servers of the sandbox are filled with."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from sandbox.days import moment

#: As the server stores them: modified UTF-7, "/" between levels.
FOLDERS = {"INBOX": 12, "Sent": 6, "Archive/2024": 5, "B&APw-ro": 4}


def messages(key: str, person: Mapping[str, Any], domain: str) -> Iterator[tuple[str, datetime, bytes]]:
    """(folder, date, RFC 5322 text) of one person, the same on every run."""
    dice = random.Random(key)
    when = moment(-300, 9)
    for folder, count in FOLDERS.items():
        for number in range(1, count + 1):
            when += timedelta(hours=dice.randint(1, 60))
            mail = EmailMessage(policy=SMTP)
            mail["Message-ID"] = f"<{key}.{folder.replace('/', '.')}.{number}@{domain}>"
            mail["Date"] = format_datetime(when)
            mail["From"] = f"Grace Okoye <grace@{domain}>"
            mail["To"] = person["email"]
            mail["Subject"] = f"Grüße {number} für {person['first_name']}"
            mail.set_content(
                f"Hallo {person['first_name']},\n\nFrom here on: Größe, naïve, 漢字.\n"
                + "A line of text.\n" * dice.randint(1, 40)
            )
            if number % 4 == 0:
                mail.add_attachment(
                    dice.randbytes(20_000), maintype="application", subtype="pdf", filename=f"bericht-{number}.pdf"
                )
            if folder == "INBOX" and number == 3:
                mail.add_attachment(
                    dice.randbytes(3_000_000), maintype="application", subtype="zip", filename="release.zip"
                )
            if mail.is_multipart():
                mail.set_boundary(f"=_{key}_{folder.replace('/', '.').replace('&', '')}_{number}")
            yield folder, when, mail.as_bytes()
