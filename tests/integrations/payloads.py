"""A payload for any bundled contract."""

from __future__ import annotations

from typing import Any


def example(schema: dict[str, Any], name: str = "x") -> Any:
    """Return a value that a schema accepts, for the keywords that the bundled schemas use."""
    if "enum" in schema:
        return schema["enum"][0]
    match schema["type"]:
        case "object":
            return {key: example(inner, key) for key, inner in schema.get("properties", {}).items()}
        case "array":
            return [example(schema["items"])]
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "string" if schema.get("format") == "date-time":
            return "2026-03-01T12:00:00Z"
        case "string" if "pattern" in schema:
            return "2026-03"  # a month
        case "string":
            return f"{name} é"
        case other:
            raise NotImplementedError(other)
