# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read a connector's file into a :class:`Manifest`. A file with a mistake is refused here, before anything is sent."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping

from ...model import near
from ...model.errors import InputError
from ...model.marked_yaml import Document
from ...sdk.capabilities import CAPABILITIES
from ...sdk.target import COMMON_OPTIONS, Option
from .expressions import Expression, Json
from .holes import holes
from .manifest import (
    Accounts,
    Api,
    KeyKind,
    Kind,
    Lingering,
    Manifest,
    OwnedKind,
    Refusal,
    Rows,
    SignIn,
    Throttle,
    Way,
)
from .parts import ACCOUNT, ENTITLEMENT, ITEM, PLAIN, Names, Part
from .reading_accounts import SCIM_SOURCE, read_accounts
from .reading_people import PEOPLE_OPTIONS, read_people
from .reading_requests import Reader
from .sign_in import read_sign_in

FORMAT = 1
SECTIONS = (
    *(
        "declares",
        "title",
        "docs",
        "url",
        "needs_url",
        "login",
        "options",
        "credentials",
        "permissions",
        "auth",
        "http",
    ),
    *(
        "pages",
        "graphql",
        "apis",
        "settles_within",
        "accounts",
        "people",
        "cutoff",
        "entitlements",
        "owned",
        "keys",
        "controls",
    ),
    "contract",
)
_HTTP = ("headers", "rate", "parallel", "failure", "message", "permission_hint", "quotes", "throttle")
_WAY = (
    *("way", "of", "each", "closed", "unseen", "close", "gate", "refused", "lingers", "lost", "anew", "reopen", "when"),
)
_KIND = ("values", "catalogue", "fields", "fixed", "held", "floor", "grant", "revoke", "members", "administrators")
_KINDS_OF_OPTIONS = ("str", "int", "float", "bool", "list", "dict", "path")
_NAME = re.compile(r"^[a-z][a-z0-9_]*$")


def read_manifest(document: Document) -> Manifest:
    """Return the whole file.

    :raises InputError: names file, line, key and fix.
    """
    if not isinstance(document.data, dict):
        raise document.error("is no mapping", hint="start with declares: 1")
    part = Part(document, document.data)
    for path, value in _leaves(document.data):
        if not isinstance(value, (str, int, float, bool, type(None))):
            raise part.error("is a date, or has a tag", *path, hint="put it in quotes")
    if part.data.get("declares") != FORMAT:
        raise part.error("must be 1: the version of this format", "declares", hint="write declares: 1")
    part.only(*SECTIONS)
    docs = part.texts("docs")
    if not docs or not all(page.startswith("https://") for page in docs):
        raise part.error("must name the vendor's pages", "docs", hint="docs: [https://...]")
    options = _options(part, "options")
    for name in part.mapping("apis"):
        options[f"{name}_url"] = Option(f"Address of {name}, where it is not the usual one.")
    if any(
        "token" in how and str(how["token"]).startswith("https://") for how in _ways_to_sign_in(part.data.get("auth"))
    ):
        options["token_url"] = Option("Address that gives tokens, where it is not the vendor's.")
    if "people" in part:
        options = {**PEOPLE_OPTIONS, **options}
    reader = Reader([*options, *COMMON_OPTIONS], ("", *part.mapping("apis")))
    apis = _apis(part, reader)
    accounts = read_accounts(part.part("accounts"), reader, part.text("title")) if "accounts" in part else None
    manifest = Manifest(
        source=document.data,
        digest=digest_of(document.data),
        title=part.text("title"),
        docs=docs,
        needs_url=part.text("needs_url", ""),
        apis=apis,
        options=options,
        credentials=_options(part, "credentials"),
        permissions={name: part.part("permissions").texts(name) for name in part.mapping("permissions")},
        login=part.text("login", "{email}"),
        settles_within=part.number("settles_within", 0.0),
        accounts=accounts,
        people=read_people(part.part("people"), reader) if "people" in part else None,
        cutoff=tuple(_way(one, reader, accounts) for one in part.parts("cutoff")),
        entitlements={name: _kind(name, one, reader, accounts) for name, one in part.named_parts("entitlements")},
        owned=tuple(_owned(one, reader) for one in part.parts("owned")),
        keys=tuple(_key(one, reader) for one in part.parts("keys")),
        controls=part.expressions("controls"),
        contract={key: part.part("contract").text(key) for key in part.mapping("contract")},
    )
    _check_whole(part, manifest)
    return manifest


