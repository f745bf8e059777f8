"""The fields of a payload, as its schema describes them, for people to read."""

from jobarium_events.fields.reading import fields_of, payload_of
from jobarium_events.fields.rows import FieldRow, ItemRow, ListedValue, Repeat

__all__ = ["FieldRow", "ItemRow", "ListedValue", "Repeat", "fields_of", "payload_of"]
