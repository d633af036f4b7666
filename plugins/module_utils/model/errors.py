# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The errors of the collection, as a tree:

* LifecycleError
    * InputError               what we were given is wrong; nothing was sent
        * RecordRefused        one record of HR holds a value that is not allowed; the other records are good
        * AmbiguousIdentity    more than one account or person answers to the name
        * CredentialError      a credential is missing or cannot be read
    * SystemError_             a remote system, or our talk with it
        * AuthenticationFailed the system does not know us (401, bad bind, expired secret)
        * PermissionDenied     it knows us and does not allow the act (403)
        * NotFound             what we addressed is not there
        * Conflict             it is in a state that forbids the act (409, 412)
        * Rejected             it did not take what we sent (400, 422)
        * Throttled            it wants us to wait for longer than we may
        * Unavailable          it does not answer, or with 5xx; the act did not happen
            * CertificateError its certificate is not signed by an authority we trust
        * AnswerLost           a write was sent and no answer came: it may have happened
        * ProtocolError        it answered something that is not its protocol (HTML, cut JSON, a page token that stands still)
    * Unsupported              the connector or the system cannot do this
    * Refused                  we will not do this: the message says why
        * Protected            policy says that no run may touch it
        * Drifted              the system is no longer as the plan saw it
        * Braked               more of this than policy allows in so short a time
        * Held                 another run is at work on the same person
        * Incident             an HR source is not to be believed: empty, shrunk, changed in shape
    * LedgerError             the ledger cannot be opened, read or written: without it nothing is sent
    * WriteInCheckMode         a bug: a write was tried where only reads are allowed

Every message reads ``<act> on <system>: <what happened>[: <what to do>]``.
"""

from __future__ import annotations

from .text import short


class LifecycleError(Exception):
    """Base of all errors of this collection.

    :param what: what happened, in one line.
    :param act: what we were doing, e.g. ``revoke sessions of ann@x``.
    :param system: the inventory name of the system.
    :param hint: what the reader should do.
    :param status: the HTTP status or protocol code, where there is one.
    """

    code = "error"

    def __init__(
        self, what: str, *, act: str = "", system: str = "", hint: str = "", status: int | None = None
    ) -> None:
        # Each of them may hold text that others wrote: a system's answer, a person's name, a path.
        what, act, system, hint = short(what), short(act, 500), short(system, 100), short(hint, 1000)
        super().__init__(what)
        self.what, self.act, self.system, self.hint, self.status = what, act, system, hint, status

    def __str__(self) -> str:
        where = " on ".join(part for part in (self.act, self.system) if part)
        return ": ".join(part for part in (where, self.what, self.hint) if part)


class InputError(LifecycleError):
    code = "input"


class RecordRefused(InputError):
    """One record of HR holds a value that is not allowed. No run acts on this record; the runs of other people go
    on."""


class AmbiguousIdentity(InputError):
    code = "ambiguous"


class CredentialError(InputError):
    code = "credential"


class SystemError_(LifecycleError):  # noqa: N801 - SystemError is a name of Python
    code = "system"


class AuthenticationFailed(SystemError_):
    code = "authentication"


class PermissionDenied(SystemError_):
    code = "permission"


class NotFound(SystemError_):
    code = "not_found"


class Conflict(SystemError_):
    code = "conflict"


class Rejected(SystemError_):
    code = "rejected"


class Throttled(SystemError_):
    code = "throttled"


class Unavailable(SystemError_):
    code = "unavailable"


class CertificateError(Unavailable):
    code = "certificate"

    @classmethod
    def untrusted(cls, why: str, *, act: str, system: str) -> CertificateError:
        """Return the error for a certificate that is not signed by an authority we trust."""
        hint = "set ca_file of the system to your certificate authority"
        return cls(f"its certificate is not trusted ({why})", act=act, system=system, hint=hint)


class AnswerLost(SystemError_):
    code = "answer_lost"


class ProtocolError(SystemError_):
    code = "protocol"


class Unsupported(LifecycleError):
    code = "unsupported"


class Refused(LifecycleError):
    code = "refused"


class Protected(Refused):
    code = "protected"


class Drifted(Refused):
    code = "drift"


class Braked(Refused):
    code = "brake"


class Held(Refused):
    code = "held"


class Incident(Refused):
    code = "incident"


class LedgerError(LifecycleError):
    code = "ledger"


class WriteInCheckMode(LifecycleError):
    code = "write_in_check_mode"