def _ways_to_sign_in(auth: Json) -> list[Mapping[str, Json]]:
    """Return the mappings of ``auth``, also those of ``first_of``; anything else is refused later."""
    said = auth if isinstance(auth, dict) else {}
    choices = said.get("first_of")
    inner = [one for choice in choices for one in _ways_to_sign_in(choice)] if isinstance(choices, list) else []
    return [one for one in said.values() if isinstance(one, dict)] + inner


def _leaves(value: Json, *path: str | int) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(inner, *path, key)
    else:
        yield path, value


def digest_of(data: Json) -> str:
    """Return the SHA-256 of the content of a file."""
    said = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(said.encode()).hexdigest()


def _check_whole(part: Part, manifest: Manifest) -> None:
    if manifest.accounts is not None and manifest.accounts.scim is not None:
        for section in ("entitlements", "owned", "controls"):
            if section in part:
                raise part.error("can't be used with scim, which has its own", section)
        if not manifest.cutoff:
            raise part.error(
                "has no cutoff: what does SCIM leave open here?",
                hint="cutoff: [{way: sign-in, close: suspend, lingers: ...}]",
            )
        if not _named_by(manifest.apis[""].sign_in) <= {"token", "username", "password"}:
            raise part.error("must be token, or username and password: SCIM takes no other", "credentials")
    for section in ("cutoff", "entitlements", "owned", "controls"):
        if section in part and manifest.accounts is None:
            raise part.error("needs the section accounts", section, hint="add the section accounts")
    for capability in manifest.permissions:
        if capability not in CAPABILITIES:
            raise part.error("is no capability", "permissions", capability, hint=near.hint(capability, CAPABILITIES))
    _check_credentials(part, manifest)


def _check_credentials(part: Part, manifest: Manifest) -> None:
    used = {name for api in manifest.apis.values() for name in _named_by(api.sign_in)}
    for name in used - set(manifest.credentials):
        raise part.error(
            f"names the credential {name}, which is not described", "auth", hint=f"credentials: {{{name}: what it is}}"
        )
    for name in set(manifest.credentials) - used:
        raise part.error("is used nowhere", "credentials", name, hint="name it in auth, or leave it out")


def _named_by(how: SignIn) -> set[str]:
    """Return the credentials that a way to sign in names."""
    said = [*holes(dict(how.says)), *(name for one in how.choices for name in holes(dict(one.says)))]
    return {name.partition(".")[2] for name in said if name.startswith("credentials.")}


def _options(part: Part, key: str) -> dict[str, Option]:
    made: dict[str, Option] = {}
    for name, value in part.mapping(key).items():
        if not _NAME.match(name):
            raise part.error("is no name", key, name, hint="small letters, digits and _")
        if isinstance(value, str):
            made[name] = Option(value)
            continue
        one = part.part(key, name)
        one.only("help", "kind", "required", "default", "choices")
        made[name] = Option(
            one.text("help"),
            one.one_of("kind", _KINDS_OF_OPTIONS, "str"),
            one.flag("required"),
            one.data.get("default"),
            tuple(one.data.get("choices", ())),
        )
    return made


# -- addresses ---------------------------------------------------------------------------------------------------------


def _apis(part: Part, reader: Reader) -> dict[str, Api]:
    if ("url" in part) == ("needs_url" in part):
        raise part.error(
            "must have url or needs_url",
            hint="url: https://... of the vendor, or needs_url: an example, where it is each company's own",
        )
    main = _api(part, "", reader, part)
    apis = {"": main}
    for name, one in part.named_parts("apis"):
        one.only("url", "auth", "http", "pages", "graphql")
        apis[name] = _api(one, name, reader, one if "auth" in one else part)
    return apis


