"""Reads a folder of schemas into contracts, and lists every mistake in it at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from jobarium_events.catalog.entry import Entry
from jobarium_events.catalog.files import FolderFiles
from jobarium_events.catalog.keywords import misused_keywords
from jobarium_events.catalog.manifest import MANIFEST, Manifest, VersionEntry, quoted, read_from
from jobarium_events.catalog.repeating import repeated_members
from jobarium_events.contract import VERSION, Contract, KeyTemplate
from jobarium_events.errors import CatalogError, Problem, SchemaError
from jobarium_events.validation import Validator, check_schema
from jobarium_events.validation.dialects import escape
from jobarium_events.validation.references import lost_references

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from jobarium_events.catalog.files import Files

__all__ = ["clashes", "contract_from", "load_entries", "load_files", "load_folder", "schema_path"]

_NOT_EVENTS = frozenset(("decisions",))
_NOT_SCHEMAS = frozenset(("envelope.json", MANIFEST, "catalog.lock"))


def load_entries(folder: str | os.PathLike[str]) -> tuple[list[Entry], tuple[str, ...]]:
    """Return the contracts of a folder, in the manifest's order, and its releases.

    Raises:
        CatalogError: With every mistake in the folder.
    """
    manifest, entries = load_folder(folder)
    return entries, manifest.releases


def load_folder(folder: str | os.PathLike[str]) -> tuple[Manifest, list[Entry]]:
    """Return the manifest of a folder and its contracts, in the manifest's order.

    Raises:
        CatalogError: With every mistake in the folder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise CatalogError(str(folder), [Problem(str(folder), "", "is no folder")])
    return load_files(FolderFiles(root), str(folder))


def load_files(files: Files, source: str) -> tuple[Manifest, list[Entry]]:
    """Return the manifest among some files and its contracts, in the manifest's order.

    Args:
        files: The files.
        source: How to name them in an error.

    Raises:
        CatalogError: With every mistake in the files.
    """
    manifest, problems = read_from(files)
    found = dict.fromkeys(_schemas(files, problems))
    entries = []
    for event, declared in manifest.events.items():
        for version, details in declared.versions.items():
            file = schema_path(event, version)
            if (event, version) not in found:
                problems.append(Problem(MANIFEST, f"event.{quoted(event)}.{version}", f"has no file; add {file}"))
                continue
            del found[event, version]
            schema = _schema(files, file, details, problems)
            if schema is not None:
                entries.append(Entry(contract_from(manifest, event, version, schema)))
    problems += list(_unlisted(found, problems))
    for event, version in found:
        _schema(files, schema_path(event, version), None, problems)
    problems += clashes(entry.contract for entry in entries)
    if problems:
        raise CatalogError(source, sorted(set(problems)))
    return manifest, entries


def contract_from(manifest: Manifest, event: str, version: str, schema: Mapping[str, Any]) -> Contract:
    """Put a contract together from the manifest and its schema."""
    declared = manifest.events[event]
    details = declared.versions[version]
    return Contract(
        event=event,
        version=version,
        schema_json=orjson.dumps(schema),
        owner=declared.owner,
        consumers=declared.consumers,
        key=KeyTemplate(details.key),
        ordering=details.ordering,
        lifecycle=manifest.lifecycle(details),
        introduced=details.introduced,
        deprecated=details.deprecated,
        retired=details.retired,
        decision=details.decision,
    )


def schema_path(event: str, version: str) -> str:
    """Return where the schema of a contract stands in its folder."""
    return f"{event}/{version}.json"


def _schemas(files: Files, problems: list[Problem]) -> Iterator[tuple[str, str]]:
    """Yield event and version of each schema that is there, in the files' order."""
    for path in sorted(files.paths()):
        folder, _, name = path.rpartition("/")
        if not name.endswith(".json"):
            continue
        if not folder:
            if name not in _NOT_SCHEMAS:
                text = "belongs to no event; schemas stand at <event name>/<version>.json"
                problems.append(Problem(name, "", text))
        elif folder not in _NOT_EVENTS and not folder.startswith("."):
            version = name.removesuffix(".json")
            if VERSION.fullmatch(version):
                yield folder, version
            else:
                problems.append(Problem(path, "", "is not named after a version, such as v1.json"))


