# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads YAML and keeps the file and line of every key, so that an error message can name them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

try:
    import yaml
except ImportError:
    yaml = None  # type: ignore[assignment]  # ansible-core brings it along; only a bare import of this file lacks it
from .errors import InputError

Path = tuple[Any, ...]


@dataclass(frozen=True)
class Document:
    """A parsed file. ``data`` is plain data (values with a tag of their own, such as ``!vault``, are :class:`Tagged`)."""

    file: str
    data: Any
    lines: Mapping[Path, int] = field(default_factory=dict)

    def line(self, *path: Any) -> int:
        """Return the line of a key; when the key is not there, the line of the nearest key around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def error(self, what: str, *path: Any, hint: str = "") -> InputError:
        """Return an error that starts with ``file:line: key``."""
        key = ".".join(str(part) for part in path)
        return InputError(f"{self.file}:{self.line(*path)}: {key + ': ' if key else ''}{what}", hint=hint)


@dataclass(frozen=True)
class Tagged:
    """A scalar with a tag that is not YAML's own: ``!vault``."""

    tag: str
    value: str = field(repr=False)


def read_document(file: str) -> Document:
    """Read and parse one file.

    :raises InputError: it cannot be read, is not UTF-8, is not YAML, or says a key twice; names file and line.
    """
    try:
        with open(file, encoding="utf-8") as f:
            return parse_document(f.read(), file)
    except OSError as e:
        raise InputError(
            f"{file}: cannot be read: {e.strerror or e}", hint="check the path and its permissions"
        ) from None
    except UnicodeDecodeError as e:
        raise InputError(f"{file}: is not UTF-8 (byte {e.start})", hint="save it as UTF-8") from None


def _composed(text: str) -> Any:
    """Parse with libyaml where it is installed. A text that it refuses is parsed again in Python, which has better
    messages."""
    fast = getattr(yaml, "CSafeLoader", None)
    if fast is not None:
        with suppress(yaml.YAMLError):
            return yaml.compose(text, Loader=fast)
    return yaml.compose(text, Loader=yaml.SafeLoader)


def parse_document(text: str, file: str) -> Document:
    """Parse a text that is known as ``file``; errors as in :func:`read_document`."""
    try:
        node = _composed(text)
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        line = mark.line + 1 if mark else 1
        said = e.problem or e.context or "cannot be parsed"
        hint = (
            "indent with spaces, not with tabs"
            if "\\t" in said
            else "look at the indentation, colons and quotes on this line and the one before"
        )
        raise InputError(f"{file}:{line}: not YAML: {said}", hint=hint) from None
    except yaml.YAMLError as e:
        raise InputError(f"{file}: not YAML: {str(e).splitlines()[0]}") from None
    except RecursionError:
        raise _too_deep(file) from None
    lines: dict[Path, int] = {}
    try:
        return Document(file, _built(node, (), lines, file, yaml.SafeLoader("")) if node is not None else None, lines)
    except RecursionError:
        raise _too_deep(file) from None


def _too_deep(file: str) -> InputError:
    return InputError(f"{file}: nests too deep", hint="no file of ours needs more than a few levels")


def _built(node: yaml.Node, path: Path, lines: dict[Path, int], file: str, loader: yaml.SafeLoader) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        # The keys of a merge key (<<) come first, and the mapping itself may give them again.
        own = {id(key_node) for key_node, _unused in node.value}
        loader.flatten_mapping(node)
        built: dict[Any, Any] = {}
        given: set[Any] = set()
        for key_node, value_node in node.value:
            key = _scalar(key_node, file, loader) if isinstance(key_node, yaml.ScalarNode) else None
            line = key_node.start_mark.line + 1
            if key is None:
                raise InputError(f"{file}:{line}: a key must be a word")
            if key in given:
                raise InputError(
                    f"{file}:{line}: {key} is given twice (first on line {lines[(*path, key)]})", hint="keep one"
                )
            if id(key_node) in own:
                given.add(key)
            lines[(*path, key)] = line
            built[key] = _built(value_node, (*path, key), lines, file, loader)
        return built
    if isinstance(node, yaml.SequenceNode):
        return [_built(child, (*path, number), lines, file, loader) for number, child in enumerate(node.value)]
    if not node.tag.startswith("tag:yaml.org,2002:"):
        return Tagged(node.tag, node.value)
    return _scalar(node, file, loader)


def _scalar(node: yaml.Node, file: str, loader: yaml.SafeLoader) -> object:
    """Return a scalar as YAML reads it: a text, a number, a date, true or false.

    :raises InputError: it looks like a number or a date, and is not one.
    """
    try:
        return loader.construct_object(node)
    except (ValueError, ArithmeticError, yaml.constructor.ConstructorError):
        raise InputError(
            f"{file}:{node.start_mark.line + 1}: {str(node.value)[:40]!r} is no number and no date",
            hint="put it in quotes if it is a text",
        ) from None
