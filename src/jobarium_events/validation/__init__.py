"""JSON Schemas to compiled validators; the only package that knows the engines."""

from jobarium_events.validation.compiling import Validator, compile_schema
from jobarium_events.validation.metaschemas import check_schema

__all__ = ["Validator", "check_schema", "compile_schema"]
