# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One OpenAPI contract, made strict: a property that the vendor doesn't name is a violation, and so is a derived type it doesn't have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

FORMATS = FormatChecker(["date", "date-time", "uuid"])
ANNOTATION = r"^([A-Za-z]\w*)?@(odata\.|microsoft\.graph\.)"


@dataclass(frozen=True)
class Operation:
    """One method of one path of a contract; ``spec`` is OpenAPI's operation object, parameters of the path included."""

    template: str
    method: str
    spec: Mapping[str, Any]
    args: Mapping[str, str]


class Contract:
    """A slice of a vendor's OpenAPI description.

    :param odata: Graph's: annotations are allowed beside any property, ``@odata.type`` chooses the derived type, and
        ``additionalProperties: {type: object}`` (which Graph's generator writes everywhere) names no property.
    :param added: properties that the description leaves out, and why; ``types``: types that it leaves out: base, properties, why.
    """

    def __init__(
        self,
        file: Path,
        *,
        odata: bool,
        added: Mapping[str, Mapping[str, tuple[Mapping[str, Any], str]]],
        types: Mapping[str, tuple[str, Mapping[str, Any], str]],
    ) -> None:
        self.odata = odata
        self.document: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        self._schemas = self.document["components"]["schemas"]
        for name, (base, properties, _) in types.items():
            if base in self._schemas:
                self._schemas.setdefault(
                    name,
                    {
                        "allOf": [
                            {"$ref": f"#/components/schemas/{base}"},
                            {"type": "object", "properties": dict(properties)},
                        ]
                    },
                )
        for name, more in added.items():
            if name in self._schemas:
                own = self._schemas[name]["allOf"][-1] if "allOf" in self._schemas[name] else self._schemas[name]
                own["properties"] = {
                    **own.get("properties", {}),
                    **{prop: schema for prop, (schema, _) in more.items()},
                }
        self._strict: dict[str, Any] = {}
        self._validator = extend(Draft202012Validator, {"$ref": self._check_ref})

    # -- finding -------------------------------------------------------------------------------------------------------

    @cached_property
    def _templates(self) -> list[tuple[re.Pattern[str], str]]:
        """Templates with the fewest parameters first: a literal segment wins over a parameter."""
        return [
            (re.compile(re.sub(r"\\\{[^}]*\\\}", "([^/]+)", re.escape(t)) + "$"), t)
            for t in sorted(self.document["paths"], key=lambda t: t.count("{"))
        ]

    def find(self, method: str, path: str) -> Operation | str:
        """The operation, or what is wrong with the request's line."""
        known = ""
        for pattern, template in self._templates:
            match = pattern.match(path)
            if not match:
                continue
            item = self.document["paths"][template]
            if method.lower() in item:
                operation = item[method.lower()]
                parameters = [self.resolve(p) for p in [*item.get("parameters", ()), *operation.get("parameters", ())]]
                return Operation(
                    template,
                    method,
                    {**operation, "parameters": parameters},
                    dict(zip(re.findall(r"\{([^}]*)\}", template), match.groups(), strict=False)),
                )
            known = known or template
        return f"{known} has no {method}" if known else f"no such path in the contract: {path}"

    def resolve(self, node: Any) -> Any:
        """What a reference to anything but a schema stands for."""
        while isinstance(node, Mapping) and "$ref" in node and "/schemas/" not in node["$ref"]:
            _, _, kind, name = node["$ref"].split("/", 3)
            node = self.document["components"][kind][name]
        return node

    # -- judging -------------------------------------------------------------------------------------------------------

    def errors(self, schema: Mapping[str, Any], value: Any, more: Mapping[str, Any] | None = None) -> Iterator[str]:
        """Each violation as ``where: what``. ``more``: properties that the schema, or a collection's items, may have besides their own."""
        strict = self._made_strict(schema)
        if more and "properties" in self._target(strict):
            strict = self._with(strict, more)
        for error in self._validator(strict, format_checker=FORMATS).iter_errors(value):
            deep = best_match([error]) or error
            yield f"{'/'.join(map(str, deep.absolute_path)) or 'body'}: {deep.message[:300]}"

    def _with(self, strict: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
        """A resource with more properties, or a collection of such resources."""
        target = self._target(strict)
        items = target["properties"].get("value", {}).get("items")
        if items is None:
            return {**target, "properties": {**target["properties"], **more}}
        return {
            **target,
            "properties": {
                **target["properties"],
                "value": {**target["properties"]["value"], "items": self._with(items, more)},
            },
        }

    def properties(self, schema: Mapping[str, Any]) -> set[str]:
        """The names that ``$select`` may use of a resource, or of the items of its collection; navigation is among them."""
        strict = self._target(self._made_strict(schema))
        items = strict.get("properties", {}).get("value", {})
        if "items" in items:
            strict = self._target(items["items"])
        return set(strict.get("properties", ())) | set(strict.get("x-navigation", ()))

    def _target(self, strict: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in strict:
            strict = self._named(strict["$ref"])
        return strict

    def _named(self, ref: str) -> Any:
        name = ref.split("/", 3)[3]
        if name not in self._strict:
            self._strict[name] = self._made_strict(self._schemas[name])
        return self._strict[name]

    def _derives(self, name: str, base: str) -> bool:
        parents = [p["$ref"].split("/", 3)[3] for p in self._schemas.get(name, {}).get("allOf", ()) if "$ref" in p]
        return name == base or any(self._derives(parent, base) for parent in parents)

    def _check_ref(self, validator: Any, ref: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
        name = ref.split("/", 3)[3]
        given = instance.get("@odata.type") if self.odata and isinstance(instance, dict) else None
        if given is not None:
            derived = str(given).removeprefix("#")
            if derived not in self._schemas or not self._derives(derived, name):
                yield ValidationError(f"@odata.type {given!r} is no {name} of the contract")
                return
            ref = f"#/components/schemas/{derived}"
        yield from validator.evolve(schema=self._named(ref)).iter_errors(instance)

    def _made_strict(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """JSON Schema 2020-12 of an OpenAPI 3.0 schema: ``nullable`` as a type, ``allOf`` as one object, and no unnamed property."""
        if "$ref" in schema:
            return {"$ref": schema["$ref"]}
        nullable = schema.get("nullable", False)
        flat = self._flattened(schema)
        made: dict[str, Any] = {
            k: flat[k]
            for k in (
                "type",
                "enum",
                "pattern",
                "format",
                "minimum",
                "maximum",
                "minLength",
                "maxLength",
                "minItems",
                "maxItems",
                "uniqueItems",
                "required",
            )
            if k in flat
        }
        if "items" in flat:
            made["items"] = self._made_strict(flat["items"])
        for word in ("anyOf", "oneOf"):
            if word in flat:
                # Branches made strict exclude each other no more than the vendor means: one must fit.
                made["anyOf"] = [
                    self._made_strict({**{k: flat[k] for k in ("properties",) if k in flat}, **branch})
                    if "$ref" not in branch
                    else self._made_strict(branch)
                    for branch in flat[word]
                ]
        if "properties" in flat and not made.get("anyOf"):
            named = {k: v for k, v in flat["properties"].items() if not v.get("x-ms-navigationProperty")}
            made["properties"] = {k: self._made_strict(v) for k, v in named.items()}
            made["x-navigation"] = sorted(set(flat["properties"]) - set(named))
            extra = flat.get("additionalProperties", False)
            made["additionalProperties"] = (
                self._made_strict(extra) if isinstance(extra, Mapping) and not self.odata else extra is True
            )
            if self.odata:
                made["patternProperties"] = {ANNOTATION: {}}
        elif isinstance(flat.get("additionalProperties"), Mapping):
            made["additionalProperties"] = self._made_strict(flat["additionalProperties"])
        if not nullable:
            return made
        if "enum" in made:
            made["enum"] = [*made["enum"], None]
        if "type" in made and "anyOf" not in made:
            return {**made, "type": [made["type"], "null"]}
        return {"anyOf": [{"type": "null"}, made]}

    def _flattened(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        if "allOf" not in schema:
            return dict(schema)
        flat: dict[str, Any] = {k: v for k, v in schema.items() if k != "allOf"}
        for part in schema["allOf"]:
            part = self._flattened(self._schemas[part["$ref"].split("/", 3)[3]] if "$ref" in part else part)
            for key, value in part.items():
                if key == "properties":
                    flat[key] = {**flat.get(key, {}), **value}
                elif key == "required":
                    flat[key] = [*flat.get(key, ()), *value]
                else:
                    flat.setdefault(key, value)
        return flat