def _api(part: Part, name: str, reader: Reader, signed: Part) -> Api:
    url = part.text("url", "")
    if (url or name) and not url.startswith("https://"):
        raise part.error(f"{url!r} is no https:// address", "url")
    part.check_holes(url, reader.names(), "url")
    reader.graphql = {**reader.graphql, name: part.text("graphql", "")}
    if "pages" in part:
        reader.pages = {**reader.pages, name: reader.pages_of(part.part("pages"))}
    if "auth" not in signed:
        raise signed.error("has no auth", hint="auth: {bearer: '{credentials.token}'}")
    http = part.part("http") if "http" in part else Part(part.document, {}, part.at)
    http.only(*_HTTP)
    if http.one_of("quotes", ("doubled", "backslash"), "doubled") == "backslash":
        reader.backslashed = (*reader.backslashed, name)
    headers = http.mapping("headers")
    http.check_holes(headers, reader.names(), "headers")
    return Api(
        name,
        url,
        read_sign_in(signed.part("auth"), reader.names({"credentials": None})),
        headers,
        http.number("rate", 0.0) or None,
        _parallel(http),
        http.maybe("failure"),
        http.maybe("message"),
        http.text("permission_hint", "grant the credential the permission"),
        tuple(_throttle(one) for one in http.parts("throttle")),
    )


def _parallel(part: Part) -> int:
    """Return for how many people the connector may work at once."""
    found = part.data.get("parallel", 4)
    if not isinstance(found, int) or isinstance(found, bool) or not 1 <= found <= 32:
        raise part.error("must be a number from 1 to 32", "parallel", hint="how many requests the vendor takes at once")
    return found


def _throttle(part: Part) -> Throttle:
    part.only("status", "when", "reset", "as")
    statuses = part.data.get("status")
    if not isinstance(statuses, list) or not all(isinstance(one, int) for one in statuses):
        raise part.error("must be a list of statuses", "status", hint="status: [429]")
    when = part.maybe("when", {"body": None, "headers": None, "text": PLAIN})
    return Throttle(
        tuple(statuses), when, part.text("reset", ""), part.one_of("as", ("epoch", "seconds"), "epoch") == "epoch"
    )


# -- cut-off -----------------------------------------------------------------------------------------------------------


def _way(part: Part, reader: Reader, accounts: Accounts | None) -> Way:
    part.only(*_WAY)
    names = reader.names(ACCOUNT)
    each = reader.rows(part.part("each"), names) if "each" in part else None
    inner: Names = {**names, **ITEM} if each is not None else names
    name = part.text("way")
    part.check_holes(name, inner, "way")
    if each is not None and not any(hole.startswith("item.") for hole in holes(name)):
        raise part.error("two of them would have the same name", "way", hint="name each: 'token {item.id}'")
    suspends = part.data.get("close") == "suspend"
    scim = accounts is not None and accounts.scim is not None
    sources = [SCIM_SOURCE] if scim else [source.name for source in accounts.sources] if accounts is not None else []
    of = part.texts("of") or tuple(sources[:1])
    for source in of:
        if source not in sources:
            raise part.error(f"there is no source {source}", "of", hint=near.hint(source, sources))
    if not suspends and not {"each", "closed", "unseen", "of"} & set(part.data):
        raise part.error(
            "nothing shows whether it was closed",
            hint="each: the list that it leaves, closed: EXPRESSION, or unseen: why nothing shows it",
        )
    closing = [
        source for source in (accounts.sources if accounts else ()) if source.name in of and source.suspend is not None
    ]
    if suspends and not scim and not closing:
        raise part.error("no account can be suspended here", "close", hint="give the source suspend and resume")
    refused = part.part("refused") if "refused" in part else None
    if refused is not None:
        refused.only("when", "because")
        refused.check_holes(refused.text("because"), inner, "because")
    lingers = part.part("lingers") if "lingers" in part else None
    if lingers is not None:
        lingers.only("what", "why", "until", "lasts")
    close = None if suspends else reader.writes(part, "close", inner)
    if close is None and not suspends:
        raise part.error("has no close", hint="close: suspend, or the request that ends it")
    if "reopen" in part and (each is None or "closed" not in part):
        raise part.error("reopens what nothing shows", "reopen", hint="each: the list, and closed: EXPRESSION")
    return Way(
        name,
        close,
        of,
        each,
        part.maybe("closed", inner),
        part.text("unseen", ""),
        part.flag("gate"),
        Refusal(refused.expression("when", inner), refused.text("because")) if refused is not None else None,
        Lingering(
            lingers.text("what"), lingers.text("why"), lingers.text("until", "unknown"), lingers.number("lasts", 0.0)
        )
        if lingers is not None
        else None,
        part.text("lost", "it was ended: they sign in again"),
        part.flag("anew") if "anew" in part else True,
        part.maybe("when", inner),
        reader.writes(part, "reopen", inner),
    )


