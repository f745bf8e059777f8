"""How a handler sees a payload: as the contract's class, or as whatever its annotation names."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, get_args, get_origin, is_typeddict

import msgspec

from jobarium_events.calling import refuse_generator
from jobarium_events.documents import is_pydantic
from jobarium_events.envelope import Event
from jobarium_events.errors import DeclarationError, ViewError
from jobarium_events.validation.dialects import escape

if TYPE_CHECKING:
    from jobarium_events.catalog import Entry
    from jobarium_events.contract import Contract

__all__ = ["View", "annotated_type", "payload_annotation", "takes", "title_of", "view_of"]


# Where in a document msgspec found a mistake, and the steps of the way there; within a free-form map it says `[...]`.
_PLACE = re.compile(r" - at `\$((?:\.\w+|\[\d+\]|\[\.\.\.\])+)`$")
_STEP = re.compile(r"\w+|\.\.\.")


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
        return View(dict, msgspec.json.Decoder().decode, lambda document: document)
    if isinstance(wanted, type) and is_pydantic(wanted):
        return _pydantic(wanted, entry.contract)
    if is_typeddict(wanted) or dataclasses.is_dataclass(wanted) or _is_struct(wanted):
        return _decoded(wanted, entry)
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


def _decoded(wanted: Any, entry: Entry) -> View:
    contract, validator = entry.contract, entry.open
    try:
        decoder = msgspec.json.Decoder(wanted)
    except TypeError as error:
        raise DeclarationError(f"a payload of {contract.name} cannot be seen as {wanted.__name__}: {error}") from None

    def refused(error: msgspec.ValidationError) -> ViewError:
        # msgspec's own text may quote a value; the place in it does not.
        place = _PLACE.search(str(error))
        pointer = "".join(f"/{step}" for step in _STEP.findall(place[1])) if place else ""
        return ViewError(contract.event, contract.version, wanted.__name__, [pointer or "the payload"])

    def from_json(raw: msgspec.Raw) -> Any:
        try:
            return decoder.decode(raw)
        except msgspec.ValidationError as error:
            problem = refused(error)
        raise problem  # out here, where it has no context: msgspec's text may quote a value

    def from_document(document: Any) -> Any:
        try:
            return validator.convert(document, wanted)
        except msgspec.ValidationError as error:
            problem = refused(error)
        raise problem

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

    return View(model, from_json, lambda document: from_json(msgspec.json.encode(document)))


def _is_struct(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)


def title_of(function: object) -> str:
    """Return what to call a function in a message."""
    return getattr(function, "__qualname__", repr(function))


def takes(function: Callable[..., Any], arguments: int) -> bool:
    """Whether a function can be called with so many positional arguments; one that does not say is believed to.

    Raises:
        DeclarationError: If it cannot be called at all.
    """
    try:
        inspect.signature(function).bind(*[None] * arguments)
    except ValueError:  # something built in
        return True
    except TypeError:
        if not callable(function):
            raise DeclarationError(f"{function!r} is no function; register what is to be called") from None
        return False
    return True


def annotated_type(function: Callable[..., Any], place: int) -> Any:
    """Return the annotation of a function's positional parameter, or of its return (-1); None if there is none.

    Raises:
        DeclarationError: If the annotation cannot be resolved.
    """
    try:
        signature = inspect.signature(function)
    except ValueError:
        return None
    name = title_of(function)
    annotation: Any = signature.return_annotation
    if place >= 0:
        positional = [
            each for each in signature.parameters.values() if each.kind not in (each.KEYWORD_ONLY, each.VAR_KEYWORD)
        ]
        annotation = positional[min(place, len(positional) - 1)].annotation
    if annotation is inspect.Parameter.empty:
        return None
    if isinstance(annotation, str):
        plain = _plain(function)
        try:
            names = {**dict(inspect.getclosurevars(plain).nonlocals), **vars(plain).get("__type_params__", {})}
            annotation = eval(annotation, plain.__globals__, names)  # noqa: S307 - the service's own annotation
        except Exception as error:  # noqa: BLE001 - evaluating an annotation can raise anything
            raise DeclarationError(
                f"the annotation {annotation!r} of {name} cannot be resolved ({error}); it must name something that "
                "the handler's module has at run time, not under TYPE_CHECKING or in a function alone"
            ) from None
    return annotation


def _plain(function: Any) -> Any:
    """Return the plain function that is called in the end, in whose module annotations are to be resolved."""
    while isinstance(function, partial):
        function = function.func
    function = inspect.unwrap(getattr(function, "__func__", function))
    return function if inspect.isfunction(function) else type(function).__call__


def payload_annotation(function: Callable[..., Any], place: int = 0) -> Any:
    """Return what an ``Event[...]`` annotation of a handler's parameter asks for; None for the contract's class.

    Raises:
        DeclarationError: If it takes something else than an event, or not one alone.
    """
    if not takes(function, 1):
        raise DeclarationError(
            f"{title_of(function)} cannot be called with an event alone; a handler takes one argument"
        )
    refuse_generator(function, title_of(function))
    annotation = annotated_type(function, place)
    if annotation is None or annotation is Event or annotation is Any:
        return None
    if get_origin(annotation) is not Event:
        raise DeclarationError(
            f"{title_of(function)} takes {annotation!r}; annotate it as Event[...] of the payload that it wants"
        )
    wanted = get_args(annotation)[0]
    return None if wanted is Any else wanted
