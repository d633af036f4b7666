# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Every message of a mailbox, as MIME, through Graph."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ...model.errors import NotFound, Unsupported
from ...model.person import Person
from ...sdk.address import UrlPath, at
from ...sdk.target import Connector
from ...sdk.transport import Transport
from ...sdk.values import MailFolder, MailMessage
from ..microsoft.graph import graph_pages

#: Asks for ids that stay the same when a message is moved (https://learn.microsoft.com/graph/outlook-immutable-id).
IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}
#: Requests that Graph allows at once for one app and mailbox (https://learn.microsoft.com/graph/throttling-limits).
AT_ONCE = 4
#: The folder of deleted mail that users can still restore; the folder tree does not show it.
RECOVERABLE = "recoverableitemsdeletions"


class GraphMail(Connector):
    """Reads folders and messages; the connector sets ``graph``."""

    graph: Transport

    def has_online_archive(self, person: Person) -> bool:
        raise NotImplementedError

    def mail_folders(self, person: Person) -> Sequence[MailFolder] | None:
        """Return every folder, hidden ones and recoverable items too; names are paths: ``Inbox/Projekte``. None without a mailbox.

        :raises Unsupported: part of the mail is in an online archive, which Graph can't read (option ``online_archive``).
        """
        act = f"read mail folders of {person.email}"
        root = self._mailbox_path(person)
        try:
            folders = list(self._tree(root, root.below("/mailFolders"), "", act))
        except NotFound:
            return None
        recoverable = self.graph.get(root.below("/mailFolders/{}", RECOVERABLE), act=act, headers=IMMUTABLE)
        if recoverable is not None:
            folders += [
                _folder(recoverable, "Recoverable Items/"),
                *self._children(root, recoverable, "Recoverable Items/", act),
            ]
        if self.target.options["online_archive"] == "refuse" and self.has_online_archive(person):
            raise Unsupported(
                "part of the mail is in an online archive, which Graph can't read",
                act=act,
                system=self.target.name,
                hint="export that part with Microsoft Purview, then set option online_archive: skip",
            )
        return [folder for folder in folders if folder.messages]

    def mail_messages(self, person: Person, folder: MailFolder, skip: frozenset[str]) -> Iterator[MailMessage]:
        """Yield the folder's messages whose id is not in ``skip``, in the order of the folder; :data:`AT_ONCE` are read at a time."""
        act = f"read mail of {person.email} in {folder.name}"
        root = self._mailbox_path(person)
        listed = graph_pages(
            self.graph,
            root.below("/mailFolders/{}/messages", folder.id),
            act=act,
            params={"$select": "id,receivedDateTime,createdDateTime", "$top": 100},
            headers=IMMUTABLE,
        )

        def fetch(row: Any) -> MailMessage | None:
            answer = self.graph.send(
                "GET",
                root.below("/messages/{}/$value", row["id"]),
                act=act,
                headers={**IMMUTABLE, "Accept": "*/*"},
                missing=(404,),
                raw=True,
            )
            if answer.status == 404:
                return None  # deleted since it was listed
            return MailMessage(
                folder.name, row["id"], row.get("receivedDateTime") or row.get("createdDateTime") or "", answer.content
            )

        with ThreadPoolExecutor(AT_ONCE) as pool:
            ahead: deque[Future[MailMessage | None]] = deque()
            try:
                for row in listed:
                    if row["id"] in skip:
                        continue
                    ahead.append(pool.submit(fetch, row))
                    if len(ahead) >= AT_ONCE:
                        yield from _came(ahead.popleft())
                while ahead:
                    yield from _came(ahead.popleft())
            finally:
                for waiting in ahead:
                    waiting.cancel()

    def _mailbox_path(self, person: Person) -> UrlPath:
        return at("/users/{}", self.login_of(person))

    def _tree(self, root: UrlPath, path: UrlPath, above: str, act: str) -> Iterator[MailFolder]:
        for row in graph_pages(
            self.graph, path, act=act, params={"includeHiddenFolders": "true", "$top": 100}, headers=IMMUTABLE
        ):
            # A search folder shows messages of other folders.
            if str(row.get("@odata.type", "")).endswith("mailSearchFolder"):
                continue
            yield _folder(row, above)
            yield from self._children(root, row, above, act)

    def _children(self, root: UrlPath, row: Any, above: str, act: str) -> Iterator[MailFolder]:
        if row.get("childFolderCount"):
            yield from self._tree(
                root, root.below("/mailFolders/{}/childFolders", row["id"]), f"{above}{row['displayName']}/", act
            )


def _folder(row: Any, above: str) -> MailFolder:
    return MailFolder(row["id"], above + str(row["displayName"]), int(row.get("totalItemCount") or 0))


def _came(future: Future[MailMessage | None]) -> Iterator[MailMessage]:
    message = future.result()
    if message is not None:
        yield message