# -- entitlements, owned things and keys -------------------------------------------------------------------------------


def _kind(name: str, part: Part, reader: Reader, accounts: Accounts | None) -> Kind:
    part.only(*_KIND)
    if ("values" in part) == ("catalogue" in part):
        raise part.error(
            "must have values or catalogue", hint="values: [admin, user], or catalogue: the request that lists them"
        )
    names, acting = reader.names(ACCOUNT), reader.names(ACCOUNT, ENTITLEMENT)
    held: Expression | Rows
    if isinstance(part.data.get("held"), dict):
        held = reader.rows(part.part("held"), names)
    else:
        held = part.expression("held", names)
    if "floor" in part and "grant" not in part:
        raise part.error("is given by grant, and there is none", "floor")
    return Kind(
        name,
        held,
        part.expressions("fields", ("id", "name", "fixed"))
        or Part(part.document, {"fields": _ID_AND_NAME}).expressions("fields"),
        part.texts("values"),
        reader.rows(part.part("catalogue"), reader.names()) if "catalogue" in part else None,
        part.maybe("fixed"),
        part.text("floor", ""),
        reader.writes(part, "grant", acting),
        reader.writes(part, "revoke", acting),
        reader.rows(part.part("members"), reader.names(ENTITLEMENT)) if "members" in part else None,
        part.texts("administrators"),
    )


_ID_AND_NAME: Mapping[str, str] = {"id": "id", "name": "name"}


def _owned(part: Part, reader: Reader) -> OwnedKind:
    part.only("kind", "each", "id", "name", "why", "settle", "reassign", "serial", "return")
    names = reader.names(ACCOUNT)
    settle = part.one_of("settle", ("decide", "reassign", "revoke"), "reassign" if "reassign" in part else "decide")
    if (settle == "reassign") != ("reassign" in part):
        raise part.error("settle: reassign and reassign go together", "settle")
    if ("serial" in part) != ("return" in part):
        raise part.error("return and serial go together", "serial", hint="the serial is how a receipt finds the item")
    part.check_holes(part.text("why"), ITEM, "why")
    return OwnedKind(
        part.text("kind"),
        reader.rows(part.part("each"), names),
        part.expression("id"),
        part.expression("name"),
        part.text("why"),
        settle,
        reader.writes(part, "reassign", {**names, **ITEM, "successor": ("id", "login", "email", "raw")}),
        part.maybe("serial"),
        reader.writes(part, "return", {**names, **ITEM}),
    )


def _key(part: Part, reader: Reader) -> KeyKind:
    part.only("kind", "each", "fields")
    made = part.expressions("fields", ("id", "name", "maker", "created", "last_used", "expires", "kind"))
    if "id" not in made:
        raise part.error("has no id", "fields", hint="fields: {id: id, name: name, maker: user_id}")
    return KeyKind(part.text("kind"), reader.rows(part.part("each"), reader.names()), made)


def manifest_of(source: str, name: str) -> Manifest:
    """Return the manifest from a JSON text, which :meth:`Manifest.text` made.

    :raises InputError: it is no JSON, or no manifest.
    """
    try:
        data = json.loads(source)
    except ValueError:
        raise InputError("its manifest is no JSON", act="read connector", system=name) from None
    return read_manifest(Document(name, data))
