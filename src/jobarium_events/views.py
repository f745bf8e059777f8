"""How a handler sees a payload: as the contract's class, or as whatever its annotation names."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_args, get_origin, is_typeddict

import msgspec
import orjson

from jobarium_events.catalog import Entry
from jobarium_events.contract import Contract
from jobarium_events.documents import is_pydantic
from jobarium_events.envelope import Event
from jobarium_events.errors import DeclarationError, ViewError
from jobarium_events.validation.dialects import escape

__all__ = ["View", "annotated_type", "payload_annotation", "view_of"]


class View:
    """One way to see the payloads of a contract.

    Attributes:
        type: What a payload becomes.
        is_contracts: Whether that is the contract's own class, so that decoding is validating.
        from_json: The payload's bytes, already validated, to a payload.
        from_document: The payload as a JSON document, already validated, to a payload.
    """

    __slots__ = ("from_document", "from_json", "is_contracts", "type")

    def __init__(
        self,
        type_: Any,
        from_json: Callable[[msgspec.Raw], Any],
        from_document: Callable[[Any], Any],
        *,
        is_contracts: bool = False,
    ) -> None:
        self.type = type_
        self.from_json = from_json
        self.from_document = from_document
        self.is_contracts = is_contracts


def view_of(wanted: Any, entry: Entry) -> View:
    """Return the view of a contract's payloads that an annotation asks for.

    Args:
        wanted: What stands in ``Event[...]``; None for the contract's own class.
        entry: The contract.

    Raises:
        DeclarationError: If a payload cannot be seen as that.
    """
    if wanted is None or hasattr(wanted, "__contract__"):
        return _contracts_own(wanted, entry)
    if wanted in (dict, Mapping, Any) or get_origin(wanted) in (dict, Mapping):
        return View(dict, lambda raw: orjson.loads(memoryview(raw)), lambda document: document)
    if isinstance(wanted, type) and is_pydantic(wanted):
        return _pydantic(wanted, entry.contract)
    if is_typeddict(wanted) or dataclasses.is_dataclass(wanted) or _is_struct(wanted):
        return _decoded(wanted, entry.contract)
    raise DeclarationError(
        f"a payload of {entry.contract.name} cannot be seen as {wanted!r}; take its class, dict, a pydantic model, "
        "a dataclass, a TypedDict or a msgspec.Struct"
    )


def _contracts_own(wanted: Any, entry: Entry) -> View:
    validator = entry.open
    kind = entry.payload_type
    if wanted is not None:
        contract = entry.contract
        if wanted.__contract__[:2] != (contract.event, contract.version):
            raise DeclarationError(
                f"a handler of {contract.name} cannot take {wanted.__name__}, which is "
                f"{' '.join(wanted.__contract__[:2])}; register it for that, or upcast"
            )
        kind = entry.agreed(wanted)
    decoder = msgspec.json.Decoder(kind)

    def from_document(document: Any) -> Any:
        return validator.convert(document, kind)

    return View(kind, decoder.decode, from_document, is_contracts=True)


def _decoded(wanted: Any, contract: Contract) -> View:
    try:
        decoder = msgspec.json.Decoder(wanted)
    except TypeError as error:
        raise DeclarationError(f"a payload of {contract.name} cannot be seen as {wanted.__name__}: {error}") from None

    def refused(error: msgspec.ValidationError) -> ViewError:
        # msgspec's own text may quote a value; the place in it does not.
        _, _, place = str(error).rpartition(" - at `$")
        return ViewError(contract.event, contract.version, wanted.__name__, [place.rstrip("`") or "the payload"])

    def from_json(raw: msgspec.Raw) -> Any:
        try:
            return decoder.decode(raw)
        except msgspec.ValidationError as error:
            raise refused(error) from None

    def from_document(document: Any) -> Any:
        try:
            return msgspec.convert(document, wanted)
        except msgspec.ValidationError as error:
            raise refused(error) from None

    return View(wanted, from_json, from_document)


def _pydantic(model: Any, contract: Contract) -> View:
    from pydantic import ValidationError  # noqa: PLC0415 - imported already, or there would be no model

    def from_json(raw: msgspec.Raw | bytes) -> Any:
        try:
            return model.model_validate_json(bytes(raw))
        except ValidationError as error:
            places = [
                f"{''.join(f'/{escape(step)}' for step in each['loc'])}: {each['type']}"
                for each in error.errors(include_input=False, include_url=False, include_context=False)
            ]
        raise ViewError(contract.event, contract.version, model.__name__, places)

    return View(model, from_json, lambda document: from_json(orjson.dumps(document)))


def _is_struct(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)


def annotated_type(function: Callable[..., Any], place: int) -> Any:
    """Return the annotation of a function's positional parameter, or of its return (-1); None if there is none.

    Raises:
        DeclarationError: If the function has no such parameter, or the annotation cannot be resolved.
    """
    name = getattr(function, "__qualname__", repr(function))
    if place < 0:
        annotation = inspect.signature(function).return_annotation
    else:
        parameters = [
            each
            for each in inspect.signature(function).parameters.values()
            if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD, each.VAR_POSITIONAL)
        ]
        if len(parameters) <= place:
            raise DeclarationError(f"{name} takes {len(parameters)} positional parameters; it needs {place + 1}")
        annotation = parameters[place].annotation
    if annotation is inspect.Parameter.empty:
        return None
    if isinstance(annotation, str):
        plain = inspect.unwrap(getattr(function, "__func__", function))
        plain = plain if inspect.isfunction(plain) else type(function).__call__
        names = {**dict(inspect.getclosurevars(plain).nonlocals), **vars(plain).get("__type_params__", {})}
        try:
            annotation = eval(annotation, plain.__globals__, names)  # noqa: S307 - the service's own annotation
        except Exception as error:
            raise DeclarationError(
                f"the annotation {annotation!r} of {name} cannot be resolved ({error}); it must name something that "
                "the handler's module has at run time, not under TYPE_CHECKING or in a function alone"
            ) from None
    return annotation


def payload_annotation(function: Callable[..., Any], place: int = 0) -> Any:
    """Return what an ``Event[...]`` annotation of a handler's parameter asks for; None for the contract's class.

    Raises:
        DeclarationError: If it is annotated as something else than an event.
    """
    annotation = annotated_type(function, place)
    if annotation is None or annotation is Event or annotation is Any:
        return None
    if get_origin(annotation) is not Event:
        name = getattr(function, "__qualname__", repr(function))
        raise DeclarationError(f"{name} takes {annotation!r}; annotate it as Event[...] of the payload that it wants")
    wanted = get_args(annotation)[0]
    return None if wanted is Any else wanted