def _unlisted(found: Iterable[tuple[str, str]], problems: Iterable[Problem]) -> Iterator[Problem]:
    # What is wrong with the manifest as a whole has no place: nothing is known of any version then.
    unread = tuple(problem.place and f"{problem.place}." for problem in problems if problem.file == MANIFEST)
    for event, version in found:
        table = f"event.{quoted(event)}.{version}"
        if not f"{table}.".startswith(unread):
            yield Problem(schema_path(event, version), "", f"is not in the manifest; add [{table}]")


def _schema(files: Files, file: str, details: VersionEntry | None, problems: list[Problem]) -> Mapping[str, Any] | None:
    """Read and check one schema file; None if it cannot be used. Without `details` there is no manifest to match."""
    before = len(problems)
    try:
        content = files.read(file)
        schema = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        problems.append(Problem(file, "", f"is no valid JSON: {error}"))
        return None
    except OSError as error:
        problems.append(Problem(file, "", f"cannot be read: {error.strerror}"))
        return None
    if not isinstance(schema, dict) or schema.get("type") != "object":
        problems.append(Problem(file, "/type", 'a payload is an object: the schema needs "type": "object"'))
    if not isinstance(schema, dict):
        return None
    mistakes = check_schema(schema)
    problems += [Problem(file, mistake.pointer, mistake.explanation) for mistake in mistakes]
    if not any(mistake.pointer == "" for mistake in mistakes):  # as where it is nested too deep to be looked through
        text = "is given more than once, and only the last one would count: keep one"
        problems += [Problem(file, pointer, text) for pointer in repeated_members(content, schema)]
        problems += [Problem(file, pointer, text) for pointer, text in misused_keywords(schema)]
    if not any(mistake.pointer == "/$schema" for mistake in mistakes):
        lost = lost_references(schema, valid=not mistakes)
        problems += [Problem(file, error.pointer, error.problem) for error in lost]
    if len(problems) == before:
        try:
            Validator(schema, closed=True)  # an engine is made on first use, and always can be
        except SchemaError as error:
            problems.append(Problem(file, error.pointer, error.problem))
    if details is not None and isinstance(schema.get("properties", {}), dict):
        problems += _misnamed_fields(file, schema, details, valid=len(problems) == before)
    return schema if len(problems) == before else None


def _misnamed_fields(file: str, schema: Mapping[str, Any], details: VersionEntry, *, valid: bool) -> Iterator[Problem]:
    properties = schema.get("properties", {})
    ordering = [details.ordering.per, details.ordering.by] if details.ordering else []
    for what, fields in (("the key template", KeyTemplate(details.key).fields), ("the ordering", ordering)):
        for field in fields:
            if field and field not in properties and not _is_composed(schema):
                yield Problem(file, "/properties", f"has no field {field!r}, which {what} in {MANIFEST} names")
            elif valid and field in properties and not _is_key_part(properties[field]):
                text = f"is a field that {what} in {MANIFEST} names, so it must be of type string or integer"
                yield Problem(file, f"/properties/{escape(field)}", text)


def _is_composed(schema: Mapping[str, Any]) -> bool:
    """Whether fields may be declared elsewhere than in the schema's own properties."""
    return any(keyword in schema for keyword in ("allOf", "anyOf", "oneOf", "$ref"))


def _is_key_part(schema: Any) -> bool:
    """Whether a field's values have one text each; a reference is believed to."""
    if not isinstance(schema, Mapping):
        return False
    types = schema.get("type", ())
    types = [types] if isinstance(types, str) else types
    listed = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return (
        "$ref" in schema
        or "allOf" in schema
        or bool(types and {"string", "integer", "null"}.issuperset(types))
        or bool(listed and all(isinstance(value, str | int) for value in listed))
    )


def clashes(contracts: Iterable[Contract]) -> Iterator[Problem]:
    """Yield each contract whose payload class has the name of another one's."""
    names: dict[str, str] = {}
    for contract in contracts:
        other = names.setdefault(contract.class_name, contract.name)
        if other != contract.name:
            file = schema_path(contract.event, contract.version)
            yield Problem(file, "", f"and {other} would both have the payload class {contract.class_name}; rename one")
