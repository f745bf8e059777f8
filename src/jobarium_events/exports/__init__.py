"""The catalog in the formats of others: AsyncAPI, plain JSON Schema, EventCatalog. Needs no extra."""

from jobarium_events.exports.asyncapi import asyncapi_document
from jobarium_events.exports.bundling import event_schema
from jobarium_events.exports.errors import ExportRefused
from jobarium_events.exports.eventcatalog import eventcatalog_files
from jobarium_events.exports.jsonschema import jsonschema_files
from jobarium_events.exports.printing import as_json, as_yaml

__all__ = [
    "ExportRefused",
    "as_json",
    "as_yaml",
    "asyncapi_document",
    "event_schema",
    "eventcatalog_files",
    "jsonschema_files",
]
